// SPDX-License-Identifier: MIT
// `segue report`: tracks before and after mastering, on one page.
#include "engine/desktop/commands.h"
#include "engine/desktop/interrupt.h"
#include "engine/desktop/report_page.h"
#include "engine/desktop/session.h"
#include "engine/desktop/walk.h"
#include "engine/desktop/work_line.h"
#include "engine/escape.h"
#include "engine/output_meter.h"
#include "engine/scan.h"
#include "engine/track_record.h"
#include "engine/track_stream.h"
#include "io/decoder.h"
#include "io/new_file.h"
#include "io/source.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_FRAMES = 1024 };

/// One way of a track: as it is, or mastered.
struct reading {
    struct source *source;
    struct decoder *decoder;
    struct decoder_info info;
    struct track_stream *stream;
    float stereo[2 * BLOCK_FRAMES];
};

struct shown_track {
    struct record *record;
    struct reading sides[TRACK_SIDES];
    struct track_picture *picture;
    struct output_meter *meter;
    float *short_term;
};

struct report {
    const struct options *options;
    struct log *log;
    struct scheduler *scheduler;
    FILE *page;
    struct work_line line;
    enum report_fold fold;
    unsigned tracks;
    bool failed; // something, named already
};

static int open_reading(struct report *report, struct reading *r, const struct scan_result *of,
                        enum track_stream_mastering mastering)
{
    const struct source_config config = {.path = of->path, .priority = LOADER_PLAYING};
    struct file_identity identity;
    int error = source_open(&r->source, scheduler_loader(report->scheduler), &config);
    if (!error)
        error = source_wait_open(r->source, &identity);
    if (!error && memcmp(&identity, &of->identity, sizeof(identity)) != 0)
        error = -ESTALE; // figures of one file and pictures of another
    if (!error)
        error = decoder_open(&r->decoder, r->source, &r->info);
    if (error)
        return error;
    return track_stream_open(&r->stream,
                             &(struct track_stream_config){.decoder = r->decoder,
                                                           .info = r->info,
                                                           .rate_hz = r->info.format.rate_hz,
                                                           .mastering = mastering});
}

static void close_reading(struct reading *r)
{
    track_stream_close(&r->stream);
    decoder_close(&r->decoder);
    source_close(&r->source);
}

static void close_track(struct shown_track *t)
{
    for (int side = 0; side < TRACK_SIDES; ++side)
        close_reading(&t->sides[side]);
    track_picture_destroy(&t->picture);
    output_meter_destroy(&t->meter);
    record_unref(&t->record);
    free(t->short_term);
}

static int open_track(struct report *report, struct shown_track *t, const struct scan_result *of)
{
    const int masters = session_mastering(report->options) != NULL;
    int error = open_reading(report, &t->sides[TRACK_BEFORE], of, TRACK_STREAM_PLAIN);
    if (!error)
        error = open_reading(report, &t->sides[TRACK_AFTER], of,
                             masters ? TRACK_STREAM_MASTERED : TRACK_STREAM_PLAIN);
    if (error)
        return error;
    const struct decoder_info *info = &t->sides[TRACK_BEFORE].info;
    if (info->frames == 0)
        return -ENODATA;
    if (masters)
        track_stream_set_targets(t->sides[TRACK_AFTER].stream,
                                 &track_record_of(t->record)->targets);
    error = track_picture_create(&t->picture, info->frames, info->format.rate_hz);
    return error ? error : output_meter_create(&t->meter, info->format.rate_hz);
}

// Both sides together, column by column. @return 0, at the end or where both end early; -errno.
static int draw(struct report *report, struct shown_track *t)
{
    struct reading *before = &t->sides[TRACK_BEFORE], *after = &t->sides[TRACK_AFTER];
    const double rate_hz = before->info.format.rate_hz;
    uint64_t done_frames = 0;
    uint32_t want;
    while ((want = track_picture_wants(t->picture, BLOCK_FRAMES)) > 0) {
        const int64_t got = track_stream_read(before->stream, before->stereo, want);
        const int64_t mastered =
            got > 0 ? track_stream_read(after->stream, after->stereo, (uint32_t)got) : got;
        if (got <= 0 || mastered != got)
            return got < 0 ? (int)got : mastered < 0 ? (int)mastered : 0;
        struct chain_dynamics dynamics;
        track_stream_take_dynamics(after->stream, &dynamics);
        track_picture_feed(t->picture, before->stereo, after->stereo, (uint32_t)got, &dynamics);
        const int error = output_meter_feed(t->meter, after->stereo, (uint32_t)got);
        if (error)
            return error;
        done_frames += (uint64_t)got;
        work_line_draw(&report->line, "drawing ", (double)done_frames / rate_hz,
                       (double)before->info.frames / rate_hz);
    }
    return 0;
}

static int write_track(struct report *report, struct shown_track *t, const char *path)
{
    const struct track_record *record = track_record_of(t->record);
    const uint32_t count = output_meter_short_term_count(t->meter);
    t->short_term = calloc(count + 1, sizeof *t->short_term);
    if (!t->short_term)
        return -ENOMEM;
    output_meter_short_term_fill(t->meter, t->short_term);
    const struct mastering_settings *settings = session_mastering(report->options);
    const struct report_track shown = {
        .path = path,
        .codec = record->codec,
        .analysis = track_record_analysis(record),
        .picture = t->picture,
        .targets = settings ? &record->targets : NULL,
        .preset = settings ? mastering_preset_name((int)settings->preset) : NULL,
        .intensity = settings ? settings->intensity : 0,
        .after_lufs = output_meter_lufs(t->meter),
        .after_dbtp = output_meter_dbtp(t->meter),
        .after_short_term = t->short_term,
        .after_short_term_count = count,
    };
    ++report->tracks;
    return report_page_track(report->page, &shown, report->fold);
}

static void fail(struct report *report, const char *path, const char *cause)
{
    report->failed = true;
    log_write(report->log, LOG_LEVEL_ERROR, path, "%s", cause);
    report_page_failure(report->page, path, cause);
}

static void show(struct report *report, struct scan_result *result)
{
    struct shown_track track = {.record = result->record};
    result->record = NULL;
    if (result->error)
        fail(report, result->path, result->text[0] ? result->text : "damaged");
    int error = track.record ? open_track(report, &track, result) : 0;
    if (!error && track.record)
        error = draw(report, &track);
    if (!error && track.record) {
        track_picture_finish(track.picture);
        error = write_track(report, &track, result->path);
    }
    if (error)
        fail(report, result->path, decoder_error_text(error));
    close_track(&track);
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
    report->line.path = item->path;
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
    report_page_begin(report->page, report->options->paths[0], report->fold);
    int error = show_all(report);
    report_page_end(report->page);
    if (ferror(report->page) && !error)
        error = -EIO;
    if (fclose(report->page) == EOF && !error)
        error = -errno;
    return error;
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
    struct new_file file;
    int error = new_file_init(&file, report->options->output);
    const int fd = error ? -1 : dup(file.fd);
    if (!error)
        error = fd < 0 ? -errno : write_page(report, fd);
    if (!error)
        error = new_file_publish(&file);
    new_file_deinit(&file);
    if (error)
        log_write(report->log, LOG_LEVEL_ERROR, report->options->output, "%s", strerror(-error));
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
    return error || report.failed ? EXIT_SOMETHING_FAILED : EXIT_DONE;
}
