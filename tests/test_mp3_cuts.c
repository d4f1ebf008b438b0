// SPDX-License-Identifier: MIT
// MP3 streams that lack something of what they say, before others in one file and as the last.
#include "io/sound/mp3_layout.h"
#include "support/mp3_songs_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { DELAY = 576 + 529 };

// Its tag counts what is not there: the next stream follows at once, and what is missing is told.
static void a_cut_stream_is_followed_by_the_next(void **state)
{
    (void)state;
    for (int is_mono = 0; is_mono < 2; ++is_mono) {
        const struct mp3_song *next = is_mono ? &mono : &stereo;
        struct mp3_file f = {0};
        const size_t half = mp3_frame_from(&stereo, stereo.file.count / 2);
        mp3_put_song(&f, &mono);
        mp3_put(&f, stereo.file.bytes, half + 30); // within a frame
        mp3_put_song(&f, next);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        mp3_assert_song(&h, &at, &mono);
        at = h.frames - FRAMES;
        assert_true(at > FRAMES * 4 / 3 && at < FRAMES * 5 / 3);
        assert_int_equal((at - FRAMES + DELAY) % MPEG_SAMPLES, 0); // whole frames, and no padding
        assert_memory_equal(h.samples + 2 * FRAMES, stereo.samples,
                            (at - FRAMES - MPEG_SAMPLES) * 2 * sizeof *h.samples);
        mp3_assert_song(&h, &at, next);
        assert_int_equal(h.stated, at);
        assert_int_equal(h.damage, DECODER_TRUNCATED);
        char text[80];
        snprintf(text, sizeof text, " s at %.2f s are missing", (double)(at - FRAMES) / 44100);
        assert_non_null(strstr(h.text, "truncated: 0.3"));

        assert_non_null(strstr(h.text, text));
        free(h.samples);
    }
}

/// Frames of the song that begin in [from, to).
static uint32_t count_frames(const struct mp3_song *song, size_t from, size_t to)
{
    uint32_t count = 0;
    for (size_t at = mp3_frame_from(song, from); at < to; at = mp3_frame_from(song, at + 1))
        ++count;
    return count;
}

/// The song's tag counts so many frames more. @return how many it did.
static uint32_t count_more(struct mp3_file *f, size_t begin, const struct mp3_song *song,
                           uint32_t more)
{
    unsigned char *b = f->bytes + begin + song->tag + 8;
    const uint32_t count = (uint32_t)b[2] << 8 | b[3];
    mp3_put_big(b, count + more);
    return count;
}

// Of 22.05 kHz among more of 44.1: places and lengths are told in seconds.
static void what_a_stream_of_another_rate_lacks_is_told(void **state)
{
    (void)state;
    const size_t end = mp3_frame_from(&slow, slow.file.count / 2), begin = stereo.file.count;
    for (int is_cut = 0; is_cut < 2; ++is_cut) {
        struct mp3_file f = {0};
        mp3_put_song(&f, &stereo);
        mp3_put(&f, slow.file.bytes, is_cut ? end : slow.file.count);
        const uint32_t count = count_more(&f, begin, &slow, is_cut ? 0 : 20);
        for (int i = 0; i < 3; ++i)
            mp3_put_song(&f, &stereo);
        const struct mp3_heard h = mp3_play(&f);
        assert_int_equal(h.format.rate_hz, 44100);
        assert_int_equal(h.frames, h.stated);
        char text[80];
        const double there = is_cut ? count_frames(&slow, 0, end) : count, more = is_cut ? 0 : 20;
        const double at_s = FRAMES / 44100.0 + (there * 576 - DELAY) / 22050;
        const double lost_s = (count + more - there) * 576 / 22050;
        snprintf(text, sizeof text,
                 is_cut ? "truncated: %.2f s at %.2f s are missing"
                        : "corrupt: %.2f s at %.1f s are silent",
                 lost_s, at_s);
        assert_string_equal(h.text, text);
        free(h.samples);
    }
}

