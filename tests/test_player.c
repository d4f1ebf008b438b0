// SPDX-License-Identifier: MIT
// The whole path, in process: files, scheduler, render thread, ring, callback, WAV and virtual devices.
#include "engine/monotonic.h"
#include "engine/player.h"
#include "support/rng.h"
#include "support/scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 44100, FRAMES = 3 * RATE };

struct fixture {
    char folder[SCRATCH_PATH_BYTES];
    char out[SCRATCH_PATH_BYTES];
    char device[SCRATCH_PATH_BYTES + 8];
    struct log log;
    int log_fd;
    struct scheduler *scheduler;
    struct player *player;
    int16_t *music;
    int (*open_sink)(void *open_context, struct sink **out, const struct sink_config *config);
    void *open_context;
    uint32_t buffer_frames;
};

struct setup {
    enum loader_backend loader;
    size_t cache_entries;
    const struct mastering_settings *settings;
    const char *device; // NULL: a WAV file
    double speed;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    scratch_create(f->folder);
    scratch_path(f->out, f->folder, "out.wav");
    snprintf(f->device, sizeof(f->device), "wav:%s", f->out);
    f->log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_init(&f->log, getenv("SEGUE_TEST_LOG") ? 2 : f->log_fd, LOG_LEVEL_ERROR);
    f->music = scratch_music(1, FRAMES, RATE);
    *state = f;
    return 0;
}

static void close_player(struct fixture *f)
{
    assert_int_equal(player_destroy(&f->player), 0);
    scheduler_destroy(&f->scheduler);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    close_player(f);
    scratch_remove(f->folder);
    close(f->log_fd);
    free(f->music);
    free(f);
    return 0;
}

static void open_player(struct fixture *f, const struct setup *setup)
{
    struct scheduler_config scheduler = {.loader = setup->loader,
                                         .backend = {.workers = 2, .nice = 0},
                                         .cache = analysis_cache_config_default(),
                                         .settings = mastering_settings_default(),
                                         .log = &f->log};
    scheduler.cache.capacity_entries = setup->cache_entries;
    assert_int_equal(scheduler_create(&f->scheduler, &scheduler), 0);
    const struct player_config config = {.scheduler = f->scheduler,
                                         .device = setup->device ? setup->device : f->device,
                                         .speed = setup->speed > 0 ? setup->speed : INFINITY,
                                         .buffer_frames = f->buffer_frames,
                                         .settings = setup->settings,
                                         .open_sink = f->open_sink,
                                         .open_context = f->open_context,
                                         .log = &f->log};
    assert_int_equal(player_create(&f->player, &config), 0);
}

static const struct setup plain = {.loader = LOADER_AUTO, .cache_entries = 50};

static uint64_t add_file(struct fixture *f, const char *name)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, name);
    uint64_t id;
    assert_int_equal(player_add(f->player, path, &id), 0);
    return id;
}

static void write_file(struct fixture *f, const char *name, size_t start, size_t end)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, name);
    scratch_write_s16(path, f->music + 2 * start, end - start, RATE, 2);
}

static void write_bytes(struct fixture *f, const char *name, const void *bytes, size_t count)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void play_to_the_end(struct fixture *f)
{
    const int64_t limit = monotonic_ns() + (int64_t)120 * 1000000000;
    while (player_update(f->player, monotonic_ns() + 20000000) != PLAYER_STOPPED)
        assert_true(monotonic_ns() < limit);
}

static struct player_totals play_all(struct fixture *f)
{
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    play_to_the_end(f);
    struct player_totals totals;
    player_totals(f->player, &totals);
    assert_int_equal(player_destroy(&f->player), 0);
    scheduler_destroy(&f->scheduler);
    return totals;
}

static void assert_output_is(struct fixture *f, size_t start, size_t frames)
{
    size_t got;
    uint32_t rate_hz, channels;
    float *out = scratch_read(f->out, &got, &rate_hz, &channels);
    assert_int_equal(got, frames);
    assert_int_equal(rate_hz, RATE);
    assert_int_equal(channels, 2);
    for (size_t i = 0; i < 2 * frames; ++i) {
        if (out[i] != (float)f->music[2 * start + i] / 32768.0F)
            fail_msg("sample %zu differs", i);
    }
    free(out);
}

