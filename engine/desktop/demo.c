// SPDX-License-Identifier: MIT
#include "engine/desktop/demo.h"
#include "engine/desktop/demo_score.h"
#include "engine/desktop/demo_synth.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sndfile.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_length(int length, size_t size)
{
    return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

int demo_folder(char *folder, size_t size)
{
    assert(folder);
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && cache[0] == '/')
        return check_length(snprintf(folder, size, "%s/segue/demo-1", cache), size);
    if (!home || home[0] != '/')
        return -ENOENT;
    return check_length(snprintf(folder, size, "%s/.cache/segue/demo-1", home), size);
}

int demo_path(char *path, size_t size, const char *folder, unsigned index)
{
    assert(path && folder && index < DEMO_PIECES);
    return check_length(snprintf(path, size, "%s/%s", folder, demo_scores[index].name), size);
}

// Make a folder and those above it.
static int make_folders(const char *folder)
{
    char path[PATH_MAX];
    const int error = check_length(snprintf(path, sizeof path, "%s", folder), sizeof path);
    if (error)
        return error;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0700) && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int sndfile_format(const struct demo_score *score)
{
    const int container = strstr(score->name, ".flac") ? SF_FORMAT_FLAC : SF_FORMAT_WAV;
    return container | (score->depth_bits == 24 ? SF_FORMAT_PCM_24 : SF_FORMAT_PCM_16);
}

// Write all of a piece to `fd`, which stays open.
static int write_piece(int fd, const struct demo_score *score, const float *stereo, int64_t frames)
{
    SF_INFO info = {
        .samplerate = (int)score->rate_hz, .channels = 2, .format = sndfile_format(score)};
    SNDFILE *file = sf_open_fd(fd, SFM_WRITE, &info, SF_FALSE);
    if (!file)
        return -EIO;
    // Without a title a piece is as good: neither container refuses these two.
    (void)sf_set_string(file, SF_STR_TITLE, score->title);
    (void)sf_set_string(file, SF_STR_ARTIST, "Segue");
    const sf_count_t written = sf_writef_float(file, stereo, frames);
    const int failed = sf_close(file);
    return written != frames || failed ? -EIO : 0;
}

// Into a temporary file beside it, then under its name: another process never sees half a piece.
static int save_piece(const char *path, const struct demo_score *score, const float *stereo,
                      int64_t frames)
{
    char temporary[PATH_MAX];
    int error =
        check_length(snprintf(temporary, sizeof temporary, "%s.XXXXXX", path), sizeof temporary);
    if (error)
        return error;
    const int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    error = write_piece(fd, score, stereo, frames);
    if (close(fd) && !error)
        error = -errno;
    if (!error && rename(temporary, path))
        error = -errno;
    if (error)
        (void)unlink(temporary); // the first error is the one to tell
    return error;
}

static int make_piece(const char *folder, unsigned index)
{
    char path[PATH_MAX];
    struct stat info;
    const int error = demo_path(path, sizeof path, folder, index);
    if (error)
        return error;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
        return 0;
    float *stereo;
    const int64_t frames = demo_synth_play(&stereo, &demo_scores[index]);
    if (frames < 0)
        return (int)frames;
    const int result = save_piece(path, &demo_scores[index], stereo, frames);
    free(stereo);
    return result;
}

int demo_make(const char *folder)
{
    assert(folder && folder[0]);
    int error = make_folders(folder);
    for (unsigned i = 0; i < DEMO_PIECES && !error; ++i)
        error = make_piece(folder, i);
    return error;
}
