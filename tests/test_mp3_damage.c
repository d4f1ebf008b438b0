// SPDX-License-Identifier: MIT
// MP3 files with bytes that are broken, lost or too many: what is sound of them plays, and the rest is told.
#include "io/mp3.h"
#include "io/mp3_layout.h"
#include "support/mp3_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 100003, CHANNELS = 2, MPEG_SAMPLES = 1152, JUNK_BYTES = 3000 };

static struct mp3_song song;

/// Overwrite bytes by some that begin no frame.
static void break_bytes(const struct mp3_file *f, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; ++i)
        f->bytes[i] = (unsigned char)(i * 37) & 0x7f;
}

static uint32_t count_unlike(const struct mp3_heard *h, const float *samples, uint64_t frames)
{
    uint32_t off = 0;
    for (uint64_t i = 0; i < frames * CHANNELS; ++i)
        off += h->samples[i] != samples[i];
    return off;
}

/// Frames that are not like those of the whole song, of which the first and the last are told.
static uint64_t find_unlike(const struct mp3_heard *h, uint64_t *from, uint64_t *to)
{
    uint64_t count = 0;
    *from = *to = 0;
    for (uint64_t i = 0; i < FRAMES && i < h->frames; ++i) {
        if (!memcmp(h->samples + i * CHANNELS, song.samples + i * CHANNELS,
                    CHANNELS * sizeof(float)))
            continue;
        *from = count++ ? *from : i;
        *to = i + 1;
    }
    return count;
}

// --- What was lost is silent ---------------------------------------------------------------------

static void break_kilobyte(const struct mp3_file *f)
{
    break_bytes(f, 30 * MP3_SILENT_BYTES, 1000);
}

static void assert_silent(struct mp3_file *f, const char *text)
{
    struct mp3_heard h = mp3_play(f);
    assert_true(h.is_quiet);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    assert_string_equal(h.text, text);
    assert_int_equal(h.stated, 90 * MPEG_SAMPLES - 529);
    assert_int_equal(h.frames, h.stated);
    free(h.samples);
}

static void a_broken_kilobyte_costs_the_frames_it_hits(void **state)
{
    (void)state;
    struct mp3_file f = mp3_silent_frames(90);
    break_kilobyte(&f);
    assert_silent(&f, "corrupt: 0.08 s at 0.7 s are silent");
}

// Of another rate, of other channels, of a free bit rate, of another version and layer. Where one should be, one of the
// same kind but too long a frame costs nothing more: it counts as a frame, of silence.
static void headers_within_a_broken_kilobyte_are_none(void **state)
{
    (void)state;
    static const unsigned char headers[][4] = {{0xff, 0xfb, 0xe8, 0x40}, {0xff, 0xfb, 0x90, 0xc0},
                                               {0xff, 0xfb, 0x00, 0x40}, {0xff, 0xf3, 0xe0, 0x40},
                                               {0xff, 0xfd, 0xe0, 0x40}, {0xff, 0xfb, 0xe2, 0x40}};
    struct mp3_file f = mp3_silent_frames(90), first_too = mp3_silent_frames(90);
    break_kilobyte(&f);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; ++i)
        memcpy(f.bytes + 30 * MP3_SILENT_BYTES + 90 * (1 + i), headers[i], 4);
    memcpy(first_too.bytes, f.bytes, f.count);
    assert_silent(&f, "corrupt: 0.08 s at 0.7 s are silent");
    memcpy(first_too.bytes + 30 * MP3_SILENT_BYTES, headers[5], 4);
    assert_silent(&first_too, "corrupt: 0.05 s at 0.8 s are silent");
}

// Its length is that of the others, but it is mono, or of layer II, or of another rate; or it is too long.
static void a_frame_of_another_kind_is_none(void **state)
{
    (void)state;
    static const unsigned char headers[][4] = {{0xff, 0xfb, 0x90, 0xc0},
                                               {0xff, 0xfd, 0x80, 0x40},
                                               {0xff, 0xf3, 0xd0, 0x40},
                                               {0xff, 0xfb, 0xe2, 0x40}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; ++i) {
        struct mp3_file f = mp3_silent_frames(90);
        memcpy(f.bytes + 30 * MP3_SILENT_BYTES, headers[i], 4);
        assert_silent(&f, "corrupt: 0.03 s at 0.7 s are silent");
    }
}

