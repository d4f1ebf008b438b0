// SPDX-License-Identifier: MIT
// All that Segue sees of CUDA: a table of functions, filled by the module or by a fake.
#pragma once
#include "dsp/annotate.h"
#include "gpu/stft_kernels.h"
#include <stddef.h>
#include <stdint.h>

enum { CUDA_RUNTIME_VERSION = 1 }; // raised with every change of the table

/// The codes that are told apart; every other one is just an error.
enum cuda_code {
    CUDA_SUCCESS_CODE = 0,
    CUDA_OUT_OF_MEMORY = 2,
    CUDA_NOT_READY = 600,
};

/// Each function is the CUDA runtime's or cuFFT's of that name and returns its code. Streams, events
/// and plans are opaque. Thread-safety: Safe, but one thread at a time for a stream and what is on it.
struct cuda_runtime {
    uint32_t version; // CUDA_RUNTIME_VERSION of whoever filled the table
    void *library;    // cuFFT's, for fft_create
    /// Clears the last error and tries the context. @return the error that stays: it is lost then.
    int (*probe)(void);
    int (*stream_create)(void **stream); // non-blocking, of the lowest priority
    int (*stream_destroy)(void *stream);
    int (*stream_query)(void *stream);
    int (*stream_wait_event)(void *stream, void *event);
    int (*event_create)(void **event); // without timing
    int (*event_destroy)(void *event);
    int (*event_record)(void *event, void *stream);
    int (*host_alloc)(void **pinned, size_t bytes);
    int (*host_free)(void *pinned);
    int (*malloc_async)(void **memory, size_t bytes, void *stream);
    int (*free_async)(void *memory, void *stream);
    int (*copy_to_device)(void *device, const void *pinned, size_t bytes, void *stream);
    int (*copy_to_host)(void *pinned, const void *device, size_t bytes, void *stream);
    int (*launch_host)(void *stream, void (*function)(void *context), void *context);
    /// Real to complex, `batch` contiguous rows of `size`, not normalised, on `stream`.
    int (*fft_create)(void **plan, void *library, int size, int batch, void *stream);
    int (*fft_execute)(void *plan, float *real, float *complex_pairs);
    int (*fft_destroy)(void *plan);
    int (*window_frames)(const struct window_frames_args *args, void *stream);
    int (*band_energies)(const struct band_energies_args *args, void *stream);
};

/// What the module exports under the name "segue_cuda_open": fill *out if there is a device.
/// @return NULL, or why CUDA cannot be used, a static string.
typedef const char *(*cuda_open_fn)(struct cuda_runtime *out);
