// SPDX-License-Identifier: MIT
// What tells Vorbis from Opus to a reader of Ogg streams.
#pragma once
#include "dsp/annotate.h"
#include <ogg/ogg.h>
#include <stdbool.h>
#include <stdint.h>

struct ogg_format {
    uint32_t rate_hz, channels;
    // what granule positions count, in a frame: more than 1 where a stream is decoded at a rate below its clock's
    uint32_t frame_ticks;
    uint32_t skipped; // frames before the first that is heard
    // to decode before a place for what is read there to be as if read from the start
    uint32_t run_up_frames;
};

/// One stream's decoder. Thread-safety: one thread at a time.
struct ogg_decoder;

struct ogg_codec {
    uint32_t header_packets;
    /// Whether this is the first packet of such a stream.
    bool (*is_first)(const ogg_packet *packet);
    /// @return NULL: out of memory.
    struct ogg_decoder *(*create)(void);
    void (*destroy)(struct ogg_decoder *decoder);
    /// Take the next header; the last makes *format known. @return 0; -EBADMSG; -ENOTSUP; -ENOMEM.
    int (*take_header)(struct ogg_decoder *decoder, ogg_packet *packet, struct ogg_format *format);
    bool (*is_header)(const ogg_packet *packet);
    /// Ticks of sound that these packets will give: behind those decoded, or after restart().
    int64_t (*count_ticks)(struct ogg_decoder *decoder, ogg_packet *packets, uint32_t count);
    /// Know the first packet of sound, for align().
    void (*begin)(struct ogg_decoder *decoder, ogg_packet *packet);
    /// The number of ticks, next to `ticks`, that can lie between the first packet's sound and this one's, whatever
    /// packets are between them: muxers round granule positions. `ticks` itself where that is not known.
    int64_t (*align)(struct ogg_decoder *decoder, int64_t ticks, ogg_packet *packet);
    /// Forget what was decoded.
    void (*restart)(struct ogg_decoder *decoder);
    /// Packets before the next one are missing.
    void (*pass_loss)(struct ogg_decoder *decoder);
    /// Decode a packet, when all of the one before is taken or dropped. @return frames; -EBADMSG: none.
    int (*decode)(struct ogg_decoder *decoder, ogg_packet *packet);
    /// Take the next frames of the packet, in WAVE's order of channels; NULL: drop them.
    void (*take)(struct ogg_decoder *decoder, float *interleaved, uint32_t frames);
};

extern const struct ogg_codec ogg_vorbis, ogg_opus;

/// The channel of a stream in Vorbis' order, which is Opus' too, that is WAVE's channel `channel` of `channels`.
uint32_t ogg_source_channel(uint32_t channels, uint32_t channel);
