// SPDX-License-Identifier: MIT
#include "bench_warm.h"
#include "bench.h"
#include "cache/analysis_cache.h"
#include "engine/library/library.h"
#include "engine/library/track_record.h"
#include "engine/prepare/extractor.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { STARTS = 1001, STAT_DECIDES_AFTER_MS = 40 };

// A track's bytes do not matter: none is read.
static int make_track(char *path, size_t bytes, const char *folder)
{
    snprintf(path, bytes, "%s/track.flac", folder);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    const int error = write(fd, path, 1) == 1 ? 0 : -EIO;
    close(fd);
    (void)poll(NULL, 0, STAT_DECIDES_AFTER_MS);
    return error;
}

static int look_up(struct library *library, struct library_lookup *lookup, const char *path)
{
    *lookup = (struct library_lookup){.path = path};
    int error = file_identity_read(&lookup->identity, path);
    if (error)
        return error;
    library_look_up(library, lookup);
    while (!library_reap(library)) {
        struct pollfd event = {.fd = library_event_fd(library), .events = POLLIN};
        (void)poll(&event, 1, -1);
    }
    return 0;
}

static void print_times(const char *tier, double times_us[STARTS], unsigned found)
{
    const double p50_us = bench_median(times_us, STARTS); // which sorts them
    printf("warm-start tier=%s p50_us=%.1f p99_us=%.1f found=%u/%d\n", tier, p50_us,
           times_us[STARTS * 99 / 100], found, STARTS);
}

static int start_from_sqlite(const struct library_config *config, const char *path)
{
    struct library *library;
    static double times_us[STARTS];
    unsigned found = 0;
    int error = library_create(&library, config);
    for (int i = -1; i < STARTS && !error; ++i) {
        struct library_lookup lookup;
        const int64_t begun_ns = bench_wall_ns();
        error = look_up(library, &lookup, path);
        if (i >= 0) { // before that the database was opened
            times_us[i] = (double)(bench_wall_ns() - begun_ns) / 1e3;
            found += lookup.outcome == LIBRARY_RECORD && lookup.tier == LIBRARY_SQLITE;
        }
        library_lookup_deinit(&lookup);
    }
    library_destroy(&library);
    if (!error)
        print_times("sqlite", times_us, found);
    return error;
}

static int start_from_memory(struct analysis_cache *cache, const char *path, struct record *record)
{
    static double times_us[STARTS];
    const struct mastering_settings settings = mastering_settings_default();
    unsigned char bytes[TRACK_KEY_BYTES];
    const struct analysis_cache_key key = {bytes, sizeof(bytes), path};
    struct file_identity identity;
    unsigned found = 0;
    int error = file_identity_read(&identity, path);
    track_key(bytes, &identity, &settings);
    if (!error)
        error = analysis_cache_insert(cache, &key, record, analysis_cache_generation(cache));
    for (int i = 0; i < STARTS && !error; ++i) {
        const int64_t begun_ns = bench_wall_ns();
        error = file_identity_read(&identity, path);
        track_key(bytes, &identity, &settings);
        struct record *kept = analysis_cache_acquire(cache, &key);
        times_us[i] = (double)(bench_wall_ns() - begun_ns) / 1e3;
        found += kept != NULL;
        record_unref(&kept);
    }
    if (!error)
        print_times("memory", times_us, found);
    return error;
}

static int save(const struct library_config *config, const char *path, struct record *record)
{
    struct library *library;
    struct library_lookup lookup;
    int error = library_create(&library, config);
    if (error)
        return error;
    error = look_up(library, &lookup, path);
    if (!error)
        library_save(library, &lookup, record);
    library_lookup_deinit(&lookup);
    library_destroy(&library);
    return error;
}

int bench_warm(const char *folder, const char *database, struct record *record)
{
    char path[128];
    struct log log;
    struct analysis_cache *cache = NULL;
    const struct analysis_cache_config cache_config = analysis_cache_config_default();
    log_init(&log, STDERR_FILENO, LOG_LEVEL_WARN);
    const struct library_config config = {
        .database = database, .settings = mastering_settings_default(), .log = &log};
    int error = make_track(path, sizeof(path), folder);
    if (!error)
        error = save(&config, path, record);
    if (!error)
        error = start_from_sqlite(&config, path);
    if (!error)
        error = analysis_cache_create(&cache, &cache_config);
    if (!error)
        error = start_from_memory(cache, path, record);
    analysis_cache_destroy(&cache);
    (void)unlink(path);
    return error;
}
