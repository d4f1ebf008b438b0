// SPDX-License-Identifier: MIT
#include "support/ogg_file.h"
#include "support/rng.h"
#include <math.h>
#include <opus.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vorbis/codec.h>

#include <cmocka.h>

enum { HEADER_BYTES = 27, GRANULE_AT = 6, SERIAL_AT = 14, PIECE_FRAMES = 1000 };

void ogg_file_write(const char *path, int format, int rate_hz, int channels, uint32_t frames)
{
    SF_INFO info = {.format = SF_FORMAT_OGG | format, .samplerate = rate_hz, .channels = channels};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    uint64_t random = 5;
    for (uint32_t i = 0; i < frames; ++i) {
        float frame[PCM_MAX_CHANNELS];
        for (int c = 0; c < channels; ++c)
            frame[c] =
                0.3F * sinf((float)i * (float)(c + 2) * 0.01F) + 0.1F * (float)rng_unit(&random);
        assert_int_equal(sf_writef_float(file, frame, 1), 1);
    }
    assert_int_equal(sf_close(file), 0);
}

void ogg_file_load(struct ogg_file *file, const char *path)
{
    *file = (struct ogg_file){0};
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    file->size = (size_t)ftell(stream);
    rewind(stream);
    file->bytes = malloc(file->size);
    assert_non_null(file->bytes);
    assert_int_equal(fread(file->bytes, 1, file->size, stream), file->size);
    assert_int_equal(fclose(stream), 0);
    for (size_t at = 0; at < file->size; ++file->pages) {
        assert_true(file->pages < OGG_FILE_PAGES && memcmp(file->bytes + at, "OggS", 4) == 0);
        file->at[file->pages] = at;
        const ogg_page page = ogg_file_page(file, file->pages);
        at += (size_t)(page.header_len + page.body_len);
        file->at[file->pages + 1] = at;
    }
}

void ogg_file_free(struct ogg_file *file)
{
    free(file->bytes);
}

ogg_page ogg_file_page(const struct ogg_file *file, uint32_t page)
{
    unsigned char *header = file->bytes + file->at[page];
    const int segments = header[HEADER_BYTES - 1];
    ogg_page result = {header, HEADER_BYTES + segments, header + HEADER_BYTES + segments, 0};
    for (int i = 0; i < segments; ++i)
        result.body_len += header[HEADER_BYTES + i];
    return result;
}

void ogg_file_shift(struct ogg_file *file, uint32_t first, int64_t ticks)
{
    for (uint32_t i = first; i < file->pages; ++i) {
        ogg_page page = ogg_file_page(file, i);
        const int64_t granule = ogg_page_granulepos(&page);
        const int is_header = page.body_len > 7 && (memcmp(page.body, "Opus", 4) == 0 ||
                                                    memcmp(page.body + 1, "vorbis", 6) == 0);
        if (granule < 0 || (granule == 0 && is_header))
            continue;
        for (int k = 0; k < 8; ++k)
            page.header[GRANULE_AT + k] = (unsigned char)((uint64_t)(granule + ticks) >> 8 * k);
        ogg_page_checksum_set(&page);
    }
}

void ogg_file_renumber(struct ogg_file *file, int serial)
{
    for (uint32_t i = 0; i < file->pages; ++i) {
        ogg_page page = ogg_file_page(file, i);
        for (int k = 0; k < 4; ++k)
            page.header[SERIAL_AT + k] = (unsigned char)((unsigned)serial >> 8 * k);
        ogg_page_checksum_set(&page);
    }
}

void ogg_file_save(const struct ogg_file *file, const char *path, uint32_t left_out)
{
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    for (uint32_t i = 0; i < file->pages; ++i) {
        const size_t bytes = file->at[i + 1] - file->at[i];
        if (i != left_out)
            assert_int_equal(fwrite(file->bytes + file->at[i], 1, bytes, stream), bytes);
    }
    assert_int_equal(fclose(stream), 0);
}

