// SPDX-License-Identifier: MIT
// MP3 among bytes that are none, of all layers and bit rates: against the sound of the plain file, and libmpg123.
#include "io/sound/mp3.h"
#include "support/mp3_song_fixture.h"
#include <errno.h>
#include <mpg123.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_plain(struct mp3_file *f)
{
    struct mp3_heard h = mp3_play(f);
    assert_int_equal(h.frames, FRAMES);
    assert_int_equal(h.damage, DECODER_SOUND);
    assert_true(h.is_quiet);
    assert_memory_equal(h.samples, song.samples, (size_t)FRAMES * CHANNELS * sizeof *h.samples);
    free(h.samples);
}

static void put_song(struct mp3_file *f)
{
    mp3_put(f, song.file.bytes, song.file.count);
}

// --- What is not sound ---------------------------------------------------------------------------

static void id3_tags_before_the_first_frame_are_passed_over(void **state)
{
    (void)state;
    struct mp3_file one = {0}, two = {0}, liar = {0}, footer = {0};
    mp3_put_id3(&one, 3 << 20, (3 << 20) + 10);
    put_song(&one);
    assert_plain(&one);
    mp3_put_id3(&two, 70000, 70010);
    mp3_put_id3(&two, 1000, 1010);
    put_song(&two);
    assert_plain(&two);
    mp3_put_id3(&liar, 9000, 5000); // the rest is junk then
    put_song(&liar);
    assert_plain(&liar);
    mp3_put_id3(&footer, 1000, 1010); // and a footer, which its length leaves out (ID3v2.4, 3.4)
    footer.bytes[3] = 4;
    footer.bytes[5] = 0x10;
    mp3_put(&footer, "3DI\4\0\x10\0\0\7\x72", 10);
    mp3_put_id3(&footer, 70000, 70010);
    put_song(&footer);
    assert_plain(&footer);
}

static void junk_and_zeros_before_the_first_frame_are_passed_over(void **state)
{
    (void)state;
    struct mp3_file junk = {0}, zeros = {0};
    mp3_put_junk(&junk, JUNK_BYTES);
    put_song(&junk);
    assert_plain(&junk);
    static const unsigned char none[70000];
    mp3_put(&zeros, none, sizeof none);
    put_song(&zeros);
    assert_plain(&zeros);
}

enum tag { ID3, ID3_WITH_FOOTER, OLD_ID3, APE, LYRICS, OLD_LYRICS, TAGS };

static void put_ape(struct mp3_file *f)
{
    unsigned char ape[32] = "APETAGEX\xd0\7\0\0";
    ape[12] = 132; // with the footer
    mp3_put(f, ape, sizeof ape);
    mp3_put_junk(f, 100);
    mp3_put(f, ape, sizeof ape);
}

static void put_tag(struct mp3_file *f, enum tag tag)
{
    static const char old[128] = "TAGtitle";
    if (tag == ID3)
        mp3_put_id3(f, 5000, 5010);
    else if (tag == ID3_WITH_FOOTER) {
        mp3_put(f, "ID3\4\0\x10\0\0\0\x14....................3DI\4\0\x10\0\0\0\x14", 40);
    } else if (tag == OLD_ID3) {
        mp3_put(f, old, sizeof old);
    } else if (tag == APE) {
        put_ape(f);
    } else {
        mp3_put(f, "LYRICSBEGININD0000211", 21);
        mp3_put(f, tag == LYRICS ? "LYR90000" : "[00:02]an", tag == LYRICS ? 8 : 9);
        mp3_put_junk(f, tag == LYRICS ? 90000 : 5000);
        mp3_put(f, tag == LYRICS ? "090029LYRICS200" : "LYRICSEND", tag == LYRICS ? 15 : 9);
    }
}

static void tags_behind_the_last_frame_are_passed_over(void **state)
{
    (void)state;
    for (enum tag tag = ID3; tag < TAGS; ++tag) {
        struct mp3_file f = mp3_copy(&song);
        put_tag(&f, tag);
        put_tag(&f, OLD_ID3);
        assert_plain(&f);
    }
}

