// SPDX-License-Identifier: MIT
#include "soak_script.h"
#include "bench.h"
#include "dsp/mutex.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    QUEUE_ENTRIES = 12,
    LONGEST_WAIT_S = 40, // between two commands
    MEMORY_QUEUE = 64,   // ids kept, the queue's length at most
};

struct clear_task {
    struct scheduler_task task;
    struct scheduler *scheduler;
    struct mutex lock; // leaf
    // --- protected by lock
    struct cond done; // predicate: !is_posted
    bool is_posted;
};

struct soak_script {
    struct soak_script_config config;
    uint64_t random, due_frame, steps;
    const char *last;
    uint64_t ids[MEMORY_QUEUE]; // of the queue, in no order
    size_t n_ids;
    struct clear_task clear;
};

static uint64_t below(struct soak_script *s, uint64_t limit)
{
    return bench_random(&s->random) % limit;
}

// --- the cache is the scheduler's

static void run_clear(struct scheduler_task *task)
{
    struct clear_task *clear = (struct clear_task *)task;
    (void)analysis_cache_clear(scheduler_cache(clear->scheduler)); // how many does not matter
    mutex_lock(&clear->lock);
    clear->is_posted = false;
    cond_broadcast(&clear->done);
    mutex_unlock(&clear->lock);
}

static void wait_for_clear(struct clear_task *clear)
{
    mutex_lock(&clear->lock);
    while (clear->is_posted)
        cond_wait(&clear->done, &clear->lock);
    mutex_unlock(&clear->lock);
}

static int clear_cache(struct soak_script *s)
{
    wait_for_clear(&s->clear);
    s->clear.is_posted = true; // no other thread looks until it is posted
    scheduler_post(s->clear.scheduler, &s->clear.task);
    return 0;
}

// --- commands

static int insert(struct soak_script *s, size_t position)
{
    uint64_t id;
    if (s->n_ids == MEMORY_QUEUE)
        return 0;
    const char *path = s->config.paths[below(s, s->config.n_paths)];
    const int error = player_insert(s->config.player, position, path, &id);
    if (!error)
        s->ids[s->n_ids++] = id;
    return error;
}

static int add_entry(struct soak_script *s)
{
    return insert(s, below(s, s->n_ids + 1));
}

// An entry goes, another one comes: the queue never runs empty.
static int replace_entry(struct soak_script *s)
{
    const size_t i = below(s, s->n_ids);
    (void)player_remove(s->config.player, s->ids[i]); // it is there: only this script edits
    s->ids[i] = s->ids[--s->n_ids];
    return add_entry(s);
}

static int move_entry(struct soak_script *s)
{
    (void)player_move(s->config.player, s->ids[below(s, s->n_ids)], below(s, s->n_ids));
    return 0;
}

static int seek(struct soak_script *s)
{
    struct player_status status;
    player_status(s->config.player, &status);
    player_seek(s->config.player, status.duration_s * (double)below(s, 1050) / 1000.0);
    return 0;
}

static int next(struct soak_script *s)
{
    player_next(s->config.player);
    return 0;
}

static int previous(struct soak_script *s)
{
    player_previous(s->config.player);
    return 0;
}

static int pause_and_resume(struct soak_script *s)
{
    player_pause(s->config.player);
    player_resume(s->config.player);
    return 0;
}

static int shuffle(struct soak_script *s)
{
    const enum queue_shuffle mode = below(s, 2) ? QUEUE_SHUFFLED : QUEUE_IN_ORDER;
    player_set_shuffle(s->config.player, mode, bench_random(&s->random));
    return 0;
}

static int repeat(struct soak_script *s)
{
    player_set_repeat(s->config.player, (enum queue_repeat)below(s, 3));
    return 0;
}

static int volume(struct soak_script *s)
{
    player_set_volume(s->config.player, (unsigned)below(s, 101));
    return 0;
}

static int compare(struct soak_script *s)
{
    player_set_sound(s->config.player, below(s, 2) ? PLAYER_PLAIN : PLAYER_MASTERED);
    return 0;
}

static int stop_and_play(struct soak_script *s)
{
    player_stop(s->config.player);
    return player_play(s->config.player, s->ids[below(s, s->n_ids)], 0.0);
}

static const struct {
    const char *name;
    int (*run)(struct soak_script *s);
    unsigned weight;
} COMMANDS[] = {
    {"seek", seek, 8},
    {"next", next, 6},
    {"previous", previous, 3},
    {"pause and resume", pause_and_resume, 4},
    {"shuffle", shuffle, 2},
    {"repeat", repeat, 2},
    {"volume", volume, 2},
    {"compare", compare, 4},
    {"replace an entry", replace_entry, 3},
    {"move an entry", move_entry, 3},
    {"add an entry", add_entry, 1},
    {"stop and play", stop_and_play, 2},
    {"clear the cache", clear_cache, 1},
};
enum { COMMAND_COUNT = sizeof(COMMANDS) / sizeof(COMMANDS[0]) };

static size_t draw(struct soak_script *s)
{
    unsigned total = 0;
    for (size_t i = 0; i < COMMAND_COUNT; ++i)
        total += COMMANDS[i].weight;
    unsigned ticket = (unsigned)below(s, total);
    size_t i = 0;
    while (ticket >= COMMANDS[i].weight)
        ticket -= COMMANDS[i++].weight;
    return i;
}

static void plan_next(struct soak_script *s)
{
    s->due_frame += below(s, (uint64_t)LONGEST_WAIT_S * s->config.rate_hz);
}

int soak_script_create(struct soak_script **out, const struct soak_script_config *config)
{
    *out = NULL;
    struct soak_script *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->config = *config;
    s->random = config->seed;
    s->last = "play";
    s->clear.task.run = run_clear;
    s->clear.scheduler = config->scheduler;
    int error = mutex_init(&s->clear.lock);
    if (!error) {
        error = cond_init(&s->clear.done);
        if (error)
            mutex_deinit(&s->clear.lock);
    }
    if (error) {
        free(s);
        return error;
    }
    for (size_t i = 0; !error && i < QUEUE_ENTRIES; ++i)
        error = insert(s, i);
    plan_next(s);
    *out = s;
    if (error)
        soak_script_destroy(out);
    return error;
}

void soak_script_destroy(struct soak_script **script)
{
    struct soak_script *s = *script;
    if (!s)
        return;
    wait_for_clear(&s->clear);
    cond_deinit(&s->clear.done);
    mutex_deinit(&s->clear.lock);
    free(s);
    *script = NULL;
}

uint64_t soak_script_due_frame(const struct soak_script *s)
{
    return s->due_frame;
}

int soak_script_step(struct soak_script *s)
{
    const size_t i = draw(s);
    s->last = COMMANDS[i].name;
    ++s->steps;
    plan_next(s);
    return COMMANDS[i].run(s);
}

uint64_t soak_script_steps(const struct soak_script *s)
{
    return s->steps;
}

const char *soak_script_last(const struct soak_script *s)
{
    return s->last;
}