static void write_page(FILE *stream, const ogg_page *page)
{
    assert_int_equal(fwrite(page->header, 1, (size_t)page->header_len, stream), page->header_len);
    assert_int_equal(fwrite(page->body, 1, (size_t)page->body_len, stream), page->body_len);
}

/// What a packet adds to the granule position.
struct clock {
    vorbis_info info; // of Vorbis
    vorbis_comment comment;
    int is_opus, headers;
    long block_frames;
};

static int64_t ticks_of(struct clock *c, ogg_packet *packet)
{
    c->is_opus = c->is_opus || memcmp(packet->packet, "OpusHead", 8) == 0;
    const int is_header = c->headers < (c->is_opus ? 2 : 3);
    c->headers += is_header;
    if (c->is_opus)
        return is_header ? 0
                         : opus_packet_get_nb_samples(packet->packet, (int)packet->bytes, 48000);
    if (is_header) {
        assert_int_equal(vorbis_synthesis_headerin(&c->info, &c->comment, packet), 0);
        return 0;
    }
    const long before = c->block_frames;
    c->block_frames = vorbis_packet_blocksize(&c->info, packet);
    return before ? (before + c->block_frames) / 4 : 0;
}

void ogg_file_save_paged(const struct ogg_file *file, const char *path, int page_bytes,
                         int64_t jitter)
{
    ogg_stream_state in, out;
    ogg_page page = ogg_file_page(file, 0);
    ogg_packet packet;
    struct clock clock = {0};
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    vorbis_info_init(&clock.info);
    vorbis_comment_init(&clock.comment);
    assert_int_equal(ogg_stream_init(&in, ogg_page_serialno(&page)), 0);
    assert_int_equal(ogg_stream_init(&out, 7), 0);
    int64_t ticks = 0;
    int pending = 0, packets = 0, pages = 0;
    for (uint32_t i = 0; i < file->pages; ++i) {
        page = ogg_file_page(file, i);
        assert_int_equal(ogg_stream_pagein(&in, &page), 0);
        while (ogg_stream_packetout(&in, &packet) > 0) {
            ticks += ticks_of(&clock, &packet);
            const int64_t off = pages > 5 ? (pages % 3 - 1) * jitter : 0;
            packet.granulepos = packet.e_o_s ? packet.granulepos : ticks + off;
            pending += (int)packet.bytes;
            assert_int_equal(ogg_stream_packetin(&out, &packet), 0);
            // The first packet has a page of its own.
            if (packets++ > 0 && pending < page_bytes && !packet.e_o_s)
                continue;
            for (; ogg_stream_flush_fill(&out, &page, 65025) > 0; ++pages)
                write_page(stream, &page);
            pending = 0;
        }
    }
    assert_int_equal(fclose(stream), 0);
    ogg_stream_clear(&in);
    ogg_stream_clear(&out);
    vorbis_comment_clear(&clock.comment);
    vorbis_info_clear(&clock.info);
}

int ogg_file_play(struct ogg_played *p, struct loader *loader, const char *path)
{
    *p = (struct ogg_played){0};
    struct source *source = NULL;
    struct decoder *decoder = NULL;
    struct decoder_info info;
    assert_int_equal(source_open(&source, loader, &(struct source_config){.path = path}), 0);
    const int error = decoder_open(&decoder, source, &info);
    if (!error) {
        p->frames = info.frames;
        p->rate_hz = info.format.rate_hz;
        p->channels = info.format.channels;
        p->samples = malloc((info.frames + PIECE_FRAMES) * p->channels * sizeof *p->samples);
        assert_non_null(p->samples);
        for (int64_t n;
             (n = decoder_read(decoder, p->samples + p->read * p->channels, PIECE_FRAMES)) > 0;)
            p->read += (uint64_t)n;
        p->damage = decoder_damage(decoder);
        if (p->damage)
            snprintf(p->text, sizeof p->text, "%s", decoder_damage_text(decoder));
    }
    decoder_close(&decoder);
    source_close(&source);
    return error;
}