// A tag between frames is no damage, to its last byte: of frames that were counted junk would be told.
static void tags_between_frames_are_passed_over(void **state)
{
    (void)state;
    const size_t half = mp3_frame_from(&song, song.file.count / 2);
    struct mp3_file untagged = mp3_copy_untagged(&song);
    const struct mp3_heard plain = mp3_play(&untagged);
    for (enum tag tag = ID3; tag < TAGS; ++tag) {
        struct mp3_file f = {0};
        mp3_put(&f, song.file.bytes + song.first, half - song.first);
        put_tag(&f, tag);
        mp3_put(&f, song.file.bytes + half, song.file.count - half);
        const struct mp3_heard h = mp3_play(&f);
        assert_int_equal(h.damage, DECODER_SOUND);
        assert_int_equal(h.frames, plain.frames);
        assert_memory_equal(h.samples, plain.samples, h.frames * CHANNELS * sizeof *h.samples);
        free(h.samples);
    }
    free(plain.samples);
}

// Lyrics3 2.00: each field's length is five digits, the tag's six. Else where it ends is not known, and it is junk.
static void lyrics_with_malformed_fields_are_no_tag(void **state)
{
    (void)state;
    static const char *const ends[][2] = {{"LYR00500", "000519LYRICS200"},  // as it should be
                                          {"LYR004:0", "000519LYRICS200"},  // 500 too, by ASCII
                                          {"LYR00500", "00050CLYRICS200"},  // 519 by ASCII
                                          {"LYR00501", "000519LYRICS200"},  // past the tag's end
                                          {"LYR00500", "000519LYRICS201"}}; // of no known version
    const size_t half = mp3_frame_from(&song, song.file.count / 2);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; ++i) {
        struct mp3_file f = {0};
        mp3_put(&f, song.file.bytes + song.first, half - song.first);
        mp3_put(&f, "LYRICSBEGIN", 11);
        mp3_put(&f, ends[i][0], 8);
        mp3_put_junk(&f, 500);
        mp3_put(&f, ends[i][1], 15);
        mp3_put(&f, song.file.bytes + half, song.file.count - half);
        const struct mp3_heard h = mp3_play(&f);
        assert_int_equal(h.damage, i ? DECODER_CORRUPT : DECODER_SOUND);
        assert_true(i == 0 || strstr(h.text, "corrupt: 534 bytes at 1."));
        free(h.samples);
    }
}

// --- What is no MP3 ------------------------------------------------------------------------------

static void bytes_with_a_header_at_their_end_are_no_mp3(void **state)
{
    (void)state;
    struct mp3_file f = {0}, beyond = {0};
    mp3_put_junk(&f, 5000);
    mp3_put(&f, song.file.bytes + song.first, 100);
    assert_int_equal(mp3_open_error(&f), -ENOTSUP);
    mp3_put_id3(&beyond, 100, 1 << 20);
    put_song(&beyond);
    assert_int_equal(mp3_open_error(&beyond), -EBADMSG);
}

// Amid junk three frames are a stream, two may be chance.
static void two_frames_behind_junk_are_no_mp3(void **state)
{
    (void)state;
    for (uint32_t frames = 2; frames <= 3; ++frames) {
        struct mp3_file f = {0};
        mp3_put_junk(&f, 5000);
        mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfb, 0x90, 0x40}, MP3_SILENT_BYTES,
                       frames);
        mp3_put_junk(&f, 5000);
        if (frames == 2) {
            assert_int_equal(mp3_open_error(&f), -ENOTSUP);
            continue;
        }
        struct mp3_heard h = mp3_play(&f);
        assert_int_equal(h.frames, 3 * 1152);
        free(h.samples);
    }
}

// Samples of -1 and 0 are headers of layer I, of a free bit rate.
static void soft_samples_are_no_mp3(void **state)
{
    (void)state;
    struct mp3_file f = {0}, behind = mp3_copy(&song);
    mp3_put_junk(&f, 100);
    mp3_put_junk(&behind, 100);
    for (int i = 0; i < 3000; ++i) {
        mp3_put(&f, "\xff\xff\0\0", 4);
        mp3_put(&behind, "\xff\xff\0\0", 4);
    }
    assert_int_equal(mp3_open_error(&f), -ENOTSUP);
    const struct mp3_heard h = mp3_play(&behind);
    assert_int_equal(h.frames, FRAMES);
    free(h.samples);
}

