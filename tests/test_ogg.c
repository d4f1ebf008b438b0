// SPDX-License-Identifier: MIT
// Vorbis and Opus as they are read from Ogg: sample for sample what libsndfile decodes of the same packets, whatever
// pages these come in, from any place on, in WAVE's order of channels.
#include "io/sound/decoder.h"
#include "io/sound/ogg_pages.h"
#include "support/loop_thread.h"
#include "support/ogg_file.h"
#include "support/rng.h"
#include "support/scratch.h"
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 60013, PIECE_FRAMES = 64, NEAR_ENDS = 80, PLACES = 100 };

static struct loop_thread loop;
static struct loader *loader;
static char folder[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES], other[SCRATCH_PATH_BYTES];
static const int formats[] = {SF_FORMAT_VORBIS, SF_FORMAT_OPUS};

static struct ogg_played play(const char *name)
{
    struct ogg_played played;
    assert_int_equal(ogg_file_play(&played, loader, name), 0);
    return played;
}

static void assert_same(const struct ogg_played *a, uint64_t a_from, const struct ogg_played *b,
                        uint64_t b_from, uint64_t frames)
{
    assert_true(a_from + frames <= a->read && b_from + frames <= b->read);
    assert_memory_equal(a->samples + a_from * a->channels, b->samples + b_from * b->channels,
                        frames * a->channels * sizeof *a->samples);
}

// --- Straight on -----------------------------------------------------------------------------------

static void check_against_libsndfile(int format, int rate_hz, int channels, uint32_t frames)
{
    ogg_file_write(path, format, rate_hz, channels, frames);
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    assert_non_null(file);
    float *samples = malloc((size_t)(frames + 1) * (size_t)channels * sizeof *samples);
    assert_non_null(samples);
    assert_int_equal(sf_readf_float(file, samples, frames + 1), frames);
    assert_int_equal(sf_close(file), 0);
    struct ogg_played played = play(path);
    assert_int_equal(played.rate_hz, info.samplerate);
    assert_int_equal(played.frames, frames);
    assert_int_equal(played.read, frames);
    assert_int_equal(played.damage, DECODER_SOUND);
    assert_memory_equal(played.samples, samples,
                        (size_t)frames * (size_t)channels * sizeof *samples);
    free(samples);
    free(played.samples);
}

static void samples_are_those_of_libsndfile(void **state)
{
    (void)state;
    static const int vorbis_hz[] = {8000, 44100, 192000};
    static const int opus_hz[] = {8000, 12000, 16000, 24000, 48000};
    static const uint32_t lengths[] = {1, 300, 5000, FRAMES};
    for (int channels = 1; channels <= 2; ++channels)
        for (int k = 0; k < 4; ++k) {
            for (int r = 0; r < 3; ++r)
                check_against_libsndfile(SF_FORMAT_VORBIS, vorbis_hz[r], channels, lengths[k]);
            for (int r = 0; r < 5; ++r)
                check_against_libsndfile(SF_FORMAT_OPUS, opus_hz[r], channels, lengths[k]);
        }
}

/// How much of a channel is a tone, by Goertzel's algorithm over whole periods.
static double measure_tone(const struct ogg_played *p, uint32_t channel, double hz)
{
    const uint32_t from = p->rate_hz / 2, frames = p->rate_hz;
    double a = 0, b = 0;
    const double c = 2 * cos(2 * 3.14159265358979 * hz / p->rate_hz);
    for (uint32_t i = 0; i < frames; ++i) {
        const double next = p->samples[(from + i) * p->channels + channel] + c * a - b;
        b = a;
        a = next;
    }
    return sqrt(a * a + b * b - c * a * b) * 2 / frames;
}

// Vorbis I, 4.3.9, and the masks of WAVEFORMATEXTENSIBLE, in letters: Left, Right, Centre, Bass, back left and right
// (l, r) or centre (c), sides (s, t).
static void channels_come_in_the_order_of_wave(void **state)
{
    (void)state;
    enum { RATE_HZ = 48000, LENGTH = 2 * RATE_HZ };
    static const char *const in_stream[] = {"LCR",    "LRlr",    "LCRlr",
                                            "LCRlrB", "LCRstcB", "LCRstlrB"};
    static const char *const in_wave[] = {"LRC", "LRlr", "LRClr", "LRCBlr", "LRCBcst", "LRCBlrst"};
    for (int f = 0; f < 2; ++f)
        for (int channels = 3; channels <= 8; ++channels) {
            SF_INFO info = {
                .format = SF_FORMAT_OGG | formats[f], .samplerate = RATE_HZ, .channels = channels};
            SNDFILE *file = sf_open(path, SFM_WRITE, &info);
            assert_non_null(file);
            for (int i = 0; i < LENGTH; ++i) {
                float frame[8]; // the last, which can be the bass, lowest
                for (int c = 0; c < channels; ++c)
                    frame[c] = 0.2F * sinf(6.28318531F * (float)i / RATE_HZ *
                                           (float)(40 * (channels - c)));
                assert_int_equal(sf_writef_float(file, frame, 1), 1);
            }
            assert_int_equal(sf_close(file), 0);
            struct ogg_played played = play(path);
            for (int c = 0; c < channels; ++c) {
                const char *stream = in_stream[channels - 3];
                const int from = (int)(strchr(stream, in_wave[channels - 3][c]) - stream);
                const double level = measure_tone(&played, (uint32_t)c, 40 * (channels - from));
                if (fabs(level - 0.2) > 0.05)
                    fail_msg("format %d, channel %d of %d: %g", f, c, channels, level);
            }
            free(played.samples);
        }
}

