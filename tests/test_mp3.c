// SPDX-License-Identifier: MIT
// MP3 among bytes that are none, with tags that lie, and without: all against the sound of the plain file.
#include "io/decoder.h"
#include "io/mp3_layout.h"
#include "support/loop_thread.h"
#include "support/scratch.h"
#include <errno.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

/// Where the plain file's first frame at or behind `offset` begins.
static size_t frame_from(size_t offset)
{
    size_t at = first;
    struct mp3_header header;
    while (at < offset) {
        assert_int_equal(mp3_parse_header(&header, mp3 + at), 0);
        at += header.bytes;
    }
    return at;
}

// --- What is not sound ---------------------------------------------------------------------------

static void tags_and_junk_before_the_first_frame_are_passed_over(void **state)
{
    (void)state;
    struct file one = {0}, two = {0}, liar = {0}, junk = {0}, zeros = {0}, footer = {0};
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
    static const unsigned char none[70000];
    put(&zeros, none, sizeof none);
    put(&zeros, mp3, mp3_bytes);
    assert_plain(&zeros);
    put_id3(&footer, 1000, 1010); // and a footer, which its length leaves out (ID3v2.4, 3.4)
    footer.bytes[3] = 4;
    footer.bytes[5] = 0x10;
    put(&footer, "3DI\4\0\x10\0\0\7\x72", 10);
    put_id3(&footer, 70000, 70010);
    put(&footer, mp3, mp3_bytes);
    assert_plain(&footer);
}

static void tags_behind_the_last_frame_are_passed_over(void **state)
{
    (void)state;
    struct file f = {0};
    char old[128] = "TAGtitle";
    unsigned char ape[32] = "APETAGEX\xd0\7\0\0";
    ape[12] = 100;
    put(&f, mp3, mp3_bytes);
    put(&f, ape, sizeof ape);
    put_junk(&f, 100);
    put(&f, old, sizeof old);
    assert_plain(&f);
}

// The frame before the junk is silent with it, as it may be torn, and so are two after it, which lack its bits.
static void junk_between_frames_is_passed_over(void **state)
{
    (void)state;
    struct file f = {0};
    const size_t half = frame_from(mp3_bytes / 2);
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
    assert_true(off < 5 * 1152 * CHANNELS);
    free(h.samples);
}

static void junk_between_frames_that_were_counted_is_told(void **state)
{
    (void)state;
    struct file f = {0};
    const size_t third = frame_from(mp3_bytes / 3);
    put(&f, mp3 + first, third - first);
    put_junk(&f, 1234);
    put(&f, mp3 + third, mp3_bytes - third);
    struct source *source = open_source(&f);
    struct decoder *decoder = NULL;
    struct decoder_info info;
    float sound[1000 * CHANNELS];
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    assert_int_equal(decoder_read(decoder, sound, 1000), 1000);
    assert_int_equal(decoder_damage(decoder), DECODER_SOUND); // so far
    decoder_close(&decoder);
    source_close(&source);
    struct heard h = play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.frames, h.stated);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    assert_non_null(strstr(h.text, "corrupt: 1234 bytes at 0."));
    free(h.samples);
}

// A tag between frames is no damage.
static void a_tag_between_frames_is_passed_over(void **state)
{
    (void)state;
    struct file f = {0};
    const size_t half = frame_from(mp3_bytes / 2);
    put(&f, mp3, half);
    put_id3(&f, 5000, 5010);
    put(&f, mp3 + half, mp3_bytes - half);
    assert_plain(&f);
}

enum { SILENT_BYTES = 417, TAG_AT = 36 };

/// Frames of silence, of 128 kbit/s, behind a tag that counts them: LAME's are not the same from run to run.
static struct file silent_frames(uint32_t count)
{
    struct file f = {0};
    unsigned char frame[SILENT_BYTES] = {0xff, 0xfb, 0x90, 0x40};
    for (uint32_t i = 0; i <= count; ++i)
        put(&f, frame, sizeof frame);
    memcpy(f.bytes + TAG_AT, "Info\0\0\0\3", 8);
    put_big(f.bytes + TAG_AT + 8, count);
    put_big(f.bytes + TAG_AT + 12, (count + 1) * SILENT_BYTES);
    return f;
}

