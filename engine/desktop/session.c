// SPDX-License-Identifier: MIT
#include "engine/desktop/session.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NICE_OF_WORKERS = 10 };

static int is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

// A library is scanned in what is left over, by this program's player too; files named one by one are waited for,
// and where nothing plays the analysis is what the command itself is waiting for.
static int work_nice(const struct options *options)
{
    if (options->command == COMMAND_RENDER || options->command == COMMAND_REPORT)
        return 0;
    for (size_t i = 0; options->command == COMMAND_ANALYZE && i < options->path_count; ++i)
        if (is_folder(options->paths[i]))
            return YIELD_IDLE;
    return NICE_OF_WORKERS;
}

int session_start(struct scheduler **out, const struct options *options, struct log *log)
{
    struct scheduler_config config = {
        .loader = options_has(options, OPTION_NO_URING) ? LOADER_THREADS : LOADER_AUTO,
        .backend = {.workers = options->jobs,
                    .nice = work_nice(options),
                    .use_cuda = !options_has(options, OPTION_NO_GPU)},
        .cache = analysis_cache_config_default(),
        .settings = options->mastering,
        .renews = options->command == COMMAND_PLAY,
        .log = log};
    *out = NULL;
    char *database = NULL;
    int error = 0;
    struct library_config library = {.settings = options->mastering, .log = log};
    if (options_has(options, OPTION_NO_CACHE)) {
        config.cache.capacity_entries = 0;
    } else {
        error = library_path_database(&database);
        library.database = database;
        library.sidecars =
            options_has(options, OPTION_SIDECAR) ? LIBRARY_SIDECARS_WRITE : LIBRARY_SIDECARS_READ;
        config.library = &library;
    }
    // Without a home folder there are still sidecars.
    error = error == -ENOENT || !error ? scheduler_create(out, &config) : error;
    free(database);
    if (error)
        log_write(log, LOG_LEVEL_ERROR, NULL, "cannot start: %s", strerror(-error));
    return error;
}

const struct mastering_settings *session_mastering(const struct options *options)
{
    if (options_has(options, OPTION_NO_MASTERING) || options->mastering.intensity <= 0)
        return NULL;
    return &options->mastering;
}

const char *session_error_code(int error)
{
    switch (-error) {
    case ENOENT:
        return "not_found";
    case EACCES:
    case EPERM:
        return "not_permitted";
    case EISDIR:
        return "is_a_directory";
    case ESPIPE:
        return "not_a_file";
    case ENODATA:
        return "empty";
    case EBADMSG:
    case ENOMSG:
        return "corrupt";
    case ENOTSUP:
    case EPROTONOSUPPORT:
    case EPROTOTYPE:
        return "unsupported";
    case ESTALE:
        return "changed";
    case ENOMEM:
        return "no_memory";
    case ECANCELED:
        return "cancelled";
    default:
        return "io";
    }
}
