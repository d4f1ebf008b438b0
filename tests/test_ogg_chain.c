// SPDX-License-Identifier: MIT
// Ogg files of several streams, one behind another: what is played is what the parts give that are read alone.
#include "io/sound/decoder.h"
#include "io/sound/rate_bridge.h"
#include "support/loop_thread.h"
#include "support/ogg_file.h"
#include "support/rng.h"
#include "support/scratch.h"
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_PARTS = 8, PIECE_FRAMES = 700, PLACES = 150 };

struct part {
    int format, rate_hz, channels;
    uint32_t frames;
    int serial;
    int page_bytes; // 0: as the encoder has them
};

static struct loop_thread loop;
static struct loader *loader;
static char folder[SCRATCH_PATH_BYTES], part_path[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES];

/// What is to be heard.
static struct {
    float *samples;
    uint64_t frames;
    uint32_t rate_hz, channels;
} wanted;

static void append(const char *to, const char *mode, const unsigned char *bytes, size_t n)
{
    FILE *stream = fopen(to, mode);
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, n, stream), n);
    assert_int_equal(fclose(stream), 0);
}

static void begin(uint32_t rate_hz, uint32_t channels)
{
    free(wanted.samples);
    memset(&wanted, 0, sizeof wanted);
    wanted.rate_hz = rate_hz;
    wanted.channels = channels;
    append(path, "wb", (const unsigned char *)"", 0);
}

static float *make_room(uint64_t frames)
{
    const uint64_t at = wanted.frames;
    wanted.frames += frames;
    wanted.samples =
        realloc(wanted.samples, (wanted.frames + 1) * wanted.channels * sizeof *wanted.samples);
    assert_non_null(wanted.samples);
    return wanted.samples + at * wanted.channels;
}

static struct {
    float *samples;
    uint64_t at, end;
} old; // rate

static uint32_t read_old(void *user, float *interleaved, uint32_t frames)
{
    (void)user;
    const uint32_t n = old.end - old.at < frames ? (uint32_t)(old.end - old.at) : frames;
    memcpy(interleaved, old.samples + old.at * wanted.channels,
           n * wanted.channels * sizeof *interleaved);
    old.at += n;
    return n;
}

/// The part alone, mono on both sides, at the whole's rate.
static void want(const struct ogg_played *played)
{
    float *samples = calloc((played->read + 1) * wanted.channels, sizeof *samples);
    assert_non_null(samples);
    for (uint64_t i = 0; i < played->read; ++i)
        for (uint32_t c = 0; c < wanted.channels && c < 2; ++c)
            samples[i * wanted.channels + c] =
                played->samples[i * played->channels + (c < played->channels ? c : 0)];
    if (played->rate_hz == wanted.rate_hz) {
        float *to = make_room(played->read);
        memcpy(to, samples, played->read * wanted.channels * sizeof *to);
    } else {
        struct rate_bridge *bridge;
        const uint64_t frames =
            (played->read * wanted.rate_hz + played->rate_hz / 2) / played->rate_hz;
        old.samples = samples;
        old.at = 0;
        old.end = played->read;
        assert_int_equal(rate_bridge_create(&bridge, played->rate_hz, wanted.rate_hz,
                                            wanted.channels, read_old, NULL),
                         0);
        assert_int_equal(rate_bridge_read(bridge, make_room(frames), (uint32_t)frames), frames);
        rate_bridge_destroy(&bridge);
    }
    free(samples);
}

static void make_part(struct ogg_file *file, const struct part *p)
{
    ogg_file_write(part_path, p->format, p->rate_hz, p->channels, p->frames);
    if (p->page_bytes) {
        ogg_file_load(file, part_path);
        ogg_file_save_paged(file, part_path, p->page_bytes, 0);
        ogg_file_free(file);
    }
    ogg_file_load(file, part_path);
    ogg_file_renumber(file, p->serial);
}

static void add(const struct part *p)
{
    struct ogg_file file;
    struct ogg_played played;
    make_part(&file, p);
    append(path, "ab", file.bytes, file.size);
    ogg_file_free(&file);
    assert_int_equal(ogg_file_play(&played, loader, part_path), 0);
    assert_int_equal(played.read, p->frames);
    want(&played);
    free(played.samples);
}

