// SPDX-License-Identifier: MIT
#include "io/sound/sound_file.h"
#include "io/sound/mpeg.h"
#include "io/sound/ogg_chain.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum { FLAC_PADDING = 1, FLAC_IS_LAST = 0x80 }; // of a metadata block: RFC 9639, 8.1

// --- What libsndfile calls -------------------------------------------------------------------------

static sf_count_t get_length(void *user)
{
    const struct sound_file *f = user;
    return (sf_count_t)f->bytes;
}

static sf_count_t seek_to(sf_count_t offset, int whence, void *user)
{
    struct sound_file *f = user;
    sf_count_t base = 0;
    if (whence == SEEK_CUR)
        base = (sf_count_t)f->position;
    else if (whence == SEEK_END)
        base = (sf_count_t)f->bytes;
    sf_count_t to = 0;
    if (__builtin_add_overflow(base, offset, &to) || to < 0)
        to = offset < 0 ? 0 : (sf_count_t)f->bytes;
    if (to > (sf_count_t)f->bytes)
        to = (sf_count_t)f->bytes;
    f->position = (uint64_t)to;
    return to;
}

/// The byte at `at` of the file, if it is among those read. @return NULL: it is not.
static unsigned char *find_byte(unsigned char *read, uint64_t offset, int64_t n, uint64_t at)
{
    return n > 0 && at >= offset && at < offset + (uint64_t)n ? read + (at - offset) : NULL;
}

static int64_t read_bytes(struct sound_file *f, unsigned char *to, size_t bytes)
{
    const struct byte_patch *size = &f->lengths->size;
    const int64_t n = source_read(f->source, to, f->position, bytes);
    unsigned char *byte;
    for (uint32_t i = 0; i < size->count; i++)
        if ((byte = find_byte(to, f->position, n, size->offset + i)))
            *byte = size->bytes[i];
    for (uint32_t i = 0; i < f->lengths->unneeded_count; i++)
        if ((byte = find_byte(to, f->position, n, f->lengths->unneeded[i])))
            *byte = (unsigned char)((*byte & FLAC_IS_LAST) | FLAC_PADDING);
    return n;
}

static sf_count_t read_some(void *to, sf_count_t bytes, void *user)
{
    struct sound_file *f = user;
    if (bytes <= 0)
        return 0;
    // After an error nothing more is waited for: libraries ask again and again.
    int64_t n = f->io_error ? 0 : read_bytes(f, to, (size_t)bytes);
    if (n < 0) {
        f->io_error = (int)n;
        n = 0;
    }
    f->has_ended = f->has_ended || n < bytes;
    f->position += (uint64_t)n;
    return n;
}

static sf_count_t tell(void *user)
{
    const struct sound_file *f = user;
    return (sf_count_t)f->position;
}

// --- For the decoder -----------------------------------------------------------------------------

/// Whether it is FLAC of more bits than libsndfile takes: a stream's own header says so, behind its rate.
static bool is_too_deep(struct sound_file *file)
{
    unsigned char head[22];
    if (source_read(file->source, head, 0, sizeof head) != sizeof head ||
        memcmp(head, "fLaC", 4) != 0)
        return false;
    return ((head[20] & 1u) << 4 | head[21] >> 4) + 1u > 24;
}

/// Whether it is an Ogg file whose first stream is of these: libsndfile was asked before.
static bool is_other_ogg(struct sound_file *file)
{
    enum { SEGMENTS_AT = 26, MOST_SEGMENTS = 255, ID_BYTES = 5 };
    unsigned char head[SEGMENTS_AT + 1 + MOST_SEGMENTS + ID_BYTES] = {0};
    if (source_read(file->source, head, 0, sizeof head) <= SEGMENTS_AT ||
        memcmp(head, "OggS", 4) != 0)
        return false;
    const unsigned char *id = head + SEGMENTS_AT + 1 + head[SEGMENTS_AT];
    return memcmp(id, "\177FLAC", ID_BYTES) == 0 || memcmp(id, "Speex", ID_BYTES) == 0;
}

static int open_error(struct sound_file *file)
{
    if (file->io_error)
        return file->io_error;
    if (is_too_deep(file))
        return -EPROTONOSUPPORT;
    if (is_other_ogg(file))
        return -EPROTOTYPE;
    switch (sf_error(NULL)) {
    case SF_ERR_UNRECOGNISED_FORMAT:
    case SF_ERR_UNSUPPORTED_ENCODING:
        return -ENOTSUP;
    default:
        return -EBADMSG;
    }
}

static int open_sndfile(struct sound_file *file)
{
    static SF_VIRTUAL_IO io = {
        .get_filelen = get_length, .seek = seek_to, .read = read_some, .tell = tell};
    file->handle = sf_open_virtual(&io, SFM_READ, &file->info, file);
    return file->handle ? 0 : open_error(file);
}

static int open_mpeg(struct sound_file *file, const struct mp3_layout *layout)
{
    const int error = mpeg_open(&file->mpeg, file->source, layout);
    file->info = (SF_INFO){.samplerate = (int)layout->rate_hz,
                           .channels = (int)layout->channels,
                           .format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
                           .frames = (sf_count_t)layout->frames};
    return error;
}

