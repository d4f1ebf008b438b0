// SPDX-License-Identifier: MIT
#include "io/writing/audio_file.h"
#include "io/tags/pictures.h"
#include "io/tags/tags.h"
#include "io/writing/audio_tags.h"
#include "io/writing/new_file.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

// Of pictures, and twice of what tags can hold, as they are written in two ways.
enum { WAV_TAGS_MOST_BYTES = PICTURES_MOST_BYTES + (8 << 20) };

struct audio_file {
    SNDFILE *sndfile;
    struct new_file file;   // the same open file, to the end
    struct audio_tags tags; // not owned
    bool has_tags;
    bool is_flac;
    uint32_t channels;
    enum audio_file_format format;
    uint64_t clipped_samples;
};

static int container_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot && strcasecmp(dot, ".wav") == 0)
        return SF_FORMAT_WAV;
    if (dot && strcasecmp(dot, ".flac") == 0)
        return SF_FORMAT_FLAC;
    return 0;
}

int audio_file_is_known(const char *path)
{
    return container_of(path) != 0;
}

// A frame's header counts up to 65535 Hz, or tens of them (RFC 9639, 9.1.2): others are outside of the subset that is
// streamed, and libFLAC refuses them at the first write.
static bool is_flac_rate(uint32_t rate_hz)
{
    return rate_hz <= UINT16_MAX || (rate_hz % 10 == 0 && rate_hz / 10 <= UINT16_MAX);
}

static uint32_t bytes_of(enum audio_file_format format)
{
    return format == AUDIO_FILE_S16 ? 2 : format == AUDIO_FILE_S24 ? 3 : 4;
}

// A plain WAV file's header counts bytes by 32 bits, all chunks included.
static bool fits_wav(const struct audio_file_config *config)
{
    const uint64_t most_frames =
        (UINT32_MAX - WAV_TAGS_MOST_BYTES) / (config->channels * bytes_of(config->format));
    return config->frames <= most_frames;
}

const char *audio_file_refusal(const struct audio_file_config *config)
{
    const int container = container_of(config->path);
    if (!container)
        return "the name of an output ends in .wav or .flac";
    if (container == SF_FORMAT_FLAC && config->format == AUDIO_FILE_F32)
        return "FLAC has no float samples";
    if (container == SF_FORMAT_FLAC && !is_flac_rate(config->rate_hz))
        return "FLAC has no such sample rate: above 65535 Hz it has tens of Hz, up to 655350";
    return NULL;
}

static int coding_of(enum audio_file_format format)
{
    switch (format) {
    case AUDIO_FILE_S16:
        return SF_FORMAT_PCM_16;
    case AUDIO_FILE_S24:
        return SF_FORMAT_PCM_24;
    default:
        return SF_FORMAT_FLOAT;
    }
}

static int open_sndfile(struct audio_file *f, int format, uint32_t rate_hz)
{
    SF_INFO info = {.samplerate = (int)rate_hz, .channels = (int)f->channels, .format = format};
    const int fd = sf_format_check(&info) ? dup(f->file.fd) : -1;
    f->sndfile = fd >= 0 ? sf_open_fd(fd, SFM_WRITE, &info, SF_TRUE) : NULL;
    if (!f->sndfile && fd >= 0)
        close(fd);
    if (!f->sndfile)
        return -EINVAL;
    // A chunk of peaks has the time of writing in it: the same samples are to make the same file.
    (void)sf_command(f->sndfile, SFC_SET_ADD_PEAK_CHUNK, NULL,
                     SF_FALSE); // WAV only; else it is refused
    return 0;
}

int audio_file_create(struct audio_file **out, const struct audio_file_config *config)
{
    *out = NULL;
    static const struct tags no_tags;
    static const struct pictures no_pictures;
    int container = container_of(config->path);
    if (audio_file_refusal(config))
        return -EINVAL;
    if (container == SF_FORMAT_WAV && !fits_wav(config))
        container = SF_FORMAT_RF64;
    struct audio_file *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->file.fd = -1;
    f->channels = config->channels;
    f->format = config->format;
    f->tags.tags = config->tags ? config->tags : &no_tags;
    f->tags.pictures = config->pictures ? config->pictures : &no_pictures;
    f->has_tags = f->tags.tags->count || f->tags.pictures->count;
    f->is_flac = container == SF_FORMAT_FLAC;
    int error = new_file_init(&f->file, config->path);
    if (!error)
        error = open_sndfile(f, container | coding_of(config->format), config->rate_hz);
    if (!error && f->has_tags)
        error = f->is_flac ? audio_tags_reserve(f->sndfile, &f->tags)
                           : audio_tags_set(f->sndfile, &f->tags);
    if (error) {
        audio_file_discard(&f);
        return error;
    }
    *out = f;
    return 0;
}

static int write_error(struct audio_file *f)
{
    (void)f;
    return errno == ENOSPC || errno == EDQUOT ? -ENOSPC : -EIO;
}

// libsndfile cuts the low bits of a WAV file's samples off where it rounds those of FLAC.
static int32_t round_to_s24(float sample)
{
    const float scaled = fminf(fmaxf(rintf(sample * 0x1p23F), -0x1p23F), 0x1p23F - 1);
    return (int32_t)scaled * 256; // libsndfile takes the upper bits
}

static int write_s24(struct audio_file *f, const float *samples, uint64_t count)
{
    int32_t words[1024];
    for (uint64_t done = 0; done < count;) {
        uint64_t n = 0;
        for (; n < sizeof(words) / sizeof(words[0]) && done + n < count; ++n) {
            f->clipped_samples += fabsf(samples[done + n]) > 1.0F;
            words[n] = round_to_s24(samples[done + n]);
        }
        if (sf_write_int(f->sndfile, words, (sf_count_t)n) != (sf_count_t)n)
            return write_error(f);
        done += n;
    }
    return 0;
}

int audio_file_write(struct audio_file *f, const float *interleaved, uint32_t frames)
{
    assert(f->format != AUDIO_FILE_S16);
    errno = 0;
    if (f->format == AUDIO_FILE_S24)
        return write_s24(f, interleaved, (uint64_t)frames * f->channels);
    return sf_writef_float(f->sndfile, interleaved, frames) == (sf_count_t)frames ? 0
                                                                                  : write_error(f);
}

int audio_file_write_s16(struct audio_file *f, const int16_t *interleaved, uint32_t frames)
{
    assert(f->format == AUDIO_FILE_S16);
    errno = 0;
    return sf_writef_short(f->sndfile, interleaved, frames) == (sf_count_t)frames ? 0
                                                                                  : write_error(f);
}

uint64_t audio_file_clipped_samples(const struct audio_file *f)
{
    return f->clipped_samples;
}

int audio_file_commit(struct audio_file **file)
{
    struct audio_file *f = *file;
    errno = 0;
    int error = sf_close(f->sndfile) ? write_error(f) : 0;
    f->sndfile = NULL;
    if (!error && f->has_tags)
        error = f->is_flac ? audio_tags_fill(f->file.fd, &f->tags)
                           : audio_tags_append(f->file.fd, &f->tags);
    if (!error)
        error = new_file_publish(&f->file);
    audio_file_discard(file);
    return error;
}

void audio_file_discard(struct audio_file **file)
{
    struct audio_file *f = *file;
    if (!f)
        return;
    if (f->sndfile)
        sf_close(f->sndfile);
    new_file_deinit(&f->file);
    free(f);
    *file = NULL;
}
