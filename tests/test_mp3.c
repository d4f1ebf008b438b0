// SPDX-License-Identifier: MIT
// MP3 among bytes that are none, with tags that lie, and without: all against the sound of the plain file.
#include "io/decoder.h"
#include "io/mp3.h"
#include "support/loop_thread.h"
#include "support/near.h"
#include "support/scratch.h"
#include <errno.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 100003, CHANNELS = 2, MOST_FRAMES = 110000, JUNK_BYTES = 3000 };

static struct loop_thread loop;
static struct loader *loader;
static char folder[SCRATCH_PATH_BYTES];
static unsigned char *mp3; // 44.1 kHz: a tag, and frames from `first` on
static size_t mp3_bytes, first, tag;
static float *plain;

/// A file under way.
struct file {
    unsigned char *bytes;
    size_t count;
};

static void put(struct file *f, const void *bytes, size_t count)
{
    f->bytes = realloc(f->bytes, f->count + count);
    assert_non_null(f->bytes);
    memcpy(f->bytes + f->count, bytes, count);
    f->count += count;
}

static void put_junk(struct file *f, size_t count)
{
    unsigned char *junk = malloc(count);
    assert_non_null(junk);
    for (size_t i = 0; i < count; ++i)
        junk[i] = (unsigned char)(i * 37 + 5) & 0x7f;
    put(f, junk, count);
    free(junk);
}

static void put_big(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; ++i)
        to[i] = (unsigned char)(value >> (24 - 8 * i));
}

/// An ID3v2.3 tag with a picture, which says that it is `stated` bytes long behind its header.
static void put_id3(struct file *f, size_t picture_bytes, uint32_t stated)
{
    unsigned char head[20] = "ID3\3\0\0....APIC....\0";
    for (int i = 0; i < 4; ++i)
        head[6 + i] = (unsigned char)(stated >> (21 - 7 * i) & 127);
    put_big(head + 14, (uint32_t)picture_bytes);
    put(f, head, sizeof head);
    put_junk(f, picture_bytes);
}

// --- Playing -------------------------------------------------------------------------------------

struct heard {
    float *samples;
    uint64_t frames, stated;
    enum decoder_damage damage;
    char text[160];
    bool is_quiet; // nothing was written to standard error
};

static void read_all(struct heard *h, struct source *source)
{
    struct decoder *decoder = NULL;
    struct decoder_info info;
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    assert_string_equal(info.codec, "mp3");
    h->stated = info.frames;
    h->samples = calloc((size_t)MOST_FRAMES * CHANNELS, sizeof *h->samples);
    assert_non_null(h->samples);
    for (int64_t n; (n = decoder_read(decoder, h->samples + h->frames * CHANNELS, 997)) > 0;) {
        h->frames += (uint64_t)n;
        assert_true(h->frames + 997 <= MOST_FRAMES);
    }
    h->damage = decoder_damage(decoder);
    if (h->damage != DECODER_SOUND)
        snprintf(h->text, sizeof h->text, "%s", decoder_damage_text(decoder));
    decoder_close(&decoder);
}

static struct source *open_source(const struct file *f)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "file");
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(f->bytes, 1, f->count, out), f->count);
    assert_int_equal(fclose(out), 0);
    struct source *source = NULL;
    assert_int_equal(source_open(&source, loader, &(struct source_config){.path = path}), 0);
    return source;
}

static struct heard play(struct file *f)
{
    struct heard h = {.frames = 0};
    struct source *source = open_source(f);
    free(f->bytes);
    int ends[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    read_all(&h, source);
    dup2(saved, STDERR_FILENO); // the pipe's last writer goes, so that reading ends
    close(saved);
    char noise[200];
    const ssize_t n = read(ends[0], noise, sizeof noise);
    h.is_quiet = n == 0;
    if (n > 0)
        print_error("%.*s\n", (int)n, noise);
    close(ends[0]);
    source_close(&source);
    return h;
}

static void assert_plain(struct file *f)
{
    struct heard h = play(f);
    assert_int_equal(h.frames, FRAMES);
    assert_int_equal(h.damage, DECODER_SOUND);
    assert_true(h.is_quiet);
    assert_memory_equal(h.samples, plain, (size_t)FRAMES * CHANNELS * sizeof *plain);
    free(h.samples);
}

static int open_error(struct file *f)
{
    struct source *source = open_source(f);
    free(f->bytes);
    struct decoder *decoder = NULL;
    struct decoder_info info;
    const int error = decoder_open(&decoder, source, &info);
    decoder_close(&decoder);
    source_close(&source);
    return error;
}

// --- What is not sound ---------------------------------------------------------------------------

static void tags_and_junk_before_the_first_frame_are_passed_over(void **state)
{
    (void)state;
    struct file one = {0}, two = {0}, liar = {0}, junk = {0};
    put_id3(&one, 3 << 20, (3 << 20) + 10);
    put(&one, mp3, mp3_bytes);
    assert_plain(&one);
    put_id3(&two, 70000, 70010);
    put_id3(&two, 1000, 1010);
    put(&two, mp3, mp3_bytes);
    assert_plain(&two);
    put_id3(&liar, 9000, 5000); // the rest is junk then
    put(&liar, mp3, mp3_bytes);
    assert_plain(&liar);
    put_junk(&junk, JUNK_BYTES);
    put(&junk, mp3, mp3_bytes);
    assert_plain(&junk);
}

// The frame before the junk is lost with it, as nothing confirms it, and the two after it lack its bits.
static void junk_between_frames_is_passed_over(void **state)
{
    (void)state;
    struct file f = {0};
    size_t half = first;
    struct mp3_header header;
    while (half < mp3_bytes / 2) {
        assert_int_equal(mp3_parse_header(&header, mp3 + half), 0);
        half += header.bytes;
    }
    put(&f, mp3, half);
    put_junk(&f, JUNK_BYTES);
    put(&f, mp3 + half, mp3_bytes - half);
    struct heard h = play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.damage, DECODER_SOUND); // every frame is there
    assert_int_equal(h.frames, FRAMES);
    uint32_t off = 0;
    for (uint32_t i = 0; i < FRAMES * CHANNELS; ++i)
        off += memcmp(&h.samples[i], &plain[i], sizeof *plain) != 0;
    assert_true(off < 3 * 1152 * CHANNELS);
    free(h.samples);
}

