// SPDX-License-Identifier: MIT
#include "dsp/spectrum/shape_medians.h"
#include "dsp/aligned.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CENTROID, ROLLOFF, FLATNESS, FIGURES, VALUES = 1 << 16 };
enum { STEPS_PER_OCTAVE = 256 };

struct shape_figures {
    uint16_t level;
    uint16_t figures[FIGURES];
};

// The largest value of each figure, as 65535.
static const double WHOLE[FIGURES] = {20000.0, 20000.0, 1.0};
static const int GATE_STEPS = 3402; // 1e-4 of power is 13.288 octaves

int shape_medians_init(struct shape_medians *medians)
{
    *medians = (struct shape_medians){.stride = 1, .draw = 1};
    medians->kept = aligned_zeroed(SHAPE_MEDIANS_MAX_FRAMES * sizeof *medians->kept);
    medians->counts = aligned_zeroed((size_t)FIGURES * VALUES * sizeof *medians->counts);
    return medians->kept && medians->counts ? 0 : -ENOMEM;
}

void shape_medians_deinit(struct shape_medians *medians)
{
    free(medians->kept);
    free(medians->counts);
    medians->kept = NULL;
    medians->counts = NULL;
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

static void count_frame(struct shape_medians *m, const struct shape_figures *frame)
{
    for (uint32_t figure = 0; figure < FIGURES; ++figure)
        ++m->counts[figure * VALUES + frame->figures[figure]];
    ++m->counted;
}

// Count every kept frame; the list may be thinned then.
static void start_counts(struct shape_medians *m)
{
    memset(m->counts, 0, (size_t)FIGURES * VALUES * sizeof *m->counts);
    m->counted = 0;
    m->is_counting = 1;
    for (uint32_t i = 0; i < m->count; ++i)
        count_frame(m, &m->kept[i]);
}

// Counts cannot forget frames that fell under the gate: where more than one in a thousand did, they go.
static void drop_silent(struct shape_medians *m)
{
    const uint32_t before = m->count;
    uint32_t left = 0;
    for (uint32_t i = 0; i < before; ++i)
        if (m->kept[i].level >= m->loudest - GATE_STEPS)
            m->kept[left++] = m->kept[i];
    m->count = left;
    if (before - left > before / 1000)
        m->is_counting = 0;
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

// The list is full: silent frames leave first. If that frees too little, all are counted from here on,
// and one of every two neighbours goes, by lot.
static void thin(struct shape_medians *m)
{
    drop_silent(m);
    if (m->count <= SHAPE_MEDIANS_MAX_FRAMES / 2)
        return;
    if (m->stride == 1 && !m->is_counting)
        start_counts(m);
    m->count /= 2;
    for (uint32_t i = 0; i < m->count; ++i)
        m->kept[i] = m->kept[2 * i + draw(m) % 2];
    set_stride(m, 2 * m->stride);
}

static uint16_t quantize(double value, uint32_t figure)
{
    return (uint16_t)lround(fmin(1.0, value / WHOLE[figure]) * (VALUES - 1));
}

void shape_medians_push(struct shape_medians *m, double power, const struct spectral_shape *shape)
{
    assert(power > 0 && m->stride > 0);
    const int level = level_of(power);
    if (level > m->loudest + GATE_STEPS) { // all before it was silent
        m->count = 0;
        set_stride(m, 1);
        m->is_counting = 0;
    }
    m->loudest = level > m->loudest ? level : m->loudest;
    if (level < m->loudest - GATE_STEPS)
        return;
    const struct shape_figures frame = {
        .level = (uint16_t)level,
        .figures = {[CENTROID] = quantize(shape->centroid_hz, CENTROID),
                    [ROLLOFF] = quantize(shape->rolloff_hz, ROLLOFF),
                    [FLATNESS] = quantize(shape->flatness, FLATNESS)},
    };
    if (m->count == SHAPE_MEDIANS_MAX_FRAMES)
        thin(m);
    if (m->is_counting)
        count_frame(m, &frame);
    if (is_drawn(m))
        m->kept[m->count++] = frame;
}

static double median_of(const struct shape_medians *m, uint32_t figure)
{
    const uint32_t *counts = m->counts + (size_t)figure * VALUES;
    double middle = 0;
    for (uint64_t i = 0; i < 2; ++i) {
        const uint64_t rank = (m->counted - 1 + i) / 2;
        uint32_t value = 0;
        for (uint64_t below = counts[0]; below <= rank; below += counts[value])
            ++value;
        middle += 0.5 * value;
    }
    return middle / (VALUES - 1) * WHOLE[figure];
}

void shape_medians_finish(struct shape_medians *m, struct spectral_shape *out)
{
    *out = (struct spectral_shape){0};
    drop_silent(m);
    if (m->count == 0)
        return;
    if (!m->is_counting)
        start_counts(m);
    out->centroid_hz = median_of(m, CENTROID);
    out->rolloff_hz = median_of(m, ROLLOFF);
    out->flatness = median_of(m, FLATNESS);
}
