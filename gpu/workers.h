// SPDX-License-Identifier: MIT
// The CPU threads that run jobs, each with a lane of the device where there is one.
#pragma once
#include "dsp/annotate.h"
#include "gpu/job_queue.h"

struct cuda_device;

/// Thread-safety: create and destroy from one thread.
struct workers;

/// Start `count` threads (> 0) that run the jobs of `queue`, at `nice` (or YIELD_IDLE) below the caller's priority.
/// The first few of them use `device` (not owned, may be NULL).
/// @return 0; -ENOMEM; -EAGAIN: no thread. On error *out is NULL and `queue` is stopped.
MUST_CHECK int workers_create(struct workers **out, struct job_queue *queue,
                              struct cuda_device *device, unsigned count, int nice);
/// Stop `queue`, wait for the threads, set *workers to NULL. NULL is fine.
void workers_destroy(struct workers **workers);
