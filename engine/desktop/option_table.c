// SPDX-License-Identifier: MIT
#include "engine/desktop/option_table.h"
#include <assert.h>
#include <string.h>

enum {
    PLAY = 1 << COMMAND_PLAY,
    ANALYZE = 1 << COMMAND_ANALYZE,
    RENDER = 1 << COMMAND_RENDER,
    REPORT = 1 << COMMAND_REPORT,
    CACHE = 1 << COMMAND_CACHE,
    DEVICES = 1 << COMMAND_DEVICES,
    MASTERING = PLAY | ANALYZE | RENDER | REPORT,
    EVERY = (1 << COMMAND_COUNT) - 1, // and the program without a command
};

static const struct option_info table[OPTION_COUNT] = {
    [OPTION_DEVICE] = {"--device", "NAME", PLAY,
                       "output device: NAME or HOSTAPI:NAME of `segue devices`, null\n"
                       "(a clock without sound) or wav:FILE; default: the system's"},
    [OPTION_PRESET] = {"--preset", "NAME", MASTERING,
                       "adaptive, gentle, warm, bright, punchy or live;\ndefault: adaptive"},
    [OPTION_INTENSITY] = {"--intensity", "X", MASTERING,
                          "how much of the mastering, 0 (none, bit for bit) to 1;\ndefault: 1"},
    [OPTION_TARGET_LUFS] = {"--target-lufs", "X", MASTERING,
                            "loudness to reach, -36 to -6 LUFS, or asis (the track's own);\n"
                            "default: the preset's, -14 for adaptive"},
    [OPTION_NO_MASTERING] = {"--no-mastering", NULL, MASTERING,
                             "leave the sound as it is, bit for bit"},
    [OPTION_RATE] = {"--rate", "HZ", PLAY,
                     "rate of the device, 1000 to 768000 Hz;\ndefault: the first track's"},
    [OPTION_BUFFER_FRAMES] = {"--buffer-frames", "N", PLAY,
                              "frames the device asks for at a time, 1 to 65536;\n"
                              "default: the device's choice"},
    [OPTION_SEEK] = {"--seek", "SECONDS", PLAY,
                     "where the first entry begins, in seconds; default: 0"},
    [OPTION_SPEED] = {"--speed", "N", PLAY,
                      "clock of --device null: 0.001 to 1000000 times real time, or max;\n"
                      "default: 1"},
    [OPTION_SHUFFLE] = {"--shuffle", NULL, PLAY, "play in random order"},
    [OPTION_REPEAT] = {"--repeat", NULL, PLAY, "begin again after the last entry"},
    [OPTION_DEMO] = {"--demo", NULL, PLAY, "play four short pieces made by Segue itself"},
    [OPTION_FORMAT] = {"--format", "F", RENDER,
                       "samples of OUT: s16, s24 or f32 (not for FLAC);\n"
                       "default: the source's depth, f32 for lossy and float sources"},
    [OPTION_TYPE] =
        {"--type", "T", RENDER,
         "files made in a folder: flac (24 bits of lossy and float\nsources) or wav; default: flac"},
    [OPTION_CHUNK] = {"--chunk", "N", RENDER,
                      "render only chunk N, counted from 0 (15 s, one every 10 s)"},
    [OPTION_ALBUM] = {"--album", NULL, RENDER,
                      "one makeup for the files of an album, so that they keep their\n"
                      "loudness to each other; where the sound of one runs on into\n"
                      "the next, so does the mastering. Tags tell albums apart; files\n"
                      "without belong to those beside them"},
    [OPTION_MEASURE] = {"--measure", NULL, RENDER,
                        "write no file, only tell what would come of each"},
    [OPTION_OUTPUT] = {"--output", "FILE", REPORT, "the page to write, an HTML file"},
    [OPTION_JSON] =
        {"--json", NULL, ANALYZE | RENDER | CACHE,
         "JSON: one object a line for analyze (the default) and\nrender, one object for cache stats"},
    [OPTION_TABLE] = {"--table", NULL, ANALYZE, "a table to read instead of JSON"},
    [OPTION_JOBS] = {"--jobs", "N", ANALYZE,
                     "files analysed at the same time, 1 to 1024;\n"
                     "default: the number of processors"},
    [OPTION_SIDECAR] =
        {"--sidecar", NULL, ANALYZE,
         "also write each result beside its file, as NAME.25d,\nunless a good one is there"},
    [OPTION_UNORDERED] = {"--unordered", NULL, ANALYZE,
                          "print results as they are done, not in the order of the paths"},
    [OPTION_NULL] = {"--null", NULL, ANALYZE,
                     "paths read from standard input end with NUL, not newline"},
    [OPTION_FILES] = {"--files", NULL, CACHE,
                      "verify: read the files and compare their contents, too"},
    [OPTION_NO_CACHE] = {"--no-cache", NULL, MASTERING,
                         "neither read nor keep analyses, in memory or on disk"},
    [OPTION_NO_GPU] = {"--no-gpu", NULL, MASTERING, "analyse on the processor only"},
    [OPTION_NO_URING] = {"--no-uring", NULL, MASTERING, "read files with threads, not io_uring"},
    [OPTION_LOG_LEVEL] = {"--log-level", "LEVEL", EVERY,
                          "error, warn, info or debug, on standard error; default: info"},
    [OPTION_HELP] = {"--help", NULL, EVERY, "print this help and exit"},
    [OPTION_VERSION] = {"--version", NULL, EVERY, "print the version and exit"},
};

