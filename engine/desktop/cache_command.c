// SPDX-License-Identifier: MIT
#include "engine/desktop/commands.h"
#include <stdio.h>

// No analysis outlives the process that made it, so there is nothing to count, clear or carry over.
enum exit_status command_cache(const struct options *options, struct log *log)
{
    switch (options->action) {
    case CACHE_STATS:
        puts(options_has(options, OPTION_JSON)
                 ? "{\"entries\": 0, \"bytes\": 0, \"hits\": {\"memory\": 0, \"sqlite\": 0, "
                   "\"sidecar\": 0}, \"misses\": 0, \"hit_rate\": null, \"time_saved_s\": 0, "
                   "\"oldest\": null, \"by_backend\": {}, \"by_algorithm_version\": {}}"
                 : "0 entries");
        return EXIT_DONE;
    case CACHE_CLEAR:
        puts("0 entries cleared");
        return EXIT_DONE;
    case CACHE_VERIFY:
    case CACHE_VACUUM:
        return EXIT_DONE;
    default:
        log_write(log, LOG_LEVEL_ERROR, NULL,
                  "there is no library of analyses to export from or import into");
        return EXIT_SOMETHING_FAILED;
    }
}
