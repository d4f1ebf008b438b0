// SPDX-License-Identifier: MIT
#include "bench.h"
#include "io/store/store.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv); // argv[0] is the name
    const char *usage;
} COMMANDS[] = {
    {"analysis", bench_analysis, "[--rounds N] [--no-peers] [--markdown] [FILE]"},
    {"cache", bench_cache, "[--instructions N]"},
    {"cold-warm", bench_cold_warm, "FILE"},
    {"fast-start", bench_fast_start, "FILE..."},
    {"inputs", bench_inputs, "FILE"},
    {"library", bench_library, "DATABASE [TRACKS]"},
    {"mastering", bench_mastering,
     "[--seconds N] [--rate HZ] [--mono] [--no-peers] [--no-torture] FILE..."},
    {"memory", bench_memory, "[HOURS]"},
    {"ring", bench_ring, ""},
    {"store", bench_store, "[ROWS]"},
};

int main(int argc, char **argv)
{
    const size_t count = sizeof(COMMANDS) / sizeof(COMMANDS[0]);
    store_set_up_process(); // as the program does
    for (size_t i = 0; argc > 1 && i < count; ++i)
        if (strcmp(argv[1], COMMANDS[i].name) == 0)
            return COMMANDS[i].run(argc - 1, argv + 1);
    for (size_t i = 0; i < count; ++i)
        fprintf(stderr, "usage: segue-bench %s %s\n", COMMANDS[i].name, COMMANDS[i].usage);
    return 2;
}
