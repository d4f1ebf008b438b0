// SPDX-License-Identifier: MIT
// Which tracks belong together, and one makeup for those that do.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"
#include "dsp/mastering.h"
#include "engine/track_reader.h"
#include "io/tags.h"
#include <stdint.h>

enum { ALBUM_TRACKS_MAX = 999 };

/// One track of a row in playing order. Plain data; what it names is its owner's.
struct album_track {
    const char *path;
    const struct tags *tags;
    const struct record *record; // a struct track_record; NULL: not analysed
    // --- set by album_calibrate()
    struct mastering_targets targets;
    int runs_on; // 1: from the track before it
};

/// Whether both are of one album: same ALBUM, and same ALBUMARTIST (or ARTIST where neither has one).
int album_is_same(const struct tags *a, const struct tags *b);
/// Whether `b` comes right after `a` on their album: same disc, next number.
int album_follows(const struct tags *a, const struct tags *b);
/// Whether the sound runs on from `a` into `b`: it follows on the album, at the same rate, and there is
/// sound on both sides of the join: no digital silence of 10 ms or more, and over -60 LUFS.
int album_runs_on(const struct album_track *a, const struct album_track *b);
/// Let one makeup serve all of `tracks`, which are one album in its order and all analysed: their own targets with that makeup,
/// and where the sound runs on. Decodes all of them several times. `cancel` may be set by any
/// thread. @return 0; -ENOMEM; -ECANCELED; what their files say.
MUST_CHECK int album_calibrate(struct album_track *tracks, uint32_t count,
                               const struct mastering_settings *settings, struct loader *loader,
                               const _Atomic int *cancel);
