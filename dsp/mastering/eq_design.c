// SPDX-License-Identifier: MIT
#include "dsp/mastering/eq_design.h"
#include <assert.h>
#include <math.h>

// Poles are the prototype's, mapped by z = exp(s/fs), after M. Vicanek, "Matched Second Order Digital
// Filters" (2016). Zeros come from the squared magnitude, which is linear in three numbers,
// |B|^2 = B0 (1-p) + B1 p + B2 4p(1-p) with p = sin^2(w/2): they are fitted to the prototype's over
// a linear grid by least squares of the relative error, then factored into a minimum-phase numerator.
enum { GRID = 64, UNKNOWNS = 3 };

static const double FIT_TOP_HZ = 20500.0;

/// s^2 and s and constant coefficients, with s = jf/center.
struct prototype {
    double n2, n1, n0;
    double d2, d1, d0;
};

static struct prototype prototype_of(const struct eq_band *band, double gain_db)
{
    const double a = pow(10.0, gain_db / 40.0);
    const double slope = sqrt(a) / band->q;
    switch (band->shape) {
    case EQ_LOW_SHELF:
        return (struct prototype){a, a * slope, a * a, a, slope, 1.0};
    case EQ_HIGH_SHELF:
        return (struct prototype){a * a, a * slope, a, 1.0, slope, a};
    case EQ_BELL:
        break;
    }
    return (struct prototype){1.0, a / band->q, 1.0, 1.0, 1.0 / (a * band->q), 1.0};
}

static double prototype_power(const struct prototype *p, double ratio)
{
    const double r2 = ratio * ratio;
    const double top = p->n0 - p->n2 * r2;
    const double bottom = p->d0 - p->d2 * r2;
    return (top * top + p->n1 * p->n1 * r2) / (bottom * bottom + p->d1 * p->d1 * r2);
}

static void map_poles(struct biquad *out, const struct prototype *p, double center_rad)
{
    const double half = 0.5 * p->d1 / p->d2 * center_rad;
    const double square = p->d0 / p->d2 * center_rad * center_rad - half * half;
    // A pole pair beyond Nyquist would fold back: it is held just below.
    const double turn = square > 0 ? cos(fmin(sqrt(square), 0.95 * M_PI)) : cosh(sqrt(-square));
    out->a1 = -2.0 * exp(-half) * turn;
    out->a2 = exp(-2.0 * half);
}

static void basis(double row[UNKNOWNS], double w_rad)
{
    const double s = sin(0.5 * w_rad);
    const double p = s * s;
    row[0] = 1.0 - p;
    row[1] = p;
    row[2] = 4.0 * p * (1.0 - p);
}

static double dot(const double *x, const double *y)
{
    double sum = 0;
    for (int i = 0; i < GRID; ++i)
        sum += x[i] * y[i];
    return sum;
}

/// Least squares of columns * x = 1 by modified Gram-Schmidt: the normal equations would lose half
/// of the digits where the rate is many times the centre.
static void solve(double x[UNKNOWNS], double columns[UNKNOWNS][GRID])
{
    double r[UNKNOWNS][UNKNOWNS] = {{0}};
    double rest[GRID];
    for (int i = 0; i < GRID; ++i)
        rest[i] = 1.0;
    for (int j = 0; j < UNKNOWNS; ++j) {
        r[j][j] = sqrt(dot(columns[j], columns[j]));
        for (int i = 0; i < GRID; ++i)
            columns[j][i] /= r[j][j];
        for (int k = j + 1; k < UNKNOWNS; ++k) {
            r[j][k] = dot(columns[j], columns[k]);
            for (int i = 0; i < GRID; ++i)
                columns[k][i] -= r[j][k] * columns[j][i];
        }
        x[j] = dot(columns[j], rest);
        for (int i = 0; i < GRID; ++i)
            rest[i] -= x[j] * columns[j][i];
    }
    for (int j = UNKNOWNS - 1; j >= 0; --j) {
        for (int k = j + 1; k < UNKNOWNS; ++k)
            x[j] -= r[j][k] * x[k];
        x[j] /= r[j][j];
    }
}

static void factor(struct biquad *out, const double x[UNKNOWNS])
{
    const double low = sqrt(fmax(x[0], 1e-12));
    const double high = sqrt(fmax(x[1], 1e-12));
    const double mean = 0.5 * (low + high);
    out->b0 = 0.5 * (mean + sqrt(fmax(mean * mean + x[2], 0.0)));
    out->b1 = 0.5 * (low - high);
    out->b2 = -x[2] / (4.0 * out->b0);
}

void eq_design(struct biquad *out, const struct eq_band *band, double gain_db, double rate_hz)
{
    assert(band->q > 0 && band->center_hz > 0 && rate_hz > 0);
    *out = (struct biquad){.b0 = 1.0};
    if (gain_db == 0) // NOLINT: exact zero asks for an exact unity
        return;
    const struct prototype prototype = prototype_of(band, gain_db);
    map_poles(out, &prototype, 2.0 * M_PI * band->center_hz / rate_hz);
    const double low = (1.0 + out->a1 + out->a2) * (1.0 + out->a1 + out->a2);
    const double high = (1.0 - out->a1 + out->a2) * (1.0 - out->a1 + out->a2);
    const double top_hz = fmin(FIT_TOP_HZ, 0.5 * rate_hz);

    double columns[UNKNOWNS][GRID];
    for (int i = 0; i < GRID; ++i) {
        const double f = top_hz * i / (GRID - 1);
        double row[UNKNOWNS];
        basis(row, 2.0 * M_PI * f / rate_hz);
        const double poles = low * row[0] + high * row[1] - 4.0 * out->a2 * row[2];
        const double weight = 1.0 / (poles * prototype_power(&prototype, f / band->center_hz));
        for (int j = 0; j < UNKNOWNS; ++j)
            columns[j][i] = row[j] * weight;
    }
    double x[UNKNOWNS];
    solve(x, columns);
    factor(out, x);
}
