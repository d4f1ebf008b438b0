// SPDX-License-Identifier: MIT
#include "engine/desktop/render_album.h"
#include "io/decoder.h"
#include "io/source.h"
#include <errno.h>
#include <stdlib.h>

static int read_tags(struct render_item *item, struct loader *loader)
{
    const struct source_config config = {.path = item->in, .priority = LOADER_SCAN};
    struct source *source;
    struct file_identity identity;
    int error = source_open(&source, loader, &config);
    if (!error)
        error = source_wait_open(source, &identity);
    if (!error)
        error = tags_read(&item->tags, source, identity.size_bytes);
    source_close(&source);
    return error;
}

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
        if (read_tags(item, loader))
            tags_deinit(&item->tags); // of no album, then
        all[i] =
            (struct album_track){.path = item->in, .tags = &item->tags, .record = item->record};
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
