// SPDX-License-Identifier: MIT
// The mastering chain with a way past it: from mastered to plain audio and back by a ramp, both equally late.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/chain.h"
#include "dsp/mastering/mastering.h"
#include <stdint.h>

/// Thread-safety: one thread at a time. Allocates at creation only.
struct master;

enum master_way { MASTER_THROUGH_CHAIN, MASTER_PAST_CHAIN };

enum { MASTER_RAMP_MS = 50 };

/// Without targets yet: unity, through the chain. @return as chain_create(). On error *out is NULL.
MUST_CHECK int master_create(struct master **out, uint32_t rate_hz);
/// Destroy and set *master to NULL. NULL is fine.
void master_destroy(struct master **master);
/// As chain_reset(): forget all audio. The way taken stays.
void master_reset(struct master *master, const struct mastering_targets *targets);
/// Its chain, for what does not touch audio.
struct chain *master_chain(struct master *master);
/// Take a way at once: before the first frame.
void master_set_way(struct master *master, enum master_way way);
/// Go over to a way within MASTER_RAMP_MS, from wherever the last ramp is. Past the chain, samples are the
/// input's own bits, late by the chain's delay; the chain goes on working, so that the way back has no start.
void master_change_way(struct master *master, enum master_way way);
/// Process stereo in place. The result does not depend on how it is cut into blocks.
void master_process(struct master *master, float *stereo, uint32_t frames);
