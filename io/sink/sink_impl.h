// SPDX-License-Identifier: MIT
// What a kind of sink provides to sink.c.
#pragma once
#include "io/sink/sink.h"

struct sink_ops {
    int (*close)(struct sink *sink); // frees it, too
    int (*start)(struct sink *sink);
    int (*stop)(struct sink *sink);
    void (*info)(const struct sink *sink, struct sink_info *info);
    enum sink_state (*state)(struct sink *sink);
    int (*error)(struct sink *sink);
    void (*wake)(struct sink *sink); // NULL: nobody waits
    uint64_t (*xruns)(const struct sink *sink);
};

/// The first member of each kind's own struct.
struct sink {
    const struct sink_ops *ops;
};

MUST_CHECK int sink_null_open(struct sink **out, const struct sink_config *config);
MUST_CHECK int sink_wav_open(struct sink **out, const struct sink_config *config, const char *path);
MUST_CHECK int sink_portaudio_open(struct sink **out, const struct sink_config *config);

/// Set what sink_error_text() says to this thread. @return `error`, for a return statement.
__attribute__((format(printf, 2, 3))) int sink_fail(int error, const char *format, ...);
