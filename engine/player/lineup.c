// SPDX-License-Identifier: MIT
#include "engine/player/lineup.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// There is at most one entry for each block of the ring, so the array stops growing soon.
static int reserve_one(struct lineup *f)
{
    if (f->rendered_count < f->rendered_capacity)
        return 0;
    const uint32_t capacity = f->rendered_capacity ? 2 * f->rendered_capacity : 8;
    struct lineup_track *rendered = realloc(f->rendered, capacity * sizeof(*rendered));
    if (!rendered)
        return -ENOMEM;
    f->rendered = rendered;
    f->rendered_capacity = capacity;
    return 0;
}

int lineup_push(struct lineup *f, struct track *track, uint32_t serial)
{
    const int error = reserve_one(f);
    if (error)
        return error;
    assert(f->rendered_count == 0 || f->rendered[f->rendered_count - 1].serial < serial);
    f->rendered[f->rendered_count++] =
        (struct lineup_track){.track = track_ref(track), .serial = serial};
    return 0;
}

struct lineup_track *lineup_find(struct lineup *f, uint32_t serial)
{
    for (uint32_t i = 0; i < f->rendered_count; ++i) {
        if (f->rendered[i].serial == serial)
            return &f->rendered[i];
    }
    return NULL;
}

uint32_t lineup_pop_before(struct lineup *f, uint32_t serial)
{
    uint32_t count = 0, begun = 0;
    while (count < f->rendered_count && f->rendered[count].serial < serial) {
        begun += f->rendered[count].begun;
        track_unref(&f->rendered[count].track);
        ++count;
    }
    memmove(f->rendered, f->rendered + count, (f->rendered_count - count) * sizeof(f->rendered[0]));
    f->rendered_count -= count;
    return begun;
}

uint32_t lineup_clear_rendered(struct lineup *f)
{
    uint32_t begun = 0;
    for (uint32_t i = 0; i < f->rendered_count; ++i) {
        begun += f->rendered[i].begun;
        track_unref(&f->rendered[i].track);
    }
    f->rendered_count = 0;
    return begun;
}

struct track *lineup_take_planned(struct lineup *f, uint64_t id)
{
    for (uint32_t i = 0; i < f->planned_count; ++i) {
        if (track_queue_id(f->planned[i]) != id)
            continue;
        struct track *track = f->planned[i];
        memmove(f->planned + i, f->planned + i + 1,
                (f->planned_count - i - 1) * sizeof(f->planned[0]));
        --f->planned_count;
        return track;
    }
    return NULL;
}

void lineup_clear(struct lineup *f)
{
    (void)lineup_clear_rendered(f); // the count is of no use to who clears all
    for (uint32_t i = 0; i < f->planned_count; ++i)
        track_unref(&f->planned[i]);
    f->planned_count = 0;
    free(f->rendered);
    f->rendered = NULL;
    f->rendered_capacity = 0;
}
