// SPDX-License-Identifier: MIT
// One track as a stream of finished stereo audio: decoded, mixed to stereo, resampled, mastered.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/chain.h"
#include "dsp/mastering/mastering.h"
#include "engine/render/master.h"
#include "io/sound/decoder.h"
#include <stdint.h>

/// The same samples come out however they are asked for, whoever asks: player, render, benchmark.
/// Thread-safety: one thread at a time.
struct track_stream;

/// Sees stereo audio at the output's rate before it is mastered.
typedef void (*track_stream_tap_fn)(void *context, const float *stereo, uint32_t frames);

enum track_stream_mastering {
    TRACK_STREAM_PLAIN,    // decoded audio as it is
    TRACK_STREAM_MASTERED, // through the chain; track_stream_set_targets() before the first read
};

enum track_stream_end {
    TRACK_STREAM_ENDS,  // what the chain holds is fetched behind zeros
    TRACK_STREAM_WAITS, // reads end before it, until it is known what follows
};

struct track_stream_config {
    struct decoder *decoder;  // borrowed, at frame 0 if start_frame is 0
    struct decoder_info info; // of the decoder
    uint32_t rate_hz;         // of the output
    uint64_t start_frame;     // of the output; more than 0 seeks, with 5 s of context for the chain
    enum track_stream_mastering mastering;
    enum track_stream_end end; // where it waits, join() or finish() has the last word
};

enum { TRACK_STREAM_CONTEXT_S = 5 };

/// @return 0; -EINVAL: start past the end; -ENOMEM; the decoder's errors. On error *out is NULL.
MUST_CHECK int track_stream_open(struct track_stream **out,
                                 const struct track_stream_config *config);
/// Close and set *stream to NULL; the decoder stays. NULL is fine.
void track_stream_close(struct track_stream **stream);
/// Look at the first `frames` frames (fewer if the track is shorter) that the chain will get, before any
/// read: what provisional targets are made of. *stereo stays valid until the first read.
/// @return frames; -ECANCELED, -ENOMEM.
MUST_CHECK int64_t track_stream_peek(struct track_stream *stream, uint32_t frames,
                                     const float **stereo);
/// Targets from the track's first frame on. Before the first read; nothing on a plain stream.
void track_stream_set_targets(struct track_stream *stream, const struct mastering_targets *targets);
/// Fill up to `frames` frames of stereo. Blocks for bytes of the file. @return frames, fewer than asked for only at
/// the end, then 0; -ECANCELED, -ENOMEM.
MUST_CHECK int64_t track_stream_read(struct track_stream *stream, float *stereo, uint32_t frames);
/// The same, and into `plain` the same frames without mastering: resampled where the rates differ, else the
/// decoder's own bits (mixed to stereo). A stream that is not mastered leaves `plain` alone.
MUST_CHECK int64_t track_stream_read_both(struct track_stream *stream, float *stereo, float *plain,
                                          uint32_t frames);
/// True once all input is read and what the chain holds waits for a decision.
int track_stream_is_waiting(const struct track_stream *stream);
/// Fetch what the chain holds behind zeros: nothing runs on. Nothing on a stream that does not wait.
void track_stream_finish(struct track_stream *stream);
/// The audio runs on into `next`, which is mastered, of the same rate, not read yet and longer than the chain's
/// delay: its first frames go through this stream's chain as if they were the same track's, which then is its own; its
/// parameters go over to `targets` from there on, in CHAIN_JOIN_SECONDS. Until this stream is read to its end only
/// it is read.
void track_stream_join(struct track_stream *stream, struct track_stream *next,
                       const struct mastering_targets *targets);
/// Let `tap` see all that goes into the chain from now on; NULL: no more. Nothing on a stream without mastering.
void track_stream_set_tap(struct track_stream *stream, track_stream_tap_fn tap, void *context);
/// Go over to other targets by a ramp. Nothing on a stream without mastering.
void track_stream_ramp_to(struct track_stream *stream, const struct mastering_targets *targets,
                          uint32_t ramp_frames);
/// Frames of output for `frames` of input: round(frames * out / in).
uint64_t track_stream_scale(uint64_t frames, uint32_t rate_in_hz, uint32_t rate_out_hz);
/// The largest reduction of the limiter so far, in dB; 0 without mastering.
double track_stream_reduction_db(const struct track_stream *stream);
/// What the dynamics did since the last call, as chain_take_dynamics(); 0 dB without mastering.
void track_stream_take_dynamics(struct track_stream *stream, struct chain_dynamics *dynamics);
