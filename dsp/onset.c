// SPDX-License-Identifier: MIT
#include "dsp/onset.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BANDS = 72,
    FIRST_FRAMES = 1024,
    // Frames on either side of a change of pitch, and of one of harmony.
    CHANGE_SPAN = 4,
    HARMONY_SPAN = 12,
    RECENT_FRAMES = 2 * HARMONY_SPAN,
    CHANGE_BINS_MAX = 256,
};
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

struct onset {
    // --- fixed after create: bin k gives 1 - upper_share[k] to band[k], the rest to the band above
    uint32_t first_bin, end_bin;
    uint8_t band[ONSET_BINS];
    float upper_share[ONSET_BINS];
    uint32_t part_begin[ONSET_CHANGE + 1]; // bands
    uint32_t change_bins, weight_end_bin;
    // --- of the frames before
    float previous[BANDS]; // band powers
    float recent[RECENT_FRAMES][CHANGE_BINS_MAX];
    float previous_weight; // amplitude
    // --- of the track so far
    float loudest;  // band power
    float heaviest; // amplitude
    size_t frames, capacity, part_capacity;
    uint16_t *strength;
    uint16_t *parts[ONSET_PARTS];
};

static double mel_of_hz(double hz)
{
    return 2595.0 * log10(1.0 + hz / 700.0);
}

/// Triangular bands, equally far apart in mel.
static void lay_out_bands(struct onset *o, double rate_hz)
{
    const double bin_hz = rate_hz / (2.0 * (ONSET_BINS - 1));
    const double lowest_mel = mel_of_hz(LOWEST_HZ);
    const double top_hz = fmin(HIGHEST_HZ, rate_hz / 2.0);
    const double step_mel = (mel_of_hz(top_hz) - lowest_mel) / (BANDS - 1);

    o->first_bin = (uint32_t)ceil(LOWEST_HZ / bin_hz);
    o->end_bin = (uint32_t)fmin(ceil(top_hz / bin_hz), ONSET_BINS);
    for (uint32_t k = o->first_bin; k < o->end_bin; k++) {
        const double place = (mel_of_hz(k * bin_hz) - lowest_mel) / step_mel;
        o->band[k] = (uint8_t)fmin(place, BANDS - 2);
        o->upper_share[k] = (float)fmin(place - o->band[k], 1.0);
    }
    for (uint32_t b = 0; b < BANDS; b++) {
        const double mel = lowest_mel + b * step_mel;
        o->part_begin[ONSET_MIDDLE] += mel < mel_of_hz(LOW_TOP_HZ);
        o->part_begin[ONSET_HIGH] += mel < mel_of_hz(HIGH_FROM_HZ);
    }
    o->part_begin[ONSET_CHANGE] = BANDS;
    o->change_bins = (uint32_t)fmin(CHANGE_TOP_HZ / bin_hz, CHANGE_BINS_MAX);
    o->weight_end_bin = (uint32_t)fmin(ceil(WEIGHT_TOP_HZ / bin_hz), ONSET_BINS);
}

