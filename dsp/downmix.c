// SPDX-License-Identifier: MIT
#include "dsp/downmix.h"
#include "dsp/pcm.h"
#include <assert.h>
#include <string.h>

// Gains into the left side, by channel count and channel; the right side has the mirror image.
// ITU-R BS.775-3, table 2, without its normalisation.
static const float C = 0.70710678F;
static const float S = 0.70710678F;

uint32_t downmix_lfe(uint32_t channels)
{
    assert(channels >= 1 && channels <= PCM_MAX_CHANNELS);
    return channels >= 6 ? 3 : channels;
}

static void gains_for(uint32_t channels, float left[PCM_MAX_CHANNELS],
                      float right[PCM_MAX_CHANNELS])
{
    memset(left, 0, PCM_MAX_CHANNELS * sizeof(float));
    memset(right, 0, PCM_MAX_CHANNELS * sizeof(float));
    left[0] = right[1] = 1.0F;
    const int has_center = channels == 3 || channels >= 5;
    const int has_lfe = downmix_lfe(channels) < channels;
    if (has_center)
        left[2] = right[2] = C;
    for (uint32_t k = 2U + (uint32_t)has_center + (uint32_t)has_lfe, side = 0; k < channels;
         ++k, side ^= 1)
        (side ? right : left)[k] = S;
}

void downmix_to_stereo(float *stereo, const float *interleaved, uint32_t frames, uint32_t channels)
{
    assert(channels >= 1 && channels <= PCM_MAX_CHANNELS);
    if (channels == 1) {
        for (uint32_t i = frames; i-- > 0;)
            stereo[2 * i] = stereo[2 * i + 1] = interleaved[i];
        return;
    }
    if (channels == 2) {
        if (stereo != interleaved)
            memcpy(stereo, interleaved, frames * 2 * sizeof(float));
        return;
    }
    float left[PCM_MAX_CHANNELS], right[PCM_MAX_CHANNELS];
    gains_for(channels, left, right);
    for (uint32_t i = 0; i < frames; ++i) {
        float l = 0, r = 0;
        for (uint32_t c = 0; c < channels; ++c) {
            l += left[c] * interleaved[i * channels + c];
            r += right[c] * interleaved[i * channels + c];
        }
        stereo[2 * i] = l;
        stereo[2 * i + 1] = r;
    }
}
