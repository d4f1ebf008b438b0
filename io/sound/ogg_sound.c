// SPDX-License-Identifier: MIT
#include "io/sound/ogg_sound.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    MOST_PACKETS = 256,      // that can end on a page
    MOST_JUNK_BYTES = 65536, // before the first page
    MOST_PACKET_FRAMES = 8192,
};

struct ogg_sound {
    const struct ogg_codec *codec;
    struct ogg_decoder *decoder;
    struct ogg_format format;
    struct ogg_pages pages;
    ogg_stream_state stream;
    bool has_stream;
    bool has_begun; // its headers are read
    bool has_next;  // another was come to
    int serial;
    uint64_t page_at;    // of the page at hand
    long number;         // of that page
    uint64_t first_at;   // of the first page with sound
    int64_t origin;      // ticks before frame 0, skipped ones not counted
    int64_t first_ticks; // behind origin, that are decoded
    int64_t first_frame; // that is decoded; below 0: to be dropped
    uint64_t frames;     // by the last page
    struct ogg_part part;
    // The packets that end on one page, valid until the next is taken.
    ogg_packet packets[MOST_PACKETS];
    uint32_t next, count;
    int64_t granule;
    bool is_end;
    bool is_lost;  // something is missing before the next packet
    bool is_unset; // where the next packet is has to be found out
    // Frames of the packet that was decoded, `at` the first's place; that of the next to be delivered.
    uint32_t pending;
    int64_t at, wanted;
};

// --- Packets -------------------------------------------------------------------------------------

static void take_packets(struct ogg_sound *s, ogg_page *page)
{
    s->next = s->count = 0;
    s->granule = ogg_page_granulepos(page);
    s->is_end = ogg_page_eos(page);
    s->number = ogg_page_pageno(page);
    if (ogg_stream_pagein(&s->stream, page)) {
        s->is_lost = true;
        return;
    }
    int found;
    while (s->count < MOST_PACKETS &&
           (found = ogg_stream_packetout(&s->stream, &s->packets[s->count]))) {
        s->count += found > 0;
        s->is_lost = s->is_lost || found < 0;
    }
}

/// Take the packets of the stream's next page on which any ends. @return false: it has ended.
static bool next_page(struct ogg_sound *s)
{
    ogg_page page;
    do {
        if (s->has_next || !ogg_pages_next(&s->pages, &page, &s->page_at))
            return false;
        // All streams that are there at once begin before any goes on.
        s->has_next = s->has_begun && ogg_page_bos(&page);
        if (s->has_next)
            return false;
        s->next = s->count = 0;
        if (ogg_page_serialno(&page) == s->serial)
            take_packets(s, &page);
    } while (s->count == 0);
    return true;
}

static int64_t frames_of(const struct ogg_sound *s, int64_t ticks)
{
    const int64_t divisor = s->format.frame_ticks, frames = ticks / divisor;
    return frames - (ticks % divisor < 0);
}

/// The place of the first frame that this page's packets will give.
static int64_t place_of_page(struct ogg_sound *s)
{
    const int64_t ticks =
        s->codec->count_ticks(s->decoder, s->packets + s->next, s->count - s->next);
    const int64_t behind_first = s->granule - ticks - s->origin - s->first_ticks;
    return frames_of(s, s->first_ticks +
                            s->codec->align(s->decoder, behind_first, &s->packets[s->next])) -
           (int64_t)s->format.skipped;
}

/// Whether a place after a loss can be true.
static bool is_likely(const struct ogg_sound *s, int64_t at)
{
    return s->granule >= 0 && at >= s->wanted - (int64_t)s->format.rate_hz &&
           at <= (int64_t)s->frames;
}

