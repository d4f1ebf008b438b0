// SPDX-License-Identifier: MIT
// The render thread with its ring and its callback, block by block: better targets that come while a track is heard.
#include "dsp/mutex.h"
#include "engine/audio/callback_setup.h"
#include "engine/library/track_record.h"
#include "engine/render/output_meter.h"
#include "engine/render/provisional.h"
#include "engine/render/render.h"
#include "support/loop_thread.h"
#include "support/mastered.h"
#include "support/measure.h"
#include "support/scratch.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h wants those above it
#include <cmocka.h>

enum {
    RATE = 16000,
    BLOCK = RING_BLOCK_FRAMES,
    RING_BLOCKS = 64,
    TRACKS = 2,
    HEARD_MOST = 40 * RATE,
    TONE_HZ = 997,
    HOP = RATE / 10,
};

/// Renders ahead until the ring is full, and goes on when a block was taken: what happens at which frame is the test's
/// choice.
struct rig {
    char folder[SCRATCH_PATH_BYTES];
    struct loop_thread loop;
    struct mastering_settings settings;
    struct track *tracks[TRACKS];
    struct ring *ring;
    struct callback *callback;
    struct render *render;
    float *heard;
    uint32_t heard_frames;
    double off_db; // the most by which a block's sides are not as far apart as it says
    const struct track_album *albums_told; // of both tracks, when the second begins
    // --- protected by lock
    struct mutex lock;
    struct cond committed; // predicate: the ring is full
    uint32_t first_fill;   // of the ring, when something was to be had of it
    bool has_failed;
};

// --- the player's side of the render thread

static struct track *next_track(void *context, struct track *track, uint32_t epoch, uint32_t serial)
{
    (void)epoch, (void)serial;
    const struct rig *rig = context;
    return track == rig->tracks[0] && rig->tracks[1] ? track_ref(rig->tracks[1]) : NULL;
}

static void note_failure(void *context, struct track *track, const char *text)
{
    struct rig *rig = context;
    print_message("%s: %s\n", track_path(track), text);
    mutex_lock(&rig->lock);
    rig->has_failed = true;
    mutex_unlock(&rig->lock);
}

static void note_begin(void *context, struct track *track, uint32_t serial, uint64_t length_frames)
{
    (void)serial, (void)length_frames;
    struct rig *rig = context;
    for (int i = 0; i < TRACKS && rig->albums_told && track == rig->tracks[1]; ++i)
        track_set_album(rig->tracks[i], &rig->albums_told[i]);
}

static void note_block(void *context)
{
    struct rig *rig = context;
    mutex_lock(&rig->lock);
    if (!rig->first_fill)
        rig->first_fill = ring_fill(rig->ring);
    cond_broadcast(&rig->committed);
    mutex_unlock(&rig->lock);
}

static void ignore(void *context, struct track *track)
{
    (void)context, (void)track;
}

// A moment for something to happen while a track's first targets are made.
static struct rig *to_be_told;
static const struct track_album *album_told;

int __real_provisional_conclude(struct provisional *provisional);
int __wrap_provisional_conclude(struct provisional *provisional);

int __wrap_provisional_conclude(struct provisional *provisional)
{
    if (to_be_told && track_decoder(to_be_told->tracks[1]))
        track_set_album(to_be_told->tracks[1], album_told);
    return __real_provisional_conclude(provisional);
}

/// What goes into provisional targets, beside what the track holds.
static struct {
    const float *stereo; // NULL: nobody looks
    size_t frames;
    bool differs, has_part_of_block;
} fed;

int __real_provisional_feed(struct provisional *provisional, const float *stereo, uint32_t frames);
int __wrap_provisional_feed(struct provisional *provisional, const float *stereo, uint32_t frames);

