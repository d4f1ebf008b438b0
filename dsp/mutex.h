// SPDX-License-Identifier: MIT
// Mutex and condition variable that clang's thread-safety analysis understands.
#pragma once
#include "dsp/annotate.h"
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

struct CAPABILITY("mutex") mutex {
    pthread_mutex_t m;
};

/// Condition variable on CLOCK_MONOTONIC. Waits are predicate loops: wake-ups may be spurious.
struct cond {
    pthread_cond_t c;
};

/// @return 0, or -errno (-ENOMEM, -EAGAIN).
MUST_CHECK static inline int mutex_init(struct mutex *m)
{
    return -pthread_mutex_init(&m->m, NULL);
}

static inline void mutex_deinit(struct mutex *m)
{
    pthread_mutex_destroy(&m->m);
}

static inline void mutex_lock(struct mutex *m) ACQUIRES(m)
NO_TS_CHECK;
static inline void mutex_lock(struct mutex *m)
{
    pthread_mutex_lock(&m->m);
}

static inline void mutex_unlock(struct mutex *m) RELEASES(m)
NO_TS_CHECK;
static inline void mutex_unlock(struct mutex *m)
{
    pthread_mutex_unlock(&m->m);
}

/// @return 0, or -errno (-ENOMEM, -EAGAIN).
MUST_CHECK static inline int cond_init(struct cond *c)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error)
        return -error;
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (!error)
        error = pthread_cond_init(&c->c, &attributes);
    pthread_condattr_destroy(&attributes);
    return -error;
}

static inline void cond_deinit(struct cond *c)
{
    pthread_cond_destroy(&c->c);
}

static inline void cond_wait(struct cond *c, struct mutex *m) REQUIRES(m)
NO_TS_CHECK;
static inline void cond_wait(struct cond *c, struct mutex *m)
{
    pthread_cond_wait(&c->c, &m->m);
}

/// Wait until signalled or until CLOCK_MONOTONIC reads `deadline_ns`. @return 0 or -ETIMEDOUT.
static inline int cond_wait_until(struct cond *c, struct mutex *m, int64_t deadline_ns) REQUIRES(m)
NO_TS_CHECK;
static inline int cond_wait_until(struct cond *c, struct mutex *m, int64_t deadline_ns)
{
    struct timespec at = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
    return -pthread_cond_timedwait(&c->c, &m->m, &at);
}

static inline void cond_signal(struct cond *c)
{
    pthread_cond_signal(&c->c);
}

static inline void cond_broadcast(struct cond *c)
{
    pthread_cond_broadcast(&c->c);
}
