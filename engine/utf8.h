// SPDX-License-Identifier: MIT
// UTF-8 as a terminal sees it: valid sequences, columns, and text cut to a width.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

/// Decode the sequence at the start of NUL-terminated `text`. Overlong forms, surrogates and values over
/// U+10FFFF are not valid. @return its bytes (1..4) and *codepoint; 0: not valid, or the end of the text.
size_t utf8_decode(const char *text, uint32_t *codepoint);
/// Columns that a terminal gives a character: 0 combining or control, 2 East Asian wide, else 1.
unsigned utf8_columns(uint32_t codepoint);
/// Columns of a whole text; each byte that is not valid counts 1.
unsigned utf8_text_columns(const char *text);

enum utf8_cut {
    UTF8_CUT_END,   // "a long ti..."
    UTF8_CUT_START, // "...der/song.flac"
};

/// Copy `text` to `out`, cut with an ellipsis to `columns` columns and padded with spaces to exactly that.
/// `out` is always NUL-terminated; if `size` is too small the text is cut further, never inside a sequence.
/// @return bytes written without the NUL.
size_t utf8_fit(char *out, size_t size, const char *text, unsigned columns, enum utf8_cut cut);
