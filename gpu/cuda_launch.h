// SPDX-License-Identifier: MIT
// The one place where kernel sources meet their compiler: nvcc, or C++ with the tests' emulator.
#pragma once

#ifdef __CUDACC__
#    define CUDA_LAUNCH(kernel, grid, block, stream, ...)                                          \
        (kernel<<<grid, block, 0, (cudaStream_t)(stream)>>>(__VA_ARGS__), (int)cudaGetLastError())
#else
#    include "cuda/grid.h"
#    define CUDA_LAUNCH(kernel, grid, block, stream, ...)                                          \
        cuda_grid::launch(#kernel, kernel, grid, block, stream, __VA_ARGS__)
#endif
