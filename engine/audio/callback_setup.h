// SPDX-License-Identifier: MIT
// Allocates and frees what the audio callback works with; never runs on the audio thread.
#pragma once
#include "dsp/annotate.h"
#include "engine/audio/callback.h"
#include "engine/audio/ring.h"
#include "io/sink/sink.h"
#include <stdint.h>

/// `ring` is borrowed. Starts paused, gain 1, epoch 1. All memory is touched and, if allowed, locked.
/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int callback_create(struct callback **out, struct ring *ring, uint32_t rate_hz,
                               enum sink_pace pace);
/// Destroy and set *callback to NULL. NULL is fine. No callback may run any more.
void callback_destroy(struct callback **callback);
