// SPDX-License-Identifier: MIT
// A thread that runs a loader until told to stop.
#pragma once
#include "io/bytes/loader.h"
#include <pthread.h>
#include <stdatomic.h>

struct loop_thread {
    struct loader *loader;
    pthread_t thread;
    atomic_int is_stopping; // written by the test, read by the loop
    atomic_int error;       // of loader_run_once(); written by the loop
};

void loop_thread_start(struct loop_thread *loop, struct loader *loader);
/// Stop and join. @return the loop's error, 0 if none.
int loop_thread_stop(struct loop_thread *loop);

/// Start with a new loader of its own. Asserts that it could be made.
void loop_thread_open(struct loop_thread *loop);
/// Stop, join and destroy that loader. @return the loop's error, 0 if none.
int loop_thread_close(struct loop_thread *loop);
