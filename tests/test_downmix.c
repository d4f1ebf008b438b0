// SPDX-License-Identifier: MIT
// Each channel alone into both sides: fronts whole, centre and surrounds by half of their power, the LFE not.
#include "dsp/downmix.h"
#include "dsp/pcm.h"
#include "support/near.h"

enum { FRAMES = 5 };

struct gains {
    double left, right;
};
#define L                                                                                          \
    {                                                                                              \
        1, 0                                                                                       \
    }
#define R                                                                                          \
    {                                                                                              \
        0, 1                                                                                       \
    }
#define C                                                                                          \
    {                                                                                              \
        0.70710678118654752, 0.70710678118654752                                                   \
    }
#define LS                                                                                         \
    {                                                                                              \
        0.70710678118654752, 0                                                                     \
    }
#define RS                                                                                         \
    {                                                                                              \
        0, 0.70710678118654752                                                                     \
    }
#define NO                                                                                         \
    {                                                                                              \
        0, 0                                                                                       \
    }
static const struct gains layouts[PCM_MAX_CHANNELS + 1][PCM_MAX_CHANNELS] = {
    [1] = {{1, 1}},
    [2] = {L, R},
    [3] = {L, R, C},
    [4] = {L, R, LS, RS},
    [5] = {L, R, C, LS, RS},
    [6] = {L, R, C, NO, LS, RS},
    [7] = {L, R, C, NO, LS, RS, LS},
    [8] = {L, R, C, NO, LS, RS, LS, RS},
};

static void each_channel_goes_where_it_stands(void **state)
{
    (void)state;
    for (uint32_t channels = 1; channels <= PCM_MAX_CHANNELS; ++channels)
        for (uint32_t c = 0; c < channels; ++c) {
            float in[FRAMES * PCM_MAX_CHANNELS] = {0}, out[2 * FRAMES];
            for (uint32_t i = 0; i < FRAMES; ++i)
                in[i * channels + c] = (float)(i + 1);
            downmix_to_stereo(out, in, FRAMES, channels);
            for (uint32_t i = 0; i < FRAMES; ++i) {
                assert_near((double)out[2 * i], layouts[channels][c].left * (i + 1), 1e-6);
                assert_near((double)out[2 * i + 1], layouts[channels][c].right * (i + 1), 1e-6);
            }
        }
}

static void the_fourth_of_six_and_more_is_the_lfe(void **state)
{
    (void)state;
    for (uint32_t channels = 1; channels <= PCM_MAX_CHANNELS; ++channels)
        assert_int_equal(downmix_lfe(channels), channels >= 6 ? 3 : channels);
}

static void more_than_one_channel_may_be_mixed_where_they_lie(void **state)
{
    (void)state;
    for (uint32_t channels = 2; channels <= PCM_MAX_CHANNELS; ++channels) {
        float x[FRAMES * PCM_MAX_CHANNELS], apart[2 * FRAMES];
        for (uint32_t i = 0; i < FRAMES * channels; ++i)
            x[i] = (float)(i * i % 17);
        downmix_to_stereo(apart, x, FRAMES, channels);
        downmix_to_stereo(x, x, FRAMES, channels);
        assert_memory_equal(x, apart, sizeof apart);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_channel_goes_where_it_stands),
        cmocka_unit_test(the_fourth_of_six_and_more_is_the_lfe),
        cmocka_unit_test(more_than_one_channel_may_be_mixed_where_they_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
