// SPDX-License-Identifier: MIT
#include "io/sound/ogg_chain.h"
#include "io/sound/ogg_layout.h"
#include "io/sound/rate_bridge.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ogg_chain {
    struct source *source; // borrowed
    struct ogg_layout layout;
    uint32_t link; // of which is read
    struct ogg_sound *sound;
    uint64_t left;              // frames of the link, at its rate
    struct rate_bridge *bridge; // from links of that rate to the layout's; NULL: none was met
    uint32_t bridged_hz;
    bool is_bridged; // the link is of that rate
    uint64_t silent; // frames of a hole that a bridge is being given
    const char *flaw;
    uint64_t flaw_at; // of such a hole, the first
    int error;
};

static struct ogg_link *link_of(const struct ogg_chain *c)
{
    return &c->layout.links[c->link];
}

static bool is_last(const struct ogg_chain *c)
{
    return c->link + 1 == c->layout.count;
}

// --- One link ------------------------------------------------------------------------------------

/// Mono on both sides, and silence in what other channels there are.
static void widen(const struct ogg_chain *c, float *samples, uint32_t frames)
{
    const size_t from = link_of(c)->format.channels, to = c->layout.channels;
    if (from == to)
        return;
    for (size_t i = frames; i-- > 0;) {
        const float left = samples[i * from], right = samples[i * from + from - 1];
        memset(samples + i * to, 0, to * sizeof *samples);
        samples[i * to] = left;
        samples[i * to + 1] = right;
    }
}

/// The frames of a hole that the link has come to: to where it goes on, or to its end.
static uint64_t find_hole(struct ogg_chain *c)
{
    uint64_t hole = ogg_sound_pass_hole(c->sound);
    if (hole == 0 && !is_last(c) && !ogg_chain_error(c))
        hole = c->left;
    return hole < c->left ? hole : c->left;
}

/// Where a bridge needs frames, so that it does not end before the link does.
static bool begin_silence(struct ogg_chain *c)
{
    const struct ogg_link *l = link_of(c);
    if (!c->is_bridged || ogg_chain_error(c))
        return false;
    c->silent = find_hole(c);
    if (c->silent > 0 && !c->flaw) {
        const double share = (double)(l->own_frames - c->left) / (double)l->own_frames;
        c->flaw = "corrupt: sound is missing";
        c->flaw_at = l->at + (uint64_t)(share * (double)l->frames);
    }
    return c->silent > 0;
}

/// Read at the link's own rate.
static uint32_t read_own(void *user, float *interleaved, uint32_t frames)
{
    struct ogg_chain *c = user;
    const uint32_t wanted = c->left < frames ? (uint32_t)c->left : frames;
    uint32_t done = 0;
    while (done < wanted) {
        float *to = interleaved + (size_t)done * c->layout.channels;
        uint32_t n = wanted - done;
        if (c->silent > 0) {
            n = c->silent < n ? (uint32_t)c->silent : n;
            memset(to, 0, (size_t)n * c->layout.channels * sizeof *to);
            c->silent -= n;
        } else {
            n = ogg_sound_read(c->sound, to, n);
            widen(c, to, n);
            if (n == 0 && !begin_silence(c))
                break;
        }
        done += n;
        c->left -= n;
    }
    return done;
}

// --- From link to link ---------------------------------------------------------------------------

/// To a frame of the layout's rate from the link's, if they differ; what was built for the last one may serve again.
static int build_bridge(struct ogg_chain *c)
{
    const uint32_t own_hz = link_of(c)->format.rate_hz;
    c->is_bridged = own_hz != c->layout.rate_hz;
    if (!c->is_bridged)
        return 0;
    if (c->bridge && c->bridged_hz == own_hz) {
        (void)rate_bridge_seek(c->bridge, 0);
        return 0;
    }
    c->bridged_hz = own_hz;
    rate_bridge_destroy(&c->bridge);
    return rate_bridge_create(&c->bridge, own_hz, c->layout.rate_hz, c->layout.channels, read_own,
                              c);
}

