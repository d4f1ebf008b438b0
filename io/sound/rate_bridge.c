// SPDX-License-Identifier: MIT
// A windowed sinc in as many phases as the rates' ratio has. Kaiser's window: J. F. Kaiser, Nonrecursive digital filter
// design using the I0-sinh window function, 1974.
#include "io/sound/rate_bridge.h"
#include "dsp/pcm.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CROSSINGS = 64,        // of the sinc on each side, at the lower rate
    PART_FRAMES = 1024,    // read at a time
    MOST_VALUES = 1 << 20, // of all filters
};
static const double window_beta = 10.06; // for 100 dB
static const double cutoff = 0.95;       // of the lower rate's half, in the middle of the slope
static const double pi = 3.14159265358979323846;

struct rate_bridge {
    // --- immutable after create
    rate_bridge_read_fn read;
    void *user;
    uint32_t channels, from, to; // the rates without their common divisor
    uint32_t reach, taps;        // frames before and from the place of one, and both
    float *phases;               // `to` filters of `taps`
    // --- the place
    uint64_t at; // the next frame, at the new rate
    // Frames at the old rate: [start, start + count), of which one may be before the first.
    float *frames;
    int64_t start;
    uint32_t count;
    uint64_t end; // behind the last there is, once it is met
    bool has_ended;
};

// --- The filter ----------------------------------------------------------------------------------

static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-17 * sum; ++k) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

/// The filter at `t` frames of the old rate from its middle, of `reach`.
static double response(double t, double reach, double width)
{
    const double u = t / reach, x = pi * t * width;
    if (fabs(u) >= 1)
        return 0;
    const double sinc = fabs(x) < 1e-12 ? 1 : sin(x) / x;
    return sinc * bessel_i0(window_beta * sqrt(1 - u * u));
}

/// The filters' i-th value for a place `p` / `to` behind a frame.
static double value_of(const struct rate_bridge *b, uint32_t p, uint32_t i)
{
    const double lower = b->to < b->from ? (double)b->to / b->from : 1;
    const double t = (double)i - (b->reach - 1) - (double)p / b->to;
    return response(t, b->reach, cutoff * lower);
}

static void fill_phases(struct rate_bridge *b)
{
    for (uint32_t p = 0; p < b->to; ++p) {
        float *phase = b->phases + (size_t)p * b->taps;
        double sum = 0;
        for (uint32_t i = 0; i < b->taps; ++i) {
            phase[i] = (float)value_of(b, p, i);
            sum += phase[i];
        }
        for (uint32_t i = 0; i < b->taps; ++i)
            phase[i] = (float)(phase[i] / sum); // so that a constant stays one
    }
}

static uint32_t divisor(uint32_t a, uint32_t b)
{
    return b ? divisor(b, a % b) : a;
}

static uint32_t reach_of(uint32_t from, uint32_t to)
{
    return from > to ? (uint32_t)((uint64_t)CROSSINGS * from / to) + 1 : CROSSINGS;
}

bool rate_bridge_can(uint32_t from_hz, uint32_t to_hz)
{
    const uint32_t to = to_hz / divisor(from_hz, to_hz);
    return (uint64_t)to * 2 * reach_of(from_hz, to_hz) <= MOST_VALUES;
}

int rate_bridge_create(struct rate_bridge **out, uint32_t from_hz, uint32_t to_hz,
                       uint32_t channels, rate_bridge_read_fn read, void *user)
{
    assert(from_hz > 0 && to_hz > 0 && channels > 0 && channels <= PCM_MAX_CHANNELS);
    struct rate_bridge *b = *out = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    const uint32_t common = divisor(from_hz, to_hz);
    b->read = read;
    b->user = user;
    b->channels = channels;
    b->from = from_hz / common;
    b->to = to_hz / common;
    b->reach = reach_of(b->from, b->to);
    b->taps = 2 * b->reach;
    b->phases = calloc((size_t)b->to * b->taps, sizeof *b->phases);
    b->frames = calloc((size_t)(b->taps + PART_FRAMES) * channels, sizeof *b->frames);
    if (!b->phases || !b->frames) {
        rate_bridge_destroy(out);
        return -ENOMEM;
    }
    fill_phases(b);
    (void)rate_bridge_seek(b, 0);
    return 0;
}

void rate_bridge_destroy(struct rate_bridge **bridge)
{
    struct rate_bridge *b = *bridge;
    *bridge = NULL;
    if (!b)
        return;
    free(b->phases);
    free(b->frames);
    free(b);
}

// --- Reading -------------------------------------------------------------------------------------

/// The first frame at the old rate that the next one is made of; negative: it is silence before the begin.
static int64_t first_needed(const struct rate_bridge *b)
{
    return (int64_t)(b->at * b->from / b->to) - (b->reach - 1);
}

uint64_t rate_bridge_seek(struct rate_bridge *b, uint64_t frame)
{
    b->at = frame;
    b->has_ended = false;
    b->start = first_needed(b);
    b->count = b->start < 0 ? (uint32_t)-b->start : 0;
    memset(b->frames, 0, (size_t)b->count * b->channels * sizeof *b->frames);
    return b->start < 0 ? 0 : (uint64_t)b->start;
}

/// Drop what is not needed any more, and read on; silence behind the end.
static void fill(struct rate_bridge *b)
{
    const size_t frame_bytes = b->channels * sizeof *b->frames;
    const uint32_t passed = (uint32_t)(first_needed(b) - b->start);
    memmove(b->frames, b->frames + (size_t)passed * b->channels, (b->count - passed) * frame_bytes);
    b->start += passed;
    b->count -= passed;
    float *to = b->frames + (size_t)b->count * b->channels;
    const uint32_t n = b->has_ended ? 0 : b->read(b->user, to, PART_FRAMES);
    if (!b->has_ended && n < PART_FRAMES) {
        b->has_ended = true;
        b->end = (uint64_t)b->start + b->count + n;
    }
    memset(to + (size_t)n * b->channels, 0, (PART_FRAMES - n) * frame_bytes);
    b->count += PART_FRAMES;
}

static void make_frame(const struct rate_bridge *b, float *to)
{
    const float *phase = b->phases + b->at * b->from % b->to * b->taps;
    const float *from = b->frames + (size_t)(first_needed(b) - b->start) * b->channels;
    float sums[PCM_MAX_CHANNELS] = {0};
    for (uint32_t i = 0; i < b->taps; ++i)
        for (uint32_t c = 0; c < b->channels; ++c)
            sums[c] += phase[i] * *from++;
    memcpy(to, sums, b->channels * sizeof *to);
}

uint32_t rate_bridge_read(struct rate_bridge *b, float *interleaved, uint32_t frames)
{
    for (uint32_t done = 0; done < frames; ++done) {
        while (first_needed(b) + b->taps > b->start + b->count)
            fill(b);
        if (b->has_ended && b->at >= (b->end * b->to + b->from / 2) / b->from)
            return done;
        make_frame(b, interleaved + (size_t)done * b->channels);
        b->at++;
    }
    return frames;
}
