// SPDX-License-Identifier: MIT
// What the suites of the library share: a track, a database and a log in a scratch folder.
#pragma once
#include "engine/library/library.h"
#include "engine/library/track_record.h"
#include "io/store/store.h"
#include "support/sample_record.h"
#include "support/scratch.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> // needs the four above: stdarg, stddef, stdint, setjmp

struct fixture {
    char folder[SCRATCH_PATH_BYTES], database[SCRATCH_PATH_BYTES], track[SCRATCH_PATH_BYTES],
        log_path[SCRATCH_PATH_BYTES];
    struct log log;
    struct library_config config;
    struct library *library;
};

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// Long enough ago for stat to decide; the time of the inode's change cannot be set, so it is waited for.
static inline void age(const char *path, time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = 1500000000}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    struct library_file file;
    do
        assert_int_equal(library_path_identify(path, &file), 0);
    while (file.is_fresh);
}

static inline int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    scratch_create(f.folder);
    scratch_path(f.database, f.folder, "library.db");
    scratch_path(f.track, f.folder, "track.wav");
    scratch_path(f.log_path, f.folder, "log");
    log_init(&f.log, open(f.log_path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600),
             LOG_LEVEL_WARN);
    f.config = (struct library_config){
        .database = f.database, .settings = mastering_settings_default(), .log = &f.log};
    write_file(f.track, "the bytes of a track");
    age(f.track, 1600000000);
    *state = &f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    library_destroy(&f->library);
    close(f->log.fd);
    scratch_remove(f->folder);
    return 0;
}

static inline void start(struct fixture *f)
{
    library_destroy(&f->library);
    assert_int_equal(library_create(&f->library, &f->config), 0);
}

static inline void reap(struct fixture *f, struct library_lookup *expected)
{
    struct library_lookup *answer;
    while (!(answer = library_reap(f->library))) {
        struct pollfd event = {.fd = library_event_fd(f->library), .events = POLLIN};
        assert_int_equal(poll(&event, 1, 60000), 1);
    }
    assert_ptr_equal(answer, expected);
}

static inline struct library_lookup look_up(struct fixture *f, const char *path)
{
    struct library_lookup lookup = {.path = path};
    struct library_file file;
    assert_int_equal(library_path_identify(path, &file), 0);
    lookup.identity = file.identity;
    library_look_up(f->library, &lookup);
    reap(f, &lookup);
    return lookup;
}

// Look up, and save as if it had been computed.
static inline void compute(struct fixture *f, const char *path, struct record *record)
{
    struct library_lookup lookup = look_up(f, path);
    assert_int_equal(lookup.outcome, LIBRARY_MISS);
    library_save(f->library, &lookup, record);
    library_lookup_deinit(&lookup);
}

static inline void assert_found(struct fixture *f, const char *path, enum library_tier tier,
                                const struct record *expected)
{
    struct library_lookup lookup = look_up(f, path);
    assert_int_equal(lookup.outcome, LIBRARY_RECORD);
    assert_int_equal(lookup.tier, tier);
    sample_record_assert_equal(lookup.record, expected);
    library_lookup_deinit(&lookup);
}

static inline void assert_missed(struct fixture *f, const char *path)
{
    struct library_lookup lookup = look_up(f, path);
    assert_int_equal(lookup.outcome, LIBRARY_MISS);
    assert_null(lookup.record);
    library_lookup_deinit(&lookup);
}

static inline unsigned warnings(struct fixture *f)
{
    char text[8192];
    const ssize_t bytes = pread(f->log.fd, text, sizeof(text) - 1, 0);
    assert_true(bytes >= 0);
    unsigned count = 0;
    for (ssize_t i = 0; i < bytes; ++i)
        count += text[i] == '\n';
    return count;
}

static inline struct store_stats stats_of(struct fixture *f)
{
    struct store *store;
    struct store_stats stats;
    assert_int_equal(store_open_reader(&store, f->database), 0);
    assert_int_equal(store_stats(store, &stats), 0);
    store_close(&store);
    return stats;
}
