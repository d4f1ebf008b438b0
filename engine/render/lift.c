// SPDX-License-Identifier: MIT
#include "engine/render/lift.h"
#include <math.h>

static const double MEMORY_S = 3.0;    // as short-term loudness
static const double SILENCE = 1e-7;    // -70 LUFS: what the makeup weighs
static const double MOST_DB_A_S = 5.0; // 0.5 dB in 100 ms, as provisional_ramp_s()

enum { PIECE = 256 };

void lift_init(struct lift *l, uint32_t rate_hz)
{
    *l = (struct lift){.rate_hz = rate_hz};
    k_weighting_design(&l->filter, rate_hz);
    for (int side = 0; side < LIFT_SIDES; ++side)
        l->energies[side] = SILENCE * rate_hz;
}

static double energy(struct lift *l, enum lift_side side, const float *stereo, uint32_t frames)
{
    double sum = 0, samples[PIECE];
    for (uint32_t at = 0, n; at < frames; at += n) {
        n = frames - at < PIECE ? frames - at : PIECE;
        for (int channel = 0; channel < 2; ++channel) {
            for (uint32_t i = 0; i < n; ++i)
                samples[i] = (double)stereo[2 * (uint64_t)(at + i) + (uint64_t)channel];
            sum += k_weighting_energy(&l->filter, &l->states[side][channel], samples, n);
        }
    }
    return sum;
}

double lift_take(struct lift *l, const float *mastered, const float *plain, uint32_t frames,
                 double makeup_db)
{
    const double seconds = frames / l->rate_hz, kept = exp(-seconds / MEMORY_S);
    const double raised = pow(10.0, makeup_db / 10.0);
    l->energies[LIFT_MASTERED] =
        kept * l->energies[LIFT_MASTERED] + energy(l, LIFT_MASTERED, mastered, frames) / raised;
    l->energies[LIFT_PLAIN] = kept * l->energies[LIFT_PLAIN] + energy(l, LIFT_PLAIN, plain, frames);
    const double to_db = 10.0 * log10(l->energies[LIFT_MASTERED] / l->energies[LIFT_PLAIN]);
    const double most_db = MOST_DB_A_S * seconds;
    if (!isfinite(to_db)) // after minutes of silence
        return 0;
    const double move_db = fmin(most_db, fmax(-most_db, to_db - l->beyond_db));
    l->beyond_db += move_db;
    return move_db;
}