/// Find out where the sound goes on.
static void find_place(struct ogg_sound *s)
{
    const bool may_go_on = s->is_lost && !s->is_unset;
    s->is_lost = false;
    if (s->part.is_counted) {
        s->codec->pass_loss(s->decoder);
        return;
    }
    if (may_go_on) {
        int64_t at = place_of_page(s);
        if (s->granule < 0 || at == s->at || (at < s->at && s->is_end))
            return; // only pages were counted wrongly, or an end is cut off
        s->codec->pass_loss(s->decoder);
        at = place_of_page(s);
        if (is_likely(s, at))
            s->at = at;
        return;
    }
    if (s->is_unset && s->granule >= 0)
        s->at = place_of_page(s);
    s->is_unset = false;
}

/// @return false: the stream has ended.
static bool decode_next(struct ogg_sound *s)
{
    while (s->pending == 0) {
        if (s->next == s->count && !next_page(s))
            return false;
        if (s->is_lost || s->is_unset)
            find_place(s);
        const int n = s->codec->decode(s->decoder, &s->packets[s->next++]);
        s->pending = n > 0 ? (uint32_t)n : 0;
        s->is_lost = n < 0;
    }
    return true;
}

static void take(struct ogg_sound *s, float *interleaved, uint32_t frames)
{
    s->codec->take(s->decoder, interleaved, frames);
    s->pending -= frames;
    s->at += frames;
}

/// Drop what comes before the wanted frame. @return whether there is something at or behind it.
static bool go_to_wanted(struct ogg_sound *s)
{
    while (decode_next(s)) {
        if (s->at >= s->wanted)
            return true;
        const int64_t before = s->wanted - s->at;
        take(s, NULL, before < s->pending ? (uint32_t)before : s->pending);
    }
    return false;
}

// --- Reading -------------------------------------------------------------------------------------

uint32_t ogg_sound_read(struct ogg_sound *s, float *interleaved, uint32_t frames)
{
    uint32_t done = 0;
    while (done < frames && go_to_wanted(s) && s->at == s->wanted) {
        const uint32_t n = s->pending < frames - done ? s->pending : frames - done;
        take(s, interleaved + (size_t)done * s->format.channels, n);
        s->wanted += n;
        done += n;
    }
    return done;
}

uint64_t ogg_sound_pass_hole(struct ogg_sound *s)
{
    const int64_t frames = s->pending ? s->at - s->wanted : 0;
    if (frames <= 0)
        return 0;
    s->wanted = s->at;
    return (uint64_t)frames;
}

int ogg_sound_error(const struct ogg_sound *s)
{
    return s->pages.error;
}

const char *ogg_sound_flaw(const struct ogg_sound *s)
{
    // One of the same number can follow its end.
    const bool goes_on = s->is_end && s->page_at < s->part.last.at;
    if (s->has_next || goes_on)
        return "another stream begins, which is not read,";
    if (!s->part.has_mark && s->at == s->first_frame)
        return "truncated: no sound follows the header,";
    if (!s->part.has_mark || s->part.is_counted)
        return "corrupt: pages do not tell their time, found by counting,";
    return s->part.is_cut ? "corrupt: the last page is broken," : NULL;
}

// --- Seeking -------------------------------------------------------------------------------------

/// Be at a page as if nothing had been read.
static void begin_at(struct ogg_sound *s, uint64_t at)
{
    ogg_pages_go(&s->pages, at);
    (void)ogg_stream_reset(&s->stream); // it was set up
    s->codec->restart(s->decoder);
    s->next = s->count = s->pending = 0;
    s->has_next = s->is_lost = false;
    s->is_unset = true;
    s->at = s->wanted; // if no page says otherwise
}

/// The first page with sound may begin with the headers' end.
static bool begin_at_first(struct ogg_sound *s)
{
    begin_at(s, s->first_at);
    s->is_unset = false;
    s->at = s->first_frame;
    if (!next_page(s))
        return false;
    s->is_lost = false;
    while (s->next < s->count && s->codec->is_header(&s->packets[s->next]))
        s->next++;
    return true;
}

