// SPDX-License-Identifier: MIT
// Files whose writer never came back to say how long they are: from RIFF, AIFF, AU, CAF and RF64 as their own
// standards lay them out, byte by byte.
#include "io/sound/container.h"
#include "io/sound/decoder.h"
#include "support/loop_thread.h"
#include "support/near.h"
#include "support/scratch.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES = 3000, CHANNELS = 2, FRAME_BYTES = 4, DATA_BYTES = FRAMES * FRAME_BYTES };

static struct loop_thread loop;
static char folder[SCRATCH_PATH_BYTES];

/// A file under way.
struct file {
    unsigned char bytes[DATA_BYTES + 400];
    size_t count;
};

static void put(struct file *f, const void *bytes, size_t count)
{
    assert_true(f->count + count <= sizeof f->bytes);
    memcpy(f->bytes + f->count, bytes, count);
    f->count += count;
}

static void put_text(struct file *f, const char *text)
{
    put(f, text, strlen(text));
}

static void put_big(struct file *f, uint64_t value, int n)
{
    for (int i = n - 1; i >= 0; --i)
        put(f, &(unsigned char){(unsigned char)(value >> 8 * i)}, 1);
}

static void put_little(struct file *f, uint64_t value, int n)
{
    for (int i = 0; i < n; ++i)
        put(f, &(unsigned char){(unsigned char)(value >> 8 * i)}, 1);
}

static int16_t sample_at(int i)
{
    return (int16_t)(i * 7919 % 30011 - 15000);
}

static void put_samples(struct file *f, bool is_big)
{
    for (int i = 0; i < FRAMES * CHANNELS; ++i)
        (is_big ? put_big : put_little)(f, (uint16_t)sample_at(i), 2);
}

static void put_wav(struct file *f, const char *riff, uint64_t riff_bytes)
{
    put_text(f, riff);
    put_little(f, riff_bytes, 4);
    put_text(f, "WAVE");
}

static void put_format_and_data(struct file *f, uint64_t data_bytes)
{
    put_text(f, "fmt ");
    put_little(f, 16, 4);
    put_little(f, 1, 2);
    put_little(f, CHANNELS, 2);
    put_little(f, 44100, 4);
    put_little(f, 44100 * FRAME_BYTES, 4);
    put_little(f, FRAME_BYTES, 2);
    put_little(f, 16, 2);
    put_text(f, "data");
    put_little(f, data_bytes, 4);
}

static void put_info(struct file *f)
{
    put_text(f, "LIST");
    put_little(f, 18, 4);
    put_text(f, "INFOINAM");
    put_little(f, 6, 4);
    put(f, "Title", 6);
}

// 44,100 as an 80-bit float: 0xac44 shifted to the top, exponent 15.
static void put_aiff(struct file *f, uint64_t form_bytes, uint64_t frames, uint64_t data_bytes)
{
    put_text(f, "FORM");
    put_big(f, form_bytes, 4);
    put_text(f, "AIFFCOMM");
    put_big(f, 18, 4);
    put_big(f, CHANNELS, 2);
    put_big(f, frames, 4);
    put_big(f, 16, 2);
    put_big(f, 0x400eac44, 4);
    put_big(f, 0, 6);
    put_text(f, "SSND");
    put_big(f, data_bytes, 4);
    put_big(f, 0, 8);
}

static void put_au(struct file *f, uint64_t data_bytes)
{
    put_text(f, ".snd");
    put_big(f, 24, 4);
    put_big(f, data_bytes, 4);
    put_big(f, 3, 4); // 16 bits
    put_big(f, 44100, 4);
    put_big(f, CHANNELS, 4);
}

static void put_caf(struct file *f, uint64_t data_bytes)
{
    put_text(f, "caff");
    put_big(f, 1, 2);
    put_big(f, 0, 2);
    put_text(f, "desc");
    put_big(f, 32, 8);
    put_big(f, 0x40e5888000000000, 8); // 44,100 as a double
    put_text(f, "lpcm");
    put_big(f, 0, 4);
    put_big(f, FRAME_BYTES, 4);
    put_big(f, 1, 4);
    put_big(f, CHANNELS, 4);
    put_big(f, 16, 4);
    put_text(f, "data");
    put_big(f, data_bytes, 8);
    put_big(f, 0, 4); // edits
}

static void put_rf64(struct file *f, uint64_t data_bytes)
{
    put_wav(f, "RF64", UINT32_MAX);
    put_text(f, "ds64");
    put_little(f, 28, 4);
    put_little(f, 0, 8);
    put_little(f, data_bytes, 8);
    put_little(f, 0, 8);
    put_little(f, 0, 4);
    put_format_and_data(f, UINT32_MAX);
}