// Nor are three of as many kinds.
static void frames_of_several_kinds_are_no_mp3(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    mp3_put_junk(&f, 5000);
    for (unsigned char mode = 0; mode < 4; ++mode)
        mp3_put_frames(&f, (unsigned char[]){0xff, 0xfb, 0x90, mode % 2 ? 0xc0 : 0x40},
                       MP3_SILENT_BYTES, 1);
    mp3_put_junk(&f, 5000);
    assert_int_equal(mp3_open_error(&f), -ENOTSUP);
}

static void a_file_that_ends_within_its_first_frame_is_refused(void **state)
{
    (void)state;
    for (size_t bytes = MP3_HEADER_BYTES; bytes < song.first; bytes += 50) {
        struct mp3_file f = {0}, tagged = {0};
        mp3_put(&f, song.file.bytes + song.first, bytes);
        assert_int_equal(mp3_open_error(&f), -ENOMSG);
        mp3_put_id3(&tagged, 100, 110);
        mp3_put(&tagged, song.file.bytes, bytes);
        assert_int_equal(mp3_open_error(&tagged), -ENOMSG);
    }
}

static void what_only_begins_like_a_frame_is_no_mp3(void **state)
{
    (void)state;
    struct mp3_file tagged = {0}, layer_2 = {0};
    for (int units = 30; units <= 500; units += 470) {
        struct mp3_file text = {0};
        for (int i = 0; i < units; ++i)
            mp3_put(&text, i ? "T" : "\xff\xfe", 2); // UTF-16: the mark, and a text
        assert_int_equal(mp3_open_error(&text), -ENOTSUP);
    }
    mp3_put_id3(&tagged, 100, 110);
    mp3_put(&tagged, "\xff\xfb\x90\x40", 4);
    mp3_put_junk(&tagged, 5000);
    assert_int_equal(mp3_open_error(&tagged), -ENOTSUP);
    mp3_put(&layer_2, "\xff\xfd\x90\x40", 4); // the rest of a frame is not there
    mp3_put_junk(&layer_2, 100);
    assert_int_equal(mp3_open_error(&layer_2), -ENOTSUP);
}

// --- Containers, layers, bit rates ---------------------------------------------------------------

static void put_little(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; ++i)
        to[i] = (unsigned char)(value >> (8 * i));
}

// Format 0x55, of a chunk of format of 30 bytes (RFC 2361); what lies behind the data is no sound.
static void mp3_within_wav_is_played(void **state)
{
    (void)state;
    unsigned char head[58] = "RIFF....WAVEfmt \x1e\0\0\0\x55\0\2\0";
    memcpy(head + 50, "data", 4);
    put_little(head + 4, (uint32_t)(50 + song.file.count + 8));
    put_little(head + 54, (uint32_t)song.file.count);
    struct mp3_file whole = {0}, cut = {0};
    mp3_put(&whole, head, sizeof head);
    put_song(&whole);
    mp3_put(&whole, "LIST\4\0\0\0INFO", 12);
    assert_plain(&whole);
    mp3_put(&cut, head, sizeof head);
    mp3_put(&cut, song.file.bytes, song.file.count / 2);
    const struct mp3_heard h = mp3_play(&cut);
    assert_true(h.is_quiet);
    assert_int_equal(h.damage, DECODER_TRUNCATED);
    assert_true(h.frames > FRAMES / 3 && h.frames < FRAMES);
    free(h.samples);
}

/// @return PCM frames that `count` frames that begin with `header` and hold nothing else play.
static uint64_t play_empty(const unsigned char header[4], uint32_t bytes, uint32_t count)
{
    struct mp3_file f = {0};
    mp3_put_frames(&f, header, bytes, count);
    const struct mp3_heard h = mp3_play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.damage, DECODER_SOUND);
    free(h.samples);
    return h.frames;
}