static const char *const briefs[OPTION_COUNT] = {[OPTION_OUTPUT] = "-o"};

static const char *const commands[COMMAND_COUNT] = {
    [COMMAND_PLAY] = "play",     [COMMAND_ANALYZE] = "analyze", [COMMAND_RENDER] = "render",
    [COMMAND_REPORT] = "report", [COMMAND_CACHE] = "cache",     [COMMAND_DEVICES] = "devices",
};

const struct option_info *option_info(enum option option)
{
    assert(option < OPTION_COUNT);
    return &table[option];
}

const char *option_brief(enum option option)
{
    assert(option < OPTION_COUNT);
    return briefs[option];
}

static int is_called(const char *called, const char *name, size_t bytes)
{
    return called && strlen(called) == bytes && memcmp(called, name, bytes) == 0;
}

enum option option_find(const char *name, size_t bytes)
{
    unsigned i = 0;
    while (i < OPTION_COUNT && !is_called(table[i].name, name, bytes) &&
           !is_called(briefs[i], name, bytes))
        ++i;
    return (enum option)i;
}

const char *command_name(enum command command)
{
    assert(command < COMMAND_COUNT);
    return commands[command];
}

enum command command_find(const char *name)
{
    for (unsigned i = COMMAND_NONE + 1; i < COMMAND_COUNT; ++i)
        if (strcmp(commands[i], name) == 0)
            return (enum command)i;
    return COMMAND_NONE;
}

enum { LONGEST_NAME = 32 }; // longer ones are near to nothing

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
    const unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

// Levenshtein's distance, one row of its matrix at a time.
static unsigned distance(const char *a, const char *b)
{
    const size_t a_bytes = strlen(a), b_bytes = strlen(b);
    if (a_bytes >= LONGEST_NAME || b_bytes >= LONGEST_NAME)
        return LONGEST_NAME;
    unsigned row[LONGEST_NAME];
    for (unsigned j = 0; j <= b_bytes; ++j)
        row[j] = j;
    for (unsigned i = 1; i <= a_bytes; ++i) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b_bytes; ++j) {
            const unsigned above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_bytes];
}

enum { NEAR = 3 }; // the first distance that is no likely slip

const char *option_nearest(const char *name, enum command command)
{
    const char *best = NULL;
    unsigned least = NEAR;
    for (unsigned i = 0; i < OPTION_COUNT; ++i) {
        if (command != COMMAND_NONE && !(table[i].commands & (1U << command)))
            continue;
        const unsigned d = distance(name, table[i].name);
        if (d < least) {
            least = d;
            best = table[i].name;
        }
    }
    return best;
}

const char *command_nearest(const char *name)
{
    const char *best = NULL;
    unsigned least = NEAR;
    for (unsigned i = COMMAND_NONE + 1; i < COMMAND_COUNT; ++i) {
        const unsigned d = distance(name, commands[i]);
        if (d < least) {
            least = d;
            best = commands[i];
        }
    }
    return best;
}