static void one_recording_split_in_three_is_bit_identical_at_the_device(void **state)
{
    struct fixture *f = *state;
    write_file(f, "a.wav", 0, 61234);
    write_file(f, "b.flac", 61234, 61235); // a single frame
    write_file(f, "c.flac", 61235, FRAMES);
    open_player(f, &plain);
    add_file(f, "a.wav");
    add_file(f, "b.flac");
    add_file(f, "c.flac");
    const struct player_totals totals = play_all(f);
    assert_int_equal(totals.played, 3);
    assert_int_equal(totals.failed, 0);
    assert_int_equal(totals.frames, FRAMES);
    assert_output_is(f, 0, FRAMES);
}

static void a_track_starts_at_the_frame_asked_for(void **state)
{
    struct fixture *f = *state;
    write_file(f, "a.flac", 0, FRAMES);
    open_player(f, &plain);
    add_file(f, "a.flac");
    assert_int_equal(player_play(f->player, 0, 10.0), -EINVAL);
    assert_int_equal(player_play(f->player, 0, 1.25), 0);
    play_to_the_end(f);
    close_player(f);
    assert_output_is(f, 55125, FRAMES - 55125);
}

static void a_track_of_another_rate_is_resampled_to_the_rounded_length(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES];
    write_file(f, "a.wav", 0, RATE);
    scratch_path(path, f->folder, "b.wav");
    scratch_write_s16(path, f->music, 100003, 48000, 2);
    scratch_path(path, f->folder, "c.wav");
    scratch_write_s16(path, f->music, 7, 8000, 2);
    open_player(f, &plain);
    add_file(f, "a.wav");
    add_file(f, "b.wav");
    add_file(f, "c.wav");
    const struct player_totals totals = play_all(f);
    // 100003 * 44100 / 48000 = 91877.76, 7 * 44100 / 8000 = 38.59
    assert_int_equal(totals.frames, RATE + 91878 + 39);
}

static void what_cannot_be_played_is_passed_over_and_the_queue_goes_on(void **state)
{
    struct fixture *f = *state;
    static const unsigned char zeros[4096];
    write_file(f, "a.wav", 0, RATE);
    write_bytes(f, "empty.wav", "", 0);
    write_bytes(f, "text.flac", "no audio here\n", 14);
    write_bytes(f, "zeros.ogg", zeros, sizeof(zeros));
    write_file(f, "b.wav", RATE, FRAMES);
    open_player(f, &plain);
    add_file(f, "missing.wav");
    add_file(f, "a.wav");
    add_file(f, "empty.wav");
    add_file(f, "text.flac");
    add_file(f, "");
    add_file(f, "zeros.ogg");
    add_file(f, "b.wav");
    const struct player_totals totals = play_all(f);
    assert_int_equal(totals.played, 2);
    assert_int_equal(totals.failed, 5);
    assert_int_equal(totals.tracks, 7);
    assert_output_is(f, 0, FRAMES);
}

// What is there is heard, that it is not all is said, and the queue goes on.
static void truncated_track_is_heard_to_its_end_and_named(void **state)
{
    struct fixture *f = *state;
    enum { WHOLE = 2 * RATE, SOUND = RATE, HEADER_BYTES = 44 };
    char path[SCRATCH_PATH_BYTES], line[1024], expected[1024];
    FILE *lines = tmpfile();
    assert_non_null(lines);
    log_init(&f->log, fileno(lines), LOG_LEVEL_ERROR);
    write_file(f, "a.wav", 0, WHOLE);
    scratch_path(path, f->folder, "a.wav");
    assert_int_equal(truncate(path, HEADER_BYTES + 4 * SOUND), 0);
    write_file(f, "b.wav", 0, RATE);
    open_player(f, &plain);
    add_file(f, "a.wav");
    add_file(f, "b.wav");
    const struct player_totals totals = play_all(f);
    assert_int_equal(totals.failed, 1);
    assert_int_equal(totals.frames, SOUND + RATE);
    snprintf(expected, sizeof(expected), "segue: %s: truncated: 1.0 of 2.0 s are there\n", path);
    rewind(lines);
    assert_non_null(fgets(line, sizeof(line), lines));
    assert_string_equal(line, expected);
    assert_null(fgets(line, sizeof(line), lines)); // once
    assert_int_equal(fclose(lines), 0);
}

