// SPDX-License-Identifier: MIT
// Sound of one rate at another, for the odd piece of a file that is not of the file's rate. Each frame is made of the
// frames around it alone, so that what is read behind a seek is what reading on gives, to the last bit.
#pragma once
#include "dsp/annotate.h"
#include <stdbool.h>
#include <stdint.h>

/// Read the next frames. @return frames, fewer at the end.
typedef uint32_t (*rate_bridge_read_fn)(void *user, float *interleaved, uint32_t frames);

/// Flat to 0.9 of the lower rate's half, images and aliases 100 dB down. Thread-safety: one thread at a time.
struct rate_bridge;

/// Whether a conversion is of a size to be made: one of any rates can have a hundred MB of filters.
bool rate_bridge_can(uint32_t from_hz, uint32_t to_hz);
/// Create at frame 0 of `read`, of `channels`, at most PCM_MAX_CHANNELS. @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int rate_bridge_create(struct rate_bridge **out, uint32_t from_hz, uint32_t to_hz,
                                  uint32_t channels, rate_bridge_read_fn read, void *user);
/// Destroy and set *bridge to NULL. NULL is fine.
void rate_bridge_destroy(struct rate_bridge **bridge);
/// Read frames at the new rate, round(n * to / from) in all. @return frames, fewer at the end.
uint32_t rate_bridge_read(struct rate_bridge *bridge, float *interleaved, uint32_t frames);
/// Go to `frame` of the new rate. @return the frame of the old one that `read` is to give next.
uint64_t rate_bridge_seek(struct rate_bridge *bridge, uint64_t frame);
