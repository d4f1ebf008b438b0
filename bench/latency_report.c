// SPDX-License-Identifier: MIT
#include "latency_report.h"
#include <math.h>

static const struct {
    const char *name, *unit;
} ROWS[LATENCY_ROWS] = {
    [LATENCY_EMPTY] = {"empty callback cpu", "us"},
    [LATENCY_EMPTY + 1] = {"empty callback wall", "us"},
    [LATENCY_EMPTY + 2] = {"empty lateness", "us"},
    [LATENCY_CALLBACK] = {"callback cpu", "us"},
    [LATENCY_CALLBACK + 1] = {"callback wall", "us"},
    [LATENCY_CALLBACK + 2] = {"lateness", "us"},
    [LATENCY_RING] = {"ring", "ms"},
    [LATENCY_PAUSE] = {"pause", "ms"},
    [LATENCY_PAUSE + 1] = {"pause full", "ms"},
    [LATENCY_PAUSE + 2] = {"pause", "frames"},
    [LATENCY_RESUME] = {"resume", "ms"},
    [LATENCY_RESUME + 1] = {"resume full", "ms"},
    [LATENCY_RESUME + 2] = {"resume", "frames"},
    [LATENCY_SEEK] = {"seek", "ms"},
    [LATENCY_SEEK + 1] = {"seek full", "ms"},
    [LATENCY_SEEK + 2] = {"seek", "frames"},
    [LATENCY_SKIP] = {"skip", "ms"},
    [LATENCY_SKIP + 1] = {"skip full", "ms"},
    [LATENCY_SKIP + 2] = {"skip", "frames"},
    [LATENCY_VOLUME] = {"volume", "ms"},
    [LATENCY_VOLUME + 1] = {"volume full", "ms"},
    [LATENCY_VOLUME + 2] = {"volume", "frames"},
    [LATENCY_COMPARE] = {"compare", "ms"},
    [LATENCY_COMPARE + 1] = {"compare full", "ms"},
    [LATENCY_COMPARE + 2] = {"compare", "frames"},
    [LATENCY_START_COLD] = {"start cold", "ms"},
    [LATENCY_START_WARM] = {"start warm", "ms"},
};

int latency_report_init(struct latency_report *report, size_t values)
{
    *report = (struct latency_report){0};
    int error = 0;
    for (int i = 0; !error && i < LATENCY_ROWS; ++i)
        error = stats_init(&report->rows[i].values, values);
    if (error)
        latency_report_deinit(report);
    return error;
}

void latency_report_deinit(struct latency_report *report)
{
    for (int i = 0; i < LATENCY_ROWS; ++i)
        stats_deinit(&report->rows[i].values);
}

// Moves the values, so that a long run is not held twice.
static void move(struct stats *to, struct stats *from)
{
    stats_deinit(to);
    *to = *from;
    *from = (struct stats){0};
}

void latency_report_take(struct latency_report *report, struct listener *listener,
                         enum latency_row row)
{
    struct latency_measure *rows = &report->rows[row];
    stats_deinit(&rows[2].values);
    if (!stats_init(&rows[2].values, listener->begin_ns.capacity))
        listener_lateness(listener, &rows[2].values);
    move(&rows[0].values, &listener->cpu_us);
    move(&rows[1].values, &listener->wall_us);
    listener_deinit(listener);
}

static void print_table(struct latency_report *report, FILE *out)
{
    fprintf(out, "%-20s %-6s %8s", "", "", "count");
    for (size_t i = 0; i < STATS_POINTS; ++i)
        fprintf(out, " %10s", stats_point_name(i));
    fputc('\n', out);
    for (int row = 0; row < LATENCY_ROWS; ++row) {
        double points[STATS_POINTS];
        struct stats *values = &report->rows[row].values;
        stats_points(values, points);
        fprintf(out, "%-20s %-6s %8zu", ROWS[row].name, ROWS[row].unit, values->count);
        for (size_t i = 0; values->count && i < STATS_POINTS; ++i)
            fprintf(out, " %10.2f", points[i]);
        fputc('\n', out);
    }
}

static void print_histograms(const struct latency_report *report, FILE *out)
{
    static const enum latency_row drawn[] = {LATENCY_CALLBACK, LATENCY_CALLBACK + 2, LATENCY_SEEK};
    for (size_t i = 0; i < sizeof(drawn) / sizeof(drawn[0]); ++i) {
        fprintf(out, "\n%s, %s\n", ROWS[drawn[i]].name, ROWS[drawn[i]].unit);
        stats_draw(&report->rows[drawn[i]].values, out, ROWS[drawn[i]].unit);
    }
}

static void print_number(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, "%.6g", value);
    else
        fputs("null", out);
}

// The device's name comes from its host: what JSON does not take is left out.
static void print_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *p = text; *p; ++p)
        if ((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f && *p != '"' && *p != '\\')
            fputc(*p, out);
    fputc('"', out);
}

static void print_json(struct latency_report *r, FILE *out)
{
    fputs("{\"device\":", out);
    print_string(out, r->device.name);
    fprintf(out, ",\"rate_hz\":%u,\"period_frames\":%u,\"latency_s\":", r->device.rate_hz,
            r->device.period_frames);
    print_number(out, r->device.latency_s);
    fprintf(out,
            ",\"realtime_priority\":%d,\"underruns\":%llu,\"xruns\":%llu,\"joins\":%llu,"
            "\"gap_frames\":%llu,\"rows\":[",
            r->device.realtime_priority, (unsigned long long)r->underruns,
            (unsigned long long)r->xruns, (unsigned long long)r->joins,
            (unsigned long long)r->gap_frames);
    for (int row = 0; row < LATENCY_ROWS; ++row) {
        double points[STATS_POINTS];
        stats_points(&r->rows[row].values, points);
        fprintf(out, "%s{\"name\":\"%s\",\"unit\":\"%s\",\"count\":%zu", row ? "," : "",
                ROWS[row].name, ROWS[row].unit, r->rows[row].values.count);
        for (size_t i = 0; i < STATS_POINTS; ++i) {
            fprintf(out, ",\"%s\":", stats_point_name(i));
            print_number(out, points[i]);
        }
        fputc('}', out);
    }
    fputs("]}\n", out);
}

void latency_report_print(struct latency_report *r, FILE *out, enum latency_form form)
{
    if (form == LATENCY_JSON) {
        print_json(r, out);
        return;
    }
    fprintf(out, "%s at %u Hz, %u frames a period, latency by the host %.1f ms, priority %d\n",
            r->device.name, r->device.rate_hz, r->device.period_frames, r->device.latency_s * 1e3,
            r->device.realtime_priority);
    print_table(r, out);
    fprintf(out, "gap: %llu frames in %llu joins; %llu underruns, %llu xruns\n",
            (unsigned long long)r->gap_frames, (unsigned long long)r->joins,
            (unsigned long long)r->underruns, (unsigned long long)r->xruns);
    print_histograms(r, out);
}
