// SPDX-License-Identifier: MIT
#include "support/loop_thread.h"
#include <assert.h>
#include <stdint.h>

static void *loop_run(void *argument)
{
    struct loop_thread *loop = argument;
    while (!atomic_load(&loop->is_stopping) && !atomic_load(&loop->error))
        atomic_store(&loop->error, loader_run_once(loop->loader, INT64_MAX));
    return NULL;
}

void loop_thread_start(struct loop_thread *loop, struct loader *loader)
{
    loop->loader = loader;
    atomic_init(&loop->is_stopping, 0);
    atomic_init(&loop->error, 0);
    int error = pthread_create(&loop->thread, NULL, loop_run, loop);
    assert(error == 0);
    (void)error; // only asserted
}

int loop_thread_stop(struct loop_thread *loop)
{
    atomic_store(&loop->is_stopping, 1);
    loader_wake(loop->loader);
    pthread_join(loop->thread, NULL);
    return atomic_load(&loop->error);
}

void loop_thread_open(struct loop_thread *loop)
{
    struct loader *loader;
    const int error = loader_create(&loader, &(struct loader_config){0});
    assert(error == 0);
    (void)error; // only asserted
    loop_thread_start(loop, loader);
}

int loop_thread_close(struct loop_thread *loop)
{
    const int error = loop_thread_stop(loop);
    loader_destroy(&loop->loader);
    return error;
}
