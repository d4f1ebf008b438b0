// SPDX-License-Identifier: MIT
// One queue entry on its way to the device: its bytes, its decoder, its analysis, each as it arrives.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/prepare/extractor.h"
#include "io/bytes/source.h"
#include "io/sound/decoder.h"
#include <stdbool.h>
#include <stdint.h>

/// Made by the player, fed by the scheduler, used up by the render thread; shared by reference count.
/// Thread-safety: Safe, but track_open_decoder(), track_decoder(): one thread at a time (the player
/// before it hands the track to the render thread, the render thread after).
struct track;

/// Of a track in an album whose sound runs on.
struct track_album {
    struct mastering_targets targets; // its own, with the album's makeup
    uint64_t next_id;                 // queue entry that its sound runs on into; 0: none
};

/// @return a track with one reference, not yet admitted by the scheduler; NULL without memory.
MUST_CHECK struct track *track_create(uint64_t queue_id, const char *path);
struct track *track_ref(struct track *track);
/// Drop a reference and set *track to NULL. NULL is fine. The last one closes decoder and source.
void track_unref(struct track **track);
uint64_t track_queue_id(const struct track *track);
const char *track_path(const struct track *track);

// --- scheduler's side
/// Begin to load the track's bytes: the track is admitted. `opened` is called on the loop once it is known
/// whether the file can be opened. @return 0; -ENOMEM.
MUST_CHECK int track_admit(struct track *track, struct loader *loader,
                           enum loader_priority priority,
                           void (*opened)(void *context, struct track *track), void *context);
/// Once the file is open: its identity. @return 0, -EAGAIN, or why it cannot be opened.
MUST_CHECK int track_poll_open(struct track *track, struct file_identity *identity);
void track_set_priority(struct track *track, enum loader_priority priority);
/// The analysis has arrived (`record`, a reference is taken) or failed (`error`, NULL). Wakes waiters.
void track_set_record(struct track *track, struct record *record, int error);
/// What `album` says of it, or NULL: it is mastered alone. Once; wakes waiters.
void track_set_album(struct track *track, const struct track_album *album);
/// True once track_set_album() was called. Lock-free.
bool track_is_album_known(const struct track *track);
/// Everything that waits for this track returns -ECANCELED from now on.
void track_cancel(struct track *track);
/// True once it was cancelled: what fails after that says nothing of the file.
bool track_is_cancelled(struct track *track);

// --- render's side
/// Wait for the bytes and open the decoder, or take the one that is open. @return 0; what source and decoder
/// say, with words in track_error_text().
MUST_CHECK int track_open_decoder(struct track *track, struct decoder_info *info);
/// The open decoder; NULL before track_open_decoder().
struct decoder *track_decoder(struct track *track);
/// Whether its file says that it was mastered before. After track_open_decoder(), by the same thread.
bool track_was_mastered(const struct track *track);
/// The track's record, a new reference, or NULL while there is none. Never waits.
struct record *track_record(struct track *track);
/// True once track_record() would give one. Lock-free.
bool track_has_record(const struct track *track);
/// Wait until the analysis has arrived or failed. @return 0 and *record (a new reference), the error,
/// -ECANCELED.
MUST_CHECK int track_wait_record(struct track *track, struct record **record);
/// Its part of an album. Never waits. @return 0 and *album; -ENOENT: it is mastered alone; -EAGAIN: not known.
MUST_CHECK int track_album(struct track *track, struct track_album *album);
/// Wait until it is known. @return 0, -ENOENT, -ECANCELED.
MUST_CHECK int track_wait_album(struct track *track, struct track_album *album);
/// Words for a failed track_open_decoder(): a copy into `text`.
void track_error_text(struct track *track, char *text, uint32_t bytes);
/// Report damage or failure of this track once: true for the first caller.
bool track_claim_report(struct track *track);

/// How far the next track's preparation is: for people.
struct track_progress {
    bool admitted, open, analysed, failed;
    uint64_t loaded_bytes, ahead_bytes, size_bytes;
    enum extraction_tier tier; // where the analysis came from, if analysed
};
void track_progress(struct track *track, struct track_progress *progress);
void track_set_tier(struct track *track, enum extraction_tier tier);
