// SPDX-License-Identifier: MIT
// The commands and options there are, for the parser and for the help.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>

enum command {
    COMMAND_NONE,
    COMMAND_PLAY,
    COMMAND_ANALYZE,
    COMMAND_RENDER,
    COMMAND_REPORT,
    COMMAND_CACHE,
    COMMAND_DEVICES,
    COMMAND_COUNT
};

/// Index of an option in the table; the order of the help.
enum option {
    OPTION_DEVICE,
    OPTION_PRESET,
    OPTION_INTENSITY,
    OPTION_TARGET_LUFS,
    OPTION_NO_MASTERING,
    OPTION_RATE,
    OPTION_BUFFER_FRAMES,
    OPTION_SEEK,
    OPTION_SPEED,
    OPTION_SHUFFLE,
    OPTION_REPEAT,
    OPTION_DEMO,
    OPTION_FORMAT,
    OPTION_TYPE,
    OPTION_CHUNK,
    OPTION_ALBUM,
    OPTION_MEASURE,
    OPTION_OUTPUT,
    OPTION_JSON,
    OPTION_TABLE,
    OPTION_JOBS,
    OPTION_SIDECAR,
    OPTION_UNORDERED,
    OPTION_NULL,
    OPTION_FILES,
    OPTION_NO_CACHE,
    OPTION_NO_GPU,
    OPTION_NO_URING,
    OPTION_LOG_LEVEL,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COUNT
};

struct option_info {
    const char *name;  // "--device"
    const char *value; // "NAME" as the help shows it; NULL: takes none
    unsigned commands; // bit 1 << enum command for each that takes it
    const char *help;  // default and unit included; "\n" between lines
};

/// Static data, never NULL.
const struct option_info *option_info(enum option option);
/// Its short name, such as "-o", or NULL.
const char *option_brief(enum option option);
/// Index of the option called `name` (`bytes` long, dashes included, brief or not), or OPTION_COUNT.
enum option option_find(const char *name, size_t bytes);
/// "play" ..; NULL for COMMAND_NONE.
const char *command_name(enum command command);
/// The command called `name`, or COMMAND_NONE.
enum command command_find(const char *name);
/// The option that `command` takes and whose name is nearest to `name`, or NULL if none is near.
const char *option_nearest(const char *name, enum command command);
/// The same for commands.
const char *command_nearest(const char *name);
