// SPDX-License-Identifier: MIT
// Where tracks are analysed: CPU workers or CUDA streams behind one asynchronous interface.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "dsp/pcm.h"
#include "gpu/yield.h"
#include <stdint.h>

/// Thread-safety: submit, reprioritise, cancel and reap from one thread (the scheduler).
struct backend;

/// Stages of one extraction, thread CPU time but for load, which is time spent waiting for bytes (or
/// for a core). Profile is the analyzer's end, targets are computed and calibrated; decode is of both passes.
struct extraction_timing {
    int64_t load_ns, decode_ns, fingerprint_ns, profile_ns, targets_ns, total_ns;
};

enum { BACKEND_HEAD_S = 10 }; // of audio, after which `on_head` is called
struct analysis_so_far;

/// One track to be analysed and calibrated. Lives from submit until it is reaped; its owner frees it.
struct backend_job {
    // --- set by the owner before submit
    struct pcm_reader reader; // called on the backend's threads only
    /// Whether the file says that it was mastered before; given reader.context, when the reader is closed. May block.
    /// @return 1, 0 or -errno. NULL: never.
    int (*was_mastered)(void *context);
    struct mastering_settings settings;
    const struct analysis *known; // if the analysis is there already: only calibrate; else NULL
    int priority;                 // lower is sooner
    void *owner;
    // Told once what the track's head comes to, on the backend's thread; shorter tracks: never. NULL: nobody asks.
    void (*on_head)(void *owner, const struct analysis_so_far *so_far);
    // --- set by the backend before completion
    int error;                 // 0 or -errno; -EBADMSG: damaged, analysis of its sound part
    struct analysis *analysis; // the owner's after reaping, free(); NULL on error or if known
    struct mastering_targets targets;
    struct extraction_timing timing;
    const char *backend; // "cpu" or "cuda", a static string
    // --- the backend's own
    struct backend_job *next;
    int state;
    _Atomic int cancelled;
};

struct backend_config {
    unsigned workers; // CPU threads; 0: one for each core but one, at least 1
    int nice;         // their priority below playback, 0..19; YIELD_IDLE: only what is left over
    int use_cuda;     // 1: CUDA where it is there; 0: never
};

/// @return 0; -ENOMEM; -EAGAIN: no thread. On error *out is NULL.
MUST_CHECK int backend_create(struct backend **out, const struct backend_config *config);
/// Cancel everything, wait for the workers, set *backend to NULL. NULL is fine. Jobs that were not reaped
/// are the owner's again; their results are freed by the owner as after reaping.
void backend_destroy(struct backend **backend);
/// Queue a job. Never blocks.
void backend_submit(struct backend *backend, struct backend_job *job);
/// Change a job's place in the queue. Nothing happens once it runs.
void backend_set_priority(struct backend *backend, struct backend_job *job, int priority);
/// Ask a job to end soon with -ECANCELED (or with its result, if it was just done). It is reaped as ever.
void backend_cancel(struct backend *backend, struct backend_job *job);
/// Readable when a job has completed: for the scheduler's loop. Owned by the backend.
int backend_event_fd(const struct backend *backend);
/// The next completed job, or NULL. Clears the event when there is none left.
struct backend_job *backend_reap(struct backend *backend);
/// "cpu", "cuda+cpu": what analyses, for logs.
const char *backend_name(const struct backend *backend);
/// Why CUDA is not used ("no driver"), or NULL if it is or was not asked for.
const char *backend_fallback_reason(const struct backend *backend);
