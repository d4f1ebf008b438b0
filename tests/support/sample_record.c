// SPDX-License-Identifier: MIT
#include "support/sample_record.h"
#include "engine/library/analysis_json.h"
#include "engine/library/track_record.h"
#include "support/rng.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BEATS = 9, LOUDNESS = 31 };

static void fill(double *values, size_t count, uint64_t *state)
{
    for (size_t i = 0; i < count; ++i)
        values[i] = rng_unit(state) * exp2(-(double)(rng_next(state) % 40));
}

static struct analysis *sample_analysis(uint64_t *state)
{
    struct analysis *a = analysis_create(BEATS, LOUDNESS);
    assert_non_null(a);
    a->algorithm_version = ANALYSIS_ALGORITHM_VERSION;
    a->sample_rate_hz = 44100;
    a->channels = 2;
    a->frames = 1 + rng_next(state) % 1000000000;
    a->replaced_samples_reported = 1;
    fill(&a->duration_s, 3, state);
    fill(a->fingerprint, FINGERPRINT_DIMENSIONS, state);
    fill((double *)&a->loudness, sizeof(a->loudness) / sizeof(double), state);
    fill((double *)&a->tempo, sizeof(a->tempo) / sizeof(double), state);
    fill(&a->key.strength, 1, state);
    fill(a->key.chroma, PITCH_CLASS_COUNT, state);
    fill(a->genre.scores, GENRE_COUNT, state);
    fill((double *)&a->profile, sizeof(a->profile) / sizeof(double), state);
    fill(a->beats_s, BEATS, state);
    float *loudness = analysis_short_term_mutable(a);
    for (unsigned i = 0; i < LOUDNESS; ++i)
        loudness[i] = i % 7 ? (float)(-60.0 * rng_unit(state)) : -HUGE_VALF;
    a->key.tonic = 11;
    a->key.mode = KEY_MINOR;
    a->genre.label = GENRE_COUNTRY;
    // What is null, and a zero with a sign.
    a->loudness.true_peak_dbtp = NAN;
    a->tempo.first_beat_s = NAN;
    a->fingerprint[FINGERPRINT_PHASE_CORRELATION] = -0.0;
    return a;
}

struct record *sample_record(uint64_t seed)
{
    uint64_t state = seed;
    struct track_record head = {.cost_ns = 2000000000, .on_cuda = seed % 2, .has_targets = 1};
    strcpy(head.codec, "flac");
    fill((double *)&head.targets, offsetof(struct mastering_targets, shortfall) / sizeof(double),
         &state);
    head.targets.shortfall = SHORTFALL_SILENCE;
    head.targets.predicted_dbtp = NAN;
    struct analysis *analysis = sample_analysis(&state);
    struct record *record = track_record_create(&head, analysis);
    free(analysis);
    assert_non_null(record);
    return record;
}

static char *print(const struct record *record)
{
    const struct track_record *t = track_record_of(record);
    const struct analysis_report report = {.codec = t->codec,
                                           .analysis = track_record_analysis(t),
                                           .targets = &t->targets,
                                           .backend = t->on_cuda ? "cuda" : "cpu"};
    char *text = analysis_json_print(&report, ANALYSIS_JSON_COMPLETE);
    assert_non_null(text);
    return text;
}

void sample_record_assert_equal(const struct record *a, const struct record *b)
{
    char *x = print(a), *y = print(b);
    assert_string_equal(x, y);
    assert_int_equal(track_record_of(a)->cost_ns, track_record_of(b)->cost_ns);
    free(x);
    free(y);
}