/// Go to the begin of a link. @return 0; -EBADMSG: it has changed; -ENOMEM; the source's errors.
static int begin_link(struct ogg_chain *c, uint32_t link)
{
    struct ogg_sound_info info = {0};
    ogg_sound_close(&c->sound);
    c->link = link;
    c->silent = 0;
    // A single one may not say how long it is.
    c->left = c->layout.count == 1 ? UINT64_MAX : link_of(c)->own_frames;
    c->error = ogg_sound_open(&c->sound, c->source, &link_of(c)->part, &info);
    const struct ogg_format *format = &link_of(c)->format;
    if (!c->error &&
        (info.format.channels != format->channels || info.format.rate_hz != format->rate_hz))
        c->error = -EBADMSG;
    if (!c->error)
        c->error = build_bridge(c);
    return c->error;
}

uint32_t ogg_chain_read(struct ogg_chain *c, float *interleaved, uint32_t frames)
{
    uint32_t done = 0;
    while (c->sound && !c->error) {
        float *to = interleaved + (size_t)done * c->layout.channels;
        done += c->is_bridged ? rate_bridge_read(c->bridge, to, frames - done)
                              : read_own(c, to, frames - done);
        const bool has_more = c->left > 0 && !c->is_bridged;
        if (done == frames || has_more || is_last(c) || ogg_chain_error(c) ||
            begin_link(c, c->link + 1))
            break;
    }
    return done;
}

uint64_t ogg_chain_pass_hole(struct ogg_chain *c)
{
    if (!c->sound || c->is_bridged)
        return 0;
    const uint64_t hole = find_hole(c);
    c->left -= hole;
    return hole;
}

/// The link that a frame is of; the last, if none.
static uint32_t find_link(const struct ogg_layout *layout, uint64_t frame)
{
    uint32_t low = 0, high = layout->count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (layout->links[middle].at <= frame)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int ogg_chain_seek(struct ogg_chain *c, uint64_t frame)
{
    const uint32_t link = find_link(&c->layout, frame);
    int error = link == c->link && c->sound && !c->error ? 0 : begin_link(c, link);
    if (error)
        return error;
    uint64_t own = frame - link_of(c)->at;
    if (c->is_bridged)
        own = rate_bridge_seek(c->bridge, own);
    if (c->layout.count > 1)
        c->left = own < link_of(c)->own_frames ? link_of(c)->own_frames - own : 0;
    c->silent = 0;
    error = ogg_sound_seek(c->sound, own);
    return error == -EBADMSG && !is_last(c) ? 0 : error; // silence can be read
}

int ogg_chain_error(const struct ogg_chain *c)
{
    return c->error ? c->error : c->sound ? ogg_sound_error(c->sound) : 0;
}

const char *ogg_chain_flaw_before_end(const struct ogg_chain *c, uint64_t *at)
{
    const bool is_own = c->flaw && (!c->layout.flaw || c->flaw_at < c->layout.flaw_at);
    *at = is_own ? c->flaw_at : c->layout.flaw_at;
    return is_own ? c->flaw : c->layout.flaw;
}

const char *ogg_chain_flaw(const struct ogg_chain *c)
{
    return c->sound && is_last(c) ? ogg_sound_flaw(c->sound) : NULL;
}

int ogg_chain_open(struct ogg_chain **out, struct source *source, uint64_t size_bytes,
                   struct ogg_chain_info *info)
{
    *out = NULL;
    struct ogg_chain *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->source = source;
    int error = ogg_layout_scan(&c->layout, source, size_bytes);
    if (!error)
        error = begin_link(c, 0);
    if (error) {
        ogg_chain_close(&c);
        return error;
    }
    *info = (struct ogg_chain_info){.rate_hz = c->layout.rate_hz,
                                    .channels = c->layout.channels,
                                    .codec = c->layout.codec,
                                    .frames = c->layout.frames,
                                    .junk_bytes = c->layout.junk_bytes};
    *out = c;
    return 0;
}

void ogg_chain_close(struct ogg_chain **chain)
{
    struct ogg_chain *c = *chain;
    *chain = NULL;
    if (!c)
        return;
    ogg_sound_close(&c->sound);
    rate_bridge_destroy(&c->bridge);
    ogg_layout_deinit(&c->layout);
    free(c);
}
