// SPDX-License-Identifier: MIT
#include "io/sink/audio_thread.h"
#include <pthread.h>
#include <sched.h>
#include <time.h>

// Above ordinary work, below the sound servers' own threads (PipeWire 83 and 88, JACK 70 and more).
enum { AUDIO_THREAD_PRIORITY = 40 };

/// @return the calling thread's realtime priority; 0: none.
static int realtime_priority(void)
{
    int policy;
    struct sched_param got;
    if (pthread_getschedparam(pthread_self(), &policy, &got))
        return 0;
    policy &= ~SCHED_RESET_ON_FORK;
    return policy == SCHED_FIFO || policy == SCHED_RR ? got.sched_priority : 0;
}

int audio_thread_enter(const char *name)
{
    // Both may be refused, and playback works without: what counts is what the kernel says afterwards.
    (void)pthread_setname_np(pthread_self(), name);
    int priority = realtime_priority();
    if (priority > 0)
        return priority; // the host's choice, which fits its own threads
    struct sched_param wanted = {.sched_priority = AUDIO_THREAD_PRIORITY};
    (void)pthread_setschedparam(pthread_self(), SCHED_FIFO | SCHED_RESET_ON_FORK, &wanted);
    return realtime_priority();
}

int64_t audio_thread_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
