// SPDX-License-Identifier: MIT
// What the suites of the backend share: jobs that analyse a track made for the test.
#pragma once
#include "dsp/analyzer.h"
#include "gpu/backend.h"
#include "support/fake_analysis.h"
#include "support/test_track.h"
#include <errno.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 10000, MANY = 200 };

static inline struct test_track stereo_track(void)
{
    return (struct test_track){.format = {.rate_hz = 44100, .channels = 2}, .frames = FRAMES};
}

static inline struct backend_job job_of(struct test_track *track, int priority)
{
    return (struct backend_job){.reader = test_track_reader(track), .priority = priority};
}

static inline struct backend *create(unsigned workers)
{
    struct backend *backend;
    const struct backend_config config = {.workers = workers, .nice = 1};
    assert_int_equal(backend_create(&backend, &config), 0);
    return backend;
}

static inline int is_event_up(const struct backend *backend, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = backend_event_fd(backend), .events = POLLIN};
    return poll(&poll_fd, 1, timeout_ms) == 1;
}

static inline struct backend_job *next_completed(struct backend *backend)
{
    struct backend_job *job;
    while (!(job = backend_reap(backend)))
        assert_true(is_event_up(backend, 60000));
    return job;
}

static inline void assert_all_given_back(const struct test_track *track)
{
    assert_int_equal(track->opens, track->closes);
    assert_int_equal(fake_analysis_faults()->analyzers_alive, 0);
}
