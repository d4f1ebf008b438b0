// SPDX-License-Identifier: MIT
#include "engine/desktop/commands.h"
#include "engine/desktop/demo.h"
#include "engine/desktop/session.h"
#include "engine/desktop/terminal.h"
#include "engine/desktop/walk.h"
#include "engine/monotonic.h"
#include "engine/player/player.h"
#include "io/playlist.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { TICK_MS = 100, SEEK_STEP_S = 10, VOLUME_STEP = 5 };

struct play {
    const struct options *options;
    struct log *log;
    struct player *player;
    struct terminal terminal;
    int signal_fd;
    uint64_t reported_id; // the entry that was last logged as playing
    bool failed;          // something that is no entry of the queue
};

// --- filling the queue

static int add(void *context, const char *path)
{
    struct play *play = context;
    uint64_t id;
    const int error = player_add(play->player, path, &id);
    if (error)
        log_write(play->log, LOG_LEVEL_ERROR, path, "%s", strerror(-error));
    return error;
}

static int add_path(struct play *play, const struct walk_item *item)
{
    if (item->error) {
        log_write(play->log, LOG_LEVEL_ERROR, item->path, "%s",
                  item->error == -ENODATA ? "no audio files in this folder"
                                          : strerror(-item->error));
        play->failed = true;
        return 0;
    }
    if (!playlist_is_name(item->path))
        return add(play, item->path);
    const int error = playlist_read(item->path, add, play);
    if (error) {
        log_write(play->log, LOG_LEVEL_ERROR, item->path, "%s", strerror(-error));
        play->failed = true;
    }
    return error == -ENOMEM ? error : 0;
}

static int add_paths(struct play *play)
{
    const struct walk_config config = {.paths = play->options->paths,
                                       .count = play->options->path_count};
    struct walk *walk;
    int error = walk_create(&walk, &config);
    struct walk_item item;
    int more = 0;
    while (!error && (more = walk_next(walk, &item)) > 0)
        error = add_path(play, &item);
    walk_destroy(&walk);
    return error ? error : more;
}

static int add_demo(struct play *play)
{
    char folder[PATH_MAX], path[PATH_MAX];
    int error = demo_folder(folder, sizeof(folder));
    if (!error)
        error = demo_make(folder);
    for (unsigned i = 0; !error && i < DEMO_PIECES; ++i) {
        error = demo_path(path, sizeof(path), folder, i);
        if (!error)
            error = add(play, path);
    }
    return error;
}

static int fill_queue(struct play *play)
{
    const struct options *o = play->options;
    const int error = options_has(o, OPTION_DEMO) ? add_demo(play) : add_paths(play);
    if (error)
        log_write(play->log, LOG_LEVEL_ERROR, NULL, "the queue cannot be made: %s",
                  strerror(-error));
    if (options_has(o, OPTION_REPEAT))
        player_set_repeat(play->player, QUEUE_REPEAT_ALL);
    if (options_has(o, OPTION_SHUFFLE))
        player_set_shuffle(play->player, QUEUE_SHUFFLED, (uint64_t)monotonic_ns());
    return error;
}

// --- while it plays

static void seek_by(struct play *play, double seconds)
{
    struct player_status status;
    player_status(play->player, &status);
    player_seek(play->player, status.elapsed_s + seconds);
}

static void change_volume(struct play *play, int step)
{
    struct player_status status;
    player_status(play->player, &status);
    const int volume = (int)status.volume + step;
    player_set_volume(play->player, volume < 0 ? 0 : (unsigned)volume);
}

static void toggle_pause(struct play *play)
{
    struct player_status status;
    player_status(play->player, &status);
    if (status.state == PLAYER_PAUSED)
        player_resume(play->player);
    else
        player_pause(play->player);
}

// Between the tracks as they are and mastered, to compare.
static void toggle_mastering(struct play *play)
{
    struct player_status status;
    player_status(play->player, &status);
    if (status.masters)
        player_set_sound(play->player,
                         status.sound == PLAYER_PLAIN ? PLAYER_MASTERED : PLAYER_PLAIN);
    else
        log_write(play->log, LOG_LEVEL_INFO, NULL, "nothing to compare: no track is mastered");
}

// @return false: the user has enough.
static bool obey_keys(struct play *play)
{
    for (enum terminal_key key; (key = terminal_read_key(&play->terminal)) != KEY_NONE;) {
        switch (key) {
        case KEY_QUIT:
            return false;
        case KEY_PAUSE:
            toggle_pause(play);
            break;
        case KEY_NEXT:
            player_next(play->player);
            break;
        case KEY_PREVIOUS:
            player_previous(play->player);
            break;
        case KEY_FORWARD:
            seek_by(play, SEEK_STEP_S);
            break;
        case KEY_BACK:
            seek_by(play, -SEEK_STEP_S);
            break;
        case KEY_LOUDER:
            change_volume(play, VOLUME_STEP);
            break;
        case KEY_SOFTER:
            change_volume(play, -VOLUME_STEP);
            break;
        case KEY_MASTERING:
            toggle_mastering(play);
            break;
        default:
            break;
        }
    }
    return true;
}

static bool is_interrupted(const struct play *play)
{
    struct signalfd_siginfo info;
    return read(play->signal_fd, &info, sizeof(info)) == sizeof(info);
}

