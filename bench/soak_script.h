// SPDX-License-Identifier: MIT
// The user that a soak simulates: a seeded sequence of commands, at times counted in frames heard.
#pragma once
#include "dsp/annotate.h"
#include "engine/player/player.h"
#include "engine/prepare/scheduler.h"
#include <stddef.h>
#include <stdint.h>

/// Thread-safety: one thread.
struct soak_script;

struct soak_script_config {
    struct player *player;       // borrowed
    struct scheduler *scheduler; // borrowed
    const char *const *paths;    // borrowed; what edits add
    size_t n_paths;
    uint32_t rate_hz;
    uint64_t seed;
};

/// Fills the player's queue. @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int soak_script_create(struct soak_script **out,
                                  const struct soak_script_config *config);
/// Waits for a cache clear under way. NULL is fine.
void soak_script_destroy(struct soak_script **script);
/// When the next command is due, in frames heard.
uint64_t soak_script_due_frame(const struct soak_script *script);
/// Give it. @return 0; -ENOMEM; what player_play() says.
MUST_CHECK int soak_script_step(struct soak_script *script);
uint64_t soak_script_steps(const struct soak_script *script);
/// The last command given, in words.
const char *soak_script_last(const struct soak_script *script);
