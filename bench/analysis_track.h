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
/// Decode the file again in blocks of 4096 frames and drop what comes. @return 0; -EIO.
MUST_CHECK int analysis_track_decode(const struct analysis_track *track);
/// Write 3 minutes 47 seconds of made-up stereo music at 44.1 kHz, 16 bits, as FLAC. @return 0; -EIO;
/// -ENOMEM.
MUST_CHECK int analysis_track_make(const char *path);
