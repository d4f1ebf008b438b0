// SPDX-License-Identifier: MIT
// The pages of an Ogg file (RFC 3533) or of a part of one, in order or from any place on; those whose checksum is wrong
// are passed over.
#pragma once
#include "dsp/annotate.h"
#include "io/bytes/source.h"
#include <ogg/ogg.h>
#include <stdbool.h>
#include <stdint.h>

/// Thread-safety: one thread at a time.
struct ogg_pages {
    struct source *source; // borrowed
    uint64_t end;          // of the part
    ogg_sync_state sync;
    uint64_t at;      // where the next page is looked for
    uint64_t loaded;  // up to where bytes were given to libogg
    uint64_t skipped; // bytes that belonged to no sound page
    int error;        // of the source, the first, or -ENOMEM; no page is found after it
};

/// Begin at `from` of the file, and end at `end` of it.
void ogg_pages_init(struct ogg_pages *pages, struct source *source, uint64_t from, uint64_t end);
void ogg_pages_deinit(struct ogg_pages *pages);
/// Look on from `at`.
void ogg_pages_go(struct ogg_pages *pages, uint64_t at);
/// The next sound page, valid until the next call, and where it begins; blocks. @return false: none, or pages->error.
bool ogg_pages_next(struct ogg_pages *pages, ogg_page *page, uint64_t *at);

/// A page that says where its stream's sound is: at its end.
struct ogg_mark {
    uint64_t at;
    int64_t granule;
    bool is_end; // the stream's last, whose granule may lie before the end of its last packet
};

/// The first such page of a stream that begins in [from, to). @return whether there is one.
bool ogg_pages_find_mark(struct ogg_pages *pages, int serial, uint64_t from, uint64_t to,
                         struct ogg_mark *mark);
/// The last one there is. @return whether there is one.
bool ogg_pages_find_last_mark(struct ogg_pages *pages, int serial, uint64_t from,
                              struct ogg_mark *mark);
/// The last one at or before `granule`, not far from it, between two others: `low`, which is replaced, and `high`.
/// `near_ticks`: how far before it may be for pages to be gone through one by one.
void ogg_pages_search(struct ogg_pages *pages, int serial, int64_t granule, int64_t near_ticks,
                      struct ogg_mark *low, const struct ogg_mark *high);
