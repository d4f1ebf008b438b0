// SPDX-License-Identifier: MIT
// Seeks in MP3: what is read at a place is what reading on from the start gives there, to the last bit.
#include "io/sound/mp3_layout.h"
#include "support/mp3_file.h"
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 100003, MOST_CHANNELS = 2 };

/// Compare with libsndfile's sound, which looks for frames in its own way.
static void assert_as_libsndfile(const struct mp3_song *song)
{
    SF_INFO info = {.format = 0};
    static float theirs[FRAMES * MOST_CHANNELS];
    SNDFILE *file = sf_open(mp3_save(&song->file), SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(info.frames, FRAMES);
    assert_int_equal(sf_readf_float(file, theirs, FRAMES), FRAMES);
    assert_int_equal(sf_close(file), 0);
    assert_memory_equal(song->samples, theirs, (size_t)FRAMES * song->channels * sizeof *theirs);
}

// The filter's sums have sixteen orders, which take turns in other ways at half the rates and in mono.
static void seeks_give_the_samples_of_reading_on_at_every_rate(void **state)
{
    (void)state;
    static const uint32_t kinds[][2] = {{44100, 2}, {44100, 1}, {48000, 1}, {32000, 2}, {24000, 2},
                                        {24000, 1}, {22050, 1}, {16000, 1}, {12000, 2}, {8000, 1}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; ++k) {
        struct mp3_song song = mp3_encode(kinds[k][0], kinds[k][1], FRAMES);
        mp3_assert_seeks(&song.file, 4999);
        assert_as_libsndfile(&song);
        mp3_song_free(&song);
    }
}

// Else a seek would have to walk far.
static void the_index_of_places_reaches_over_a_long_file(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xf3, 0x18, 0xc0}, 36, 5000);
    struct source *source = mp3_open_source(&f);
    struct mp3_layout layout;
    struct mp3_view *view = calloc(1, sizeof *view);
    struct mp3_walk *walk = calloc(1, sizeof *walk);
    assert_true(view && walk);
    view->source = source;
    assert_int_equal(mp3_layout_scan(&layout, source, 0, f.count), 0);
    mp3_walk_begin(walk, view, &layout.pieces[0]);
    struct mp3_step step;
    for (uint64_t i = 0; i < 5000; ++i) {
        assert_true(mp3_walk_next(walk, &step));
        assert_int_equal(step.number, i);
    }
    assert_false(mp3_walk_next(walk, &step));
    assert_int_equal(walk->step, 8);
    assert_int_equal(walk->index_count, 5000 / 8);
    for (uint32_t i = 0; i < walk->index_count; ++i) {
        assert_int_equal(walk->index[i].number, 8 * i);
        assert_int_equal(walk->index[i].at, 8 * i * 36);
    }
    mp3_layout_deinit(&layout);
    source_close(&source);
    free(walk);
    free(view);
    free(f.bytes);
}

// The index of places has become coarse.
static void seeks_in_a_long_file_give_the_samples_of_reading_on(void **state)
{
    (void)state;
    struct mp3_song song = mp3_encode(44100, 1, FRAMES);
    struct mp3_file f = {0};
    for (int i = 0; i < 30; ++i) // one stream without tags: 2,600 frames
        mp3_put(&f, song.file.bytes + song.first, song.file.count - song.first);
    mp3_assert_seeks(&f, 300007);
    mp3_song_free(&song);
    free(f.bytes);
}

static void seeks_beside_damage_give_the_samples_of_reading_on(void **state)
{
    (void)state;
    struct mp3_song song = mp3_encode(44100, 2, FRAMES);
    const size_t half = song.file.count / 2;
    for (size_t i = half; i < half + 3000; ++i)
        song.file.bytes[i] = (unsigned char)(i * 37) & 0x7f;
    mp3_assert_seeks(&song.file, 1499);
    struct mp3_file untagged = mp3_copy_untagged(&song);
    mp3_assert_seeks(&untagged, 1499);
    free(untagged.bytes);
    mp3_song_free(&song);
}

// A place in the silence of lost frames has no place in the file.
static void seeks_into_a_hole_give_the_samples_of_reading_on(void **state)
{
    (void)state;
    struct mp3_file f = mp3_silent_frames(90);
    for (int i = 30 * MP3_SILENT_BYTES; i < 40 * MP3_SILENT_BYTES; ++i)
        f.bytes[i] = (unsigned char)(i * 37) & 0x7f;
    struct mp3_song song = mp3_encode(44100, 2, FRAMES);
    mp3_put(&f, song.file.bytes, song.file.count);
    mp3_assert_seeks(&f, 577);
    mp3_song_free(&song);
    free(f.bytes);
}

static void seeks_over_joins_give_the_samples_of_reading_on(void **state)
{
    (void)state;
    static const uint32_t kinds[][2] = {{44100, 2}, {48000, 2}, {44100, 1}, {22050, 1}};
    struct mp3_file f = {0};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; ++k) {
        struct mp3_song song = mp3_encode(kinds[k][0], kinds[k][1], 20011);
        mp3_put(&f, song.file.bytes, song.file.count);
        mp3_song_free(&song);
    }
    mp3_assert_seeks(&f, 499);
    free(f.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeks_give_the_samples_of_reading_on_at_every_rate),
        cmocka_unit_test(the_index_of_places_reaches_over_a_long_file),
        cmocka_unit_test(seeks_in_a_long_file_give_the_samples_of_reading_on),
        cmocka_unit_test(seeks_beside_damage_give_the_samples_of_reading_on),
        cmocka_unit_test(seeks_into_a_hole_give_the_samples_of_reading_on),
        cmocka_unit_test(seeks_over_joins_give_the_samples_of_reading_on),
    };
    return cmocka_run_group_tests(tests, mp3_set_up, mp3_tear_down);
}
