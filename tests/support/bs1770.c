// SPDX-License-Identifier: MIT
#include "support/bs1770.h"
#include "support/near.h"
#include <complex.h>

enum { MOMENTARY = 40, SHORT_TERM = 300, STEP = 10 }; // in slices of 10 ms

// Less than this is nothing: as denormal numbers a tail in silence would take a hundred times as long.
static const double DIED_AWAY = 1e-200;

struct section {
    double b[3], a[2]; // a[0] and a[1] stand for z^-1 and z^-2
};

// From the analogue prototype behind the standard's table at 48 kHz, by the bilinear transform.
static void design(struct section sections[2], double rate_hz)
{
    const double high = pow(10, 3.999843853973347 / 20), middle = pow(high, 0.4996667741545416);
    double k = tan(M_PI * 1681.974450955533 / rate_hz), q = 0.7071752369554196;
    double a0 = 1 + k / q + k * k;
    sections[0] = (struct section){
        {(high + middle * k / q + k * k) / a0, 2 * (k * k - high) / a0,
         (high - middle * k / q + k * k) / a0},
        {2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0},
    };
    k = tan(M_PI * 38.13547087602444 / rate_hz);
    q = 0.5003270373238773;
    a0 = 1 + k / q + k * k;
    sections[1] = (struct section){
        {1, -2, 1},
        {2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0},
    };
}

double bs1770_gain(uint32_t rate_hz, double hz)
{
    struct section sections[2];
    design(sections, rate_hz);
    double gain = 1;
    for (int s = 0; s < 2; ++s) {
        const double complex z = cexp(-2 * M_PI * I * hz / rate_hz);
        gain *= cabs((sections[s].b[0] + z * (sections[s].b[1] + z * sections[s].b[2])) /
                     (1 + z * (sections[s].a[0] + z * sections[s].a[1])));
    }
    return gain;
}

static size_t slice_start(size_t slice, uint32_t rate_hz)
{
    return (size_t)floor((double)slice * rate_hz / 100.0 + 0.5);
}

// Direct form I, as the standard draws it; what the next sample waits for comes last.
static double filter(const struct section *s, double in, double x[2], double y[2])
{
    const double out =
        s->b[0] * in + s->b[1] * x[0] + s->b[2] * x[1] - s->a[1] * y[1] - s->a[0] * y[0];
    x[1] = x[0];
    x[0] = in;
    y[1] = y[0];
    y[0] = fabs(out) < DIED_AWAY ? 0.0 : out;
    return y[0];
}

// Adds each slice's weighted energy.
static void add_channel(double *slices, size_t slice_count, const float *samples, uint32_t rate_hz,
                        uint32_t channels, double weight)
{
    struct section sections[2];
    design(sections, rate_hz);
    double x[2] = {0}, y[2] = {0}, u[2] = {0}, v[2] = {0};
    for (size_t slice = 0; slice < slice_count; ++slice) {
        const size_t end = slice_start(slice + 1, rate_hz);
        double energy = 0;
        for (size_t i = slice_start(slice, rate_hz); i < end; ++i) {
            const double shelved = filter(&sections[0], (double)samples[i * channels], x, y);
            const double out = filter(&sections[1], shelved, u, v);
            energy += out * out;
        }
        slices[slice] += weight * energy;
    }
}

static double lufs(double power)
{
    return -0.691 + 10 * log10(power);
}

static double power_of(const double *slices, size_t first, size_t count, uint32_t rate_hz)
{
    double sum = 0;
    for (size_t i = first; i < first + count; ++i)
        sum += slices[i];
    return sum / (double)(slice_start(first + count, rate_hz) - slice_start(first, rate_hz));
}

// Powers of the windows of `size` slices every 100 ms that pass -70 LUFS and `below` times the mean
// of those that do. @return how many.
static size_t gate(double *powers, const double *slices, size_t slice_count, size_t size,
                   uint32_t rate_hz, double below)
{
    double threshold = pow(10, (-70 + 0.691) / 10);
    size_t count = 0;
    for (int pass = 0; pass < 2; ++pass) {
        double sum = 0;
        count = 0;
        for (size_t i = 0; i + size <= slice_count; i += STEP) {
            const double power = power_of(slices, i, size, rate_hz);
            if (power > threshold) {
                powers[count++] = power;
                sum += power;
            }
        }
        if (count)
            threshold = fmax(threshold, below * sum / (double)count);
    }
    return count;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void find_extremes(double *low, double *high, const double *slices, size_t slice_count,
                          size_t size, size_t settled, uint32_t rate_hz)
{
    *low = *high = (double)NAN;
    for (size_t i = 0; i + size <= slice_count; ++i) {
        const double power = lufs(power_of(slices, i, size, rate_hz));
        *high = fmax(*high, power); // of NaN and a number, the number
        if (i + size >= settled)
            *low = fmin(*low, power);
    }
}

void bs1770_measure(struct bs1770 *out, const float *interleaved, size_t frames, uint32_t rate_hz,
                    uint32_t channels, const double *weights)
{
    size_t slice_count = 0;
    while (slice_start(slice_count + 1, rate_hz) <= frames)
        ++slice_count;
    double *slices = calloc(slice_count + 1, sizeof *slices);
    double *powers = calloc(slice_count + 1, sizeof *powers);
    assert_true(slices && powers);
    for (uint32_t c = 0; c < channels; ++c)
        if (weights[c] > 0)
            add_channel(slices, slice_count, interleaved + c, rate_hz, channels, weights[c]);
    size_t count = gate(powers, slices, slice_count, MOMENTARY, rate_hz, 0.1);
    double sum = 0;
    for (size_t i = 0; i < count; ++i)
        sum += powers[i];
    out->integrated_lufs = count ? lufs(sum / (double)count) : -70;
    find_extremes(&out->momentary_min_lufs, &out->momentary_max_lufs, slices, slice_count,
                  MOMENTARY, 100, rate_hz);
    find_extremes(&out->short_term_min_lufs, &out->short_term_max_lufs, slices, slice_count,
                  SHORT_TERM, SHORT_TERM, rate_hz);
    count = gate(powers, slices, slice_count, SHORT_TERM, rate_hz, 0.01);
    qsort(powers, count, sizeof *powers, compare);
    out->range_lu = count ? lufs(powers[(size_t)floor(0.95 * (double)(count - 1) + 0.5)]) -
                                lufs(powers[(size_t)floor(0.10 * (double)(count - 1) + 0.5)])
                          : 0;
    free(slices);
    free(powers);
}