int __wrap_provisional_feed(struct provisional *provisional, const float *stereo, uint32_t frames)
{
    if (fed.stereo) {
        fed.differs |=
            memcmp(fed.stereo + 2 * fed.frames, stereo, (size_t)frames * 2 * sizeof *stereo) != 0;
        fed.has_part_of_block |= fed.frames == (size_t)PROVISIONAL_HEAD_S * RATE && frames < BLOCK;
        fed.frames += frames;
    }
    return __real_provisional_feed(provisional, stereo, frames);
}

// --- the rig

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    scratch_create(rig->folder);
    rig->settings = mastering_settings_default();
    rig->heard = calloc(HEARD_MOST, 2 * sizeof *rig->heard);
    assert_non_null(rig->heard);
    struct loader *loader;
    assert_int_equal(loader_create(&loader, &(struct loader_config){0}), 0);
    loop_thread_start(&rig->loop, loader);
    assert_int_equal(mutex_init(&rig->lock), 0);
    assert_int_equal(cond_init(&rig->committed), 0);
    *state = rig;
    return 0;
}

static void stop(struct rig *rig)
{
    render_destroy(&rig->render);
    callback_destroy(&rig->callback);
    ring_destroy(&rig->ring);
    for (int i = 0; i < TRACKS; ++i)
        track_unref(&rig->tracks[i]);
    to_be_told = NULL;
    fed.stereo = NULL;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    stop(rig);
    struct loader *loader = rig->loop.loader;
    assert_int_equal(loop_thread_stop(&rig->loop), 0);
    loader_destroy(&loader);
    cond_deinit(&rig->committed);
    mutex_deinit(&rig->lock);
    scratch_remove(rig->folder);
    free(rig->heard);
    free(rig);
    return 0;
}

enum content {
    MUSIC,
    MASTERED_MUSIC, // by its tag: makeup is all that is done to it
};

static void add_track(struct rig *rig, int index, const float *stereo, size_t frames,
                      enum content content)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, rig->folder, index ? "b.wav" : "a.wav");
    SF_INFO info = {.samplerate = RATE, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    if (content == MASTERED_MUSIC)
        assert_int_equal(
            sf_set_string(file, SF_STR_COMMENT,
                          "SEGUE_MASTERED=version 9, adaptive, intensity 1, target -14.0 LUFS"),
            0);
    assert_int_equal(sf_writef_float(file, stereo, (sf_count_t)frames), frames);
    assert_int_equal(sf_close(file), 0);
    struct track *track = track_create((uint64_t)index + 1, path);
    assert_non_null(track);
    assert_int_equal(track_admit(track, rig->loop.loader, LOADER_PLAYING, ignore, NULL), 0);
    rig->tracks[index] = track;
}

static void start_at(struct rig *rig, int has_albums, uint64_t frame)
{
    assert_int_equal(ring_create(&rig->ring, RING_BLOCKS, RING_TWO_SIDES), 0);
    assert_int_equal(callback_create(&rig->callback, rig->ring, RATE, SINK_PACED), 0);
    const struct render_config config = {.ring = rig->ring,
                                         .rate_hz = RATE,
                                         .speed = 1,
                                         .pace = SINK_PACED,
                                         .settings = &rig->settings,
                                         .has_albums = has_albums,
                                         .events = {.next = next_track,
                                                    .failed = note_failure,
                                                    .begun = note_begin,
                                                    .committed = note_block,
                                                    .context = rig}};
    assert_int_equal(render_create(&rig->render, &config), 0);
    rig->heard_frames = 0;
    rig->off_db = 0;
    callback_set_mode(rig->callback, CALLBACK_PLAYING);
    render_play(rig->render, 1, 1, rig->tracks[0], frame);
}

static void start(struct rig *rig, int has_albums)
{
    start_at(rig, has_albums, 0);
}

static void wait_until_full(struct rig *rig)
{
    mutex_lock(&rig->lock);
    while (ring_fill(rig->ring) < RING_BLOCKS && !rig->has_failed)
        cond_wait(&rig->committed, &rig->lock);
    assert_false(rig->has_failed);
    mutex_unlock(&rig->lock);
}