// The count of the tag, or a constant bit rate without one, tells how much was lost: what follows is where it was.
static void what_follows_lost_frames_keeps_its_place(void **state)
{
    (void)state;
    const size_t from = mp3_frame_from(&song, song.file.count / 2);
    for (int is_wide = 0; is_wide < 2; ++is_wide) {
        struct mp3_file f = mp3_copy(&song);
        break_bytes(&f, from, is_wide ? 20000 : 2000);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t first, end;
        const uint64_t unlike = find_unlike(&h, &first, &end);
        assert_int_equal(h.frames, FRAMES);
        assert_int_equal(h.damage, DECODER_CORRUPT);
        assert_non_null(strstr(h.text, "are silent"));
        assert_true(unlike > 0 && end < FRAMES - 5000);
        for (uint64_t i = first + 3 * MPEG_SAMPLES; is_wide && i < end - 6 * MPEG_SAMPLES; ++i)
            assert_true(h.samples[i * CHANNELS] == 0);
        free(h.samples);
    }
}

enum { LAYER_1_FRAMES = 230, LAYER_1_SAMPLES = 384 };

/// Layer I of 128 kbit/s and 44.1 kHz, mono: frames of 34 slots of four bytes or 35. Each is of its own loudness.
static struct mp3_file constant_rate(void)
{
    struct mp3_file f = {0};
    uint32_t done = 0;
    for (uint32_t i = 1; i <= LAYER_1_FRAMES; ++i) {
        const uint32_t slots = 12 * 128000 * i / 44100 - done;
        unsigned char frame[140] = {0xff, 0xff, 0x40, 0xc0,
                                    0x10}; // two bits a sample of the first band
        frame[2] |= (unsigned char)((slots - 34) << 1);
        frame[20] =
            (unsigned char)(i % 60 << 2); // its scale factor, of six bits, and the first sample
        memset(frame + 21, 0x55, 3);
        mp3_put(&f, frame, slots * 4);
        done += slots;
    }
    return f;
}

static void a_constant_bit_rate_tells_what_was_lost(void **state)
{
    (void)state;
    struct mp3_file whole = constant_rate(), broken = constant_rate();
    const struct mp3_heard sound = mp3_play(&whole);
    assert_int_equal(sound.frames, LAYER_1_FRAMES * LAYER_1_SAMPLES);
    break_bytes(&broken, 100 * 138, 3000); // 21 or 22 frames, from the 100th on
    const struct mp3_heard h = mp3_play(&broken);
    assert_int_equal(h.frames, sound.frames);
    assert_int_equal(h.stated, sound.frames);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    assert_string_equal(h.text, "corrupt: 0.18 s at 0.9 s are silent");
    const size_t behind = 125 * LAYER_1_SAMPLES;
    assert_true(sound.samples[behind] != 0);
    assert_memory_equal(h.samples + behind, sound.samples + behind,
                        (sound.frames - behind) * sizeof *h.samples);
    free(h.samples);
    free(sound.samples);
}

// --- Junk ----------------------------------------------------------------------------------------

// Where no tag counts frames, junk of a length that is not that of frames stands for none.
static void junk_among_frames_of_a_constant_bit_rate_is_told(void **state)
{
    (void)state;
    struct mp3_file f = constant_rate(), rest = constant_rate();
    f.count = 12 * 128000 * 100 / 44100 * 4;
    const size_t from = f.count;
    mp3_put_junk(&f, 1110); // 7.97 frames
    mp3_put(&f, rest.bytes + from, rest.count - from);
    free(rest.bytes);
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.frames, LAYER_1_FRAMES * LAYER_1_SAMPLES);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    assert_string_equal(h.text, "corrupt: 1110 bytes at 0.9 s are no sound");
    free(h.samples);
}

