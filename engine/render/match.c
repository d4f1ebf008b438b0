// SPDX-License-Identifier: MIT
#include "engine/render/match.h"
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

double match_headroom_db(const struct mastering_targets *targets, double true_peak_dbtp)
{
    return isnan(true_peak_dbtp) ? 0.0 : fmax(0.0, targets->ceiling_dbtp - true_peak_dbtp);
}

static float gain_of(double db)
{
    return (float)pow(10.0, db / 20.0);
}

struct match match_of_lift(double lift_db, double headroom_db)
{
    const double plain_db = fmin(lift_db, headroom_db);
    return (struct match){.mastered = gain_of(plain_db - lift_db), .plain = gain_of(plain_db)};
}