// --- What is heard of it -------------------------------------------------------------------------

/// Play a file; check that what is heard are the first of its samples. @return frames.
static uint64_t heard(const struct file *f, char text[160])
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "file");
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(f->bytes, 1, f->count, out), f->count);
    assert_int_equal(fclose(out), 0);
    struct source *source = NULL;
    struct decoder *decoder = NULL;
    struct decoder_info info;
    const struct source_config config = {.path = path};
    assert_int_equal(source_open(&source, loop.loader, &config), 0);
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    static float samples[(FRAMES + 200) * CHANNELS];
    const int64_t frames = decoder_read(decoder, samples, FRAMES + 200);
    assert_true(frames >= 0 && (uint64_t)frames <= info.frames);
    const char *damage = decoder_damage_text(decoder);
    const int64_t plain = damage ? frames - 44100 / 200 : frames; // the rest fades
    for (int i = 0; i < plain * CHANNELS && i < FRAMES * CHANNELS; ++i)
        assert_near((double)samples[i], sample_at(i) / 32768.0, 0.0);
    snprintf(text, 160, "%s", damage ? damage : "");
    decoder_close(&decoder);
    source_close(&source);
    return (uint64_t)frames;
}

static void assert_whole(const struct file *f)
{
    char text[160];
    assert_int_equal(heard(f, text), FRAMES);
    assert_string_equal(text, "");
}

static void wav_left_open_plays_to_its_end(void **state)
{
    (void)state;
    // Of a killed recorder, of a pipe, of sox, ffmpeg and arecord, and of one who wrote the outer size alone.
    static const uint64_t sizes[][2] = {{0, 0},
                                        {36, 0},
                                        {36 + DATA_BYTES, 0},
                                        {UINT32_MAX, 0},
                                        {UINT32_MAX, UINT32_MAX},
                                        {UINT32_MAX, 0xffffff00},
                                        {0x7ffff024, 0x7ffff000},
                                        {0x7fffffff, 0x7fffffdb},
                                        {0x80000024, 0x80000000}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        struct file f = {.count = 0};
        put_wav(&f, "RIFF", sizes[i][0]);
        put_format_and_data(&f, sizes[i][1]);
        put_samples(&f, false);
        assert_whole(&f);
    }
}

static void rf64_left_open_plays_to_its_end(void **state)
{
    (void)state;
    struct file open = {.count = 0}, whole = {.count = 0};
    put_rf64(&open, 0);
    put_samples(&open, false);
    assert_whole(&open);
    put_rf64(&whole, DATA_BYTES);
    put_samples(&whole, false);
    put_info(&whole);
    assert_whole(&whole);
}

static void aiff_left_open_plays_to_its_end(void **state)
{
    (void)state;
    static const uint64_t sizes[][3] = {{0, 0, 0},
                                        {54, 0, 8},
                                        {UINT32_MAX, UINT32_MAX, UINT32_MAX},
                                        {0x7f00002e, 0x1fc00000, 0x7f000008}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        struct file f = {.count = 0};
        put_aiff(&f, sizes[i][0], sizes[i][1], sizes[i][2]);
        put_samples(&f, true);
        assert_whole(&f);
    }
}

static void au_left_open_plays_to_its_end(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        struct file f = {.count = 0};
        put_au(&f, sizes[i]);
        put_samples(&f, true);
        assert_whole(&f);
    }
}

// Its standard has -1 for data up to the end of the file. Without any they are 4 bytes, the count of edits.
static void caf_left_open_plays_to_its_end(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {UINT64_MAX, 0, 4};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        struct file f = {.count = 0};
        put_caf(&f, sizes[i]);
        put_samples(&f, true);
        assert_whole(&f);
    }
}

// What lies behind no sound is no sound either, where it is chunks to the last byte.
static void a_title_behind_no_sound_is_not_played(void **state)
{
    (void)state;
    for (uint64_t riff_bytes = 36; riff_bytes <= 62; riff_bytes += 26) {
        struct file f = {.count = 0};
        char text[160];
        put_wav(&f, "RIFF", riff_bytes);
        put_format_and_data(&f, 0);
        assert_int_equal(heard(&f, text), 0);
        put_info(&f);
        assert_int_equal(heard(&f, text), 0);
    }
}

