// SPDX-License-Identifier: MIT
#include "gpu/job_queue.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

int job_queue_init(struct job_queue *queue)
{
    *queue = (struct job_queue){.completed_end = &queue->completed};
    int error = mutex_init(&queue->lock);
    if (error)
        return error;
    error = cond_init(&queue->work_ready);
    if (!error) {
        queue->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (queue->event_fd >= 0)
            return 0;
        error = -errno;
        cond_deinit(&queue->work_ready);
    }
    mutex_deinit(&queue->lock);
    return error;
}

void job_queue_deinit(struct job_queue *queue)
{
    assert(!queue->waiting && !queue->running);
    close(queue->event_fd);
    cond_deinit(&queue->work_ready);
    mutex_deinit(&queue->lock);
}

// The counter cannot overflow, so a write to a non-blocking eventfd has no way to fail.
static void raise_event(const struct job_queue *queue)
{
    eventfd_write(queue->event_fd, 1);
}

// Fails with EAGAIN where no event was raised, which is as good as cleared.
static void clear_event(const struct job_queue *queue)
{
    eventfd_t count;
    (void)eventfd_read(queue->event_fd, &count);
}

static void insert_locked(struct job_queue *queue, struct backend_job *job) REQUIRES(queue->lock);
static void insert_locked(struct job_queue *queue, struct backend_job *job)
{
    struct backend_job **at = &queue->waiting;
    while (*at && (*at)->priority <= job->priority)
        at = &(*at)->next;
    job->next = *at;
    *at = job;
}

static void unlink_job(struct backend_job **list, const struct backend_job *job)
{
    while (*list != job) {
        assert(*list);
        list = &(*list)->next;
    }
    *list = job->next;
}

static void append_completed_locked(struct job_queue *queue, struct backend_job *job)
    REQUIRES(queue->lock);
static void append_completed_locked(struct job_queue *queue, struct backend_job *job)
{
    job->state = JOB_COMPLETED;
    job->next = NULL;
    *queue->completed_end = job;
    queue->completed_end = &job->next;
}

void job_queue_put(struct job_queue *queue, struct backend_job *job)
{
    mutex_lock(&queue->lock);
    assert(!queue->stopping);
    job->state = JOB_WAITING;
    insert_locked(queue, job);
    mutex_unlock(&queue->lock);
    cond_signal(&queue->work_ready);
}

void job_queue_move(struct job_queue *queue, struct backend_job *job, int priority)
{
    mutex_lock(&queue->lock);
    if (job->state == JOB_WAITING && job->priority != priority) {
        unlink_job(&queue->waiting, job);
        job->priority = priority;
        insert_locked(queue, job);
    }
    mutex_unlock(&queue->lock);
}

void job_queue_cancel(struct job_queue *queue, struct backend_job *job)
{
    mutex_lock(&queue->lock);
    const int waited = job->state == JOB_WAITING;
    if (waited) {
        unlink_job(&queue->waiting, job);
        job->error = -ECANCELED;
        append_completed_locked(queue, job);
    } else if (job->state == JOB_RUNNING) {
        // Relaxed: the flag publishes nothing; its worker looks at it again and again.
        atomic_store_explicit(&job->cancelled, 1, memory_order_relaxed);
    }
    mutex_unlock(&queue->lock);
    if (waited)
        raise_event(queue);
}

struct backend_job *job_queue_take(struct job_queue *queue)
{
    mutex_lock(&queue->lock);
    while (!queue->waiting && !queue->stopping)
        cond_wait(&queue->work_ready, &queue->lock);
    struct backend_job *job = queue->waiting;
    if (job) {
        queue->waiting = job->next;
        job->state = JOB_RUNNING;
        job->next = queue->running;
        queue->running = job;
    }
    mutex_unlock(&queue->lock);
    return job;
}

void job_queue_complete(struct job_queue *queue, struct backend_job *job)
{
    mutex_lock(&queue->lock);
    assert(job->state == JOB_RUNNING);
    unlink_job(&queue->running, job);
    append_completed_locked(queue, job);
    mutex_unlock(&queue->lock);
    raise_event(queue);
}

static struct backend_job *pop_completed(struct job_queue *queue)
{
    mutex_lock(&queue->lock);
    struct backend_job *job = queue->completed;
    if (job) {
        queue->completed = job->next;
        if (!queue->completed)
            queue->completed_end = &queue->completed;
        job->next = NULL;
        job->state = JOB_OWNED;
    }
    mutex_unlock(&queue->lock);
    return job;
}

struct backend_job *job_queue_reap(struct job_queue *queue)
{
    struct backend_job *job = pop_completed(queue);
    if (job)
        return job;
    // A job may complete between the look and the clearing, and its event be lost: hence a second
    // look after it. What follows that job may have lost its event too, so it is raised again.
    clear_event(queue);
    job = pop_completed(queue);
    if (job)
        raise_event(queue);
    return job;
}

void job_queue_stop(struct job_queue *queue)
{
    mutex_lock(&queue->lock);
    queue->stopping = 1;
    while (queue->waiting) {
        struct backend_job *job = queue->waiting;
        queue->waiting = job->next;
        job->error = -ECANCELED;
        append_completed_locked(queue, job);
    }
    for (struct backend_job *job = queue->running; job; job = job->next)
        atomic_store_explicit(&job->cancelled, 1, memory_order_relaxed);
    mutex_unlock(&queue->lock);
    cond_broadcast(&queue->work_ready);
}

void job_queue_release(struct job_queue *queue)
{
    while (pop_completed(queue))
        ;
}
