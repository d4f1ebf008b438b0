// SPDX-License-Identifier: MIT
// Results as lines of a table for people: `analyze --table`.
#pragma once
#include "dsp/annotate.h"
#include "engine/library/analysis_json.h"
#include <stddef.h>

/// Long enough for any line: a path of `path_columns` <= 200 takes at most four bytes a column.
enum { ANALYSIS_TABLE_BYTES = 1024, ANALYSIS_TABLE_PATH_MOST = 200, ANALYSIS_TABLE_REST = 64 };

/// Width for paths such that a line fits a terminal of `columns`; at least 20.
unsigned analysis_table_path_columns(unsigned columns);
/// The heading, without a newline.
void analysis_table_heading(char line[ANALYSIS_TABLE_BYTES], unsigned path_columns);
/// One file's line, without a newline; what is not known is "-". A long path is cut at its start.
void analysis_table_row(char line[ANALYSIS_TABLE_BYTES], const struct analysis_report *report,
                        unsigned path_columns);
