// SPDX-License-Identifier: MIT
#include "engine/desktop/render_album.h"
#include "io/decoder.h"
#include <errno.h>
#include <stdlib.h>

struct group {
    const struct render_albums_config *config;
    const struct album_track *tracks;
    size_t first; // of the list
};

static void on_heard(void *context, uint32_t track, uint64_t done_frames)
{
    const struct group *g = context;
    const struct album_edges *edges = &g->tracks[track].edges;
    if (g->config->progress)
        g->config->progress(g->config->context, g->first + track,
                            (double)done_frames / edges->rate_hz, edges->duration_s);
}

static void calibrate_group(struct render_list *list, size_t first, struct album_track *tracks,
                            uint32_t count, const struct render_albums_config *config)
{
    struct render_item *items = &list->items[first];
    struct group group = {.config = config, .tracks = tracks, .first = first};
    const struct album_watch watch = {.heard = on_heard, .context = &group};
    const int error = album_calibrate(tracks, count, config->settings, config->loader, &watch);
    if (error)
        log_write(config->log, LOG_LEVEL_WARN, items[0].in,
                  "its album is mastered track by track: %s", decoder_error_text(error));
    for (uint32_t i = 0; i < count && !error; ++i)
        items[i].in_album = &tracks[i];
}

int render_albums(struct render_list *list, const struct render_albums_config *config,
                  struct album_track **tracks)
{
    struct album_track *all = calloc(list->count + 1, sizeof(*all));
    *tracks = all;
    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < list->count; ++i) {
        struct render_item *item = &list->items[i];
        all[i] =
            (struct album_track){.path = item->in, .tags = &item->tags, .record = item->record};
        if (album_look(item->in, config->loader, &item->tags, &all[i].edges))
            log_write(config->log, LOG_LEVEL_DEBUG, item->in, "is of no album");
    }
    for (size_t i = 0, count; i < list->count; i += count) {
        count = 1;
        while (i + count < list->count && count < ALBUM_TRACKS_MAX &&
               album_is_same(all[i].tags, all[i + count].tags))
            ++count;
        if (count > 1)
            calibrate_group(list, i, &all[i], (uint32_t)count, config);
    }
    return 0;
}
