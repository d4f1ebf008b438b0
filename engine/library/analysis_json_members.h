// SPDX-License-Identifier: MIT
// Which double of which struct has which name in JSON: one table for the writer and the reader.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>

struct json_member {
    const char *name;
    size_t offset; // of a double in its struct
};

enum {
    JSON_LOUDNESS_COUNT = 6,
    JSON_TEMPO_COUNT = 4,
    JSON_PROFILE_COUNT = 6,
    JSON_TARGETS_COUNT = 7,
    JSON_COMPRESSOR_COUNT = 6,
    JSON_LIMITER_COUNT = 2,
    JSON_DETAILS_COUNT = 5,
    JSON_SHORTFALL_COUNT = 3,
};

extern const struct json_member json_loudness[JSON_LOUDNESS_COUNT];     // struct loudness
extern const struct json_member json_tempo[JSON_TEMPO_COUNT];           // struct tempo
extern const struct json_member json_profile[JSON_PROFILE_COUNT];       // struct profile
extern const struct json_member json_targets[JSON_TARGETS_COUNT];       // struct mastering_targets
extern const struct json_member json_compressor[JSON_COMPRESSOR_COUNT]; // its compressor
extern const struct json_member json_limiter[JSON_LIMITER_COUNT];       // its limiter
extern const struct json_member json_details[JSON_DETAILS_COUNT];       // struct analysis
extern const char *const json_shortfall_names[JSON_SHORTFALL_COUNT];    // enum loudness_shortfall

/// The member's double in the struct at `base`.
const double *json_member_at_const(const struct json_member *member, const void *base);
double *json_member_at(const struct json_member *member, void *base);
