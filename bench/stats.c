// SPDX-License-Identifier: MIT
#include "stats.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OCTAVES = 12, BINS_MAX = 2 * OCTAVES + 3, BAR_COLUMNS = 50 };

static const struct {
    const char *name;
    double share;
} POINTS[STATS_POINTS] = {{"p50", 0.5},     {"p90", 0.9},       {"p99", 0.99},
                          {"p99.9", 0.999}, {"p99.99", 0.9999}, {"max", 1.0}};

int stats_init(struct stats *s, size_t capacity)
{
    assert(capacity > 0);
    *s = (struct stats){.values = malloc(capacity * sizeof(double)), .capacity = capacity};
    if (!s->values)
        return -ENOMEM;
    memset(s->values, 0, capacity * sizeof(double));
    return 0;
}

void stats_deinit(struct stats *s)
{
    free(s->values);
    *s = (struct stats){0};
}

void stats_add(struct stats *s, double value)
{
    if (s->count < s->capacity)
        s->values[s->count++] = value;
    else
        ++s->lost;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_points(struct stats *s, double points[STATS_POINTS])
{
    if (s->count)
        qsort(s->values, s->count, sizeof(double), compare);
    for (size_t i = 0; i < STATS_POINTS; ++i) {
        const size_t rank = (size_t)ceil(POINTS[i].share * (double)s->count);
        points[i] = s->count ? s->values[rank ? rank - 1 : 0] : (double)NAN;
    }
}

const char *stats_point_name(size_t point)
{
    assert(point < STATS_POINTS);
    return POINTS[point].name;
}

// Half-octave bins down from the largest value; the first one holds all that is below.
static size_t bin_of(double value, double least)
{
    if (!(value > least))
        return 0;
    const double bin = 1.0 + 2.0 * log2(value / least);
    return bin < BINS_MAX - 1 ? (size_t)bin : BINS_MAX - 1;
}

static double bin_end(size_t bin, double least)
{
    return least * exp2((double)bin / 2.0);
}

void stats_draw(const struct stats *s, FILE *out, const char *unit)
{
    if (!s->count)
        return;
    const double largest = s->values[s->count - 1];
    const double least = largest > 0 ? largest / exp2(OCTAVES) : 1.0;
    size_t bins[BINS_MAX] = {0}, most = 0, first = BINS_MAX;
    for (size_t i = 0; i < s->count; ++i) {
        const size_t bin = bin_of(s->values[i], least);
        first = bin < first ? bin : first;
        most = ++bins[bin] > most ? bins[bin] : most;
    }
    const size_t last = bin_of(largest, least);
    for (size_t bin = first; bin <= last; ++bin) {
        // A single value shows, too.
        const int columns = (int)((bins[bin] * BAR_COLUMNS + most - 1) / most);
        fprintf(out, "  < %10.3f %s %9zu %.*s\n", bin_end(bin, least), unit, bins[bin], columns,
                "##################################################");
    }
}
