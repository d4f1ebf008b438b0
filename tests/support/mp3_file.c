// SPDX-License-Identifier: MIT
#include "support/mp3_file.h"
#include "io/sound/mp3.h"
#include "support/loop_thread.h"
#include "support/scratch.h"
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { READ_FRAMES = 997, SEEK_FRAMES = 600, MOST_CHANNELS = 2, WINDOW_BYTES = 1 << 19 };

static struct loop_thread loop;
static char folder[SCRATCH_PATH_BYTES];

// --- Writing -------------------------------------------------------------------------------------

void mp3_put(struct mp3_file *f, const void *bytes, size_t count)
{
    f->bytes = realloc(f->bytes, f->count + count);
    assert_non_null(f->bytes);
    memcpy(f->bytes + f->count, bytes, count);
    f->count += count;
}

void mp3_put_file(struct mp3_file *f, struct mp3_file *other)
{
    mp3_put(f, other->bytes, other->count);
    free(other->bytes);
}

void mp3_put_junk(struct mp3_file *f, size_t count)
{
    unsigned char *junk = malloc(count);
    assert_non_null(junk);
    for (size_t i = 0; i < count; ++i)
        junk[i] = (unsigned char)(i * 37 + 5) & 0x7f;
    mp3_put(f, junk, count);
    free(junk);
}

void mp3_put_big(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; ++i)
        to[i] = (unsigned char)(value >> (24 - 8 * i));
}

void mp3_put_id3(struct mp3_file *f, size_t picture_bytes, uint32_t stated)
{
    unsigned char head[20] = "ID3\3\0\0....APIC....\0";
    for (int i = 0; i < 4; ++i)
        head[6 + i] = (unsigned char)(stated >> (21 - 7 * i) & 127);
    mp3_put_big(head + 14, (uint32_t)picture_bytes);
    mp3_put(f, head, sizeof head);
    mp3_put_junk(f, picture_bytes);
}

void mp3_put_frames(struct mp3_file *f, const unsigned char header[4], size_t frame_bytes,
                    uint32_t count)
{
    unsigned char frame[MP3_MOST_FRAME_BYTES] = {0};
    memcpy(frame, header, MP3_HEADER_BYTES);
    for (uint32_t i = 0; i < count; ++i)
        mp3_put(f, frame, frame_bytes);
}

struct mp3_file mp3_silent_frames(uint32_t count)
{
    struct mp3_file f = {0};
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfb, 0x90, 0x40}, MP3_SILENT_BYTES,
                   count + 1);
    memcpy(f.bytes + MP3_SILENT_TAG_AT, "Info\0\0\0\3", 8);
    mp3_put_big(f.bytes + MP3_SILENT_TAG_AT + 8, count);
    mp3_put_big(f.bytes + MP3_SILENT_TAG_AT + 12, (count + 1) * MP3_SILENT_BYTES);
    return f;
}

/// Bits under way, the highest of a byte first.
struct bits {
    unsigned char *bytes;
    uint32_t at;
};

static void put_bits(struct bits *b, uint32_t count, uint32_t value)
{
    for (; count > 0; --count, ++b->at)
        b->bytes[b->at / 8] |= (unsigned char)((value >> (count - 1) & 1) << (7 - b->at % 8));
}

/// Side information of two granules alike (ISO 11172-3, 2.4.1.7): eight bits of sound, of six pairs of lines.
static void put_side(unsigned char *to, uint32_t sound_begin, uint32_t gain)
{
    struct bits b = {.bytes = to};
    put_bits(&b, 9, sound_begin);
    put_bits(&b, 9, 0);
    for (int granule = 0; granule < 2; ++granule) {
        put_bits(&b, 12, 8);
        put_bits(&b, 9, 6);
        put_bits(&b, 8, gain);
        put_bits(&b, 5, 0);
        put_bits(&b, 15, 1 << 10 | 1 << 5 | 1); // code table 1 in each of the regions
        put_bits(&b, 10, 0);
    }
}

size_t mp3_tone_at(uint32_t number)
{
    return (size_t)number * 144 * 32000 / 44100;
}

