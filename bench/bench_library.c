// SPDX-License-Identifier: MIT
// Makes a library of many tracks, to try "segue cache" and the rest of the program on.
#include "bench.h"
#include "sample_library.h"
#include <stdio.h>

enum { TRACKS = 1000000, MOST_TRACKS = 100000000, BATCH = 10000 };

static int make(const char *path, uint64_t tracks)
{
    struct sample_library library;
    struct store *store = NULL;
    const int lock = store_lock_try(path);
    if (lock < 0)
        return lock;
    int error = sample_library_init(&library);
    if (!error)
        error = store_open_writer(&store, path);
    if (!error)
        error = sample_library_fill(&library, store, 0, tracks, BATCH, STORE_CONSISTENT);
    if (!error)
        store_checkpoint(store, STORE_CHECKPOINT_NOW);
    store_close(&store);
    store_lock_release(lock);
    sample_library_deinit(&library);
    return error;
}

int bench_library(int argc, char **argv)
{
    const unsigned long tracks = argc == 3 ? bench_number(argv[2], MOST_TRACKS) : TRACKS;
    if (argc < 2 || argc > 3 || !tracks) {
        fprintf(stderr, "usage: segue-bench library DATABASE [TRACKS]\n");
        return 2;
    }
    const int64_t begun_ns = bench_wall_ns();
    const int error = make(argv[1], tracks);
    if (error)
        fprintf(stderr, "segue-bench: %s: %s\n", argv[1], store_error_text(error));
    else
        printf("library tracks=%lu per_s=%.0f\n", tracks,
               (double)tracks * 1e9 / (double)(bench_wall_ns() - begun_ns));
    return error != 0;
}