// The frame before the junk is silent with it, as it may be torn, and so are two after it, which lack its bits.
static void junk_between_frames_is_passed_over(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    const size_t half = mp3_frame_from(&song, song.file.count / 2);
    mp3_put(&f, song.file.bytes, half);
    mp3_put_junk(&f, JUNK_BYTES);
    mp3_put(&f, song.file.bytes + half, song.file.count - half);
    struct mp3_heard h = mp3_play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.damage, DECODER_SOUND); // every frame is there
    assert_int_equal(h.frames, FRAMES);
    const uint32_t off = count_unlike(&h, song.samples, FRAMES);
    assert_true(off > 0 && off < 5 * MPEG_SAMPLES * CHANNELS);
    free(h.samples);
}

static void junk_between_frames_that_were_counted_is_told(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    const size_t third = mp3_frame_from(&song, song.file.count / 3);
    mp3_put(&f, song.file.bytes + song.first, third - song.first);
    mp3_put_junk(&f, 1234);
    mp3_put(&f, song.file.bytes + third, song.file.count - third);
    struct source *source = mp3_open_source(&f);
    struct decoder *decoder = NULL;
    struct decoder_info info;
    float sound[1000 * CHANNELS];
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    assert_int_equal(decoder_read(decoder, sound, 1000), 1000);
    assert_int_equal(decoder_damage(decoder), DECODER_SOUND); // so far
    decoder_close(&decoder);
    source_close(&source);
    struct mp3_heard h = mp3_play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.frames, h.stated);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    assert_non_null(strstr(h.text, "corrupt: 1234 bytes at 0."));
    free(h.samples);
}

// --- Broken and cut frames -----------------------------------------------------------------------

// Their headers are whole: nothing tells what is wrong but the library, which is to keep silent.
static void broken_frames_are_decoded_quietly(void **state)
{
    (void)state;
    struct mp3_file f = mp3_copy(&song);
    const size_t end = song.file.count / 2;
    for (size_t at = mp3_frame_from(&song, end / 2); at < end; at = mp3_frame_from(&song, at + 1))
        memset(f.bytes + at + MP3_HEADER_BYTES + 2, 0xff, 20);
    const struct mp3_heard h = mp3_play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.frames, FRAMES);
    free(h.samples);
}

// The frame before the cut one is the last.
static void a_cut_frame_of_a_file_without_tag_is_told(void **state)
{
    (void)state;
    const size_t half = mp3_frame_from(&song, song.file.count / 2);
    for (size_t more = 3; more <= 30; more += 27) {
        struct mp3_file f = {0};
        mp3_put(&f, song.file.bytes + song.first, half - song.first + more);
        const struct mp3_heard h = mp3_play(&f);
        assert_true(h.is_quiet);
        assert_int_equal(h.frames, h.stated);
        assert_int_equal(h.frames % MPEG_SAMPLES, 0);
        // Of three bytes nobody can say that they begin a frame.
        assert_int_equal(h.damage, more == 3 ? DECODER_SOUND : DECODER_TRUNCATED);
        assert_true(more == 3 || strstr(h.text, "truncated: "));
        free(h.samples);
    }
}

static int set_up(void **state)
{
    const int error = mp3_set_up(state);
    if (!error)
        song = mp3_encode(44100, CHANNELS, FRAMES);
    return error;
}

static int tear_down(void **state)
{
    mp3_song_free(&song);
    return mp3_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_kilobyte_costs_the_frames_it_hits),
        cmocka_unit_test(headers_within_a_broken_kilobyte_are_none),
        cmocka_unit_test(a_frame_of_another_kind_is_none),
        cmocka_unit_test(what_follows_lost_frames_keeps_its_place),
        cmocka_unit_test(a_constant_bit_rate_tells_what_was_lost),
        cmocka_unit_test(junk_among_frames_of_a_constant_bit_rate_is_told),
        cmocka_unit_test(junk_between_frames_is_passed_over),
        cmocka_unit_test(junk_between_frames_that_were_counted_is_told),
        cmocka_unit_test(broken_frames_are_decoded_quietly),
        cmocka_unit_test(a_cut_frame_of_a_file_without_tag_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
