// SPDX-License-Identifier: MIT
#include "soak_checker.h"
#include "dsp/mutex.h"
#include "probe.h"
#include "tracks.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct soak_checker {
    // --- immutable after start
    struct soak_checker_config config;
    struct tracks_hash *expected; // of each path
    struct player *player;
    struct probe probe;
    // --- the sink's thread only
    struct tracks_hash heard; // of the track under way
    size_t at;
    struct mutex lock; // leaf
    // --- protected by lock
    struct soak_checker_report report;
};

static void end_track(struct soak_checker *c)
{
    const struct tracks_hash *expected = &c->expected[c->at];
    mutex_lock(&c->lock);
    if (c->heard.sum != expected->sum && c->report.mismatches++ == 0)
        snprintf(c->report.mismatch, sizeof(c->report.mismatch),
                 "%s sounds different from its render, after %llu tracks", c->config.paths[c->at],
                 (unsigned long long)c->report.tracks);
    ++c->report.tracks;
    c->report.frames += expected->frames;
    mutex_unlock(&c->lock);
    c->heard = (struct tracks_hash){0};
    c->at = (c->at + 1) % c->config.n_paths;
}

static void see(void *context, const struct probe_period *period)
{
    struct soak_checker *c = context;
    const float *stereo = period->stereo;
    for (uint32_t left = period->got_frames; left > 0;) {
        const uint64_t rest = c->expected[c->at].frames - c->heard.frames;
        const uint32_t n = rest < left ? (uint32_t)rest : left;
        tracks_hash_add(&c->heard, stereo, n);
        stereo += 2 * (size_t)n;
        left -= n;
        if (c->heard.frames == c->expected[c->at].frames)
            end_track(c);
    }
}

static int render_all(struct soak_checker *c)
{
    c->expected = calloc(c->config.n_paths, sizeof(*c->expected));
    int error = c->expected ? 0 : -ENOMEM;
    for (size_t i = 0; !error && i < c->config.n_paths; ++i) {
        error = tracks_hash_render(&c->expected[i], c->config.scheduler, c->config.paths[i],
                                   c->config.rate_hz, c->config.settings);
        if (!error && c->expected[i].frames == 0)
            error = -ENODATA;
    }
    return error;
}

static int play_all(struct soak_checker *c)
{
    const struct player_config config = {.scheduler = c->config.scheduler,
                                         .device = "null",
                                         .rate_hz = c->config.rate_hz,
                                         .speed = (double)INFINITY,
                                         .settings = c->config.settings,
                                         .log = c->config.log,
                                         .open_sink = probe_open,
                                         .open_context = &c->probe};
    int error = player_create(&c->player, &config);
    for (size_t i = 0; !error && i < c->config.n_paths; ++i) {
        uint64_t id;
        error = player_add(c->player, c->config.paths[i], &id);
    }
    if (error)
        return error;
    player_set_repeat(c->player, QUEUE_REPEAT_ALL);
    return player_play(c->player, 0, 0.0);
}

int soak_checker_start(struct soak_checker **out, const struct soak_checker_config *config)
{
    *out = NULL;
    struct soak_checker *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    int error = mutex_init(&c->lock);
    if (error) {
        free(c);
        return error;
    }
    c->config = *config;
    c->probe = (struct probe){.see = see, .context = c};
    error = render_all(c);
    if (!error)
        error = play_all(c);
    *out = c;
    if (error)
        soak_checker_stop(out);
    return error;
}

void soak_checker_stop(struct soak_checker **checker)
{
    struct soak_checker *c = *checker;
    if (!c)
        return;
    (void)player_destroy(&c->player); // no file that could fail
    mutex_deinit(&c->lock);
    free(c->expected);
    free(c);
    *checker = NULL;
}

void soak_checker_report(struct soak_checker *c, struct soak_checker_report *report)
{
    mutex_lock(&c->lock);
    *report = c->report;
    mutex_unlock(&c->lock);
}
