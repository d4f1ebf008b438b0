// SPDX-License-Identifier: MIT
// MP3 streams joined to one file, of whatever kinds: each plays as it does alone, one behind another.
#include "support/mp3_file.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 30011, MPEG_SAMPLES = 1152, PIECES = 300 };

static struct mp3_song stereo, mono, slow; // 44.1 kHz, and 22.05 kHz
static struct mp3_heard untagged;          // `stereo` without its tag

/// Assert that the next frames heard, from *at on, are those of a piece, its one channel on both sides.
static void assert_next(const struct mp3_heard *h, uint64_t *at, const float *samples,
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

static void assert_song(const struct mp3_heard *h, uint64_t *at, const struct mp3_song *song)
{
    assert_next(h, at, song->samples, song->channels, song->frames);
}

static void assert_end(const struct mp3_heard *h, uint64_t at)
{
    assert_int_equal(h->frames, at);
    assert_int_equal(h->stated, at);
    assert_int_equal(h->damage, DECODER_SOUND);
    assert_true(h->is_quiet);
    free(h->samples);
}

static void put_song(struct mp3_file *f, const struct mp3_song *song)
{
    mp3_put(f, song->file.bytes, song->file.count);
}

static void put_untagged(struct mp3_file *f, const struct mp3_song *song)
{
    mp3_put(f, song->file.bytes + song->first, song->file.count - song->first);
}

// --- Of one kind ---------------------------------------------------------------------------------

static void tagged_streams_play_without_their_delays(void **state)
{
    (void)state;
    static const char old[128] = "TAGtitle";
    struct mp3_file f = {0};
    put_song(&f, &stereo);
    mp3_put(&f, old, sizeof old);
    mp3_put_id3(&f, 3000, 3010);
    put_song(&f, &stereo);
    put_song(&f, &stereo);
    mp3_put(&f, old, sizeof old);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 0;
    for (int i = 0; i < 3; ++i)
        assert_song(&h, &at, &stereo);
    assert_end(&h, at);
}

static void hundreds_of_streams_play(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    for (int i = 0; i < PIECES; ++i) {
        struct mp3_file piece = mp3_silent_frames(3);
        mp3_put_file(&f, &piece);
    }
    put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = (uint64_t)PIECES * (3 * MPEG_SAMPLES - 529);
    for (uint64_t i = 0; i < 2 * at; ++i)
        assert_true(h.samples[i] == 0);
    assert_song(&h, &at, &stereo);
    assert_end(&h, at);
}

// Behind a tag, behind nothing, and the other way round; what the tag counts is its own, and no frame more.
static void streams_without_tags_play(void **state)
{
    (void)state;
    for (int has_tag = 0; has_tag < 2; ++has_tag) {
        struct mp3_file f = {0};
        put_song(&f, &stereo);
        if (has_tag)
            mp3_put_id3(&f, 3000, 3010);
        put_untagged(&f, &stereo);
        put_song(&f, &stereo);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        assert_song(&h, &at, &stereo);
        assert_next(&h, &at, untagged.samples, 2, untagged.frames);
        assert_song(&h, &at, &stereo);
        assert_end(&h, at);
    }
}

// The tag's count tells where the stream ends if it tells no size, or one that is not so.
static void a_tag_without_its_size_ends_its_stream(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < 2000; size += 999) {
        struct mp3_file f = {0};
        put_song(&f, &stereo);
        mp3_put_big(f.bytes + stereo.tag + 12, size);
        if (size > 1000)
            mp3_put_id3(&f, 3000, 3010);
        put_untagged(&f, &stereo);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        assert_song(&h, &at, &stereo);
        assert_next(&h, &at, untagged.samples, 2, untagged.frames);
        assert_end(&h, at);
    }
}

static void junk_between_streams_is_passed_over(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    put_song(&f, &stereo);
    mp3_put_junk(&f, 2000);
    put_song(&f, &mono);
    mp3_put_junk(&f, 2000);
    put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 0;
    assert_song(&h, &at, &stereo);
    assert_song(&h, &at, &mono);
    assert_song(&h, &at, &stereo);
    assert_end(&h, at);
}

// --- Of several kinds ----------------------------------------------------------------------------