int ogg_sound_seek(struct ogg_sound *s, uint64_t frame)
{
    const int64_t ticks = s->format.frame_ticks;
    const int64_t run_up = (int64_t)s->format.run_up_frames - (int64_t)s->format.skipped;
    const int64_t from = s->origin + ((int64_t)frame - run_up) * ticks;
    struct ogg_mark low = {.at = s->first_at, .granule = s->origin};
    if (!s->part.is_counted && from > s->origin && s->part.last.granule > s->origin)
        ogg_pages_search(&s->pages, s->serial, from, s->format.rate_hz * ticks, &low,
                         &s->part.last);
    if (s->pages.error)
        return s->pages.error;
    s->wanted = (int64_t)frame;
    bool is_there = true;
    if (low.at == s->first_at)
        is_there = begin_at_first(s);
    else
        begin_at(s, low.at);
    if (is_there && go_to_wanted(s))
        return 0;
    return s->pages.error ? s->pages.error : -EBADMSG;
}

// --- Opening -------------------------------------------------------------------------------------

/// Find the stream among those that begin together. @return 0; -ENOTSUP; the source's errors.
static int find_stream(struct ogg_sound *s, struct ogg_sound_info *info)
{
    static const struct ogg_codec *const codecs[] = {&ogg_vorbis, &ogg_opus};
    ogg_page page;
    uint64_t at;
    bool is_first = true;
    while (s->pages.at - s->part.from < MOST_JUNK_BYTES && ogg_pages_next(&s->pages, &page, &at) &&
           ogg_page_bos(&page)) {
        const ogg_packet packet = {.packet = page.body, .bytes = page.body_len};
        if (is_first)
            info->junk_bytes = at - s->part.from;
        is_first = false;
        for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
            if (!codecs[i]->is_first(&packet))
                continue;
            s->codec = codecs[i];
            s->serial = ogg_page_serialno(&page);
            ogg_pages_go(&s->pages, at);
            return 0;
        }
    }
    return s->pages.error ? s->pages.error : -ENOTSUP;
}

static int read_headers(struct ogg_sound *s)
{
    for (uint32_t i = 0; i < s->codec->header_packets; i++) {
        if (s->next == s->count && !next_page(s))
            return s->pages.error ? s->pages.error : -EBADMSG;
        if (s->is_lost)
            return -EBADMSG;
        const int error = s->codec->take_header(s->decoder, &s->packets[s->next++], &s->format);
        if (error)
            return error;
    }
    s->has_begun = true;
    return 0;
}

/// A stream may begin at any granule, as one that was recorded from a running one; and it may have samples to be
/// dropped, before granule 0. What was there and is broken is missing; so is a single page that numbers tell of, where
/// more of them are those of a recording's begin.
static void find_origin(struct ogg_sound *s)
{
    const uint64_t skipped = s->pages.skipped;
    const long number = s->number;
    const bool is_first_page = s->next < s->count;
    s->first_at = is_first_page ? s->page_at : s->pages.at;
    s->first_frame = -(int64_t)s->format.skipped;
    if ((!is_first_page && !next_page(s)) || s->granule < 0)
        return;
    const int64_t before =
        s->granule - s->codec->count_ticks(s->decoder, s->packets + s->next, s->count - s->next);
    const bool is_missing = s->pages.skipped != skipped || s->number - number == 2;
    s->origin = before > 0 && !is_missing ? before : 0;
    if (before > 0 || !s->is_end)
        s->first_ticks = before - s->origin;
    if (!is_missing)
        s->codec->begin(s->decoder, &s->packets[s->next]);
    s->first_frame = frames_of(s, s->first_ticks) - (int64_t)s->format.skipped;
    s->is_lost = false;
}

/// What is no page and follows a last one that is not called so was one.
static void look_behind(struct ogg_sound *s)
{
    ogg_page page;
    uint64_t at;
    ogg_pages_go(&s->pages, s->part.last.at);
    const uint64_t skipped = s->pages.skipped;
    while (ogg_pages_next(&s->pages, &page, &at))
        ;
    s->part.is_cut = !s->part.last.is_end && s->pages.skipped > skipped;
}

