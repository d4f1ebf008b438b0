// SPDX-License-Identifier: MIT
#include "support/player_fixture.h"

static void plain_sound_of_a_player_that_masters_is_the_files_own(void **state)
{
    struct fixture *f = *state;
    const struct mastering_settings settings = mastering_settings_default();
    const struct setup setup = {.cache_entries = 50, .settings = &settings};
    f->music[2 * 99] = f->music[2 * (RATE + 99)] = INT16_MAX; // it is not raised
    write_file(f, "a.wav", 0, RATE);
    write_file(f, "b.flac", RATE, FRAMES);
    open_player(f, &setup);
    add_file(f, "a.wav");
    add_file(f, "b.flac");
    player_set_sound(f->player, PLAYER_PLAIN);
    struct player_status status;
    player_status(f->player, &status);
    assert_true(status.masters && status.sound == PLAYER_PLAIN);
    (void)play_all(f); // counted elsewhere
    assert_output_is(f, 0, FRAMES);
}

// What the device was given, from the first frame that is not silent on.
struct recorder {
    sink_pull_fn pull;
    void *context;
    float *stereo;
    size_t room;
    _Atomic size_t frames; // those before it are not written any more
};

static uint32_t record(void *context, float *stereo, uint32_t frames)
{
    struct recorder *r = context;
    const uint32_t got = r->pull(r->context, stereo, frames);
    size_t from = 0;
    while (r->frames == 0 && from < got && stereo[2 * from] == 0.0F)
        ++from;
    const size_t left = r->room - r->frames, kept = got - from < left ? got - from : left;
    memcpy(r->stereo + 2 * r->frames, stereo + 2 * from, kept * 2 * sizeof(float));
    r->frames += kept;
    return got;
}

static int open_recorded(void *context, struct sink **out, const struct sink_config *config)
{
    struct recorder *r = context;
    struct sink_config recorded = *config;
    r->pull = config->pull;
    r->context = config->context;
    recorded.pull = record;
    recorded.context = r;
    return sink_open(out, &recorded);
}

static double largest_step(const float *stereo, size_t from, size_t to)
{
    double most = 0;
    for (size_t i = 2 * from + 2; i < 2 * to; ++i)
        most = fmax(most, fabs((double)stereo[i] - (double)stereo[i - 2]));
    return most;
}

// One track of low rate on a device in real time, recorded; with a period of 10 ms.
enum { LOW_RATE = 11025, PERIOD = 110, CROSS = LOW_RATE / 20, LOUD_AT = 50 };

struct comparison {
    struct recorder recorder;
    int16_t *music;
    size_t frames;
    uint64_t id;
};

static const struct mastering_settings *quieter_than_ever(void)
{
    static const struct mastering_settings settings = {
        .goal = LOUDNESS_FIXED, .target_lufs = -30, .preset = PRESET_ADAPTIVE, .intensity = 1};
    return &settings;
}

static void begin_comparison(struct fixture *f, struct comparison *c, size_t frames,
                             const struct mastering_settings *settings)
{
    const struct setup setup = {
        .cache_entries = 50, .device = "null", .speed = 1.0, .settings = settings};
    char path[SCRATCH_PATH_BYTES];
    *c = (struct comparison){.frames = frames, .music = scratch_music(9, frames, LOW_RATE)};
    for (size_t i = 0; i < frames; ++i) // its chords come again
        c->music[2 * i] = (int16_t)(c->music[2 * i] * 0.9 + (double)(i % 97));
    c->music[0] = 999; // heard from the first frame on
    c->music[2 * LOUD_AT] = INT16_MAX;
    scratch_path(path, f->folder, "a.wav");
    scratch_write_s16(path, c->music, frames, LOW_RATE, 2);
    c->recorder.room = frames;
    c->recorder.stereo = calloc(frames, 2 * sizeof(float));
    assert_non_null(c->recorder.stereo);
    f->open_sink = open_recorded;
    f->open_context = &c->recorder;
    f->buffer_frames = PERIOD;
    open_player(f, &setup);
    c->id = add_file(f, "a.wav");
}

static void end_comparison(struct comparison *c)
{
    free(c->recorder.stereo);
    free(c->music);
}

// Wait for so many frames to be heard, from wherever the device is.
static void hear(struct fixture *f, size_t frames)
{
    struct player_totals totals;
    player_totals(f->player, &totals);
    const uint64_t end = totals.frames + frames;
    const int64_t limit = monotonic_ns() + (int64_t)60 * 1000000000;
    while (totals.frames < end) {
        assert_true(monotonic_ns() < limit);
        (void)player_update(f->player, monotonic_ns() + 2000000); // the totals say more
        player_totals(f->player, &totals);
    }
}

