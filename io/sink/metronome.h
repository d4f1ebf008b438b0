// SPDX-License-Identifier: MIT
// A clock for hosts that have none: ALSA's null and file devices ask for audio as fast as they can.
#pragma once
#include <stdbool.h>
#include <stdint.h>

/// Plain data of the thread that pulls. It only watches until the host has asked for far more than any
/// hardware could have taken; from then on it says when each call is due. Thread-safety: one thread.
struct metronome {
    double host_frame_ns, own_frame_ns;
    int64_t allowance_ns; // of audio that a host with a clock may ask for ahead of it
    int64_t origin_ns;
    uint64_t frames; // since the origin
    bool has_begun, is_leading;
};

/// `latency_s` is the output's, as the host states it; `speed` is that of the clock once it leads, 1 real time.
void metronome_init(struct metronome *metronome, uint32_t rate_hz, double latency_s, double speed);
/// A call for `frames` frames comes at `now_ns`. @return when it is due: `now_ns` where the host has a clock. RT safe.
int64_t metronome_beat(struct metronome *metronome, int64_t now_ns, uint32_t frames);