// Frames of silence, of 128 kbit/s and 417 bytes, behind a tag that counts them: LAME's are not the same from run to run.
static void a_broken_kilobyte_costs_the_frames_it_hits(void **state)
{
    (void)state;
    enum { COUNT = 90, BYTES = 417, TAG_AT = 36 };
    struct file f = {0};
    unsigned char frame[BYTES] = {0xff, 0xfb, 0x90, 0x40};
    for (int i = 0; i <= COUNT; ++i)
        put(&f, frame, sizeof frame);
    memcpy(f.bytes + TAG_AT, "Info\0\0\0\3", 8);
    put_big(f.bytes + TAG_AT + 8, COUNT);
    put_big(f.bytes + TAG_AT + 12, (COUNT + 1) * BYTES);
    for (int i = 30 * BYTES; i < 30 * BYTES + 1000; ++i)
        f.bytes[i] = (unsigned char)(i * 37) & 0x7f;
    struct heard h = play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    assert_non_null(strstr(h.text, "corrupt: 2.261 of 2.339 s can be decoded"));
    assert_int_equal(h.stated - h.frames, 3 * 1152);
    free(h.samples);
}

static void bytes_with_a_header_at_their_end_are_no_mp3(void **state)
{
    (void)state;
    struct file f = {0}, beyond = {0};
    put_junk(&f, 5000);
    put(&f, mp3 + first, 100);
    assert_int_equal(open_error(&f), -ENOTSUP);
    put_id3(&beyond, 100, 1 << 20);
    put(&beyond, mp3, mp3_bytes);
    assert_int_equal(open_error(&beyond), -EBADMSG);
}

// --- Tags that do not fit ------------------------------------------------------------------------

static struct heard play_tagged(uint32_t frames, uint32_t bytes)
{
    struct file f = {0};
    put(&f, mp3, mp3_bytes);
    put_big(f.bytes + tag + 8, frames);
    put_big(f.bytes + tag + 12, bytes);
    struct heard h = play(&f);
    assert_true(h.is_quiet);
    free(h.samples);
    return h;
}

static uint32_t tagged_frames(void)
{
    return (uint32_t)mp3[tag + 10] << 8 | mp3[tag + 11];
}

static void a_tag_that_counts_no_frames_is_none(void **state)
{
    (void)state;
    const struct heard h = play_tagged(0, (uint32_t)mp3_bytes);
    assert_int_equal(h.damage, DECODER_SOUND);
    assert_int_equal(h.stated, (uint64_t)tagged_frames() * 1152);
    assert_int_equal(h.frames, h.stated);
}

static void frames_that_a_tag_counts_and_the_file_lacks_are_told(void **state)
{
    (void)state;
    const struct heard more = play_tagged(2 * tagged_frames(), (uint32_t)mp3_bytes);
    assert_int_equal(more.damage, DECODER_CORRUPT);
    assert_non_null(strstr(more.text, "corrupt: 2.3 of 4.6 s can be decoded"));
    const struct heard cut = play_tagged(2 * tagged_frames(), 2 * (uint32_t)mp3_bytes);
    assert_int_equal(cut.damage, DECODER_TRUNCATED);
    assert_non_null(strstr(cut.text, "truncated: 2.3 of 4.6 s are there"));
}

static void a_wrong_size_alone_changes_nothing(void **state)
{
    (void)state;
    for (uint32_t bytes = 1; bytes < 4 * mp3_bytes; bytes *= 3) {
        const struct heard h = play_tagged(tagged_frames(), bytes);
        assert_int_equal(h.frames, FRAMES);
        assert_int_equal(h.damage, DECODER_SOUND);
    }
}