static void break_kilobyte(const struct file *f)
{
    for (int i = 30 * SILENT_BYTES; i < 30 * SILENT_BYTES + 1000; ++i)
        f->bytes[i] = (unsigned char)(i * 37) & 0x7f;
}

static void assert_lost(struct file *f, uint32_t frames)
{
    struct heard h = play(f);
    assert_true(h.is_quiet);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    char text[64]; // of the 90 frames that the tag counts, without the decoder's delay
    snprintf(text, sizeof text, "corrupt: %.3f of 2.339 s can be decoded",
             ((90 - frames) * 1152.0 - 529) / 44100);
    assert_string_equal(h.text, text);
    assert_int_equal(h.stated - h.frames, frames * 1152);
    free(h.samples);
}

static void a_broken_kilobyte_costs_the_frames_it_hits(void **state)
{
    (void)state;
    struct file f = silent_frames(90);
    break_kilobyte(&f);
    assert_lost(&f, 3);
}

// Of another rate, of other channels, of a free bit rate, of another version and layer. Where one should be, one of the
// same kind but too long a frame costs nothing more: it counts as a frame, of silence.
static void headers_within_a_broken_kilobyte_are_none(void **state)
{
    (void)state;
    static const unsigned char headers[][4] = {{0xff, 0xfb, 0xe8, 0x40}, {0xff, 0xfb, 0x90, 0xc0},
                                               {0xff, 0xfb, 0x00, 0x40}, {0xff, 0xf3, 0xe0, 0x40},
                                               {0xff, 0xfd, 0xe0, 0x40}, {0xff, 0xfb, 0xe2, 0x40}};
    struct file f = silent_frames(90), first_too = silent_frames(90);
    break_kilobyte(&f);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; ++i)
        memcpy(f.bytes + 30 * SILENT_BYTES + 90 * (1 + i), headers[i], 4);
    memcpy(first_too.bytes, f.bytes, f.count);
    assert_lost(&f, 3);
    memcpy(first_too.bytes + 30 * SILENT_BYTES, headers[5], 4);
    assert_lost(&first_too, 2);
}

// Their headers are whole: nothing tells what is wrong but the library, which is to keep silent.
static void broken_frames_are_decoded_quietly(void **state)
{
    (void)state;
    struct file f = {0};
    put(&f, mp3, mp3_bytes);
    for (size_t at = frame_from(mp3_bytes / 4); at < mp3_bytes / 2; at = frame_from(at + 1))
        memset(f.bytes + at + MP3_HEADER_BYTES + 2, 0xff, 20);
    const struct heard h = play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.frames, FRAMES);
    free(h.samples);
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
        struct file f = silent_frames(90);
        memcpy(f.bytes + 30 * SILENT_BYTES, headers[i], 4);
        assert_lost(&f, 1);
    }
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

static void a_file_that_ends_within_its_first_frame_is_refused(void **state)
{
    (void)state;
    for (size_t bytes = MP3_HEADER_BYTES; bytes < first; bytes += 50) {
        struct file f = {0}, tagged = {0};
        put(&f, mp3 + first, bytes);
        assert_int_equal(open_error(&f), -ENOMSG);
        put_id3(&tagged, 100, 110);
        put(&tagged, mp3, bytes);
        assert_int_equal(open_error(&tagged), -ENOMSG);
    }
}