static void a_queue_of_nothing_playable_ends(void **state)
{
    struct fixture *f = *state;
    open_player(f, &plain);
    add_file(f, "missing.wav");
    add_file(f, "missing too.wav");
    player_set_repeat(f->player, QUEUE_REPEAT_ALL);
    assert_int_equal(player_play(f->player, 0, 0.0), -ENOENT);
    struct player_totals totals;
    player_totals(f->player, &totals);
    assert_int_equal(totals.failed, 2);
}

static void every_switch_can_be_off_in_any_mix(void **state)
{
    struct fixture *f = *state;
    write_file(f, "a.wav", 0, RATE);
    write_file(f, "b.flac", RATE, 2 * RATE);
    static const struct mastering_settings adaptive = {.preset = PRESET_ADAPTIVE, .intensity = 1.0};
    for (int mix = 0; mix < 8; ++mix) {
        const struct setup setup = {.loader = mix & 1 ? LOADER_THREADS : LOADER_AUTO,
                                    .cache_entries = mix & 2 ? 0 : 50,
                                    .settings = mix & 4 ? &adaptive : NULL};
        open_player(f, &setup);
        add_file(f, "a.wav");
        add_file(f, "b.flac");
        const struct player_totals totals = play_all(f);
        assert_int_equal(totals.played, 2);
        assert_int_equal(totals.frames, 2 * RATE);
        if (!setup.settings)
            assert_output_is(f, 0, 2 * RATE);
    }
}

static void mastered_output_is_a_function_of_the_queue_alone(void **state)
{
    struct fixture *f = *state;
    const struct mastering_settings settings = mastering_settings_default();
    const struct setup mastered = {.cache_entries = 50, .settings = &settings};
    write_file(f, "a.wav", 0, RATE);
    write_file(f, "b.flac", RATE, FRAMES);
    float *first = NULL;
    for (int round = 0; round < 2; ++round) {
        open_player(f, &mastered);
        add_file(f, "a.wav");
        add_file(f, "b.flac");
        (void)play_all(f); // counted elsewhere
        size_t frames;
        uint32_t rate_hz, channels;
        float *out = scratch_read(f->out, &frames, &rate_hz, &channels);
        assert_int_equal(frames, FRAMES);
        if (first)
            assert_memory_equal(first, out, frames * 2 * sizeof(float));
        else
            assert_memory_not_equal(out, f->music, 64);
        free(first);
        first = out;
    }
    free(first);
}

// On the paced virtual device, at a speed that leaves time for edits.
static const struct setup paced = {.cache_entries = 50, .device = "null", .speed = 20.0};

static void wait_for_track(struct fixture *f, uint64_t id)
{
    const int64_t limit = monotonic_ns() + (int64_t)60 * 1000000000;
    struct player_status status;
    do {
        assert_true(monotonic_ns() < limit);
        (void)player_update(f->player, monotonic_ns() + 2000000); // the status says more
        player_status(f->player, &status);
    } while (status.queue_id != id);
}

static void an_edit_of_what_comes_next_is_heard(void **state)
{
    struct fixture *f = *state;
    write_file(f, "a.wav", 0, FRAMES);
    write_file(f, "b.wav", 0, FRAMES);
    write_file(f, "c.wav", 0, FRAMES);
    open_player(f, &paced);
    const uint64_t a = add_file(f, "a.wav");
    const uint64_t b = add_file(f, "b.wav");
    const uint64_t c = add_file(f, "c.wav");
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    wait_for_track(f, a);
    assert_int_equal(player_remove(f->player, b), 0);
    wait_for_track(f, c);
    play_to_the_end(f);
    struct player_totals totals;
    player_totals(f->player, &totals);
    assert_int_equal(totals.played, 2);
    assert_int_equal(totals.failed, 0);
}

