// SPDX-License-Identifier: MIT
#include "io/sound/ogg_layout.h"
#include "dsp/pcm.h"
#include "io/sound/rate_bridge.h"
#include <errno.h>
#include <stdlib.h>

enum {
    MOST_SERIALS = 16,  // of streams that are there at once
    STEP_BYTES = 65536, // gone through page by page
};

static const uint64_t nowhere = UINT64_MAX;

struct scan {
    struct ogg_layout *layout;
    struct source *source;
    struct ogg_pages pages; // of the whole file
    int last_serial;        // of the last page
    long last_number;
    // The streams that begin together.
    int serials[MOST_SERIALS], serial; // of which one is looked at, that of sound
    uint32_t serial_count;
    uint64_t low; // the last place known to be theirs
    long number;  // of the page there
    uint32_t capacity, flawed_link;
};

// --- Pages ---------------------------------------------------------------------------------------

static bool is_ours(const struct scan *s, const ogg_page *page)
{
    for (uint32_t i = 0; i < s->serial_count; i++)
        if (s->serials[i] == ogg_page_serialno(page))
            return true;
    return false;
}

static bool is_sound(const ogg_page *page)
{
    const ogg_packet packet = {.packet = page->body, .bytes = page->body_len};
    return ogg_vorbis.is_first(&packet) || ogg_opus.is_first(&packet);
}

static void find_last_page(struct scan *s)
{
    ogg_page page;
    uint64_t found;
    bool is_found = false;
    for (uint64_t to = s->pages.end, at; !is_found && to > 0 && !s->pages.error; to = at) {
        at = to > STEP_BYTES ? to - STEP_BYTES : 0;
        ogg_pages_go(&s->pages, at);
        while (ogg_pages_next(&s->pages, &page, &found) && found < to) {
            s->last_serial = ogg_page_serialno(&page);
            s->last_number = ogg_page_pageno(&page);
            is_found = true;
        }
    }
}

/// All streams that are there at once begin before any goes on. @return whether there is a page.
static bool find_group(struct scan *s, uint64_t from)
{
    ogg_page page;
    uint64_t at;
    bool has_sound = false;
    s->serial_count = 0;
    s->number = 0;
    ogg_pages_go(&s->pages, from);
    while (s->serial_count < MOST_SERIALS && ogg_pages_next(&s->pages, &page, &at)) {
        s->low = at;
        const bool is_begin = ogg_page_bos(&page) && !is_ours(s, &page);
        if (s->serial_count > 0 && !is_begin)
            return true;
        if (s->serial_count == 0 || (!has_sound && is_sound(&page)))
            s->serial = ogg_page_serialno(&page);
        has_sound = has_sound || is_sound(&page);
        s->serials[s->serial_count++] = ogg_page_serialno(&page);
        s->low = s->pages.at;
        if (!is_begin)
            break; // what was before it is broken
    }
    return s->serial_count > 0;
}

/// Whether the first page from `at` on that can say so goes on with the stream; if so, it is the last known place.
static bool goes_on_at(struct scan *s, uint64_t at)
{
    ogg_page page;
    ogg_pages_go(&s->pages, at);
    while (ogg_pages_next(&s->pages, &page, &at)) {
        if (!is_ours(s, &page) || ogg_page_bos(&page))
            return false;
        if (ogg_page_serialno(&page) != s->serial)
            continue;
        if (ogg_page_pageno(&page) <= s->number)
            return false;
        s->low = at;
        s->number = ogg_page_pageno(&page);
        return true;
    }
    return false;
}

/// Go on page by page from the last known place. @return where another stream begins, `nowhere` before `to`. Pages of
/// others between the stream's own do not end it.
static uint64_t walk(struct scan *s, uint64_t to)
{
    ogg_page page;
    uint64_t at, other = nowhere;
    ogg_pages_go(&s->pages, s->low);
    while (ogg_pages_next(&s->pages, &page, &at) && (at < to || other != nowhere)) {
        if (ogg_page_bos(&page))
            return other < at ? other : at;
        if (!is_ours(s, &page)) {
            other = other < at ? other : at;
            continue;
        }
        other = nowhere;
        if (ogg_page_serialno(&page) != s->serial)
            continue;
        s->low = at;
        s->number = ogg_page_pageno(&page);
    }
    return other;
}

/// Look at ever farther pages. @return a place that is not theirs, or the file's end. A stream of the same number that
/// begins anew is passed by only where its pages are far smaller: a step from within the first one of less than the
/// way so far ends nearer to the second one's begin.
static uint64_t gallop(struct scan *s)
{
    const uint64_t end = s->pages.end;
    for (uint64_t step = STEP_BYTES; s->low + step < end; step *= 2)
        if (!goes_on_at(s, s->low + step))
            return s->low + step;
    return end;
}

