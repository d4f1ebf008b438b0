// SPDX-License-Identifier: MIT
#include "io/audio_file.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct audio_file {
    SNDFILE *sndfile;
    char *path, *temporary;
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

// Beside the target, so that the rename stays in one file system; not made from its name, which may be as
// long as a name can be.
static char *temporary_beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path) + 1 : 0;
    char *name = NULL;
    if (asprintf(&name, "%.*s.segue-XXXXXX", folder, path) < 0)
        return NULL;
    return name;
}

static int open_temporary(struct audio_file *f, int format, uint32_t rate_hz)
{
    const int fd = mkostemp(f->temporary, O_CLOEXEC);
    if (fd < 0) {
        f->temporary[0] = 0;
        return -errno;
    }
    const mode_t mask = umask(0);
    umask(mask);
    if (fchmod(fd, 0666 & ~mask))
        format = 0;
    SF_INFO info = {.samplerate = (int)rate_hz, .channels = (int)f->channels, .format = format};
    f->sndfile =
        format && sf_format_check(&info) ? sf_open_fd(fd, SFM_WRITE, &info, SF_TRUE) : NULL;
    if (f->sndfile)
        return 0;
    close(fd);
    return -EINVAL;
}

int audio_file_create(struct audio_file **out, const struct audio_file_config *config)
{
    *out = NULL;
    const int container = container_of(config->path);
    if (!container)
        return -EINVAL;
    struct audio_file *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->channels = config->channels;
    f->format = config->format;
    f->path = strdup(config->path);
    f->temporary = temporary_beside(config->path);
    int error = -ENOMEM;
    if (f->path && f->temporary)
        error = open_temporary(f, container | coding_of(config->format), config->rate_hz);
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
    if (!error && rename(f->temporary, f->path))
        error = -errno;
    if (!error)
        f->temporary[0] = 0;
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
    if (f->temporary && f->temporary[0])
        unlink(f->temporary);
    free(f->temporary);
    free(f->path);
    free(f);
    *file = NULL;
}
