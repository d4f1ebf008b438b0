// SPDX-License-Identifier: MIT
// A pair of CUDA streams on which one track at a time is analysed while it is decoded.
#pragma once
#include "dsp/annotate.h"
#include "dsp/pcm.h"
#include "gpu/cuda_device.h"
#include "gpu/stft_bands.h"

enum {
    CUDA_LANES_MAX = 8,       // of a process: each holds some 5 MiB of pinned memory
    CUDA_LANE_BATCH_MAX = 64, // STFT frames of a slab
};

/// PCM is copied to the device on one stream while the slab before it is computed on the other.
/// Thread-safety: one thread at a time.
struct cuda_lane;

/// Slabs have at most `batch_frames` STFT frames, 1..CUDA_LANE_BATCH_MAX: the more, the faster.
/// @return 0; -ENOMEM; -EIO: CUDA error, reported to the device. On error *out is NULL.
MUST_CHECK int cuda_lane_create(struct cuda_lane **out, struct cuda_device *device,
                                uint32_t batch_frames);
/// Wait for what is under way, destroy, set *lane to NULL. NULL is fine.
void cuda_lane_destroy(struct cuda_lane **lane);
/// Begin a track; what an unfinished one left is abandoned. Errors show at the end of the track.
void cuda_lane_start(struct cuda_lane *lane, const struct pcm_format *format);
/// Take the next `frames` frames. Waits where the device is two slabs behind.
void cuda_lane_feed(struct cuda_lane *lane, const float *interleaved, uint32_t frames);
/// End the track and wait for its band energies, sums over all frames.
/// @return 0; -EIO: an error since its start; then nothing is known of the track.
MUST_CHECK int cuda_lane_finish(struct cuda_lane *lane, double energies[BAND_COUNT]);
/// Give the track up; waits for the device to let go of it.
void cuda_lane_abandon(struct cuda_lane *lane);
