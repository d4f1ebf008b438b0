// SPDX-License-Identifier: MIT
// The text of --help, --version and the short usage.
#pragma once
#include "dsp/annotate.h"
#include "engine/desktop/option_table.h"
#include <stdio.h>

/// Write the help of `command`, or of the whole program for COMMAND_NONE. @return 0, or -EIO: not all
/// of it could be written.
MUST_CHECK int help_write(FILE *out, enum command command);
/// Write "segue VERSION" and its licence. @return 0 or -EIO.
MUST_CHECK int help_write_version(FILE *out);
/// Write a few lines for who called the program without arguments. Goes to standard error: what cannot be
/// written is lost.
void help_write_usage(FILE *out);
