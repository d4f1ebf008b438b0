// SPDX-License-Identifier: MIT
// A listener that knows the record: plays tracks round and round, and holds each against its offline render.
#pragma once
#include "dsp/annotate.h"
#include "engine/player/player.h"
#include <stddef.h>
#include <stdint.h>

/// Thread-safety: one thread, but what it says of its progress.
struct soak_checker;

struct soak_checker_config {
    struct scheduler *scheduler; // borrowed; this player's alone
    const char *const *paths;    // borrowed
    size_t n_paths;
    uint32_t rate_hz;
    const struct mastering_settings *settings; // NULL: no mastering
    struct log *log;
};

/// Render the tracks, then begin to play them on a device that takes audio as fast as it is made. @return 0 or -errno.
/// On error *out is NULL.
MUST_CHECK int soak_checker_start(struct soak_checker **out,
                                  const struct soak_checker_config *config);
/// End playing, set *checker to NULL. NULL is fine.
void soak_checker_stop(struct soak_checker **checker);

struct soak_checker_report {
    uint64_t frames, tracks; // heard; tracks compared whole
    uint64_t mismatches;
    char mismatch[256]; // the first: which track, after how many
};
void soak_checker_report(struct soak_checker *checker, struct soak_checker_report *report);
