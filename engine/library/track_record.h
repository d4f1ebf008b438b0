// SPDX-License-Identifier: MIT
// What the cache keeps of a track: its analysis, its calibrated targets, and what they cost.
#pragma once
#include "cache/record.h"
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "gpu/backend.h"
#include "io/bytes/source.h"
#include <stddef.h>

/// Head of a record's bytes; the analysis follows it. Thread-safety: immutable once published.
struct track_record {
    struct mastering_targets targets;
    struct extraction_timing timing;
    int64_t cost_ns;     // what it took to make, wherever it came from since
    uint32_t on_cuda;    // 1: the CUDA backend made it
    int32_t has_targets; // 0: only the analysis counts
    int32_t damage;      // 0, or -EBADMSG: figures of the sound part of a damaged file
    char codec[16];
};

/// A head and an analysis, both copied. @return a new record, or NULL without memory.
MUST_CHECK struct record *track_record_create(const struct track_record *head,
                                              const struct analysis *analysis);
/// Pack a finished job. `known`: the record that job->known is from, or NULL. @return a new record, or
/// NULL without memory.
MUST_CHECK struct record *track_record_pack(const struct backend_job *job, const char *codec,
                                            const struct track_record *known);
/// The analysis that follows the head.
const struct analysis *track_record_analysis(const struct track_record *track_record);
/// View of a record that track_record_pack() made; valid as long as a reference to it is held.
const struct track_record *track_record_of(const struct record *record);

enum { TRACK_KEY_BYTES = sizeof(struct file_identity) + 32 };

/// Cache key of a track under settings: identity, algorithm version, preset, goal, target, intensity.
/// Settings that give the same result give the same key. The path is kept beside it by the cache.
void track_key(unsigned char key[TRACK_KEY_BYTES], const struct file_identity *identity,
               const struct mastering_settings *settings);
