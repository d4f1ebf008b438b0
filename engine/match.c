// SPDX-License-Identifier: MIT
#include "engine/match.h"
#include <math.h>

static const double SILENCE_LUFS = -70.0; // as the meter says of what passes no gate

static int is_loudness(double lufs)
{
    return isfinite(lufs) && lufs > SILENCE_LUFS;
}

double match_lift_db(const struct mastering_targets *targets, double track_lufs)
{
    if (is_loudness(targets->predicted_lufs) && is_loudness(track_lufs))
        return targets->predicted_lufs - track_lufs;
    return targets->makeup_db;
}

struct match match_of_lift(double lift_db)
{
    const double gain = pow(10.0, -fabs(lift_db) / 20.0);
    return lift_db > 0 ? (struct match){(float)gain, 1.0f} : (struct match){1.0f, (float)gain};
}
