// SPDX-License-Identifier: MIT
// Vorbis I, through libvorbis.
#include "io/sound/ogg_codec.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vorbis/codec.h>

struct ogg_decoder {
    vorbis_info info;
    vorbis_comment comment; // what is in it is read elsewhere
    vorbis_dsp_state dsp;
    vorbis_block block;
    uint32_t headers;
    bool is_ready;           // dsp and block are in use
    long block_frames;       // of the last packet decoded; 0: none
    long first_block_frames; // of the stream; 0: not known
};

static bool is_first(const ogg_packet *packet)
{
    return packet->bytes >= 7 && memcmp(packet->packet, "\1vorbis", 7) == 0;
}

/// Headers are odd: Vorbis I, 4.2.1.
static bool is_header(const ogg_packet *packet)
{
    return packet->bytes > 0 && (packet->packet[0] & 1);
}

static struct ogg_decoder *create(void)
{
    struct ogg_decoder *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    vorbis_info_init(&d->info);
    vorbis_comment_init(&d->comment);
    return d;
}

static void destroy(struct ogg_decoder *d)
{
    if (d->is_ready) {
        (void)vorbis_block_clear(&d->block);
        vorbis_dsp_clear(&d->dsp);
    }
    vorbis_comment_clear(&d->comment);
    vorbis_info_clear(&d->info);
    free(d);
}

static int take_header(struct ogg_decoder *d, ogg_packet *packet, struct ogg_format *format)
{
    packet->b_o_s = d->headers == 0;
    if (vorbis_synthesis_headerin(&d->info, &d->comment, packet))
        return -EBADMSG;
    if (++d->headers < ogg_vorbis.header_packets)
        return 0;
    if (vorbis_synthesis_init(&d->dsp, &d->info)) {
        vorbis_dsp_clear(&d->dsp);
        return -EBADMSG;
    }
    (void)vorbis_block_init(&d->dsp, &d->block); // cannot fail
    d->is_ready = true;
    *format = (struct ogg_format){.rate_hz = (uint32_t)d->info.rate,
                                  .channels = (uint32_t)d->info.channels,
                                  .frame_ticks = 1,
                                  .run_up_frames = (uint32_t)vorbis_info_blocksize(&d->info, 1)};
    return 0;
}

/// A block and the one before it overlap, so that a first one gives nothing.
static int64_t count_ticks(struct ogg_decoder *d, ogg_packet *packets, uint32_t count)
{
    int64_t frames = 0;
    long before = d->block_frames;
    for (uint32_t i = 0; i < count; i++) {
        const long now = vorbis_packet_blocksize(&d->info, &packets[i]);
        if (now <= 0)
            continue;
        frames += before ? (before + now) / 4 : 0;
        before = now;
    }
    return frames;
}

static void begin(struct ogg_decoder *d, ogg_packet *packet)
{
    d->first_block_frames = vorbis_packet_blocksize(&d->info, packet);
}

/// The halves of all blocks between two, and a quarter of each of these two: of two sizes, the larger of which is a
/// multiple of the smaller.
static int64_t align(struct ogg_decoder *d, int64_t ticks, ogg_packet *packet)
{
    const long step = vorbis_info_blocksize(&d->info, 0) / 2;
    const long block =
        d->block_frames ? d->block_frames : vorbis_packet_blocksize(&d->info, packet);
    if (d->first_block_frames <= 0 || block <= 0)
        return ticks;
    const int64_t beyond = ticks - (d->first_block_frames + block) / 4;
    const int64_t rest = ((beyond + step / 2) % step + step) % step - step / 2;
    return ticks - rest;
}

static void restart(struct ogg_decoder *d)
{
    (void)vorbis_synthesis_restart(&d->dsp); // it was set up
    d->block_frames = 0;
}

static int decode(struct ogg_decoder *d, ogg_packet *packet)
{
    // Where the sound begins and ends is the caller's to say.
    packet->granulepos = -1;
    packet->e_o_s = packet->b_o_s = 0;
    if (vorbis_synthesis(&d->block, packet) || vorbis_synthesis_blockin(&d->dsp, &d->block))
        return -EBADMSG;
    d->block_frames = vorbis_packet_blocksize(&d->info, packet);
    return vorbis_synthesis_pcmout(&d->dsp, NULL);
}

static void take(struct ogg_decoder *d, float *interleaved, uint32_t frames)
{
    float **planes;
    const uint32_t channels = (uint32_t)d->info.channels;
    (void)vorbis_synthesis_pcmout(&d->dsp, &planes);
    for (uint32_t c = 0; interleaved && c < channels; c++) {
        const float *from = planes[ogg_source_channel(channels, c)];
        for (uint32_t i = 0; i < frames; i++)
            interleaved[i * channels + c] = from[i];
    }
    (void)vorbis_synthesis_read(&d->dsp, (int)frames); // as many as there are
}

const struct ogg_codec ogg_vorbis = {
    .header_packets = 3,
    .is_first = is_first,
    .create = create,
    .destroy = destroy,
    .take_header = take_header,
    .is_header = is_header,
    .count_ticks = count_ticks,
    .begin = begin,
    .align = align,
    .restart = restart,
    .pass_loss = restart, // no block may be joined with one that did not follow it
    .decode = decode,
    .take = take,
};
