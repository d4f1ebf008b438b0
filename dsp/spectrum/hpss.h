// SPDX-License-Identifier: MIT
// Harmonic-percussive separation by medians: the share of harmonic energy in a stream of spectra.
#pragma once
#include "dsp/annotate.h"

/// Fitzgerald's separation: medians of 31 frames and of 31 bins, soft masks of power 2. Keeps a ring
/// of 40 frames. Thread-safety: one thread at a time.
struct hpss;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int hpss_create(struct hpss **out);
/// Destroy and set *hpss to NULL. NULL is fine.
void hpss_destroy(struct hpss **hpss);
/// Take the next frame's 1025 powers.
void hpss_push(struct hpss *hpss, const float *power);
/// End of the track. @return harmonic over harmonic plus percussive energy, 0..1; silence: 0.
double hpss_finish(struct hpss *hpss);