static void what_only_begins_like_a_frame_is_no_mp3(void **state)
{
    (void)state;
    struct file tagged = {0};
    for (int units = 30; units <= 500; units += 470) {
        struct file text = {0};
        for (int i = 0; i < units; ++i)
            put(&text, i ? "T" : "\xff\xfe", 2); // UTF-16: the mark, and a text
        assert_int_equal(open_error(&text), -ENOTSUP);
    }
    put_id3(&tagged, 100, 110);
    put(&tagged, "\xff\xfb\x90\x40", 4);
    put_junk(&tagged, 5000);
    assert_int_equal(open_error(&tagged), -ENOTSUP);
}

// The frame before the cut one is the last.
static void a_cut_frame_of_a_file_without_tag_is_told(void **state)
{
    (void)state;
    struct file f = {0};
    put(&f, mp3 + first, frame_from(mp3_bytes / 2) - first + 30);
    const struct heard h = play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.damage, DECODER_TRUNCATED);
    assert_int_equal(h.frames, h.stated);
    assert_non_null(strstr(h.text, "truncated: "));
    free(h.samples);
}

// --- More than one stream, and other layers ------------------------------------------------------

static void files_joined_to_one_play_as_one_behind_another(void **state)
{
    (void)state;
    enum { TIMES = 3 };
    struct file f = {0};
    char old[128] = "TAGtitle";
    put(&f, mp3, mp3_bytes);
    put(&f, old, sizeof old);
    put_id3(&f, 3000, 3010);
    put(&f, mp3, mp3_bytes);
    put(&f, mp3, mp3_bytes);
    struct source *source = open_source(&f);
    free(f.bytes);
    struct decoder *decoder = NULL;
    struct decoder_info info;
    static float piece[FRAMES * CHANNELS];
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    assert_int_equal(info.frames, TIMES * FRAMES);
    for (int i = 0; i < TIMES; ++i) {
        assert_int_equal(decoder_read(decoder, piece, FRAMES), FRAMES);
        assert_memory_equal(piece, plain, sizeof piece);
    }
    assert_int_equal(decoder_read(decoder, piece, 1), 0);
    assert_int_equal(decoder_damage(decoder), DECODER_SOUND);
    assert_int_equal(decoder_seek(decoder, FRAMES + 5000), 0);
    assert_int_equal(decoder_read(decoder, piece, FRAMES), FRAMES);
    assert_memory_equal(piece, plain + 5000 * CHANNELS, (FRAMES - 5000) * CHANNELS * sizeof *piece);
    assert_memory_equal(piece + (FRAMES - 5000) * CHANNELS, plain, 5000 * CHANNELS * sizeof *piece);
    decoder_close(&decoder);
    source_close(&source);
}

// What the first lacks is not taken from the second.
static void a_file_joined_to_one_that_lacks_frames_is_not_its_end(void **state)
{
    (void)state;
    struct file f = silent_frames(40), second = silent_frames(40);
    put_big(f.bytes + TAG_AT + 8, 42);
    put(&f, second.bytes, second.count);
    free(second.bytes);
    const struct heard h = play(&f);
    assert_int_equal(h.stated, 82 * 1152 - 2 * 529);
    assert_int_equal(h.frames, 80 * 1152 - 2 * 529);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    free(h.samples);
}

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
    for (int is_cut = 0; is_cut < 2; ++is_cut) {
        struct file f = {0};
        put_little(head + 4, (uint32_t)(50 + mp3_bytes + 8));
        put_little(head + 54, (uint32_t)mp3_bytes);
        put(&f, head, sizeof head);
        put(&f, mp3, is_cut ? mp3_bytes / 2 : mp3_bytes);
        if (!is_cut) {
            put(&f, "LIST\4\0\0\0INFO", 12);
            assert_plain(&f);
            continue;
        }
        const struct heard h = play(&f);
        assert_true(h.is_quiet);
        assert_int_equal(h.damage, DECODER_TRUNCATED);
        assert_true(h.frames > FRAMES / 3 && h.frames < FRAMES);
        free(h.samples);
    }
}