static void removing_what_is_heard_goes_on_to_the_next(void **state)
{
    struct fixture *f = *state;
    write_file(f, "a.wav", 0, FRAMES);
    write_file(f, "b.wav", 0, FRAMES);
    open_player(f, &paced);
    const uint64_t a = add_file(f, "a.wav");
    const uint64_t b = add_file(f, "b.wav");
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    wait_for_track(f, a);
    assert_int_equal(player_remove(f->player, a), 0);
    wait_for_track(f, b);
    play_to_the_end(f);
}

static void a_pause_holds_the_position_and_resume_goes_on(void **state)
{
    struct fixture *f = *state;
    write_file(f, "a.wav", 0, FRAMES);
    open_player(f, &paced);
    const uint64_t a = add_file(f, "a.wav");
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    wait_for_track(f, a);
    player_pause(f->player);
    struct player_status first, second;
    (void)player_update(f->player, monotonic_ns() + 20000000); // the pause reaches the device
    player_status(f->player, &first);
    (void)player_update(f->player, monotonic_ns() + 50000000); // a second of the device's time
    player_status(f->player, &second);
    assert_int_equal(second.state, PLAYER_PAUSED);
    assert_true(second.elapsed_s == first.elapsed_s);
    player_resume(f->player);
    play_to_the_end(f);
}

static void the_next_track_is_analysed_while_the_current_one_is_heard(void **state)
{
    struct fixture *f = *state;
    const struct mastering_settings settings = mastering_settings_default();
    const struct setup setup = {
        .cache_entries = 50, .device = "null", .speed = 1.0, .settings = &settings};
    write_file(f, "a.wav", 0, FRAMES);
    write_file(f, "b.wav", RATE, FRAMES);
    open_player(f, &setup);
    const uint64_t a = add_file(f, "a.wav");
    add_file(f, "b.wav");
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    wait_for_track(f, a);
    player_pause(f->player); // however slow the machine is, the track does not end
    const int64_t limit = monotonic_ns() + (int64_t)120 * 1000000000;
    struct player_status status;
    do {
        assert_true(monotonic_ns() < limit);
        (void)player_update(f->player, monotonic_ns() + 10000000); // the status says more
        player_status(f->player, &status);
        assert_int_equal(status.queue_id, a);
    } while (!status.next.analysed);
    assert_true(status.has_next);
    assert_true(status.next.loaded_bytes >= status.next.size_bytes);
}

static void a_player_can_be_destroyed_while_a_file_takes_its_audio(void **state)
{
    struct fixture *f = *state;
    write_file(f, "a.wav", 0, FRAMES);
    uint64_t frames = 0;
    for (int round = 0; round < 40; ++round) {
        open_player(f, &plain);
        for (int i = 0; i < 20; ++i)
            add_file(f, "a.wav");
        assert_int_equal(player_play(f->player, 0, 0.0), 0);
        (void)player_update(f->player, monotonic_ns() + round * 200000); // any state will do
        struct player_totals totals;
        player_totals(f->player, &totals);
        frames += totals.frames;
        close_player(f);
    }
    assert_true(frames > 0);
}

