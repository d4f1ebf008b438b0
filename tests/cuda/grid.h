// SPDX-License-Identifier: MIT
// What a kernel source sees of CUDA when it is compiled as C++: a grid that runs on the CPU, block after
// block, a fiber for each thread. Not modelled: weak memory, concurrent blocks, a device's rounding of
// transcendental functions.
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>

struct uint3 {
    uint32_t x, y, z;
};

struct dim3 : uint3 {
    dim3(uint32_t x_ = 1, uint32_t y_ = 1, uint32_t z_ = 1) : uint3{x_, y_, z_}
    {
    }
};

#define __global__ static
#define __device__
#define __host__
#define __grid_constant__
// One block runs at a time, so that a block's shared memory can be the process's. Where no sanitizer
// keeps variables out of named sections, the grid fills it with NaN before each block.
#ifdef CUDA_GRID_SANITIZED
#    define __shared__ static
#else
#    define __shared__ static __attribute__((section("cuda_shared")))
#endif

namespace cuda_grid
{

/// Where the running thread stands. Written by the grid at each switch.
struct position {
    uint3 thread, block;
    dim3 block_size, grid_size;
};
extern position here;

struct launch_request {
    const char *kernel;
    dim3 grid, block;
    std::function<void()> body; // the kernel with its arguments, run by each thread
};

/// Run a grid to its end. @return 0; 9: more threads than a block may have; 719: report() says why.
int run(const launch_request &request);
/// Takes the place of run() for launches: a stream's queue. Empty: launches run at once.
using submit_fn = int (*)(void *stream, const launch_request &request);
void set_submit(submit_fn submit);
int submit(void *stream, const launch_request &request);

/// What lanes of a warp do together. Each waits until all live lanes of `mask` are there.
enum class warp_action { sync, shuffle, ballot };
/// @return for a shuffle the value of lane `source`, for a ballot the lanes whose value is not 0.
uint64_t meet_in_warp(warp_action action, uint32_t mask, uint64_t value, uint32_t source, int line);
void meet_in_block(int line);
uint32_t lane();
/// Let others run between two atomic operations.
void pause();

template <typename... Parameters, typename... Arguments>
int launch(const char *name, void (*kernel)(Parameters...), dim3 grid, dim3 block, void *stream,
           const Arguments &...arguments)
{
    // Arguments are evaluated and converted once, at the launch.
    std::tuple<Parameters...> values(arguments...);
    return submit(stream, {name, grid, block, [kernel, values] { std::apply(kernel, values); }});
}

template <typename T> T shuffle(uint32_t mask, T value, uint32_t source, int line)
{
    static_assert(sizeof(T) <= sizeof(uint64_t), "a shuffle moves up to 8 bytes");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = meet_in_warp(warp_action::shuffle, mask, bits, source, line);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace cuda_grid

#define threadIdx (cuda_grid::here.thread)
#define blockIdx  (cuda_grid::here.block)
#define blockDim  (cuda_grid::here.block_size)
#define gridDim   (cuda_grid::here.grid_size)

// The default argument is the line of the call, for reports.
inline void __syncthreads(int line = __builtin_LINE())
{
    cuda_grid::meet_in_block(line);
}

inline void __syncwarp(uint32_t mask = 0xffffffffU, int line = __builtin_LINE())
{
    cuda_grid::meet_in_warp(cuda_grid::warp_action::sync, mask, 0, 0, line);
}

inline uint32_t __ballot_sync(uint32_t mask, int predicate, int line = __builtin_LINE())
{
    return (uint32_t)cuda_grid::meet_in_warp(cuda_grid::warp_action::ballot, mask, predicate != 0,
                                             0, line);
}

template <typename T> T __shfl_sync(uint32_t mask, T value, int source, int line = __builtin_LINE())
{
    return cuda_grid::shuffle(mask, value, (uint32_t)source % 32, line);
}

// Beyond the warp's end a lane gets its own value.
template <typename T>
T __shfl_down_sync(uint32_t mask, T value, uint32_t distance, int line = __builtin_LINE())
{
    const uint32_t source = cuda_grid::lane() + distance;
    return cuda_grid::shuffle(mask, value, source < 32 ? source : cuda_grid::lane(), line);
}

template <typename T>
T __shfl_xor_sync(uint32_t mask, T value, uint32_t bits, int line = __builtin_LINE())
{
    return cuda_grid::shuffle(mask, value, (cuda_grid::lane() ^ bits) % 32, line);
}

inline uint32_t atomicAdd(uint32_t *at, uint32_t value)
{
    cuda_grid::pause();
    return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}

inline float atomicAdd(float *at, float value)
{
    cuda_grid::pause();
    float before, after;
    __atomic_load(at, &before, __ATOMIC_RELAXED);
    do
        after = before + value;
    while (
        !__atomic_compare_exchange(at, &before, &after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return before;
}
