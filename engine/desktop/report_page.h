// SPDX-License-Identifier: MIT
// A page to look at tracks before and after mastering: one HTML file that needs nothing else.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/desktop/track_picture.h"
#include <stdint.h>
#include <stdio.h>

/// What there is to show of one track. Everything is borrowed.
struct report_track {
    const char *path; // raw bytes; escaped on the page
    const char *codec;
    const struct analysis *analysis;
    const struct track_picture *picture;
    // --- the mastering; without it both sides are the same
    const struct mastering_targets *targets; // NULL: none
    const char *preset;
    double intensity;
    // --- measured on the output
    double after_lufs, after_dbtp;
    const float *after_short_term; // LUFS, as many as an analysis would list
    uint32_t after_short_term_count;
};

/// A page of one track shows it open; a page of many has a heading, and a line a track that opens.
enum report_fold { REPORT_OPEN, REPORT_FOLDED };

/// The last name of a path, without the slashes that may follow it; new memory. @return NULL without memory.
MUST_CHECK char *report_page_name(const char *path);
/// Everything before the first track. Errors of `out` stay with it, here and below.
void report_page_begin(FILE *out, const char *title, enum report_fold fold);
/// @return 0; -ENOMEM.
MUST_CHECK int report_page_track(FILE *out, const struct report_track *track,
                                 enum report_fold fold);
/// A track that could not be shown, and why.
void report_page_failure(FILE *out, const char *path, const char *cause);
void report_page_end(FILE *out);
/// Text as HTML, control characters and bytes that are not UTF-8 escaped as everywhere.
void report_page_text(FILE *out, const char *text);
