// SPDX-License-Identifier: MIT
// A look at the device's side of a player: what each callback took, gave, and cost.
#pragma once
#include "dsp/annotate.h"
#include "io/sink/sink.h"
#include <stdint.h>

/// One callback, as the thread that ran it saw it.
struct probe_period {
    int64_t begin_ns, end_ns; // CLOCK_MONOTONIC
    int64_t cpu_ns;           // of the thread
    uint64_t first_frame;     // since the probe was made
    uint32_t wanted_frames, got_frames;
    const float *stereo; // until the call returns
};

/// Stands between a sink and who fills it. Plain data; fill `see` and `context`, leave the rest zero. One sink at a
/// time. Thread-safety: `frames` is read by any thread, the rest belongs to the sink's thread.
struct probe {
    /// Called after each callback, on its thread: must be as quick as the callback. NULL: nobody looks.
    void (*see)(void *context, const struct probe_period *period);
    void *context;
    // --- set by probe_open
    sink_pull_fn pull;
    void *pull_context;
    // --- atomic: written by the sink's thread, read by any (relaxed: it stands for itself)
    _Atomic uint64_t frames;
};

/// Open a sink that pulls through `probe` (a struct probe, which must outlive it): for player_config.open_sink.
/// @return as sink_open().
MUST_CHECK int probe_open(void *probe, struct sink **out, const struct sink_config *config);
