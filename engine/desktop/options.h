// SPDX-License-Identifier: MIT
// The command line: `segue COMMAND [OPTIONS] ARGS...` to one checked struct.
#pragma once
#include "dsp/annotate.h"
#include "dsp/mastering/mastering.h"
#include "engine/desktop/option_table.h"
#include "engine/log.h"
#include <stddef.h>
#include <stdint.h>

enum cache_action {
    CACHE_STATS,
    CACHE_CLEAR,
    CACHE_VERIFY,
    CACHE_VACUUM,
    CACHE_EXPORT,
    CACHE_IMPORT,
    CACHE_ACTIONS
};

enum render_type { RENDER_FLAC, RENDER_WAV };
enum render_format { RENDER_AS_SOURCE, RENDER_S16, RENDER_S24, RENDER_F32 };

/// What was asked for. Strings point into argv.
struct options {
    enum command command;
    uint64_t given;     // bit 1 << enum option for each that was there
    char *const *paths; // what is not an option, after the command (and the cache's action)
    size_t path_count;

    struct mastering_settings mastering;
    enum log_level log_level;

    // --- play
    const char *device;     // NULL: the system's
    uint32_t buffer_frames; // 0: the device's choice
    uint32_t rate_hz;       // 0: the first track's
    double seek_s;
    double speed; // INFINITY: max

    // --- render
    enum render_format format;
    enum render_type type; // of files in a folder
    int64_t chunk;         // -1: the whole file

    // --- report
    const char *output;

    // --- analyze
    unsigned jobs; // 0: as many as processors

    // --- cache
    enum cache_action action;

    char error[512]; // one line without a newline: what is wrong, and a hint
};

enum options_outcome {
    OPTIONS_RUN,     // do options->command
    OPTIONS_HELP,    // print the help of options->command (COMMAND_NONE: of all)
    OPTIONS_VERSION, // print the version
    OPTIONS_NOTHING, // no argument at all: print the short usage, exit 2
    OPTIONS_WRONG,   // print options->error, exit 2
};

/// Parse and check everything that can be checked without touching a file. Options may stand anywhere
/// before "--"; the last one counts where one is repeated. Moves the paths to the front of `argv`,
/// in order. Allocates nothing.
MUST_CHECK enum options_outcome options_parse(struct options *options, int argc, char **argv);
/// Whether an option was on the command line.
int options_has(const struct options *options, enum option option);
