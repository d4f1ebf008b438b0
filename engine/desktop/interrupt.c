// SPDX-License-Identifier: MIT
#include "engine/desktop/interrupt.h"
#include "engine/library/library.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct interrupt {
    struct scheduler *scheduler; // not owned
    sigset_t signals;
    int signal_fd, stop_fd;
    pthread_t thread;
    // Set by the thread, read by those who print; ordered by the lock that saving takes.
    atomic_bool has_come;
};

// Those of the two that are not ignored: a blocked signal reaches a signalfd even where it is.
static sigset_t wanted_signals(void)
{
    static const int both[] = {SIGINT, SIGTERM};
    sigset_t signals;
    sigemptyset(&signals);
    for (unsigned i = 0; i < 2; ++i) {
        struct sigaction action;
        if (sigaction(both[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&signals, both[i]);
    }
    return signals;
}

void interrupt_hold(void)
{
    const sigset_t signals = wanted_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

// Die of the signal, so that whoever started the program sees why it ended.
static void let_through(struct interrupt *i, int number)
{
    struct library *library = scheduler_library(i->scheduler);
    atomic_store_explicit(&i->has_come, true, memory_order_relaxed);
    if (library)
        library_flush(library);
    kill(getpid(), number);
    pthread_sigmask(SIG_UNBLOCK, &i->signals, NULL);
}

static void *interrupt_run(void *context)
{
    struct interrupt *i = context;
    pthread_setname_np(pthread_self(), "segue-signals");
    struct pollfd fds[] = {{.fd = i->signal_fd, .events = POLLIN},
                           {.fd = i->stop_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    struct signalfd_siginfo info;
    if ((fds[0].revents & POLLIN) && read(i->signal_fd, &info, sizeof(info)) == sizeof(info))
        let_through(i, (int)info.ssi_signo);
    return NULL;
}

static void close_all(struct interrupt *i)
{
    if (i->signal_fd >= 0)
        close(i->signal_fd);
    if (i->stop_fd >= 0)
        close(i->stop_fd);
    free(i);
}

int interrupt_start(struct interrupt **out, struct scheduler *scheduler)
{
    *out = NULL;
    struct interrupt *i = calloc(1, sizeof(*i));
    if (!i)
        return -ENOMEM;
    i->scheduler = scheduler;
    i->signals = wanted_signals();
    i->signal_fd = signalfd(-1, &i->signals, SFD_NONBLOCK | SFD_CLOEXEC);
    i->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int error = i->signal_fd < 0 || i->stop_fd < 0 ? -errno : 0;
    if (!error)
        error = -pthread_create(&i->thread, NULL, interrupt_run, i);
    if (error)
        close_all(i);
    else
        *out = i;
    return error;
}

bool interrupt_has_come(const struct interrupt *interrupt)
{
    return interrupt && atomic_load_explicit(&interrupt->has_come, memory_order_relaxed);
}

void interrupt_stop(struct interrupt **interrupt)
{
    struct interrupt *i = *interrupt;
    if (!i)
        return;
    (void)eventfd_write(i->stop_fd, 1); // a fresh counter takes it
    pthread_join(i->thread, NULL);
    close_all(i);
    *interrupt = NULL;
}
