// SPDX-License-Identifier: MIT
#include "engine/desktop/options.h"
#include "dsp/pcm.h"
#include "engine/escape.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_BUFFER_FRAMES = 65536,
    MAX_JOBS = 1024,
    MAX_CHUNK = INT32_MAX,
};
static const double max_seek_s = 1e7;
static const double min_speed = 1e-3, max_speed = 1e6;
static const double min_target_lufs = -36, max_target_lufs = -6;

static const char *const actions[CACHE_ACTIONS] = {
    [CACHE_STATS] = "stats",   [CACHE_CLEAR] = "clear",   [CACHE_VERIFY] = "verify",
    [CACHE_VACUUM] = "vacuum", [CACHE_EXPORT] = "export", [CACHE_IMPORT] = "import",
};

// Note what is wrong; what the user typed is escaped. @return -EINVAL, for the caller to pass on.
static int refuse(struct options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(struct options *options, const char *format, ...)
{
    char raw[256];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    if (length >= 0)
        (void)escape_text(options->error, sizeof options->error, raw); // cut where too long
    return -EINVAL;
}

static int refuse_value(struct options *options, enum option option, const char *value,
                        const char *expected)
{
    return refuse(options, "%s: \"%.60s\" is not %s", option_info(option)->name, value, expected);
}

// A decimal number and nothing else: no space, no hexadecimal, no "nan" or "inf".
static int parse_number(const char *text, double *number)
{
    if (!*text || strspn(text, "0123456789+-.eE") != strlen(text))
        return -EINVAL;
    char *end;
    *number = strtod(text, &end);
    return *end || !isfinite(*number) ? -EINVAL : 0;
}

static int parse_count(const char *text, uint64_t least, uint64_t most, uint64_t *count)
{
    if (!*text || strspn(text, "0123456789") != strlen(text))
        return -EINVAL;
    errno = 0;
    *count = strtoull(text, NULL, 10);
    return errno || *count < least || *count > most ? -EINVAL : 0;
}

static int set_device(struct options *options, const char *value)
{
    if (!*value || strcmp(value, "wav:") == 0)
        return refuse_value(options, OPTION_DEVICE, value,
                            "a device; see `segue devices`, or use null or wav:FILE");
    options->device = value;
    return 0;
}

static int set_preset(struct options *options, const char *value)
{
    const int preset = mastering_preset_parse(value);
    if (preset < 0)
        return refuse_value(options, OPTION_PRESET, value,
                            "one of adaptive, gentle, warm, bright, punchy, live");
    options->mastering.preset = (enum mastering_preset)preset;
    return 0;
}

static int set_intensity(struct options *options, const char *value)
{
    double x;
    if (parse_number(value, &x) || x < 0 || x > 1)
        return refuse_value(options, OPTION_INTENSITY, value, "a number from 0 to 1");
    options->mastering.intensity = x;
    return 0;
}

static int set_target(struct options *options, const char *value)
{
    double x;
    if (strcmp(value, "asis") == 0) {
        options->mastering.goal = LOUDNESS_AS_IS;
        return 0;
    }
    if (parse_number(value, &x) || x < min_target_lufs || x > max_target_lufs)
        return refuse_value(options, OPTION_TARGET_LUFS, value,
                            "a loudness from -36 to -6 LUFS, or asis");
    options->mastering.goal = LOUDNESS_FIXED;
    options->mastering.target_lufs = x;
    return 0;
}

static int set_speed(struct options *options, const char *value)
{
    double x = INFINITY;
    if (strcmp(value, "max") != 0 && (parse_number(value, &x) || x < min_speed || x > max_speed))
        return refuse_value(options, OPTION_SPEED, value, "a factor from 0.001 to 1000000, or max");
    options->speed = x;
    return 0;
}

static int set_seek(struct options *options, const char *value)
{
    double x;
    if (parse_number(value, &x) || x < 0 || x > max_seek_s)
        return refuse_value(options, OPTION_SEEK, value, "a time from 0 to 10000000 seconds");
    options->seek_s = x;
    return 0;
}

static int set_format(struct options *options, const char *value)
{
    static const char *const names[] = {
        [RENDER_S16] = "s16", [RENDER_S24] = "s24", [RENDER_F32] = "f32"};
    for (unsigned i = RENDER_S16; i <= RENDER_F32; ++i) {
        if (strcmp(names[i], value) == 0) {
            options->format = (enum render_format)i;
            return 0;
        }
    }
    return refuse_value(options, OPTION_FORMAT, value, "one of s16, s24, f32");
}

static int set_type(struct options *options, const char *value)
{
    if (strcmp(value, "wav") == 0)
        options->type = RENDER_WAV;
    else if (strcmp(value, "flac") == 0)
        options->type = RENDER_FLAC;
    else
        return refuse_value(options, OPTION_TYPE, value, "flac or wav");
    return 0;
}

static int set_log_level(struct options *options, const char *value)
{
    const int level = log_level_parse(value);
    if (level < 0)
        return refuse_value(options, OPTION_LOG_LEVEL, value, "one of error, warn, info, debug");
    options->log_level = (enum log_level)level;
    return 0;
}

static int set_count(struct options *options, enum option option, const char *value)
{
    uint64_t count;
    switch (option) {
    case OPTION_BUFFER_FRAMES:
        if (parse_count(value, 1, MAX_BUFFER_FRAMES, &count))
            return refuse_value(options, option, value, "a number of frames from 1 to 65536");
        options->buffer_frames = (uint32_t)count;
        return 0;
    case OPTION_RATE:
        if (parse_count(value, PCM_MIN_RATE_HZ, PCM_MAX_RATE_HZ, &count))
            return refuse_value(options, option, value, "a rate from 1000 to 768000 Hz");
        options->rate_hz = (uint32_t)count;
        return 0;
    case OPTION_JOBS:
        if (parse_count(value, 1, MAX_JOBS, &count))
            return refuse_value(options, option, value, "a number of jobs from 1 to 1024");
        options->jobs = (unsigned)count;
        return 0;
    default:
        assert(option == OPTION_CHUNK);
        if (parse_count(value, 0, MAX_CHUNK, &count))
            return refuse_value(options, option, value, "the number of a chunk, from 0");
        options->chunk = (int64_t)count;
        return 0;
    }
}

static int set_value(struct options *options, enum option option, const char *value)
{
    switch (option) {
    case OPTION_DEVICE:
        return set_device(options, value);
    case OPTION_PRESET:
        return set_preset(options, value);
    case OPTION_INTENSITY:
        return set_intensity(options, value);
    case OPTION_TARGET_LUFS:
        return set_target(options, value);
    case OPTION_SPEED:
        return set_speed(options, value);
    case OPTION_SEEK:
        return set_seek(options, value);
    case OPTION_FORMAT:
        return set_format(options, value);
    case OPTION_TYPE:
        return set_type(options, value);
    case OPTION_LOG_LEVEL:
        return set_log_level(options, value);
    case OPTION_OUTPUT:
        options->output = value;
        return *value ? 0 : refuse_value(options, option, value, "the name of a file");
    default:
        return set_count(options, option, value);
    }
}

static int refuse_unknown(struct options *options, const char *name)
{
    const char *nearest = option_nearest(name, options->command);
    if (nearest)
        return refuse(options, "unknown option %.60s (did you mean %s?)", name, nearest);
    return refuse(options, "unknown option %.60s (a file of that name goes after --)", name);
}

// Take the option at argv[*i], and its value if that is the next argument. @return 0 or -EINVAL.
static int take_option(struct options *options, int argc, char **argv, int *i)
{
    const char *argument = argv[*i];
    const size_t bytes = strcspn(argument, "=");
    const char *value = argument[bytes] ? argument + bytes + 1 : NULL;
    const enum option option = option_find(argument, bytes);
    if (option == OPTION_COUNT)
        return refuse_unknown(options, argument);
    const struct option_info *info = option_info(option);
    options->given |= UINT64_C(1) << option;
    if (!info->value)
        return value ? refuse(options, "%s takes no value", info->name) : 0;
    if (!value && *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0)
        value = argv[++*i];
    if (!value)
        return refuse(options, "%s needs a value: %s %s", info->name, info->name, info->value);
    return set_value(options, option, value);
}

static int take_command(struct options *options, const char *name)
{
    options->command = command_find(name);
    if (options->command != COMMAND_NONE)
        return 0;
    const char *nearest = command_nearest(name);
    if (nearest)
        return refuse(options, "unknown command \"%.60s\" (did you mean %s?)", name, nearest);
    return refuse(
        options,
        "unknown command \"%.60s\"; there are play, analyze, render, report, cache, devices", name);
}

static int refuse_foreign_options(struct options *options)
{
    for (unsigned i = 0; i < OPTION_COUNT; ++i) {
        const struct option_info *info = option_info((enum option)i);
        if (options_has(options, (enum option)i) && !(info->commands & (1U << options->command)))
            return refuse(options, "%s is not an option of `segue %s`", info->name,
                          command_name(options->command));
    }
    return 0;
}

static int check_play(struct options *options)
{
    if (options_has(options, OPTION_DEMO) && options->path_count > 0)
        return refuse(options, "--demo plays its own pieces: it takes no paths");
    if (!options_has(options, OPTION_DEMO) && options->path_count == 0)
        return refuse(options, "play needs at least one PATH or PLAYLIST, or --demo");
    if (options_has(options, OPTION_SPEED) &&
        (!options->device || strcmp(options->device, "null") != 0))
        return refuse(options, "--speed is for --device null only");
    return 0;
}

static int check_analyze(struct options *options)
{
    if (options->path_count == 0)
        return refuse(options,
                      "analyze needs at least one PATH (- reads paths from standard input)");
    if (options_has(options, OPTION_JSON) && options_has(options, OPTION_TABLE))
        return refuse(options, "--json and --table exclude each other");
    if (options_has(options, OPTION_NO_CACHE) && options_has(options, OPTION_SIDECAR))
        return refuse(options, "--no-cache makes no file: it excludes --sidecar");
    return 0;
}

static int has_extension(const char *path, const char *extension)
{
    const size_t bytes = strlen(path), n = strlen(extension);
    return bytes > n && strcasecmp(path + bytes - n, extension) == 0;
}

// The files there are decide the rest.
static int check_render(struct options *options)
{
    const int measures = options_has(options, OPTION_MEASURE);
    const char *chunk_bars = measures                             ? "--measure"
                             : options_has(options, OPTION_ALBUM) ? "--album"
                                                                  : NULL;
    if (measures && options->path_count == 0)
        return refuse(options, "render --measure needs at least one PATH");
    if (!measures && options->path_count < 2)
        return refuse(options, "render needs IN and OUT, got %zu path%s", options->path_count,
                      options->path_count == 1 ? "" : "s");
    if (options_has(options, OPTION_CHUNK) && chunk_bars)
        return refuse(options, "--chunk excludes %s: it is of one file's audio", chunk_bars);
    const char *out = options->paths[options->path_count - 1];
    if (!measures && options->format == RENDER_F32 && options->path_count == 2 &&
        has_extension(out, ".flac"))
        return refuse(options,
                      "--format f32: FLAC holds no float samples; use s24, or a .wav file");
    if (!measures && options->format == RENDER_F32 && options->type == RENDER_FLAC &&
        !has_extension(out, ".wav"))
        return refuse(options, "--format f32: FLAC holds no float samples; use s24, or --type wav");
    return 0;
}

static int check_report(struct options *options)
{
    if (options->path_count == 0)
        return refuse(options, "report needs at least one PATH");
    if (!options->output)
        return refuse(options, "report needs --output FILE, the page to write");
    if (!has_extension(options->output, ".html") && !has_extension(options->output, ".htm"))
        return refuse(options, "--output must end in .html: %.120s", options->output);
    return 0;
}

// The first of the cache's arguments says what to do; the rest are paths.
static int take_action(struct options *options)
{
    if (options->path_count == 0)
        return refuse(options, "cache needs one of stats, clear, verify, vacuum, export, import");
    const char *name = options->paths[0];
    unsigned i = 0;
    while (i < CACHE_ACTIONS && strcmp(actions[i], name) != 0)
        ++i;
    if (i == CACHE_ACTIONS)
        return refuse(options,
                      "cache: unknown action \"%.60s\"; there are stats, clear, verify, vacuum, "
                      "export, import",
                      name);
    options->action = (enum cache_action)i;
    ++options->paths;
    --options->path_count;
    return 0;
}

static int check_cache(struct options *options)
{
    if (take_action(options))
        return -EINVAL;
    const char *name = actions[options->action];
    if (options_has(options, OPTION_JSON) && options->action != CACHE_STATS)
        return refuse(options, "--json is for cache stats, not cache %s", name);
    if (options_has(options, OPTION_FILES) && options->action != CACHE_VERIFY)
        return refuse(options, "--files is for cache verify, not cache %s", name);
    const int needs_file = options->action == CACHE_EXPORT || options->action == CACHE_IMPORT;
    if (needs_file && options->path_count != 1)
        return refuse(options, "cache %s needs one FILE", name);
    if (!needs_file && options->action != CACHE_CLEAR && options->path_count > 0)
        return refuse(options, "cache %s takes no paths", name);
    return 0;
}

static int check_command(struct options *options)
{
    if (options->command == COMMAND_NONE)
        return refuse(options,
                      "no command; there are play, analyze, render, report, cache, devices");
    if (refuse_foreign_options(options))
        return -EINVAL;
    for (size_t i = 0; i < options->path_count; ++i)
        if (!*options->paths[i])
            return refuse(options, "an empty PATH");
    switch (options->command) {
    case COMMAND_PLAY:
        return check_play(options);
    case COMMAND_ANALYZE:
        return check_analyze(options);
    case COMMAND_RENDER:
        return check_render(options);
    case COMMAND_REPORT:
        return check_report(options);
    case COMMAND_CACHE:
        return check_cache(options);
    default:
        assert(options->command == COMMAND_DEVICES);
        return options->path_count > 0 ? refuse(options, "devices takes no paths") : 0;
    }
}

static void set_defaults(struct options *options)
{
    memset(options, 0, sizeof *options);
    options->mastering = mastering_settings_default();
    options->log_level = LOG_LEVEL_INFO;
    options->speed = 1;
    options->chunk = -1;
}

// Options into `options`, the rest to the front of argv[1 ..]. @return 0 or -EINVAL; stops at --help and
// --version, which need nothing else to be right.
static int take_arguments(struct options *options, int argc, char **argv)
{
    int is_open = 1; // until "--"
    size_t kept = 0;
    for (int i = 1; i < argc; ++i) {
        char *argument = argv[i];
        int error = 0;
        if (is_open && strcmp(argument, "--") == 0)
            is_open = 0;
        else if (is_open && argument[0] == '-' && argument[1])
            error = take_option(options, argc, argv, &i);
        else if (options->command == COMMAND_NONE)
            error = take_command(options, argument);
        else
            argv[1 + kept++] = argument;
        if (error)
            return error;
        if (options_has(options, OPTION_HELP) || options_has(options, OPTION_VERSION))
            return 0;
    }
    options->paths = argv + 1;
    options->path_count = kept;
    return 0;
}

enum options_outcome options_parse(struct options *options, int argc, char **argv)
{
    assert(options && argv && argc >= 0);
    set_defaults(options);
    if (argc <= 1)
        return OPTIONS_NOTHING;
    int error = take_arguments(options, argc, argv);
    if (!error && options_has(options, OPTION_HELP))
        return OPTIONS_HELP;
    if (!error && options_has(options, OPTION_VERSION))
        return OPTIONS_VERSION;
    if (!error)
        error = check_command(options);
    return error ? OPTIONS_WRONG : OPTIONS_RUN;
}

int options_has(const struct options *options, enum option option)
{
    return (options->given >> option & 1) != 0;
}
