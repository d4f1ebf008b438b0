// SPDX-License-Identifier: MIT
// A device without a thread, on a clock that the test turns: stalls, jitter, loss, all from a script and a seed.
#pragma once
#include "dsp/annotate.h"
#include "io/sink/sink.h"
#include <stddef.h>
#include <stdint.h>

enum virtual_event_kind {
    VIRTUAL_LATE,       // one call comes `value` ns late, the schedule stays
    VIRTUAL_STALL,      // the clock of the device stands still for `value` ns: all later calls move
    VIRTUAL_PERIOD,     // from now on `value` frames a call, at most the configured period
    VIRTUAL_RATE,       // the device runs at `value` Hz from now on
    VIRTUAL_DISCONNECT, // no call any more
};

struct virtual_event {
    uint64_t step; // happens just before this call, counted from 0
    enum virtual_event_kind kind;
    uint64_t value;
};

struct virtual_device_config {
    uint32_t rate_hz;
    uint32_t period_frames;    // also the most that is ever asked for
    uint32_t buffered_periods; // that it plays on without a call; later is an xrun. 0: 2
    uint64_t seed;
    uint64_t jitter_ns;                 // each call comes 0 .. jitter_ns late, evenly
    const struct virtual_event *events; // by step; borrowed
    size_t n_events;
    sink_pull_fn pull;
    void *context;
};

/// What one call was like. Times count from 0 at the first call's schedule.
struct virtual_step {
    int64_t due_ns, called_ns;
    uint32_t rate_hz;
    uint32_t frames;     // asked for
    uint32_t got_frames; // returned
    const float *stereo; // what was pulled; until the next step
};

/// Same configuration, same calls. Thread-safety: one thread.
struct virtual_device;

/// @return 0; -EINVAL: no rate or period, or events out of order; -ENOMEM. On error *out is NULL.
MUST_CHECK int virtual_device_create(struct virtual_device **out,
                                     const struct virtual_device_config *config);
/// Destroy and set *device to NULL. NULL is fine.
void virtual_device_destroy(struct virtual_device **device);
/// Call pull once, as the script has it; no system call, no allocation. `step` may be NULL.
/// @return 0; -ENODEV: disconnected.
int virtual_device_step(struct virtual_device *device, struct virtual_step *step);
/// Calls that came after the device's buffer had run dry.
uint64_t virtual_device_xruns(const struct virtual_device *device);
/// The device's clock: when the next call is due.
int64_t virtual_device_now_ns(const struct virtual_device *device);
