// SPDX-License-Identifier: MIT
#include "cuda/sample_kernels.h"
#include "cuda/grid.h"

using cuda_grid::launch;

enum { REDUCED = 100 };

__global__ void reduce(uint32_t *sums, const uint32_t *values)
{
    __shared__ uint32_t part[REDUCED];
    part[threadIdx.x] = values[blockIdx.x * REDUCED + threadIdx.x];
    for (uint32_t left = REDUCED; left > 1;) {
        __syncthreads();
        const uint32_t half = (left + 1) / 2;
        if (threadIdx.x + half < left)
            part[threadIdx.x] += part[threadIdx.x + half];
        left = half;
    }
    if (threadIdx.x == 0)
        sums[blockIdx.x] = part[0];
}

__global__ void reduce_without_barrier(uint32_t *sums, const uint32_t *values)
{
    __shared__ uint32_t part[REDUCED];
    part[threadIdx.x] = values[blockIdx.x * REDUCED + threadIdx.x];
    if (threadIdx.x > 0)
        return;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < REDUCED; ++i)
        sum += part[i];
    sums[blockIdx.x] = sum;
}

__global__ void warp_sum(uint32_t *sums, const uint32_t *values)
{
    uint32_t sum = values[threadIdx.x];
    for (uint32_t bits = 16; bits > 1; bits /= 2)
        sum += __shfl_xor_sync(0xffffffffU, sum, bits);
    const uint32_t other = __shfl_xor_sync(0xffffffffU, sum, 1U);
    sums[threadIdx.x] = sum + other;
    if (threadIdx.x % 2)
        return;
    __syncwarp(0x55555555U);
    sums[threadIdx.x] = __shfl_sync(0x55555555U, sums[threadIdx.x], 0);
}

__global__ void ballot(uint32_t *votes, const uint32_t *values)
{
    const uint32_t vote = __ballot_sync(0xffffffffU, (int)(values[threadIdx.x] & 1));
    if (threadIdx.x % 32 == 0)
        votes[threadIdx.x / 32] = vote;
}

__global__ void count_values(uint32_t *histogram, const uint32_t *values, uint32_t count)
{
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count)
        atomicAdd(&histogram[values[i]], 1U);
}

__global__ void indices(uint32_t *cells)
{
    const uint32_t block = blockIdx.y * gridDim.x + blockIdx.x;
    const uint32_t at = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    cells[block * 30 + at] = block * 30 + at;
}

__global__ void divergent_barrier(int)
{
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

__global__ void deadlock(int)
{
    if (threadIdx.x % 2)
        __syncwarp();
    else
        __syncthreads();
}

__global__ void early_return(uint32_t *reached)
{
    if (threadIdx.x < 32)
        return;
    __syncthreads();
    atomicAdd(reached, 1U);
}

__global__ void wrong_mask(int)
{
    __syncwarp(0xfffffffeU);
}

__global__ void uninitialised(float *out)
{
    __shared__ float nobody_wrote[2];
    out[0] = nobody_wrote[threadIdx.x];
}

int sample_reduce(uint32_t *sums, const uint32_t *values, uint32_t blocks)
{
    return launch("reduce", reduce, blocks, REDUCED, nullptr, sums, values);
}

int sample_reduce_without_barrier(uint32_t *sums, const uint32_t *values, uint32_t blocks)
{
    return launch("reduce", reduce_without_barrier, blocks, REDUCED, nullptr, sums, values);
}

int sample_warp_sum(uint32_t *sums, const uint32_t *values)
{
    return launch("warp_sum", warp_sum, 1, 64, nullptr, sums, values);
}

int sample_ballot(uint32_t *votes, const uint32_t *values)
{
    return launch("ballot", ballot, 1, 64, nullptr, votes, values);
}

int sample_histogram(uint32_t *histogram, const uint32_t *values, uint32_t count)
{
    return launch("histogram", count_values, (count + 63) / 64, 64, nullptr, histogram, values,
                  count);
}

int sample_indices(uint32_t *cells)
{
    return launch("indices", indices, dim3(2, 2), dim3(5, 3, 2), nullptr, cells);
}

int sample_divergent_barrier(void)
{
    return launch("divergent", divergent_barrier, 1, 64, nullptr, 0);
}

int sample_deadlock(void)
{
    return launch("deadlock", deadlock, 1, 64, nullptr, 0);
}

int sample_early_return(uint32_t *reached)
{
    return launch("early_return", early_return, 1, 64, nullptr, reached);
}

int sample_wrong_mask(void)
{
    return launch("wrong_mask", wrong_mask, 1, 32, nullptr, 0);
}

int sample_uninitialised(float *out)
{
    return launch("uninitialised", uninitialised, 1, 1, nullptr, out);
}

int sample_too_many_threads(void)
{
    return launch("too_many", wrong_mask, 1, dim3(32, 33), nullptr, 0);
}
