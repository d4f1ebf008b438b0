// SPDX-License-Identifier: MIT
// The head of a 32-bit float stereo WAV file, which may grow into an RF64 one (EBU Tech 3306).
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

enum { WAV_HEADER_BYTES = 94, WAV_FRAME_BYTES = 8 };

/// Write the head of a file of `frames` frames. It has the same length whatever the sizes: over 4 GiB,
/// RF64's 64-bit sizes take the place of a chunk that readers skip.
void wav_header_write(uint8_t out[WAV_HEADER_BYTES], uint32_t rate_hz, uint64_t frames);