static void mono_among_stereo_plays_on_both_sides(void **state)
{
    (void)state;
    for (int is_first = 0; is_first < 2; ++is_first) {
        struct mp3_file f = {0};
        put_song(&f, is_first ? &mono : &stereo);
        put_song(&f, is_first ? &stereo : &mono);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        assert_song(&h, &at, is_first ? &mono : &stereo);
        assert_song(&h, &at, is_first ? &stereo : &mono);
        assert_end(&h, at);
    }
}

// Layers I and II, and III of a free bit rate, of 44.1 kHz all.
static void other_layers_and_bit_rates_play(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xff, 0xe0, 0x00}, 484, 30);
    put_song(&f, &stereo);
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfd, 0xe0, 0x00}, 1253, 10);
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfb, 0x00, 0x00}, 999, 10);
    put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 30 * 384;
    assert_song(&h, &at, &stereo);
    for (int i = 0; i < 20 * MPEG_SAMPLES * 2; ++i)
        assert_true(h.samples[2 * at + (uint64_t)i] == 0);
    at += 20 * MPEG_SAMPLES;
    assert_song(&h, &at, &stereo);
    assert_end(&h, at);
}

/// The sound of 22.05 kHz at place i / 2, by a cubic through the frames around.
static double between(const float *samples, uint64_t i, uint64_t c)
{
    const float *at = samples + i / 2 * 2 + c;
    return i % 2 ? (9.0 * (at[0] + at[2]) - at[-2] - at[4]) / 16 : at[0];
}

// Each frame that was there is there still, and one between each two.
static void another_rate_is_converted(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    put_song(&f, &stereo);
    put_song(&f, &slow);
    put_song(&f, &stereo);
    put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.format.rate_hz, 44100);
    uint64_t at = 0;
    assert_song(&h, &at, &stereo);
    double error = 0, sound = 0;
    for (uint64_t i = 1000; i < 2 * FRAMES - 1000; ++i)
        for (uint64_t c = 0; c < 2; ++c) {
            const double wanted = between(slow.samples, i, c);
            error += pow(h.samples[2 * (at + i) + c] - wanted, 2);
            sound += wanted * wanted;
        }
    assert_true(sound > 0 && error < 0.03 * sound); // the cubic's, of high notes
    at += 2 * FRAMES;
    assert_song(&h, &at, &stereo);
    assert_song(&h, &at, &stereo);
    assert_end(&h, at);
}

// Not the first one's: an announcement of 22.05 kHz is not to make all sound like it.
static void the_rate_is_that_of_most_of_the_sound(void **state)
{
    (void)state;
    for (uint32_t times = 1; times <= 3; times += 2) {
        struct mp3_file f = {0};
        put_song(&f, &slow);
        for (uint32_t i = 0; i < times; ++i)
            put_song(&f, &mono);
        const struct mp3_heard h = mp3_play(&f);
        const uint32_t rate_hz = times == 1 ? 22050 : 44100; // 30011 last for longer at 22.05 kHz
        assert_int_equal(h.format.rate_hz, rate_hz);
        assert_int_equal(h.frames,
                         times == 1 ? FRAMES + (FRAMES + 1) / 2 : 2 * FRAMES + 3 * FRAMES);
        free(h.samples);
    }
}

// --- Cut ones ------------------------------------------------------------------------------------

// Its tag counts what is not there: the next stream follows at once, and what is missing is told.
static void a_cut_stream_is_followed_by_the_next(void **state)
{
    (void)state;
    for (int is_mono = 0; is_mono < 2; ++is_mono) {
        const struct mp3_song *next = is_mono ? &mono : &stereo;
        struct mp3_file f = {0};
        const size_t half = mp3_frame_from(&stereo, stereo.file.count / 2);
        mp3_put(&f, stereo.file.bytes, half + 30); // within a frame
        put_song(&f, next);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = h.frames - FRAMES;
        assert_true(at > FRAMES / 3 && at < FRAMES * 2 / 3);
        assert_memory_equal(h.samples, stereo.samples, (at - 1152) * 2 * sizeof *h.samples);
        assert_song(&h, &at, next);
        assert_int_equal(h.stated, at);
        assert_int_equal(h.damage, DECODER_TRUNCATED);
        assert_non_null(strstr(h.text, "truncated: 0.3"));
        assert_non_null(strstr(h.text, "are missing"));
        free(h.samples);
    }
}

