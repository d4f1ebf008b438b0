// SPDX-License-Identifier: MIT
#include "gpu/backend.h"
#include "gpu/backend_setup.h"
#include "gpu/cuda_device.h"
#include "gpu/job_queue.h"
#include "gpu/workers.h"
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

struct backend {
    // --- immutable after create
    struct cuda_device *device;  // NULL without CUDA
    const char *fallback_reason; // why so; NULL if it was not asked for
    struct workers *workers;
    // --- has its own lock
    struct job_queue queue;
};

// One core is left to playback.
static unsigned default_workers(void)
{
    cpu_set_t cores;
    const int known = !sched_getaffinity(0, sizeof cores, &cores);
    const int count = known ? CPU_COUNT(&cores) : 1;
    return count > 1 ? (unsigned)count - 1 : 1;
}

static int start(struct backend *backend, const struct backend_config *config)
{
    const int error = job_queue_init(&backend->queue);
    if (error)
        return error;
    const unsigned count = config->workers ? config->workers : default_workers();
    const int failed =
        workers_create(&backend->workers, &backend->queue, backend->device, count, config->nice);
    if (failed)
        job_queue_deinit(&backend->queue);
    return failed;
}

int backend_create_on(struct backend **out, const struct backend_config *config,
                      struct cuda_device **device)
{
    *out = NULL;
    struct backend *backend = calloc(1, sizeof *backend);
    int error = backend ? 0 : -ENOMEM;
    if (backend) {
        backend->device = *device;
        *device = NULL;
        error = start(backend, config);
    }
    if (!error) {
        *out = backend;
        return 0;
    }
    cuda_device_destroy(backend ? &backend->device : device);
    free(backend);
    return error;
}

int backend_create(struct backend **out, const struct backend_config *config)
{
    struct cuda_device *device = NULL;
    const char *reason = config->use_cuda ? cuda_device_open(&device) : NULL;
    const int error = backend_create_on(out, config, &device);
    if (!error)
        (*out)->fallback_reason = reason;
    return error;
}

void backend_destroy(struct backend **backend)
{
    struct backend *b = *backend;
    *backend = NULL;
    if (!b)
        return;
    workers_destroy(&b->workers);
    job_queue_release(&b->queue);
    job_queue_deinit(&b->queue);
    cuda_device_destroy(&b->device);
    free(b);
}

void backend_submit(struct backend *backend, struct backend_job *job)
{
    assert(job->reader.open && job->reader.read && job->reader.close);
    job->error = 0;
    job->analysis = NULL;
    job->targets = (struct mastering_targets){0};
    job->timing = (struct extraction_timing){0};
    job->backend = "cpu";
    atomic_init(&job->cancelled, 0);
    job_queue_put(&backend->queue, job);
}

void backend_set_priority(struct backend *backend, struct backend_job *job, int priority)
{
    job_queue_move(&backend->queue, job, priority);
}

void backend_cancel(struct backend *backend, struct backend_job *job)
{
    job_queue_cancel(&backend->queue, job);
}

int backend_event_fd(const struct backend *backend)
{
    return backend->queue.event_fd;
}

struct backend_job *backend_reap(struct backend *backend)
{
    return job_queue_reap(&backend->queue);
}

const char *backend_name(const struct backend *backend)
{
    return backend->device && !cuda_device_is_lost(backend->device) ? "cuda+cpu" : "cpu";
}

const char *backend_fallback_reason(const struct backend *backend)
{
    if (backend->device && cuda_device_is_lost(backend->device))
        return "CUDA device lost";
    return backend->fallback_reason;
}
