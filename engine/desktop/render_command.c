// SPDX-License-Identifier: MIT
// `segue render`: the player's own stream, into files or past a meter.
#include "engine/desktop/commands.h"
#include "engine/desktop/interrupt.h"
#include "engine/desktop/render_album.h"
#include "engine/desktop/render_file.h"
#include "engine/desktop/render_list.h"
#include "engine/desktop/render_report.h"
#include "engine/desktop/session.h"
#include "engine/desktop/work_line.h"
#include "engine/library/track_record.h"
#include "engine/prepare/scan.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AHEAD = 3,
    REDRAW_NS = 100000000,
    TITLE_BYTES = 1024
}; // files analysed while one is rendered

struct rendering {
    const struct options *options;
    struct log *log;
    struct scheduler *scheduler;
    struct render_list list;
    struct scan *scan;          // NULL without mastering
    size_t submitted;           // items
    size_t at;                  // the item under way
    struct render_file *opened; // of the item after it, where the audio runs on
    struct work_line line;
    enum exit_status status;
};

static void note(struct rendering *r, int status)
{
    if (status > (int)r->status)
        r->status = (enum exit_status)status;
}

// --- What it shows -------------------------------------------------------------------------------

static void draw(struct rendering *r, const char *doing, double done_s, double total_s)
{
    work_line_begin(&r->line, r->list.items[r->at].in, (unsigned)r->at + 1,
                    (unsigned)r->list.count);
    work_line_draw(&r->line, doing, done_s, total_s);
}

// With --album one bar is for all: analysing, calibrating, rendering, by about what they take.
static const struct work_part ANALYSING = {0, 0.65}, CALIBRATING = {0.65, 0.85},
                              RENDERING = {0.85, 1};

// What is done next is the part of a phase from one share to another.
static void begin_part(struct rendering *r, const struct work_part *phase, double from, double to)
{
    const double width = phase->to - phase->from;
    const struct work_part part = {phase->from + width * from, phase->from + width * to};
    work_line_set_part(&r->line, &part);
}

// This item's part of it.
static void begin_item(struct rendering *r, const struct work_part *phase)
{
    const double count = (double)r->list.count;
    begin_part(r, phase, (double)r->at / count, (double)(r->at + 1) / count);
}

static void on_album_progress(void *context, size_t item, const struct render_albums_progress *p)
{
    struct rendering *r = context;
    r->at = item;
    begin_part(r, &CALIBRATING, p->share, p->share);
    draw(r, "calibrating ", p->done_s, p->total_s);
}

static void on_progress(void *context, uint64_t frames, uint64_t of_frames, uint32_t rate_hz)
{
    draw(context, "", (double)frames / rate_hz, (double)of_frames / rate_hz);
}

static void report(struct rendering *r, const struct render_item *item,
                   const struct render_outcome *outcome)
{
    work_line_wipe(&r->line);
    int error = 0;
    if (options_has(r->options, OPTION_JSON))
        error = render_report_json(stdout, item->in, item->out, outcome);
    else
        render_report_line(stdout, item->in, item->out, outcome);
    if (fflush(stdout) == EOF)
        error = -errno;
    if (error) {
        log_write(r->log, LOG_LEVEL_ERROR, "standard output", "%s", strerror(-error));
        note(r, EXIT_SOMETHING_FAILED);
    }
}

static struct render_file_config config_of(struct rendering *r, const struct render_item *item)
{
    const struct record *record = item->record;
    const struct mastering_targets *targets = item->in_album ? &item->in_album->targets
                                              : record       ? &track_record_of(record)->targets
                                                             : NULL;
    return (struct render_file_config){.options = r->options,
                                       .log = r->log,
                                       .scheduler = r->scheduler,
                                       .in = item->in,
                                       .out = item->out,
                                       .record = record,
                                       .identity = record ? &item->identity : NULL,
                                       .targets = targets,
                                       .progress = on_progress,
                                       .context = r};
}

// --- Records -------------------------------------------------------------------------------------

// What cannot be rendered whatever its analysis says is not analysed.
static bool is_refused(struct rendering *r, struct render_item *item)
{
    const struct render_file_config config = config_of(r, item);
    const int status = render_file_check(&config);
    note(r, status);
    item->refused = status != 0;
    return item->refused;
}

static void submit_ahead(struct rendering *r)
{
    while (r->submitted < r->list.count && scan_under_way(r->scan) < AHEAD) {
        struct render_item *item = &r->list.items[r->submitted];
        if (!is_refused(r, item) && scan_submit(r->scan, item->in))
            break;
        ++r->submitted;
    }
}

// Give the item that is next in order its record. @return 0, or the exit status where there is none to go on with.
static int take_record(struct rendering *r, struct render_item *item)
{
    struct scan_result result = {0};
    submit_ahead(r);
    if (item->refused)
        return EXIT_SOMETHING_FAILED; // noted already
    draw(r, "analysing ", 0, NAN);
    work_line_watch_scan(&r->line, r->scan);
    const int error = scan_take(r->scan, &result);
    submit_ahead(r);
    if (error)
        log_write(r->log, LOG_LEVEL_ERROR, item->in, "%s", strerror(-error));
    else if (!result.record)
        log_write(r->log, LOG_LEVEL_ERROR, item->in, "%s", result.text);
    item->record = result.record;
    item->identity = result.identity;
    result.record = NULL;
    scan_result_deinit(&result);
    return item->record ? 0 : EXIT_SOMETHING_FAILED;
}

