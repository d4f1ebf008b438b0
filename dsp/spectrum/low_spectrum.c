// SPDX-License-Identifier: MIT
#include "dsp/spectrum/low_spectrum.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/fft.h"
#include "dsp/spectrum/hann.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZE = LOW_SPECTRUM_SIZE,
    HOP = LOW_SPECTRUM_HOP,
    LINE = SIZE + HOP,
    HOPS = LINE / HOP,
    ROW = LOW_SPECTRUM_BINS / 16 * 16 + 16
};

struct low_spectrum {
    low_frame_fn on_frame;
    void *context;
    const struct spectrum_impl *kernels;
    struct fft *fft;
    alignas(ALIGNED_BYTES) float window[SIZE];
    alignas(ALIGNED_BYTES) float line[LINE]; // the next two frames
    uint32_t fill;
    uint64_t samples, frames; // taken and given
    double hop_squares[HOPS]; // sums over the line's hops
    // --- a frame's power at the start of each, in whole cache lines
    alignas(ALIGNED_BYTES) float power[2][ROW];
};

int low_spectrum_create(struct low_spectrum **out, low_frame_fn on_frame, void *context)
{
    *out = NULL;
    struct low_spectrum *s = aligned_zeroed(sizeof *s);
    if (!s || fft_create(&s->fft, SIZE)) {
        free(s);
        return -ENOMEM;
    }
    s->kernels = spectrum_select(cpu_flags());
    s->on_frame = on_frame;
    s->context = context;
    s->fill = SIZE / 2; // zeros before the first sample
    hann_fill(s->window, SIZE);
    *out = s;
    return 0;
}

void low_spectrum_destroy(struct low_spectrum **spectrum)
{
    if (*spectrum)
        fft_destroy(&(*spectrum)->fft);
    free(*spectrum);
    *spectrum = NULL;
}

// Two frames in one complex transform: z = x + iy gives X = (Z[k] + conj Z[-k]) / 2 and
// Y = (Z[k] - conj Z[-k]) / 2i.
static void transform_pair(struct low_spectrum *s)
{
    const float *first = s->line, *second = s->line + HOP;
    const struct fft_pair frames = {
        .first = {first, first + SIZE / 2},
        .second = {second, second + SIZE / 2},
        .window = s->window,
    };
    s->kernels->pair_power(s->power[0], s->power[1], fft_forward_pair(s->fft, &frames), SIZE);
}

// Neighbouring frames share hops, so each hop of the line is squared but once.
static void square_hops(struct low_spectrum *s)
{
    memmove(s->hop_squares, s->hop_squares + 2, (HOPS - 2) * sizeof *s->hop_squares);
    for (uint32_t h = s->frames ? HOPS - 2 : 0; h < HOPS; ++h)
        s->hop_squares[h] = s->kernels->square_sum(s->line + (size_t)h * HOP, HOP);
}

static double mean_square(const double hop_squares[SIZE / HOP])
{
    double sum = 0;
    for (uint32_t h = 0; h < SIZE / HOP; ++h)
        sum += hop_squares[h];
    return sum / SIZE;
}

// Hand out `count` (1 or 2) frames of a full line and move on.
static int give_frames(struct low_spectrum *s, uint32_t count)
{
    transform_pair(s);
    square_hops(s);
    for (uint32_t i = 0; i < count; ++i) {
        const struct low_frame frame = {s->power[i], mean_square(s->hop_squares + i)};
        const int error = s->on_frame(s->context, &frame);
        if (error)
            return error;
    }
    s->frames += count;
    memmove(s->line, s->line + 2 * HOP, (LINE - 2 * HOP) * sizeof(float));
    s->fill = LINE - 2 * HOP;
    return 0;
}

int low_spectrum_feed(struct low_spectrum *s, const float *mono, uint32_t count)
{
    s->samples += count;
    while (count > 0) {
        const uint32_t part = LINE - s->fill < count ? LINE - s->fill : count;
        memcpy(s->line + s->fill, mono, part * sizeof(float));
        s->fill += part;
        mono += part;
        count -= part;
        if (s->fill == LINE) {
            const int error = give_frames(s, 2);
            if (error)
                return error;
        }
    }
    return 0;
}

int low_spectrum_finish(struct low_spectrum *s)
{
    const uint64_t due = 1 + s->samples / HOP;
    while (s->frames < due) {
        memset(s->line + s->fill, 0, (LINE - s->fill) * sizeof(float));
        const int error = give_frames(s, due - s->frames > 1 ? 2 : 1);
        if (error)
            return error;
    }
    return 0;
}
