// SPDX-License-Identifier: MIT
// A loader back end on files that do not exist and a clock that does not run: seeded latency, order
// and faults, the same for the same seed.
#pragma once
#include "io/bytes/loader_ops.h"
#include <stdatomic.h>
#include <stdint.h>

struct sim_fault {
    uint64_t from_byte, to_byte; // reads that touch these
    int error;                   // -errno, 0: none
};

struct sim_file {
    const char *path;
    const unsigned char *data;
    size_t bytes;
    unsigned mode; // S_IFREG ...; 0: regular
    struct sim_fault fault;
    atomic_size_t cut_to_bytes; // not 0: the file now ends there
    atomic_int is_held;         // reads stall until the test clears it and wakes the loader
};

struct sim_loader {
    uint64_t seed;
    struct sim_file *files;
    size_t n_files;
    unsigned passing_error_percent; // of operations: EINTR and EAGAIN, in turns
    unsigned short_read_percent;
    int64_t max_latency_ns;
    // --- what happened; written by the loop
    atomic_uint n_reads, n_open, max_in_flight;
    atomic_llong clock_ns;
    _Atomic size_t max_read_bytes;
    int order[4096]; // file index of each read in the order of their starts
};

/// Its table.
extern const struct loader_ops sim_loader_ops;
/// What loader_create_with(…, &sim_loader_ops, …) will use. Test's main thread only.
void sim_loader_use(struct sim_loader *sim);
