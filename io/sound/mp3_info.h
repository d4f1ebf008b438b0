// SPDX-License-Identifier: MIT
// The frame before an MP3 stream's first of sound, in which encoders write how long it is.
#pragma once
#include "dsp/annotate.h"
#include "io/sound/mp3.h"
#include <stdbool.h>
#include <stdint.h>

/// Xing's tag, called Info where the bit rate is constant, with LAME's delays; or Fraunhofer's VBRI.
struct mp3_info {
    bool is_exact;           // frames are stated, as Xing's: what VBRI says is a hint
    uint64_t frames, bytes;  // of MPEG frames, and of the stream with this one; 0: not said
    uint32_t delay, padding; // of the encoder, in PCM frames
};

/// Read the frame at `at`; blocks. @return whether it is such a one, and no sound; else *info is zeroed.
bool mp3_read_info(struct mp3_view *view, uint64_t at, const struct mp3_header *header,
                   struct mp3_info *info);