// As a stream that was recorded from some place on, or broke off. The tag in the cut frame is found.
static void streams_cut_at_both_ends_play(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    const size_t third = mp3_frame_from(&stereo, stereo.file.count / 3);
    const size_t end = mp3_frame_from(&stereo, 2 * third);
    mp3_put(&f, stereo.file.bytes + third + 50, end - third);
    mp3_put_id3(&f, 3000, 3010);
    put_song(&f, &mono);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = h.frames - FRAMES;
    assert_true(at > FRAMES / 5 && at % MPEG_SAMPLES == 0);
    assert_song(&h, &at, &mono);
    assert_end(&h, at);
}

// What the first lacks is not taken from the second, which lies where both tags say.
static void a_stream_that_lacks_frames_is_as_long_as_it_says(void **state)
{
    (void)state;
    struct mp3_file f = mp3_silent_frames(40);
    mp3_put_big(f.bytes + MP3_SILENT_TAG_AT + 8, 42);
    put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 42 * MPEG_SAMPLES - 529;
    assert_song(&h, &at, &stereo);
    assert_int_equal(h.frames, at);
    assert_int_equal(h.stated, at);
    assert_int_equal(h.damage, DECODER_CORRUPT);
    assert_string_equal(h.text, "corrupt: 0.05 s at 1.0 s are silent");
    free(h.samples);
}

// Libmpg123 takes no frame of more than 3,456 bytes. The others are where they would be.
static void a_stream_that_cannot_be_decoded_is_silent(void **state)
{
    (void)state;
    for (int is_first = 0; is_first < 2; ++is_first) {
        struct mp3_file f = {0};
        if (!is_first)
            put_song(&f, &mono);
        mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfb, 0x00, 0x00}, 4000, 10);
        put_song(&f, &stereo);
        mp3_assert_seeks(&f, 1009);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        if (!is_first)
            assert_song(&h, &at, &mono);
        for (int i = 0; i < 10 * MPEG_SAMPLES * 2; ++i)
            assert_true(h.samples[2 * at + (uint64_t)i] == 0);
        at += 10 * MPEG_SAMPLES;
        assert_song(&h, &at, &stereo);
        assert_int_equal(h.frames, at);
        assert_int_equal(h.damage, DECODER_CORRUPT);
        assert_non_null(strstr(h.text, "corrupt: 0.26 s at"));
        free(h.samples);
    }
}

static void a_cut_last_stream_is_told(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    put_song(&f, &mono);
    mp3_put(&f, stereo.file.bytes, stereo.file.count / 2);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 0;
    assert_song(&h, &at, &mono);
    assert_int_equal(h.stated, 2 * FRAMES);
    assert_true(h.frames > FRAMES * 4 / 3 && h.frames < FRAMES * 5 / 3);
    assert_int_equal(h.damage, DECODER_TRUNCATED);
    free(h.samples);
}

static int set_up(void **state)
{
    const int error = mp3_set_up(state);
    if (error)
        return error;
    stereo = mp3_encode(44100, 2, FRAMES);
    mono = mp3_encode(44100, 1, FRAMES);
    slow = mp3_encode(22050, 2, FRAMES);
    struct mp3_file f = mp3_copy_untagged(&stereo);
    untagged = mp3_play(&f);
    return 0;
}

static int tear_down(void **state)
{
    mp3_song_free(&stereo);
    mp3_song_free(&mono);
    mp3_song_free(&slow);
    free(untagged.samples);
    return mp3_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tagged_streams_play_without_their_delays),
        cmocka_unit_test(hundreds_of_streams_play),
        cmocka_unit_test(streams_without_tags_play),
        cmocka_unit_test(a_tag_without_its_size_ends_its_stream),
        cmocka_unit_test(junk_between_streams_is_passed_over),
        cmocka_unit_test(mono_among_stereo_plays_on_both_sides),
        cmocka_unit_test(other_layers_and_bit_rates_play),
        cmocka_unit_test(another_rate_is_converted),
        cmocka_unit_test(the_rate_is_that_of_most_of_the_sound),
        cmocka_unit_test(a_cut_stream_is_followed_by_the_next),
        cmocka_unit_test(streams_cut_at_both_ends_play),
        cmocka_unit_test(a_stream_that_lacks_frames_is_as_long_as_it_says),
        cmocka_unit_test(a_stream_that_cannot_be_decoded_is_silent),
        cmocka_unit_test(a_cut_last_stream_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