static double rms(const float *stereo, uint32_t frames)
{
    double sum = 0;
    for (size_t i = 0; i < 2 * (size_t)frames; ++i)
        sum += (double)stereo[i] * (double)stereo[i];
    return sqrt(sum / (2.0 * frames));
}

static double measured_lift_db(const struct ring_block *block)
{
    return measure_db(rms(block->samples, BLOCK) / rms(ring_plain_of(block), BLOCK));
}

/// By how much the sides of a block of a tone are farther apart than its gains make up for.
static double disagreement_db(const struct ring_block *block)
{
    const double lift_db = measured_lift_db(block);
    const double begin_db = measure_db((double)(block->plain_gain / block->mastered_gain));
    const double end_db = measure_db((double)(block->plain_to / block->mastered_to));
    return fabs(lift_db - (begin_db + end_db) / 2);
}

/// The oldest block in the ring, looked at before it is heard.
static const struct ring_block *look(struct rig *rig)
{
    wait_until_full(rig);
    return ring_peek(rig->ring);
}

/// Hear a block.
static void hear_block(struct rig *rig)
{
    const struct ring_block *block = look(rig);
    if (block->first_frame >= BLOCK && block->frames == BLOCK) // the first one begins with silence
        rig->off_db = fmax(rig->off_db, disagreement_db(block));
    assert_true(rig->heard_frames + BLOCK <= HEARD_MOST);
    callback_run(rig->callback, rig->heard + 2 * (size_t)rig->heard_frames, BLOCK);
    rig->heard_frames += BLOCK;
    render_wake(rig->render);
}

/// Hear all up to `seconds` after the first frame.
static void hear_to(struct rig *rig, double seconds)
{
    while (rig->heard_frames + BLOCK <= (uint32_t)(seconds * RATE))
        hear_block(rig);
}

// --- what is played

static float tone_at(size_t frame)
{
    return (float)sin(2 * M_PI * TONE_HZ / RATE * (double)frame);
}

/// A tone of `early_db` to `until_s` and of `level_db` from there on; the caller's to free().
static float *tone(double seconds, double early_db, double until_s, double level_db)
{
    const size_t frames = (size_t)(seconds * RATE);
    float *stereo = malloc(frames * 2 * sizeof *stereo);
    assert_non_null(stereo);
    const double gains[2] = {pow(10, early_db / 20), pow(10, level_db / 20)};
    for (size_t i = 0; i < frames; ++i)
        stereo[2 * i] = stereo[2 * i + 1] =
            (float)((double)tone_at(i) * gains[(double)i >= until_s * RATE]);
    return stereo;
}

static void add_tone(struct rig *rig, int index, double seconds, double level_db)
{
    float *stereo = tone(seconds, level_db, 0, level_db);
    add_track(rig, index, stereo, (size_t)(seconds * RATE), MASTERED_MUSIC);
    free(stereo);
}

/// That do no more to a tone of `level_db` than to raise it.
static struct mastering_targets raised(double makeup_db, double level_db)
{
    return (struct mastering_targets){
        .ceiling_dbtp = -1,
        .width = 1,
        .compressor = {.ratio = 1, .knee_db = 6, .attack_s = 0.02, .release_s = 0.2},
        .makeup_db = makeup_db,
        .predicted_lufs = level_db + makeup_db,
        .limiter = {.lookahead_s = 0.0045, .release_s = 0.1}};
}

