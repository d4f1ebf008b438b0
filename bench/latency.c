// SPDX-License-Identifier: MIT
// segue-latency: how long a callback takes, how late it comes, and how soon a command is heard.
#include "bench.h"
#include "engine/player/player.h"
#include "latency_report.h"
#include "listener.h"
#include "probe.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TRACK_S = 60,
    STARTS = 10,
    PATIENCE_S = 10,       // for a command to be heard
    TURN_NS = 500000,      // between two looks
    SETTLE_NS = 120000000, // between a command's effect and the next command
    SMALLEST_PERIOD = 32,
};

static const char HELP[] =
    "USAGE\n"
    "  segue-latency [--device NAME] [--rate HZ] [--buffer-frames N] [--seconds N] [--json]\n"
    "\n"
    "Plays two tracks whose samples say where they are, gives commands, and measures at the device:\n"
    "  callback       thread CPU time and wall time of each, beside an empty one's on the same device\n"
    "  lateness       of each callback against the schedule that the earliest one sets\n"
    "  ring           rendered and not yet played, as control sees it\n"
    "  pause, resume, seek, skip, volume\n"
    "                 from the call to the first frame that is changed, and to the full effect, fade\n"
    "                 included: in ms until a device without a buffer plays it, and in frames\n"
    "  compare        `m`: likewise, to plain sound and back, of a player that masters a steady wave; preset,\n"
    "                 intensity and target are fixed for a run\n"
    "  start          from nothing (no scheduler, no device) to the first frame that is not silent; cold:\n"
    "                 the file dropped from the page cache\n"
    "  gap            frames between tracks that follow one another\n"
    "The device's own latency is not in these; it is printed as the host states it.\n"
    "\n"
    "  --device NAME      as for segue play; default null, a clock without sound\n"
    "  --rate HZ          default 44100\n"
    "  --buffer-frames N  a period; default the device's choice\n"
    "  --seconds N        of commands; default 30\n"
    "  --json             one object instead of tables and histograms\n"
    "\n"
    "A device that drops periods (xruns) counts as late from then on: its lateness means nothing.\n"
    "\n"
    "Not done yet: load on the other cores, comparing two reports, an SVG, the round trip of an impulse,\n"
    "and mastering of all but what is compared: it is no part of the callback, but of the start.\n";

struct latency {
    const char *device;
    uint32_t rate_hz, buffer_frames;
    double seconds;
    bool as_json;
    char folder[64];
    char tracks[LISTENER_TRACKS][96], wave[96];
    struct log log;
    struct scheduler *scheduler;
    struct player *player;
    struct probe probe;
    struct listener listener;
    struct latency_report report;
};

static int64_t later(double seconds)
{
    return bench_wall_ns() + (int64_t)(seconds * 1e9);
}

// As the probe counts them.
static uint64_t frames_now(const struct latency *l)
{
    return atomic_load_explicit(&l->probe.frames, memory_order_relaxed);
}

// --- the player

enum playing { PLAYS_TRACKS, MASTERS_WAVE };

static int start_player(struct latency *l, enum playing playing)
{
    const struct mastering_settings settings = mastering_settings_default();
    const int count = playing == PLAYS_TRACKS ? LISTENER_TRACKS : 1;
    const struct scheduler_config scheduler = {.backend = {.workers = 1, .nice = 10},
                                               .cache = analysis_cache_config_default(),
                                               .settings = mastering_settings_default(),
                                               .log = &l->log};
    const struct player_config config = {.device = l->device,
                                         .rate_hz = l->rate_hz,
                                         .buffer_frames = l->buffer_frames,
                                         .speed = 1,
                                         .log = &l->log,
                                         .open_sink = probe_open,
                                         .open_context = &l->probe};
    l->probe = (struct probe){.see = listener_see, .context = &l->listener};
    int error = scheduler_create(&l->scheduler, &scheduler);
    if (error)
        return error;
    struct player_config complete = config;
    complete.scheduler = l->scheduler;
    complete.settings = playing == MASTERS_WAVE ? &settings : NULL;
    error = player_create(&l->player, &complete);
    for (int i = 0; !error && i < count; ++i) {
        uint64_t id;
        error = player_add(l->player, playing == MASTERS_WAVE ? l->wave : l->tracks[i], &id);
    }
    if (error)
        return error;
    player_set_repeat(l->player, QUEUE_REPEAT_ALL);
    return player_play(l->player, 0, 0.0);
}

static void stop_player(struct latency *l)
{
    (void)player_destroy(&l->player); // no file that could fail
    scheduler_destroy(&l->scheduler);
}

