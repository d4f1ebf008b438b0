// SPDX-License-Identifier: MIT
#include "engine/library/library_item.h"
#include <stdlib.h>
#include <string.h>

void library_item_destroy(struct library_item **item)
{
    struct library_item *i = *item;
    if (!i)
        return;
    free(i->path);
    free(i->absolute_path);
    free(i->moved_from);
    record_unref(&i->record);
    free(i);
    *item = NULL;
}

struct library_item *library_item_create(const struct library_lookup *lookup, struct record *record,
                                         unsigned what)
{
    struct library_item *item = calloc(1, sizeof(*item));
    if (!item)
        return NULL;
    item->path = strdup(lookup->path);
    item->absolute_path =
        lookup->absolute_path ? strdup(lookup->absolute_path) : library_path_absolute(lookup->path);
    item->identity = lookup->identity;
    item->is_fresh = lookup->is_fresh;
    item->has_checksum = lookup->has_checksum;
    item->checksum = lookup->checksum;
    item->record = record_ref(record);
    item->what = what;
    if (!item->path || !item->absolute_path)
        library_item_destroy(&item);
    return item;
}
