// SPDX-License-Identifier: MIT
// segue-soak: hours of playing and of a user's commands, faster than real time, checked all the while.
#include "bench.h"
#include "probe.h"
#include "resources.h"
#include "soak_checker.h"
#include "soak_script.h"
#include "tracks.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RATE_HZ = 44100,
    TRACKS = 6,
    HANG_S = 60,      // without a frame
    TURN_NS = 500000, // between two looks at the clock of frames
    PROGRESS_S = 10,
    GROWTH_BYTES = 16 << 20, // of the second half over the first: allocators breathe
    GROWTH_DESCRIPTORS = 2,  // as many tracks are loaded at a time, give or take
};

static const char HELP[] =
    "USAGE\n"
    "  segue-soak [--hours N] [--seed S] [--speed N|max] [--no-mastering] [FILE...]\n"
    "\n"
    "Two players run at once, each on a virtual device. The listener follows a seeded script of\n"
    "commands: seek, next, previous, pause, shuffle, repeat, volume, edits of the queue, stop, cache\n"
    "clear. The checker plays all tracks round and round, and each must equal its offline render bit\n"
    "for bit. Checked all the while: no entry fails, no sample is out of range, no underrun, no hang,\n"
    "and memory, descriptors and threads of the second half stay at those of the first.\n"
    "\n"
    "  --hours N        of audio that the listener hears; default 1\n"
    "  --seed S         of the script and the tracks; the same seed gives the same commands at the same\n"
    "                   frames of the listener's time; default 1\n"
    "  --speed N|max    of the listener's device: max takes audio as it is made, N is a clock of N times\n"
    "                   real time, on which late audio is an underrun; default max\n"
    "  --no-mastering   of both players\n"
    "  FILE...          instead of six tracks made from the seed\n"
    "\n"
    "Progress goes to standard error, one report to standard output. Exit status: 0 all well, 1 a check\n"
    "failed, 2 bad usage.\n"
    "\n"
    "Not done yet: faults (a lost device, a slow or failing disk, a lost GPU), a look at the database,\n"
    "and holding what the listener hears after a command against the render. A command lands in the\n"
    "period that is under way, so two runs of a seed hear the same commands, not the same samples.\n";

struct soak {
    // --- what is asked for
    double hours, speed;
    uint64_t seed;
    bool is_mastered;
    // --- what plays
    char folder[64];
    char made[TRACKS][96];
    const char *paths[256];
    size_t n_paths;
    struct mastering_settings settings;
    struct log log;
    struct scheduler *listener_scheduler, *checker_scheduler;
    struct player *listener;
    struct soak_script *script;
    struct soak_checker *checker;
    struct probe probe;
    // --- what is found
    char failure[512];
    int64_t begun_ns;
    struct resources first_half, second_half;
    // --- atomic: written by the listener's sink thread, read by the main one (relaxed: stands for itself)
    _Atomic uint64_t bad_samples; // not finite, or over full scale where mastering forbids it
};

