// SPDX-License-Identifier: MIT
// Paths and messages made printable, in a way that can be undone.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>

/// Write `text` to `out` with control characters (C0, DEL, C1) and bytes that are not UTF-8 as \n, \t or
/// \xhh, one escape a byte. A backslash stays as it is unless what follows would make it read as an
/// escape (a backslash, n, t, or x with two hexadecimal digits); then it is doubled. So an ordinary
/// path is unchanged and every path can be had back with escape_undo(). Works as snprintf: `out` is
/// NUL-terminated if size > 0 and cut between characters and escapes, never inside one.
/// @return bytes of the whole result without the NUL.
size_t escape_text(char *out, size_t size, const char *text);
/// The same into new memory, the caller's to free(). @return NULL without memory.
MUST_CHECK char *escape_dup(const char *text);
/// Undo in place. A text that escape_text() did not write is read as well as it can be. @return its new length.
size_t escape_undo(char *text);
