// SPDX-License-Identifier: MIT
#include "engine/desktop/render_album.h"
#include "io/sound/decoder.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct group {
    const struct render_albums_config *config;
    const struct album_track *tracks;
    size_t first, count, list_count; // of the list
    uint32_t last;                   // the track that was heard last
    double left;                     // of the album's calibration when this pass began
};

static double share_of(const struct group *g, double pass_share)
{
    const double share = 1 - g->left + 0.5 * g->left * pass_share;
    return ((double)g->first + (double)g->count * share) / (double)g->list_count;
}

static void on_heard(void *context, uint32_t track, uint64_t done_frames)
{
    struct group *g = context;
    const struct album_edges *edges = &g->tracks[track].edges;
    if (track < g->last) // from the first one again
        g->left *= 0.5;
    g->last = track;
    if (!g->config->progress || !edges->rate_hz)
        return;
    struct render_albums_progress p = {.done_s = (double)done_frames / edges->rate_hz,
                                       .total_s = edges->duration_s};
    p.share = share_of(g, (track + fmin(1, p.done_s / p.total_s)) / (double)g->count);
    g->config->progress(g->config->context, g->first + track, &p);
}

static void calibrate_group(struct render_list *list, size_t first, struct album_track *tracks,
                            uint32_t count, const struct render_albums_config *config)
{
    struct render_item *items = &list->items[first];
    struct group group = {.config = config,
                          .tracks = tracks,
                          .first = first,
                          .count = count,
                          .list_count = list->count,
                          .left = 1};
    const struct album_watch watch = {.heard = on_heard, .context = &group};
    const int error = album_calibrate(tracks, count, config->settings, config->loader, &watch);
    if (error)
        log_write(config->log, LOG_LEVEL_WARN, items[0].in,
                  "its album is mastered track by track: %s", decoder_error_text(error));
    for (uint32_t i = 0; i < count && !error; ++i)
        items[i].in_album = &tracks[i];
}

static bool is_same_folder(const char *a, const char *b)
{
    const char *end_a = strrchr(a, '/'), *end_b = strrchr(b, '/');
    const size_t bytes = end_a ? (size_t)(end_a - a) : 0;
    return bytes == (end_b ? (size_t)(end_b - b) : 0) && memcmp(a, b, bytes) == 0;
}

// What was asked for as an album is one as it is given, unless tags tell two apart. `tags`: the album's so far.
static bool goes_on(const struct tags *tags, const struct render_item *last,
                    const struct render_item *next)
{
    if (tags_get(tags, "ALBUM") && tags_get(&next->tags, "ALBUM"))
        return album_is_same(tags, &next->tags);
    return (last->is_named && next->is_named) || is_same_folder(last->in, next->in);
}

static size_t count_album(const struct render_list *list, size_t first)
{
    const struct tags *tags = &list->items[first].tags;
    size_t i = first + 1;
    for (; i < list->count && i - first < ALBUM_TRACKS_MAX; ++i) {
        const struct render_item *next = &list->items[i];
        if (!goes_on(tags, next - 1, next))
            break;
        if (!tags_get(tags, "ALBUM"))
            tags = &next->tags;
    }
    return i - first;
}

static void look(struct album_track *track, struct render_item *item,
                 const struct render_albums_config *config)
{
    *track = (struct album_track){.path = item->in, .tags = &item->tags, .record = item->record};
    if (album_look(item->in, ALBUM_LOOK_ALL, config->loader, &item->tags, &track->edges))
        log_write(config->log, LOG_LEVEL_DEBUG, item->in, "its tags cannot be read");
}

static bool has_number(const struct album_track *track)
{
    return tags_number(tags_get(track->tags, "TRACKNUMBER")) > 0;
}

int render_albums(struct render_list *list, const struct render_albums_config *config,
                  struct album_track **tracks)
{
    struct album_track *all = calloc(list->count + 1, sizeof(*all));
    *tracks = all;
    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < list->count; ++i)
        look(&all[i], &list->items[i], config);
    for (size_t first = 0, count; first < list->count; first += count) {
        count = count_album(list, first);
        for (size_t i = first + 1; i < first + count; ++i)
            all[i].follows = !has_number(&all[i - 1]) || !has_number(&all[i]);
        if (count > 1)
            calibrate_group(list, first, &all[first], (uint32_t)count, config);
    }
    return 0;
}
