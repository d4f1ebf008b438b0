// SPDX-License-Identifier: MIT
// MP3 files with bytes that are broken, lost or too many: what is sound of them plays, and the rest is told.
#include "io/sound/mp3.h"
#include "io/sound/mp3_layout.h"
#include "support/mp3_song_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

// Of two frames of which the first one's header lies, with a kilobyte between: the tag counts one more than there is.
static void a_hole_of_more_bytes_than_frames_is_as_long_as_these(void **state)
{
    (void)state;
    const size_t from = 30 * MP3_SILENT_BYTES, behind = 32 * MP3_SILENT_BYTES;
    struct mp3_file f = mp3_silent_frames(90), rest = mp3_silent_frames(90);
    break_bytes(&f, from, behind - from);
    memcpy(f.bytes + from, "\xff\xfb\xe2\x40", 4);
    f.count = behind;
    mp3_put_junk(&f, 1000);
    mp3_put(&f, rest.bytes + behind, rest.count - behind);
    free(rest.bytes);
    assert_silent(&f, "corrupt: 0.03 s at 0.8 s are silent");
}

static void the_last_two_frames_behind_junk_are_some(void **state)
{
    (void)state;
    struct mp3_file f = mp3_silent_frames(90);
    break_bytes(&f, 80 * MP3_SILENT_BYTES, 9 * MP3_SILENT_BYTES);
    assert_silent(&f, "corrupt: 0.24 s at 2.1 s are silent");
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
    struct mp3_file whole = constant_rate();
    const struct mp3_heard sound = mp3_play(&whole);
    assert_int_equal(sound.frames, LAYER_1_FRAMES * LAYER_1_SAMPLES);
    for (size_t from = 100; from < 110; ++from) {
        struct mp3_file broken = constant_rate();
        break_bytes(&broken, from * 138, 3000); // 21 or 22 frames
        const struct mp3_heard h = mp3_play(&broken);
        assert_int_equal(h.frames, sound.frames);
        assert_int_equal(h.stated, sound.frames);
        assert_int_equal(h.damage, DECODER_CORRUPT);
        assert_non_null(strstr(h.text, "corrupt: 0.1"));
        assert_non_null(strstr(h.text, " s are silent"));
        const size_t behind = (from + 25) * LAYER_1_SAMPLES;
        assert_true(sound.samples[behind] != 0);
        assert_memory_equal(h.samples + behind, sound.samples + behind,
                            (sound.frames - behind) * sizeof *h.samples);
        free(h.samples);
    }
    free(sound.samples);
}

/// Whether all samples of an MPEG frame are 0.
static bool is_silent(const struct mp3_heard *h, uint32_t frame)
{
    bool is_any = false;
    for (uint64_t i = 0; i < MP3_TONE_SAMPLES; ++i)
        is_any = is_any || h->samples[(uint64_t)frame * MP3_TONE_SAMPLES + i] != 0;
    return !is_any;
}

// The first frame behind a hole takes its bits from within it; the next one's are there, and sound like ever from the
// second on, as frames overlap.
static void a_frame_whose_bits_were_lost_is_silent(void **state)
{
    (void)state;
    enum { LOST = 36 };
    for (enum mp3_tone kind = MP3_TONE_PLAIN; kind <= MP3_TONE_EARLY; ++kind) {
        const uint32_t first = LOST + 1 + (kind == MP3_TONE_EARLY);
        struct mp3_file f = {0}, whole = {0};
        mp3_put_tones(&f, kind, 60);
        mp3_put_tones(&whole, kind, 60);
        break_bytes(&f, mp3_tone_at(LOST), 104);
        const struct mp3_heard h = mp3_play(&f), all = mp3_play(&whole);
        assert_int_equal(h.frames, 60 * MP3_TONE_SAMPLES);
        assert_string_equal(h.text, "corrupt: 0.03 s at 0.9 s are silent");
        assert_false(is_silent(&h, LOST - 2));
        assert_true(is_silent(&h, first - 1) && !is_silent(&h, first));
        for (uint64_t i = 0; i < 60; ++i) {
            const size_t at = i * MP3_TONE_SAMPLES;
            if (i < LOST - 1 || i > first + 1)
                assert_memory_equal(h.samples + at, all.samples + at,
                                    MP3_TONE_SAMPLES * sizeof *h.samples);
        }
        free(h.samples);
        free(all.samples);
    }
}

static void a_lost_frame_of_a_free_bit_rate_is_silent(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfb, 0x00, 0x40}, 999, 60);
    break_bytes(&f, 30 * 999, 999);
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.frames, 60 * MPEG_SAMPLES);
    assert_string_equal(h.text, "corrupt: 0.03 s at 0.8 s are silent");
    free(h.samples);
}

