// SPDX-License-Identifier: MIT
#include "engine/desktop/render_album.h"
#include "io/decoder.h"
#include <errno.h>
#include <stdlib.h>

static void calibrate_group(struct render_item *items, struct album_track *tracks, uint32_t count,
                            const struct mastering_settings *settings, struct loader *loader,
                            struct log *log)
{
    const int error = album_calibrate(tracks, count, settings, loader, NULL);
    if (error)
        log_write(log, LOG_LEVEL_WARN, items[0].in, "its album is mastered track by track: %s",
                  decoder_error_text(error));
    for (uint32_t i = 0; i < count && !error; ++i)
        items[i].in_album = &tracks[i];
}

int render_albums(struct render_list *list, const struct mastering_settings *settings,
                  struct loader *loader, struct log *log, struct album_track **tracks)
{
    struct album_track *all = calloc(list->count + 1, sizeof(*all));
    *tracks = all;
    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < list->count; ++i) {
        struct render_item *item = &list->items[i];
        all[i] =
            (struct album_track){.path = item->in, .tags = &item->tags, .record = item->record};
        if (album_look(item->in, loader, &item->tags, &all[i].edges))
            log_write(log, LOG_LEVEL_DEBUG, item->in, "is of no album");
    }
    for (size_t i = 0, count; i < list->count; i += count) {
        count = 1;
        while (i + count < list->count && count < ALBUM_TRACKS_MAX &&
               album_is_same(all[i].tags, all[i + count].tags))
            ++count;
        if (count > 1)
            calibrate_group(&list->items[i], &all[i], (uint32_t)count, settings, loader, log);
    }
    return 0;
}
