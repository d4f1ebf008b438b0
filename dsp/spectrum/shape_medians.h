// SPDX-License-Identifier: MIT
// Medians of a track's spectral shapes over the frames that are not silent, in bounded memory.
#pragma once
#include "dsp/annotate.h"
#include "dsp/spectrum/spectral_shape.h"
#include <stdint.h>

enum { SHAPE_MEDIANS_MAX_FRAMES = 1 << 15 }; // 0.26 MB: 25 minutes at 44.1 kHz

struct shape_figures;

/// A frame is silent under 1e-4 of the loudest frame's power, which is known only at the end. Each frame takes 8 bytes:
/// its level to 0.012 dB, its shape to 1.5e-5 of 20 kHz and of 1. When SHAPE_MEDIANS_MAX_FRAMES are kept, all are
/// counted by their figures (0.8 MB, there from the start): that stays exact while the loudest frame does. In case it
/// does not and more than one frame in a thousand falls silent, the list goes on as an even draw, the same on every
/// run: of every two neighbours one leaves by lot, one of every two to come is kept, and so on. The rank of a median
/// is then off by some 0.3 % of the frames.
/// Thread-safety: one thread at a time.
struct shape_medians {
    int loudest;                 // level of any frame
    uint32_t stride;             // one in so many frames is kept
    uint32_t place, drawn_place; // of the next frame and of the one to keep, 0..stride - 1
    uint32_t draw;               // state of the generator
    uint32_t count;
    struct shape_figures *kept;
    int is_counting; // 0 while the list is complete
    uint64_t counted;
    uint32_t *counts; // of each value of each figure
};

/// @return 0; -ENOMEM. shape_medians_deinit() is safe then.
MUST_CHECK int shape_medians_init(struct shape_medians *medians);
/// Free the memory. Zeroed medians are fine.
void shape_medians_deinit(struct shape_medians *medians);
/// Take a frame of a summed power over 0.
void shape_medians_push(struct shape_medians *medians, double power,
                        const struct spectral_shape *shape);
/// End of the track: the median of each figure, of an even count the mean of the middle two; zeros
/// without frames. No push after it.
void shape_medians_finish(struct shape_medians *medians, struct spectral_shape *out);
