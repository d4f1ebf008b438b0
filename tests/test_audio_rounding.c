// SPDX-License-Identifier: MIT
#include "io/writing/audio_file.h"
#include "support/scratch.h"
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
// cmocka.h wants those above it
#include <cmocka.h>

enum { RATE_HZ = 44100 };

// Steps of 24 bits, and what they are to become.
static const double steps[] = {0.4, 0.6, -0.4, -0.6, 1000.7, -1000.7, 8388607.0, -8388608.0};
static const int words[] = {0, 1, 0, -1, 1001, -1001, 8388607, -8388608};
enum { COUNT = sizeof(words) / sizeof(words[0]) };

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

static void write_samples(const char *path, const float *samples, uint32_t count, uint64_t *clipped)
{
    struct audio_file *file;
    const struct audio_file_config config = {
        .path = path, .format = AUDIO_FILE_S24, .rate_hz = RATE_HZ, .channels = 1};
    assert_int_equal(audio_file_create(&file, &config), 0);
    assert_int_equal(audio_file_write(file, samples, count), 0);
    *clipped = audio_file_clipped_samples(file);
    assert_int_equal(audio_file_commit(&file), 0);
}

static void read_words(const char *path, int *out, int count)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(sf_read_int(file, out, count), count);
    sf_close(file);
}

static void assert_rounds(const char *name)
{
    float samples[COUNT];
    for (int i = 0; i < COUNT; ++i)
        samples[i] = (float)(steps[i] / 8388608.0);
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, name);
    uint64_t clipped;

    write_samples(path, samples, COUNT, &clipped);

    int got[COUNT];
    read_words(path, got, COUNT);
    for (int i = 0; i < COUNT; ++i)
        assert_int_equal(got[i] / 256, words[i]);
    assert_int_equal(clipped, 0);
}

static void audio_file_rounds_to_the_nearest_of_24_bits_in_wav(void **state)
{
    (void)state;
    assert_rounds("a.wav");
}

static void audio_file_rounds_to_the_nearest_of_24_bits_in_flac(void **state)
{
    (void)state;
    assert_rounds("a.flac");
}

static void audio_file_clips_and_counts_what_is_out_of_range(void **state)
{
    (void)state;
    static const float samples[] = {1.5F, -1.5F, 1024.0F, 0.5F};
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "clipped.wav");
    uint64_t clipped;

    write_samples(path, samples, 4, &clipped);

    int got[4];
    read_words(path, got, 4);
    assert_int_equal(got[0] / 256, 8388607);
    assert_int_equal(got[1] / 256, -8388608);
    assert_int_equal(got[2] / 256, 8388607);
    assert_int_equal(got[3] / 256, 4194304);
    assert_int_equal(clipped, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_file_rounds_to_the_nearest_of_24_bits_in_wav),
        cmocka_unit_test(audio_file_rounds_to_the_nearest_of_24_bits_in_flac),
        cmocka_unit_test(audio_file_clips_and_counts_what_is_out_of_range),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
