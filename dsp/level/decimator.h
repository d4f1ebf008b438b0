// SPDX-License-Identifier: MIT
// Decimation by a power of two: half-band stages, linear phase, delay compensated.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

enum {
    DECIMATOR_TAPS = 63,        // of each 2:1 stage
    DECIMATOR_MAX_STAGES = 5,   // 768 kHz to 24 kHz
    DECIMATOR_MAX_FRAMES = 4096 // most samples of one call
};

/// Flat within 0.001 dB to 0.8 of the new Nyquist frequency, below -90 dB from 1.2 of it. Output m
/// stands at input m * factor; zeros surround the input. Thread-safety: one thread at a time.
struct decimator;

/// Stages that lead from `rate_hz` to the lowest rate of at least 22,050 Hz; 0 below 44,100 Hz.
uint32_t decimator_stages_for(uint32_t rate_hz);
/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int decimator_create(struct decimator **out, uint32_t stages);
/// Destroy and set *decimator to NULL. NULL is fine.
void decimator_destroy(struct decimator **decimator);
/// Take `count` (<= DECIMATOR_MAX_FRAMES) samples. @return samples written to `out`, never more
/// than count + 1. `out` has room for DECIMATOR_MAX_FRAMES + 1 and is not `in`.
uint32_t decimator_push(struct decimator *decimator, float *out, const float *in, uint32_t count);
/// End of input: write what is still due, at most DECIMATOR_MAX_FRAMES samples. In all, each stage
/// gives half its input's samples, rounded up. @return samples written.
uint32_t decimator_finish(struct decimator *decimator, float *out);
