// SPDX-License-Identifier: MIT
// What the suites of joined streams share: encoded songs of three kinds, each of as many frames and behind a tag.
#pragma once
#include "support/mp3_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> // needs the three above

enum { FRAMES = 30011, MPEG_SAMPLES = 1152 };

static struct mp3_song stereo, mono, slow; // 44.1 kHz, and 22.05 kHz

/// For cmocka: what mp3_set_up() does, and the songs.
static inline int songs_set_up(void **state)
{
    const int error = mp3_set_up(state);
    if (error)
        return error;
    stereo = mp3_encode(44100, 2, FRAMES);
    mono = mp3_encode(44100, 1, FRAMES);
    slow = mp3_encode(22050, 2, FRAMES);
    return 0;
}

static inline int songs_tear_down(void **state)
{
    mp3_song_free(&stereo);
    mp3_song_free(&mono);
    mp3_song_free(&slow);
    return mp3_tear_down(state);
}
