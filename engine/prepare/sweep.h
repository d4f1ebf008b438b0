// SPDX-License-Identifier: MIT
// What an older algorithm version analysed is analysed again while nothing else is wanted: one track at a time, on a
// worker of its own at idle priority, cancelled as soon as playback asks for an analysis.
#pragma once
#include "dsp/annotate.h"
#include "engine/library/library.h"
#include "engine/log.h"
#include "engine/prepare/extractor.h"
#include <stdint.h>

/// Thread-safety: lives on the scheduler's loop: everything but create and destroy belongs to that thread.
struct sweep;

struct sweep_config {
    struct extractor *extractor;
    struct loader *loader;
    struct library *library;
    struct log *log;
    void (*wake)(void *context); // from any thread: has sweep_go_on() called on the loop soon
    void *context;
};

/// All borrowed; nothing is done before sweep_allow(). @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int sweep_create(struct sweep **out, const struct sweep_config *config);
/// After sweep_stop(), and once extractor and library have ended. Sets *sweep to NULL. NULL is fine.
void sweep_destroy(struct sweep **sweep);
/// Whether something plays: only then is there any sweeping. What is under way is cancelled, and is the next again.
void sweep_allow(struct sweep *sweep, bool is_allowed);
/// Requests that are not of the background came up, or are all done: see extractor_config.
void sweep_yield(struct sweep *sweep, bool is_wanted);
/// The library has answered.
void sweep_go_on(struct sweep *sweep);
/// Cancel for good, and say in one line how many were analysed, unless that was said. What was begun is reaped as
/// long as the extractor is busy.
void sweep_stop(struct sweep *sweep);
/// The extractor is not busy any more: stop watching the worker.
void sweep_unwatch(struct sweep *sweep);
