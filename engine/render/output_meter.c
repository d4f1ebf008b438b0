// SPDX-License-Identifier: MIT
#include "engine/render/output_meter.h"
#include "dsp/level/loudness_meter.h"
#include "dsp/level/true_peak.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct output_meter {
    struct loudness_meter *loudness;
    struct true_peak peak[2]; // left, right
};

int output_meter_create(struct output_meter **out, uint32_t rate_hz)
{
    *out = NULL;
    struct output_meter *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    const int error = loudness_meter_create(
        &m->loudness, &(struct pcm_format){.rate_hz = rate_hz, .channels = 2});
    if (error) {
        free(m);
        return error;
    }
    true_peak_init(&m->peak[0], rate_hz);
    true_peak_init(&m->peak[1], rate_hz);
    *out = m;
    return 0;
}

void output_meter_destroy(struct output_meter **meter)
{
    if (!*meter)
        return;
    loudness_meter_destroy(&(*meter)->loudness);
    free(*meter);
    *meter = NULL;
}

int output_meter_feed(struct output_meter *m, const float *stereo, uint32_t frames)
{
    true_peak_feed(&m->peak[0], stereo, 2, frames);
    true_peak_feed(&m->peak[1], stereo + 1, 2, frames);
    return loudness_meter_feed(m->loudness, stereo, frames);
}

double output_meter_lufs(const struct output_meter *m)
{
    return loudness_meter_integrated_lufs(m->loudness);
}

double output_meter_dbtp(struct output_meter *m)
{
    const float left = true_peak_finish(&m->peak[0]), right = true_peak_finish(&m->peak[1]);
    return 20.0 * log10(fmax(left, right));
}

uint32_t output_meter_short_term_count(const struct output_meter *m)
{
    return loudness_list_short_term_count(loudness_meter_list(m->loudness));
}

void output_meter_short_term_fill(const struct output_meter *m, float *out_lufs)
{
    loudness_list_short_term_fill(loudness_meter_list(m->loudness), out_lufs);
}
