// SPDX-License-Identifier: MIT
// Music through every preset: where it lands, how far it is moved, and how the gain behaves.
#pragma once
#include "mastering_audio.h"

struct mastering_tracks_config {
    char *const *paths;
    int count;
    struct mastering_excerpt excerpt; // but for the path
    int with_peers;
};

/// Print the tables. @return 0 or -errno.
MUST_CHECK int mastering_tracks_run(const struct mastering_tracks_config *config);
