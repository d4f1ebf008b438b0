// SPDX-License-Identifier: MIT
#include "engine/desktop/analysis_table.h"
#include "engine/desktop/commands.h"
#include "engine/desktop/interrupt.h"
#include "engine/desktop/scan_progress.h"
#include "engine/desktop/session.h"
#include "engine/desktop/walk.h"
#include "engine/library/analysis_json.h"
#include "engine/library/track_record.h"
#include "engine/monotonic.h"
#include "engine/prepare/scan.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct analyze {
    const struct options *options;
    struct log *log;
    struct scan *scan;
    struct walk *walk;
    struct interrupt *interrupt;
    unsigned path_columns; // of the table
    bool failed;           // something, named already
    bool broken;           // standard output is gone
    struct scan_progress progress;
    // --- its line, on a terminal only
    bool has_line;
    struct walk *counter; // walks the same paths ahead; NULL: all are counted, or cannot be
    int64_t shown_ns;
};

enum {
    SHOWN_EVERY_NS = 200000000,
    COUNTED_AT_ONCE = 1000, // files that the counter goes on by between two results
};

static unsigned terminal_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 100;
}

static struct analysis_report report_of(const struct scan_result *result)
{
    struct analysis_report report = {.path = result->path};
    if (result->error) {
        report.error_code = session_error_code(result->error);
        report.error_message = result->text[0] ? result->text : "damaged";
    }
    if (!result->record)
        return report;
    const struct track_record *t = track_record_of(result->record);
    report.codec = t->codec;
    report.analysis = track_record_analysis(t);
    report.targets = &t->targets;
    report.timing = &t->timing;
    report.source = extraction_tier_name(result->tier);
    report.backend = t->on_cuda ? "cuda" : "cpu";
    return report;
}

static int create_counter(struct analyze *a, const struct walk_config *paths)
{
    for (size_t i = 0; i < paths->count; ++i)
        if (strcmp(paths->paths[i], "-") == 0)
            return 0; // what comes there is not known before it is there
    a->progress.total_state = SCAN_TOTAL_GROWS;
    return walk_create(&a->counter, paths);
}

static void count_on(struct analyze *a)
{
    struct walk_item item;
    for (unsigned i = 0; a->counter && i < COUNTED_AT_ONCE; ++i) {
        const int more = walk_next(a->counter, &item);
        a->progress.total += more > 0;
        if (more > 0)
            continue;
        a->progress.total_state = more == 0 ? SCAN_TOTAL_COUNTED : SCAN_TOTAL_UNKNOWN;
        walk_destroy(&a->counter);
    }
}

static void wipe_line(struct analyze *a)
{
    if (!a->has_line)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    log_set_status_line(a->log, 0);
    a->shown_ns = 0;
}

static void show_line(struct analyze *a)
{
    const int64_t now = monotonic_ns();
    if (!a->has_line || now - a->shown_ns < SHOWN_EVERY_NS)
        return;
    a->shown_ns = now;
    count_on(a);
    const unsigned columns = terminal_columns(STDERR_FILENO) - 1; // the last column would wrap
    char line[SCAN_LINE_BYTES];
    scan_progress_line(line, &a->progress, now,
                       columns < SCAN_LINE_COLUMNS ? columns : SCAN_LINE_COLUMNS);
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    log_set_status_line(a->log, 1);
}

static void add_progress(struct analyze *a, const struct scan_result *result, double audio_s)
{
    const struct scan_step step = {.audio_s = audio_s,
                                   .kind = result->error ? SCAN_STEP_FAILED
                                           : result->tier == EXTRACTION_COMPUTED
                                               ? SCAN_STEP_COMPUTED
                                               : SCAN_STEP_KNOWN};
    scan_progress_add(&a->progress, &step, monotonic_ns());
}

static void print_line(struct analyze *a, const char *line)
{
    if (interrupt_has_come(a->interrupt))
        return; // what is printed is saved
    if (a->has_line && isatty(STDOUT_FILENO))
        wipe_line(a);
    if (puts(line) == EOF)
        a->broken = true;
}

static void print_report(struct analyze *a, const struct analysis_report *report)
{
    if (options_has(a->options, OPTION_TABLE)) {
        char line[ANALYSIS_TABLE_BYTES];
        analysis_table_row(line, report, a->path_columns);
        print_line(a, line);
        return;
    }
    char *line = analysis_json_print(report, ANALYSIS_JSON_PRINTED);
    if (line)
        print_line(a, line);
    else
        log_write(a->log, LOG_LEVEL_ERROR, report->path, "no memory to print the result");
    a->failed |= !line;
    free(line);
}