static bool is_plain(const struct comparison *c, size_t frame)
{
    return c->recorder.stereo[2 * frame] == (float)c->music[2 * frame] / 32768.0F;
}

// The ring holds seconds; what is heard changes within a period of the command, and is all plain a crossing later.
static void a_comparison_is_heard_within_a_period_whatever_is_rendered_ahead(void **state)
{
    struct fixture *f = *state;
    const struct mastering_settings settings = mastering_settings_default();
    struct comparison c;
    begin_comparison(f, &c, (size_t)3 * LOW_RATE, &settings);
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    wait_for_track(f, c.id);
    hear(f, LOW_RATE / 2);
    struct player_status status;
    player_status(f->player, &status);
    assert_true(status.ring_frames > LOW_RATE); // of a file of 3 s, of which half a second is over
    struct player_totals before, after, totals;
    player_totals(f->player, &before);
    player_set_sound(f->player, PLAYER_PLAIN);
    player_totals(f->player, &after);
    play_to_the_end(f);
    player_totals(f->player, &totals);
    close_player(f);

    assert_int_equal(totals.underruns, 0);
    assert_int_equal(c.recorder.frames, c.frames);
    size_t all_plain = c.frames; // from here on
    while (all_plain > 0 && is_plain(&c, all_plain - 1))
        --all_plain;
    // The track is quieter than its target, and a peak of it forbids to raise it: plain is the louder sound's match at
    // unity, bit for bit. The callback under way may have looked just before the command.
    assert_true(all_plain > before.frames);
    assert_true(all_plain <= after.frames + 2 * PERIOD + CROSS);
    assert_true(largest_step(c.recorder.stereo, before.frames, all_plain + PERIOD) <=
                1.1 * largest_step(c.recorder.stereo, LOUD_AT + 200, c.frames));
    end_comparison(&c);
}

// Where in the music the last `count` frames that were heard by `end` are, at its own level; -1: nowhere.
static ptrdiff_t place_of_last(const struct comparison *c, size_t count, size_t end)
{
    const size_t at = end - count;
    for (size_t k = 0; k + count <= c->frames; ++k) {
        size_t n = 0;
        while (n < count &&
               c->recorder.stereo[2 * (at + n)] == (float)c->music[2 * (k + n)] / 32768.0F)
            ++n;
        if (n == count)
            return (ptrdiff_t)k;
    }
    return -1;
}

// What is heard is plain sound that began at `position_s` when `begun` frames were heard.
static void expect_plain_from(struct fixture *f, const struct comparison *c, double position_s,
                              size_t begun)
{
    hear(f, LOW_RATE / 2);
    struct player_status status;
    player_status(f->player, &status);
    assert_true(status.compares && status.sound == PLAYER_PLAIN);
    const size_t end = c->recorder.frames;
    const ptrdiff_t place = place_of_last(c, LOW_RATE / 5, end);
    const ptrdiff_t from = (ptrdiff_t)(position_s * LOW_RATE);
    assert_true(place > from && place <= from + (ptrdiff_t)(end - begun));
}

// While the analysis is still to come, and when it is there; a seek that another follows at once among them.
static void a_comparison_goes_on_behind_seeks(void **state)
{
    struct fixture *f = *state;
    const struct mastering_settings settings = mastering_settings_default();
    struct comparison c;
    begin_comparison(f, &c, (size_t)6 * LOW_RATE, &settings);
    player_set_sound(f->player, PLAYER_PLAIN);
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    player_seek(f->player, 2.0);
    wait_for_track(f, c.id);
    expect_plain_from(f, &c, 2.0, 0);
    player_set_sound(f->player, PLAYER_MASTERED);
    player_seek(f->player, 1.0);
    hear(f, LOW_RATE / 4);
    struct player_status status;
    player_status(f->player, &status);
    assert_true(status.compares && status.sound == PLAYER_MASTERED && status.match_db < -1);
    const size_t begun = c.recorder.frames;
    assert_int_equal(place_of_last(&c, LOW_RATE / 10, begun), -1);
    player_seek(f->player, 0.5);
    player_set_sound(f->player, PLAYER_PLAIN);
    player_seek(f->player, 3.0);
    expect_plain_from(f, &c, 3.0, begun);
    struct player_totals totals;
    player_totals(f->player, &totals);
    assert_int_equal(totals.underruns, 0);
    const size_t heard = c.recorder.frames;
    play_to_the_end(f);
    close_player(f);
    assert_true(largest_step(c.recorder.stereo, LOUD_AT + 200, heard) <=
                1.1 * largest_step(c.recorder.stereo, heard, c.recorder.frames));
    end_comparison(&c);
}