// A bit rate of 0 is a free one: all frames are as long as the first, whatever that is (ISO 11172-3, 2.4.2.3).
static void layers_and_free_bit_rates_are_decoded(void **state)
{
    (void)state;
    static const unsigned char layer_1[] = {0xff, 0xff, 0xe0, 0x00},
                               layer_2[] = {0xff, 0xfd, 0xe4, 0x00},
                               free_rate[] = {0xff, 0xfb, 0x00, 0x40},
                               free_mono[] = {0xff, 0xe3, 0x08, 0xc0};
    assert_int_equal(play_empty(layer_1, 484, 50), 50 * 384);
    assert_int_equal(play_empty(layer_2, 1152, 20), 20 * 1152);
    assert_int_equal(play_empty(free_rate, 999, 20), 20 * 1152);
    assert_int_equal(play_empty(free_rate, 2089, 20), 20 * 1152);
    assert_int_equal(play_empty(free_mono, 24, 20), 20 * 576);
}

static void one_frame_or_two_are_a_file(void **state)
{
    (void)state;
    static const unsigned char header[] = {0xff, 0xfb, 0x90, 0x40};
    assert_int_equal(play_empty(header, MP3_SILENT_BYTES, 1), 1152);
    assert_int_equal(play_empty(header, MP3_SILENT_BYTES, 2), 2 * 1152);
    struct mp3_file cut = {0};
    mp3_put_frames(&cut, header, MP3_SILENT_BYTES, 2);
    cut.count -= 100;
    const struct mp3_heard h = mp3_play(&cut);
    assert_int_equal(h.frames, 1152);
    assert_int_equal(h.damage, DECODER_TRUNCATED);
    free(h.samples);
}

/// What libmpg123 makes of a header. @return whether it takes it.
static bool ask_mpg123(mpg123_handle *handle, const unsigned char header[4],
                       struct mpg123_frameinfo *info)
{
    unsigned char bytes[2 * MP3_MOST_FRAME_BYTES] = {0};
    long rate_hz;
    int channels, encoding;
    memcpy(bytes, header, MP3_HEADER_BYTES);
    return mpg123_open_feed(handle) == MPG123_OK &&
           mpg123_feed(handle, bytes, sizeof bytes) == MPG123_OK &&
           mpg123_getformat(handle, &rate_hz, &channels, &encoding) == MPG123_OK &&
           mpg123_info(handle, info) == MPG123_OK;
}

/// Whether neither version, layer, bit rate nor rate is one that ISO 11172-3 and 13818-3 leave to the future.
static bool is_allowed(const unsigned char header[4])
{
    return (header[1] >> 3 & 3) != 1 && (header[1] >> 1 & 3) != 0 && header[2] >> 4 != 15 &&
           (header[2] >> 2 & 3) != 3;
}

// All but those of a free bit rate, whose length no header tells.
static void every_header_is_read_as_libmpg123_reads_it(void **state)
{
    (void)state;
    uint32_t taken = 0;
    mpg123_handle *handle = mpg123_new(NULL, NULL);
    assert_non_null(handle);
    const long flags = MPG123_QUIET | MPG123_NO_READAHEAD;
    assert_int_equal(mpg123_param(handle, MPG123_ADD_FLAGS, flags, 0), MPG123_OK);
    for (unsigned second = 0xe2; second <= 0xff; second += 2) // without a checksum
        for (unsigned third = 0x10; third <= 0xff; third += 2) {
            const unsigned mode = third * 0x50 & 0xc0; // now this, now that
            const unsigned char header[] = {0xff, (unsigned char)(second | 1), (unsigned char)third,
                                            (unsigned char)mode};
            struct mp3_header read;
            struct mpg123_frameinfo info;
            assert_int_equal(mp3_parse_header(&read, header) == 0, is_allowed(header));
            if (!is_allowed(header))
                continue; // libmpg123 looks on behind it
            assert_true(ask_mpg123(handle, header, &info));
            ++taken;
            assert_int_equal(read.layer, info.layer);
            assert_int_equal(read.rate_hz, info.rate);
            assert_int_equal(read.bytes, info.framesize);
            assert_int_equal(read.channels, info.mode == MPG123_M_MONO ? 1 : 2);
        }
    assert_int_equal(taken, 3 * 3 * 3 * 14 * 2); // versions, layers, rates, bit rates, paddings
    mpg123_delete(handle);
}