static void a_storm_of_commands_ends_in_order(void **state)
{
    struct fixture *f = *state;
    const struct mastering_settings settings = mastering_settings_default();
    const struct setup setup = {
        .cache_entries = 50, .device = "null", .speed = 50.0, .settings = &settings};
    enum { TRACKS = 5, COMMANDS = 150 };
    uint64_t ids[TRACKS], random = 42, commands = 0;
    open_player(f, &setup);
    for (int i = 0; i < TRACKS; ++i) {
        char name[24];
        snprintf(name, sizeof(name), "%d.flac", i);
        write_file(f, name, 0, (size_t)RATE * (1 + (size_t)i % 3));
        ids[i] = add_file(f, name);
    }
    player_set_repeat(f->player, QUEUE_REPEAT_ALL);
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    for (int i = 0; i < COMMANDS; ++i, ++commands) {
        const uint64_t r = rng_next(&random);
        switch (r % 9) {
        case 8:
            player_set_sound(f->player, r & 16 ? PLAYER_PLAIN : PLAYER_MASTERED);
            break;
        case 0:
            player_next(f->player);
            break;
        case 1:
            player_previous(f->player);
            break;
        case 2:
            player_pause(f->player);
            break;
        case 3:
            player_resume(f->player);
            break;
        case 4:
            assert_int_equal(player_move(f->player, ids[r / 8 % TRACKS], r / 64 % TRACKS), 0);
            break;
        case 5:
            player_set_shuffle(f->player, r & 64 ? QUEUE_SHUFFLED : QUEUE_IN_ORDER, r);
            break;
        case 6:
            assert_int_equal(player_play(f->player, ids[r / 8 % TRACKS], 0.0), 0);
            break;
        default:
            player_seek(f->player, rng_unit(&random) * 3.0);
            break;
        }
        if (r & 1024)
            (void)player_update(f->player,
                                monotonic_ns() + (int64_t)(r % 5000000)); // any state will do
    }
    player_set_repeat(f->player, QUEUE_REPEAT_OFF);
    player_resume(f->player);
    play_to_the_end(f);
    struct player_totals totals;
    player_totals(f->player, &totals);
    assert_int_equal(commands, COMMANDS);
    assert_int_equal(totals.failed, 0);
    assert_true(totals.frames > 0);
}

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

static void do_nothing(struct scheduler_task *task)
{
    (void)task;
}

static void a_scheduler_ends_whatever_was_posted_just_before(void **state)
{
    struct fixture *f = *state;
    const struct scheduler_config config = {.backend = {.workers = 1},
                                            .cache = analysis_cache_config_default(),
                                            .settings = mastering_settings_default(),
                                            .log = &f->log};
    for (int round = 0; round < 100; ++round) {
        struct scheduler_task task = {.run = do_nothing};
        assert_int_equal(scheduler_create(&f->scheduler, &config), 0);
        if (round % 2)
            assert_int_equal(scheduler_set_plan(f->scheduler, NULL, 0), 0);
        scheduler_post(f->scheduler, &task);
        scheduler_destroy(&f->scheduler); // one wake for both, as often as not
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_recording_split_in_three_is_bit_identical_at_the_device),
        TEST(a_track_starts_at_the_frame_asked_for),
        TEST(a_track_of_another_rate_is_resampled_to_the_rounded_length),
        TEST(what_cannot_be_played_is_passed_over_and_the_queue_goes_on),
        TEST(truncated_track_is_heard_to_its_end_and_named),
        TEST(a_queue_of_nothing_playable_ends),
        TEST(every_switch_can_be_off_in_any_mix),
        TEST(mastered_output_is_a_function_of_the_queue_alone),
        TEST(an_edit_of_what_comes_next_is_heard),
        TEST(removing_what_is_heard_goes_on_to_the_next),
        TEST(a_pause_holds_the_position_and_resume_goes_on),
        TEST(the_next_track_is_analysed_while_the_current_one_is_heard),
        TEST(a_player_can_be_destroyed_while_a_file_takes_its_audio),
        TEST(a_scheduler_ends_whatever_was_posted_just_before),
        TEST(plain_sound_of_a_player_that_masters_is_the_files_own),
        TEST(a_comparison_is_heard_within_a_period_whatever_is_rendered_ahead),
        TEST(a_comparison_goes_on_behind_seeks),
        TEST(the_louder_side_of_a_comparison_is_lowered_to_the_other),
        TEST(mastered_sound_comes_back_to_its_level_when_it_was_heard_for_long),
        TEST(a_comparison_ends_with_the_next_track_that_is_heard_mastered),
        TEST(a_storm_of_commands_ends_in_order),
    };
    return cmocka_run_group_tests_name("player", tests, NULL, NULL);
}