// Libmpg123 does not compare them.
static void checksums_are_passed_over(void **state)
{
    (void)state;
    struct mp3_file plain = {0}, checked = {0}, early = {0};
    mp3_put_tones(&plain, MP3_TONE_PLAIN, 60);
    mp3_put_tones(&checked, MP3_TONE_CHECKED, 60);
    mp3_put_tones(&early, MP3_TONE_EARLY, 60);
    const struct mp3_heard a = mp3_play(&plain), b = mp3_play(&checked), c = mp3_play(&early);
    assert_false(is_silent(&a, 5));
    assert_memory_equal(a.samples, b.samples, 60 * MP3_TONE_SAMPLES * sizeof *a.samples);
    assert_memory_equal(a.samples, c.samples, 60 * MP3_TONE_SAMPLES * sizeof *a.samples);
    free(a.samples);
    free(b.samples);
    free(c.samples);
}

// --- Junk ----------------------------------------------------------------------------------------

// Where no tag counts frames, junk of a length that is not that of frames stands for none.
static void junk_among_frames_of_a_constant_bit_rate_is_told(void **state)
{
    (void)state;
    struct mp3_file f = constant_rate(), rest = constant_rate();
    f.count = 12 * 128000 * 100 / 44100 * 4;
    const size_t from = f.count;
    mp3_put_junk(&f, 1050); // 7.5 frames
    mp3_put(&f, rest.bytes + from, rest.count - from);
    free(rest.bytes);
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.frames, LAYER_1_FRAMES * LAYER_1_SAMPLES);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    assert_string_equal(h.text, "corrupt: 1050 bytes at 0.9 s are no sound");
    free(h.samples);
}

// Of 104 bytes and 105, of which the one before the junk counts with it: a slot off at either end, no more, is padding.
static void junk_as_long_as_frames_but_for_padding_stands_for_them(void **state)
{
    (void)state;
    enum { BEFORE = 30, FRAMES_OF_TONE = 60 };
    for (size_t junk = 204; junk <= 208; junk += 4) {
        struct mp3_file f = {0}, whole = {0};
        mp3_put_tones(&whole, MP3_TONE_PLAIN, FRAMES_OF_TONE);
        mp3_put(&f, whole.bytes, mp3_tone_at(BEFORE));
        mp3_put_junk(&f, junk);
        mp3_put(&f, whole.bytes + mp3_tone_at(BEFORE), whole.count - mp3_tone_at(BEFORE));
        free(whole.bytes);
        const struct mp3_heard h = mp3_play(&f);
        const bool is_lost = junk == 208; // two
        assert_int_equal(h.frames, (FRAMES_OF_TONE + (is_lost ? 2 : 0)) * MP3_TONE_SAMPLES);
        assert_string_equal(h.text, is_lost ? "corrupt: 0.05 s at 0.8 s are silent"
                                            : "corrupt: 204 bytes at 0.8 s are no sound");
        free(h.samples);
    }
}

// The frame before it may be cut off by it: what a frame behind it would take of that one's end is not to be had.
static void a_frame_behind_junk_takes_no_bits_from_before_it(void **state)
{
    (void)state;
    enum { BEHIND = 30, FRAMES_OF_TONE = 60 };
    for (enum mp3_tone kind = MP3_TONE_PLAIN; kind <= MP3_TONE_EARLY; kind += MP3_TONE_EARLY) {
        struct mp3_file f = {0}, whole = {0};
        mp3_put_tones(&whole, kind, FRAMES_OF_TONE);
        mp3_put(&f, whole.bytes, mp3_tone_at(BEHIND));
        mp3_put_junk(&f, 50); // half a frame
        mp3_put(&f, whole.bytes + mp3_tone_at(BEHIND), whole.count - mp3_tone_at(BEHIND));
        const struct mp3_heard h = mp3_play(&f), all = mp3_play(&whole);
        assert_string_equal(h.text, "corrupt: 50 bytes at 0.8 s are no sound");
        assert_int_equal(h.frames, all.frames);
        assert_int_equal(is_silent(&h, BEHIND), kind == MP3_TONE_EARLY);
        assert_false(is_silent(&h, BEHIND + 1));
        for (uint64_t i = 0; i < FRAMES_OF_TONE; ++i) // frames overlap
            if (i < BEHIND - 1 || i > BEHIND + 2)
                assert_memory_equal(h.samples + i * MP3_TONE_SAMPLES,
                                    all.samples + i * MP3_TONE_SAMPLES,
                                    MP3_TONE_SAMPLES * sizeof *h.samples);
        free(h.samples);
        free(all.samples);
    }
}