static void the_louder_side_of_a_comparison_is_lowered_to_the_other(void **state)
{
    struct fixture *f = *state;
    struct comparison c;
    begin_comparison(f, &c, (size_t)4 * LOW_RATE, quieter_than_ever());
    player_set_sound(f->player, PLAYER_PLAIN);
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    wait_for_track(f, c.id);
    struct player_status status;
    const int64_t limit = monotonic_ns() + (int64_t)60 * 1000000000;
    do { // the blocks rendered before the analysis was there go by the makeup alone
        assert_true(monotonic_ns() < limit);
        hear(f, PERIOD);
        player_status(f->player, &status);
    } while (status.match_db == 0);
    assert_true(status.compares && status.sound == PLAYER_PLAIN);
    // The music is at about -20 LUFS, the target at -30.
    assert_true(status.match_db > -13 && status.match_db < -7);
    player_set_sound(f->player, PLAYER_MASTERED);
    hear(f, 2 * PERIOD);
    player_status(f->player, &status);
    assert_true(status.match_db == 0);
    assert_true(status.compares && status.sound == PLAYER_MASTERED);
    play_to_the_end(f);
    close_player(f);
    end_comparison(&c);
}

static void a_comparison_ends_with_the_next_track_that_is_heard_mastered(void **state)
{
    struct fixture *f = *state;
    const struct mastering_settings settings = mastering_settings_default();
    const struct setup setup = {
        .cache_entries = 50, .device = "null", .speed = 1.0, .settings = &settings};
    write_file(f, "a.wav", 0, FRAMES);
    write_file(f, "b.wav", 0, FRAMES);
    open_player(f, &setup);
    const uint64_t a = add_file(f, "a.wav"), b = add_file(f, "b.wav");
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    wait_for_track(f, a);
    struct player_status status;
    player_status(f->player, &status);
    assert_true(!status.compares && status.match_db == 0);
    player_set_sound(f->player, PLAYER_PLAIN);
    player_next(f->player);
    wait_for_track(f, b);
    player_status(f->player, &status);
    assert_true(status.compares); // plain is still heard
    player_set_sound(f->player, PLAYER_MASTERED);
    player_seek(f->player, 1.0);
    player_status(f->player, &status);
    assert_true(status.compares); // the same track
    player_previous(f->player);
    wait_for_track(f, a);
    const int64_t limit = monotonic_ns() + (int64_t)60 * 1000000000;
    do { // it is planned; now it is to be heard
        assert_true(monotonic_ns() < limit);
        (void)player_update(f->player, monotonic_ns() + 2000000); // the status says more
        player_status(f->player, &status);
        assert_int_equal(status.queue_id, a);
    } while (status.compares);
    player_stop(f->player);
}

static void mastered_sound_comes_back_to_its_level_when_it_was_heard_for_long(void **state)
{
    struct fixture *f = *state;
    const struct mastering_settings settings = mastering_settings_default();
    const struct setup setup = {
        .cache_entries = 50, .device = "null", .speed = 20.0, .settings = &settings};
    enum { LONG = 60 * LOW_RATE, COMPARISON = PLAYER_COMPARISON_S * LOW_RATE };
    char path[SCRATCH_PATH_BYTES];
    int16_t *music = scratch_music(9, LONG, LOW_RATE);
    scratch_path(path, f->folder, "a.wav");
    scratch_write_s16(path, music, LONG, LOW_RATE, 2);
    free(music);
    open_player(f, &setup);
    const uint64_t id = add_file(f, "a.wav");
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    wait_for_track(f, id);
    player_set_sound(f->player, PLAYER_PLAIN);
    hear(f, COMPARISON + LOW_RATE);
    struct player_status status;
    player_status(f->player, &status);
    assert_true(status.compares); // plain sound may be heard for as long as one likes
    struct player_totals before, totals;
    player_totals(f->player, &before);
    player_set_sound(f->player, PLAYER_MASTERED);
    do {
        hear(f, PERIOD);
        player_totals(f->player, &totals);
        player_status(f->player, &status);
        assert_int_equal(status.state, PLAYER_PLAYING);
        assert_true(status.compares || totals.frames >= before.frames + COMPARISON);
    } while (status.compares);
    player_stop(f->player);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(plain_sound_of_a_player_that_masters_is_the_files_own),
        TEST(a_comparison_is_heard_within_a_period_whatever_is_rendered_ahead),
        TEST(a_comparison_goes_on_behind_seeks),
        TEST(the_louder_side_of_a_comparison_is_lowered_to_the_other),
        TEST(mastered_sound_comes_back_to_its_level_when_it_was_heard_for_long),
        TEST(a_comparison_ends_with_the_next_track_that_is_heard_mastered),
    };
    return cmocka_run_group_tests_name("player", tests, NULL, NULL);
}
