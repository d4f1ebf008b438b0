// SPDX-License-Identifier: MIT
// Decoders while memory runs out: the n-th allocation fails, for every n. What is read is right, or -ENOMEM is told.
#include "io/sound/decoder.h"
#include "support/failing_heap.h"
#include "support/loop_thread.h"
#include "support/mp3_file.h"
#include "support/ogg_file.h"
#include "support/scratch.h"
#include <errno.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 20000, SEEK_TO = 12345, ROOM_FRAMES = 3 * FRAMES, MOST_CHANNELS = 2 };

/// What a file gives: its first frames, then on from a place in it.
struct heard {
    int error;
    uint64_t frames; // read, both times together
    enum decoder_damage damage;
    float samples[2 * ROOM_FRAMES * MOST_CHANNELS];
};

static struct loop_thread loop;
static char folder[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES];
static struct heard wanted, heard;

static int set_up(void **state)
{
    failing_heap_arm(SIZE_MAX);
    if (mp3_set_up(state))
        return -1;
    loop_thread_open(&loop);
    scratch_create(folder);
    scratch_path(path, folder, "song");
    return 0;
}

static int tear_down(void **state)
{
    scratch_remove(folder);
    return loop_thread_close(&loop) || mp3_tear_down(state) ? -1 : 0;
}

/// Read to the end. @return 0, or the decoder's error.
static int read_on(struct decoder *decoder, uint32_t channels, struct heard *h)
{
    const uint64_t end = h->frames + ROOM_FRAMES;
    int64_t n = 1;
    while (n > 0 && h->frames < end) {
        n = decoder_read(decoder, h->samples + h->frames * channels, (uint32_t)(end - h->frames));
        h->frames += n > 0 ? (uint64_t)n : 0;
    }
    return n < 0 ? (int)n : 0;
}

static void play(struct heard *h)
{
    struct source *source = NULL;
    struct decoder *decoder = NULL;
    struct decoder_info info = {0};
    memset(h, 0, sizeof *h);
    h->error = source_open(&source, loop.loader, &(struct source_config){.path = path});
    if (!h->error)
        h->error = decoder_open(&decoder, source, &info);
    if (!h->error)
        h->error = read_on(decoder, info.format.channels, h);
    if (!h->error)
        h->error = decoder_seek(decoder, SEEK_TO);
    if (!h->error)
        h->error = read_on(decoder, info.format.channels, h);
    if (decoder)
        h->damage = decoder_damage(decoder);
    decoder_close(&decoder);
    source_close(&source);
}

/// Let one allocation after another fail until none is left to.
static void assert_survives(void)
{
    play(&wanted);
    assert_int_equal(wanted.error, 0);
    assert_true(wanted.frames > FRAMES);
    size_t failed = 0;
    for (size_t i = 0;; i++) {
        failing_heap_arm(i);
        play(&heard);
        const int has_failed = failing_heap_has_failed();
        failing_heap_arm(SIZE_MAX);
        if (heard.error) {
            assert_true(has_failed);
            assert_int_equal(heard.error, -ENOMEM);
        } else {
            assert_int_equal(heard.damage, wanted.damage);
            assert_int_equal(heard.frames, wanted.frames);
            assert_memory_equal(heard.samples, wanted.samples, sizeof wanted.samples);
        }
        failed += heard.error != 0;
        if (!has_failed)
            break;
    }
    assert_true(failed > 2);
}

static void wav(void **state)
{
    (void)state;
    int16_t *const music = scratch_music(1, FRAMES, 44100);
    scratch_path(path, folder, "song.wav");
    scratch_write_s16(path, music, FRAMES, 44100, 2);
    free(music);
    assert_survives();
}

static void vorbis(void **state)
{
    (void)state;
    ogg_file_write(path, SF_FORMAT_VORBIS, 44100, 2, FRAMES);
    assert_survives();
}

static void opus(void **state)
{
    (void)state;
    ogg_file_write(path, SF_FORMAT_OPUS, 48000, 2, FRAMES);
    assert_survives();
}

static void append_to_song(int rate_hz, int channels, int serial)
{
    char part[SCRATCH_PATH_BYTES];
    struct ogg_file file;
    scratch_path(part, folder, "part");
    ogg_file_write(part, SF_FORMAT_VORBIS, rate_hz, channels, FRAMES);
    ogg_file_load(&file, part);
    ogg_file_renumber(&file, serial);
    FILE *const stream = fopen(path, "ab");
    assert_non_null(stream);
    assert_int_equal(fwrite(file.bytes, 1, file.size, stream), file.size);
    assert_int_equal(fclose(stream), 0);
    ogg_file_free(&file);
}

static void a_chain_of_two_rates(void **state)
{
    (void)state;
    append_to_song(44100, 2, 1);
    append_to_song(32000, 1, 2);
    assert_survives();
}

static void save(struct mp3_file *file)
{
    FILE *const stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(file->bytes, 1, file->count, stream), file->count);
    assert_int_equal(fclose(stream), 0);
    free(file->bytes);
}

static void mp3(void **state)
{
    (void)state;
    struct mp3_song song = mp3_encode(44100, 2, FRAMES);
    struct mp3_file file = mp3_copy(&song);
    save(&file);
    mp3_song_free(&song);
    assert_survives();
}

static void joined_mp3_of_two_rates(void **state)
{
    (void)state;
    struct mp3_song song = mp3_encode(44100, 2, FRAMES), other = mp3_encode(32000, 1, FRAMES);
    struct mp3_file file = mp3_copy(&song);
    mp3_put_song(&file, &other);
    save(&file);
    mp3_song_free(&song);
    mp3_song_free(&other);
    assert_survives();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wav, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vorbis, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opus, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_chain_of_two_rates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mp3, set_up, tear_down),
        cmocka_unit_test_setup_teardown(joined_mp3_of_two_rates, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
