// SPDX-License-Identifier: MIT
// A file as a pcm_reader: what the analysis pulls its audio from, with a source and decoder of its own.
#pragma once
#include "dsp/annotate.h"
#include "dsp/pcm.h"
#include "io/bytes/loader.h"
#include "io/bytes/source.h"
#include "io/sound/decoder.h"
#include <stdbool.h>
#include <stdint.h>

/// Thread-safety: the pcm_reader belongs to one worker at a time; track_reader_cancel() is Safe; the
/// rest when no worker uses it.
struct track_reader;

enum { TRACK_READER_TEXT_BYTES = 192 };

/// What was met on the way.
struct track_reader_report {
    char text[TRACK_READER_TEXT_BYTES]; // words for a failed open or for damage; "" if sound
    char codec[16];
    uint64_t replaced_samples;
    bool changed; // the file is no longer the one that `expected` names: results must not be kept
};

/// How far a reader is. Thread-safety: Safe; the counters need not fit each other to the frame.
struct track_reader_progress {
    // --- atomic: written by the worker, read by who shows it (relaxed: nothing else hangs on it)
    _Atomic uint32_t pass; // that is under way, from 1: the analysis; those after it calibrate
    _Atomic uint32_t rate_hz;
    _Atomic uint64_t done_frames, total_frames; // of that pass; by the container
};

/// `expected` is the file's identity as it was looked up. @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int track_reader_create(struct track_reader **out, struct loader *loader,
                                   const char *path, const struct file_identity *expected,
                                   enum loader_priority priority);
/// Destroy and set *reader to NULL. NULL is fine.
void track_reader_destroy(struct track_reader **reader);
/// Tell `progress` (borrowed until the reader is destroyed) what is read from now on.
void track_reader_set_progress(struct track_reader *reader, struct track_reader_progress *progress);
/// The interface for the backend; valid as long as the reader.
struct pcm_reader track_reader_pcm(struct track_reader *reader);
/// Whether the file's tags say that it was mastered before (SEGUE_MASTERED), for struct backend_job: `context` is the
/// pcm_reader's, which is closed. @return 1, 0, or an error of the source.
int track_reader_was_mastered(void *context);
/// Make a worker that waits for bytes return -ECANCELED. Any thread.
void track_reader_cancel(struct track_reader *reader);
void track_reader_report(const struct track_reader *reader, struct track_reader_report *report);
