// SPDX-License-Identifier: MIT
// Ways to better targets, as they are heard on either side of a comparison, and to and fro.
#include "engine/library/track_record.h"
#include "engine/render/output_meter.h"
#include "support/mastered.h"
#include "support/measure.h"
#include "support/render_rig.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/// The analysis of a tone of `level_db`, in both channels, arrives.
static void analyse_tone(struct track *track, double makeup_db, double level_db)
{
    const struct track_record head = {.has_targets = 1,
                                      .targets = render_rig_raised(makeup_db, level_db)};
    struct analysis *analysis = analysis_create(0, 0);
    assert_non_null(analysis);
    analysis->loudness.integrated_lufs = level_db;
    analysis->loudness.true_peak_dbtp = level_db;
    struct record *record = track_record_create(&head, analysis);
    assert_non_null(record);
    track_set_record(track, record, 0);
    record_unref(&record);
    free(analysis);
}

// --- who listens

enum { HOP = RIG_RATE / 10 };

enum listening {
    AS_MASTERED,
    AS_PLAIN,
    AS_MATCHED,
    TO_AND_FRO,
    LISTENINGS,
};

static void choose(struct render_rig *rig, enum listening listening)
{
    static const enum callback_sound sounds[] = {CALLBACK_MASTERED, CALLBACK_PLAIN,
                                                 CALLBACK_MATCHED};
    const bool plain_turn = rig->heard_frames / (7 * HOP) % 2;
    callback_set_sound(rig->callback, listening < TO_AND_FRO ? sounds[listening]
                                      : plain_turn           ? CALLBACK_PLAIN
                                                             : CALLBACK_MATCHED);
}

static void hear_as(struct render_rig *rig, enum listening listening, double seconds)
{
    while (rig->heard_frames + RIG_BLOCK <= (uint32_t)(seconds * RIG_RATE)) {
        choose(rig, listening);
        render_rig_hear_block(rig);
    }
}

/// The largest change of level from one tenth of a second to the next.
static double largest_move_db(const float *stereo, uint32_t frames)
{
    double most = 0, last_db = measure_db(render_rig_rms(stereo, HOP));
    for (uint32_t at = HOP; at + HOP <= frames; at += HOP) {
        const double db = measure_db(render_rig_rms(stereo + 2 * (size_t)at, HOP));
        most = fmax(most, fabs(db - last_db));
        last_db = db;
    }
    return most;
}

enum { RAMPS_S = 16 };

// Provisional -4 dB; +2 dB by the analysis; while it is on its way there, -6 dB by the album. And who compares
// goes to and fro meanwhile.
static void hear_ramp_in_a_ramp(struct render_rig *rig, enum listening listening)
{
    static const double LEVEL_DB = -10;
    render_rig_add_tone(rig, 0, 20, LEVEL_DB);
    render_rig_start(rig, 1);
    hear_as(rig, listening, 2);
    analyse_tone(rig->tracks[0], 2, LEVEL_DB);
    hear_as(rig, listening, 4); // it sets out behind what the ring holds, two seconds of it
    struct track_album album = {.targets = render_rig_raised(-6, LEVEL_DB)};
    hear_as(rig, listening, 4.5);
    assert_true(render_rig_look(rig)->is_on_the_way);
    track_set_album(rig->tracks[0], &album);
    hear_as(rig, listening, 6);
    assert_true(render_rig_look(rig)->is_on_the_way);
    hear_as(rig, listening, RAMPS_S);
    assert_false(render_rig_look(rig)->is_on_the_way);
}

static void ramp_in_a_ramp_is_no_step_whoever_listens_and_compares(void **state)
{
    struct render_rig *rig = *state;
    static const char *const names[LISTENINGS] = {"mastered", "plain", "matched", "to and fro"};
    for (int listening = 0; listening < LISTENINGS; ++listening) {
        hear_ramp_in_a_ramp(rig, (enum listening)listening);
        const uint32_t from = RIG_RATE / 2, count = rig->heard_frames - from;
        const float *steady = rig->heard + 2 * (size_t)from;
        const double beside_db = measure_outside_db(steady, 2, count, RIG_TONE_HZ, RIG_RATE);
        const double move_db = largest_move_db(steady, count);
        print_message("%s: %.1f dBFS beside the tone, at most %.3f dB in 100 ms, sides off by %.3f "
                      "dB\n",
                      names[listening], beside_db, move_db, rig->off_db);
        assert_true(beside_db < -100);
        assert_true(move_db < 1);
        assert_true(rig->off_db < RIG_SAME_DB);
        if (listening == AS_MASTERED) { // it has been where the analysis would have it go, nearly
            const double end_db =
                measure_db(render_rig_rms(rig->heard + (size_t)2 * 15 * RIG_RATE, HOP));
            assert_true(fabs(end_db + 16 - measure_db(M_SQRT1_2)) < RIG_SAME_DB);
            assert_true(largest_move_db(rig->heard + (size_t)2 * 6 * RIG_RATE, RIG_RATE) > 0.05);
        }
        render_rig_stop(rig);
    }
}

