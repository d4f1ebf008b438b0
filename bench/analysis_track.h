// SPDX-License-Identifier: MIT
// The track that the analysis benchmark measures: a file, decoded into memory.
#pragma once
#include "dsp/annotate.h"
#include "dsp/pcm.h"
#include <stdint.h>

/// Whole file as PCM. Thread-safety: immutable once loaded.
struct analysis_track {
    const char *path;
    struct pcm_format format;
    uint64_t frames;
    float *samples; // interleaved
};

/// Decode `path` (borrowed). @return 0; -EIO: not readable as audio; -ENOMEM.
MUST_CHECK int analysis_track_load(struct analysis_track *track, const char *path);
/// Free the samples. A zeroed track is fine.
void analysis_track_unload(struct analysis_track *track);
/// Takes a decoded block. @return 0; else decoding ends with it.
typedef int (*analysis_take_fn)(void *context, const float *block, uint32_t frames);
/// Decode the file again in blocks of 4096 frames and hand each to `take`; NULL: drop it. @return 0; -EIO; what
/// `take` returned.
MUST_CHECK int analysis_track_decode(const struct analysis_track *track, analysis_take_fn take,
                                     void *context);
/// Write 3 minutes 47 seconds of made-up stereo music at 44.1 kHz, 16 bits, as FLAC. @return 0; -EIO;
/// -ENOMEM.
MUST_CHECK int analysis_track_make(const char *path);
