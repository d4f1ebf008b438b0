// SPDX-License-Identifier: MIT
// The keyboard and the status line of `segue play` on a terminal; nothing where there is none.
#pragma once
#include "dsp/annotate.h"
#include "engine/desktop/progress_line.h"
#include "engine/log.h"
#include "engine/player/player.h"
#include <stdbool.h>
#include <termios.h>

enum terminal_key {
    KEY_NONE,
    KEY_QUIT,
    KEY_PAUSE,
    KEY_NEXT,
    KEY_PREVIOUS,
    KEY_FORWARD,
    KEY_BACK,
    KEY_LOUDER,
    KEY_SOFTER,
    KEY_MASTERING,
};

/// Thread-safety: one thread. Zero-initialised: closed.
struct terminal {
    bool has_keys, has_line; // stdin, stderr are terminals
    struct termios saved;
    struct log *log;
};

/// Take keys one by one, if stdin is a terminal, and draw on stderr, if that is one.
void terminal_open(struct terminal *terminal, struct log *log);
/// Wipe the line and leave the terminal as it was. Closed already is fine.
void terminal_close(struct terminal *terminal);
/// The next key typed; never waits.
enum terminal_key terminal_read_key(struct terminal *terminal);
/// Draw the status line anew.
void terminal_draw(struct terminal *terminal, const struct player_status *status);
/// Draw any progress on stderr, which is a terminal.
void terminal_draw_progress(struct log *log, const struct progress *progress);
