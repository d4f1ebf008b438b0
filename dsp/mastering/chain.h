// SPDX-License-Identifier: MIT
// The mastering chain: EQ, compressor, width, makeup, true-peak limiter; streaming, state carried over.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include <stdint.h>

/// Stereo in, stereo out, one track or one album at a time. Output does not depend on how the
/// audio is cut into blocks, bit for bit. Thread-safety: one thread at a time. Allocates at creation only.
struct chain;

/// Parts of the chain work on a grid of so many frames from the first one on: a stream that starts on it, with
/// 5 s of context, gives the same samples as one that started at the track's first frame.
enum { CHAIN_GRID_FRAMES = 16 };

/// Where an album's audio runs on from track to track, chain_ramp_to() takes so long from the first frame of the
/// next track on.
enum { CHAIN_JOIN_SECONDS = 2 };

/// @return 0; -EINVAL: rate outside PCM_MIN_RATE_HZ..PCM_MAX_RATE_HZ; -ENOMEM. On error *out is NULL. No targets
/// yet: unity.
MUST_CHECK int chain_create(struct chain **out, uint32_t rate_hz);
/// Destroy and set *chain to NULL. NULL is fine.
void chain_destroy(struct chain **chain);
/// Forget all audio and take `targets` at once: the state at a track's first frame. RT safe.
RT_SAFE void chain_reset(struct chain *chain, const struct mastering_targets *targets);
/// Move to `targets` by a ramp of `ramp_frames` frames (at least 50 ms is used). Both targets bypass,
/// or neither does. RT safe.
RT_SAFE void chain_ramp_to(struct chain *chain, const struct mastering_targets *targets,
                           uint32_t ramp_frames);
/// Frames by which the output lags the input: constant for a rate. A caller drops that many frames
/// at the start of a track and feeds as many zeros after its end. RT safe.
RT_SAFE uint32_t chain_delay_frames(const struct chain *chain);
/// Process `frames` interleaved stereo frames in place. Finite for any input. RT safe.
RT_SAFE void chain_process(struct chain *chain, float *stereo, uint32_t frames);
/// Largest limiter reduction in dB since the last reset, >= 0. RT safe.
RT_SAFE double chain_reduction_db(const struct chain *chain);

/// What the dynamics take off, in dB, <= 0.
struct chain_dynamics {
    double compressor_db, limiter_db;
};

/// The compressor's gain as it is now, and the limiter's strongest reduction since the last call or
/// reset. RT safe.
RT_SAFE void chain_take_dynamics(struct chain *chain, struct chain_dynamics *dynamics);
