// SPDX-License-Identifier: MIT
// MP3 streams joined to one file, of whatever kinds: each plays as it does alone, one behind another.
#include "support/mp3_songs_fixture.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PIECES = 300 };

static struct mp3_heard untagged; // `stereo` without its tag

static void assert_end(const struct mp3_heard *h, uint64_t at)
{
    assert_int_equal(h->frames, at);
    assert_int_equal(h->stated, at);
    assert_int_equal(h->damage, DECODER_SOUND);
    assert_true(h->is_quiet);
    free(h->samples);
}

// --- Of one kind ---------------------------------------------------------------------------------

static void tagged_streams_play_without_their_delays(void **state)
{
    (void)state;
    static const char old[128] = "TAGtitle";
    struct mp3_file f = {0};
    mp3_put_song(&f, &stereo);
    mp3_put(&f, old, sizeof old);
    mp3_put_id3(&f, 3000, 3010);
    mp3_put_song(&f, &stereo);
    mp3_put_song(&f, &stereo);
    mp3_put(&f, old, sizeof old);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 0;
    for (int i = 0; i < 3; ++i)
        mp3_assert_song(&h, &at, &stereo);
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
    mp3_put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = (uint64_t)PIECES * (3 * MPEG_SAMPLES - 529);
    for (uint64_t i = 0; i < 2 * at; ++i)
        assert_true(h.samples[i] == 0);
    mp3_assert_song(&h, &at, &stereo);
    assert_end(&h, at);
}

// Behind a tag, behind nothing, and the other way round; what the tag counts is its own, and no frame more.
static void streams_without_tags_play(void **state)
{
    (void)state;
    for (int has_tag = 0; has_tag < 2; ++has_tag) {
        struct mp3_file f = {0};
        mp3_put_song(&f, &stereo);
        if (has_tag)
            mp3_put_id3(&f, 3000, 3010);
        mp3_put_untagged(&f, &stereo);
        mp3_put_song(&f, &stereo);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        mp3_assert_song(&h, &at, &stereo);
        mp3_assert_next(&h, &at, untagged.samples, 2, untagged.frames);
        mp3_assert_song(&h, &at, &stereo);
        assert_end(&h, at);
    }
}

// The tag's count tells where the stream ends if it tells no size, or one that is not so.
static void a_tag_without_its_size_ends_its_stream(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < 2000; size += 999) {
        struct mp3_file f = {0};
        mp3_put_song(&f, &stereo);
        mp3_put_big(f.bytes + stereo.tag + 12, size);
        if (size > 1000)
            mp3_put_id3(&f, 3000, 3010);
        mp3_put_untagged(&f, &stereo);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        mp3_assert_song(&h, &at, &stereo);
        mp3_assert_next(&h, &at, untagged.samples, 2, untagged.frames);
        assert_end(&h, at);
    }
}

// No tag shows where one ends: only its frames do, one directly behind another, or behind junk.
static void untagged_streams_of_other_kinds_play(void **state)
{
    (void)state;
    struct mp3_file alone = mp3_copy_untagged(&mono);
    const struct mp3_heard untagged_mono = mp3_play(&alone);
    for (size_t junk = 0; junk <= 2000; junk += 2000) {
        struct mp3_file f = {0};
        for (int i = 0; i < 2; ++i) {
            mp3_put_untagged(&f, &stereo);
            mp3_put_junk(&f, junk);
            mp3_put_untagged(&f, &mono);
            mp3_put_junk(&f, junk);
        }
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        for (int i = 0; i < 2 && !junk; ++i) {
            mp3_assert_next(&h, &at, untagged.samples, 2, untagged.frames);
            mp3_assert_next(&h, &at, untagged_mono.samples, 1, untagged_mono.frames);
        }
        assert_int_equal(h.frames, 2 * (untagged.frames + untagged_mono.frames));
        assert_int_equal(h.damage, DECODER_SOUND);
        free(h.samples);
    }
    free(untagged_mono.samples);
}

static void junk_between_streams_is_passed_over(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    mp3_put_song(&f, &stereo);
    mp3_put_junk(&f, 2000);
    mp3_put_song(&f, &mono);
    mp3_put_junk(&f, 2000);
    mp3_put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 0;
    mp3_assert_song(&h, &at, &stereo);
    mp3_assert_song(&h, &at, &mono);
    mp3_assert_song(&h, &at, &stereo);
    assert_end(&h, at);
}

// --- Of several kinds ----------------------------------------------------------------------------

static void mono_among_stereo_plays_on_both_sides(void **state)
{
    (void)state;
    for (int is_first = 0; is_first < 2; ++is_first) {
        struct mp3_file f = {0};
        mp3_put_song(&f, is_first ? &mono : &stereo);
        mp3_put_song(&f, is_first ? &stereo : &mono);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        mp3_assert_song(&h, &at, is_first ? &mono : &stereo);
        mp3_assert_song(&h, &at, is_first ? &stereo : &mono);
        assert_end(&h, at);
    }
}

