// SPDX-License-Identifier: MIT
// The mastering chain, and the same audio past it, equally late.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/chain.h"
#include "dsp/mastering/mastering.h"
#include <stdint.h>

/// Thread-safety: one thread at a time. Allocates at creation only.
struct master;

/// Without targets yet: unity. @return as chain_create(). On error *out is NULL.
MUST_CHECK int master_create(struct master **out, uint32_t rate_hz);
/// Destroy and set *master to NULL. NULL is fine.
void master_destroy(struct master **master);
/// As chain_reset(): forget all audio.
void master_reset(struct master *master, const struct mastering_targets *targets);
/// Its chain, for what does not touch audio.
struct chain *master_chain(struct master *master);
/// Master stereo in place. `plain`, if not NULL, takes as many frames of the input's own bits, late by the chain's
/// delay. Neither depends on how the audio is cut into blocks, nor on who asked for the plain side before.
void master_process(struct master *master, float *stereo, float *plain, uint32_t frames);
