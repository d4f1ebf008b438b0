// SPDX-License-Identifier: MIT
// How a test sets the grid's order of threads and reads what it found wrong.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GRID_ASCENDING, GRID_DESCENDING }; // the first two orders; every other one is a random seed

/// The order in which threads and blocks run from the next launch on.
void cuda_grid_set_order(uint32_t order);
/// What the last grid that failed did wrong, such as "divergent __syncthreads ..."; "" before that.
const char *cuda_grid_report(void);
/// Threads run since the start.
uint64_t cuda_grid_threads_run(void);

#ifdef __cplusplus
}
#endif
