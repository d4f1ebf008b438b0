// SPDX-License-Identifier: MIT
#include "support/render_rig.h"
#include "support/measure.h"
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

// --- the player's side of the render thread

static struct track *next_track(void *context, struct track *track, uint32_t epoch, uint32_t serial)
{
    (void)epoch, (void)serial;
    const struct render_rig *rig = context;
    return track == rig->tracks[0] && rig->tracks[1] ? track_ref(rig->tracks[1]) : NULL;
}

static void note_failure(void *context, struct track *track, const char *text)
{
    struct render_rig *rig = context;
    print_message("%s: %s\n", track_path(track), text);
    mutex_lock(&rig->lock);
    rig->has_failed = true;
    mutex_unlock(&rig->lock);
}

static void note_begin(void *context, struct track *track, uint32_t serial, uint64_t length_frames)
{
    (void)serial, (void)length_frames;
    struct render_rig *rig = context;
    for (int i = 0; i < RIG_TRACKS && rig->albums_told && track == rig->tracks[1]; ++i)
        track_set_album(rig->tracks[i], &rig->albums_told[i]);
}

static void note_block(void *context)
{
    struct render_rig *rig = context;
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

// --- the rig

int render_rig_set_up(void **state)
{
    struct render_rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    scratch_create(rig->folder);
    rig->settings = mastering_settings_default();
    rig->heard = calloc(RIG_HEARD_MOST, 2 * sizeof *rig->heard);
    assert_non_null(rig->heard);
    loop_thread_open(&rig->loop);
    assert_int_equal(mutex_init(&rig->lock), 0);
    assert_int_equal(cond_init(&rig->committed), 0);
    *state = rig;
    return 0;
}

void render_rig_stop(struct render_rig *rig)
{
    render_destroy(&rig->render);
    callback_destroy(&rig->callback);
    ring_destroy(&rig->ring);
    for (int i = 0; i < RIG_TRACKS; ++i)
        track_unref(&rig->tracks[i]);
}

int render_rig_tear_down(void **state)
{
    struct render_rig *rig = *state;
    render_rig_stop(rig);
    assert_int_equal(loop_thread_close(&rig->loop), 0);
    cond_deinit(&rig->committed);
    mutex_deinit(&rig->lock);
    scratch_remove(rig->folder);
    free(rig->heard);
    free(rig);
    return 0;
}

void render_rig_add(struct render_rig *rig, int index, const float *stereo, size_t frames,
                    enum render_rig_content content)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, rig->folder, index ? "b.wav" : "a.wav");
    SF_INFO info = {
        .samplerate = RIG_RATE, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    if (content == RIG_MASTERED_MUSIC)
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

void render_rig_start_at(struct render_rig *rig, int has_albums, uint64_t frame)
{
    assert_int_equal(ring_create(&rig->ring, RIG_RING_BLOCKS, RING_TWO_SIDES), 0);
    assert_int_equal(callback_create(&rig->callback, rig->ring, RIG_RATE, SINK_PACED), 0);
    const struct render_config config = {.ring = rig->ring,
                                         .rate_hz = RIG_RATE,
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

void render_rig_start(struct render_rig *rig, int has_albums)
{
    render_rig_start_at(rig, has_albums, 0);
}

void render_rig_wait(struct render_rig *rig)
{
    mutex_lock(&rig->lock);
    while (ring_fill(rig->ring) < RIG_RING_BLOCKS && !rig->has_failed)
        cond_wait(&rig->committed, &rig->lock);
    assert_false(rig->has_failed);
    mutex_unlock(&rig->lock);
}

double render_rig_rms(const float *stereo, uint32_t frames)
{
    double sum = 0;
    for (size_t i = 0; i < 2 * (size_t)frames; ++i)
        sum += (double)stereo[i] * (double)stereo[i];
    return sqrt(sum / (2.0 * frames));
}

double render_rig_lift_db(const struct ring_block *block)
{
    return measure_db(render_rig_rms(block->samples, RIG_BLOCK) /
                      render_rig_rms(ring_plain_of(block), RIG_BLOCK));
}

/// By how much the sides of a block of a tone are farther apart than its gains make up for.
static double disagreement_db(const struct ring_block *block)
{
    const double lift_db = render_rig_lift_db(block);
    const double begin_db = measure_db((double)(block->plain_gain / block->mastered_gain));
    const double end_db = measure_db((double)(block->plain_to / block->mastered_to));
    return fabs(lift_db - (begin_db + end_db) / 2);
}

const struct ring_block *render_rig_look(struct render_rig *rig)
{
    render_rig_wait(rig);
    return ring_peek(rig->ring);
}

void render_rig_hear_block(struct render_rig *rig)
{
    const struct ring_block *block = render_rig_look(rig);
    if (block->first_frame >= RIG_BLOCK &&
        block->frames == RIG_BLOCK) // the first one begins with silence
        rig->off_db = fmax(rig->off_db, disagreement_db(block));
    assert_true(rig->heard_frames + RIG_BLOCK <= RIG_HEARD_MOST);
    callback_run(rig->callback, rig->heard + 2 * (size_t)rig->heard_frames, RIG_BLOCK);
    rig->heard_frames += RIG_BLOCK;
    render_wake(rig->render);
}

void render_rig_hear_to(struct render_rig *rig, double seconds)
{
    while (rig->heard_frames + RIG_BLOCK <= (uint32_t)(seconds * RIG_RATE))
        render_rig_hear_block(rig);
}

// --- what is played

static float tone_at(size_t frame)
{
    return (float)sin(2 * M_PI * RIG_TONE_HZ / RIG_RATE * (double)frame);
}

/// A tone of `early_db` to `until_s` and of `level_db` from there on; the caller's to free().
float *render_rig_tone(double seconds, double early_db, double until_s, double level_db)
{
    const size_t frames = (size_t)(seconds * RIG_RATE);
    float *stereo = malloc(frames * 2 * sizeof *stereo);
    assert_non_null(stereo);
    const double gains[2] = {pow(10, early_db / 20), pow(10, level_db / 20)};
    for (size_t i = 0; i < frames; ++i)
        stereo[2 * i] = stereo[2 * i + 1] =
            (float)((double)tone_at(i) * gains[(double)i >= until_s * RIG_RATE]);
    return stereo;
}

void render_rig_add_tone(struct render_rig *rig, int index, double seconds, double level_db)
{
    float *stereo = render_rig_tone(seconds, level_db, 0, level_db);
    render_rig_add(rig, index, stereo, (size_t)(seconds * RIG_RATE), RIG_MASTERED_MUSIC);
    free(stereo);
}

/// That do no more to a tone of `level_db` than to raise it.
struct mastering_targets render_rig_raised(double makeup_db, double level_db)
{
    return (struct mastering_targets){
        .ceiling_dbtp = -1,
        .width = 1,
        .compressor = {.ratio = 1, .knee_db = 6, .attack_s = 0.02, .release_s = 0.2},
        .makeup_db = makeup_db,
        .predicted_lufs = level_db + makeup_db,
        .limiter = {.lookahead_s = 0.0045, .release_s = 0.1}};
}
