// SPDX-License-Identifier: MIT
// The scheduler thread: one loop over file loads, analysis completions and commands; prefetches what plays next.
#pragma once
#include "cache/analysis_cache.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/library/library.h"
#include "engine/log.h"
#include "engine/prepare/extractor.h"
#include "engine/prepare/track.h"
#include "gpu/backend.h"
#include "io/bytes/loader.h"
#include <stdint.h>

/// Thread-safety: Safe from any thread but the audio thread, unless marked "loop".
struct scheduler;

struct scheduler_config {
    enum loader_backend loader;
    struct backend_config backend;
    struct analysis_cache_config cache;
    struct mastering_settings settings;
    // read by scheduler_create(); NULL: nothing is kept on disk
    const struct library_config *library;
    int renews; // 1: while a plan stands, older versions' analyses in the library are made again, see sweep.h
    struct log *log; // not owned
};

/// Create and start the thread. @return 0; -ENOMEM; -EAGAIN; the loader's errors. On error *out is NULL.
MUST_CHECK int scheduler_create(struct scheduler **out, const struct scheduler_config *config);
/// Cancel everything, end the thread, have the persistent tier save what is left, set *scheduler to NULL. NULL is
/// fine. All tracks and requests must be given back before.
void scheduler_destroy(struct scheduler **scheduler);
/// What is to be ready soon, soonest first: the track that plays, then those after it. Tracks that were
/// planned and are no longer are cancelled; new ones are admitted: their bytes are loaded, their
/// analysis is fetched or made. References are taken. @return 0; -ENOMEM, the plan as before.
MUST_CHECK int scheduler_set_plan(struct scheduler *scheduler, struct track *const *tracks,
                                  uint32_t count);
/// A task to be run on the loop, embedded in its owner's struct. Not to be posted again before it has run.
struct scheduler_task {
    void (*run)(struct scheduler_task *task);
    struct scheduler_task *next;
};
/// Run `task` on the loop soon. Never blocks, never fails.
void scheduler_post(struct scheduler *scheduler, struct scheduler_task *task);
/// Loop (from tasks and callbacks).
struct extractor *scheduler_extractor(struct scheduler *scheduler);
struct analysis_cache *scheduler_cache(struct scheduler *scheduler);
struct loader *scheduler_loader(struct scheduler *scheduler);
struct backend *scheduler_backend(struct scheduler *scheduler);
/// Any thread: the persistent tier, or NULL.
struct library *scheduler_library(struct scheduler *scheduler);
