// SPDX-License-Identifier: MIT
// CUDA's runtime and cuFFT without a device: streams are queues, kernels run on the grid, FFTW transforms.
#pragma once
#include "gpu/cuda_runtime.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// When queued work is done.
enum fake_mode {
    FAKE_AT_ONCE, // within the call that queues it
    FAKE_LATE,    // not before somebody asks for its stream, and then no other work than it needs
    FAKE_SEEDED,  // some of it at each call, of random streams, one of them starved for a while
};

/// Forget everything, free what was left, and start anew. No other thread may be in the table.
void fake_runtime_reset(enum fake_mode mode, uint64_t seed);
/// Safe for any number of threads.
const struct cuda_runtime *fake_runtime_table(void);
/// Let the call of that number (from 1 since the reset) fail with `code`. From 700 on a code is sticky:
/// every later call fails with it, and what was queued never runs.
void fake_runtime_fail_call(long number, int code);
/// Let the queued operation of that number break the context with `code`, whoever asks next.
void fake_runtime_fail_operation(long number, int code);
long fake_runtime_calls(void);
long fake_runtime_operations(void);
/// Operations that are queued and not yet done.
long fake_runtime_queued(void);
/// Streams, events, plans and allocations that were not given back.
long fake_runtime_alive(void);
/// What was done that CUDA forbids, such as a call from a host function; "" if nothing.
const char *fake_runtime_note(void);

#ifdef __cplusplus
}
#endif
