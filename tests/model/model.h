// SPDX-License-Identifier: MIT
// Runs a few threads in every interleaving, with every stale value that C11's release and acquire allow.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { MODEL_MAX_THREADS = 3, MODEL_MAX_SITES = 32 };

struct model_program {
    void (*set_up)(void); // before each execution
    void (*tear_down)(void);
    void (*threads[MODEL_MAX_THREADS])(void);
    int n_threads;
};

/// A place in the code that makes an atomic access.
struct model_site {
    const char *function;
    int line;
    bool is_ordered; // acquire or release, so that there is something to weaken
};

struct model_result {
    uint64_t executions;
    const char *violation; // the first one found; NULL: none in all executions
    struct model_site sites[MODEL_MAX_SITES];
    int n_sites;
};

enum { MODEL_NO_MUTANT = -1 };

/// Explore all executions of the program, or until the first violation. `mutant` is the number of the
/// site whose order is weakened to relaxed, or MODEL_NO_MUTANT.
void model_explore(const struct model_program *program, int mutant, struct model_result *result);

// --- for the threads

/// The execution is wrong for this reason (a string that stays).
void model_fail(const char *reason);
/// A plain write or read of what `variable` points to: a race unless ordered after those before it.
void model_plain_write(const void *variable);
void model_plain_read(const void *variable);
