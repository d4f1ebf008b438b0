// SPDX-License-Identifier: MIT
// Kernels, right and wrong, by which the grid itself is tested. All return a CUDA code.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// sums[b] = sum of block b's 100 values, by shared memory and barriers.
int sample_reduce(uint32_t *sums, const uint32_t *values, uint32_t blocks);
/// The same without the barriers: what it finds depends on the order of threads.
int sample_reduce_without_barrier(uint32_t *sums, const uint32_t *values, uint32_t blocks);
/// Each of 64 threads gets the sum over its warp, whose odd lanes end before the last shuffle is read.
int sample_warp_sum(uint32_t *sums, const uint32_t *values);
/// votes[w] = lanes of warp w whose value is odd.
int sample_ballot(uint32_t *votes, const uint32_t *values);
/// histogram[v] += 1 for each value v.
int sample_histogram(uint32_t *histogram, const uint32_t *values, uint32_t count);
/// cells[(z * 3 + y) * 5 + x] = own index in a grid of 2x2x1 blocks of 5x3x2, by block.
int sample_indices(uint32_t *cells);
/// Half of the block waits at one barrier, half at another.
int sample_divergent_barrier(void);
/// One warp waits for lanes of its own that wait at a barrier.
int sample_deadlock(void);
/// Half of the block returns before the barrier.
int sample_early_return(uint32_t *reached);
/// Lane 0 calls with a mask that leaves it out.
int sample_wrong_mask(void);
/// out[0] = a shared float that nobody wrote.
int sample_uninitialised(float *out);
/// More threads than a block may have.
int sample_too_many_threads(void);

#ifdef __cplusplus
}
#endif