// --- music

/// Whose first 6 s are12 dB quieter than the rest.
static float *music(size_t frames)
{
    int16_t *s16 = scratch_music(7, frames, RIG_RATE);
    float *stereo = malloc(frames * 2 * sizeof *stereo);
    assert_non_null(stereo);
    for (size_t i = 0; i < 2 * frames; ++i)
        stereo[i] = (float)s16[i] / 32768.0F * (i < (size_t)12 * RIG_RATE ? 0.25F : 1.0F);
    free(s16);
    return stereo;
}

static struct record *record_of(const float *stereo, uint32_t frames,
                                const struct mastering_settings *settings)
{
    struct mastered_tape tape = {
        .interleaved = stereo, .format = {.rate_hz = RIG_RATE, .channels = 2}, .frames = frames};
    struct analysis *analysis = mastered_analyse(&tape);
    assert_non_null(analysis);
    struct track_record head = {.has_targets = 1};
    assert_int_equal(mastered_calibrate(&head.targets, &tape, analysis, settings), 0);
    struct record *record = track_record_create(&head, analysis);
    assert_non_null(record);
    free(analysis);
    return record;
}

/// Short-term loudness of all that was heard; the caller's to free().
static float *short_term(const struct render_rig *rig, uint32_t *count)
{
    struct output_meter *meter;
    assert_int_equal(output_meter_create(&meter, RIG_RATE), 0);
    assert_int_equal(output_meter_feed(meter, rig->heard, rig->heard_frames), 0);
    *count = output_meter_short_term_count(meter);
    float *lufs = calloc(*count + 1, sizeof *lufs);
    assert_non_null(lufs);
    output_meter_short_term_fill(meter, lufs);
    output_meter_destroy(&meter);
    return lufs;
}

// News by what was heard after 14 s, and on that way the analysis.
static float *hear_music(struct render_rig *rig, const float *stereo, struct record *record,
                         enum listening listening, uint32_t *count)
{
    enum { SECONDS = 30 };
    render_rig_add(rig, 0, stereo, (size_t)SECONDS * RIG_RATE, RIG_MUSIC);
    render_rig_start(rig, 0);
    hear_as(rig, listening, 14);
    track_set_record(rig->tracks[0], record, 0);
    hear_as(rig, listening, 26);
    float *lufs = short_term(rig, count);
    render_rig_stop(rig);
    return lufs;
}

static void compared_sides_of_music_are_equally_loud_on_every_way(void **state)
{
    struct render_rig *rig = *state;
    enum {
        FRAMES = 30 * RIG_RATE,
        STEADY = 65
    }; // from then on no window holds the music's own step
    float *stereo = music(FRAMES), *lufs[LISTENINGS];
    struct record *record = record_of(stereo, FRAMES, &rig->settings);
    uint32_t count = 0;
    for (int i = AS_PLAIN; i < LISTENINGS; ++i)
        lufs[i] = hear_music(rig, stereo, record, (enum listening)i, &count);
    assert_true(count > 200);
    for (int i = AS_MATCHED; i < LISTENINGS; ++i) {
        double apart_db = 0, move_db = 0, last_db = NAN;
        for (uint32_t k = 0; k < count; ++k) {
            const double db = (double)(lufs[i][k] - lufs[AS_PLAIN][k]);
            apart_db = fmax(apart_db, fabs(db));
            if (k > STEADY)
                move_db = fmax(move_db, fabs(db - last_db));
            last_db = db;
        }
        print_message("%s: at most %.2f LU from plain sound, by %.2f LU in 100 ms\n",
                      i == AS_MATCHED ? "matched" : "to and fro", apart_db, move_db);
        assert_true(apart_db > 0 && apart_db < 3);
        assert_true(move_db < 1);
        free(lufs[i]);
    }
    free(lufs[AS_PLAIN]);
    record_unref(&record);
    free(stereo);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, render_rig_set_up, render_rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ramp_in_a_ramp_is_no_step_whoever_listens_and_compares),
        TEST(compared_sides_of_music_are_equally_loud_on_every_way),
    };
    return cmocka_run_group_tests_name("render_ways", tests, NULL, NULL);
}
