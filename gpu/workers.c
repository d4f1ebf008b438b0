// SPDX-License-Identifier: MIT
#include "gpu/workers.h"
#include "gpu/cuda_lane.h"
#include "gpu/extraction.h"
#include "gpu/yield.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct worker {
    // --- immutable after start
    struct job_queue *queue;
    struct cuda_device *device; // NULL: this one does without
    unsigned index;
    int nice;
    pthread_t thread;
    float *block;
};

struct workers {
    // --- immutable after create
    struct job_queue *queue; // not owned
    unsigned started;
    unsigned count;
    struct worker worker[];
};

static void step_back(const struct worker *worker)
{
    char name[16];
    snprintf(name, sizeof name, "segue-work-%u", worker->index);
    pthread_setname_np(pthread_self(), name);
    yield_to_others(worker->nice);
}

static void *worker_run(void *context)
{
    struct worker *worker = context;
    step_back(worker);
    struct extraction_tools tools = {.block = worker->block};
    // Without a lane the CPU does it all.
    if (worker->device && cuda_lane_create(&tools.lane, worker->device, CUDA_LANE_BATCH_MAX))
        assert(!tools.lane);
    struct backend_job *job;
    while ((job = job_queue_take(worker->queue))) {
        extraction_run(job, &tools);
        job_queue_complete(worker->queue, job);
    }
    cuda_lane_destroy(&tools.lane);
    return NULL;
}

static int start_one(struct worker *worker)
{
    worker->block = calloc((size_t)EXTRACTION_BLOCK_FRAMES * PCM_MAX_CHANNELS, sizeof(float));
    if (!worker->block)
        return -ENOMEM;
    const int error = -pthread_create(&worker->thread, NULL, worker_run, worker);
    if (error) {
        free(worker->block);
        worker->block = NULL;
    }
    return error;
}

// Signals are for the control thread: workers start with all of them blocked.
static int start_all(struct workers *workers)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = 0;
    while (!error && workers->started < workers->count) {
        error = start_one(&workers->worker[workers->started]);
        workers->started += !error;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

int workers_create(struct workers **out, struct job_queue *queue, struct cuda_device *device,
                   unsigned count, int nice)
{
    assert(count > 0 && nice >= 0 && nice <= YIELD_IDLE);
    *out = NULL;
    struct workers *workers = calloc(1, sizeof *workers + count * sizeof workers->worker[0]);
    if (!workers) {
        job_queue_stop(queue);
        return -ENOMEM;
    }
    workers->queue = queue;
    workers->count = count;
    for (unsigned i = 0; i < count; ++i)
        workers->worker[i] = (struct worker){
            .queue = queue,
            .device = i < CUDA_LANES_MAX ? device : NULL,
            .index = i,
            .nice = nice,
        };
    const int error = start_all(workers);
    if (error)
        workers_destroy(&workers);
    *out = workers;
    return error;
}

void workers_destroy(struct workers **workers)
{
    struct workers *w = *workers;
    *workers = NULL;
    if (!w)
        return;
    job_queue_stop(w->queue);
    for (unsigned i = 0; i < w->started; ++i) {
        pthread_join(w->worker[i].thread, NULL);
        free(w->worker[i].block);
    }
    free(w);
}
