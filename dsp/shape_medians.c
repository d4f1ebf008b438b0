// SPDX-License-Identifier: MIT
#include "dsp/shape_medians.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CENTROID, ROLLOFF, FLATNESS, FIGURES, VALUES = 1 << 16 };
enum { FIRST_FRAMES = 1024, STEPS_PER_OCTAVE = 256 };

struct shape_figures {
    uint16_t level;
    uint16_t figures[FIGURES];
};

// The largest value of each figure, as 65535.
static const double WHOLE[FIGURES] = {20000.0, 20000.0, 1.0};
static const int GATE_STEPS = 3402; // 1e-4 of power is 13.288 octaves

void shape_medians_init(struct shape_medians *medians)
{
    *medians = (struct shape_medians){.stride = 1, .draw = 1};
}

void shape_medians_deinit(struct shape_medians *medians)
{
    free(medians->kept);
    medians->kept = NULL;
}

static int level_of(double power)
{
    const double level = STEPS_PER_OCTAVE * (log2(power) + 128.0);
    return (int)fmin(VALUES - 1, fmax(0.0, level));
}

// Xorshift: the same draw on every run.
static uint32_t draw(struct shape_medians *m)
{
    m->draw ^= m->draw << 13;
    m->draw ^= m->draw >> 17;
    m->draw ^= m->draw << 5;
    return m->draw >> 8;
}

static void drop_silent(struct shape_medians *m)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < m->count; ++i)
        if (m->kept[i].level >= m->loudest - GATE_STEPS)
            m->kept[left++] = m->kept[i];
    m->count = left;
}

// One frame of every `stride` is kept, at a drawn place: no rhythm of the music can meet that.
static int is_drawn(struct shape_medians *m)
{
    if (m->place == 0)
        m->drawn_place = draw(m) % m->stride;
    const int drawn = m->place == m->drawn_place;
    m->place = (m->place + 1) % m->stride;
    return drawn;
}

static void set_stride(struct shape_medians *m, uint32_t stride)
{
    m->stride = stride;
    m->place = 0;
}

// The list is full: silent frames leave first. If that frees too little, one of every two neighbours
// goes, by lot.
static void thin(struct shape_medians *m)
{
    drop_silent(m);
    if (m->count <= SHAPE_MEDIANS_MAX_FRAMES / 2)
        return;
    m->count /= 2;
    for (uint32_t i = 0; i < m->count; ++i)
        m->kept[i] = m->kept[2 * i + draw(m) % 2];
    set_stride(m, 2 * m->stride);
}

static int make_room(struct shape_medians *m)
{
    if (m->count < m->capacity)
        return 0;
    if (m->capacity == SHAPE_MEDIANS_MAX_FRAMES) {
        thin(m);
        return 0;
    }
    const uint32_t wanted = m->capacity + m->capacity / 2 + FIRST_FRAMES;
    const uint32_t capacity = wanted < SHAPE_MEDIANS_MAX_FRAMES ? wanted : SHAPE_MEDIANS_MAX_FRAMES;
    struct shape_figures *grown = realloc(m->kept, capacity * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    m->kept = grown;
    m->capacity = capacity;
    return 0;
}

static uint16_t quantize(double value, uint32_t figure)
{
    return (uint16_t)lround(fmin(1.0, value / WHOLE[figure]) * (VALUES - 1));
}

int shape_medians_push(struct shape_medians *m, double power, const struct spectral_shape *shape)
{
    assert(power > 0 && m->stride > 0);
    const int level = level_of(power);
    if (level > m->loudest + GATE_STEPS) { // all before it was silent
        m->count = 0;
        set_stride(m, 1);
    }
    m->loudest = level > m->loudest ? level : m->loudest;
    if (level < m->loudest - GATE_STEPS || !is_drawn(m))
        return 0;
    const int error = make_room(m);
    if (error)
        return error;
    m->kept[m->count++] = (struct shape_figures){
        .level = (uint16_t)level,
        .figures = {[CENTROID] = quantize(shape->centroid_hz, CENTROID),
                    [ROLLOFF] = quantize(shape->rolloff_hz, ROLLOFF),
                    [FLATNESS] = quantize(shape->flatness, FLATNESS)},
    };
    return 0;
}

// Median of one figure over the kept frames; `counts` is room for every value.
static double median_of(const struct shape_medians *m, uint32_t figure, uint32_t counts[VALUES])
{
    memset(counts, 0, VALUES * sizeof *counts);
    for (uint32_t i = 0; i < m->count; ++i)
        ++counts[m->kept[i].figures[figure]];
    double middle = 0;
    for (uint32_t i = 0; i < 2; ++i) {
        const uint32_t rank = (m->count - 1 + i) / 2;
        uint32_t value = 0;
        for (uint32_t below = counts[0]; below <= rank; below += counts[value])
            ++value;
        middle += 0.5 * value;
    }
    return middle / (VALUES - 1) * WHOLE[figure];
}

int shape_medians_finish(struct shape_medians *m, struct spectral_shape *out)
{
    *out = (struct spectral_shape){0};
    drop_silent(m);
    if (m->count == 0)
        return 0;
    uint32_t *counts = malloc(VALUES * sizeof *counts);
    if (!counts)
        return -ENOMEM;
    out->centroid_hz = median_of(m, CENTROID, counts);
    out->rolloff_hz = median_of(m, ROLLOFF, counts);
    out->flatness = median_of(m, FLATNESS, counts);
    free(counts);
    return 0;
}
