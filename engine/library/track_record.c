// SPDX-License-Identifier: MIT
#include "engine/library/track_record.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct track_record) % _Alignof(struct analysis) == 0,
               "the analysis stands right behind the head");

struct record *track_record_create(const struct track_record *head, const struct analysis *analysis)
{
    struct record *record = record_create(sizeof(*head) + analysis_bytes(analysis));
    if (!record)
        return NULL;
    struct track_record *t = record_data_mutable(record);
    *t = *head;
    memcpy(t + 1, analysis, analysis_bytes(analysis));
    return record;
}

struct record *track_record_pack(const struct backend_job *job, const char *codec,
                                 const struct track_record *known)
{
    const struct analysis *analysis = job->analysis ? job->analysis : job->known;
    assert(analysis && (job->analysis || known));
    struct track_record head = {
        .targets = job->targets, .timing = job->timing, .has_targets = 1, .damage = job->error};
    head.cost_ns = known ? known->cost_ns : job->timing.total_ns;
    head.on_cuda = known ? known->on_cuda : strcmp(job->backend, "cuda") == 0;
    snprintf(head.codec, sizeof(head.codec), "%s", known ? known->codec : codec);
    return track_record_create(&head, analysis);
}

const struct analysis *track_record_analysis(const struct track_record *track_record)
{
    return (const struct analysis *)(track_record + 1);
}

const struct track_record *track_record_of(const struct record *record)
{
    return record_data(record);
}

void track_key(unsigned char key[TRACK_KEY_BYTES], const struct file_identity *identity,
               const struct mastering_settings *settings)
{
    // Only the goal that counts goes in: a fixed target left over from another goal changes nothing.
    const double target = settings->goal == LOUDNESS_FIXED ? settings->target_lufs : 0.0;
    const uint32_t words[4] = {ANALYSIS_ALGORITHM_VERSION, (uint32_t)settings->preset,
                               (uint32_t)settings->goal, 0};
    unsigned char *p = key;
    memcpy(p, identity, sizeof(*identity));
    p += sizeof(*identity);
    memcpy(p, words, sizeof(words));
    p += sizeof(words);
    memcpy(p, &target, sizeof(target));
    p += sizeof(target);
    memcpy(p, &settings->intensity, sizeof(settings->intensity));
}