/// Whether the file's last page is of these streams, and may follow what was seen of them.
static bool is_end_ours(const struct scan *s)
{
    for (uint32_t i = 0; i < s->serial_count; i++)
        if (s->serials[i] == s->last_serial)
            return s->serial != s->last_serial || s->last_number >= s->number;
    return false;
}

/// @return the end of the streams that begin together.
static uint64_t find_end(struct scan *s)
{
    const uint64_t end = s->pages.end;
    uint64_t next = walk(s, s->low + STEP_BYTES);
    if (next != nowhere)
        return next;
    uint64_t high = gallop(s);
    if (high == end && is_end_ours(s))
        return end;
    while (high - s->low > STEP_BYTES) {
        const uint64_t middle = s->low + (high - s->low) / 2;
        if (!goes_on_at(s, middle))
            high = middle;
        else if (s->low >= high)
            break;
    }
    next = walk(s, end);
    return next < end ? next : end;
}

// --- Links ---------------------------------------------------------------------------------------

static void note_flaw(struct scan *s, const char *words)
{
    if (s->layout->flaw)
        return;
    s->layout->flaw = words;
    s->flawed_link = s->layout->count;
}

static int grow(struct scan *s)
{
    struct ogg_layout *layout = s->layout;
    if (layout->count < s->capacity)
        return 0;
    const uint32_t capacity = s->capacity ? 2 * s->capacity : 1;
    struct ogg_link *links = realloc(layout->links, capacity * sizeof *links);
    if (!links)
        return -ENOMEM;
    layout->links = links;
    s->capacity = capacity;
    return 0;
}

static const char another[] = "another stream begins, which is not read,";

/// @return 0; -ENOTSUP; -EBADMSG; -ENOMEM; the source's errors.
static int add_link(struct scan *s, uint64_t from, uint64_t to)
{
    struct ogg_layout *layout = s->layout;
    struct ogg_link link = {.part = {.from = from, .to = to}};
    struct ogg_sound_info info = {0};
    struct ogg_sound *sound;
    int error = ogg_sound_open(&sound, s->source, &link.part, &info);
    if (!error)
        ogg_sound_close(&sound);
    if (!error && from > 0 && !link.part.has_mark)
        error = -EBADMSG;
    if (!error)
        error = grow(s);
    if (error)
        return error;
    if (layout->count == 0) {
        layout->codec = info.codec;
        layout->junk_bytes = info.junk_bytes;
    }
    link.format = info.format;
    link.own_frames = info.frames;
    layout->links[layout->count++] = link;
    if (link.part.is_cut && to < s->pages.end)
        note_flaw(s, "corrupt: a stream's last page is broken,");
    return 0;
}

static int find_links(struct scan *s)
{
    int first_error = 0;
    for (uint64_t from = 0, to; from < s->pages.end; from = to) {
        if (!find_group(s, from))
            break; // the last one's end is the file's
        to = find_end(s);
        if (s->pages.error)
            return s->pages.error;
        const int error = add_link(s, from, to);
        if (error == -ENOTSUP && from == 0)
            return error;
        if (error && error != -ENOTSUP && error != -EBADMSG)
            return error;
        first_error = first_error ? first_error : error;
        if (error)
            note_flaw(s, another);
    }
    return s->pages.error ? s->pages.error : s->layout->count ? 0 : first_error;
}

// --- The whole -----------------------------------------------------------------------------------

static uint64_t convert(uint64_t frames, uint32_t from_hz, uint32_t to_hz)
{
    const uint64_t whole = frames / from_hz, rest = frames % from_hz;
    return whole * to_hz + (rest * to_hz + from_hz / 2) / from_hz;
}

struct weight {
    uint32_t key;
    uint32_t link; // the first that has it
    double seconds;
};

static int by_key(const void *a, const void *b)
{
    const struct weight *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->link < y->link ? -1 : x->link > y->link;
}

/// @return the key of which most is played, of these the first.
static uint32_t find_most(struct weight *weights, uint32_t count)
{
    struct weight most = weights[0];
    most.seconds = -1;
    qsort(weights, count, sizeof *weights, by_key);
    for (uint32_t i = 0, k; i < count; i = k) {
        struct weight sum = weights[i];
        for (k = i + 1; k < count && weights[k].key == sum.key; k++)
            sum.seconds += weights[k].seconds;
        if (sum.seconds > most.seconds || (sum.seconds == most.seconds && sum.link < most.link))
            most = sum;
    }
    return most.key;
}