// Nor where frames are of any length, be a hole as long as four on the average.
static void junk_among_frames_of_a_variable_bit_rate_is_told(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    for (int i = 0; i < 61; ++i) {
        const bool is_long = i % 2; // thirty each, but for the one before the junk
        mp3_put_frames(&f, (unsigned char[]){0xff, 0xfb, is_long ? 0xa0 : 0x90, 0x40},
                       is_long ? 522 : 417, 1);
        if (i == 30)
            mp3_put_junk(&f, 4 * (417 + 522) / 2 - 417);
    }
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.frames, 61 * MPEG_SAMPLES);
    assert_string_equal(h.text, "corrupt: 1461 bytes at 0.8 s are no sound");
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

/// Reads of the file, through the linker's --wrap.
static uint32_t reads;
int64_t __real_source_read(struct source *source, void *to, uint64_t offset, size_t bytes);
int64_t __wrap_source_read(struct source *source, void *to, uint64_t offset, size_t bytes);
int64_t __wrap_source_read(struct source *source, void *to, uint64_t offset, size_t bytes)
{
    reads++;
    return __real_source_read(source, to, offset, bytes);
}

// Each leads to the next, or states that it reaches as far as the other end: from every one there is the same long way.
static void tags_amid_junk_are_not_followed_again_and_again(void **state)
{
    (void)state;
    enum { COUNT = 100000, TAG = 10, PASSES = 10, PART = 32768 };
    for (int is_far = 0; is_far < 2; ++is_far) {
        struct mp3_file f = mp3_copy_untagged(&song);
        struct mp3_file tags = {.bytes = malloc(COUNT * TAG), .count = COUNT * TAG};
        assert_non_null(tags.bytes);
        for (uint32_t i = 0; i < COUNT; ++i) {
            unsigned char *tag = tags.bytes + (size_t)i * TAG;
            const uint32_t stated = is_far && i < COUNT / 2 ? (COUNT / 2 - 1) * TAG : 0;
            memcpy(tag, "ID3\3\0", 6);
            for (int k = 0; k < 4; ++k)
                tag[6 + k] = (unsigned char)(stated >> (21 - 7 * k) & 127);
        }
        mp3_put(&f, "xx", 2);
        mp3_put_file(&f, &tags);
        const uint32_t most = PASSES * (uint32_t)(f.count / PART);
        reads = 0;
        const struct mp3_heard h = mp3_play(&f);
        assert_int_equal(h.damage, DECODER_SOUND);
        assert_int_equal(h.frames % MPEG_SAMPLES, 0);
        assert_in_range(reads, 1, most);
        free(h.samples);
    }
}

// More than are followed from one place: those that are left lead to the frames.
static void a_hundred_tags_between_frames_are_passed_over(void **state)
{
    (void)state;
    struct mp3_file f = {0}, untagged = mp3_copy_untagged(&song);
    const size_t half = mp3_frame_from(&song, song.file.count / 2);
    mp3_put(&f, song.file.bytes + song.first, half - song.first);
    for (int i = 0; i < 100; ++i)
        mp3_put_id3(&f, 30, 40);
    mp3_put(&f, song.file.bytes + half, song.file.count - half);
    const struct mp3_heard h = mp3_play(&f), plain = mp3_play(&untagged);
    assert_int_equal(h.frames, plain.frames);
    free(h.samples);
    free(plain.samples);
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
    const size_t next = mp3_frame_from(&song, half + 1), all = next - half;
    for (size_t more = 3; more < all; more += more == 3 ? 27 : all - 32) { // 3, 30, all but 2
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_kilobyte_costs_the_frames_it_hits),
        cmocka_unit_test(headers_within_a_broken_kilobyte_are_none),
        cmocka_unit_test(a_frame_of_another_kind_is_none),
        cmocka_unit_test(a_hole_of_more_bytes_than_frames_is_as_long_as_these),
        cmocka_unit_test(the_last_two_frames_behind_junk_are_some),
        cmocka_unit_test(what_follows_lost_frames_keeps_its_place),
        cmocka_unit_test(a_constant_bit_rate_tells_what_was_lost),
        cmocka_unit_test(a_frame_whose_bits_were_lost_is_silent),
        cmocka_unit_test(a_lost_frame_of_a_free_bit_rate_is_silent),
        cmocka_unit_test(checksums_are_passed_over),
        cmocka_unit_test(junk_among_frames_of_a_constant_bit_rate_is_told),
        cmocka_unit_test(junk_as_long_as_frames_but_for_padding_stands_for_them),
        cmocka_unit_test(a_frame_behind_junk_takes_no_bits_from_before_it),
        cmocka_unit_test(junk_among_frames_of_a_variable_bit_rate_is_told),
        cmocka_unit_test(junk_between_frames_is_passed_over),
        cmocka_unit_test(junk_between_frames_that_were_counted_is_told),
        cmocka_unit_test(tags_amid_junk_are_not_followed_again_and_again),
        cmocka_unit_test(a_hundred_tags_between_frames_are_passed_over),
        cmocka_unit_test(broken_frames_are_decoded_quietly),
        cmocka_unit_test(a_cut_frame_of_a_file_without_tag_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
