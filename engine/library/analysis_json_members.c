// SPDX-License-Identifier: MIT
#include "engine/library/analysis_json_members.h"
#include "dsp/analysis.h"
#include "dsp/mastering/mastering.h"
#include <assert.h>

const struct json_member json_loudness[JSON_LOUDNESS_COUNT] = {
    {"integrated_lufs", offsetof(struct loudness, integrated_lufs)},
    {"range_lu", offsetof(struct loudness, range_lu)},
    {"true_peak_dbtp", offsetof(struct loudness, true_peak_dbtp)},
    {"sample_peak_dbfs", offsetof(struct loudness, sample_peak_dbfs)},
    {"momentary_max_lufs", offsetof(struct loudness, momentary_max_lufs)},
    {"short_term_max_lufs", offsetof(struct loudness, short_term_max_lufs)},
};

const struct json_member json_tempo[JSON_TEMPO_COUNT] = {
    {"bpm", offsetof(struct tempo, bpm)},
    {"alternative_bpm", offsetof(struct tempo, alternative_bpm)},
    {"confidence", offsetof(struct tempo, confidence)},
    {"first_beat_s", offsetof(struct tempo, first_beat_s)},
};

const struct json_member json_profile[JSON_PROFILE_COUNT] = {
    {"energy", offsetof(struct profile, energy)},
    {"dynamic_range", offsetof(struct profile, dynamic_range)},
    {"brightness", offsetof(struct profile, brightness)},
    {"warmth", offsetof(struct profile, warmth)},
    {"rhythm", offsetof(struct profile, rhythm)},
    {"harmony", offsetof(struct profile, harmony)},
};

const struct json_member json_targets[JSON_TARGETS_COUNT] = {
    {"target_lufs", offsetof(struct mastering_targets, target_lufs)},
    {"ceiling_dbtp", offsetof(struct mastering_targets, ceiling_dbtp)},
    {"width", offsetof(struct mastering_targets, width)},
    {"makeup_db", offsetof(struct mastering_targets, makeup_db)},
    {"predicted_lufs", offsetof(struct mastering_targets, predicted_lufs)},
    {"predicted_dbtp", offsetof(struct mastering_targets, predicted_dbtp)},
    {"limiter_reduction_db", offsetof(struct mastering_targets, limiter_reduction_db)},
};

// Offsets inside the unnamed struct of the compressor, then of the limiter. The names of members cannot
// stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define WITHIN(group, field)                                                                       \
    {                                                                                              \
#        field, offsetof(struct mastering_targets, group.field) -                                  \
                    offsetof(struct mastering_targets, group)                                      \
    }
// NOLINTEND(bugprone-macro-parentheses)

const struct json_member json_compressor[JSON_COMPRESSOR_COUNT] = {
    WITHIN(compressor, threshold_db), WITHIN(compressor, ratio),     WITHIN(compressor, knee_db),
    WITHIN(compressor, attack_s),     WITHIN(compressor, release_s), WITHIN(compressor, mix),
};

const struct json_member json_limiter[JSON_LIMITER_COUNT] = {
    WITHIN(limiter, lookahead_s),
    WITHIN(limiter, release_s),
};

const struct json_member json_details[JSON_DETAILS_COUNT] = {
    {"silence_head_s", offsetof(struct analysis, silence_head_s)},
    {"silence_tail_s", offsetof(struct analysis, silence_tail_s)},
    {"salience", offsetof(struct analysis, tempo.salience)},
    {"alternative_salience", offsetof(struct analysis, tempo.alternative_salience)},
    {"onsets_per_s", offsetof(struct analysis, tempo.onsets_per_s)},
};

const char *const json_shortfall_names[JSON_SHORTFALL_COUNT] = {
    [SHORTFALL_NONE] = "none", [SHORTFALL_LIMITER] = "limiter", [SHORTFALL_SILENCE] = "silence"};

const double *json_member_at_const(const struct json_member *member, const void *base)
{
    assert(member && base);
    return (const double *)(const void *)((const char *)base + member->offset);
}

double *json_member_at(const struct json_member *member, void *base)
{
    assert(member && base);
    return (double *)(void *)((char *)base + member->offset);
}