static void take_result(struct analyze *a)
{
    struct scan_result result;
    while (a->has_line && !scan_wait(a->scan, monotonic_ns() + SHOWN_EVERY_NS))
        show_line(a);
    if (scan_take(a->scan, &result))
        return;
    const struct analysis_report report = report_of(&result);
    if (result.replaced_samples)
        log_write(a->log, LOG_LEVEL_WARN, result.path,
                  "%llu samples that are not finite or over 1024 are read as 0",
                  (unsigned long long)result.replaced_samples);
    if (result.error) {
        log_write(a->log, LOG_LEVEL_ERROR, result.path, "%s", report.error_message);
        a->failed = true;
    }
    add_progress(a, &result, report.analysis ? report.analysis->duration_s : 0.0);
    print_report(a, &report);
    show_line(a);
    scan_result_deinit(&result);
}

static int submit(struct analyze *a, const struct walk_item *item)
{
    if (!item->error)
        return scan_submit(a->scan, item->path);
    const char *text =
        item->error == -ENODATA ? "no audio files in this folder" : strerror(-item->error);
    return scan_submit_error(a->scan, item->path, item->error, text);
}

// Keeps the window full while there is input, then drains it.
static int run(struct analyze *a)
{
    int more = 1, error = 0;
    while (!a->broken && (more > 0 || scan_under_way(a->scan))) {
        struct walk_item item;
        if (more > 0)
            more = walk_next(a->walk, &item);
        if (more < 0)
            error = more;
        int submitted = more > 0 ? submit(a, &item) : 0;
        while (submitted == -EAGAIN) {
            take_result(a);
            submitted = submit(a, &item);
        }
        if (submitted)
            error = submitted;
        // What is done is printed at once, so that a reader of a pipe does not wait for the window to fill.
        while (scan_has_result(a->scan) || (more <= 0 && scan_under_way(a->scan)))
            take_result(a);
        if (fflush(stdout) == EOF)
            a->broken = true;
    }
    return error;
}

static int prepare(struct analyze *a, struct scheduler *scheduler)
{
    const struct options *o = a->options;
    const unsigned jobs = o->jobs ? o->jobs : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    const enum scan_order order = options_has(o, OPTION_UNORDERED) ? SCAN_AS_DONE : SCAN_IN_ORDER;
    const struct walk_config walk = {.paths = o->paths,
                                     .count = o->path_count,
                                     .input = stdin,
                                     .terminator = options_has(o, OPTION_NULL) ? 0 : '\n'};
    int error = scan_create(&a->scan, scheduler, 4 * jobs, order);
    if (!error)
        error = walk_create(&a->walk, &walk);
    return error || !a->has_line ? error : create_counter(a, &walk);
}

static void say_summary(const struct analyze *a)
{
    char text[256];
    if (a->progress.files < 2)
        return;
    scan_progress_summary(text, sizeof text, &a->progress, monotonic_ns());
    log_write(a->log, LOG_LEVEL_INFO, NULL, "%s", text);
}

enum exit_status command_analyze(const struct options *options, struct log *log)
{
    struct options with_jobs = *options;
    if (!with_jobs.jobs)
        with_jobs.jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN); // nothing plays: all cores work
    struct analyze a = {.options = &with_jobs,
                        .log = log,
                        .path_columns = analysis_table_path_columns(terminal_columns(1)),
                        .has_line = isatty(STDERR_FILENO),
                        .progress = {.begun_ns = monotonic_ns()}};
    struct scheduler *scheduler;
    interrupt_hold();
    if (session_start(&scheduler, &with_jobs, log))
        return EXIT_SOMETHING_FAILED;
    if (options_has(options, OPTION_TABLE)) {
        char heading[ANALYSIS_TABLE_BYTES];
        analysis_table_heading(heading, a.path_columns);
        print_line(&a, heading);
    }
    int error = interrupt_start(&a.interrupt, scheduler);
    if (!error)
        error = prepare(&a, scheduler);
    if (!error)
        error = run(&a);
    wipe_line(&a);
    if (error)
        log_write(log, LOG_LEVEL_ERROR, NULL, "analysis broke off: %s", strerror(-error));
    if (a.broken)
        log_write(log, LOG_LEVEL_ERROR, NULL, "standard output cannot be written");
    say_summary(&a);
    walk_destroy(&a.walk);
    walk_destroy(&a.counter);
    scan_destroy(&a.scan);
    interrupt_stop(&a.interrupt);
    scheduler_destroy(&scheduler);
    return error || a.failed || a.broken ? EXIT_SOMETHING_FAILED : EXIT_DONE;
}