/// Assert that the way through 40 frames of which a tag counts `count`, and something follows, has so many steps.
static void assert_steps(uint32_t count, uint32_t steps)
{
    struct mp3_file f = mp3_silent_frames(40);
    mp3_put_big(f.bytes + MP3_SILENT_TAG_AT + 8, count);
    mp3_put_song(&f, &stereo);
    struct source *source = mp3_open_source(&f);
    struct mp3_layout layout;
    struct mp3_view *view = calloc(1, sizeof *view);
    struct mp3_walk *walk = calloc(1, sizeof *walk);
    assert_true(view && walk);
    view->source = source;
    assert_int_equal(mp3_layout_scan(&layout, source, 0, f.count), 0);
    assert_int_equal(layout.piece_count, 2);
    mp3_walk_begin(walk, view, &layout.pieces[0]);
    struct mp3_step step;
    for (uint32_t i = 0; i < steps; ++i) {
        assert_true(mp3_walk_next(walk, &step));
        assert_int_equal(step.lost, i < 40 ? 0 : steps - i);
    }
    assert_false(mp3_walk_next(walk, &step));
    assert_false(mp3_walk_next(walk, &step));
    assert_true(mp3_walk_go_to(walk, steps - 1) && mp3_walk_next(walk, &step));
    assert_int_equal(step.lost, steps > 40);
    assert_false(mp3_walk_go_to(walk, steps + 1));
    mp3_layout_deinit(&layout);
    source_close(&source);
    free(walk);
    free(view);
    free(f.bytes);
}

static void the_way_through_a_stream_ends_with_its_tags_count_or_its_frames(void **state)
{
    (void)state;
    assert_steps(42, 42);
    assert_steps(40, 40);
    assert_steps(38, 40);
}

// As a stream that was recorded from some place on, and broke off within a frame. The tag in that is found.
static void streams_cut_at_both_ends_play(void **state)
{
    (void)state;
    for (int is_mono = 0; is_mono < 2; ++is_mono) {
        const struct mp3_song *next = is_mono ? &mono : &stereo;
        struct mp3_file f = {0};
        const size_t third = stereo.file.count / 3, end = mp3_frame_from(&stereo, 2 * third);
        mp3_put(&f, stereo.file.bytes + third, end + 50 - third);
        mp3_put_id3(&f, 3000, 3010);
        mp3_put_song(&f, next);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = (uint64_t)count_frames(&stereo, third, end) * MPEG_SAMPLES;
        mp3_assert_song(&h, &at, next);
        assert_int_equal(h.frames, at);
        assert_int_equal(h.damage, DECODER_SOUND);
        free(h.samples);
    }
}

// What the first lacks is not taken from the second, which lies where both tags say.
static void a_stream_that_lacks_frames_is_as_long_as_it_says(void **state)
{
    (void)state;
    struct mp3_file f = mp3_silent_frames(40);
    mp3_put_big(f.bytes + MP3_SILENT_TAG_AT + 8, 42);
    mp3_put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 42 * MPEG_SAMPLES - 529;
    mp3_assert_song(&h, &at, &stereo);
    assert_int_equal(h.frames, at);
    assert_int_equal(h.stated, at);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    assert_string_equal(h.text, "corrupt: 0.05 s at 1.0 s are silent");
    free(h.samples);
}

// 41 frames of 417 bytes are no more than 164 of the shortest, of 32 kbit/s and 104 bytes.
static void a_count_that_the_bytes_cannot_hold_is_not_believed(void **state)
{
    (void)state;
    static const struct {
        uint32_t stated, frames;
        const char *text;
    } cases[] = {{164, 164, "corrupt: 3.24 s at 1.0 s are silent"},
                 {165, 40, "truncated: 3.27 s at 1.03 s are missing"},
                 {10000000, 40, "truncated: 261223.44 s at 1.03 s are missing"},
                 {UINT32_MAX, 40, "truncated: 112195062.99 s at 1.03 s are missing"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        struct mp3_file f = mp3_silent_frames(40);
        mp3_put_big(f.bytes + MP3_SILENT_TAG_AT + 8, cases[i].stated);
        mp3_put_song(&f, &stereo);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = (uint64_t)cases[i].frames * MPEG_SAMPLES - 529;
        mp3_assert_song(&h, &at, &stereo);
        assert_int_equal(h.frames, at);
        assert_int_equal(h.stated, at);
        assert_string_equal(h.text, cases[i].text);
        free(h.samples);
    }
}

// Libmpg123 takes no frame of more than 3,456 bytes. The others are where they would be.
static void a_stream_that_cannot_be_decoded_is_silent(void **state)
{
    (void)state;
    for (int is_first = 0; is_first < 2; ++is_first) {
        struct mp3_file f = {0};
        if (!is_first)
            mp3_put_song(&f, &mono);
        mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfb, 0x00, 0x00}, 4000, 10);
        mp3_put_song(&f, &stereo);
        mp3_assert_seeks(&f, 1009);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        if (!is_first)
            mp3_assert_song(&h, &at, &mono);
        for (int i = 0; i < 10 * MPEG_SAMPLES * 2; ++i)
            assert_true(h.samples[2 * at + (uint64_t)i] == 0);
        at += 10 * MPEG_SAMPLES;
        mp3_assert_song(&h, &at, &stereo);
        assert_int_equal(h.frames, at);
        assert_int_equal(h.damage, DECODER_CORRUPT);
        assert_non_null(strstr(h.text, "corrupt: 0.26 s at"));
        free(h.samples);
    }
}