/// @return -ENOTSUP also where it is an Ogg file, but of other streams.
static int open_ogg(struct sound_file *file)
{
    struct ogg_chain_info info;
    const int error = ogg_chain_open(&file->ogg, file->source, file->bytes, &info);
    if (error)
        return error;
    file->junk_bytes = info.junk_bytes;
    file->info = (SF_INFO){
        .samplerate = (int)info.rate_hz,
        .channels = (int)info.channels,
        .format = SF_FORMAT_OGG | (info.codec == &ogg_vorbis ? SF_FORMAT_VORBIS : SF_FORMAT_OPUS),
        .frames = (sf_count_t)info.frames};
    return 0;
}

int sound_file_open(struct sound_file *file, struct source *source, uint64_t size_bytes,
                    const struct mp3_layout *layout, const struct container_lengths *lengths)
{
    *file = (struct sound_file){.source = source, .bytes = size_bytes, .lengths = lengths};
    int error = -ENOTSUP;
    if (layout)
        error = open_mpeg(file, layout);
    else if (lengths->is_ogg || lengths->is_hidden_ogg)
        error = open_ogg(file);
    if (!layout && error == -ENOTSUP && !lengths->is_hidden_ogg)
        error = open_sndfile(file);
    if (!error && file->io_error) {
        error = file->io_error;
        sound_file_close(file);
    }
    return error;
}

static void note_error(struct sound_file *file)
{
    if (file->mpeg)
        file->io_error = mpeg_error(file->mpeg);
    else if (file->ogg)
        file->io_error = ogg_chain_error(file->ogg);
}

int sound_file_seek(struct sound_file *file, uint64_t frame)
{
    int error = 0;
    if (file->mpeg)
        error = mpeg_seek(file->mpeg, frame);
    else if (file->ogg)
        error = ogg_chain_seek(file->ogg, frame);
    else if (sf_seek(file->handle, (sf_count_t)frame, SEEK_SET) != (sf_count_t)frame)
        error = -EBADMSG;
    note_error(file);
    return error && file->io_error ? file->io_error : error;
}

void sound_file_close(struct sound_file *file)
{
    // What is closed was only read, so nothing can be lost by a failure.
    if (file->handle)
        (void)sf_close(file->handle);
    file->handle = NULL;
    mpeg_close(&file->mpeg);
    ogg_chain_close(&file->ogg);
}

uint32_t sound_file_read(struct sound_file *file, float *interleaved, uint32_t frames)
{
    if (file->mpeg || file->ogg) {
        const uint32_t n = file->mpeg ? mpeg_read(file->mpeg, interleaved, frames)
                                      : ogg_chain_read(file->ogg, interleaved, frames);
        note_error(file);
        return n;
    }
    sf_count_t n = sf_readf_float(file->handle, interleaved, frames);
    assert(n <= frames);
    return n > 0 ? (uint32_t)n : 0;
}

uint64_t sound_file_pass_hole(struct sound_file *file)
{
    return file->ogg ? ogg_chain_pass_hole(file->ogg) : 0;
}

const char *sound_file_flaw(const struct sound_file *file)
{
    return file->ogg ? ogg_chain_flaw(file->ogg) : NULL;
}

const char *sound_file_flaw_before_end(const struct sound_file *file, uint64_t *at)
{
    return file->ogg ? ogg_chain_flaw_before_end(file->ogg, at) : NULL;
}

static uint32_t depth_of(int format)
{
    switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
        return 8;
    case SF_FORMAT_PCM_16:
    case SF_FORMAT_ALAC_16:
        return 16;
    case SF_FORMAT_ALAC_20:
        return 20;
    case SF_FORMAT_PCM_24:
    case SF_FORMAT_ALAC_24:
        return 24;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_ALAC_32:
        return 32;
    default:
        return 0;
    }
}

static const char *container_of(int format)
{
    static const struct {
        int major;
        const char *name;
    } table[] = {
        {SF_FORMAT_WAV, "wav"},   {SF_FORMAT_WAVEX, "wav"}, {SF_FORMAT_RF64, "rf64"},
        {SF_FORMAT_W64, "w64"},   {SF_FORMAT_AIFF, "aiff"}, {SF_FORMAT_AU, "au"},
        {SF_FORMAT_FLAC, "flac"}, {SF_FORMAT_OGG, "ogg"},   {SF_FORMAT_CAF, "caf"},
        {SF_FORMAT_MPEG, "mp3"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].major == (format & SF_FORMAT_TYPEMASK))
            return table[i].name;
    return "other";
}

struct sound_file_names sound_file_names(int format)
{
    struct sound_file_names names = {.container = container_of(format),
                                     .depth_bits = depth_of(format)};
    names.codec = names.container;
    switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_VORBIS:
        names.codec = "vorbis";
        break;
    case SF_FORMAT_OPUS:
        names.codec = "opus";
        break;
    case SF_FORMAT_MPEG_LAYER_I:
    case SF_FORMAT_MPEG_LAYER_II:
    case SF_FORMAT_MPEG_LAYER_III:
        names.codec = "mp3";
        names.run_up_s =
            (format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG ? 0 : 1; // mpeg_seek() does
        break;
    case SF_FORMAT_ALAC_16:
    case SF_FORMAT_ALAC_20:
    case SF_FORMAT_ALAC_24:
    case SF_FORMAT_ALAC_32:
        names.codec = "alac";
        break;
    default:
        if ((format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG)
            names.codec = "flac";
        break;
    }
    return names;
}
