// SPDX-License-Identifier: MIT
// What the suites of the player share: a folder of files, a player into a WAV file, what it played.
#pragma once
#include "engine/monotonic.h"
#include "engine/player/player.h"
#include "support/rng.h"
#include "support/scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RATE = 44100, FRAMES = 3 * RATE };

struct fixture {
    char folder[SCRATCH_PATH_BYTES];
    char out[SCRATCH_PATH_BYTES];
    char device[SCRATCH_PATH_BYTES + 8];
    struct log log;
    int log_fd;
    struct scheduler *scheduler;
    struct player *player;
    int16_t *music;
    int (*open_sink)(void *open_context, struct sink **out, const struct sink_config *config);
    void *open_context;
    uint32_t buffer_frames;
};

struct setup {
    enum loader_backend loader;
    size_t cache_entries;
    const struct mastering_settings *settings;
    const char *device; // NULL: a WAV file
    double speed;
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    scratch_create(f->folder);
    scratch_path(f->out, f->folder, "out.wav");
    snprintf(f->device, sizeof(f->device), "wav:%s", f->out);
    f->log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_init(&f->log, getenv("SEGUE_TEST_LOG") ? 2 : f->log_fd, LOG_LEVEL_ERROR);
    f->music = scratch_music(1, FRAMES, RATE);
    *state = f;
    return 0;
}

static inline void close_player(struct fixture *f)
{
    assert_int_equal(player_destroy(&f->player), 0);
    scheduler_destroy(&f->scheduler);
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    close_player(f);
    scratch_remove(f->folder);
    close(f->log_fd);
    free(f->music);
    free(f);
    return 0;
}

static inline void open_player(struct fixture *f, const struct setup *setup)
{
    struct scheduler_config scheduler = {.loader = setup->loader,
                                         .backend = {.workers = 2, .nice = 0},
                                         .cache = analysis_cache_config_default(),
                                         .settings = mastering_settings_default(),
                                         .log = &f->log};
    scheduler.cache.capacity_entries = setup->cache_entries;
    assert_int_equal(scheduler_create(&f->scheduler, &scheduler), 0);
    const struct player_config config = {.scheduler = f->scheduler,
                                         .device = setup->device ? setup->device : f->device,
                                         .speed = setup->speed > 0 ? setup->speed : INFINITY,
                                         .buffer_frames = f->buffer_frames,
                                         .settings = setup->settings,
                                         .open_sink = f->open_sink,
                                         .open_context = f->open_context,
                                         .log = &f->log};
    assert_int_equal(player_create(&f->player, &config), 0);
}

static inline uint64_t add_file(struct fixture *f, const char *name)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, name);
    uint64_t id;
    assert_int_equal(player_add(f->player, path, &id), 0);
    return id;
}

static inline void write_file(struct fixture *f, const char *name, size_t start, size_t end)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, f->folder, name);
    scratch_write_s16(path, f->music + 2 * start, end - start, RATE, 2);
}

static inline void play_to_the_end(struct fixture *f)
{
    const int64_t limit = monotonic_ns() + (int64_t)120 * 1000000000;
    while (player_update(f->player, monotonic_ns() + 20000000) != PLAYER_STOPPED)
        assert_true(monotonic_ns() < limit);
}

static inline struct player_totals play_all(struct fixture *f)
{
    assert_int_equal(player_play(f->player, 0, 0.0), 0);
    play_to_the_end(f);
    struct player_totals totals;
    player_totals(f->player, &totals);
    assert_int_equal(player_destroy(&f->player), 0);
    scheduler_destroy(&f->scheduler);
    return totals;
}

static inline void assert_output_is(struct fixture *f, size_t start, size_t frames)
{
    size_t got;
    uint32_t rate_hz, channels;
    float *out = scratch_read(f->out, &got, &rate_hz, &channels);
    assert_int_equal(got, frames);
    assert_int_equal(rate_hz, RATE);
    assert_int_equal(channels, 2);
    for (size_t i = 0; i < 2 * frames; ++i) {
        if (out[i] != (float)f->music[2 * start + i] / 32768.0F)
            fail_msg("sample %zu differs", i);
    }
    free(out);
}

static inline void wait_for_track(struct fixture *f, uint64_t id)
{
    const int64_t limit = monotonic_ns() + (int64_t)60 * 1000000000;
    struct player_status status;
    do {
        assert_true(monotonic_ns() < limit);
        (void)player_update(f->player, monotonic_ns() + 2000000); // the status says more
        player_status(f->player, &status);
    } while (status.queue_id != id);
}