static void look(struct latency *l)
{
    struct player_status status;
    player_status(l->player, &status);
    if (status.device.rate_hz)
        l->report.device = status.device;
    stats_add(&l->report.rows[LATENCY_RING].values, (double)status.ring_frames * 1e3 / l->rate_hz);
}

static void play_for(struct latency *l, int64_t ns)
{
    const int64_t end_ns = bench_wall_ns() + ns;
    while (bench_wall_ns() < end_ns) {
        (void)player_update(l->player, bench_wall_ns() + 10 * (int64_t)TURN_NS);
        look(l);
    }
}

static int wait_to_hear(struct latency *l, struct listener_heard *heard)
{
    const int64_t deadline_ns = later(PATIENCE_S);
    while (!listener_has_heard(&l->listener, heard)) {
        if (bench_wall_ns() > deadline_ns)
            return -ETIMEDOUT;
        (void)player_update(l->player, bench_wall_ns() + TURN_NS);
    }
    return 0;
}

// --- commands

static double track_frames(const struct latency *l)
{
    return (double)TRACK_S * l->rate_hz;
}

static void expect_pause(struct latency *l)
{
    listener_expect(&l->listener, LISTENER_SILENCE, 0, 0);
    player_pause(l->player);
}

static void expect_resume(struct latency *l)
{
    listener_expect(&l->listener, LISTENER_SOUND, 0, 0);
    player_resume(l->player);
}

// Forward and back between two places far enough from here and from the end.
static void expect_seek(struct latency *l)
{
    struct player_status status;
    player_status(l->player, &status);
    const double target_s = status.elapsed_s < TRACK_S / 2.0 ? 0.7 * TRACK_S : 0.1 * TRACK_S;
    listener_expect(&l->listener, LISTENER_POSITION, (uint64_t)llround(target_s * l->rate_hz), 0);
    player_seek(l->player, target_s);
}

static void expect_skip(struct latency *l)
{
    struct player_status status;
    player_status(l->player, &status);
    listener_expect(&l->listener, LISTENER_TRACK, status.position == 0, 0);
    player_next(l->player);
}

static void expect_volume(struct latency *l, unsigned volume)
{
    struct player_status status;
    player_status(l->player, &status);
    const float gain = (float)(volume / 100.0 * (volume / 100.0) * (volume / 100.0));
    listener_expect(&l->listener, LISTENER_LEVEL, 0, listener_levels[status.position] * gain);
    player_set_volume(l->player, volume);
}

static void expect_quieter(struct latency *l)
{
    expect_volume(l, 50);
}

static void expect_louder(struct latency *l)
{
    expect_volume(l, 100);
}

static const struct {
    enum latency_row changed; // the row of the first changed frame; its full effect is the next
    void (*give)(struct latency *l);
    const char *name;
} COMMANDS[] = {
    {LATENCY_PAUSE, expect_pause, "pause"},    {LATENCY_RESUME, expect_resume, "resume"},
    {LATENCY_SEEK, expect_seek, "seek"},       {LATENCY_VOLUME, expect_quieter, "volume"},
    {LATENCY_VOLUME, expect_louder, "volume"}, {LATENCY_SKIP, expect_skip, "skip"},
};

static int give(struct latency *l, size_t command)
{
    struct latency_measure *row = &l->report.rows[COMMANDS[command].changed];
    struct listener_heard heard;
    const uint64_t frame = frames_now(l);
    const int64_t given_ns = bench_wall_ns();
    COMMANDS[command].give(l);
    const int error = wait_to_hear(l, &heard);
    if (error) {
        fprintf(stderr, "segue-latency: %s was not heard within %d s\n", COMMANDS[command].name,
                PATIENCE_S);
        return error;
    }
    stats_add(&row[0].values, (double)(heard.changed_ns - given_ns) / 1e6);
    stats_add(&row[1].values, (double)(heard.reached_ns - given_ns) / 1e6);
    stats_add(&row[2].values, (double)heard.changed_frame - (double)frame);
    return 0;
}

// --- comparing

static int give_comparison(struct latency *l, enum player_sound sound)
{
    struct latency_measure *row = &l->report.rows[LATENCY_COMPARE];
    struct listener_heard heard;
    listener_expect(&l->listener, LISTENER_WAVE, 0, 0);
    const uint64_t frame = frames_now(l);
    const int64_t given_ns = bench_wall_ns();
    player_set_sound(l->player, sound);
    const int error = wait_to_hear(l, &heard);
    if (error)
        return error;
    stats_add(&row[0].values, (double)(heard.changed_ns - given_ns) / 1e6);
    // The wave's own period was needed to tell that it is the same again.
    stats_add(&row[1].values, (double)(heard.reached_ns - given_ns) / 1e6 -
                                  1e3 * LISTENER_WAVE_FRAMES / l->rate_hz);
    stats_add(&row[2].values, (double)heard.changed_frame - (double)frame);
    return 0;
}