int onset_create(struct onset **out, double rate_hz)
{
    assert(rate_hz > 0.0);
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return -ENOMEM;
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

static int grow(uint16_t **list, size_t count)
{
    uint16_t *longer = realloc(*list, count * sizeof(*longer));
    if (!longer)
        return -ENOMEM;
    *list = longer;
    return 0;
}

static int make_room(struct onset *o)
{
    if (o->frames == o->capacity) {
        // In small steps: ten hours of audio may come, and what is set aside for more counts too.
        const size_t capacity = o->capacity + o->capacity / 16 + FIRST_FRAMES;
        if (grow(&o->strength, capacity))
            return -ENOMEM;
        o->capacity = capacity;
    }
    if (o->frames == o->part_capacity && o->frames < ONSET_PART_FRAMES) {
        const size_t capacity = o->part_capacity ? 2 * o->part_capacity : FIRST_FRAMES;
        for (int part = 0; part < ONSET_PARTS; part++)
            if (grow(&o->parts[part], capacity))
                return -ENOMEM;
        o->part_capacity = capacity;
    }
    return 0;
}

static uint16_t stored(float strength)
{
    return (uint16_t)fminf(strength * ONSET_SCALE + 0.5f, UINT16_MAX);
}

static void sum_bands(const struct onset *o, const float *power, float bands[BANDS])
{
    memset(bands, 0, BANDS * sizeof(*bands));
    // Bands only rise with the bins, so the two under way stay in registers.
    uint32_t band = o->band[o->first_bin];
    float here = 0.0f, above = 0.0f;
    for (uint32_t k = o->first_bin; k < o->end_bin; k++) {
        for (; band < o->band[k]; band++) {
            bands[band] = here;
            here = above;
            above = 0.0f;
        }
        const float upper = power[k] * o->upper_share[k];
        here += power[k] - upper;
        above += upper;
    }
    bands[band] = here;
    bands[band + 1] = above;
}

/// Nepers by which a band rose, counted from `floor_power` up.
static float rise_above(float now, float before, float floor_power)
{
    const float from = fmaxf(before, floor_power);
    return now > from ? logf(now / from) : 0.0f;
}

/// Mean rise of the bands of each part, and of them all (the return value), in nepers of power.
static float measure_rise(struct onset *o, const float bands[BANDS], float rise[ONSET_CHANGE])
{
    for (int b = 0; b < BANDS; b++)
        o->loudest = fmaxf(o->loudest, bands[b]);
    const float floor_power = o->loudest * FLOOR_SHARE;
    const float loud_power = o->loudest * LOUD_SHARE;
    float whole = 0.0f, loud = 0.0f;
    for (int part = 0; part < ONSET_CHANGE; part++) {
        const uint32_t begin = o->part_begin[part], end = o->part_begin[part + 1];
        float sum = 0.0f;
        for (uint32_t b = begin; b < end; b++) {
            sum += rise_above(bands[b], o->previous[b], floor_power);
            loud += rise_above(bands[b], o->previous[b], loud_power);
        }
        whole += sum;
        rise[part] = end > begin ? sum / (float)(end - begin) : 0.0f;
    }
    memcpy(o->previous, bands, sizeof(o->previous));
    return (whole + LOUD_WEIGHT * loud) / ((1.0f + LOUD_WEIGHT) * BANDS);
}

/// How far the shape of the spectrum turned between the last `span` frames and as many before: one
/// minus the cosine of the angle. Loudness does not matter to it, so it hears soft attacks too.
static float measure_change(const struct onset *o, size_t span)
{
    float young[CHANGE_BINS_MAX] = {0.0f}, old[CHANGE_BINS_MAX] = {0.0f};
    for (size_t i = 0; i < span; i++) {
        const float *newer = o->recent[(o->frames - i) % RECENT_FRAMES];
        const float *older = o->recent[(o->frames - span - i) % RECENT_FRAMES];
        for (uint32_t k = 0; k < o->change_bins; k++) {
            young[k] += newer[k];
            old[k] += older[k];
        }
    }
    float across = 0.0f, before = 0.0f, after = 0.0f;
    for (uint32_t k = 0; k < o->change_bins; k++) {
        across += young[k] * old[k];
        before += old[k] * old[k];
        after += young[k] * young[k];
    }
    const float lengths = sqrtf(before) * sqrtf(after);
    return lengths > 0.0f ? fmaxf(0.0f, 1.0f - across / lengths) : 0.0f;
}

/// A change is known once span - 1 frames have followed it.
static void push_change(struct onset *o, enum onset_part part, size_t span)
{
    o->parts[part][o->frames] = 0;
    if (o->frames >= 2 * span)
        o->parts[part][o->frames - (span - 1)] = stored(measure_change(o, span));
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

int onset_push(struct onset *o, const float *power)
{
    assert(power);
    if (make_room(o))
        return -ENOMEM;
    float bands[BANDS], rise[ONSET_CHANGE];
    sum_bands(o, power, bands);
    const float whole = measure_rise(o, bands, rise);
    o->strength[o->frames] = stored(whole);
    if (o->frames < ONSET_PART_FRAMES) {
        for (int part = 0; part < ONSET_CHANGE; part++)
            o->parts[part][o->frames] = stored(rise[part]);
        float *newest = o->recent[o->frames % RECENT_FRAMES];
        for (uint32_t k = 0; k < o->change_bins; k++)
            newest[k] = sqrtf(power[k + o->first_bin]);
        push_change(o, ONSET_CHANGE, CHANGE_SPAN);
        push_change(o, ONSET_HARMONY, HARMONY_SPAN);
        o->parts[ONSET_WEIGHT][o->frames] = stored(measure_weight(o, power));
    }
    o->frames++;
    return 0;
}

size_t onset_frames(const struct onset *onset)
{
    return onset->frames;
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
