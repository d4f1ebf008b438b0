// SPDX-License-Identifier: MIT
#include "dsp/rhythm/rhythm.h"
#include "dsp/rhythm/beats.h"
#include "dsp/rhythm/loose.h"
#include "dsp/rhythm/meter.h"
#include "dsp/rhythm/onset.h"
#include "dsp/rhythm/phase.h"
#include "dsp/rhythm/picker.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// A rise is heard by the leading edge of the window: were it sudden, the strength would peak this much before the sound
// begins. It peaks later by so much a frame of rise (measured on 230 songs of known beats: correlation .88).
#define EARLY_FRAMES  1.008
#define LATE_PER_RISE 1.3
// Recurrence clearer than this is no chance: of some 300 independent lags of noise, one in 10,000 reaches it.
#define LEAST_SIGNIFICANCE 5.0
// Onsets at random, picked as they are, are 0.7 uneven, give or take 0.7 / sqrt(n); those of a pulse that moves
// are less so by three times that.
#define RANDOM_UNEVENNESS 0.7
// No one tempo holds where beats stray from a line, in periods; up to the first of these it is a hand's doing.
#define STEADY_SPREAD 0.02
#define STRAY_COST    4.0
// Loose beats that stray by less, in periods, stray from a line: it is the tempo that is steady, not the hand.
#define STRAY_SPREAD 0.12
// Two beats say nothing of a pulse: any two sounds are that.
enum { LEAST_BEATS = 3 };

struct rhythm {
    double rate_hz;
    struct onset *onset;
    double late_onsets; // in whole stretches after the hour that is kept
};

int rhythm_create(struct rhythm **out, double rate_hz)
{
    *out = NULL;
    if (!(rate_hz >= 1000.0 && rate_hz <= 50000.0))
        return -EINVAL;
    struct rhythm *rhythm = calloc(1, sizeof(*rhythm));
    if (!rhythm)
        return -ENOMEM;
    rhythm->rate_hz = rate_hz;
    if (onset_create(&rhythm->onset, rate_hz))
        rhythm_destroy(&rhythm);
    *out = rhythm;
    return rhythm ? 0 : -ENOMEM;
}

void rhythm_destroy(struct rhythm **rhythm)
{
    if (!*rhythm)
        return;
    onset_destroy(&(*rhythm)->onset);
    free(*rhythm);
    *rhythm = NULL;
}

static double count_onsets(const struct rhythm *rhythm, const struct onset_stretch *stretch)
{
    return picker_pick(stretch->strength, stretch->frames, rhythm->rate_hz / RHYTHM_HOP, NULL)
        .weight;
}

void rhythm_push(struct rhythm *rhythm, const float power[1025])
{
    onset_push(rhythm->onset, power);
    const struct onset_stretch late = onset_late_stretch(rhythm->onset);
    if (late.frames == ONSET_LATE_FRAMES)
        rhythm->late_onsets += count_onsets(rhythm, &late);
}

static double count_late_onsets(const struct rhythm *rhythm)
{
    const struct onset_stretch late = onset_late_stretch(rhythm->onset);
    const int is_whole = late.frames == ONSET_LATE_FRAMES;
    return rhythm->late_onsets + (is_whole ? 0.0 : count_onsets(rhythm, &late));
}

/// Turn the beats from frames into seconds and keep those inside the track.
static void convert_beats(const struct rhythm *rhythm, uint64_t length_samples,
                          struct rhythm_result *out)
{
    const double frame_rate_hz = rhythm->rate_hz / RHYTHM_HOP;
    const double end_s = (double)length_samples / rhythm->rate_hz;
    const double rise = beats_rise(onset_strength(rhythm->onset), onset_frames(rhythm->onset),
                                   out->beats_s, out->beat_count);
    const double late = LATE_PER_RISE * rise - EARLY_FRAMES;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < out->beat_count; i++) {
        const double time_s = fmax(0.0, (out->beats_s[i] - late) / frame_rate_hz);
        if (time_s <= end_s && (kept == 0 || time_s > out->beats_s[kept - 1]))
            out->beats_s[kept++] = time_s;
    }
    out->beat_count = kept;
}

/// What the tempo of the beats is: the slope of a line through them, or, where none fits, an interval of many.
enum beats_kind { BEATS_ON_A_LINE, BEATS_DRIFTING, BEATS_LOOSE };

