// SPDX-License-Identifier: MIT
// Tracks that the harnesses make for themselves, and what a track sounds like when it is rendered alone.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/prepare/scheduler.h"
#include <stdint.h>

/// Write 16-bit stereo music of a sort to `path` (.wav or .flac): decaying notes over noise. The same for a seed.
/// @return 0 or -errno.
MUST_CHECK int tracks_write_music(const char *path, uint32_t rate_hz, uint64_t frames,
                                  uint64_t seed);

/// A sum over samples that tells one order of them from another. Plain data; starts at zero.
struct tracks_hash {
    uint64_t sum;
    uint64_t frames;
};
void tracks_hash_add(struct tracks_hash *hash, const float *stereo, uint32_t frames);

/// Render a whole file at `rate_hz` through the chain, offline, and hash it. `settings` NULL: no mastering.
/// @return 0 or -errno.
MUST_CHECK int tracks_hash_render(struct tracks_hash *hash, struct scheduler *scheduler,
                                  const char *path, uint32_t rate_hz,
                                  const struct mastering_settings *settings);