static void check_reading(const char *words)
{
    struct ogg_played played;
    assert_int_equal(ogg_file_play(&played, loader, path), 0);
    assert_int_equal(played.rate_hz, wanted.rate_hz);
    assert_int_equal(played.channels, wanted.channels);
    assert_int_equal(played.frames, wanted.frames);
    assert_int_equal(played.read, wanted.frames);
    if (words ? !strstr(played.text, words) : played.damage != DECODER_SOUND)
        fail_msg("\"%s\", not \"%s\"", played.text, words ? words : "");
    assert_memory_equal(played.samples, wanted.samples,
                        wanted.frames * wanted.channels * sizeof *wanted.samples);
    free(played.samples);
}

static void check_places(void)
{
    struct source *source = NULL;
    struct decoder *decoder = NULL;
    struct decoder_info info;
    static float piece[PIECE_FRAMES * PCM_MAX_CHANNELS];
    uint64_t random = 3;
    assert_int_equal(source_open(&source, loader, &(struct source_config){.path = path}), 0);
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    for (int i = 0; i < PLACES; ++i) {
        const uint64_t at = (uint64_t)(rng_unit(&random) * (double)wanted.frames);
        const uint64_t left = wanted.frames - at, n = left < PIECE_FRAMES ? left : PIECE_FRAMES;
        assert_int_equal(decoder_seek(decoder, at), 0);
        assert_int_equal(decoder_read(decoder, piece, PIECE_FRAMES), n);
        if (memcmp(piece, wanted.samples + at * wanted.channels,
                   n * wanted.channels * sizeof *piece))
            fail_msg("place %llu of %llu", (unsigned long long)at,
                     (unsigned long long)wanted.frames);
    }
    decoder_close(&decoder);
    source_close(&source);
}

static void check_chain(uint32_t rate_hz, uint32_t channels, const struct part *parts)
{
    begin(rate_hz, channels);
    for (int i = 0; i < MOST_PARTS && parts[i].frames; ++i)
        add(&parts[i]);
    check_reading(NULL);
    check_places();
}

static void streams_of_both_kinds_play_one_after_another(void **state)
{
    (void)state;
    static const struct part parts[MOST_PARTS] = {
        {SF_FORMAT_VORBIS, 48000, 2, 50011, 1, 0},   {SF_FORMAT_OPUS, 48000, 2, 30011, 2, 0},
        {SF_FORMAT_VORBIS, 48000, 2, 1, 3, 0},       {SF_FORMAT_OPUS, 48000, 2, 100, 4, 500},
        {SF_FORMAT_VORBIS, 48000, 2, 20003, 5, 500}, {SF_FORMAT_VORBIS, 48000, 2, 700, 1, 0}};
    check_chain(48000, 2, parts);
}

static void mono_among_stereo_is_on_both_sides(void **state)
{
    (void)state;
    static const struct part first[MOST_PARTS] = {{SF_FORMAT_VORBIS, 48000, 2, 20011, 1, 0},
                                                  {SF_FORMAT_VORBIS, 48000, 1, 20011, 2, 0},
                                                  {SF_FORMAT_OPUS, 48000, 1, 9000, 3, 0}};
    static const struct part last[MOST_PARTS] = {{SF_FORMAT_VORBIS, 48000, 1, 20011, 1, 0},
                                                 {SF_FORMAT_VORBIS, 48000, 2, 2011, 2, 0}};
    check_chain(48000, 2, first);
    check_chain(48000, 2, last);
}

static void another_rate_is_converted_to_that_of_most(void **state)
{
    (void)state;
    static const struct part first[MOST_PARTS] = {{SF_FORMAT_VORBIS, 22050, 2, 10000, 1, 0},
                                                  {SF_FORMAT_VORBIS, 44100, 2, 50000, 2, 0},
                                                  {SF_FORMAT_OPUS, 48000, 1, 9001, 3, 0},
                                                  {SF_FORMAT_OPUS, 8000, 2, 3000, 4, 0}};
    static const struct part opus[MOST_PARTS] = {{SF_FORMAT_OPUS, 48000, 1, 30000, 1, 0},
                                                 {SF_FORMAT_VORBIS, 44100, 1, 20000, 2, 0},
                                                 {SF_FORMAT_VORBIS, 32000, 1, 1, 3, 0}};
    check_chain(44100, 2, first);
    check_chain(48000, 1, opus);
}

// Longer than is gone through page by page.
static void long_streams_are_told_apart(void **state)
{
    (void)state;
    static const struct part parts[MOST_PARTS] = {{SF_FORMAT_VORBIS, 44100, 2, 500000, 1, 0},
                                                  {SF_FORMAT_VORBIS, 44100, 2, 30000, 2, 300},
                                                  {SF_FORMAT_VORBIS, 44100, 2, 900000, 1, 9000},
                                                  {SF_FORMAT_VORBIS, 44100, 2, 2000, 7, 300}};
    check_chain(44100, 2, parts);
}