// --- Otherwise in pages ------------------------------------------------------------------------------

static void any_pages_give_the_same(void **state)
{
    (void)state;
    static const int page_bytes[] = {1, 6000, 60000};
    for (int f = 0; f < 2; ++f) {
        struct ogg_file file;
        ogg_file_write(path, formats[f], 48000, 2, FRAMES);
        struct ogg_played whole = play(path);
        ogg_file_load(&file, path);
        for (int i = 0; i < 3; ++i) { // the last: all sound on the headers' page
            ogg_file_save_paged(&file, other, page_bytes[i], i);
            struct ogg_played played = play(other);
            assert_int_equal(played.frames, FRAMES);
            assert_int_equal(played.damage, DECODER_SOUND);
            assert_same(&whole, 0, &played, 0, FRAMES);
            free(played.samples);
        }
        ogg_file_free(&file);
        free(whole.samples);
    }
}

static void other_streams_between_its_pages_are_passed_over(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct ogg_file file;
        ogg_stream_state stream;
        ogg_file_write(path, formats[f], 48000, 1, FRAMES);
        struct ogg_played whole = play(path);
        ogg_file_load(&file, path);
        assert_int_equal(ogg_stream_init(&stream, 99), 0);
        FILE *out = fopen(other, "wb");
        assert_non_null(out);
        for (uint32_t i = 0; i < file.pages; ++i) {
            unsigned char skeleton[100] = "fishead";
            ogg_packet packet = {skeleton, sizeof skeleton, i == 0, i + 1 == file.pages, i, i};
            ogg_page page, own = ogg_file_page(&file, i);
            assert_int_equal(ogg_stream_packetin(&stream, &packet), 0);
            assert_true(ogg_stream_flush(&stream, &page) > 0);
            fwrite(page.header, 1, (size_t)page.header_len, out);
            fwrite(page.body, 1, (size_t)page.body_len, out);
            fwrite(own.header, 1, (size_t)(own.header_len + own.body_len), out);
        }
        assert_int_equal(fclose(out), 0);
        struct ogg_played played = play(other);
        assert_int_equal(played.frames, FRAMES);
        assert_int_equal(played.damage, DECODER_SOUND);
        assert_same(&whole, 0, &played, 0, FRAMES);
        free(played.samples);
        free(whole.samples);
        ogg_stream_clear(&stream);
        ogg_file_free(&file);
    }
}

// --- Granule positions -------------------------------------------------------------------------------

static void stream_may_begin_at_any_granule(void **state)
{
    (void)state;
    for (int f = 0; f < 2; ++f) {
        struct ogg_file file;
        ogg_file_write(path, formats[f], 48000, 2, FRAMES);
        struct ogg_played whole = play(path);
        ogg_file_load(&file, path);
        ogg_file_shift(&file, 0, 123456789012);
        ogg_file_save(&file, other, UINT32_MAX);
        struct ogg_played played = play(other);
        assert_int_equal(played.frames, FRAMES);
        assert_same(&whole, 0, &played, 0, FRAMES);
        free(played.samples);
        free(whole.samples);
        ogg_file_free(&file);
    }
}

static void samples_before_granule_0_and_behind_the_last_are_dropped(void **state)
{
    (void)state;
    enum { BEFORE = 500, BEHIND = 77 };
    for (int f = 0; f < 2; ++f) {
        struct ogg_file file;
        ogg_file_write(path, formats[f], 48000, 2, FRAMES);
        struct ogg_played whole = play(path);
        ogg_file_load(&file, path);
        ogg_file_shift(&file, 0, -BEFORE);
        ogg_file_shift(&file, file.pages - 1, -BEHIND);
        ogg_file_save(&file, other, UINT32_MAX);
        struct ogg_played played = play(other);
        assert_int_equal(played.frames, FRAMES - BEFORE - BEHIND);
        assert_int_equal(played.read, played.frames);
        assert_same(&whole, BEFORE, &played, 0, played.frames);
        free(played.samples);
        free(whole.samples);
        ogg_file_free(&file);
    }
}