/// Play `count` frames that begin with `header` and hold nothing else.
static struct heard play_empty(const unsigned char header[4], uint32_t bytes, uint32_t count)
{
    struct file f = {0};
    unsigned char frame[MP3_MOST_FRAME_BYTES] = {0};
    memcpy(frame, header, MP3_HEADER_BYTES);
    for (uint32_t i = 0; i < count; ++i)
        put(&f, frame, bytes);
    const struct heard h = play(&f);
    assert_true(h.is_quiet);
    assert_int_equal(h.damage, DECODER_SOUND);
    free(h.samples);
    return h;
}

// A bit rate of 0 is a free one: all frames are as long as the first, whatever that is (ISO 11172-3, 2.4.2.3).
static void layers_and_free_bit_rates_are_decoded(void **state)
{
    (void)state;
    static const unsigned char layer_1[] = {0xff, 0xff, 0xe0, 0x00},
                               layer_2[] = {0xff, 0xfd, 0xe4, 0x00},
                               free_rate[] = {0xff, 0xfb, 0x00, 0x40};
    assert_int_equal(play_empty(layer_1, 484, 50).frames, 50 * 384);
    assert_int_equal(play_empty(layer_2, 1152, 20).frames, 20 * 1152);
    assert_int_equal(play_empty(free_rate, 999, 20).frames, 20 * 1152);
    assert_int_equal(play_empty(free_rate, 2089, 20).frames, 20 * 1152);
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

// It lies behind the checksum or, as LAME writes it, where it would without one.
static void a_tag_in_a_frame_with_a_checksum_is_found(void **state)
{
    (void)state;
    for (size_t shift = 0; shift <= 2; shift += 2) {
        struct file f = {0};
        put(&f, mp3, mp3_bytes);
        f.bytes[1] &= 0xfe; // there is one: 0
        memmove(f.bytes + tag + shift, f.bytes + tag, first - tag - shift);
        memset(f.bytes + tag, 0, shift);
        assert_plain(&f);
    }
}

// Without size, table or quality, as its flags say, the encoder's name, delay and padding follow sooner; without a name
// they are nobody's.
static void a_tag_of_frames_alone_is_read(void **state)
{
    (void)state;
    for (int is_named = 0; is_named < 2; ++is_named) {
        struct file f = silent_frames(90);
        unsigned char *b = f.bytes + TAG_AT + 4;
        put_big(b, 1);
        memset(b + 8, 0, 4);
        if (is_named)
            memcpy(b + 8, "LAME3.100", 9);
        memcpy(b + 8 + 21, "\x24\x03\xe8", 3); // 576 and 1000 samples
        const struct heard h = play(&f);
        assert_int_equal(h.damage, DECODER_SOUND);
        assert_int_equal(h.frames, 90 * 1152 - (is_named ? 576 + 1000 : 529));
        free(h.samples);
    }
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

static float whole[MOST_FRAMES * CHANNELS];

/// Compare the whole with libsndfile's, which looks for frames in its own way.
static void assert_as_libsndfile(const char *path)
{
    SF_INFO info = {.format = 0};
    static float theirs[MOST_FRAMES * CHANNELS];
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(sf_readf_float(file, theirs, MOST_FRAMES), FRAMES);
    assert_int_equal(sf_close(file), 0);
    assert_memory_equal(whole, theirs, (size_t)FRAMES * (size_t)info.channels * sizeof *whole);
}

/// Read the whole, and compare pieces all over the file with it.
static void assert_seeks(struct decoder *decoder, const struct decoder_info *info, uint32_t step)
{
    static float piece[600 * CHANNELS];
    uint32_t frames = 0;
    const uint32_t channels = info->format.channels;
    for (int64_t n; (n = decoder_read(decoder, whole + frames * channels, 1000)) > 0;)
        frames += (uint32_t)n;
    assert_true(frames > FRAMES / 2);
    for (uint32_t at = 1; at + 1000 < frames; at += step) {
        assert_int_equal(decoder_seek(decoder, at), 0);
        assert_int_equal(decoder_read(decoder, piece, 600), 600);
        assert_memory_equal(piece, whole + at * channels, 600 * channels * sizeof *piece);
    }
}

// The filter's sums have sixteen orders, which take turns in other ways at half the rates and in mono.
static void seeks_give_the_samples_of_reading_on_at_every_rate(void **state)
{
    (void)state;
    static const int kinds[][2] = {{44100, 2}, {44100, 1}, {48000, 1}, {32000, 2}, {24000, 2},
                                   {24000, 1}, {22050, 1}, {16000, 1}, {12000, 2}, {8000, 1}};
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
        assert_seeks(decoder, &info, 4999);
        assert_as_libsndfile(path);
        decoder_close(&decoder);
        source_close(&source);
    }
}

static void seeks_beside_damage_give_the_samples_of_reading_on(void **state)
{
    (void)state;
    struct file f = {0};
    put(&f, mp3, mp3_bytes);
    for (size_t i = mp3_bytes / 2; i < mp3_bytes / 2 + 3000; ++i)
        f.bytes[i] = (unsigned char)(i * 37) & 0x7f;
    struct source *source = open_source(&f);
    free(f.bytes);
    struct decoder *decoder = NULL;
    struct decoder_info info;
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    assert_seeks(decoder, &info, 1499);
    decoder_close(&decoder);
    source_close(&source);
}

// Lengths by the formula of ISO 11172-3, 2.4.3.1, and 13818-3: samples / 8 * bit rate / rate, and a slot of padding.
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
                 {{0xff, 0xe3, 0x18, 0x00}, 8000, 576, 72, 2},
                 {{0xff, 0xff, 0xe2, 0x00}, 44100, 384, 488, 2}, // in slots of four bytes
                 {{0xff, 0xf7, 0x10, 0x00}, 22050, 384, 68, 2},
                 {{0xff, 0xfd, 0xe4, 0xc0}, 48000, 1152, 1152, 1},
                 {{0xff, 0xf5, 0x14, 0x00}, 24000, 1152, 48, 2}};
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
        cmocka_unit_test(tags_behind_the_last_frame_are_passed_over),
        cmocka_unit_test(junk_between_frames_is_passed_over),
        cmocka_unit_test(junk_between_frames_that_were_counted_is_told),
        cmocka_unit_test(a_tag_between_frames_is_passed_over),
        cmocka_unit_test(a_broken_kilobyte_costs_the_frames_it_hits),
        cmocka_unit_test(headers_within_a_broken_kilobyte_are_none),
        cmocka_unit_test(a_frame_of_another_kind_is_none),
        cmocka_unit_test(broken_frames_are_decoded_quietly),
        cmocka_unit_test(bytes_with_a_header_at_their_end_are_no_mp3),
        cmocka_unit_test(a_file_that_ends_within_its_first_frame_is_refused),
        cmocka_unit_test(what_only_begins_like_a_frame_is_no_mp3),
        cmocka_unit_test(a_cut_frame_of_a_file_without_tag_is_told),
        cmocka_unit_test(files_joined_to_one_play_as_one_behind_another),
        cmocka_unit_test(a_file_joined_to_one_that_lacks_frames_is_not_its_end),
        cmocka_unit_test(mp3_within_wav_is_played),
        cmocka_unit_test(layers_and_free_bit_rates_are_decoded),
        cmocka_unit_test(a_tag_that_counts_no_frames_is_none),
        cmocka_unit_test(a_tag_of_frames_alone_is_read),
        cmocka_unit_test(a_tag_in_a_frame_with_a_checksum_is_found),
        cmocka_unit_test(frames_that_a_tag_counts_and_the_file_lacks_are_told),
        cmocka_unit_test(a_wrong_size_alone_changes_nothing),
        cmocka_unit_test(seeks_give_the_samples_of_reading_on_at_every_rate),
        cmocka_unit_test(seeks_beside_damage_give_the_samples_of_reading_on),
        cmocka_unit_test(headers_tell_length_and_rate),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