__attribute__((format(printf, 2, 3))) static void fail(struct soak *s, const char *format, ...)
{
    if (s->failure[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(s->failure, sizeof(s->failure), format, arguments);
    va_end(arguments);
}

static void see(void *context, const struct probe_period *period)
{
    struct soak *s = context;
    uint64_t bad = 0;
    for (size_t i = 0; i < 2 * (size_t)period->got_frames; ++i)
        bad += fabsf(period->stereo[i]) <= 1.0F ? 0U : 1U;
    if (bad)
        atomic_fetch_add_explicit(&s->bad_samples, bad, memory_order_relaxed);
}

static double heard_s(const struct soak *s)
{
    return (double)atomic_load_explicit(&s->probe.frames, memory_order_relaxed) / RATE_HZ;
}

// --- beginning

static int make_tracks(struct soak *s)
{
    static const uint32_t rates[TRACKS] = {44100, 44100, 48000, 44100, 32000, 44100};
    static const uint32_t seconds[TRACKS] = {31, 7, 20, 1, 12, 64};
    snprintf(s->folder, sizeof(s->folder), "/tmp/segue-soak-XXXXXX");
    if (!mkdtemp(s->folder))
        return -errno;
    for (size_t i = 0; i < TRACKS; ++i) {
        snprintf(s->made[i], sizeof(s->made[i]), "%s/%zu.%s", s->folder, i, i % 2 ? "flac" : "wav");
        const uint64_t frames = (uint64_t)seconds[i] * rates[i] + 17 * i;
        const int error = tracks_write_music(s->made[i], rates[i], frames, s->seed + i);
        if (error)
            return error;
        s->paths[s->n_paths++] = s->made[i];
    }
    return 0;
}

static void remove_tracks(const struct soak *s)
{
    if (!s->folder[0])
        return;
    for (size_t i = 0; i < TRACKS; ++i)
        (void)unlink(s->made[i]); // it may never have been made
    (void)rmdir(s->folder);
}

static int start_scheduler(struct soak *s, struct scheduler **out)
{
    const struct scheduler_config config = {.backend = {.workers = 1, .nice = 10},
                                            .cache = analysis_cache_config_default(),
                                            .settings = s->settings,
                                            .log = &s->log};
    return scheduler_create(out, &config);
}

static int start_checker(struct soak *s)
{
    const struct soak_checker_config config = {.scheduler = s->checker_scheduler,
                                               .paths = s->paths,
                                               .n_paths = s->n_paths,
                                               .rate_hz = RATE_HZ,
                                               .settings = s->is_mastered ? &s->settings : NULL,
                                               .log = &s->log};
    return soak_checker_start(&s->checker, &config);
}

static int start_listener(struct soak *s)
{
    s->probe = (struct probe){.see = see, .context = s};
    const struct player_config config = {.scheduler = s->listener_scheduler,
                                         .device = "null",
                                         .rate_hz = RATE_HZ,
                                         .speed = s->speed,
                                         .settings = s->is_mastered ? &s->settings : NULL,
                                         .log = &s->log,
                                         .open_sink = probe_open,
                                         .open_context = &s->probe};
    int error = player_create(&s->listener, &config);
    if (error)
        return error;
    const struct soak_script_config script = {.player = s->listener,
                                              .scheduler = s->listener_scheduler,
                                              .paths = s->paths,
                                              .n_paths = s->n_paths,
                                              .rate_hz = RATE_HZ,
                                              .seed = s->seed};
    error = soak_script_create(&s->script, &script);
    return error ? error : player_play(s->listener, 0, 0.0);
}

static int start(struct soak *s)
{
    log_init(&s->log, STDERR_FILENO, LOG_LEVEL_WARN);
    s->settings = mastering_settings_default();
    int error = s->n_paths ? 0 : make_tracks(s);
    if (!error)
        error = start_scheduler(s, &s->listener_scheduler);
    if (!error)
        error = start_scheduler(s, &s->checker_scheduler);
    if (!error)
        error = start_checker(s);
    return error ? error : start_listener(s);
}

static void stop(struct soak *s)
{
    soak_script_destroy(&s->script);
    (void)player_destroy(&s->listener); // no file that could fail
    soak_checker_stop(&s->checker);
    scheduler_destroy(&s->listener_scheduler);
    scheduler_destroy(&s->checker_scheduler);
    remove_tracks(s);
}

// --- checks

static void check_listener(struct soak *s)
{
    struct player_totals totals;
    player_totals(s->listener, &totals);
    const uint64_t bad = atomic_load_explicit(&s->bad_samples, memory_order_relaxed);
    if (totals.failed)
        fail(s, "%llu entries failed", (unsigned long long)totals.failed);
    if (totals.underruns)
        fail(s, "%llu underruns", (unsigned long long)totals.underruns);
    if (totals.device_error)
        fail(s, "the device: %s", strerror(-totals.device_error));
    if (bad)
        fail(s, "%llu samples out of range", (unsigned long long)bad);
}

static void check_checker(struct soak *s)
{
    struct soak_checker_report report;
    soak_checker_report(s->checker, &report);
    if (report.mismatches)
        fail(s, "%llu of %llu tracks: %s", (unsigned long long)report.mismatches,
             (unsigned long long)report.tracks, report.mismatch);
}

static void check_resources(struct soak *s)
{
    struct resources now;
    if (resources_read(&now)) {
        fail(s, "/proc cannot be read");
        return;
    }
    // A run so short that its first half had no command has nothing to compare.
    const bool is_early = heard_s(s) < s->hours * 3600.0 / 2.0 || !s->first_half.threads;
    resources_raise(is_early ? &s->first_half : &s->second_half, &now);
    if (s->second_half.resident_bytes > s->first_half.resident_bytes + GROWTH_BYTES)
        fail(s, "memory grows: %.1f MB in the second half, %.1f in the first",
             (double)s->second_half.resident_bytes / 1e6,
             (double)s->first_half.resident_bytes / 1e6);
    if (s->second_half.descriptors > s->first_half.descriptors + GROWTH_DESCRIPTORS)
        fail(s, "descriptors grow: %u in the second half, %u in the first",
             s->second_half.descriptors, s->first_half.descriptors);
    if (s->second_half.threads > s->first_half.threads)
        fail(s, "threads grow: %u in the second half, %u in the first", s->second_half.threads,
             s->first_half.threads);
}

static void print_figures(struct soak *s, FILE *out)
{
    struct soak_checker_report checked;
    struct player_totals totals;
    struct resources now = {0};
    soak_checker_report(s->checker, &checked);
    player_totals(s->listener, &totals);
    const int error = resources_read(&now);
    const double wall_s = (double)(bench_wall_ns() - s->begun_ns) / 1e9;
    const double checked_h = (double)checked.frames / RATE_HZ / 3600.0;
    fprintf(out,
            "soak hours=%.3f speed=%.0f commands=%llu played=%llu underruns=%llu failed=%llu "
            "checked_hours=%.3f checked_speed=%.0f checked_tracks=%llu mismatches=%llu rss_mb=%.1f "
            "descriptors=%u threads=%u%s\n",
            heard_s(s) / 3600.0, heard_s(s) / wall_s,
            (unsigned long long)soak_script_steps(s->script), (unsigned long long)totals.played,
            (unsigned long long)totals.underruns, (unsigned long long)totals.failed, checked_h,
            checked_h * 3600.0 / wall_s, (unsigned long long)checked.tracks,
            (unsigned long long)checked.mismatches, (double)now.resident_bytes / 1e6,
            now.descriptors, now.threads, error ? " (/proc unread)" : "");
}

// --- playing

// Plays on until frame `due`. A queue that has ended begins again.
static void listen_until(struct soak *s, uint64_t due)
{
    uint64_t seen = atomic_load_explicit(&s->probe.frames, memory_order_relaxed);
    int64_t seen_ns = bench_wall_ns();
    while (seen < due && !s->failure[0]) {
        const int64_t now_ns = bench_wall_ns();
        if (player_update(s->listener, now_ns + TURN_NS) == PLAYER_STOPPED) {
            const int error = player_play(s->listener, 0, 0.0);
            if (error)
                fail(s, "the queue cannot begin again: %s", strerror(-error));
        }
        const uint64_t frames = atomic_load_explicit(&s->probe.frames, memory_order_relaxed);
        if (frames != seen)
            seen_ns = now_ns;
        else if (now_ns - seen_ns > HANG_S * INT64_C(1000000000))
            fail(s, "nothing was heard for %d s", HANG_S);
        seen = frames;
    }
}

static void soak(struct soak *s)
{
    const uint64_t end = (uint64_t)(s->hours * 3600.0 * RATE_HZ);
    int64_t progress_ns = s->begun_ns = bench_wall_ns();
    while (!s->failure[0] && atomic_load_explicit(&s->probe.frames, memory_order_relaxed) < end) {
        const uint64_t due = soak_script_due_frame(s->script);
        listen_until(s, due < end ? due : end);
        const int error = due < end && !s->failure[0] ? soak_script_step(s->script) : 0;
        if (error)
            fail(s, "%s: %s", soak_script_last(s->script), strerror(-error));
        check_listener(s);
        check_checker(s);
        check_resources(s);
        if (bench_wall_ns() - progress_ns > PROGRESS_S * INT64_C(1000000000)) {
            print_figures(s, stderr);
            progress_ns = bench_wall_ns();
        }
    }
}

static int report(struct soak *s)
{
    print_figures(s, stdout);
    printf(
        "first half: %.1f MB, %u descriptors, %u threads at most; second half: %.1f MB, %u, %u\n",
        (double)s->first_half.resident_bytes / 1e6, s->first_half.descriptors,
        s->first_half.threads, (double)s->second_half.resident_bytes / 1e6,
        s->second_half.descriptors, s->second_half.threads);
    if (!s->failure[0]) {
        printf("no failure\n");
        return 0;
    }
    printf(
        "FAILED: %s\nafter %llu commands, the last: %s\nagain: segue-soak --hours %g --seed %llu\n",
        s->failure, (unsigned long long)soak_script_steps(s->script), soak_script_last(s->script),
        s->hours, (unsigned long long)s->seed);
    return 1;
}

// --- arguments

static bool parse_positive(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return *text && !*end && isfinite(*out) && *out > 0.0;
}

static bool parse_option(struct soak *s, const char *name, const char *value)
{
    if (strcmp(name, "--hours") == 0)
        return parse_positive(value, &s->hours);
    if (strcmp(name, "--speed") == 0)
        return strcmp(value, "max") == 0 || parse_positive(value, &s->speed);
    if (strcmp(name, "--seed") != 0)
        return false;
    char *end;
    s->seed = strtoull(value, &end, 10);
    return *value >= '0' && *value <= '9' && !*end;
}

static bool parse(struct soak *s, int argc, char **argv)
{
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--no-mastering") == 0) {
            s->is_mastered = false;
        } else if (argv[i][0] == '-') {
            if (i + 1 == argc || !parse_option(s, argv[i], argv[i + 1]))
                return false;
            ++i;
        } else if (s->n_paths < sizeof(s->paths) / sizeof(s->paths[0])) {
            s->paths[s->n_paths++] = argv[i];
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct soak s = {.hours = 1, .speed = (double)INFINITY, .seed = 1, .is_mastered = true};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(HELP, stdout);
        return 0;
    }
    if (!parse(&s, argc, argv)) {
        fputs("segue-soak: bad arguments; see segue-soak --help\n", stderr);
        return 2;
    }
    const int error = start(&s);
    int status = 1;
    if (error) {
        fprintf(stderr, "segue-soak: cannot begin: %s\n", strerror(-error));
    } else {
        soak(&s);
        status = report(&s);
    }
    stop(&s);
    return status;
}
