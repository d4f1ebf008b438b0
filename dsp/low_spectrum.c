// SPDX-License-Identifier: MIT
#include "dsp/low_spectrum.h"
#include "dsp/fft.h"
#include "dsp/hann.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = LOW_SPECTRUM_SIZE, HOP = LOW_SPECTRUM_HOP, LINE = SIZE + HOP };

struct low_spectrum {
    low_frame_fn on_frame;
    void *context;
    struct fft *fft;
    float window[SIZE];
    float line[LINE]; // the next two frames
    uint32_t fill;
    uint64_t samples, frames; // taken and given
    float power[2][LOW_SPECTRUM_BINS];
};

int low_spectrum_create(struct low_spectrum **out, low_frame_fn on_frame, void *context)
{
    *out = NULL;
    struct low_spectrum *s = calloc(1, sizeof *s);
    if (!s || fft_create(&s->fft, SIZE)) {
        free(s);
        return -ENOMEM;
    }
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
    float *in = fft_input(s->fft);
    for (uint32_t i = 0; i < SIZE; ++i) {
        in[2 * i] = s->line[i] * s->window[i];
        in[2 * i + 1] = s->line[i + HOP] * s->window[i];
    }
    const float *z = fft_forward(s->fft);
    for (uint32_t k = 0; k < LOW_SPECTRUM_BINS; ++k) {
        const float *a = z + 2 * (size_t)k, *b = z + 2 * (size_t)((SIZE - k) % SIZE);
        const float xr = a[0] + b[0], xi = a[1] - b[1];
        const float yr = a[1] + b[1], yi = b[0] - a[0];
        s->power[0][k] = 0.25F * (xr * xr + xi * xi);
        s->power[1][k] = 0.25F * (yr * yr + yi * yi);
    }
}

static double mean_square(const float *samples)
{
    double sum = 0;
    for (uint32_t i = 0; i < SIZE; ++i)
        sum += (double)samples[i] * (double)samples[i];
    return sum / SIZE;
}

// Hand out `count` (1 or 2) frames of a full line and move on.
static int give_frames(struct low_spectrum *s, uint32_t count)
{
    transform_pair(s);
    for (uint32_t i = 0; i < count; ++i) {
        const struct low_frame frame = {s->power[i], mean_square(s->line + (size_t)i * HOP)};
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
