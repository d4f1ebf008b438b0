// SPDX-License-Identifier: MIT
// Inputs and guarded outputs for the suites that compare a kernel's variants with its reference.
#pragma once
#include "support/rng.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { KERNEL_LENGTHS = 68, KERNEL_OFFSETS = 8, KERNEL_GUARD = 64 };

/// Samples in -1..1 with zeros, denormals and a few of up to 1024 among them.
static inline void kernel_fill(float *out, size_t count, uint64_t *seed)
{
    for (size_t i = 0; i < count; ++i) {
        const double x = 2 * rng_unit(seed) - 1;
        switch (rng_next(seed) % 16) {
        case 0:
            out[i] = 0.0F;
            break;
        case 1:
            out[i] = (float)(x * 1e-39);
            break;
        case 2:
            out[i] = (float)(x * 1024);
            break;
        default:
            out[i] = (float)x;
        }
    }
}

/// The same without signs, for powers and magnitudes.
static inline void kernel_fill_positive(float *out, size_t count, uint64_t *seed)
{
    kernel_fill(out, count, seed);
    for (size_t i = 0; i < count; ++i)
        out[i] = out[i] < 0 ? -out[i] : out[i];
}

/// Room for an output of up to `bytes` bytes between guards. The output starts `offset` bytes in.
struct kernel_output {
    unsigned char bytes[2 * KERNEL_GUARD + 4096];
};

static inline void *kernel_output_at(struct kernel_output *output, size_t offset)
{
    memset(output->bytes, 0xA5, sizeof output->bytes);
    return output->bytes + KERNEL_GUARD + offset;
}

/// 1 if nothing was written outside `bytes` bytes from `offset` on.
static inline int kernel_output_is_whole(const struct kernel_output *output, size_t offset,
                                         size_t bytes)
{
    for (size_t i = 0; i < sizeof output->bytes; ++i) {
        const int inside = i >= KERNEL_GUARD + offset && i < KERNEL_GUARD + offset + bytes;
        if (!inside && output->bytes[i] != 0xA5)
            return 0;
    }
    return 1;
}
