// SPDX-License-Identifier: MIT
#include "engine/render/chunk.h"
#include <assert.h>
#include <errno.h>

int chunk_bounds(uint64_t chunk, uint64_t track_frames, uint32_t rate_hz, uint64_t *start_frame,
                 uint64_t *end_frame)
{
    assert(rate_hz > 0);
    if (chunk > UINT64_MAX / rate_hz / (2U * CHUNK_STEP_S))
        return -ENOENT; // no track is that long
    *start_frame = chunk ? (CHUNK_STEP_S * chunk + CHUNK_CONTEXT_S) * rate_hz : 0;
    *end_frame = (CHUNK_STEP_S * chunk + CHUNK_LENGTH_S) * rate_hz;
    if (*end_frame > track_frames)
        *end_frame = track_frames;
    return *start_frame < track_frames ? 0 : -ENOENT;
}
