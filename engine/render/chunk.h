// SPDX-License-Identifier: MIT
// The unit of random access: 15 s of a track every 10 s, with 5 s of context on both sides.
#pragma once
#include "dsp/annotate.h"
#include <stdint.h>

enum { CHUNK_STEP_S = 10, CHUNK_LENGTH_S = 15, CHUNK_CONTEXT_S = 5 };

/// Frames that chunk `chunk` of a track emits: chunk 0 [0, 15 s), chunk n [10 n + 5 s, 10 n + 15 s), the last
/// one up to the track's end. @return 0; -ENOENT: there is no such chunk.
MUST_CHECK int chunk_bounds(uint64_t chunk, uint64_t track_frames, uint32_t rate_hz,
                            uint64_t *start_frame, uint64_t *end_frame);
