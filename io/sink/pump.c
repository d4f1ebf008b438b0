// SPDX-License-Identifier: MIT
#include "io/sink/pump.h"
#include "dsp/mutex.h"
#include "io/sink/audio_thread.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

// As many periods as a usual device buffers: later than that, it would have run dry.
enum { PUMP_LATE_PERIODS = 4 };

struct pump {
    // --- immutable after create
    struct pump_config config;
    float *buffer; // the thread's alone while it runs
    // --- control thread only
    pthread_t thread;
    bool has_thread;
    struct mutex lock; // leaf
    // --- protected by lock
    struct cond changed; // predicate: is_stopping, or another number of wakes
    bool is_stopping;
    // --- atomic: `wakes` written by wakers, `is_waiting` by the pump's thread, each read by the other.
    // Sequentially consistent: of "I wait" and "there is more", at least one side sees the other's.
    _Atomic uint32_t wakes;
    _Atomic bool is_waiting;
    // --- atomic: written by the pump's thread (state also by control while there is none), read by any;
    // relaxed, as nothing else is published by them, but state is set after error (release, acquire)
    _Atomic int state;
    _Atomic int error;
    _Atomic int priority;
    _Atomic uint64_t xruns;
};

int pump_create(struct pump **out, const struct pump_config *config)
{
    assert(out && config->pull && config->period_frames > 0);
    *out = NULL;
    struct pump *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->config = *config;
    p->buffer = calloc(config->period_frames, 2 * sizeof(float));
    int error = p->buffer ? mutex_init(&p->lock) : -ENOMEM;
    if (!error) {
        error = cond_init(&p->changed);
        if (error)
            mutex_deinit(&p->lock);
    }
    if (error) {
        free(p->buffer);
        free(p);
        return error;
    }
    atomic_init(&p->state, SINK_STOPPED);
    *out = p;
    return 0;
}

void pump_destroy(struct pump **pump)
{
    struct pump *p = *pump;
    *pump = NULL;
    if (!p)
        return;
    pump_stop(p);
    cond_deinit(&p->changed);
    mutex_deinit(&p->lock);
    free(p->buffer);
    free(p);
}

static bool is_stopping(struct pump *p)
{
    mutex_lock(&p->lock);
    bool stopping = p->is_stopping;
    mutex_unlock(&p->lock);
    return stopping;
}

/// Hand on what was pulled. @return whether to go on.
static bool put(struct pump *p, uint32_t frames)
{
    int error = p->config.put ? p->config.put(p->config.put_context, p->buffer, frames) : 0;
    if (!error)
        return true;
    atomic_store_explicit(&p->error, error, memory_order_relaxed);
    atomic_store_explicit(&p->state, SINK_LOST, memory_order_release);
    return false;
}

/// Wait for a wake later than the one that was `seen`, or the end.
static void wait_for_wake(struct pump *p, uint32_t seen)
{
    mutex_lock(&p->lock);
    atomic_store(&p->is_waiting, true);
    while (!p->is_stopping && atomic_load(&p->wakes) == seen)
        cond_wait(&p->changed, &p->lock);
    atomic_store(&p->is_waiting, false);
    mutex_unlock(&p->lock);
}

static void run_patient(struct pump *p)
{
    while (!is_stopping(p)) {
        // Before the pull: what is announced after it ends the wait at once.
        uint32_t seen = atomic_load(&p->wakes);
        uint32_t frames =
            p->config.pull(p->config.pull_context, p->buffer, p->config.period_frames);
        assert(frames <= p->config.period_frames);
        if (frames == 0)
            wait_for_wake(p, seen);
        else if (!put(p, frames))
            return;
    }
}

/// @return whether the time came, rather than the end.
static bool wait_until(struct pump *p, int64_t due_ns)
{
    mutex_lock(&p->lock);
    while (!p->is_stopping && audio_thread_now_ns() < due_ns)
        cond_wait_until(&p->changed, &p->lock, due_ns);
    bool goes_on = !p->is_stopping;
    mutex_unlock(&p->lock);
    return goes_on;
}

static void run_paced(struct pump *p)
{
    const double period_ns = p->config.period_ns;
    int64_t start_ns = audio_thread_now_ns();
    uint64_t periods = 0;
    int64_t due_ns = start_ns;
    while (wait_until(p, due_ns)) {
        int64_t now_ns = audio_thread_now_ns();
        if ((double)(now_ns - due_ns) > PUMP_LATE_PERIODS * period_ns) {
            atomic_fetch_add_explicit(&p->xruns, 1, memory_order_relaxed);
            start_ns = now_ns;
            periods = 0;
        }
        uint32_t frames =
            p->config.pull(p->config.pull_context, p->buffer, p->config.period_frames);
        if (!put(p, frames))
            return;
        periods++;
        // From the start, not from the last: rounding does not add up.
        due_ns = start_ns + (int64_t)((double)periods * period_ns);
    }
}

static void *pump_run(void *context)
{
    struct pump *p = context;
    if (p->config.period_ns > 0.0) {
        int priority = audio_thread_enter(p->config.name);
        atomic_store_explicit(&p->priority, priority, memory_order_relaxed);
        run_paced(p);
    } else {
        (void)pthread_setname_np(pthread_self(), p->config.name); // a name too long is no harm
        run_patient(p);
    }
    return NULL;
}

int pump_start(struct pump *p)
{
    if (pump_state(p) == SINK_LOST)
        return -EIO;
    if (p->has_thread)
        return -EALREADY;
    atomic_store_explicit(&p->state, SINK_RUNNING, memory_order_relaxed);
    int error = pthread_create(&p->thread, NULL, pump_run, p);
    if (error) {
        atomic_store_explicit(&p->state, SINK_STOPPED, memory_order_relaxed);
        return -error;
    }
    p->has_thread = true;
    return 0;
}

void pump_stop(struct pump *p)
{
    if (!p->has_thread)
        return;
    mutex_lock(&p->lock);
    p->is_stopping = true;
    cond_signal(&p->changed);
    mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    p->has_thread = false;
    p->is_stopping = false;
    if (pump_state(p) == SINK_RUNNING)
        atomic_store_explicit(&p->state, SINK_STOPPED, memory_order_relaxed);
}

void pump_wake(struct pump *p)
{
    atomic_fetch_add(&p->wakes, 1);
    if (!atomic_load(&p->is_waiting))
        return;
    mutex_lock(&p->lock);
    cond_signal(&p->changed);
    mutex_unlock(&p->lock);
}

enum sink_state pump_state(const struct pump *p)
{
    return (enum sink_state)atomic_load_explicit(&p->state, memory_order_acquire);
}

int pump_error(const struct pump *p)
{
    return pump_state(p) == SINK_LOST ? atomic_load_explicit(&p->error, memory_order_relaxed) : 0;
}

uint64_t pump_xruns(const struct pump *p)
{
    return atomic_load_explicit(&p->xruns, memory_order_relaxed);
}

int pump_priority(const struct pump *p)
{
    return atomic_load_explicit(&p->priority, memory_order_relaxed);
}
