// SPDX-License-Identifier: MIT
// The beats of a player who takes time: each interval is like the one before rather than like the track's.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

/// Follow a pulse of about `period_frames` that hurries and lingers. Where that meets clearly more of what sets in
/// than the `*count` ascending beats at *beats do, it replaces them (the caller free()s either) and *is_loose is 1.
/// Tracks of more than ONSET_PART_FRAMES keep theirs: memory is 1.2 MB at most.
/// @return 0; -ENOMEM. On error *beats is as before.
MUST_CHECK int loose_follow(const uint16_t *strength, size_t frames, double period_frames,
                            double **beats, uint32_t *count, int *is_loose);
