// SPDX-License-Identifier: MIT
// Where each column of the database has its place in a record, and what bounds it there.
#pragma once
#include "dsp/annotate.h"
#include "engine/library/track_record.h"
#include "io/store/store_schema.h"
#include <stddef.h>

enum library_field_kind {
    KIND_DOUBLE, // NaN is NULL
    KIND_UINT32,
    KIND_UINT64,
    KIND_INDEX, // int32_t; -1 is NULL
    KIND_CODEC,
    KIND_BACKEND,
    KIND_BEATS,
    KIND_CHROMA,
    KIND_LOUDNESS,
};

enum library_field_unknown { MAY_BE_UNKNOWN, MUST_BE_KNOWN };

/// A column. Nothing that Segue computes lies outside its bounds: those of figures are wide, and keep out what was not
/// made by an analysis; those of targets are what the mastering chain is made for.
struct library_field {
    enum library_field_kind kind;
    size_t offset; // in struct analysis or struct mastering_targets
    double least, most;
    enum library_field_unknown unknown; // NaN, -1
};

/// In the order of store_analysis_columns and store_targets_columns.
extern const struct library_field library_analysis_fields[STORE_ANALYSIS_COLUMNS];
extern const struct library_field library_targets_fields[STORE_TARGETS_COLUMNS];

/// What a hit can save at most: longer than any analysis takes.
#define LIBRARY_COST_MOST_NS (INT64_C(30) * 24 * 3600 * 1000000000)

/// Whether all of a record is within bounds: asked of everything that is read back, and before it is saved.
/// @return 0 or -EBADMSG.
MUST_CHECK int library_fields_check(const struct track_record *head,
                                    const struct analysis *analysis);
