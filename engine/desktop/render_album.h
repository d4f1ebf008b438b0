// SPDX-License-Identifier: MIT
// `render --album`: which of the listed files are one album, and its makeup.
#pragma once
#include "dsp/annotate.h"
#include "engine/desktop/render_list.h"
#include "io/bytes/loader.h"
#include <stddef.h>

struct render_albums_progress {
    double done_s, total_s; // of the pass over the item
    // of all calibration; nobody knows how many passes there will be: each is half of what is left
    double share;
};

struct render_albums_config {
    const struct mastering_settings *settings;
    struct loader *loader;
    struct log *log;
    /// Told now and then how far a pass over an item is, and which share of all is done; may be NULL.
    void (*progress)(void *context, size_t item, const struct render_albums_progress *progress);
    void *context;
};

/// Give the items of each album (neighbours in the list, all analysed) one makeup; what is alone stays so. Tags
/// that name albums decide; a file without belongs to its neighbours in its folder, or on the command line.
/// *tracks is memory that the items point into, the caller's to free(). @return 0; -ENOMEM. An album that cannot
/// be calibrated is named, its tracks are mastered alone.
MUST_CHECK int render_albums(struct render_list *list, const struct render_albums_config *config,
                             struct album_track **tracks);
