// SPDX-License-Identifier: MIT
#include "engine/desktop/commands.h"
#include "io/sink/sink.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum exit_status command_devices(const struct options *options, struct log *log)
{
    (void)options; // the command takes none
    struct sink_device *devices;
    const int count = sink_list_devices(&devices);
    if (count < 0) {
        log_write(log, LOG_LEVEL_ERROR, NULL, "devices cannot be listed: %s", sink_error_text());
        return EXIT_SOMETHING_FAILED;
    }
    for (int i = 0; i < count; ++i)
        printf("%s\t%s Hz\t%.1f-%.1f ms\n", devices[i].name, devices[i].rates,
               devices[i].low_latency_s * 1e3, devices[i].high_latency_s * 1e3);
    free(devices);
    if (count == 0)
        log_write(
            log, LOG_LEVEL_WARN, NULL,
            "no output device; --device null plays without one, --device wav:FILE into a file");
    return EXIT_DONE;
}
