// SPDX-License-Identifier: MIT
#include "io/sink/sink.h"
#include "io/sink/sink_impl.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Per thread, as errno is: a failed open leaves no sink to ask.
static _Thread_local char error_text[256];

int sink_fail(int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error_text, sizeof error_text, format, arguments);
    va_end(arguments);
    if (length < 0)
        error_text[0] = '\0';
    return error;
}

const char *sink_error_text(void)
{
    return error_text;
}

int sink_open(struct sink **out, const struct sink_config *config)
{
    assert(out && config && config->pull);
    *out = NULL;
    error_text[0] = '\0';
    if (config->rate_hz == 0 || config->speed < 0.0 || config->speed != config->speed)
        return sink_fail(-EINVAL, "rate %u at speed %g makes no sense", config->rate_hz,
                         config->speed);

    const char *device = config->device;
    int error;
    if (device && strcmp(device, "null") == 0)
        error = sink_null_open(out, config);
    else if (device && strncmp(device, "wav:", 4) == 0)
        error = sink_wav_open(out, config, device + 4);
    else
        error = sink_portaudio_open(out, config);
    if (error && !error_text[0])
        return sink_fail(error, "%s", strerror(-error));
    return error;
}

int sink_close(struct sink **sink)
{
    assert(sink);
    if (!*sink)
        return 0;
    int error = (*sink)->ops->close(*sink);
    *sink = NULL;
    return error;
}

int sink_start(struct sink *sink)
{
    return sink->ops->start(sink);
}

int sink_stop(struct sink *sink)
{
    return sink->ops->stop(sink);
}

void sink_info(const struct sink *sink, struct sink_info *info)
{
    sink->ops->info(sink, info);
}

enum sink_state sink_state(struct sink *sink)
{
    return sink->ops->state(sink);
}

int sink_error(struct sink *sink)
{
    return sink->ops->error(sink);
}

void sink_wake(struct sink *sink)
{
    if (sink->ops->wake)
        sink->ops->wake(sink);
}

uint64_t sink_xruns(const struct sink *sink)
{
    return sink->ops->xruns(sink);
}
