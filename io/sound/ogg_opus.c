// SPDX-License-Identifier: MIT
// Opus, through libopus; its headers: RFC 7845.
#include "dsp/pcm.h"
#include "io/sound/ogg_codec.h"
#include <errno.h>
#include <opus_multistream.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLOCK_HZ = 48000,
    MOST_PACKET_TICKS = 5760, // 120 ms
    STEP_TICKS = 120,         // 2.5 ms, of which all packets are multiples
    HEAD_BYTES = 19,          // of the first header, without a mapping of channels
    RUN_UP_S = 3,             // predictions fade, at low bit rates over more than a second
};

struct ogg_decoder {
    OpusMSDecoder *decoder;
    uint32_t headers, frame_ticks;
    struct ogg_format format;
    float *samples; // of the packet that is decoded
    uint32_t taken; // frames of these
    bool has_begun;
};

static bool is_first(const ogg_packet *packet)
{
    return packet->bytes >= 8 && memcmp(packet->packet, "OpusHead", 8) == 0;
}

static bool is_header(const ogg_packet *packet)
{
    return packet->bytes >= 4 && memcmp(packet->packet, "Opus", 4) == 0;
}

static struct ogg_decoder *create(void)
{
    return calloc(1, sizeof(struct ogg_decoder));
}

static void destroy(struct ogg_decoder *d)
{
    if (d->decoder)
        opus_multistream_decoder_destroy(d->decoder);
    free(d->samples);
    free(d);
}

/// The rate to decode at: the lowest that holds all of what was encoded, as libsndfile has it.
static uint32_t choose_rate(uint32_t input_hz)
{
    static const uint32_t rates_hz[] = {8000, 12000, 16000, 24000};
    for (size_t i = 0; i < sizeof rates_hz / sizeof *rates_hz; i++)
        if (input_hz > 0 && input_hz <= rates_hz[i])
            return rates_hz[i];
    return CLOCK_HZ;
}

struct opus_layout {
    int streams, coupled;
    unsigned char mapping[PCM_MAX_CHANNELS];
};

/// The streams that the channels come from, which are put into WAVE's order. @return 0; -EBADMSG; -ENOTSUP.
static int parse_layout(struct opus_layout *layout, uint32_t channels, const ogg_packet *packet)
{
    const unsigned char *b = packet->packet;
    const unsigned family = b[18];
    if (channels == 0 || (family == 0 && channels > 2))
        return -EBADMSG;
    if (channels > PCM_MAX_CHANNELS)
        return -ENOTSUP;
    *layout = (struct opus_layout){1, channels == 2, {0, 1}};
    if (family == 0)
        return 0;
    if (packet->bytes < HEAD_BYTES + 2 + (long)channels)
        return -EBADMSG;
    layout->streams = b[19];
    layout->coupled = b[20];
    for (uint32_t c = 0; c < channels; c++)
        layout->mapping[c] = b[21 + (family == 1 ? ogg_source_channel(channels, c) : c)];
    return 0;
}

static int make_decoder(struct ogg_decoder *d, const struct opus_layout *layout, int gain)
{
    int error;
    d->decoder =
        opus_multistream_decoder_create((int)d->format.rate_hz, (int)d->format.channels,
                                        layout->streams, layout->coupled, layout->mapping, &error);
    if (!d->decoder)
        return error == OPUS_ALLOC_FAIL ? -ENOMEM : -EBADMSG;
    return opus_multistream_decoder_ctl(d->decoder, OPUS_SET_GAIN(gain)) ? -EBADMSG : 0;
}

static int parse_head(struct ogg_decoder *d, const ogg_packet *packet)
{
    const unsigned char *b = packet->packet;
    struct opus_layout layout;
    if (!is_first(packet) || packet->bytes < HEAD_BYTES || b[8] >= 16)
        return -EBADMSG;
    const uint32_t channels = b[9], skipped_ticks = b[10] | (uint32_t)b[11] << 8;
    const int error = parse_layout(&layout, channels, packet);
    if (error)
        return error;
    const uint32_t rate_hz =
        choose_rate(b[12] | (uint32_t)b[13] << 8 | (uint32_t)b[14] << 16 | (uint32_t)b[15] << 24);
    d->frame_ticks = CLOCK_HZ / rate_hz;
    d->format = (struct ogg_format){.rate_hz = rate_hz,
                                    .channels = channels,
                                    .frame_ticks = d->frame_ticks,
                                    .skipped = skipped_ticks / d->frame_ticks,
                                    .run_up_frames = RUN_UP_S * rate_hz};
    d->samples = calloc((size_t)MOST_PACKET_TICKS / d->frame_ticks * channels, sizeof *d->samples);
    return d->samples ? make_decoder(d, &layout, (int16_t)(b[16] | b[17] << 8)) : -ENOMEM;
}

/// The gain of the first header is part of the sound; what the second has, of tags, is not.
static int take_header(struct ogg_decoder *d, ogg_packet *packet, struct ogg_format *format)
{
    if (d->headers++ == 0)
        return parse_head(d, packet);
    if (!is_header(packet))
        return -EBADMSG;
    *format = d->format;
    return 0;
}

static int64_t count_ticks(struct ogg_decoder *d, ogg_packet *packets, uint32_t count)
{
    int64_t ticks = 0;
    (void)d;
    for (uint32_t i = 0; i < count; i++) {
        if (packets[i].bytes == 0)
            continue; // and there may be no pointer to them
        const int n =
            opus_packet_get_nb_samples(packets[i].packet, (int)packets[i].bytes, CLOCK_HZ);
        ticks += n > 0 ? n : 0;
    }
    return ticks;
}

static void begin(struct ogg_decoder *d, ogg_packet *packet)
{
    (void)packet;
    d->has_begun = true;
}

static int64_t align(struct ogg_decoder *d, int64_t ticks, ogg_packet *packet)
{
    (void)packet;
    const int64_t rest = ((ticks + STEP_TICKS / 2) % STEP_TICKS + STEP_TICKS) % STEP_TICKS;
    return d->has_begun ? ticks - rest + STEP_TICKS / 2 : ticks;
}

static void restart(struct ogg_decoder *d)
{
    (void)opus_multistream_decoder_ctl(d->decoder, OPUS_RESET_STATE); // cannot fail
}

/// What comes behind is predicted from something, which what was heard last is more like than silence.
static void pass_loss(struct ogg_decoder *d)
{
    (void)d;
}

static int decode(struct ogg_decoder *d, ogg_packet *packet)
{
    d->taken = 0;
    if (packet->bytes == 0)
        return -EBADMSG; // which the library would take for a lost one, of any length
    const int n =
        opus_multistream_decode_float(d->decoder, packet->packet, (int)packet->bytes, d->samples,
                                      (int)(MOST_PACKET_TICKS / d->frame_ticks), 0);
    return n < 0 ? -EBADMSG : n;
}

static void take(struct ogg_decoder *d, float *interleaved, uint32_t frames)
{
    const size_t channels = d->format.channels;
    if (interleaved)
        memcpy(interleaved, d->samples + d->taken * channels,
               frames * channels * sizeof *interleaved);
    d->taken += frames;
}

const struct ogg_codec ogg_opus = {
    .header_packets = 2,
    .is_first = is_first,
    .create = create,
    .destroy = destroy,
    .take_header = take_header,
    .is_header = is_header,
    .count_ticks = count_ticks,
    .begin = begin,
    .align = align,
    .restart = restart,
    .pass_loss = pass_loss,
    .decode = decode,
    .take = take,
};