// Played from its start once it is analysed, so that its own targets hold from the first frame on.
static int master_wave(struct latency *l)
{
    struct player_status status;
    const int64_t deadline_ns = later(6 * PATIENCE_S);
    do {
        if (bench_wall_ns() > deadline_ns)
            return -ETIMEDOUT;
        play_for(l, SETTLE_NS);
        player_status(l->player, &status);
    } while (!status.current.analysed);
    return player_play(l->player, 0, 0.0);
}

static int measure_comparisons(struct latency *l)
{
    int error = start_player(l, MASTERS_WAVE);
    if (!error)
        error = master_wave(l);
    const int64_t end_ns = later(l->seconds / 3);
    play_for(l, INT64_C(3000000000)); // compressor and limiter are at rest
    for (int i = 0; !error && bench_wall_ns() < end_ns; ++i) {
        error = give_comparison(l, i % 2 ? PLAYER_MASTERED : PLAYER_PLAIN);
        play_for(l, SETTLE_NS);
    }
    if (error)
        fprintf(stderr, "segue-latency: comparing: %s\n", strerror(-error));
    stop_player(l);
    atomic_store_explicit(&l->listener.armed, 0, memory_order_relaxed); // no sink runs any more
    return error;
}

// --- joins

// The last half second of a track and the first second of the next.
static int measure_join(struct latency *l)
{
    player_set_volume(l->player, 100);
    player_resume(l->player);
    player_seek(l->player, TRACK_S - 0.5);
    play_for(l, INT64_C(1500000000));
    return l->listener.joins ? 0 : -ENODATA;
}

static int measure_commands(struct latency *l)
{
    int error = start_player(l, PLAYS_TRACKS);
    const int64_t end_ns = later(l->seconds);
    play_for(l, SETTLE_NS);
    for (size_t i = 0; !error && bench_wall_ns() < end_ns; ++i) {
        error = give(l, i % (sizeof(COMMANDS) / sizeof(COMMANDS[0])));
        play_for(l, SETTLE_NS);
    }
    return error ? error : measure_join(l);
}

static int measure_playing(struct latency *l)
{
    int error = measure_commands(l);
    struct player_totals totals = {0};
    if (l->player)
        player_totals(l->player, &totals);
    stop_player(l);
    l->report.underruns = totals.underruns;
    l->report.xruns = totals.xruns;
    l->report.joins = l->listener.joins;
    l->report.gap_frames = l->listener.gap_frames;
    latency_report_take(&l->report, &l->listener, LATENCY_CALLBACK);
    return error;
}

// --- starts

static int drop_from_memory(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = fsync(fd) ? -errno : 0; // what is dirty stays
    if (!error)
        error = -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    return error;
}

static int measure_start(struct latency *l, enum latency_row row)
{
    struct listener_heard heard;
    int error = row == LATENCY_START_COLD ? drop_from_memory(l->tracks[0]) : 0;
    if (error)
        return error;
    listener_expect(&l->listener, LISTENER_SOUND, 0, 0);
    const int64_t begun_ns = bench_wall_ns();
    error = start_player(l, PLAYS_TRACKS);
    if (!error)
        error = wait_to_hear(l, &heard);
    if (!error)
        stats_add(&l->report.rows[row].values, (double)(heard.reached_ns - begun_ns) / 1e6);
    stop_player(l);
    atomic_store_explicit(&l->listener.armed, 0, memory_order_relaxed); // no sink runs any more
    return error;
}

// --- the empty callback

static uint32_t pull_nothing(void *context, float *stereo, uint32_t frames)
{
    (void)context;
    memset(stereo, 0, 2 * (size_t)frames * sizeof(*stereo));
    return frames;
}