static void streams_of_one_number_play_too(void **state)
{
    (void)state;
    static const uint32_t lengths[][4] = {{30000, 30000},   {30000, 9000, 12},
                                          {700000, 700000}, {300000, 300000, 300000},
                                          {900000, 30000},  {200000, 900000}};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; ++k) {
        begin(44100, 1);
        for (int i = 0; i < 4 && lengths[k][i]; ++i)
            add(&(struct part){SF_FORMAT_VORBIS, 44100, 1, lengths[k][i], 5, 0});
        check_reading(NULL);
    }
}

static void there_can_be_any_number(void **state)
{
    (void)state;
    enum { STREAMS = 300 };
    struct part part = {SF_FORMAT_VORBIS, 44100, 1, 1000, 0, 0};
    struct ogg_file file;
    struct ogg_played played;
    begin(44100, 1);
    make_part(&file, &part);
    assert_int_equal(ogg_file_play(&played, loader, part_path), 0);
    for (int i = 0; i < STREAMS; ++i) {
        ogg_file_renumber(&file, i);
        append(path, "ab", file.bytes, file.size);
        want(&played);
    }
    check_reading(NULL);
    check_places();
    free(played.samples);
    ogg_file_free(&file);
}

// Its rate is that of most, and cannot be had from the others', whose number of channels is.
static void first_plays_where_none_is_of_rate_and_channels_of_most(void **state)
{
    (void)state;
    begin(44101, 6);
    struct ogg_file file;
    struct ogg_played played;
    make_part(&file, &(struct part){SF_FORMAT_VORBIS, 44101, 6, 20000, 1, 0});
    append(path, "ab", file.bytes, file.size);
    ogg_file_free(&file);
    assert_int_equal(ogg_file_play(&played, loader, part_path), 0);
    memcpy(make_room(20000), played.samples, (size_t)20000 * 6 * sizeof *played.samples);
    free(played.samples);
    for (int i = 0; i < 2; ++i) {
        make_part(&file, &(struct part){SF_FORMAT_VORBIS, 48000 - i, 2, 12000, 2 + i, 0});
        append(path, "ab", file.bytes, file.size);
        ogg_file_free(&file);
    }
    check_reading("another stream begins, which is not read, at 0.5 s");
}

static void streams_that_cannot_be_played_are_told(void **state)
{
    (void)state;
    static const struct part part = {SF_FORMAT_VORBIS, 44100, 1, 44100, 1, 0},
                             six = {SF_FORMAT_VORBIS, 44100, 6, 4410, 2, 0},
                             other = {SF_FORMAT_VORBIS, 44100, 1, 9000, 2, 500},
                             last = {SF_FORMAT_VORBIS, 44100, 1, 22050, 3, 0};
    for (int kind = 0; kind < 6; ++kind) {
        struct ogg_file file;
        begin(44100, 1);
        add(&part);
        make_part(&file, kind == 0 ? &six : &other);
        ogg_page first = ogg_file_page(&file, 0), second = ogg_file_page(&file, 1);
        if (kind == 1)
            memcpy(first.body, "Speex  ", 7);
        if (kind == 2)
            second.body[8] ^= 0x55; // of the headers
        ogg_page_checksum_set(&first);
        if (kind == 4) // a year of sound
            ogg_file_shift(&file, file.pages - 1, (int64_t)1 << 40);
        if (kind == 5) // headers alone
            file.size = file.at[2];
        if (kind == 3)
            first.body[9] ^= 0x55; // and its checksum is wrong
        append(path, "ab", file.bytes, file.size);
        ogg_file_free(&file);
        add(&last);
        check_reading("another stream begins, which is not read, at 1.0 s");
    }
}

static int set_up(void **state)
{
    (void)state;
    scratch_create(folder);
    scratch_path(part_path, folder, "part");
    scratch_path(path, folder, "file");
    loop_thread_open(&loop);
    loader = loop.loader;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(wanted.samples);
    scratch_remove(folder);
    return loop_thread_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_of_both_kinds_play_one_after_another),
        cmocka_unit_test(mono_among_stereo_is_on_both_sides),
        cmocka_unit_test(another_rate_is_converted_to_that_of_most),
        cmocka_unit_test(long_streams_are_told_apart),
        cmocka_unit_test(streams_of_one_number_play_too),
        cmocka_unit_test(there_can_be_any_number),
        cmocka_unit_test(first_plays_where_none_is_of_rate_and_channels_of_most),
        cmocka_unit_test(streams_that_cannot_be_played_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
