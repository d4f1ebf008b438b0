// SPDX-License-Identifier: MIT
// `segue report`: tracks before and after mastering, on one page.
#include "engine/desktop/commands.h"
#include "engine/desktop/interrupt.h"
#include "engine/desktop/report_drawing.h"
#include "engine/desktop/report_page.h"
#include "engine/desktop/report_title.h"
#include "engine/desktop/session.h"
#include "engine/desktop/walk.h"
#include "engine/desktop/work_line.h"
#include "engine/escape.h"
#include "engine/prepare/scan.h"
#include "io/sound/decoder.h"
#include "io/writing/new_file.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct report {
    const struct options *options;
    struct log *log;
    struct scheduler *scheduler;
    char *title;
    FILE *page;
    struct work_line line;
    enum report_fold fold;
    unsigned tracks;
    bool failed; // something, named already
};

static void fail(struct report *report, const char *path, const char *cause)
{
    report->failed = true;
    log_write(report->log, LOG_LEVEL_ERROR, path, "%s", cause);
    report_page_failure(report->page, path, cause);
}

static void on_progress(void *context, double done_s, double total_s)
{
    struct report *report = context;
    work_line_draw(&report->line, "drawing ", done_s, total_s);
}

static void show(struct report *report, const struct scan_result *result)
{
    if (result->error)
        fail(report, result->path, result->text[0] ? result->text : "damaged");
    if (!result->record)
        return;
    const struct report_drawing_config config = {.scheduler = report->scheduler,
                                                 .settings = session_mastering(report->options),
                                                 .analysed = result,
                                                 .fold = report->fold,
                                                 .progress = on_progress,
                                                 .context = report};
    const int error = report_drawing_write(report->page, &config);
    if (error)
        fail(report, result->path, decoder_error_text(error));
    else
        ++report->tracks;
}

// One file at a time: its figures from the cache or by analysis, then its pictures.
static int show_item(struct report *report, struct scan *scan, const struct walk_item *item)
{
    if (item->error) {
        fail(report, item->path,
             item->error == -ENODATA ? "no audio files in this folder" : strerror(-item->error));
        return 0;
    }
    struct scan_result result;
    work_line_begin(&report->line, NULL, 0, 0); // the walk uses a path's memory again
    work_line_begin(&report->line, item->path, 0, 0);
    int error = scan_submit(scan, item->path);
    if (!error)
        work_line_watch_scan(&report->line, scan);
    if (!error)
        error = scan_take(scan, &result);
    if (error)
        return error;
    show(report, &result);
    work_line_wipe(&report->line);
    scan_result_deinit(&result);
    return 0;
}

static int show_all(struct report *report)
{
    const struct options *o = report->options;
    const struct walk_config config = {.paths = o->paths, .count = o->path_count};
    struct walk *walk = NULL;
    struct scan *scan = NULL;
    struct walk_item item;
    int error = walk_create(&walk, &config);
    if (!error)
        error = scan_create(&scan, report->scheduler, 1, SCAN_IN_ORDER);
    int more = error ? error : walk_next(walk, &item);
    while (more > 0 && !error) {
        error = show_item(report, scan, &item);
        more = walk_next(walk, &item);
    }
    scan_destroy(&scan);
    walk_destroy(&walk);
    return error ? error : more;
}

static int write_page(struct report *report, int fd)
{
    report->page = fdopen(fd, "w");
    if (!report->page) {
        const int error = -errno;
        close(fd);
        return error;
    }
    report_page_begin(report->page, report->title, report->fold);
    int error = show_all(report);
    report_page_end(report->page);
    const int failed = ferror(report->page) ? -EIO : 0;
    const int closed =
        fclose(report->page) == EOF ? -errno : failed; // what is left fails by the same cause
    return error ? error : closed;
}

static void print_summary(const struct report *report)
{
    char out[4096];
    escape_text(out, sizeof out, report->options->output);
    printf("%s: %u track%s\n", out, report->tracks, report->tracks == 1 ? "" : "s");
}

// The page appears under its name when it is whole.
static int run(struct report *report)
{
    const struct options *o = report->options;
    report->title = report_title(o->paths, o->path_count, scheduler_loader(report->scheduler));
    if (!report->title) {
        log_write(report->log, LOG_LEVEL_ERROR, o->output, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    struct new_file file;
    int error = new_file_init(&file, o->output);
    const int fd = error ? -1 : dup(file.fd);
    if (!error)
        error = fd < 0 ? -errno : write_page(report, fd);
    if (!error)
        error = new_file_publish(&file);
    new_file_deinit(&file);
    if (error)
        log_write(report->log, LOG_LEVEL_ERROR, o->output, "%s", strerror(-error));
    return error;
}

// A page made of one file shows it at once.
static enum report_fold fold_for(const struct options *options)
{
    struct stat st;
    const bool one =
        options->path_count == 1 && !stat(options->paths[0], &st) && !S_ISDIR(st.st_mode);
    return one ? REPORT_OPEN : REPORT_FOLDED;
}

enum exit_status command_report(const struct options *options, struct log *log)
{
    struct report report = {.options = options, .log = log, .fold = fold_for(options)};
    struct interrupt *interrupt;
    work_line_init(&report.line, log);
    interrupt_hold();
    if (session_start(&report.scheduler, options, log))
        return EXIT_SOMETHING_FAILED;
    int error = interrupt_start(&interrupt, report.scheduler);
    if (!error)
        error = run(&report);
    if (!error)
        print_summary(&report);
    interrupt_stop(&interrupt);
    scheduler_destroy(&report.scheduler);
    free(report.title);
    return error || report.failed ? EXIT_SOMETHING_FAILED : EXIT_DONE;
}
