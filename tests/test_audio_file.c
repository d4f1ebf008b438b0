// SPDX-License-Identifier: MIT
#include "io/writing/audio_file.h"
#include "support/scratch.h"
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[SCRATCH_PATH_BYTES];

static int set_up(void **state)
{
    (void)state;
    scratch_create(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static int files_in_folder(void)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

static struct audio_file *create(const char *name, enum audio_file_format format)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, name);
    const struct audio_file_config config = {
        .path = path, .format = format, .rate_hz = 48000, .channels = 2};
    struct audio_file *file;
    assert_int_equal(audio_file_create(&file, &config), 0);
    return file;
}

static void what_takes_the_place_of_a_file_has_its_rights(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_BYTES];
    struct stat st;
    const mode_t mask = umask(022);
    scratch_path(path, folder, "a.wav");
    for (unsigned i = 0; i < 2; ++i) {
        struct audio_file *file = create("a.wav", AUDIO_FILE_F32);
        assert_int_equal(audio_file_commit(&file), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, i == 0 ? 0644 : 0600);
        assert_int_equal(chmod(path, 0600), 0);
    }
    umask(mask);
}

static void float_samples_come_back_bit_for_bit(void **state)
{
    (void)state;
    const float in[6] = {0.1F, -1.5F, 1e-30F, 3.0F, 0.0F, -0.25F};
    struct audio_file *file = create("a.wav", AUDIO_FILE_F32);
    assert_int_equal(audio_file_write(file, in, 2), 0);
    assert_int_equal(audio_file_write(file, in + 4, 1), 0);
    assert_int_equal(audio_file_commit(&file), 0);
    assert_null(file);
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "a.wav");
    size_t frames;
    uint32_t rate_hz, channels;
    float *out = scratch_read(path, &frames, &rate_hz, &channels);
    assert_int_equal(frames, 3);
    assert_int_equal(rate_hz, 48000);
    assert_memory_equal(out, in, sizeof(in));
    free(out);
}

static void integer_flac_keeps_24_bits_and_counts_what_it_clips(void **state)
{
    (void)state;
    const float in[4] = {12345.0F / 8388608.0F, -1.0F, 1.25F, 0.5F};
    struct audio_file *file = create("a.flac", AUDIO_FILE_S24);
    assert_int_equal(audio_file_write(file, in, 2), 0);
    assert_int_equal(audio_file_clipped_samples(file), 1);
    assert_int_equal(audio_file_commit(&file), 0);
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "a.flac");
    size_t frames;
    uint32_t rate_hz, channels;
    float *out = scratch_read(path, &frames, &rate_hz, &channels);
    assert_true(out[0] == in[0] && out[1] == -1.0F && out[3] == 0.5F);
    assert_true(out[2] == 8388607.0F / 8388608.0F);
    free(out);
}

static void nothing_stands_under_the_name_before_the_commit(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "a.wav");
    scratch_write_s16(path, (const int16_t[2]){5, 6}, 1, 8000, 2);
    const int16_t in[4] = {1, 2, 3, 4};
    struct audio_file *file = create("a.wav", AUDIO_FILE_S16);
    assert_int_equal(audio_file_write_s16(file, in, 2), 0);
    size_t frames;
    uint32_t rate_hz, channels;
    free(scratch_read(path, &frames, &rate_hz, &channels));
    assert_int_equal(frames, 1); // the old file
    audio_file_discard(&file);
    assert_int_equal(files_in_folder(), 1);
}

static void what_cannot_be_written_is_refused_without_a_trace(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_BYTES];
    struct audio_file *file;
    scratch_path(path, folder, "a.flac");
    struct audio_file_config config = {
        .path = path, .format = AUDIO_FILE_F32, .rate_hz = 48000, .channels = 2};
    assert_int_equal(audio_file_create(&file, &config), -EINVAL);
    scratch_path(path, folder, "a.mp3");
    assert_int_equal(audio_file_create(&file, &config), -EINVAL);
    scratch_path(path, folder, "none/a.wav");
    assert_int_equal(audio_file_create(&file, &config), -ENOENT);
    assert_null(file);
    assert_int_equal(files_in_folder(), 0);
}

static void flac_takes_the_rates_that_its_frames_can_name_and_no_other(void **state)
{
    (void)state;
    static const uint32_t rates_hz[] = {1000, 65535, 88200, 176400, 384000, 655350},
                          others_hz[] = {65536, 88201, 655360, 768000};
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "a.flac");
    struct audio_file_config config = {.path = path, .format = AUDIO_FILE_S24, .channels = 1};
    for (size_t i = 0; i < sizeof(rates_hz) / sizeof(rates_hz[0]); ++i) {
        struct audio_file *file;
        config.rate_hz = rates_hz[i];
        assert_null(audio_file_refusal(&config));
        assert_int_equal(audio_file_create(&file, &config), 0);
        assert_int_equal(audio_file_write(file, (const float[1]){0.5F}, 1), 0);
        assert_int_equal(audio_file_commit(&file), 0);
        size_t frames;
        uint32_t rate_hz, channels;
        free(scratch_read(path, &frames, &rate_hz, &channels));
        assert_int_equal(rate_hz, rates_hz[i]);
    }
    for (size_t i = 0; i < sizeof(others_hz) / sizeof(others_hz[0]); ++i) {
        config.rate_hz = others_hz[i];
        assert_non_null(audio_file_refusal(&config));
    }
}

// The four bytes at `at`, as text.
static void read_id(const char *name, long at, char id[5])
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fread(id, 1, 4, file), 4);
    id[4] = 0;
    fclose(file);
}

static void wav_that_may_grow_over_4_gib_has_sizes_of_64_bits(void **state)
{
    (void)state;
    static const struct {
        uint64_t frames;
        const char *id;
    } cases[] = {{.frames = 6 * 3600 * 44100U, .id = "RIFF"},  // of 16 bits, mono: 1.9 GB
                 {.frames = 20 * 3600 * 44100U, .id = "RF64"}, // 6.4 GB
                 {.frames = UINT64_MAX, .id = "RF64"}};
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "long.wav");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        const struct audio_file_config config = {.path = path,
                                                 .format = AUDIO_FILE_S16,
                                                 .rate_hz = 44100,
                                                 .channels = 1,
                                                 .frames = cases[i].frames};
        struct audio_file *file;
        char id[5];
        assert_null(audio_file_refusal(&config));
        assert_int_equal(audio_file_create(&file, &config), 0);
        assert_int_equal(audio_file_write_s16(file, (const int16_t[3]){1, 2, 3}, 3), 0);
        assert_int_equal(audio_file_commit(&file), 0);
        read_id("long.wav", 0, id);
        assert_string_equal(id, cases[i].id);
        size_t frames;
        uint32_t rate_hz, channels;
        free(scratch_read(path, &frames, &rate_hz, &channels));
        assert_int_equal(frames, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_takes_the_place_of_a_file_has_its_rights, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(float_samples_come_back_bit_for_bit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(integer_flac_keeps_24_bits_and_counts_what_it_clips, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_stands_under_the_name_before_the_commit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_refused_without_a_trace, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(flac_takes_the_rates_that_its_frames_can_name_and_no_other,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(wav_that_may_grow_over_4_gib_has_sizes_of_64_bits, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("audio_file", tests, NULL, NULL);
}
