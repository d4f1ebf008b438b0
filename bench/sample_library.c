// SPDX-License-Identifier: MIT
#include "sample_library.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEATS = 24, LOUDNESS = 48 };

int sample_library_init(struct sample_library *library)
{
    struct track_record head = {.cost_ns = 700000000, .has_targets = 1, .codec = "flac"};
    struct analysis *analysis = analysis_create(BEATS, LOUDNESS);
    library->record = NULL;
    if (!analysis)
        return -ENOMEM;
    analysis->algorithm_version = ANALYSIS_ALGORITHM_VERSION;
    analysis->sample_rate_hz = 44100;
    analysis->channels = 2;
    analysis->frames = 44100 * 200;
    analysis->key.mode = KEY_MINOR;
    for (unsigned i = 0; i < BEATS; ++i)
        analysis->beats_s[i] = 0.5 * i;
    library->record = track_record_create(&head, analysis);
    free(analysis);
    return library->record ? 0 : -ENOMEM;
}

void sample_library_deinit(struct sample_library *library)
{
    record_unref(&library->record);
}

void sample_library_path(char path[SAMPLE_LIBRARY_PATH_BYTES], uint64_t number)
{
    snprintf(path, SAMPLE_LIBRARY_PATH_BYTES, "/music/%06u/track %u.flac", (unsigned)(number / 16),
             (unsigned)number); // under 2^32 tracks
}

void sample_library_row(const struct sample_library *library, struct sample_row *row,
                        uint64_t number)
{
    const struct mastering_settings settings = mastering_settings_default();
    const struct track_record *record = track_record_of(library->record);
    sample_library_path(row->path, number);
    row->track = (struct store_track){
        .path = row->path, .identity = {1, number, 30000000, 1, 1}, .created_s = 1700000000};
    memcpy(row->track.checksum.bytes, &number, sizeof(number));
    library_columns_from_record(&row->track, record);
    for (unsigned i = 0; i < STORE_ANALYSIS_COLUMNS; ++i)
        if (store_analysis_columns[i].type == STORE_REAL)
            row->track.values[i] = (struct store_value){
                .real = (double)(i + 1) / (double)(number + 2 * STORE_ANALYSIS_COLUMNS)};
    library_columns_settings(&row->targets.settings, row->target, &settings);
    library_columns_from_targets(&row->targets, &record->targets);
}

int sample_library_save(const struct sample_library *library, struct store *store, uint64_t number)
{
    struct sample_row row;
    sample_library_row(library, &row, number);
    return store_save(store, &row.track, &row.targets, NULL, STORE_SAVED_ALL);
}

int sample_library_fill(const struct sample_library *library, struct store *store, uint64_t from,
                        uint64_t count, uint64_t batch, enum store_durability durability)
{
    int error = 0;
    for (uint64_t i = 0; i < count && !error; i += batch) {
        error = store_begin(store, durability);
        for (uint64_t j = i; j < i + batch && j < count && !error; ++j)
            error = sample_library_save(library, store, from + j);
        if (!error)
            error = store_commit(store);
        store_checkpoint(store, STORE_CHECKPOINT_IF_LONG);
    }
    return error;
}
