// SPDX-License-Identifier: MIT
// Any channel layout to stereo, the same way for listening and for analysis.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

/// Mix `frames` frames of `channels` (1..8, WAVE order: 3 L R C, 4 L R Ls Rs, 5 L R C Ls Rs,
/// 6 L R C LFE Ls Rs, 7 and 8 two more surrounds) into interleaved stereo. Mono goes to both sides at
/// unity, stereo is copied bit for bit, more: L + 0.7071 C + 0.7071 of each left surround, and the
/// mirror image; no LFE, not normalised. `stereo` may be `interleaved` itself for 2 or more channels. RT safe.
RT_SAFE void downmix_to_stereo(float *stereo, const float *interleaved, uint32_t frames,
                               uint32_t channels);
/// Place of the low-frequency effects channel among `channels`, which neither this mix nor loudness nor
/// peaks hear; equal to `channels` where there is none. RT safe.
RT_SAFE uint32_t downmix_lfe(uint32_t channels);
