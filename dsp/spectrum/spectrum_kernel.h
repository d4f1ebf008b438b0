// SPDX-License-Identifier: MIT
// Arithmetic on spectra: windows, powers, shapes, masks. One row at a time, with run-time variants.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    SPECTRUM_CLASSES = 12,
    SPECTRUM_TOGETHER = 4,    // rows that share one reading of the weights of classes
    SPECTRUM_BLOCK = 256,     // bins whose weighted magnitudes are summed apart
    SPECTRUM_HALF = 513,      // bins of a spectrum_half
    SPECTRUM_HALF_ROOM = 528, // whole cache lines
};

/// The transform of 1024 real samples, bins 0 to 512; the other half mirrors it.
struct spectrum_half {
    float re[SPECTRUM_HALF_ROOM], im[SPECTRUM_HALF_ROOM];
};

/// What one pass over the floored powers of a row gives.
struct spectrum_floored {
    double log_sum; // of the natural logarithms
    double sum;
};

/// What the median masks leave of a row.
struct spectrum_masked {
    double harmonic, percussive;
};

/// Variants agree within 1e-6 of the magnitudes that go into a result: each may fuse products and sums, and sums
/// have an order of their own. Inputs are finite, nothing overlaps, no alignment is needed.
struct spectrum_impl {
    const char *name;
    uint32_t cpu_flags; // what it needs
    /// out[2i] = first[i] * window[i], out[2i + 1] = second[i] * window[i].
    void (*weigh_pair)(float *out, const float *first, const float *second, const float *window,
                       uint32_t count);
    /// From the transform z of left + i right, `size` points and the first one again, the powers
    /// |L|² + |R|² of bins 0 .. size / 2. @return their sum.
    double (*stereo_power)(float *power, const float *z, uint32_t size);
    /// The same from the squared magnitudes of z, size + 1 of them.
    double (*fold_squares)(float *power, const float *squares, uint32_t size);
    /// Powers not over `floor` become 0; all are added to `energy`.
    void (*settle)(float *power, float *energy, float floor, uint32_t count);
    /// From the transform z of first + i second, as above, the powers of both.
    void (*pair_power)(float *first, float *second, const float *z, uint32_t size);
    /// From the transform z of first + i second, as above, 1024 points, the transforms of both.
    void (*split_pair)(struct spectrum_half *first, struct spectrum_half *second, const float *z);
    /// out = |block|² + (-1)^k conj(block) next: the transform of the products of a block of 512 samples
    /// with itself and with the block after it, from those of both blocks, each with zeros behind it.
    void (*follow)(struct spectrum_half *out, const struct spectrum_half *block,
                   const struct spectrum_half *next);
    /// The transform of x + i y, 1024 points, its real and imaginary parts exchanged so that another
    /// transform forth is one back (1024 times y + i x), for x = *parts[0] + *parts[1] and y = *parts[1] + *parts[2].
    void (*join_pairs)(float *z, const struct spectrum_half *const parts[3]);
    /// @return the sum of the values, which are not negative.
    double (*sum)(const float *values, uint32_t count);
    /// @return the sum of the squares.
    double (*square_sum)(const float *samples, uint32_t count);
    /// blocks[b] = sum of weights times the roots of powers over bins from SPECTRUM_BLOCK b up to the next block.
    /// The last block may be a part. @return the sum over all bins of moments times the roots.
    double (*weigh_blocks)(double *blocks, const float *weights, const float *moments,
                           const float *powers, uint32_t count);
    /// Sums of max(values[i] * scale, floor) and of its logarithm; it lies within 1e-4 and 4096.
    struct spectrum_floored (*floored)(const float *values, uint32_t count, float scale,
                                       float floor);
    /// out[r][c] = sum of weights[c][i] times values[r][i], of all rows; rows do not depend on each other.
    void (*classes)(double out[SPECTRUM_TOGETHER][SPECTRUM_CLASSES], const float *weights,
                    uint32_t stride, const float *const values[SPECTRUM_TOGETHER], uint32_t count);
    /// Energies under the masks a/(a+b) and its complement, squared; ½ where a and b are 0. All are powers.
    struct spectrum_masked (*masked)(const float *power, const float *a, const float *b,
                                     uint32_t count);
};

/// Best first; the last is the reference and needs nothing.
extern const struct spectrum_impl *const spectrum_impls[];
extern const size_t spectrum_impl_count;
/// The best variant for these cpu_flags().
const struct spectrum_impl *spectrum_select(uint32_t cpu_flags);
