// SPDX-License-Identifier: MIT
// One event loop for everything that waits: file reads, timeouts, file descriptors, wake-ups.
// On io_uring, or with the same contract on a pool of pread threads, or synchronously.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

/// The loop. Thread-safety: calls marked "loop thread" belong to the thread that runs it; the others
/// are Safe from any thread but the audio thread.
struct loader;

enum loader_backend {
    LOADER_AUTO,  // io_uring if the kernel lets us, else threads
    LOADER_URING, // fails where it is not to be had
    LOADER_THREADS,
    LOADER_SYNCHRONOUS, // reads inside loader_run_once(); for tests and the last resort
};

/// Order in which reads are started; lower values first. Only so many are in flight at once.
enum loader_priority {
    LOADER_PLAYING,
    LOADER_NEXT,
    LOADER_PREFETCH,
    LOADER_SCAN,
    LOADER_PRIORITIES
};

struct loader_config {
    enum loader_backend backend;
    unsigned depth;   // reads in flight; 0: 64
    unsigned threads; // of the pool; 0: 8
};

/// @return 0; -ENOSYS, -EPERM, -ENOMEM: LOADER_URING asked for and not to be had; -ENOMEM, -EMFILE.
/// On error *out is NULL.
MUST_CHECK int loader_create(struct loader **out, const struct loader_config *config);
/// Cancel what is under way, wait for it, destroy, set *loader to NULL. NULL is fine. Loop thread,
/// or any once that thread has ended (been joined). All sources must be closed before.
void loader_destroy(struct loader **loader);
/// "io_uring", "threads", "synchronous".
const char *loader_backend_name(const struct loader *loader);
/// Why AUTO did not take io_uring ("forbidden by the system (EPERM)"), or NULL.
const char *loader_fallback_reason(const struct loader *loader);

/// Wait for something to happen, at most until CLOCK_MONOTONIC reads `deadline_ns` (INT64_MAX: for ever,
/// 0: do not wait), and run the callbacks of all that happened. Loop thread.
/// @return 0, or -errno when the loop itself broke (then only destroy it).
MUST_CHECK int loader_run_once(struct loader *loader, int64_t deadline_ns);
/// Make a waiting loader_run_once() return soon. Any thread; never blocks.
void loader_wake(struct loader *loader);
/// Call `fn(context)` on the loop whenever `fd` (an eventfd, say) becomes readable; fn == NULL stops that.
/// Loop thread. @return 0; -ENOMEM; -ENOENT: was not watched.
MUST_CHECK int loader_watch(struct loader *loader, int fd, void (*fn)(void *context),
                            void *context);
