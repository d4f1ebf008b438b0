// SPDX-License-Identifier: MIT
#include "gpu/cuda_launch.h"
#include "gpu/stft_kernels_cuda.h"

enum { WINDOW_THREADS = 256, SAMPLES_A_THREAD = 4, BAND_THREADS = 128, WARP = 32 };

static __device__ void window_sample(const struct window_frames_args *args, uint32_t frame,
                                     uint32_t n)
{
    float left = 0, right = 0;
    if (frame < args->frames) {
        const float *pcm = args->pcm + ((uint64_t)frame * args->hop + n) * args->channels;
        for (uint32_t c = 0; c < args->channels; ++c) {
            const float sample = sample_or_zero(pcm[c]);
            left += args->left[c] * sample;
            right += args->right[c] * sample;
        }
    }
    float *row = args->planes + (uint64_t)2 * frame * args->size + n;
    row[0] = args->window[n] * left;
    row[args->size] = args->window[n] * right;
}

// A thread makes some samples of both sides of a frame; neighbours read and write neighbours. The
// arguments stay in constant memory (__grid_constant__): a copy of them is a 112-byte stack frame.
__global__ void window_frames(const __grid_constant__ struct window_frames_args args)
{
    const uint32_t first = blockIdx.x * WINDOW_THREADS * SAMPLES_A_THREAD + threadIdx.x;
    for (uint32_t i = 0; i < SAMPLES_A_THREAD; ++i) {
        const uint32_t n = first + i * WINDOW_THREADS;
        if (n < args.size)
            window_sample(&args, blockIdx.y, n);
    }
}

static __device__ float power_of(const float *spectrum, uint32_t bin)
{
    const float re = spectrum[2 * bin], im = spectrum[2 * bin + 1];
    return re * re + im * im;
}

static __device__ float sum_of_warp(float value)
{
    for (int distance = WARP / 2; distance > 0; distance /= 2)
        value += __shfl_down_sync(0xffffffffU, value, distance);
    return value;
}

// One block sums one band of one frame. A band's threads stride over its bins, then the sum is a tree:
// its error grows with the logarithm of the band's width.
__global__ void band_energies(const __grid_constant__ struct band_energies_args args)
{
    __shared__ float warp_sums[BAND_THREADS / WARP];
    const uint32_t frame = blockIdx.x;
    const struct band_cells *band = &args.bands[blockIdx.y];
    const float *left = args.spectra + (uint64_t)frame * 4 * args.bins;
    const float *right = left + (uint64_t)2 * args.bins;
    float sum = 0;
    for (uint32_t bin = band->first + threadIdx.x; bin <= band->last; bin += BAND_THREADS)
        sum += share_of_bin(band, bin) * (power_of(left, bin) + power_of(right, bin));
    sum = sum_of_warp(sum);
    if (threadIdx.x % WARP == 0)
        warp_sums[threadIdx.x / WARP] = sum;
    __syncthreads();
    if (threadIdx.x > 0)
        return;
    float total = 0;
    for (int warp = 0; warp < BAND_THREADS / WARP; ++warp)
        total += warp_sums[warp];
    args.energies[frame * BAND_COUNT + blockIdx.y] = total;
}

int window_frames_cuda(const struct window_frames_args *args, void *stream)
{
    const uint32_t samples_a_block = WINDOW_THREADS * SAMPLES_A_THREAD;
    const dim3 grid((args->size + samples_a_block - 1) / samples_a_block, args->batch);
    return CUDA_LAUNCH(window_frames, grid, dim3(WINDOW_THREADS), stream, *args);
}

int band_energies_cuda(const struct band_energies_args *args, void *stream)
{
    const dim3 grid(args->frames, BAND_COUNT);
    return CUDA_LAUNCH(band_energies, grid, dim3(BAND_THREADS), stream, *args);
}