static int measure_empty(struct latency *l)
{
    l->probe = (struct probe){.see = listener_see, .context = &l->listener};
    const struct sink_config config = {.device = l->device,
                                       .rate_hz = l->rate_hz,
                                       .buffer_frames = l->buffer_frames,
                                       .speed = 1,
                                       .pull = pull_nothing};
    struct sink *sink;
    int error = probe_open(&l->probe, &sink, &config);
    if (error) {
        fprintf(stderr, "segue-latency: %s\n", sink_error_text());
        return error;
    }
    listener_expect(&l->listener, LISTENER_SILENCE, 0, 0);
    error = sink_start(sink);
    const uint64_t end = (uint64_t)(l->seconds / 4.0 * l->rate_hz);
    const int64_t deadline_ns = later(l->seconds + PATIENCE_S);
    while (!error && frames_now(l) < end && bench_wall_ns() < deadline_ns)
        (void)usleep(TURN_NS /
                     1000); // nothing else happens here, and there is nobody to be woken by
    if (!error)
        error = sink_stop(sink);
    (void)sink_close(&sink);                                            // no file that could fail
    atomic_store_explicit(&l->listener.armed, 0, memory_order_relaxed); // no sink runs any more
    latency_report_take(&l->report, &l->listener, LATENCY_EMPTY);
    return error;
}

// --- the whole

static int make_tracks(struct latency *l)
{
    snprintf(l->folder, sizeof(l->folder), "/tmp/segue-latency-XXXXXX");
    if (!mkdtemp(l->folder))
        return -errno;
    int error = 0;
    for (unsigned i = 0; !error && i < LISTENER_TRACKS; ++i) {
        snprintf(l->tracks[i], sizeof(l->tracks[i]), "%s/%u.wav", l->folder, i);
        error = listener_write_track(l->tracks[i], i, l->rate_hz, (uint64_t)track_frames(l));
    }
    snprintf(l->wave, sizeof(l->wave), "%s/wave.wav", l->folder);
    return error ? error : listener_write_wave(l->wave, l->rate_hz, (uint64_t)track_frames(l));
}

static void remove_tracks(const struct latency *l)
{
    for (int i = 0; i < LISTENER_TRACKS && l->folder[0]; ++i)
        (void)unlink(l->tracks[i]); // it may never have been made
    if (l->folder[0])
        (void)unlink(l->wave); // likewise
    if (l->folder[0])
        (void)rmdir(l->folder);
}

static int fresh_ear(struct latency *l)
{
    listener_deinit(&l->listener);
    const double callbacks = (l->seconds + 60) * l->rate_hz / SMALLEST_PERIOD;
    return listener_init(&l->listener, l->rate_hz, (size_t)callbacks);
}

static int measure(struct latency *l)
{
    log_init(&l->log, STDERR_FILENO, LOG_LEVEL_ERROR);
    int error = make_tracks(l);
    if (!error)
        error = fresh_ear(l);
    if (!error)
        error = measure_empty(l);
    for (int i = 0; !error && i < STARTS; ++i) {
        error = measure_start(l, LATENCY_START_COLD);
        if (!error)
            error = measure_start(l, LATENCY_START_WARM);
    }
    if (!error)
        error = fresh_ear(l);
    if (!error)
        error = measure_comparisons(l);
    if (!error)
        error = fresh_ear(l);
    return error ? error : measure_playing(l);
}

static bool parse_number(const char *text, unsigned long most, uint32_t *out)
{
    *out = (uint32_t)bench_number(text, most);
    return *out > 0;
}

static bool parse(struct latency *l, int argc, char **argv)
{
    uint32_t seconds = 30;
    for (int i = 1; i < argc; ++i) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--json") == 0) {
            l->as_json = true;
            continue;
        }
        bool is_good = *value;
        if (strcmp(argv[i], "--device") == 0)
            l->device = value;
        else if (strcmp(argv[i], "--rate") == 0)
            is_good = parse_number(value, 192000, &l->rate_hz);
        else if (strcmp(argv[i], "--buffer-frames") == 0)
            is_good = parse_number(value, 65536, &l->buffer_frames);
        else if (strcmp(argv[i], "--seconds") == 0)
            is_good = parse_number(value, 3600, &seconds);
        else
            is_good = false;
        if (!is_good)
            return false;
        ++i;
    }
    l->seconds = seconds;
    return true;
}

int main(int argc, char **argv)
{
    static struct latency l = {.device = "null", .rate_hz = 44100};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(HELP, stdout);
        return 0;
    }
    if (!parse(&l, argc, argv)) {
        fputs("segue-latency: bad arguments; see segue-latency --help\n", stderr);
        return 2;
    }
    int error = latency_report_init(&l.report, (size_t)l.seconds * 1000 + 100000);
    if (!error)
        error = measure(&l);
    if (!error)
        latency_report_print(&l.report, stdout, l.as_json ? LATENCY_JSON : LATENCY_TABLE);
    else
        fprintf(stderr, "segue-latency: %s\n", strerror(-error));
    latency_report_deinit(&l.report);
    listener_deinit(&l.listener);
    remove_tracks(&l);
    return error ? 1 : 0;
}
