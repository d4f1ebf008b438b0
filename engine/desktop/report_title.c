// SPDX-License-Identifier: MIT
#include "engine/desktop/report_title.h"
#include "engine/desktop/report_page.h"
#include "engine/desktop/walk.h"
#include "engine/prepare/album.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Tracks as they are walked.
struct row {
    struct loader *loader;
    unsigned count;
    struct tags first;
    bool is_album; // all of them so far are the first one's
};

static void add(struct row *row, const char *path)
{
    struct tags tags;
    struct album_edges edges;
    if (album_look(path, ALBUM_LOOK_TAGS, row->loader, &tags, &edges))
        tags = (struct tags){0}; // a track of no album
    if (row->count++ == 0) {
        row->first = tags;
        row->is_album = tags_get(&tags, "ALBUM") != NULL;
        return;
    }
    row->is_album = row->is_album && album_is_same(&row->first, &tags);
    tags_deinit(&tags);
}

static char *name_of(const struct row *row)
{
    char *name;
    if (row->is_album)
        return strdup(tags_get(&row->first, "ALBUM"));
    return asprintf(&name, "%u track%s", row->count, row->count == 1 ? "" : "s") < 0 ? NULL : name;
}

char *report_title(char *const *paths, size_t count, struct loader *loader)
{
    if (count == 1)
        return report_page_name(paths[0]);
    const struct walk_config config = {.paths = paths, .count = count};
    struct row row = {.loader = loader};
    struct walk *walk;
    struct walk_item item;
    int more = walk_create(&walk, &config);
    if (!more)
        more = walk_next(walk, &item);
    for (; more > 0; more = walk_next(walk, &item))
        if (!item.error)
            add(&row, item.path);
    char *name = more < 0 ? NULL : name_of(&row);
    walk_destroy(&walk);
    tags_deinit(&row.first);
    return name;
}
