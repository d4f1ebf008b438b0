// SPDX-License-Identifier: MIT
// Jobs on their way: waiting by priority, running, completed; the only lock of the backend.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mutex.h"
#include "gpu/backend.h"

enum job_state { JOB_OWNED, JOB_WAITING, JOB_RUNNING, JOB_COMPLETED };

/// Thread-safety: Safe: the scheduler puts, moves, cancels and reaps; workers take and complete.
struct job_queue {
    // --- immutable after init
    int event_fd;
    struct mutex lock; // leaf: nothing is locked or called back while held
    // --- protected by lock; a job is in at most one list, linked by its `next`
    struct cond work_ready;        // predicate: waiting || stopping
    struct backend_job *waiting;   // by priority, then in the order of arrival
    struct backend_job *running;   // in no order
    struct backend_job *completed; // in the order of completion
    struct backend_job **completed_end;
    int stopping;
};

/// @return 0, or -errno; then there is nothing to deinit.
MUST_CHECK int job_queue_init(struct job_queue *queue);
/// No other thread may use the queue any more, and nothing may wait or run in it.
void job_queue_deinit(struct job_queue *queue);
/// Put an owned job behind all others of its priority.
void job_queue_put(struct job_queue *queue, struct backend_job *job);
/// Give a waiting job another priority; it goes behind all others of that. Else do nothing.
void job_queue_move(struct job_queue *queue, struct backend_job *job, int priority);
/// Complete a waiting job with -ECANCELED, ask a running one to end.
void job_queue_cancel(struct job_queue *queue, struct backend_job *job);
/// Wait for the next job to run. Blocks. @return NULL once the queue is stopped.
struct backend_job *job_queue_take(struct job_queue *queue);
/// Hand a job that was taken to the scheduler.
void job_queue_complete(struct job_queue *queue, struct backend_job *job);
/// @return the next completed job, its owner's again; or NULL, and then event_fd is not readable
/// before another job completes.
struct backend_job *job_queue_reap(struct job_queue *queue);
/// Complete all that waits with -ECANCELED, ask all that runs to end, let every taker return NULL.
void job_queue_stop(struct job_queue *queue);
/// Forget the completed jobs: they are their owners' again.
void job_queue_release(struct job_queue *queue);
