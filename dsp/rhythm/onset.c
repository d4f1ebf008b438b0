// SPDX-License-Identifier: MIT
#include "dsp/rhythm/onset.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/logarithm.h"
#include "dsp/rhythm/onset_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BANDS = ONSET_BANDS,
    // Frames on either side of a change of pitch, and of one of harmony.
    CHANGE_SPAN = 4,
    HARMONY_SPAN = 12,
    RECENT_FRAMES = 16, // sums that are kept, a power of two over HARMONY_SPAN
    HOP = (ONSET_BINS - 1) / 2,
    LANES = ONSET_LANES,
};
static_assert(HARMONY_SPAN == 3 * CHANGE_SPAN, "sums over the longer span are made of the shorter");
static_assert(RECENT_FRAMES > HARMONY_SPAN, "what is compared is still there");
#define LOWEST_HZ     30.0
#define HIGHEST_HZ    11000.0
#define LOW_TOP_HZ    200.0
#define HIGH_FROM_HZ  2500.0
#define CHANGE_TOP_HZ 2000.0
#define WEIGHT_TOP_HZ 150.0
// A rise that starts below this share of the loudest band so far starts there, so that neither dither
// nor a reverb's end looks like music. Relative to a running maximum, it is the same at any gain.
#define FLOOR_SHARE 1e-6f
// The whole strength also counts what rises above this share, by so much more: loud accents tell the
// beat from the off-beat, faint ones find it where attacks are soft.
#define LOUD_SHARE  1e-3f
#define LOUD_WEIGHT 4.0f
// Nothing has sounded while no band exceeded this, -290 dBFS or so: what a resampler or a decoder leaves in digital
// silence is no onset, nor does it end at ONSET_LEAST_POWER in one version of a track and over it in a louder one.
#define FAINTEST_SOUND 1e-24f

struct onset {
    // --- fixed after create
    const struct onset_impl *kernels;
    struct onset_rows rows;
    float part_weights[ONSET_CHANGE][BANDS], whole_weights[BANDS]; // of means over bands
    uint32_t first_bin, change_bins, weight_end_bin;
    // --- of the frames before
    float previous[BANDS];                         // logarithms of band powers
    float recent[CHANGE_SPAN][ONSET_SPAN_BINS];    // amplitudes
    float fours[RECENT_FRAMES][ONSET_SPAN_BINS];   // sums of the CHANGE_SPAN frames up to each
    float twelves[RECENT_FRAMES][ONSET_SPAN_BINS]; // of HARMONY_SPAN frames
    float previous_weight;                         // amplitude
    // --- of the track so far
    float loudest;  // band power
    float heaviest; // amplitude
    size_t frames;
    size_t kept_most; // frames; what comes later lies behind them, a stretch at a time
    uint16_t *strength;
    uint16_t *parts[ONSET_PARTS];
};

static double mel_of_hz(double hz)
{
    return 2595.0 * log10(1.0 + hz / 700.0);
}

/// Triangular bands, equally far apart in mel.
struct mel_scale {
    double lowest, step, bin_hz;
};

static double place_of(const struct mel_scale *mel, uint32_t bin)
{
    return (mel_of_hz(bin * mel->bin_hz) - mel->lowest) / mel->step;
}

/// Give the bins from `begin` to `end` to band b and the one above. Lanes beyond them count nothing.
static void lay_out_row(struct onset *o, const struct mel_scale *mel, uint32_t b, uint32_t begin,
                        uint32_t end)
{
    const uint32_t count = (end - begin + LANES - 1) / LANES;
    const uint32_t first = begin + LANES * count <= ONSET_BINS ? begin : ONSET_BINS - LANES * count;
    struct onset_rows *rows = &o->rows;
    rows->first[b] = (uint16_t)first;
    rows->begin[b + 1] = (uint16_t)(rows->begin[b] + count);
    assert(rows->begin[b + 1] <= ONSET_ROWS);
    float *lower = rows->lower[rows->begin[b]], *upper = rows->upper[rows->begin[b]];
    for (uint32_t k = begin; k < end; k++) {
        const double share = fmin(place_of(mel, k) - b, 1.0);
        upper[k - first] = (float)share;
        lower[k - first] = (float)(1.0 - share);
    }
}

static void lay_out_rows(struct onset *o, const struct mel_scale *mel, uint32_t end_bin)
{
    uint32_t k = o->first_bin;
    for (uint32_t b = 0; b < BANDS; b++) {
        const uint32_t begin = k;
        while (k < end_bin && (uint32_t)fmin(place_of(mel, k), BANDS - 2) == b)
            k++;
        lay_out_row(o, mel, b, begin, k);
    }
}

