// SPDX-License-Identifier: MIT
// The commands of the program: each does what its options ask and returns the exit status.
#pragma once
#include "engine/desktop/options.h"
#include "engine/log.h"

enum exit_status { EXIT_DONE, EXIT_SOMETHING_FAILED, EXIT_BAD_USAGE };

/// All: results on stdout, log and errors on stderr. Main thread, before any other thread exists.
enum exit_status command_play(const struct options *options, struct log *log);
enum exit_status command_analyze(const struct options *options, struct log *log);
enum exit_status command_render(const struct options *options, struct log *log);
enum exit_status command_report(const struct options *options, struct log *log);
enum exit_status command_devices(const struct options *options, struct log *log);
enum exit_status command_cache(const struct options *options, struct log *log);