static int find_beats(const struct onset *onset, double period_frames, double frame_rate_hz,
                      struct rhythm_result *out, enum beats_kind *kind)
{
    const uint16_t *strength = onset_strength(onset);
    const size_t frames = onset_frames(onset);
    struct drift drift;
    int is_loose = 0;
    int error = drift_find(strength, frames, frame_rate_hz, period_frames, &drift);
    *kind = drift.count ? BEATS_DRIFTING : BEATS_ON_A_LINE;
    if (!error)
        error =
            beats_find(strength, frames, period_frames, &drift, &out->beats_s, &out->beat_count);
    drift_deinit(&drift);
    if (!error)
        error = loose_follow(strength, frames, period_frames, &out->beats_s, &out->beat_count,
                             &is_loose);
    if (is_loose)
        *kind = BEATS_LOOSE;
    return error;
}

static int follow(const struct rhythm *rhythm, const struct meter *meter, struct rhythm_result *out)
{
    const double frame_rate_hz = rhythm->rate_hz / RHYTHM_HOP;
    const uint16_t *strength = onset_strength(rhythm->onset);
    const size_t frames = onset_frames(rhythm->onset);
    enum beats_kind kind;
    if (find_beats(rhythm->onset, meter->period_frames, frame_rate_hz, out, &kind))
        return -ENOMEM;
    if (out->beat_count < LEAST_BEATS)
        return 0;
    const double share = phase_choose(rhythm->onset, out->beats_s, out->beat_count);
    if (share > 0.0)
        beats_shift(strength, frames, share, out->beats_s, &out->beat_count);
    if (out->beat_count < LEAST_BEATS)
        return 0;
    struct beat_line line;
    double interval;
    if (beats_fit(out->beats_s, out->beat_count, meter->period_frames, &line) ||
        beats_usual_interval(out->beats_s, out->beat_count, &interval) ||
        beats_stability(out->beats_s, out->beat_count, &out->stability))
        return -ENOMEM;
    const int is_line =
        kind == BEATS_ON_A_LINE || (kind == BEATS_LOOSE && line.spread < STRAY_SPREAD);
    const double period_frames = is_line ? line.period_frames : interval;
    out->tempo.bpm = fmin(240.0, fmax(40.0, 60.0 * frame_rate_hz / period_frames));
    out->tempo.salience = meter->salience;
    out->tempo.alternative_salience = meter->alternative_salience;
    if (meter->alternative_frames > 0.0) {
        // The alternative is known to a percent only; a simple ratio to the tempo makes it exact.
        const double ratio = meter->period_frames / meter->alternative_frames;
        const double simple = round(ratio * 6.0) / 6.0;
        const double exact = fabs(ratio / simple - 1.0) < 0.04 ? simple : ratio;
        out->tempo.alternative_bpm = out->tempo.bpm * exact;
    }
    out->tempo.confidence =
        meter->certainty * exp(-STRAY_COST * fmax(0.0, line.spread - STEADY_SPREAD));
    return 0;
}

static void forget_pulse(struct rhythm_result *out)
{
    rhythm_result_deinit(out);
    memset(out, 0, sizeof(*out));
    out->tempo.first_beat_s = (double)NAN;
}

/// Does something recur that is no chance, or do the onsets follow each other too evenly for one? The latter
/// alone holds where the pulse moves.
static int has_pulse(const struct meter *meter, const struct picked *onsets)
{
    const double chance = 3.0 / sqrt(fmax(1.0, onsets->count));
    return meter->significance >= LEAST_SIGNIFICANCE ||
           onsets->unevenness < RANDOM_UNEVENNESS * (1.0 - chance);
}

int rhythm_finish(const struct rhythm *rhythm, uint64_t length_samples, struct rhythm_result *out)
{
    memset(out, 0, sizeof(*out));
    out->tempo.first_beat_s = (double)NAN;
    const double frame_rate_hz = rhythm->rate_hz / RHYTHM_HOP;
    const struct picked onsets = picker_pick(onset_strength(rhythm->onset),
                                             onset_frames(rhythm->onset), frame_rate_hz, NULL);
    struct meter meter;
    int error = meter_find(rhythm->onset, frame_rate_hz, &meter);
    if (!error && meter.period_frames > 0.0 && has_pulse(&meter, &onsets))
        error = follow(rhythm, &meter, out);
    if (!error && out->beat_count >= LEAST_BEATS)
        convert_beats(rhythm, length_samples, out);
    if (error || out->beat_count < LEAST_BEATS)
        forget_pulse(out);
    else
        out->tempo.first_beat_s = out->beats_s[0];
    if (length_samples > 0 && !error) {
        const double count = onsets.weight + count_late_onsets(rhythm);
        out->tempo.onsets_per_s = count / ((double)length_samples / rhythm->rate_hz);
        out->density = fmin(1.0, out->tempo.onsets_per_s / 10.0);
    }
    return error;
}

void rhythm_result_deinit(struct rhythm_result *result)
{
    free(result->beats_s);
    result->beats_s = NULL;
    result->beat_count = 0;
}