// At 8 and 16 kHz a frame is 6 and 3 ticks: the one in which granule 0 lies is the first.
static void tick_0_within_a_frame_is_of_that_frame(void **state)
{
    (void)state;
    for (int rate_hz = 8000; rate_hz <= 16000; rate_hz *= 2)
        for (int before = 498; before <= 505; ++before) {
            const int ticks = 48000 / rate_hz, dropped = (before + ticks - 1) / ticks;
            struct ogg_file file;
            ogg_file_write(path, SF_FORMAT_OPUS, rate_hz, 1, 20000);
            struct ogg_played whole = play(path);
            ogg_file_load(&file, path);
            ogg_file_shift(&file, 0, -before);
            ogg_file_save(&file, other, UINT32_MAX);
            struct ogg_played played = play(other);
            assert_int_equal(played.frames, 20000 - dropped);
            assert_int_equal(played.read, played.frames);
            assert_same(&whole, (uint64_t)dropped, &played, 0, played.frames);
            free(played.samples);
            free(whole.samples);
            ogg_file_free(&file);
        }
}

// Its granule lies before the end of its last packet, so that nothing can be counted back from it.
static void search_never_ends_at_the_last_page(void **state)
{
    (void)state;
    struct ogg_file file;
    struct source *source = NULL;
    struct file_identity identity;
    ogg_file_write(path, SF_FORMAT_VORBIS, 48000, 1, FRAMES);
    ogg_file_load(&file, path);
    ogg_file_save_paged(&file, path, 1500, 0);
    ogg_file_free(&file);
    ogg_file_load(&file, path);
    assert_int_equal(source_open(&source, loader, &(struct source_config){.path = path}), 0);
    assert_int_equal(source_wait_open(source, &identity), 0);
    struct ogg_pages pages;
    ogg_pages_init(&pages, source, 0, identity.size_bytes);
    struct ogg_mark last, low = {.at = 0}, high;
    assert_true(ogg_pages_find_last_mark(&pages, 7, 0, &last) && last.is_end);
    high = last;
    high.granule += 100000; // as if more followed
    ogg_pages_search(&pages, 7, last.granule + 10, 100, &low, &high);
    assert_false(low.is_end);
    assert_int_equal(low.at, file.at[file.pages - 2]);
    ogg_pages_deinit(&pages);
    source_close(&source);
    ogg_file_free(&file);
}

// --- What Opus' header says ------------------------------------------------------------------------

static void opus_is_skipped_and_amplified_as_its_header_says(void **state)
{
    (void)state;
    enum { SKIP_AT = 10, GAIN_AT = 16, MORE = 96, GAIN_Q8 = -1541 }; // -6.02 dB: half
    struct ogg_file file;
    ogg_file_write(path, SF_FORMAT_OPUS, 48000, 2, FRAMES);
    struct ogg_played whole = play(path);
    ogg_file_load(&file, path);
    ogg_page page = ogg_file_page(&file, 0);
    const unsigned skipped = page.body[SKIP_AT] + 256U * page.body[SKIP_AT + 1] + MORE;
    page.body[SKIP_AT] = skipped & 255;
    page.body[SKIP_AT + 1] = (unsigned char)(skipped >> 8);
    page.body[GAIN_AT] = GAIN_Q8 & 255;
    page.body[GAIN_AT + 1] = (GAIN_Q8 >> 8) & 255;
    ogg_page_checksum_set(&page);
    ogg_file_save(&file, other, UINT32_MAX);
    struct ogg_played played = play(other);
    assert_int_equal(played.frames, FRAMES - MORE);
    for (size_t i = 0; i < played.frames * 2; ++i)
        assert_true(fabsf(played.samples[i] - whole.samples[i + MORE * 2] / 2) < 1e-4F);
    free(played.samples);
    free(whole.samples);
    ogg_file_free(&file);
}

// --- Places ------------------------------------------------------------------------------------------

static uint64_t choose_place(uint32_t i, uint64_t *random, uint64_t frames)
{
    if (i < NEAR_ENDS)
        return i % frames;
    if (i < 2 * NEAR_ENDS)
        return frames - 1 - i % NEAR_ENDS % frames;
    return (uint64_t)(rng_unit(random) * (double)frames);
}