static void report_track(struct play *play, const struct player_status *status)
{
    if (!status->queue_id || status->queue_id == play->reported_id)
        return;
    play->reported_id = status->queue_id;
    log_write(play->log, play->terminal.has_line ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, status->path,
              "playing, %zu of %zu, %s", status->position + 1, status->length,
              status->current.analysed ? "analysis ready" : "analysis under way");
}

static void play_on(struct play *play)
{
    struct player_status status;
    for (;;) {
        const int64_t deadline = monotonic_ns() + (int64_t)TICK_MS * 1000000;
        const enum player_state state = player_update(play->player, deadline);
        player_status(play->player, &status);
        report_track(play, &status);
        if (state == PLAYER_STOPPED || is_interrupted(play) || !obey_keys(play))
            return;
        terminal_draw(&play->terminal, &status);
    }
}

// --- beginning and end

// The names that --device takes here, each in quotes, as far as they fit.
static void list_devices(char *text, size_t bytes)
{
    struct sink_device *devices = NULL;
    const int count = sink_list_devices(&devices);
    size_t length = 0;
    text[0] = 0;
    for (int i = 0; i < count && length < bytes; ++i)
        length += (size_t)snprintf(text + length, bytes - length, "'%s', ", devices[i].name);
    free(devices);
}

static void log_device_error(struct play *play, int error)
{
    char text[256], devices[512] = "";
    player_device_error(play->player, text, sizeof(text));
    const char *device = play->options->device;
    const char *cause = text[0] ? text : strerror(-error);
    if (device && (strncmp(device, "wav:", 4) == 0 || strcmp(device, "null") == 0)) {
        log_write(play->log, LOG_LEVEL_ERROR, NULL, "%s", cause);
        return;
    }
    list_devices(devices, sizeof(devices));
    log_write(play->log, LOG_LEVEL_ERROR, NULL,
              "%s; there are: %snull (plays silently), wav:FILE (into a file)", cause, devices);
}

static enum exit_status start_error(struct play *play, int error)
{
    struct player_totals totals;
    player_totals(play->player, &totals);
    if (error == -EINVAL && !totals.device_error) {
        log_write(play->log, LOG_LEVEL_ERROR, NULL, "--seek %g is past the end of the first track",
                  play->options->seek_s);
        return EXIT_BAD_USAGE;
    }
    if (totals.device_error)
        log_device_error(play, error);
    else if (error != -ENOENT)
        log_write(play->log, LOG_LEVEL_ERROR, NULL, "cannot play: %s", strerror(-error));
    return EXIT_SOMETHING_FAILED;
}

static void print_totals(const struct player_totals *t)
{
    fprintf(stderr, "played %llu of %llu tracks, %llu underruns, %llu xruns\n",
            (unsigned long long)t->played, (unsigned long long)t->tracks,
            (unsigned long long)t->underruns, (unsigned long long)t->xruns);
}

static enum exit_status run(struct play *play)
{
    if (fill_queue(play))
        return EXIT_SOMETHING_FAILED;
    int error = player_play(play->player, 0, play->options->seek_s);
    enum exit_status status = error ? start_error(play, error) : EXIT_DONE;
    if (status == EXIT_BAD_USAGE)
        return status;
    if (!error) {
        terminal_open(&play->terminal, play->log);
        play_on(play);
        terminal_close(&play->terminal);
        player_stop(play->player); // the user may have had enough: what was heard counts as played
    }
    struct player_totals totals;
    player_totals(play->player, &totals);
    if (!error && totals.device_error)
        log_device_error(play, totals.device_error);
    error = player_destroy(&play->player);
    if (error && !totals.device_error)
        log_write(play->log, LOG_LEVEL_ERROR, play->options->device, "%s", strerror(-error));
    print_totals(&totals);
    const bool failed = error || totals.failed || totals.device_error || play->failed;
    return failed ? EXIT_SOMETHING_FAILED : status;
}

// Without a device the demo shall play all the same, on the virtual one.
static const char *demo_device(const struct options *options, struct log *log)
{
    struct sink_device *devices;
    if (options->device || !options_has(options, OPTION_DEMO))
        return options->device;
    const int count = sink_list_devices(&devices);
    if (count > 0) {
        free(devices);
        return NULL;
    }
    if (count == 0)
        free(devices);
    log_write(log, LOG_LEVEL_WARN, NULL,
              "no output device: playing the demo silently, in real time");
    return "null";
}

static int catch_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

enum exit_status command_play(const struct options *options, struct log *log)
{
    struct options chosen = *options;
    chosen.device = demo_device(options, log);
    struct play play = {.options = &chosen, .log = log, .signal_fd = catch_signals()};
    struct scheduler *scheduler;
    if (session_start(&scheduler, &chosen, log))
        return EXIT_SOMETHING_FAILED;
    const struct player_config config = {.scheduler = scheduler,
                                         .device = chosen.device,
                                         .rate_hz = chosen.rate_hz,
                                         .buffer_frames = chosen.buffer_frames,
                                         .speed = chosen.speed,
                                         .settings = session_mastering(&chosen),
                                         .log = log};
    int error = player_create(&play.player, &config);
    if (error)
        log_write(log, LOG_LEVEL_ERROR, NULL, "cannot play: %s", strerror(-error));
    const enum exit_status status = error ? EXIT_SOMETHING_FAILED : run(&play);
    (void)player_destroy(&play.player); // where run() had no chance to
    scheduler_destroy(&scheduler);
    close(play.signal_fd);
    return status;
}
