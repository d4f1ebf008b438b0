// SPDX-License-Identifier: MIT
// The frame that says how long an MP3 stream is: Xing's, LAME's and Fraunhofer's, that fit, and that lie.
#include "io/sound/mp3_info.h"
#include "support/mp3_song_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VBRI_AT = 36 };

static void assert_plain(struct mp3_file *f)
{
    struct mp3_heard h = mp3_play(f);
    assert_int_equal(h.frames, FRAMES);
    assert_int_equal(h.damage, DECODER_SOUND);
    assert_memory_equal(h.samples, song.samples, (size_t)FRAMES * CHANNELS * sizeof *h.samples);
    free(h.samples);
}

static struct mp3_heard play_tagged(uint32_t frames, uint32_t bytes)
{
    struct mp3_file f = mp3_copy(&song);
    mp3_put_big(f.bytes + song.tag + 8, frames);
    mp3_put_big(f.bytes + song.tag + 12, bytes);
    struct mp3_heard h = mp3_play(&f);
    assert_true(h.is_quiet);
    free(h.samples);
    return h;
}

static uint32_t tagged_frames(void)
{
    return (uint32_t)song.file.bytes[song.tag + 10] << 8 | song.file.bytes[song.tag + 11];
}

static void a_tag_that_counts_no_frames_is_none(void **state)
{
    (void)state;
    const struct mp3_heard h = play_tagged(0, (uint32_t)song.file.count);
    assert_int_equal(h.damage, DECODER_SOUND);
    assert_int_equal(h.stated, (uint64_t)tagged_frames() * MPEG_SAMPLES);
    assert_int_equal(h.frames, h.stated);
}

// It lies behind the checksum or, as LAME writes it, where it would without one.
static void a_tag_in_a_frame_with_a_checksum_is_found(void **state)
{
    (void)state;
    for (size_t shift = 0; shift <= 2; shift += 2) {
        struct mp3_file f = mp3_copy(&song);
        f.bytes[1] &= 0xfe; // there is one: 0
        memmove(f.bytes + song.tag + shift, f.bytes + song.tag, song.first - song.tag - shift);
        memset(f.bytes + song.tag, 0, shift);
        assert_plain(&f);
    }
}

// Without size, table or quality, as its flags say, the encoder's name, delay and padding follow sooner; without a name
// they are nobody's.
static void a_tag_of_frames_alone_is_read(void **state)
{
    (void)state;
    for (int is_named = 0; is_named < 2; ++is_named) {
        struct mp3_file f = mp3_silent_frames(90);
        unsigned char *b = f.bytes + MP3_SILENT_TAG_AT + 4;
        mp3_put_big(b, 1);
        memset(b + 8, 0, 4);
        if (is_named)
            memcpy(b + 8, "LAME3.100", 9);
        memcpy(b + 8 + 21, "\x24\x03\xe8", 3); // 576 and 1000 samples
        const struct mp3_heard h = mp3_play(&f);
        assert_int_equal(h.damage, DECODER_SOUND);
        assert_int_equal(h.frames, 90 * MPEG_SAMPLES - (is_named ? 576 + 1000 : 529));
        free(h.samples);
    }
}

// Each of them moves what follows (LAME's Xing VBR/Info tag, revision 1).
static void a_tag_with_table_or_quality_is_read(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags < 4; ++flags) {
        struct mp3_file f = mp3_silent_frames(90);
        unsigned char *b = f.bytes + MP3_SILENT_TAG_AT + 4;
        mp3_put_big(b, 3 | flags << 2);
        b += 12 + (flags & 1 ? 100 : 0) + (flags & 2 ? 4 : 0);
        memcpy(b, "Lavc", 4);
        memcpy(b + 21, "\x45\x18\x98", 3); // 1105 and 2200
        const struct mp3_heard h = mp3_play(&f);
        assert_int_equal(h.frames, 90 * MPEG_SAMPLES - 1105 - 2200);
        free(h.samples);
    }
}

// More delay and padding than sound is none of either.
static void delays_of_more_than_the_sound_are_ignored(void **state)
{
    (void)state;
    struct mp3_file f = mp3_silent_frames(3);
    unsigned char *b = f.bytes + MP3_SILENT_TAG_AT + 16;
    memcpy(b, "LAME", 4);
    memcpy(b + 21, "\xff\xff\xff", 3);
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.frames, 3 * MPEG_SAMPLES);
    free(h.samples);
}

static void frames_that_a_tag_counts_and_the_file_lacks_are_told(void **state)
{
    (void)state;
    const struct mp3_heard more = play_tagged(2 * tagged_frames(), (uint32_t)song.file.count);
    assert_int_equal(more.damage, DECODER_CORRUPT);
    assert_non_null(strstr(more.text, "corrupt: 2.3 of 4.6 s can be decoded"));
    const struct mp3_heard cut = play_tagged(2 * tagged_frames(), 2 * (uint32_t)song.file.count);
    assert_int_equal(cut.damage, DECODER_TRUNCATED);
    assert_non_null(strstr(cut.text, "truncated: 2.3 of 4.6 s are there"));
}

