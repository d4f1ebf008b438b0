// SPDX-License-Identifier: MIT
// Mastering targets for a track whose analysis is not there, from the audio there is: the last rung of the ladder.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include <stdint.h>

enum provisional_kind {
    PROVISIONAL_FIRST, // as for any track
    PROVISIONAL_AGAIN, // it was mastered before: makeup alone
};

enum {
    PROVISIONAL_HEAD_S = 4,   // of audio for the first targets
    PROVISIONAL_CHUNK_S = 10, // and so much for each time they are refined
};

/// Seconds that a way from some targets to better ones takes: 4, too slow to be heard as a step, and more where a
/// band would move by more than 0.5 dB in 100 ms.
double provisional_ramp_s(const struct mastering_targets *from, const struct mastering_targets *to);

/// Targets that get better the more is fed. Thread-safety: one thread.
struct provisional;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int provisional_create(struct provisional **out, uint32_t rate_hz,
                                  const struct mastering_settings *settings,
                                  enum provisional_kind kind);
/// Destroy and set *provisional to NULL. NULL is fine.
void provisional_destroy(struct provisional **provisional);
/// Take what comes next of the track. Costs about a hundredth of the audio's time. @return 1: there are new targets; 0;
/// -ENOMEM.
MUST_CHECK int provisional_feed(struct provisional *provisional, const float *stereo,
                                uint32_t frames);
/// Take what was fed since the last new targets into account now, however short it is. @return 0; -ENOMEM.
MUST_CHECK int provisional_conclude(struct provisional *provisional);
/// Targets as of now: of all chunks so far, each by its length. Unknown before the first conclusion or chunk.
void provisional_targets(const struct provisional *provisional, struct mastering_targets *out);
