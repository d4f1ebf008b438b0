// SPDX-License-Identifier: MIT
#include "io/sound/ogg_pages.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    PIECE_BYTES = 8192,
    MOST_PAGE_BYTES = 65307,
    TAIL_BYTES = 65536, // looked through at once for the last page
    MOST_GUESSES = 64,
};

void ogg_pages_init(struct ogg_pages *p, struct source *source, uint64_t from, uint64_t end)
{
    *p = (struct ogg_pages){.source = source, .end = end, .at = from, .loaded = from};
    (void)ogg_sync_init(&p->sync); // cannot fail
}

void ogg_pages_deinit(struct ogg_pages *p)
{
    (void)ogg_sync_clear(&p->sync);
}

void ogg_pages_go(struct ogg_pages *p, uint64_t at)
{
    (void)ogg_sync_reset(&p->sync);
    p->at = p->loaded = at;
    p->error = 0;
}

/// @return whether there are more bytes.
static bool load(struct ogg_pages *p)
{
    if (p->error || p->loaded >= p->end)
        return false;
    char *to = ogg_sync_buffer(&p->sync, PIECE_BYTES);
    if (!to) {
        p->error = -ENOMEM;
        return false;
    }
    const uint64_t left = p->end - p->loaded;
    const int64_t n =
        source_read(p->source, to, p->loaded, left < PIECE_BYTES ? (size_t)left : PIECE_BYTES);
    if (n < 0)
        p->error = (int)n;
    if (n <= 0)
        return false;
    (void)ogg_sync_wrote(&p->sync, (long)n); // what was asked for
    p->loaded += (uint64_t)n;
    return true;
}

/// A page that would reach beyond the file is none: others can begin within it. @return whether there may be.
static bool step_over(struct ogg_pages *p)
{
    ogg_sync_state *sync = &p->sync;
    if (p->error || sync->fill - sync->returned < 2)
        return false;
    sync->returned++;
    sync->headerbytes = sync->bodybytes = 0;
    p->at++;
    p->skipped++;
    return true;
}

bool ogg_pages_next(struct ogg_pages *p, ogg_page *page, uint64_t *at)
{
    for (;;) {
        const long n = ogg_sync_pageseek(&p->sync, page);
        *at = p->at;
        if (n > 0) {
            p->at += (uint64_t)n;
            return true;
        }
        if (n < 0) {
            p->at += (uint64_t)-n;
            p->skipped += (uint64_t)-n;
        } else if (!load(p) && !step_over(p)) {
            return false;
        }
    }
}

bool ogg_pages_find_mark(struct ogg_pages *p, int serial, uint64_t from, uint64_t to,
                         struct ogg_mark *mark)
{
    ogg_page page;
    if (p->at != from)
        ogg_pages_go(p, from);
    while (ogg_pages_next(p, &page, &mark->at) && mark->at < to) {
        mark->granule = ogg_page_granulepos(&page);
        mark->is_end = ogg_page_eos(&page);
        if (ogg_page_serialno(&page) == serial && mark->granule >= 0)
            return true;
    }
    return false;
}

bool ogg_pages_find_last_mark(struct ogg_pages *p, int serial, uint64_t from, struct ogg_mark *mark)
{
    struct ogg_mark next;
    bool is_found = false;
    for (uint64_t to = p->end, at; !is_found && to > from && !p->error; to = at) {
        at = to - from > TAIL_BYTES ? to - TAIL_BYTES : from;
        ogg_pages_go(p, at);
        while (ogg_pages_find_mark(p, serial, p->at, to, &next)) {
            *mark = next;
            is_found = true;
        }
    }
    return is_found;
}

/// Where a granule is likely to be, a page before it.
static uint64_t guess_place(int64_t granule, const struct ogg_mark *low,
                            const struct ogg_mark *high)
{
    const double share =
        (double)(granule - low->granule) / ((double)high->granule - (double)low->granule);
    const double bytes = (double)(high->at - low->at) * share - MOST_PAGE_BYTES / 4.0;
    return low->at + (bytes > 1 ? (uint64_t)bytes : 1);
}

void ogg_pages_search(struct ogg_pages *p, int serial, int64_t granule, int64_t near_ticks,
                      struct ogg_mark *low, const struct ogg_mark *last)
{
    struct ogg_mark high = *last, mark;
    for (int i = 0; i < MOST_GUESSES && high.at - low->at > 1; i++) {
        if (granule - low->granule <= near_ticks || high.granule <= granule)
            break;
        // Every other time by halves, as bit rates can be far from even.
        const uint64_t guess =
            i % 2 ? low->at + (high.at - low->at) / 2 : guess_place(granule, low, &high);
        if (guess >= high.at)
            break;
        if (!ogg_pages_find_mark(p, serial, guess, high.at, &mark) || mark.granule > granule) {
            high.at = guess;
        } else if (mark.granule >= low->granule) {
            *low = mark;
        } else {
            break; // granules that go back tell nothing
        }
    }
    ogg_pages_go(p, low->at);
    while (ogg_pages_find_mark(p, serial, p->at, p->end, &mark) && mark.granule <= granule)
        if (mark.granule >= low->granule && !mark.is_end)
            *low = mark;
}