// Whether the file is cut nobody can say; most likely it is.
static void frames_that_a_tag_without_size_counts_are_told_as_cut(void **state)
{
    (void)state;
    struct mp3_file f = mp3_silent_frames(90);
    f.bytes[MP3_SILENT_TAG_AT + 7] = 1;
    f.count = 51 * MP3_SILENT_BYTES;
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.damage, DECODER_TRUNCATED);
    assert_string_equal(h.text, "truncated: 1.3 of 2.3 s are there");
    free(h.samples);
}

static void a_tag_that_counts_fewer_frames_is_the_truth(void **state)
{
    (void)state;
    const struct mp3_heard h = play_tagged(tagged_frames() - 10, (uint32_t)song.file.count);
    assert_int_equal(h.frames, FRAMES - 10 * MPEG_SAMPLES);
    assert_int_equal(h.damage, DECODER_SOUND);
}

// Nor is what lies behind where it says that the stream ends another one.
static void a_wrong_size_alone_changes_nothing(void **state)
{
    (void)state;
    const uint32_t size = (uint32_t)song.file.count;
    for (uint32_t bytes = 1; bytes < 4 * size; bytes *= 3) {
        const struct mp3_heard h = play_tagged(tagged_frames(), bytes);
        assert_int_equal(h.frames, FRAMES);
        assert_int_equal(h.damage, DECODER_SOUND);
    }
    // Some count the bytes without the frame with the tag, or to a frame's begin by chance.
    const uint32_t sizes[] = {size - (uint32_t)song.first,
                              (uint32_t)mp3_frame_from(&song, size / 2), 0};
    for (int i = 0; i < 3; ++i)
        assert_int_equal(play_tagged(tagged_frames(), sizes[i]).frames, FRAMES);
}

// --- VBRI ----------------------------------------------------------------------------------------

/// The song behind Fraunhofer's frame, which is of any length and says what it is told to.
static struct mp3_file put_vbri(uint32_t bytes, uint32_t frames)
{
    struct mp3_file f = {0};
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfb, 0xa0, 0x00}, 522, 1);
    memcpy(f.bytes + VBRI_AT, "VBRI\0\1\4\xb1\0\x4b", 10);
    mp3_put_big(f.bytes + VBRI_AT + 10, bytes);
    mp3_put_big(f.bytes + VBRI_AT + 14, frames);
    struct mp3_file sound = mp3_copy_untagged(&song);
    mp3_put_file(&f, &sound);
    return f;
}

static void vbri_is_no_sound_and_its_count_a_hint(void **state)
{
    (void)state;
    const uint32_t counts[] = {tagged_frames(), 0, 5, 100000};
    struct mp3_file alone = mp3_copy_untagged(&song);
    const struct mp3_heard plain = mp3_play(&alone);
    for (int i = 0; i < 4; ++i) {
        struct mp3_file f = put_vbri((uint32_t)(song.file.count - song.first + 522), counts[i]);
        const struct mp3_heard h = mp3_play(&f);
        assert_int_equal(h.damage, DECODER_SOUND);
        assert_int_equal(h.stated, plain.frames);
        assert_int_equal(h.frames, plain.frames);
        assert_memory_equal(h.samples, plain.samples, plain.frames * CHANNELS * sizeof(float));
        free(h.samples);
    }
    free(plain.samples);
}

static void a_file_shorter_than_vbri_says_is_truncated(void **state)
{
    (void)state;
    struct mp3_file f =
        put_vbri((uint32_t)(song.file.count - song.first + 522), 2 * tagged_frames());
    f.count = 522 + mp3_frame_from(&song, song.file.count / 2) - song.first;
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.damage, DECODER_TRUNCATED);
    assert_int_equal(h.frames, h.stated); // the hint is told as such
    assert_non_null(strstr(h.text, "of 4.6 s are there"));
    free(h.samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_that_counts_no_frames_is_none),
        cmocka_unit_test(a_tag_in_a_frame_with_a_checksum_is_found),
        cmocka_unit_test(a_tag_of_frames_alone_is_read),
        cmocka_unit_test(a_tag_with_table_or_quality_is_read),
        cmocka_unit_test(delays_of_more_than_the_sound_are_ignored),
        cmocka_unit_test(frames_that_a_tag_counts_and_the_file_lacks_are_told),
        cmocka_unit_test(frames_that_a_tag_without_size_counts_are_told_as_cut),
        cmocka_unit_test(a_tag_that_counts_fewer_frames_is_the_truth),
        cmocka_unit_test(a_wrong_size_alone_changes_nothing),
        cmocka_unit_test(vbri_is_no_sound_and_its_count_a_hint),
        cmocka_unit_test(a_file_shorter_than_vbri_says_is_truncated),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
