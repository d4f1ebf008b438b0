// SPDX-License-Identifier: MIT
// Launches of the STFT kernels: each queues one kernel on a stream. All pointers are the device's.
#pragma once
#include "gpu/stft_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/// @return a CUDA code. Bit for bit window_frames_c().
int window_frames_cuda(const struct window_frames_args *args, void *stream);
/// @return a CUDA code. Within 1e-6 of band_energies_c(), relative.
int band_energies_cuda(const struct band_energies_args *args, void *stream);

#ifdef __cplusplus
}
#endif