void mp3_put_tones(struct mp3_file *f, enum mp3_tone kind, uint32_t count)
{
    enum { SIDE_BYTES = 17, CHECK_BYTES = 2, SOUND_BYTES = 2 };
    const size_t side_at = MP3_HEADER_BYTES + (kind == MP3_TONE_CHECKED ? CHECK_BYTES : 0);
    for (uint32_t i = 0; i < count; ++i) {
        const size_t bytes = mp3_tone_at(i + 1) - mp3_tone_at(i);
        unsigned char frame[105] = {0xff, 0xfb, 0x10, 0xc0, 0xff, 0xff};
        frame[2] |= bytes == sizeof frame ? 2 : 0;
        frame[1] = kind == MP3_TONE_CHECKED ? 0xfa : 0xfb;
        memset(frame + side_at, 0, SIDE_BYTES);
        const bool is_early = kind == MP3_TONE_EARLY && i > 0;
        put_side(frame + side_at, is_early ? SOUND_BYTES : 0, 180 + i % 23);
        // Five times no line of a pair, which is 1, then the first of two: 01, and its sign.
        if (!is_early)
            memset(frame + side_at + SIDE_BYTES, 0xfa, SOUND_BYTES);
        if (kind == MP3_TONE_EARLY)
            memset(frame + bytes - SOUND_BYTES, 0xfa, SOUND_BYTES);
        mp3_put(f, frame, bytes);
    }
}

// --- Encoded songs -------------------------------------------------------------------------------

static void write_song(const char *path, const struct mp3_song *song)
{
    SF_INFO info = {.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
                    .samplerate = (int)song->rate_hz,
                    .channels = (int)song->channels};
    int16_t *music = scratch_music(5, song->frames, song->rate_hz);
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    assert_int_equal(sf_writef_short(file, music, song->frames), song->frames);
    assert_int_equal(sf_close(file), 0);
    free(music);
}

static void load(struct mp3_file *f, const char *path)
{
    unsigned char piece[4096];
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    for (size_t n; (n = fread(piece, 1, sizeof piece, in)) > 0;)
        mp3_put(f, piece, n);
    assert_int_equal(fclose(in), 0);
}

struct mp3_song mp3_encode(uint32_t rate_hz, uint32_t channels, uint32_t frames)
{
    struct mp3_song song = {.rate_hz = rate_hz, .channels = channels, .frames = frames};
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "song.mp3");
    write_song(path, &song);
    load(&song.file, path);
    struct mp3_header header;
    assert_int_equal(mp3_parse_header(&header, song.file.bytes), 0);
    song.first = header.bytes;
    song.tag = MP3_HEADER_BYTES + header.side_bytes;
    struct mp3_file copy = mp3_copy(&song);
    struct mp3_heard heard = mp3_play(&copy);
    assert_int_equal(heard.frames, frames);
    song.samples = heard.samples;
    return song;
}

void mp3_song_free(struct mp3_song *song)
{
    free(song->file.bytes);
    free(song->samples);
}

void mp3_put_song(struct mp3_file *f, const struct mp3_song *song)
{
    mp3_put(f, song->file.bytes, song->file.count);
}

void mp3_put_untagged(struct mp3_file *f, const struct mp3_song *song)
{
    mp3_put(f, song->file.bytes + song->first, song->file.count - song->first);
}

struct mp3_file mp3_copy(const struct mp3_song *song)
{
    struct mp3_file f = {0};
    mp3_put_song(&f, song);
    return f;
}

struct mp3_file mp3_copy_untagged(const struct mp3_song *song)
{
    struct mp3_file f = {0};
    mp3_put_untagged(&f, song);
    return f;
}

size_t mp3_frame_from(const struct mp3_song *song, size_t offset)
{
    size_t at = song->first;
    struct mp3_header header;
    while (at < offset) {
        assert_int_equal(mp3_parse_header(&header, song->file.bytes + at), 0);
        at += header.bytes;
    }
    return at;
}

// --- Hearing -------------------------------------------------------------------------------------

