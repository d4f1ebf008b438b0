// SPDX-License-Identifier: MIT
// A track's record as values of the database's columns, and back, bit for bit.
#pragma once
#include "dsp/annotate.h"
#include "engine/library/track_record.h"
#include "io/store/store_row.h"

/// Set the values, cost_ns and algorithm_version of a row; they point into `record`. What is not finite is NULL.
void library_columns_from_record(struct store_track *track, const struct track_record *record);
void library_columns_from_targets(struct store_targets *targets,
                                  const struct mastering_targets *from);
/// The record of a row that was read; its targets are zeroed if `targets` is NULL, its timing is.
/// @return 0; -EBADMSG: values that no analysis has; -ENOMEM. On error *out is NULL.
MUST_CHECK int library_columns_to_record(struct record **out, const struct store_track *track,
                                         const struct store_targets *targets);
enum { LIBRARY_TARGET_BYTES = 32 };
/// What settings are called in the database: the target is "preset", "asis" or a number of LUFS.
/// `settings` points into `target` and at static text.
void library_columns_settings(struct store_settings *settings, char target[LIBRARY_TARGET_BYTES],
                              const struct mastering_settings *from);
/// @return 0; -EBADMSG: not such settings.
MUST_CHECK int library_columns_settings_read(struct mastering_settings *settings,
                                             const struct store_settings *from);