// --- One after another ---------------------------------------------------------------------------

static int open_item(struct rendering *r, struct render_file **file, const struct render_item *item)
{
    const struct render_file_config config = config_of(r, item);
    return render_file_open(file, &config);
}

static bool runs_on_into_next(const struct rendering *r)
{
    const struct render_item *next = &r->list.items[r->at + 1];
    return r->at + 1 < r->list.count && next->in_album && next->in_album->runs_on;
}

static void render_item(struct rendering *r, const struct render_item *item)
{
    struct render_file *file = r->opened;
    struct render_outcome outcome = {.after_lufs = NAN};
    r->opened = NULL;
    draw(r, "", 0, NAN);
    int status = file ? 0 : open_item(r, &file, item);
    if (!status && runs_on_into_next(r)) {
        struct render_item *next = &r->list.items[r->at + 1];
        const int next_status = open_item(r, &r->opened, next);
        next->refused = next_status != 0; // then this one ends alone
        note(r, next_status);
    }
    if (!status)
        status = render_file_run(file, r->opened, &outcome);
    if (item->in_album)
        outcome.album_lufs = item->in_album->album_lufs;
    if (status && isnan(outcome.after_lufs))
        render_file_close(&r->opened); // its first frames went nowhere
    render_file_close(&file);
    note(r, status);
    if (!isnan(outcome.after_lufs))
        report(r, item, &outcome);
}

static void render_next(struct rendering *r)
{
    struct render_item *item = &r->list.items[r->at];
    if (item->record)
        begin_item(r, &RENDERING);
    const int status = r->scan && !item->record ? take_record(r, item) : 0;
    note(r, status);
    if (!status && !item->refused)
        render_item(r, item);
    record_unref(&item->record);
}

// An album's makeup is known when all of its tracks are analysed.
static int prepare_albums(struct rendering *r, struct album_track **tracks)
{
    for (r->at = 0; r->at < r->list.count; ++r->at) {
        struct render_item *item = &r->list.items[r->at];
        begin_item(r, &ANALYSING);
        note(r, take_record(r, item));
    }
    render_list_keep_analysed(&r->list);
    work_line_wipe(&r->line);
    const struct render_albums_config config = {.settings = &r->options->mastering,
                                                .loader = scheduler_loader(r->scheduler),
                                                .log = r->log,
                                                .progress = on_album_progress,
                                                .context = r};
    return render_albums(&r->list, &config, tracks);
}

static int render_all(struct rendering *r)
{
    struct album_track *tracks = NULL;
    int error = 0;
    if (session_mastering(r->options))
        error = scan_create(&r->scan, r->scheduler, AHEAD, SCAN_IN_ORDER);
    if (!error && r->scan && options_has(r->options, OPTION_ALBUM))
        error = prepare_albums(r, &tracks);
    for (r->at = 0; r->at < r->list.count && !error; ++r->at)
        render_next(r);
    render_file_close(&r->opened);
    work_line_wipe(&r->line);
    while (r->scan && scan_under_way(r->scan)) {
        struct scan_result result;
        if (scan_take(r->scan, &result))
            break;
        scan_result_deinit(&result);
    }
    scan_destroy(&r->scan);
    free(tracks);
    return error;
}

static enum exit_status run(struct rendering *r)
{
    interrupt_hold();
    if (session_start(&r->scheduler, r->options, r->log))
        return EXIT_SOMETHING_FAILED;
    struct interrupt *interrupt;
    int error = interrupt_start(&interrupt, r->scheduler);
    if (!error)
        error = render_all(r);
    if (error)
        log_write(r->log, LOG_LEVEL_ERROR, NULL, "cannot render: %s", strerror(-error));
    interrupt_stop(&interrupt);
    scheduler_destroy(&r->scheduler);
    return error ? EXIT_SOMETHING_FAILED : r->status;
}

enum exit_status command_render(const struct options *options, struct log *log)
{
    struct rendering r = {.options = options, .log = log, .status = EXIT_DONE};
    work_line_init(&r.line, log);
    const int error = render_list_make(&r.list, options, log);
    enum exit_status status = EXIT_BAD_USAGE;
    if (error == -ENOMEM)
        log_write(log, LOG_LEVEL_ERROR, NULL, "cannot render: %s", strerror(ENOMEM));
    if (r.list.failed || error == -ENOMEM)
        status = EXIT_SOMETHING_FAILED;
    if (!error && r.list.count)
        status = run(&r);
    if (!error && r.list.failed && status == EXIT_DONE)
        status = EXIT_SOMETHING_FAILED;
    render_list_deinit(&r.list);
    return status;
}