static void lay_out_bands(struct onset *o, double rate_hz)
{
    const double top_hz = fmin(HIGHEST_HZ, rate_hz / 2.0), lowest = mel_of_hz(LOWEST_HZ);
    const struct mel_scale mel = {.lowest = lowest,
                                  .step = (mel_of_hz(top_hz) - lowest) / (BANDS - 1),
                                  .bin_hz = rate_hz / (2.0 * (ONSET_BINS - 1))};
    o->first_bin = (uint32_t)ceil(LOWEST_HZ / mel.bin_hz);
    lay_out_rows(o, &mel, (uint32_t)fmin(ceil(top_hz / mel.bin_hz), ONSET_BINS));
    uint32_t part_begin[ONSET_CHANGE + 1] = {[ONSET_CHANGE] = BANDS};
    for (uint32_t b = 0; b < BANDS; b++) {
        const double place = lowest + b * mel.step;
        part_begin[ONSET_MIDDLE] += place < mel_of_hz(LOW_TOP_HZ);
        part_begin[ONSET_HIGH] += place < mel_of_hz(HIGH_FROM_HZ);
        o->whole_weights[b] = 1.0f / BANDS;
    }
    for (int part = 0; part < ONSET_CHANGE; part++)
        for (uint32_t b = part_begin[part]; b < part_begin[part + 1]; b++)
            o->part_weights[part][b] = 1.0f / (float)(part_begin[part + 1] - part_begin[part]);
    o->change_bins = (uint32_t)fmin(CHANGE_TOP_HZ / mel.bin_hz, ONSET_SPAN_BINS);
    o->weight_end_bin = (uint32_t)fmin(ceil(WEIGHT_TOP_HZ / mel.bin_hz), ONSET_BINS);
}

/// Room for all that is ever kept.
static int make_room(struct onset *o, double rate_hz)
{
    o->kept_most = (size_t)(ONSET_KEPT_S * rate_hz / HOP);
    o->strength = aligned_zeroed((o->kept_most + ONSET_LATE_FRAMES) * sizeof(*o->strength));
    int has_all = o->strength != NULL;
    for (int part = 0; part < ONSET_PARTS; part++) {
        o->parts[part] = aligned_zeroed(ONSET_PART_FRAMES * sizeof(*o->parts[part]));
        has_all &= o->parts[part] != NULL;
    }
    return has_all ? 0 : -ENOMEM;
}

int onset_create(struct onset **out, double rate_hz)
{
    assert(rate_hz > 0.0);
    *out = calloc(1, sizeof(**out));
    if (!*out || make_room(*out, rate_hz)) {
        onset_destroy(out);
        return -ENOMEM;
    }
    (*out)->kernels = onset_select(cpu_flags());
    for (int b = 0; b < BANDS; b++)
        (*out)->previous[b] = logarithm(ONSET_LEAST_POWER);
    lay_out_bands(*out, rate_hz);
    return 0;
}

void onset_destroy(struct onset **onset)
{
    if (!*onset)
        return;
    free((*onset)->strength);
    for (int part = 0; part < ONSET_PARTS; part++)
        free((*onset)->parts[part]);
    free(*onset);
    *onset = NULL;
}

/// Where the strength of the frame to come goes.
static size_t place_of_frame(const struct onset *o)
{
    if (o->frames < o->kept_most)
        return o->frames;
    return o->kept_most + (o->frames - o->kept_most) % ONSET_LATE_FRAMES;
}

static uint16_t stored(float strength)
{
    return (uint16_t)fminf(strength * ONSET_SCALE + 0.5f, UINT16_MAX);
}

/// The larger of a power and of those of the bands; side by side, as a comparison waits for the one before.
static float loudest_of(float loudest, const float bands[BANDS])
{
    static_assert(BANDS % LANES == 0, "bands are whole rows");
    float lanes[LANES];
    memcpy(lanes, bands, sizeof lanes);
    for (uint32_t b = LANES; b < BANDS; b += LANES)
        for (uint32_t i = 0; i < LANES; i++)
            lanes[i] = bands[b + i] > lanes[i] ? bands[b + i] : lanes[i];
    for (uint32_t i = 0; i < LANES; i++)
        loudest = lanes[i] > loudest ? lanes[i] : loudest;
    return loudest;
}

