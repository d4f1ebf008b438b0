// SPDX-License-Identifier: MIT
#include "support/loudness_signal.h"
#include "dsp/level/loudness_meter.h"
#include "support/near.h"
#include <string.h>

struct loudness_signal loudness_signal_make(uint32_t rate_hz, uint32_t channels, double seconds)
{
    struct loudness_signal signal = {.format = {rate_hz, channels}};
    signal.frames = (uint32_t)lround(seconds * rate_hz);
    signal.samples = calloc((size_t)signal.frames * channels, sizeof(float));
    assert_non_null(signal.samples);
    return signal;
}

uint32_t loudness_channels_at(uint32_t rate_hz)
{
    return rate_hz <= 48000 ? 2 : 1;
}

enum { CYCLE_MAX = 192000 / 100 };

// Ten cycles of 1 kHz, which last a whole number of frames at every rate.
static uint32_t fill_cycle(float cycle[CYCLE_MAX], uint32_t rate_hz)
{
    const uint32_t frames = rate_hz / 100;
    for (uint32_t i = 0; i < frames; ++i)
        cycle[i] = (float)sin(2 * M_PI * 1000.0 * i / rate_hz);
    return frames;
}

struct loudness_signal
loudness_signal_make_tones(uint32_t rate_hz, const struct loudness_piece *pieces, uint32_t count)
{
    double seconds = 0, start = 0;
    for (uint32_t p = 0; p < count; ++p)
        seconds += pieces[p].seconds;
    struct loudness_signal signal =
        loudness_signal_make(rate_hz, loudness_channels_at(rate_hz), seconds);
    float cycle[CYCLE_MAX];
    const uint32_t cycle_frames = fill_cycle(cycle, rate_hz);
    for (uint32_t p = 0; p < count; ++p) {
        const float gain =
            (float)(pieces[p].level_db > -200 ? pow(10, pieces[p].level_db / 20) : 0);
        const uint32_t from = (uint32_t)lround(start * rate_hz);
        start += pieces[p].seconds;
        const uint32_t to = (uint32_t)lround(start * rate_hz);
        for (uint32_t i = from, k = from % cycle_frames; i < to && i < signal.frames; ++i) {
            for (uint32_t c = 0; c < signal.format.channels; ++c)
                signal.samples[(size_t)i * signal.format.channels + c] = gain * cycle[k];
            k = k + 1 < cycle_frames ? k + 1 : 0;
        }
    }
    return signal;
}

struct loudness_signal loudness_signal_make_levels(uint32_t rate_hz, uint32_t channels,
                                                   const double *levels_db, double seconds)
{
    struct loudness_signal signal = loudness_signal_make(rate_hz, channels, seconds);
    float cycle[CYCLE_MAX];
    const uint32_t cycle_frames = fill_cycle(cycle, rate_hz);
    for (uint32_t c = 0; c < channels; ++c) {
        const float gain = (float)(levels_db[c] > -200 ? pow(10, levels_db[c] / 20) : 0);
        for (uint32_t i = 0; i < signal.frames; ++i)
            signal.samples[(size_t)i * channels + c] = gain * cycle[i % cycle_frames];
    }
    return signal;
}

static void weigh(double weights[PCM_MAX_CHANNELS], uint32_t channels)
{
    static const double layouts[][PCM_MAX_CHANNELS] = {
        [1] = {2}, // on both sides
        [2] = {1, 1},
        [3] = {1, 1, 1},
        [4] = {1, 1, 1.41, 1.41},
        [5] = {1, 1, 1, 1.41, 1.41},
        [6] = {1, 1, 1, 0, 1.41, 1.41},
        [8] = {1, 1, 1, 0, 1.41, 1.41, 1.41, 1.41},
    };
    memcpy(weights, layouts[channels], sizeof layouts[channels]);
}

struct loudness_figures loudness_signal_measure(struct loudness_signal *signal)
{
    struct loudness_meter *meter = NULL;
    struct loudness_figures out;
    double weights[PCM_MAX_CHANNELS];
    assert_int_equal(loudness_meter_create(&meter, &signal->format), 0);
    assert_int_equal(loudness_meter_feed(meter, signal->samples, signal->frames), 0);
    out.integrated_lufs = loudness_meter_integrated_lufs(meter);
    out.momentary_max_lufs = loudness_meter_momentary_max_lufs(meter);
    out.short_term_max_lufs = loudness_meter_short_term_max_lufs(meter);
    out.range_lu = loudness_list_range_lu(loudness_meter_list(meter));
    loudness_meter_destroy(&meter);
    weigh(weights, signal->format.channels);
    bs1770_measure(&out.exact, signal->samples, signal->frames, signal->format.rate_hz,
                   signal->format.channels, weights);
    free(signal->samples);
    assert_near(out.integrated_lufs, out.exact.integrated_lufs, LOUDNESS_EXACT_LU);
    assert_near(out.range_lu, out.exact.range_lu, LOUDNESS_EXACT_LU);
    if (isfinite(out.exact.momentary_max_lufs))
        assert_near(out.momentary_max_lufs, out.exact.momentary_max_lufs, LOUDNESS_EXACT_LU);
    if (isfinite(out.exact.short_term_max_lufs))
        assert_near(out.short_term_max_lufs, out.exact.short_term_max_lufs, LOUDNESS_EXACT_LU);
    return out;
}

struct loudness_figures loudness_measure_tones(uint32_t rate_hz,
                                               const struct loudness_piece *pieces, uint32_t count)
{
    struct loudness_signal signal = loudness_signal_make_tones(rate_hz, pieces, count);
    return loudness_signal_measure(&signal);
}

void loudness_assert_integrated(const struct loudness_piece *pieces, uint32_t count,
                                double nominal_lufs)
{
    for (int r = 0; r < LOUDNESS_RATE_COUNT; ++r)
        assert_near(loudness_measure_tones(LOUDNESS_RATES_HZ[r], pieces, count).integrated_lufs,
                    nominal_lufs, LOUDNESS_TOLERANCE_LU);
}