// No silence is read for what cannot be: the error ends it.
static void a_file_that_is_cut_while_it_is_read_ends(void **state)
{
    (void)state;
    enum { SONGS = 200 };
    static float sound[FRAMES * 2];
    struct mp3_file f = {0};
    for (int i = 0; i < SONGS; ++i)
        mp3_put_song(&f, &stereo);
    const char *path = mp3_save(&f); // as mp3_open_source() does
    struct source *source = mp3_open_source(&f);
    struct decoder *decoder = NULL;
    struct decoder_info info;
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    assert_int_equal(info.frames, SONGS * FRAMES);
    assert_int_equal(truncate(path, (off_t)f.count / 2), 0);
    int songs = 0;
    while (decoder_read(decoder, sound, FRAMES) == FRAMES) {
        assert_memory_equal(sound, stereo.samples, sizeof sound);
        ++songs;
    }
    assert_true(songs < SONGS);
    assert_int_equal(decoder_damage(decoder), DECODER_IO_ERROR);
    assert_non_null(strstr(decoder_damage_text(decoder), "changed while it was read, at "));
    decoder_close(&decoder);
    source_close(&source);
    free(f.bytes);
}

static void a_cut_last_stream_is_told(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    mp3_put_song(&f, &mono);
    mp3_put(&f, stereo.file.bytes, stereo.file.count / 2);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 0;
    mp3_assert_song(&h, &at, &mono);
    assert_int_equal(h.stated, 2 * FRAMES);
    assert_true(h.frames > FRAMES * 4 / 3 && h.frames < FRAMES * 5 / 3);
    assert_int_equal(h.damage, DECODER_TRUNCATED);
    free(h.samples);
}

// Without a tag: of the frame that is cut all is told, at the rate of the file.
static void a_cut_frame_of_another_rate_is_told(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfb, 0x90, 0x40}, MP3_SILENT_BYTES, 100);
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xe3, 0x18, 0x40}, 72, 3); // of 8 kHz
    f.count -= 20;
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.frames, 100 * MPEG_SAMPLES + 2 * 576 * 44100 / 8000);
    assert_int_equal(h.damage, DECODER_TRUNCATED);
    assert_string_equal(h.text, "truncated: 2.756 of 2.828 s are there");
    free(h.samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_stream_is_followed_by_the_next),
        cmocka_unit_test(streams_cut_at_both_ends_play),
        cmocka_unit_test(what_a_stream_of_another_rate_lacks_is_told),
        cmocka_unit_test(the_way_through_a_stream_ends_with_its_tags_count_or_its_frames),
        cmocka_unit_test(a_stream_that_lacks_frames_is_as_long_as_it_says),
        cmocka_unit_test(a_count_that_the_bytes_cannot_hold_is_not_believed),
        cmocka_unit_test(a_stream_that_cannot_be_decoded_is_silent),
        cmocka_unit_test(a_file_that_is_cut_while_it_is_read_ends),
        cmocka_unit_test(a_cut_last_stream_is_told),
        cmocka_unit_test(a_cut_frame_of_another_rate_is_told),
    };
    return cmocka_run_group_tests(tests, songs_set_up, songs_tear_down);
}
