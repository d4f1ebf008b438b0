// SPDX-License-Identifier: MIT
#include "support/rhythm_track.h"
#include "support/stft.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct rhythm_track rhythm_track_make(double seconds)
{
    struct rhythm_track track = {NULL, (size_t)(seconds * RHYTHM_TRACK_RATE_HZ), 1};
    track.samples = calloc(track.count + 1, sizeof(float));
    assert_non_null(track.samples);
    return track;
}

double rhythm_track_next_noise(struct rhythm_track *track)
{
    track->noise = track->noise * 1664525u + 1013904223u;
    return (double)track->noise / 2147483648.0 - 1.0;
}

void rhythm_track_add_click(struct rhythm_track *track, double time_s, double level)
{
    const size_t begin = (size_t)lround(time_s * RHYTHM_TRACK_RATE_HZ);
    for (size_t i = 0; i < 330 && begin + i < track->count; i++)
        track->samples[begin + i] +=
            (float)(level * exp(-(double)i / 60.0) * rhythm_track_next_noise(track));
}

struct rhythm_track rhythm_track_make_clicks(double bpm, double seconds)
{
    struct rhythm_track track = rhythm_track_make(seconds);
    for (double time_s = 0.5; time_s < seconds - 0.1; time_s += 60.0 / bpm)
        rhythm_track_add_click(&track, time_s, 0.5);
    return track;
}

void rhythm_track_add_thump(struct rhythm_track *track, double time_s, double level)
{
    const size_t begin = (size_t)lround(time_s * RHYTHM_TRACK_RATE_HZ);
    for (size_t i = 0; i < 2205 && begin + i < track->count; i++)
        track->samples[begin + i] +=
            (float)(level * exp(-(double)i / 600.0) *
                    sin(2.0 * M_PI * 60.0 * (double)i / RHYTHM_TRACK_RATE_HZ));
}

void rhythm_track_feed(struct rhythm *rhythm, const struct rhythm_track *track)
{
    float power[STFT_BINS];
    for (size_t t = 0; t < stft_frames(track->count); t++) {
        stft_power(track->samples, track->count, t, power);
        rhythm_push(rhythm, power);
    }
}

struct rhythm_result rhythm_track_measure(const struct rhythm_track *track)
{
    struct rhythm *rhythm;
    struct rhythm_result result;
    assert_int_equal(rhythm_create(&rhythm, RHYTHM_TRACK_RATE_HZ), 0);
    rhythm_track_feed(rhythm, track);
    assert_int_equal(rhythm_finish(rhythm, track->count, &result), 0);
    rhythm_destroy(&rhythm);
    assert_null(rhythm);
    return result;
}

int rhythm_track_is_at(double bpm, double truth)
{
    return fabs(bpm / truth - 1.0) < 0.001;
}

double rhythm_track_ratio_error(double bpm, double truth)
{
    const double ratios[] = {1.0, 2.0, 0.5, 3.0, 1.0 / 3.0, 4.0, 0.25};
    double best = HUGE_VAL;
    for (size_t i = 0; i < sizeof(ratios) / sizeof(*ratios); i++)
        best = fmin(best, fabs(bpm / (truth * ratios[i]) - 1.0));
    return best;
}

void assert_no_pulse(const struct rhythm_result *result)
{
    assert_true(result->tempo.bpm == 0.0 && result->tempo.alternative_bpm == 0.0);
    assert_true(result->tempo.confidence == 0.0 && result->tempo.salience == 0.0);
    assert_true(isnan(result->tempo.first_beat_s));
    assert_true(result->stability == 0.0);
    assert_int_equal(result->beat_count, 0);
    assert_null(result->beats_s);
}