/// Mean rise of the bands of each part, and of them all (the return value), in nepers of power.
static float measure_rise(struct onset *o, const float *power, float rise[ONSET_CHANGE])
{
    const struct onset_impl *k = o->kernels;
    float bands[BANDS], logs[BANDS], rises[BANDS];
    k->sum_bands(bands, &o->rows, power);
    o->loudest = loudest_of(o->loudest, bands);
    k->take_logs(logs, bands);
    if (o->loudest < FAINTEST_SOUND) {
        memset(rise, 0, ONSET_CHANGE * sizeof(*rise));
        memcpy(o->previous, logs, sizeof(logs));
        return 0.0f;
    }
    k->rise(rises, logs, o->previous,
            logarithm(fmaxf(o->loudest * FLOOR_SHARE, ONSET_LEAST_POWER)));
    for (int part = 0; part < ONSET_CHANGE; part++)
        rise[part] = k->multiply(o->part_weights[part], rises, BANDS);
    const float whole = k->multiply(o->whole_weights, rises, BANDS);
    k->rise(rises, logs, o->previous, logarithm(fmaxf(o->loudest * LOUD_SHARE, ONSET_LEAST_POWER)));
    memcpy(o->previous, logs, sizeof(logs));
    return (whole + LOUD_WEIGHT * k->multiply(o->whole_weights, rises, BANDS)) /
           (1.0f + LOUD_WEIGHT);
}

/// Take the amplitudes of the newest frame into the sums over both spans.
static void sum_spans(struct onset *o, const float *power)
{
    const size_t t = o->frames;
    o->kernels->root(o->recent[t % CHANGE_SPAN], power, o->change_bins);
    const float *const four[CHANGE_SPAN] = {o->recent[0], o->recent[1], o->recent[2], o->recent[3]};
    o->kernels->add(o->fours[t % RECENT_FRAMES], four, CHANGE_SPAN, o->change_bins);
    const float *const twelve[HARMONY_SPAN / CHANGE_SPAN] = {
        o->fours[t % RECENT_FRAMES], o->fours[(t - CHANGE_SPAN) % RECENT_FRAMES],
        o->fours[(t - 2 * (size_t)CHANGE_SPAN) % RECENT_FRAMES]};
    o->kernels->add(o->twelves[t % RECENT_FRAMES], twelve, HARMONY_SPAN / CHANGE_SPAN,
                    o->change_bins);
}

/// How far the shape of the spectrum turned from one sum of frames to another: one minus the cosine of
/// the angle. Loudness does not matter to it, so it hears soft attacks too.
static float turn_between(const struct onset *o, const float *old, const float *young)
{
    const struct onset_angle angle = o->kernels->compare(old, young, o->change_bins);
    const float lengths = sqrtf(angle.before) * sqrtf(angle.after);
    return lengths > 0.0f ? fmaxf(0.0f, 1.0f - angle.across / lengths) : 0.0f;
}

/// Note the change from the `span` frames before to the last ones, which is known once span - 1 frames have
/// followed it.
static void push_change(struct onset *o, enum onset_part part, size_t span,
                        float sums[RECENT_FRAMES][ONSET_SPAN_BINS])
{
    const size_t t = o->frames;
    o->parts[part][t] = 0;
    if (t >= 2 * span)
        o->parts[part][t - (span - 1)] =
            stored(turn_between(o, sums[(t - span) % RECENT_FRAMES], sums[t % RECENT_FRAMES]));
}

static float measure_weight(struct onset *o, const float *power)
{
    float sum = 0.0f;
    for (uint32_t k = 2; k < o->weight_end_bin; k++) // below lie the window's lobes around 0 Hz
        sum += power[k];
    const float weight = sqrtf(sum), growth = weight - o->previous_weight;
    o->previous_weight = weight;
    o->heaviest = fmaxf(o->heaviest, weight);
    return growth > 0.0f ? growth / o->heaviest : 0.0f;
}

void onset_push(struct onset *o, const float *power)
{
    assert(power);
    float rise[ONSET_CHANGE];
    const float whole = measure_rise(o, power, rise);
    o->strength[place_of_frame(o)] = stored(whole);
    if (o->frames < ONSET_PART_FRAMES) {
        for (int part = 0; part < ONSET_CHANGE; part++)
            o->parts[part][o->frames] = stored(rise[part]);
        sum_spans(o, power + o->first_bin);
        push_change(o, ONSET_CHANGE, CHANGE_SPAN, o->fours);
        push_change(o, ONSET_HARMONY, HARMONY_SPAN, o->twelves);
        o->parts[ONSET_WEIGHT][o->frames] = stored(measure_weight(o, power));
    }
    o->frames++;
}

size_t onset_frames(const struct onset *onset)
{
    return onset->frames < onset->kept_most ? onset->frames : onset->kept_most;
}

struct onset_stretch onset_late_stretch(const struct onset *o)
{
    if (o->frames <= o->kept_most)
        return (struct onset_stretch){0};
    const size_t late = o->frames - o->kept_most;
    return (struct onset_stretch){.strength = o->strength + o->kept_most,
                                  .frames = (late - 1) % ONSET_LATE_FRAMES + 1};
}

const uint16_t *onset_strength(const struct onset *onset)
{
    return onset->strength;
}

const uint16_t *onset_part_strength(const struct onset *onset, enum onset_part part)
{
    assert(part < ONSET_PARTS);
    return onset->parts[part];
}