const char *mp3_save(const struct mp3_file *f)
{
    static char path[SCRATCH_PATH_BYTES];
    scratch_path(path, folder, "file");
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(f->bytes, 1, f->count, out), f->count);
    assert_int_equal(fclose(out), 0);
    return path;
}

struct source *mp3_open_source(const struct mp3_file *f)
{
    struct source *source = NULL;
    const struct source_config config = {.path = mp3_save(f), .window_bytes = WINDOW_BYTES};
    assert_int_equal(source_open(&source, loop.loader, &config), 0);
    return source;
}

static void read_all(struct mp3_heard *h, struct source *source)
{
    struct decoder *decoder = NULL;
    struct decoder_info info;
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    assert_string_equal(info.codec, "mp3");
    h->format = info.format;
    h->stated = info.frames;
    const uint32_t channels = info.format.channels;
    h->samples = calloc((size_t)(info.frames + READ_FRAMES) * channels, sizeof *h->samples);
    assert_non_null(h->samples);
    for (int64_t n; (n = decoder_read(decoder, h->samples + h->frames * channels, READ_FRAMES));) {
        assert_true(n > 0);
        h->frames += (uint64_t)n;
        assert_true(h->frames <= info.frames);
    }
    h->damage = decoder_damage(decoder);
    if (h->damage != DECODER_SOUND)
        snprintf(h->text, sizeof h->text, "%s", decoder_damage_text(decoder));
    decoder_close(&decoder);
}

struct mp3_heard mp3_play(struct mp3_file *f)
{
    struct mp3_heard h = {.frames = 0};
    struct source *source = mp3_open_source(f);
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

void mp3_assert_next(const struct mp3_heard *h, uint64_t *at, const float *samples,
                     uint32_t channels, uint64_t frames)
{
    assert_true(*at + frames <= h->frames);
    assert_int_equal(h->format.channels, 2);
    for (uint64_t i = 0; i < frames; ++i)
        for (uint32_t c = 0; c < 2; ++c)
            if (h->samples[2 * (*at + i) + c] != samples[channels * i + c % channels])
                fail_msg("frame %llu of %llu", (unsigned long long)i, (unsigned long long)frames);
    *at += frames;
}

void mp3_assert_song(const struct mp3_heard *h, uint64_t *at, const struct mp3_song *song)
{
    mp3_assert_next(h, at, song->samples, song->channels, song->frames);
}

int mp3_open_error(struct mp3_file *f)
{
    struct source *source = mp3_open_source(f);
    free(f->bytes);
    struct decoder *decoder = NULL;
    struct decoder_info info;
    const int error = decoder_open(&decoder, source, &info);
    decoder_close(&decoder);
    source_close(&source);
    return error;
}

void mp3_assert_seeks(const struct mp3_file *f, uint32_t step)
{
    struct mp3_file copy = {0};
    mp3_put(&copy, f->bytes, f->count);
    struct mp3_heard whole = mp3_play(&copy);
    struct source *source = mp3_open_source(f);
    struct decoder *decoder = NULL;
    struct decoder_info info;
    float piece[SEEK_FRAMES * MOST_CHANNELS];
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    const uint32_t channels = info.format.channels;
    assert_true(whole.frames > 2 * step);
    for (uint64_t at = 1; at + SEEK_FRAMES < whole.frames; at += step) {
        assert_int_equal(decoder_seek(decoder, at), 0);
        assert_int_equal(decoder_read(decoder, piece, SEEK_FRAMES), SEEK_FRAMES);
        assert_memory_equal(piece, whole.samples + at * channels,
                            SEEK_FRAMES * channels * sizeof *piece);
    }
    decoder_close(&decoder);
    source_close(&source);
    free(whole.samples);
}

int mp3_set_up(void **state)
{
    (void)state;
    scratch_create(folder);
    loop_thread_open(&loop);
    return 0;
}

int mp3_tear_down(void **state)
{
    (void)state;
    const int error = loop_thread_close(&loop);
    scratch_remove(folder);
    return error;
}
