// SPDX-License-Identifier: MIT
#include "engine/render/way.h"
#include "engine/render/provisional.h"
#include <assert.h>
#include <math.h>

/// Of the way: the curve is the chain's.
static double share_at(const struct way *w, uint64_t frame)
{
    if (way_is_over(w, frame))
        return 1.0;
    const double t = (double)(frame - w->start_frame) / w->frames;
    return t * t * t * (10.0 + t * (6.0 * t - 15.0));
}

/// Between two gains, as the chain's makeup is.
static double db_at(double from_db, double to_db, double share)
{
    const double from = pow(10.0, from_db / 20.0), to = pow(10.0, to_db / 20.0);
    return share < 1.0 ? 20.0 * log10(from + share * (to - from)) : to_db;
}

static struct levels levels_at(const struct way *w, uint64_t frame)
{
    const double share = share_at(w, frame);
    return (struct levels){
        db_at(w->from_levels.lift_db, w->to_levels.lift_db, share),
        db_at(w->from_levels.headroom_db, w->to_levels.headroom_db, share),
    };
}

/// As far as provisional_ramp_s() looks at them.
static struct mastering_targets targets_at(const struct way *w, uint64_t frame)
{
    const double share = share_at(w, frame);
    struct mastering_targets at = w->to;
    at.makeup_db = db_at(w->from.makeup_db, w->to.makeup_db, share);
    for (int band = 0; band < EQ_BAND_COUNT; ++band)
        at.eq_db[band] = db_at(w->from.eq_db[band], w->to.eq_db[band], share);
    return at;
}

void way_stand(struct way *w, const struct mastering_targets *targets, const struct levels *levels)
{
    *w = (struct way){
        .from = *targets, .to = *targets, .from_levels = *levels, .to_levels = *levels};
}

uint32_t way_go(struct way *w, const struct mastering_targets *to, const struct levels *levels,
                uint64_t frame, uint32_t rate_hz)
{
    assert(frame >= w->start_frame);
    *w = (struct way){.from = targets_at(w, frame),
                      .to = *to,
                      .from_levels = levels_at(w, frame),
                      .to_levels = *levels,
                      .start_frame = frame};
    w->frames = (uint32_t)(provisional_ramp_s(&w->from, to) * rate_hz);
    return w->frames;
}

double way_lift_db(const struct way *w, uint64_t frame)
{
    return levels_at(w, frame).lift_db;
}

void way_raise_lift(struct way *w, double db)
{
    w->from_levels.lift_db += db;
    w->to_levels.lift_db += db;
}

bool way_is_over(const struct way *w, uint64_t frame)
{
    assert(frame >= w->start_frame);
    return frame - w->start_frame >= w->frames;
}

struct match way_match(const struct way *w, uint64_t frame)
{
    const struct levels levels = levels_at(w, frame);
    return match_of_lift(levels.lift_db, levels.headroom_db);
}