// Lengths by the formula of ISO 11172-3, 2.4.3.1, and 13818-3: samples / 8 * bit rate / rate, and a slot of padding.
static void headers_tell_length_and_samples(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[4];
        uint32_t samples, length, padding, side;
        bool is_protected;
    } cases[] = {{{0xff, 0xfb, 0x90, 0x00}, 1152, 417, 0, 32, false},
                 {{0xff, 0xfb, 0x92, 0x00}, 1152, 418, 1, 32, false},
                 {{0xff, 0xfa, 0xe4, 0xc0}, 1152, 960, 0, 17, true},
                 {{0xff, 0xf3, 0x90, 0x00}, 576, 261, 0, 17, false},
                 {{0xff, 0xe3, 0x92, 0xc0}, 576, 523, 1, 9, false},
                 {{0xff, 0xe3, 0x18, 0x00}, 576, 72, 0, 17, false},
                 {{0xff, 0xff, 0xe2, 0x00}, 384, 488, 4, 32, false}, // in slots of four bytes
                 {{0xff, 0xf7, 0x10, 0x00}, 384, 68, 0, 17, false},
                 {{0xff, 0xfd, 0xe4, 0xc0}, 1152, 1152, 0, 17, false},
                 {{0xff, 0xf5, 0x14, 0x00}, 1152, 48, 0, 17, false},
                 {{0xff, 0xfb, 0x02, 0x00}, 1152, 0, 1, 32, false}}; // of a free bit rate
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        struct mp3_header header;
        assert_int_equal(mp3_parse_header(&header, cases[i].bytes), 0);
        assert_int_equal(header.samples, cases[i].samples);
        assert_int_equal(header.bytes, cases[i].length);
        assert_int_equal(header.padding_bytes, cases[i].padding);
        assert_int_equal(header.side_bytes, cases[i].side);
        assert_int_equal(header.is_protected, cases[i].is_protected);
    }
}

// Of 32 kbit/s, in versions 2 and 2.5 of 8, or 32 in layer I: by the same formula, without padding.
static void the_shortest_frame_of_a_kind_is_known(void **state)
{
    (void)state;
    static const struct {
        unsigned char header[4];
        uint32_t bytes;
    } cases[] = {{{0xff, 0xff, 0xe0, 0x00}, 12 * 32000 / 44100 * 4},
                 {{0xff, 0xfd, 0xe0, 0x00}, 144 * 32000 / 44100},
                 {{0xff, 0xfb, 0x92, 0x40}, 144 * 32000 / 44100},
                 {{0xff, 0xfb, 0x94, 0x40}, 144 * 32000 / 48000},
                 {{0xff, 0xfb, 0x98, 0x40}, 144 * 32000 / 32000},
                 {{0xff, 0xf7, 0x90, 0x40}, 12 * 32000 / 22050 * 4},
                 {{0xff, 0xf3, 0x90, 0x40}, 72 * 8000 / 22050},
                 {{0xff, 0xe3, 0x94, 0x40}, 72 * 8000 / 12000}};
    struct mp3_header header;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        assert_int_equal(mp3_parse_header(&header, cases[i].header), 0);
        assert_int_equal(mp3_least_frame_bytes(&header), cases[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id3_tags_before_the_first_frame_are_passed_over),
        cmocka_unit_test(junk_and_zeros_before_the_first_frame_are_passed_over),
        cmocka_unit_test(tags_behind_the_last_frame_are_passed_over),
        cmocka_unit_test(tags_between_frames_are_passed_over),
        cmocka_unit_test(lyrics_with_malformed_fields_are_no_tag),
        cmocka_unit_test(bytes_with_a_header_at_their_end_are_no_mp3),
        cmocka_unit_test(two_frames_behind_junk_are_no_mp3),
        cmocka_unit_test(soft_samples_are_no_mp3),
        cmocka_unit_test(frames_of_several_kinds_are_no_mp3),
        cmocka_unit_test(a_file_that_ends_within_its_first_frame_is_refused),
        cmocka_unit_test(what_only_begins_like_a_frame_is_no_mp3),
        cmocka_unit_test(mp3_within_wav_is_played),
        cmocka_unit_test(layers_and_free_bit_rates_are_decoded),
        cmocka_unit_test(one_frame_or_two_are_a_file),
        cmocka_unit_test(every_header_is_read_as_libmpg123_reads_it),
        cmocka_unit_test(headers_tell_length_and_samples),
        cmocka_unit_test(the_shortest_frame_of_a_kind_is_known),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
