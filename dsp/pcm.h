// SPDX-License-Identifier: MIT
// The one form of audio that crosses layers: interleaved 32-bit float, full scale at +-1.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

enum {
    PCM_MAX_CHANNELS = 8,   // more are refused at the decoder
    PCM_MIN_RATE_HZ = 1000, // outside these a file is refused as unsupported
    PCM_MAX_RATE_HZ = 768000,
};

struct pcm_format {
    uint32_t rate_hz;
    uint32_t channels; // 1..PCM_MAX_CHANNELS, in WAVE order
};

/// A stream of PCM that can be pulled more than once: the way an analysis gets its audio without
/// knowing of files. Thread-safety: one thread at a time, not necessarily the one that made it.
struct pcm_reader {
    void *context;
    /// (Re)start at frame 0. May block. @return 0 and *format, or -errno.
    int (*open)(void *context, struct pcm_format *format);
    /// Fill up to `frames` frames. May block. @return frames read, 0 at the end, or -errno:
    /// -EBADMSG where the stream is damaged (what was read before is sound), -ECANCELED.
    int64_t (*read)(void *context, float *interleaved, uint32_t frames);
    /// Give back what open took. Safe after a failed open.
    void (*close)(void *context);
};