// Layers I and II, and III of a free bit rate, of 44.1 kHz all.
static void other_layers_and_bit_rates_play(void **state)
{
    (void)state;
    struct mp3_file f = {0};
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xff, 0xe0, 0x00}, 484, 30);
    mp3_put_song(&f, &stereo);
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfd, 0xe0, 0x00}, 1253, 10);
    mp3_put_frames(&f, (const unsigned char[]){0xff, 0xfb, 0x00, 0x00}, 999, 10);
    mp3_put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    uint64_t at = 30 * 384;
    mp3_assert_song(&h, &at, &stereo);
    for (int i = 0; i < 20 * MPEG_SAMPLES * 2; ++i)
        assert_true(h.samples[2 * at + (uint64_t)i] == 0);
    at += 20 * MPEG_SAMPLES;
    mp3_assert_song(&h, &at, &stereo);
    assert_end(&h, at);
}

// Its frames do not say how long they are; neither do bytes that are no tag make it less a stream.
static void a_free_bit_rate_behind_junk_plays(void **state)
{
    (void)state;
    static const unsigned char free_rate[] = {0xff, 0xfb, 0x00, 0x00};
    for (int is_first = 0; is_first < 2; ++is_first) {
        struct mp3_file f = {0};
        if (!is_first)
            mp3_put_song(&f, &stereo);
        mp3_put_junk(&f, 2000);
        mp3_put_frames(&f, free_rate, 999, 10);
        mp3_put_junk(&f, 2000);
        mp3_put_song(&f, &stereo);
        const struct mp3_heard h = mp3_play(&f);
        uint64_t at = 0;
        if (!is_first)
            mp3_assert_song(&h, &at, &stereo);
        for (int i = 0; i < 10 * MPEG_SAMPLES * 2; ++i)
            assert_true(h.samples[2 * at + (uint64_t)i] == 0);
        at += 10 * MPEG_SAMPLES;
        mp3_assert_song(&h, &at, &stereo);
        assert_end(&h, at);
    }
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
    mp3_put_song(&f, &stereo);
    mp3_put_song(&f, &slow);
    mp3_put_song(&f, &stereo);
    mp3_put_song(&f, &stereo);
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.format.rate_hz, 44100);
    uint64_t at = 0;
    mp3_assert_song(&h, &at, &stereo);
    double error = 0, sound = 0;
    for (uint64_t i = 1000; i < 2 * FRAMES - 1000; ++i)
        for (uint64_t c = 0; c < 2; ++c) {
            const double wanted = between(slow.samples, i, c);
            error += pow(h.samples[2 * (at + i) + c] - wanted, 2);
            sound += wanted * wanted;
        }
    assert_true(sound > 0 && error < 0.03 * sound); // the cubic's, of high notes
    at += 2 * FRAMES;
    mp3_assert_song(&h, &at, &stereo);
    mp3_assert_song(&h, &at, &stereo);
    assert_end(&h, at);
}

// Not the first one's: an announcement of 22.05 kHz is not to make all sound like it.
static void the_rate_is_that_of_most_of_the_sound(void **state)
{
    (void)state;
    for (uint32_t times = 1; times <= 3; times += 2) {
        struct mp3_file f = {0};
        mp3_put_song(&f, &slow);
        for (uint32_t i = 0; i < times; ++i)
            mp3_put_song(&f, &mono);
        const struct mp3_heard h = mp3_play(&f);
        const uint32_t rate_hz = times == 1 ? 22050 : 44100; // 30011 last for longer at 22.05 kHz
        assert_int_equal(h.format.rate_hz, rate_hz);
        assert_int_equal(h.frames,
                         times == 1 ? FRAMES + (FRAMES + 1) / 2 : 2 * FRAMES + 3 * FRAMES);
        free(h.samples);
    }
}

// Of more frames of 44.1 kHz, 45551, that last for less long.
static void the_rate_is_not_that_of_the_most_frames(void **state)
{
    (void)state;
    struct mp3_file f = {0}, silence = mp3_silent_frames(40);
    mp3_put_song(&f, &slow);
    mp3_put_file(&f, &silence);
    const struct mp3_heard h = mp3_play(&f);
    assert_int_equal(h.format.rate_hz, 22050);
    assert_int_equal(h.frames, FRAMES + 22776);
    free(h.samples);
}

static int set_up(void **state)
{
    const int error = songs_set_up(state);
    if (error)
        return error;
    struct mp3_file f = mp3_copy_untagged(&stereo);
    untagged = mp3_play(&f);
    return 0;
}

static int tear_down(void **state)
{
    free(untagged.samples);
    return songs_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tagged_streams_play_without_their_delays),
        cmocka_unit_test(hundreds_of_streams_play),
        cmocka_unit_test(streams_without_tags_play),
        cmocka_unit_test(a_tag_without_its_size_ends_its_stream),
        cmocka_unit_test(untagged_streams_of_other_kinds_play),
        cmocka_unit_test(junk_between_streams_is_passed_over),
        cmocka_unit_test(mono_among_stereo_plays_on_both_sides),
        cmocka_unit_test(other_layers_and_bit_rates_play),
        cmocka_unit_test(a_free_bit_rate_behind_junk_plays),
        cmocka_unit_test(another_rate_is_converted),
        cmocka_unit_test(the_rate_is_that_of_most_of_the_sound),
        cmocka_unit_test(the_rate_is_not_that_of_the_most_frames),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