/// From the `first`-th choice on.
static void check_choices(const char *name, uint32_t first, uint32_t places)
{
    struct ogg_played whole = play(name);
    struct source *source = NULL;
    struct decoder *decoder = NULL;
    struct decoder_info info;
    float piece[PIECE_FRAMES * PCM_MAX_CHANNELS];
    uint64_t random = whole.frames;
    assert_int_equal(source_open(&source, loader, &(struct source_config){.path = name}), 0);
    assert_int_equal(decoder_open(&decoder, source, &info), 0);
    for (uint32_t i = first; i < places; ++i) {
        const uint64_t at = choose_place(i, &random, whole.frames);
        const uint64_t left = whole.frames - at, frames = left < PIECE_FRAMES ? left : PIECE_FRAMES;
        if (decoder_seek(decoder, at) ||
            decoder_read(decoder, piece, PIECE_FRAMES) != (int64_t)frames)
            fail_msg("%u channels, %u Hz, %llu frames: place %llu", whole.channels, whole.rate_hz,
                     (unsigned long long)whole.frames, (unsigned long long)at);
        if (memcmp(piece, whole.samples + at * whole.channels,
                   frames * whole.channels * sizeof *piece))
            fail_msg("%u channels, %u Hz: place %llu", whole.channels, whole.rate_hz,
                     (unsigned long long)at);
    }
    decoder_close(&decoder);
    source_close(&source);
    free(whole.samples);
}

static void check_places(const char *name, uint32_t places)
{
    check_choices(name, 0, places);
}

static void check_random_places(const char *name, uint32_t places)
{
    check_choices(name, 2 * NEAR_ENDS, 2 * NEAR_ENDS + places);
}

static void vorbis_is_the_same_from_any_place_on(void **state)
{
    (void)state;
    static const struct {
        int rate_hz, channels;
        uint32_t frames;
    } kinds[] = {{44100, 2, FRAMES}, {8000, 1, FRAMES}, {192000, 1, FRAMES}, {48000, 6, 20000},
                 {44100, 1, 1},      {44100, 1, 100},   {48000, 2, 1500}};
    static const int page_bytes[] = {1, 1500, 20000};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; ++k) {
        struct ogg_file file;
        ogg_file_write(path, SF_FORMAT_VORBIS, kinds[k].rate_hz, kinds[k].channels,
                       kinds[k].frames);
        check_places(path, PLACES + 2 * NEAR_ENDS);
        ogg_file_load(&file, path);
        for (int i = 0; i < 3; ++i) { // with granules that are rounded by their muxer
            struct ogg_file paged;
            ogg_file_save_paged(&file, other, page_bytes[i], 5 * i);
            ogg_file_load(&paged, other);
            ogg_file_shift(&paged, 0, 1000000);
            ogg_file_save(&paged, other, UINT32_MAX);
            ogg_file_free(&paged);
            check_places(other, 2 * NEAR_ENDS + 40);
        }
        ogg_file_free(&file);
    }
}

// Some streams remember for longer than the run-up: not these.
static void opus_is_the_same_from_any_place_on(void **state)
{
    (void)state;
    enum { LONG = 6 * 48000, SHORT = 20011, FEW = 40 };
    static const int page_bytes[] = {1, 1500, 20000};
    struct ogg_file file;
    ogg_file_write(path, SF_FORMAT_OPUS, 48000, 1, SHORT);
    check_places(path, 2 * NEAR_ENDS);
    ogg_file_write(path, SF_FORMAT_OPUS, 48000, 1, LONG);
    ogg_file_load(&file, path);
    for (int i = 0; i < 3; ++i) {
        ogg_file_save_paged(&file, other, page_bytes[i], 10 * i);
        check_random_places(other, FEW);
    }
    ogg_file_free(&file);
}

static int set_up(void **state)
{
    (void)state;
    scratch_create(folder);
    scratch_path(path, folder, "file");
    scratch_path(other, folder, "other");
    loop_thread_open(&loop);
    loader = loop.loader;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    return loop_thread_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_those_of_libsndfile),
        cmocka_unit_test(channels_come_in_the_order_of_wave),
        cmocka_unit_test(any_pages_give_the_same),
        cmocka_unit_test(tick_0_within_a_frame_is_of_that_frame),
        cmocka_unit_test(search_never_ends_at_the_last_page),
        cmocka_unit_test(other_streams_between_its_pages_are_passed_over),
        cmocka_unit_test(stream_may_begin_at_any_granule),
        cmocka_unit_test(samples_before_granule_0_and_behind_the_last_are_dropped),
        cmocka_unit_test(opus_is_skipped_and_amplified_as_its_header_says),
        cmocka_unit_test(vorbis_is_the_same_from_any_place_on),
        cmocka_unit_test(opus_is_the_same_from_any_place_on),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