/// The analysis of a tone of `level_db`, in both channels, arrives.
static void analyse_tone(struct track *track, double makeup_db, double level_db)
{
    const struct track_record head = {.has_targets = 1, .targets = raised(makeup_db, level_db)};
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

// --- provisional targets

static const double SAME_DB =
    0.1; // what a ramp moves while the chain holds the audio back is within it

// Four seconds were looked at before they were heard, and ten more make news: no sooner, no later, and it is gone
// over to once.
static void targets_get_better_by_what_is_heard_and_are_reached(void **state)
{
    struct rig *rig = *state;
    enum { NEWS = (PROVISIONAL_HEAD_S + PROVISIONAL_CHUNK_S) * RATE, RAMP = 4 * RATE };
    float *stereo = tone(30, -16, PROVISIONAL_HEAD_S, -10);
    add_track(rig, 0, stereo, (size_t)30 * RATE, MASTERED_MUSIC);
    free(stereo);
    start(rig, 0);
    uint32_t first = 0, last = 0; // frames at which the lift changes
    double lift_db = NAN;
    while (rig->heard_frames < NEWS + 2 * RAMP) {
        const double db = measured_lift_db(look(rig));
        if (rig->heard_frames > RATE && fabs(db - lift_db) > 1e-5) {
            first = first ? first : rig->heard_frames;
            last = rig->heard_frames;
        }
        lift_db = db;
        hear_block(rig);
    }
    assert_true(first > NEWS - 2 * BLOCK && first < NEWS + RATE / 4); // a ramp sets out slowly
    assert_true(last > first + RAMP - RATE / 2 && last < first + RAMP);
    // Before them it goes by the first 4 s at -16 LUFS, behind them by 14 s.
    const double mean = (4 * pow(10, -1.6) + 10 * pow(10, -1.0)) / 14;
    const double early_db = measure_db(rms(rig->heard + (size_t)2 * RATE, RATE) * M_SQRT2) + 16;
    const double late_db =
        measure_db(rms(rig->heard + (size_t)2 * (NEWS + RAMP + RATE), RATE) * M_SQRT2) + 10;
    print_message("makeup %.2f, then %.2f dB; sides off by %.3f dB\n", early_db, late_db,
                  rig->off_db);
    assert_true(fabs(early_db - 2) < SAME_DB);
    assert_true(fabs(late_db - (-14 - 10 * log10(mean))) < SAME_DB);
    assert_true(rig->off_db < SAME_DB);
}

// What was looked at before it is heard ends within a block: of that block the rest is news, and no frame is left out.
static void every_frame_goes_into_provisional_targets_once(void **state)
{
    struct rig *rig = *state;
    enum { SECONDS = 12 };
    float *stereo = tone(SECONDS, -16, PROVISIONAL_HEAD_S, -10);
    add_track(rig, 0, stereo, (size_t)SECONDS * RATE, MASTERED_MUSIC);
    memset(&fed, 0, sizeof fed);
    fed.stereo = stereo;
    start_at(rig, 0, 100);
    hear_to(rig, SECONDS - 4);
    stop(rig);
    assert_false(fed.differs);
    assert_true(fed.has_part_of_block);
    assert_true(fed.frames > (size_t)(SECONDS - 4) * RATE);
    free(stereo);
}

// The tone is not what was mastered before: what is done to it beside its makeup is found within seconds, and goes
// on being known when the makeup is another.
static void what_is_done_beside_the_makeup_is_kept_up_with(void **state)
{
    struct rig *rig = *state;
    enum { NEWS = PROVISIONAL_HEAD_S + PROVISIONAL_CHUNK_S };
    float *stereo = tone(30, -16, PROVISIONAL_HEAD_S + 1, -10);
    add_track(rig, 0, stereo, (size_t)30 * RATE, MUSIC);
    free(stereo);
    start(rig, 0);
    hear_to(rig, NEWS - 1);
    const double beyond_db =
        measured_lift_db(look(rig)) - 2; // the makeup by the first 4 s, at -16 LUFS
    rig->off_db = 0;
    hear_to(rig, NEWS + 7);
    print_message("%.2f dB beyond the makeup; sides off by %.3f dB\n", beyond_db, rig->off_db);
    assert_true(fabs(beyond_db) > 0.5);
    assert_true(rig->off_db < SAME_DB);
}

// --- ramps

enum listening {
    AS_MASTERED,
    AS_PLAIN,
    AS_MATCHED,
    TO_AND_FRO,
    LISTENINGS,
};

static void choose(struct rig *rig, enum listening listening)
{
    static const enum callback_sound sounds[] = {CALLBACK_MASTERED, CALLBACK_PLAIN,
                                                 CALLBACK_MATCHED};
    const bool plain_turn = rig->heard_frames / (7 * HOP) % 2;
    callback_set_sound(rig->callback, listening < TO_AND_FRO ? sounds[listening]
                                      : plain_turn           ? CALLBACK_PLAIN
                                                             : CALLBACK_MATCHED);
}

static void hear_as(struct rig *rig, enum listening listening, double seconds)
{
    while (rig->heard_frames + BLOCK <= (uint32_t)(seconds * RATE)) {
        choose(rig, listening);
        hear_block(rig);
    }
}

/// The largest change of level from one tenth of a second to the next.
static double largest_move_db(const float *stereo, uint32_t frames)
{
    double most = 0, last_db = measure_db(rms(stereo, HOP));
    for (uint32_t at = HOP; at + HOP <= frames; at += HOP) {
        const double db = measure_db(rms(stereo + 2 * (size_t)at, HOP));
        most = fmax(most, fabs(db - last_db));
        last_db = db;
    }
    return most;
}

enum { RAMPS_S = 16 };

// Provisional -4 dB; +2 dB by the analysis; while it is on its way there, -6 dB by the album. And who compares
// goes to and fro meanwhile.
static void hear_ramp_in_a_ramp(struct rig *rig, enum listening listening)
{
    static const double LEVEL_DB = -10;
    add_tone(rig, 0, 20, LEVEL_DB);
    start(rig, 1);
    hear_as(rig, listening, 2);
    analyse_tone(rig->tracks[0], 2, LEVEL_DB);
    hear_as(rig, listening, 4); // it sets out behind what the ring holds, two seconds of it
    struct track_album album = {.targets = raised(-6, LEVEL_DB)};
    hear_as(rig, listening, 4.5);
    assert_true(look(rig)->is_on_the_way);
    track_set_album(rig->tracks[0], &album);
    hear_as(rig, listening, 6);
    assert_true(look(rig)->is_on_the_way);
    hear_as(rig, listening, RAMPS_S);
    assert_false(look(rig)->is_on_the_way);
}

static void ramp_in_a_ramp_is_no_step_whoever_listens_and_compares(void **state)
{
    struct rig *rig = *state;
    static const char *const names[LISTENINGS] = {"mastered", "plain", "matched", "to and fro"};
    for (int listening = 0; listening < LISTENINGS; ++listening) {
        hear_ramp_in_a_ramp(rig, (enum listening)listening);
        const uint32_t from = RATE / 2, count = rig->heard_frames - from;
        const float *steady = rig->heard + 2 * (size_t)from;
        const double beside_db = measure_outside_db(steady, 2, count, TONE_HZ, RATE);
        const double move_db = largest_move_db(steady, count);
        print_message("%s: %.1f dBFS beside the tone, at most %.3f dB in 100 ms, sides off by %.3f "
                      "dB\n",
                      names[listening], beside_db, move_db, rig->off_db);
        assert_true(beside_db < -100);
        assert_true(move_db < 1);
        assert_true(rig->off_db < SAME_DB);
        if (listening == AS_MASTERED) { // it has been where the analysis would have it go, nearly
            const double end_db = measure_db(rms(rig->heard + (size_t)2 * 15 * RATE, HOP));
            assert_true(fabs(end_db + 16 - measure_db(M_SQRT1_2)) < SAME_DB);
            assert_true(largest_move_db(rig->heard + (size_t)2 * 6 * RATE, RATE) > 0.05);
        }
        stop(rig);
    }
}

// --- music

/// Whose first 6 s are12 dB quieter than the rest.
static float *music(size_t frames)
{
    int16_t *s16 = scratch_music(7, frames, RATE);
    float *stereo = malloc(frames * 2 * sizeof *stereo);
    assert_non_null(stereo);
    for (size_t i = 0; i < 2 * frames; ++i)
        stereo[i] = (float)s16[i] / 32768.0F * (i < (size_t)12 * RATE ? 0.25F : 1.0F);
    free(s16);
    return stereo;
}

static struct record *record_of(const float *stereo, uint32_t frames,
                                const struct mastering_settings *settings)
{
    struct mastered_tape tape = {
        .interleaved = stereo, .format = {.rate_hz = RATE, .channels = 2}, .frames = frames};
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
static float *short_term(const struct rig *rig, uint32_t *count)
{
    struct output_meter *meter;
    assert_int_equal(output_meter_create(&meter, RATE), 0);
    assert_int_equal(output_meter_feed(meter, rig->heard, rig->heard_frames), 0);
    *count = output_meter_short_term_count(meter);
    float *lufs = calloc(*count + 1, sizeof *lufs);
    assert_non_null(lufs);
    output_meter_short_term_fill(meter, lufs);
    output_meter_destroy(&meter);
    return lufs;
}

// News by what was heard after 14 s, and on that way the analysis.
static float *hear_music(struct rig *rig, const float *stereo, struct record *record,
                         enum listening listening, uint32_t *count)
{
    enum { SECONDS = 30 };
    add_track(rig, 0, stereo, (size_t)SECONDS * RATE, MUSIC);
    start(rig, 0);
    hear_as(rig, listening, 14);
    track_set_record(rig->tracks[0], record, 0);
    hear_as(rig, listening, 26);
    float *lufs = short_term(rig, count);
    stop(rig);
    return lufs;
}

static void compared_sides_of_music_are_equally_loud_on_every_way(void **state)
{
    struct rig *rig = *state;
    enum { FRAMES = 30 * RATE, STEADY = 65 }; // from then on no window holds the music's own step
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

// --- albums

// Its own targets are not those of the album until it is heard; so it begins alone, and goes over to them then.
static void track_told_of_its_album_in_the_last_moment_begins_alone(void **state)
{
    struct rig *rig = *state;
    static const double LEVEL_DB = -10, LENGTH_S = 5;
    struct track_album album = {.targets = raised(3, LEVEL_DB), .next_id = 2};
    add_tone(rig, 0, LENGTH_S, LEVEL_DB);
    add_tone(rig, 1, 15, LEVEL_DB);
    track_set_album(rig->tracks[0], &album);
    album_told = &album;
    to_be_told = rig;
    start(rig, 1);
    hear_to(rig, LENGTH_S);
    assert_true(look(rig)->track == 1); // its last frames
    hear_block(rig);
    assert_true(look(rig)->track == 2);
    const double begun_db = measure_db((double)(look(rig)->plain_gain / look(rig)->mastered_gain));
    hear_to(rig, LENGTH_S + 8);
    assert_false(look(rig)->is_on_the_way);
    const double end_db = measure_db((double)(look(rig)->plain_gain / look(rig)->mastered_gain));
    print_message("by %.2f dB, then %.2f dB; sides off by %.3f dB\n", begun_db, end_db,
                  rig->off_db);
    assert_true(fabs(begun_db + 4) < SAME_DB && fabs(end_db - 3) < SAME_DB);
    assert_true(rig->off_db < SAME_DB);
}

/// Two tones that begin alone or not; the second one's lift is the test's choice.
static void hear_two(struct rig *rig, const struct track_album albums[TRACKS], double until_s)
{
    static const double LEVEL_DB = -10, LENGTH_S = 5;
    add_tone(rig, 0, LENGTH_S, LEVEL_DB);
    add_tone(rig, 1, 15, LEVEL_DB);
    for (int i = 0; i < TRACKS && albums; ++i)
        track_set_album(rig->tracks[i], &albums[i]);
    start(rig, 1);
    hear_to(rig, until_s);
}

// Nothing is joined while one of them is still heard by other targets than the album's.
static void track_whose_album_is_known_as_it_ends_ends_alone(void **state)
{
    struct rig *rig = *state;
    const struct track_album albums[TRACKS] = {{.targets = raised(3, -10), .next_id = 2},
                                               {.targets = raised(3, -10)}};
    rig->albums_told = albums;
    hear_two(rig, NULL, 8);
    assert_true(fabs(measured_lift_db(look(rig)) - 3) < SAME_DB);
    print_message("sides off by %.3f dB\n", rig->off_db);
    assert_true(rig->off_db < SAME_DB);
}

// Of one album, but its sound runs on into another track.
static void track_that_does_not_run_on_into_the_next_ends_alone(void **state)
{
    struct rig *rig = *state;
    const struct track_album albums[TRACKS] = {{.targets = raised(5, -10), .next_id = 3},
                                               {.targets = raised(-5, -10)}};
    hear_two(rig, albums, 8);
    assert_true(fabs(measured_lift_db(look(rig)) + 5) < SAME_DB);
    print_message("sides off by %.3f dB\n", rig->off_db);
    assert_true(rig->off_db < SAME_DB);
}

static void epoch_begins_with_a_third_of_a_second_at_once(void **state)
{
    struct rig *rig = *state;
    add_tone(rig, 0, 10, -10);
    start(rig, 0);
    wait_until_full(rig);
    mutex_lock(&rig->lock);
    assert_int_equal(rig->first_fill, 33); // of 512 frames at 44.1 kHz; the last was not held back
    mutex_unlock(&rig->lock);
}

// Sought before its length was known: it is over.
static void start_past_the_end_is_the_next_tracks_first_frame(void **state)
{
    struct rig *rig = *state;
    add_tone(rig, 0, 5, -10);
    add_tone(rig, 1, 5, -10);
    start_at(rig, 0, (uint64_t)60 * RATE);
    const struct ring_block *block = look(rig);
    assert_true(block->track == 1 && block->frames == 0 && block->first_frame == 5 * RATE);
    hear_block(rig);
    block = look(rig);
    assert_true(block->track == 2 && block->first_frame == BLOCK); // one was heard
}

static void chain_runs_on_into_a_track_of_the_same_album(void **state)
{
    struct rig *rig = *state;
    static const double LEVEL_DB = -10, LENGTH_S = 5;
    const struct track_album albums[TRACKS] = {{.targets = raised(3, LEVEL_DB), .next_id = 2},
                                               {.targets = raised(3, LEVEL_DB)}};
    float *whole = tone(15, LEVEL_DB, 0, LEVEL_DB);
    const size_t split = (size_t)(LENGTH_S * RATE) + 100;
    add_track(rig, 0, whole, split, MASTERED_MUSIC);
    add_track(rig, 1, whole + 2 * split, (size_t)15 * RATE - split, MASTERED_MUSIC);
    free(whole);
    for (int i = 0; i < TRACKS; ++i)
        track_set_album(rig->tracks[i], &albums[i]);
    start(rig, 1);
    hear_to(rig, LENGTH_S + 5);
    const uint32_t from = RATE / 2;
    const double beside_db = measure_outside_db(rig->heard + 2 * (size_t)from, 2,
                                                rig->heard_frames - from, TONE_HZ, RATE);
    print_message("%.1f dBFS beside the tone\n", beside_db);
    assert_true(beside_db < -100);
    assert_true(rig->off_db < SAME_DB);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(targets_get_better_by_what_is_heard_and_are_reached),
        TEST(every_frame_goes_into_provisional_targets_once),
        TEST(what_is_done_beside_the_makeup_is_kept_up_with),
        TEST(ramp_in_a_ramp_is_no_step_whoever_listens_and_compares),
        TEST(compared_sides_of_music_are_equally_loud_on_every_way),
        TEST(track_told_of_its_album_in_the_last_moment_begins_alone),
        TEST(track_whose_album_is_known_as_it_ends_ends_alone),
        TEST(track_that_does_not_run_on_into_the_next_ends_alone),
        TEST(epoch_begins_with_a_third_of_a_second_at_once),
        TEST(start_past_the_end_is_the_next_tracks_first_frame),
        TEST(chain_runs_on_into_a_track_of_the_same_album),
    };
    return cmocka_run_group_tests_name("render", tests, NULL, NULL);
}
