// SPDX-License-Identifier: MIT
#include "support/player_fixture.h"

static const struct setup plain = {.loader = LOADER_AUTO, .cache_entries = 50};

static void write_bytes(struct fixture *f, const char *name, const void *bytes, size_t count)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
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
        TEST(a_storm_of_commands_ends_in_order),
    };
    return cmocka_run_group_tests_name("player", tests, NULL, NULL);
}
