// SPDX-License-Identifier: MIT
#include "support/decoder_fixture.h"

static void lossless_samples_are_the_written_ones(void **state)
{
    (void)state;
    for (int k = 0; k < N_LOSSLESS; k++) {
        struct opened o;
        uint64_t frames;
        assert_int_equal(try_open(&o, path_of(kinds[k].name)), 0);
        float *all = read_all(&o, &frames);

        assert_int_equal(frames, FRAMES);
        float scale = 1.0f / 32768;
        for (int i = 0; i < FRAMES * CHANNELS; i++)
            if (all[i] != (float)sample_at(i) * scale)
                fail_msg("%s: sample %d is %g", kinds[k].name, i, (double)all[i]);
        assert_int_equal(decoder_damage(o.decoder), DECODER_SOUND);
        assert_null(decoder_damage_text(o.decoder));
        free(all);
        close_both(&o);
    }
}

static void every_format_tells_what_it_is_and_its_exact_length(void **state)
{
    (void)state;
    for (int k = 0; k < N_KINDS; k++) {
        struct opened o;
        uint64_t frames;
        assert_int_equal(try_open(&o, path_of(kinds[k].name)), 0);
        assert_string_equal(o.info.codec, kinds[k].codec);
        assert_int_equal(o.info.depth_bits, kinds[k].depth_bits);
        assert_int_equal(o.info.format.channels, CHANNELS);
        assert_int_equal(o.info.format.rate_hz, kinds[k].rate_hz);
        assert_int_equal(o.info.frames, FRAMES);
        free(read_all(&o, &frames));
        assert_int_equal(frames, FRAMES);
        assert_int_equal(decoder_damage(o.decoder), DECODER_SOUND);
        close_both(&o);
    }
}

static void lossy_sound_lines_up_with_what_was_encoded(void **state)
{
    (void)state;
    for (int k = N_LOSSLESS; k < N_KINDS; k++) {
        struct opened o;
        uint64_t frames;
        assert_int_equal(try_open(&o, path_of(kinds[k].name)), 0);
        float *all = read_all(&o, &frames);
        double errors[7] = {0};
        for (int lag = -3; lag <= 3; lag++)
            for (int i = 2000 * CHANNELS; i < (FRAMES - 2000) * CHANNELS; i++) {
                double difference = all[i] - sample_at(i + lag * CHANNELS) / 32768.0;
                errors[lag + 3] += difference * difference;
            }
        for (int lag = -3; lag <= 3; lag++)
            assert_true(lag == 0 || errors[3] < errors[lag + 3]);
        free(all);
        close_both(&o);
    }
}

static void seeking_gives_the_samples_of_reading_on(void **state)
{
    (void)state;
    for (int k = 0; k < N_KINDS; k++) {
        struct opened o;
        uint64_t frames;
        assert_int_equal(try_open(&o, path_of(kinds[k].name)), 0);
        float *all = read_all(&o, &frames), piece[500 * CHANNELS];
        uint32_t random = 11;
        for (int i = 0; i < 20; i++) {
            random = random * 1664525 + 1013904223;
            uint64_t at = i == 0 ? 0 : (random >> 8) % (FRAMES - 500);
            assert_int_equal(decoder_seek(o.decoder, at), 0);
            assert_int_equal(decoder_read(o.decoder, piece, 500), 500);
            assert_memory_equal(piece, all + at * CHANNELS, sizeof piece);
        }
        assert_int_equal(decoder_seek(o.decoder, FRAMES), 0);
        assert_int_equal(decoder_read(o.decoder, piece, 500), 0);
        assert_int_equal(decoder_seek(o.decoder, FRAMES + 1), -EINVAL);
        free(all);
        close_both(&o);
    }
}

static void mp3_without_its_tag_is_counted(void **state)
{
    (void)state;
    size_t bytes;
    unsigned char *data = load_file("a.mp3", &bytes);
    // MPEG 1 layer III: the first frame's length is 144 rate / 44100, and it is the tag.
    static const int kbps[] = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
    size_t n = 0, at = 0, first = 0;
    while (at + 4 <= bytes && data[at] == 0xff) {
        at += (size_t)(144000 * kbps[data[at + 2] >> 4] / RATE_HZ + (data[at + 2] >> 1 & 1));
        if (n++ == 0)
            first = at;
    }
    save_file("bad", data + first, bytes - first);
    free(data);
    struct opened o;
    uint64_t frames;
    assert_int_equal(try_open(&o, path_of("bad")), 0);
    assert_int_equal(o.info.frames, (n - 1) * 1152);
    free(read_all(&o, &frames));
    assert_int_equal(frames, (n - 1) * 1152);
    close_both(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_samples_are_the_written_ones),
        cmocka_unit_test(every_format_tells_what_it_is_and_its_exact_length),
        cmocka_unit_test(lossy_sound_lines_up_with_what_was_encoded),
        cmocka_unit_test(seeking_gives_the_samples_of_reading_on),
        cmocka_unit_test(mp3_without_its_tag_is_counted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