// --- Seeks ---------------------------------------------------------------------------------------

static size_t encode(const char *path, int rate_hz, int channels)
{
    SF_INFO info = {.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
                    .samplerate = rate_hz,
                    .channels = channels};
    int16_t *music = scratch_music(5, FRAMES, (uint32_t)rate_hz);
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    assert_int_equal(sf_writef_short(file, music, FRAMES), FRAMES);
    assert_int_equal(sf_close(file), 0);
    free(music);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    const size_t bytes = (size_t)ftell(in);
    fclose(in);
    return bytes;
}

// MPEG 2 and mono have other ways through the filter. Sums in another order are a few units in the last place off.
static void seeks_give_the_samples_of_reading_on_at_every_rate(void **state)
{
    (void)state;
    static const int kinds[][2] = {{44100, 2}, {44100, 1}, {22050, 2}, {22050, 1}, {8000, 2}};
    static float whole[MOST_FRAMES * CHANNELS], piece[600 * CHANNELS];
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "kind.mp3");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; ++k) {
        encode(path, kinds[k][0], kinds[k][1]);
        struct source *source = NULL;
        struct decoder *decoder = NULL;
        struct decoder_info info;
        assert_int_equal(source_open(&source, loader, &(struct source_config){.path = path}), 0);
        assert_int_equal(decoder_open(&decoder, source, &info), 0);
        assert_int_equal(info.frames, FRAMES);
        assert_int_equal(decoder_read(decoder, whole, FRAMES), FRAMES);
        for (uint32_t at = 1; at < FRAMES - 600; at += 7919) {
            assert_int_equal(decoder_seek(decoder, at), 0);
            assert_int_equal(decoder_read(decoder, piece, 600), 600);
            for (uint32_t i = 0; i < 600 * info.format.channels; ++i)
                assert_near((double)piece[i], (double)whole[at * info.format.channels + i], 3e-7);
        }
        decoder_close(&decoder);
        source_close(&source);
    }
}

// Lengths by the formula of ISO 11172-3, 2.4.3.1, and 13818-3: samples / 8 * bit rate / rate, and a byte of padding.
static void headers_tell_length_and_rate(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[4];
        uint32_t rate_hz, samples, length, channels;
    } cases[] = {{{0xff, 0xfb, 0x90, 0x00}, 44100, 1152, 417, 2},
                 {{0xff, 0xfb, 0x92, 0x00}, 44100, 1152, 418, 2},
                 {{0xff, 0xfa, 0xe4, 0xc0}, 48000, 1152, 960, 1},
                 {{0xff, 0xf3, 0x90, 0x00}, 22050, 576, 261, 2},
                 {{0xff, 0xe3, 0x92, 0xc0}, 11025, 576, 523, 1},
                 {{0xff, 0xe3, 0x18, 0x00}, 8000, 576, 72, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        struct mp3_header header;
        assert_int_equal(mp3_parse_header(&header, cases[i].bytes), 0);
        assert_int_equal(header.rate_hz, cases[i].rate_hz);
        assert_int_equal(header.samples, cases[i].samples);
        assert_int_equal(header.bytes, cases[i].length);
        assert_int_equal(header.channels, cases[i].channels);
    }
}

static int set_up(void **state)
{
    (void)state;
    char path[SCRATCH_PATH_BYTES];
    scratch_create(folder);
    scratch_path(path, folder, "plain.mp3");
    mp3_bytes = encode(path, 44100, CHANNELS);
    mp3 = malloc(mp3_bytes);
    FILE *in = fopen(path, "rb");
    if (!mp3 || !in || fread(mp3, 1, mp3_bytes, in) != mp3_bytes || fclose(in))
        return -1;
    struct mp3_header header;
    if (mp3_parse_header(&header, mp3))
        return -1;
    first = header.bytes;
    tag = 4 + header.side_bytes;
    if (loader_create(&loader, &(struct loader_config){0}))
        return -1;
    loop_thread_start(&loop, loader);
    struct file f = {0};
    put(&f, mp3, mp3_bytes);
    struct heard h = play(&f);
    plain = h.samples;
    return h.frames == FRAMES ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    const int error = loop_thread_stop(&loop);
    loader_destroy(&loader);
    scratch_remove(folder);
    free(plain);
    free(mp3);
    return error;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_and_junk_before_the_first_frame_are_passed_over),
        cmocka_unit_test(junk_between_frames_is_passed_over),
        cmocka_unit_test(a_broken_kilobyte_costs_the_frames_it_hits),
        cmocka_unit_test(bytes_with_a_header_at_their_end_are_no_mp3),
        cmocka_unit_test(a_tag_that_counts_no_frames_is_none),
        cmocka_unit_test(frames_that_a_tag_counts_and_the_file_lacks_are_told),
        cmocka_unit_test(a_wrong_size_alone_changes_nothing),
        cmocka_unit_test(seeks_give_the_samples_of_reading_on_at_every_rate),
        cmocka_unit_test(headers_tell_length_and_rate),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
