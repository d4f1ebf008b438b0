// SPDX-License-Identifier: MIT
// Which tracks belong together, and one makeup for those that do.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/prepare/track_reader.h"
#include "io/tags/tags.h"
#include <stdint.h>

enum { ALBUM_TRACKS_MAX = 999 };

/// What is heard at a track's ends, and of what format it is.
struct album_edges {
    double head_db, tail_db; // RMS of the first and last 100 ms, in dBFS
    double duration_s;
    uint32_t rate_hz;
};

/// One track of a row in playing order. Plain data; what it names is its owner's.
struct album_track {
    const char *path;
    const struct tags *tags;
    struct album_edges edges;
    const struct record *record; // a struct track_record; NULL: not analysed
    int follows; // 1: comes right after the track before it, though its tags do not say so
    // --- set by album_calibrate()
    struct mastering_targets targets;
    int runs_on;       // 1: from the track before it
    double album_lufs; // of all of them mastered, gated as one
};

/// Who watches a calibration. Zero-initialised: nobody does.
struct album_watch {
    const _Atomic int *cancel; // may be set by any thread
    void (*heard)(void *context, uint32_t track,
                  uint64_t done_frames); // of a pass over that track, on the caller's thread
    void *context;
};

enum album_looks {
    ALBUM_LOOK_TAGS,   // nothing else: the ends are unknown
    ALBUM_LOOK_TAGGED, // at the ends only of what names an album
    ALBUM_LOOK_ALL,
};

/// Look at a file: its tags (the caller's to deinit, empty on error) and its ends. Blocks. @return 0; what its
/// source or decoder says.
MUST_CHECK int album_look(const char *path, enum album_looks looks, struct loader *loader,
                          struct tags *tags, struct album_edges *edges);
/// Whether both are of one album: same ALBUM, and same ALBUMARTIST (or ARTIST where neither has one).
int album_is_same(const struct tags *a, const struct tags *b);
/// Whether `b` comes right after `a` on their album: same disc, next number.
int album_follows(const struct tags *a, const struct tags *b);
/// Whether the sound runs on from `a` into `b`: it follows on the album (or is said to), at the same rate, and
/// both ends at the join are over -70 dBFS, which the noise of a 16-bit silence is not. Tracks of under a second
/// are left alone.
int album_runs_on(const struct album_track *a, const struct album_track *b);
/// Let one makeup serve all of `tracks`, which are one album in its order and all analysed: their own targets with
/// that makeup, and where the sound runs on. Decodes all of them several times. @return 0; -ENOMEM; -ECANCELED;
/// what their files say.
MUST_CHECK int album_calibrate(struct album_track *tracks, uint32_t count,
                               const struct mastering_settings *settings, struct loader *loader,
                               const struct album_watch *watch);
