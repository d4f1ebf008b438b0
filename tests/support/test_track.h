// SPDX-License-Identifier: MIT
// A pcm_reader over samples made on the fly, which can block, fail and be cut short.
#pragma once
#include "dsp/pcm.h"
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

/// Frame f of channel c is f % 8 + c, over 64: sums are exact. Zero-initialise, then set what is wanted.
struct test_track {
    // --- set before use
    struct pcm_format format;
    uint64_t frames;
    int open_error;       // of every open
    uint64_t error_frame; // reading fails from here with read_error, if that is not 0
    int read_error;
    int failing_pass;    // the pass (open) that fails or blocks: 1, 2; 0: every one
    uint64_t gate_frame; // reading blocks here once, if has_gate
    int has_gate;
    void (*on_read)(struct test_track *track);
    float (*sample)(uint64_t frame, uint32_t channel); // NULL: as above
    // --- the reader's
    uint64_t position;
    _Atomic int opens, closes;
    sem_t arrived, go; // of the gate
};

struct pcm_reader test_track_reader(struct test_track *track);
/// Arrange that reading blocks at `frame` of pass `pass`.
void test_track_gate(struct test_track *track, uint64_t frame, int pass);
/// Wait until the reader stands at the gate.
void test_track_wait(struct test_track *track);
/// Let the reader pass.
void test_track_let_go(struct test_track *track);
/// Sum of all samples of the first `frames` frames.
double test_track_sum(const struct test_track *track, uint64_t frames);
