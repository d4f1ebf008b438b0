// SPDX-License-Identifier: MIT
// A thread that pulls audio and hands it on, by a clock or as fast as audio comes: a sink without a host.
#pragma once
#include "dsp/annotate.h"
#include "io/sink/sink.h"
#include <stdint.h>

struct pump_config {
    sink_pull_fn pull;
    void *pull_context;
    /// Takes what was pulled; runs on the pump's thread. NULL: nobody does. An error ends the pump: lost.
    int (*put)(void *context, const float *stereo, uint32_t frames);
    void *put_context;
    uint32_t period_frames;
    double period_ns; // between pulls; 0: patient
    const char *name; // of the thread
};

/// Thread-safety: create, destroy, start and stop on one thread; the others on any.
struct pump;

/// @return 0; -ENOMEM, -EAGAIN. On error *out is NULL.
MUST_CHECK int pump_create(struct pump **out, const struct pump_config *config);
/// Stops it, sets *pump to NULL. NULL is fine.
void pump_destroy(struct pump **pump);
/// @return 0; -EALREADY; -EIO: lost; -EAGAIN: no thread.
MUST_CHECK int pump_start(struct pump *pump);
/// What was pulled before it returns was put. Nothing if it does not run.
void pump_stop(struct pump *pump);
/// See sink_wake(): cheap where the pump is busy, which is when it is called most.
void pump_wake(struct pump *pump);
enum sink_state pump_state(const struct pump *pump);
/// Why it is lost, -errno, or 0.
int pump_error(const struct pump *pump);
/// Pulls that came too late for their schedule, which then began anew.
uint64_t pump_xruns(const struct pump *pump);
/// Realtime priority of the thread; 0: ordinary.
int pump_priority(const struct pump *pump);
