// SPDX-License-Identifier: MIT
#include "engine/render/resampler.h"
#include "engine/render/track_stream.h"
#include <assert.h>
#include <errno.h>
#include <soxr.h>
#include <stdlib.h>
#include <string.h>

struct resampler {
    soxr_t soxr;
    uint32_t rate_in_hz, rate_out_hz;
    uint64_t taken_frames, given_frames;
};

int resampler_create(struct resampler **out, uint32_t rate_in_hz, uint32_t rate_out_hz)
{
    *out = NULL;
    struct resampler *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->rate_in_hz = rate_in_hz;
    r->rate_out_hz = rate_out_hz;
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1); // threads
    soxr_error_t error = NULL;
    r->soxr = soxr_create(rate_in_hz, rate_out_hz, 2, &error, &io, &quality, &runtime);
    if (error || !r->soxr) {
        resampler_destroy(&r);
        return -ENOMEM;
    }
    *out = r;
    return 0;
}

void resampler_destroy(struct resampler **resampler)
{
    if (!*resampler)
        return;
    soxr_delete((*resampler)->soxr);
    free(*resampler);
    *resampler = NULL;
}

// The converter rounds the length of its output as it likes; here it is made what the contract says.
static uint32_t fit_length(struct resampler *r, float *out, uint32_t made, uint32_t room)
{
    const uint64_t whole = track_stream_scale(r->taken_frames, r->rate_in_hz, r->rate_out_hz);
    const uint64_t left = whole > r->given_frames ? whole - r->given_frames : 0;
    if (made > left)
        return (uint32_t)left;
    const uint64_t missing = left - made;
    const uint32_t pad = missing < room - made ? (uint32_t)missing : room - made;
    memset(out + 2 * made, 0, (size_t)pad * 2 * sizeof(float));
    return made + pad;
}

int64_t resampler_process(struct resampler *r, const float *in, uint32_t frames_in, uint32_t *used,
                          float *out, uint32_t frames_out)
{
    size_t taken = 0, made = 0;
    const int at_end = frames_in == 0;
    if (soxr_process(r->soxr, at_end ? NULL : in, frames_in, &taken, out, frames_out, &made))
        return -EIO;
    r->taken_frames += taken;
    *used = (uint32_t)taken;
    uint32_t given = (uint32_t)made;
    if (at_end && made < frames_out)
        given = fit_length(r, out, given, frames_out);
    else if (at_end)
        given = fit_length(r, out, given, given);
    r->given_frames += given;
    return given;
}
