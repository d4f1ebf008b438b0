// SPDX-License-Identifier: MIT
// The program: reads the command line, runs the command, returns its exit status.
#include "engine/desktop/commands.h"
#include "engine/desktop/help.h"
#include "io/store/store.h"
#include <stdio.h>
#include <unistd.h>

static enum exit_status run(const struct options *options, struct log *log)
{
    switch (options->command) {
    case COMMAND_PLAY:
        return command_play(options, log);
    case COMMAND_ANALYZE:
        return command_analyze(options, log);
    case COMMAND_RENDER:
        return command_render(options, log);
    case COMMAND_REPORT:
        return command_report(options, log);
    case COMMAND_DEVICES:
        return command_devices(options, log);
    case COMMAND_CACHE:
        return command_cache(options, log);
    default:
        return EXIT_BAD_USAGE;
    }
}

int main(int argc, char **argv)
{
    struct options options;
    struct log log;
    switch (options_parse(&options, argc, argv)) {
    case OPTIONS_HELP:
        return help_write(stdout, options.command) ? EXIT_SOMETHING_FAILED : EXIT_DONE;
    case OPTIONS_VERSION:
        return help_write_version(stdout) ? EXIT_SOMETHING_FAILED : EXIT_DONE;
    case OPTIONS_NOTHING:
        (void)help_write_usage(stderr); // the exit status says it all
        return EXIT_BAD_USAGE;
    case OPTIONS_WRONG:
        log_init(&log, STDERR_FILENO, LOG_LEVEL_ERROR);
        log_write(&log, LOG_LEVEL_ERROR, NULL, "%s", options.error);
        return EXIT_BAD_USAGE;
    default:
        break;
    }
    log_init(&log, STDERR_FILENO, options.log_level);
    store_set_up_process();
    enum exit_status status = run(&options, &log);
    if (fflush(stdout) == EOF && status == EXIT_DONE)
        status = EXIT_SOMETHING_FAILED;
    return (int)status;
}
