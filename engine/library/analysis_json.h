// SPDX-License-Identifier: MIT
// One file's result as a JSON object on one line, and back.
#pragma once
#include "dsp/analysis.h"
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "gpu/backend.h"
#include <stddef.h>

/// What there is to say of a file. Everything is borrowed; NULL leaves a member out.
struct analysis_report {
    const char *path;  // raw bytes; escaped in print
    const char *codec; // "flac" ..
    const struct analysis *analysis;
    const struct mastering_targets *targets;
    const struct extraction_timing *timing;
    const char *source;        // "memory", "sqlite", "sidecar", "computed"
    const char *backend;       // "cpu", "cuda"
    const char *error_code;    // a word; with an analysis beside it: a damaged file
    const char *error_message; // for people; escaped in print
};

enum analysis_json_extent {
    ANALYSIS_JSON_PRINTED, // what `analyze --json` prints
    ANALYSIS_JSON_COMPLETE, // and "details": all that an analysis holds besides, to be read back whole
};

/// One object without a newline, new memory, the caller's to free(). Doubles have 17 digits and so read back
/// bit for bit; NaN and infinity are null. @return NULL without memory.
MUST_CHECK char *analysis_json_print(const struct analysis_report *report,
                                     enum analysis_json_extent extent);

enum { ANALYSIS_JSON_CODEC_BYTES = 16, ANALYSIS_JSON_BACKEND_BYTES = 8 };

/// What an object said. `analysis` is the owner's to free().
struct analysis_json_record {
    struct analysis *analysis;
    struct mastering_targets targets; // zeroed if there are none
    int has_targets;
    char codec[ANALYSIS_JSON_CODEC_BYTES];
    char backend[ANALYSIS_JSON_BACKEND_BYTES];
};

/// Read an object of either extent; null is NaN. Without "details" the lists are empty and what they would
/// say is NaN or 0. An object with an error is refused: damaged files are kept nowhere.
/// @return 0; -EBADMSG: not such an object; -ENOMEM. On error record->analysis is NULL.
MUST_CHECK int analysis_json_read(struct analysis_json_record *record, const char *text,
                                  size_t bytes);

struct json_t;
/// Any value on one line, complete to the last digit: new memory, the caller's to free(). @return NULL without memory.
MUST_CHECK char *analysis_json_dump(const struct json_t *value);
/// Parse one value, without members of the same name. @return 0 and *object, json_decref() it; -EBADMSG; -ENOMEM.
MUST_CHECK int analysis_json_parse(struct json_t **object, const char *text, size_t bytes);
/// The same of an object that jansson has read already.
MUST_CHECK int analysis_json_read_object(struct analysis_json_record *record,
                                         const struct json_t *object);
