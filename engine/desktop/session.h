// SPDX-License-Identifier: MIT
// From options to a running scheduler: what every command that touches audio needs.
#pragma once
#include "dsp/annotate.h"
#include "engine/desktop/options.h"
#include "engine/log.h"
#include "engine/prepare/scheduler.h"

/// Start the scheduler as the options ask. Failure is logged. @return 0 or -errno. On error *out is NULL.
MUST_CHECK int session_start(struct scheduler **out, const struct options *options,
                             struct log *log);
/// The settings that mastering runs with, or NULL with --no-mastering or --intensity 0.
const struct mastering_settings *session_mastering(const struct options *options);
/// A word for an error, as `error.code` in JSON: "not_found", "corrupt" ..
const char *session_error_code(int error);