/// Whether its last page can be true.
static bool is_likely(const struct ogg_link *link)
{
    return link->part.has_mark && !link->part.is_counted;
}

static int choose_format(struct ogg_layout *layout)
{
    struct weight *rates = calloc(layout->count, sizeof *rates);
    struct weight *channels = calloc(layout->count, sizeof *channels);
    bool has_stereo = false;
    for (uint32_t i = 0; rates && channels && i < layout->count; i++) {
        const struct ogg_link *l = &layout->links[i];
        const uint64_t frames = is_likely(l) ? l->own_frames : 0;
        const double seconds = (double)frames / (l->format.rate_hz ? l->format.rate_hz : 1);
        rates[i] = (struct weight){l->format.rate_hz, i, seconds};
        channels[i] = (struct weight){l->format.channels, i, seconds};
        has_stereo = has_stereo || l->format.channels == 2;
    }
    const bool is_made = rates && channels;
    if (is_made) {
        layout->rate_hz = find_most(rates, layout->count);
        layout->channels = find_most(channels, layout->count);
        if (layout->channels == 1 && has_stereo)
            layout->channels = 2;
    }
    free(rates);
    free(channels);
    return is_made ? 0 : -ENOMEM;
}

static bool is_rate(uint32_t hz)
{
    return hz >= PCM_MIN_RATE_HZ && hz <= PCM_MAX_RATE_HZ;
}

/// Whether it can be played among the others. Mono and stereo go to the first two channels.
static bool is_fit(const struct ogg_layout *layout, const struct ogg_format *format)
{
    const bool is_own_rate = format->rate_hz == layout->rate_hz;
    if (!is_own_rate && !(is_rate(format->rate_hz) && is_rate(layout->rate_hz) &&
                          rate_bridge_can(format->rate_hz, layout->rate_hz)))
        return false;
    return format->channels == layout->channels ||
           (format->channels <= 2 && format->channels < layout->channels);
}

/// Where no one fits what most are, or can be true, play the first.
static void place_first(struct ogg_layout *layout)
{
    struct ogg_link *link = &layout->links[0];
    layout->rate_hz = link->format.rate_hz;
    layout->channels = link->format.channels;
    link->at = 0;
    link->frames = layout->frames = link->own_frames;
    layout->count = 1;
    layout->flaw = another;
    layout->flaw_at = layout->frames;
}

/// Leave out what does not fit, and give the rest places.
static void place_links(struct scan *s)
{
    struct ogg_layout *layout = s->layout;
    const bool is_alone = layout->count == 1;
    uint32_t kept = 0;
    uint64_t left_out_at = nowhere, flaw_at = nowhere;
    for (uint32_t i = 0; i < layout->count; i++) {
        struct ogg_link link = layout->links[i];
        if (layout->flaw && i == s->flawed_link)
            flaw_at = layout->frames;
        if (!is_fit(layout, &link.format) || (!is_alone && !is_likely(&link))) {
            left_out_at = left_out_at < layout->frames ? left_out_at : layout->frames;
            continue;
        }
        link.at = layout->frames;
        link.frames = link.format.rate_hz == layout->rate_hz
                          ? link.own_frames
                          : convert(link.own_frames, link.format.rate_hz, layout->rate_hz);
        layout->frames += link.frames;
        layout->links[kept++] = link;
    }
    layout->count = kept;
    if (kept == 0) {
        place_first(layout);
        return;
    }
    if (layout->flaw && flaw_at == nowhere)
        flaw_at = layout->frames;
    if (left_out_at < flaw_at)
        layout->flaw = another;
    layout->flaw_at = left_out_at < flaw_at ? left_out_at : flaw_at;
}

int ogg_layout_scan(struct ogg_layout *layout, struct source *source, uint64_t size_bytes)
{
    struct scan s = {.layout = layout, .source = source};
    *layout = (struct ogg_layout){0};
    ogg_pages_init(&s.pages, source, 0, size_bytes);
    int error = find_group(&s, 0) ? 0 : -ENOTSUP;
    if (!error)
        find_last_page(&s);
    if (!error && !s.pages.error)
        error = find_links(&s);
    if (s.pages.error)
        error = s.pages.error;
    ogg_pages_deinit(&s.pages);
    if (!error)
        error = choose_format(layout);
    if (error)
        ogg_layout_deinit(layout);
    else
        place_links(&s);
    return error;
}

void ogg_layout_deinit(struct ogg_layout *layout)
{
    free(layout->links);
    *layout = (struct ogg_layout){0};
}
