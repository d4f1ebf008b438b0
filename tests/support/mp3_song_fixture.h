// SPDX-License-Identifier: MIT
// What the suites of one encoded song share: 2.27 s of stereo at 44.1 kHz, behind a tag.
#pragma once
#include "support/mp3_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> // needs the three above

enum { FRAMES = 100003, CHANNELS = 2, MPEG_SAMPLES = 1152, JUNK_BYTES = 3000 };

static struct mp3_song song;

/// For cmocka: what mp3_set_up() does, and the song.
static inline int set_up(void **state)
{
    const int error = mp3_set_up(state);
    if (!error)
        song = mp3_encode(44100, CHANNELS, FRAMES);
    return error;
}

static inline int tear_down(void **state)
{
    mp3_song_free(&song);
    return mp3_tear_down(state);
}