// One byte less, and the last of the chunks does not end where the file does.
static void what_only_begins_as_chunks_is_sound(void **state)
{
    (void)state;
    struct container_lengths lengths;
    struct file f = {.count = 0};
    char path[SCRATCH_PATH_BYTES];
    put_wav(&f, "RIFF", 0);
    put_format_and_data(&f, 0);
    put_info(&f);
    scratch_path(path, folder, "file");
    for (size_t cut = 0; cut < 10; ++cut) {
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(f.bytes, 1, f.count - cut, out), f.count - cut);
        assert_int_equal(fclose(out), 0);
        struct source *source = NULL;
        struct file_identity identity;
        assert_int_equal(source_open(&source, loop.loader, &(struct source_config){.path = path}),
                         0);
        assert_int_equal(source_wait_open(source, &identity), 0);
        assert_int_equal(container_probe(&lengths, source, identity.size_bytes), 0);
        assert_int_equal(lengths.data_offset, 44);
        // Chunks are padded to even lengths, and a pad at the very end is often left out.
        assert_int_equal(lengths.size.count, cut == 0 ? 0 : 4);
        assert_int_equal(lengths.size.offset, cut == 0 ? 0 : 40);
        source_close(&source);
    }
}

static void sizes_just_beyond_the_open_ones_are_believed(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0x80000001, 0x7fffefff, 0x7effe000, 0x7f001000, 0xfffffe00};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        struct file f = {.count = 0};
        char text[160];
        put_wav(&f, "RIFF", sizes[i] + 36);
        put_format_and_data(&f, sizes[i]);
        put_samples(&f, false);
        assert_int_equal(heard(&f, text), FRAMES);
        assert_non_null(strstr(text, "truncated: 0.1 of "));
    }
}

static void a_chunk_of_odd_length_before_the_sound_is_padded(void **state)
{
    (void)state;
    struct file f = {.count = 0};
    put_wav(&f, "RIFF", 0);
    put_text(&f, "junk");
    put_little(&f, 3, 4);
    put(&f, "abc", 4); // a pad behind it
    put_format_and_data(&f, 0);
    put_samples(&f, false);
    assert_whole(&f);
}

static int set_up(void **state)
{
    (void)state;
    scratch_create(folder);
    loop_thread_open(&loop);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    const int error = loop_thread_close(&loop);
    scratch_remove(folder);
    return error;
}

// Blocks of RFC 9639, 8.1: a byte of type, 0x80 on the last, 24 bits of length. None holds what its type should.
static void flac_metadata_that_sound_does_not_need_is_passed_over(void **state)
{
    (void)state;
    enum { COMMENTS = 4, CUE_SHEET = 5, PICTURE = 6, APPLICATION = 2, STREAM_END = 42 };
    static const unsigned char types[] = {COMMENTS, CUE_SHEET, PICTURE, APPLICATION};
    int16_t samples[FRAMES * CHANNELS];
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "a.flac");
    for (int i = 0; i < FRAMES * CHANNELS; ++i)
        samples[i] = sample_at(i);
    scratch_write_s16(path, samples, FRAMES, 44100, CHANNELS);
    struct file plain = {.count = 0};
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    plain.count = fread(plain.bytes, 1, sizeof plain.bytes, in);
    assert_int_equal(fclose(in), 0);
    for (size_t i = 0; i < sizeof types; ++i) {
        for (unsigned bytes = 0; bytes <= 60; bytes += 20) {
            struct file f = {.count = 0}, tagged = {.count = 0};
            put(&f, plain.bytes, STREAM_END);
            put_big(&f, (unsigned)types[i] << 24 | bytes, 4);
            put(&f, (unsigned char[60]){3, 0xff, 0x7f}, bytes);
            put(&f, plain.bytes + STREAM_END, plain.count - STREAM_END);
            assert_whole(&f);
            put(&tagged, "ID3\4\0\0\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0", 20);
            put(&tagged, f.bytes, f.count);
            assert_whole(&tagged);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wav_left_open_plays_to_its_end),
        cmocka_unit_test(rf64_left_open_plays_to_its_end),
        cmocka_unit_test(aiff_left_open_plays_to_its_end),
        cmocka_unit_test(au_left_open_plays_to_its_end),
        cmocka_unit_test(caf_left_open_plays_to_its_end),
        cmocka_unit_test(a_title_behind_no_sound_is_not_played),
        cmocka_unit_test(what_only_begins_as_chunks_is_sound),
        cmocka_unit_test(sizes_just_beyond_the_open_ones_are_believed),
        cmocka_unit_test(a_chunk_of_odd_length_before_the_sound_is_padded),
        cmocka_unit_test(flac_metadata_that_sound_does_not_need_is_passed_over),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