/// Whether granules stand still, or go back for good: those of the first page of sound, the next and the last.
static bool is_standing(struct ogg_sound *s)
{
    struct ogg_mark first, next;
    const uint64_t end = s->pages.end;
    ogg_pages_go(&s->pages, s->first_at);
    return ogg_pages_find_mark(&s->pages, s->serial, s->first_at, end, &first) &&
           ogg_pages_find_mark(&s->pages, s->serial, s->pages.at, end, &next) && !next.is_end &&
           next.granule <= first.granule && s->part.last.granule <= first.granule;
}

/// The sound begins at the first page.
static void forget_origin(struct ogg_sound *s)
{
    s->origin = s->first_ticks = 0;
    s->first_frame = -(int64_t)s->format.skipped;
}

/// What a stream may claim is what its bytes can hold: no packet is shorter than a byte, or longer than the longest
/// block.
static void check_claim(struct ogg_sound *s)
{
    const bool stands = is_standing(s);
    s->part.is_counted = stands || s->frames / MOST_PACKET_FRAMES > s->part.to - s->part.from;
    if (stands)
        forget_origin(s);
    if (s->part.is_counted)
        s->frames = 0;
}

static void find_end(struct ogg_sound *s)
{
    struct ogg_part *part = &s->part;
    if (!part->is_known) {
        part->has_mark = ogg_pages_find_last_mark(&s->pages, s->serial, s->first_at, &part->last);
        if (part->has_mark)
            look_behind(s);
        part->is_known = !s->pages.error;
    }
    if (!part->has_mark)
        return;
    const int64_t frames =
        frames_of(s, part->last.granule - s->origin) - (int64_t)s->format.skipped;
    s->frames = frames > 0 ? (uint64_t)frames : 0;
    check_claim(s);
}

static int open_stream(struct ogg_sound *s, struct ogg_sound_info *info)
{
    int error = find_stream(s, info);
    if (error)
        return error;
    s->decoder = s->codec->create();
    s->has_stream = s->decoder && ogg_stream_init(&s->stream, s->serial) == 0;
    if (!s->has_stream)
        return -ENOMEM;
    error = read_headers(s);
    if (error)
        return error;
    find_origin(s);
    if (!s->pages.error)
        find_end(s);
    if (s->pages.error)
        return s->pages.error;
    *info = (struct ogg_sound_info){.format = s->format,
                                    .codec = s->codec,
                                    .frames = s->frames,
                                    .junk_bytes = info->junk_bytes};
    s->wanted = 0;
    (void)begin_at_first(s); // where there is nothing, reading will tell
    return s->pages.error;
}

int ogg_sound_open(struct ogg_sound **out, struct source *source, struct ogg_part *part,
                   struct ogg_sound_info *info)
{
    *out = NULL;
    struct ogg_sound *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->part = *part;
    ogg_pages_init(&s->pages, source, part->from, part->to);
    const int error = open_stream(s, info);
    *part = s->part;
    if (error)
        ogg_sound_close(&s);
    *out = s;
    return error;
}

void ogg_sound_close(struct ogg_sound **sound)
{
    struct ogg_sound *s = *sound;
    *sound = NULL;
    if (!s)
        return;
    if (s->has_stream)
        (void)ogg_stream_clear(&s->stream);
    if (s->decoder)
        s->codec->destroy(s->decoder);
    ogg_pages_deinit(&s->pages);
    free(s);
}

// --- Channels ------------------------------------------------------------------------------------

uint32_t ogg_source_channel(uint32_t channels, uint32_t channel)
{
    // Vorbis I, 4.3.9; RFC 7845, 5.1.1.2. In WAVE the order is L R C LFE, back, side.
    static const unsigned char sources[8][8] = {
        {0},
        {0, 1},
        {0, 2, 1},
        {0, 1, 2, 3},
        {0, 2, 1, 3, 4},
        {0, 2, 1, 5, 3, 4},
        {0, 2, 1, 6, 5, 3, 4},
        {0, 2, 1, 7, 5, 6, 3, 4},
    };
    return channels >= 1 && channels <= 8 ? sources[channels - 1][channel] : channel;
}
