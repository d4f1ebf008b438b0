// SPDX-License-Identifier: MIT
#include "engine/desktop/cache_stats.h"
#include <inttypes.h>
#include <time.h>

enum { TIME_BYTES = 32 };

static int64_t hits_of(const struct store_totals *t)
{
    return store_total_sum(t->memory_hits, store_total_sum(t->sqlite_hits, t->sidecar_hits));
}

static void print_time(char text[TIME_BYTES], int64_t since_1970_s)
{
    const time_t seconds = (time_t)since_1970_s;
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || !strftime(text, TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm))
        text[0] = '\0';
}

static void print_groups(FILE *out, const char *name, const struct store_count *groups,
                         unsigned count)
{
    fprintf(out, ", \"%s\": {", name);
    for (unsigned i = 0; i < count; ++i)
        fprintf(out, "%s\"%s\": %" PRId64, i ? ", " : "", groups[i].name, groups[i].count);
    fprintf(out, "}");
}

void cache_stats_print_json(FILE *out, const struct store_stats *s)
{
    const struct store_totals *t = &s->totals;
    const int64_t hits = hits_of(t), asked = store_total_sum(hits, t->misses);
    char rate[32] = "null", oldest[TIME_BYTES];
    if (asked)
        (void)snprintf(rate, sizeof rate, "%.6f", (double)hits / (double)asked); // fits
    print_time(oldest, s->oldest_s);
    fprintf(out,
            "{\"entries\": %" PRId64 ", \"bytes\": %" PRId64 ", \"hits\": {\"memory\": %" PRId64
            ", \"sqlite\": %" PRId64 ", \"sidecar\": %" PRId64 "}, \"misses\": %" PRId64
            ", \"hit_rate\": %s, \"time_saved_s\": %.3f, \"oldest\": ",
            s->entries, s->bytes, t->memory_hits, t->sqlite_hits, t->sidecar_hits, t->misses, rate,
            (double)t->saved_ns / 1e9);
    if (s->entries)
        fprintf(out, "\"%s\"", oldest);
    else
        fprintf(out, "null");
    print_groups(out, "by_backend", s->backends, s->backend_count);
    print_groups(out, "by_algorithm_version", s->versions, s->version_count);
    fprintf(out, "}\n");
}

void cache_stats_print_text(FILE *out, const struct store_stats *s)
{
    const struct store_totals *t = &s->totals;
    const int64_t hits = hits_of(t), asked = store_total_sum(hits, t->misses);
    fprintf(out, "%" PRId64 " entries, %" PRId64 " bytes\n", s->entries, s->bytes);
    fprintf(out,
            "%" PRId64 " hits (memory %" PRId64 ", sqlite %" PRId64 ", sidecar %" PRId64
            "), %" PRId64 " misses",
            hits, t->memory_hits, t->sqlite_hits, t->sidecar_hits, t->misses);
    if (asked)
        fprintf(out, ", %.1f %% hits", 100.0 * (double)hits / (double)asked);
    fprintf(out, "\n%.1f s of analysis saved\n", (double)t->saved_ns / 1e9);
    if (s->entries) {
        char oldest[TIME_BYTES];
        print_time(oldest, s->oldest_s);
        fprintf(out, "oldest entry: %s\n", oldest);
    }
    for (unsigned i = 0; i < s->backend_count; ++i)
        fprintf(out, "analysed on %s: %" PRId64 "\n", s->backends[i].name, s->backends[i].count);
    for (unsigned i = 0; i < s->version_count; ++i)
        fprintf(out, "algorithm version %s: %" PRId64 "\n", s->versions[i].name,
                s->versions[i].count);
}
