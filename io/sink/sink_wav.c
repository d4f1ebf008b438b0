// SPDX-License-Identifier: MIT
#include "io/sink/pump.h"
#include "io/sink/sink_impl.h"
#include "io/writing/wav_header.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A file that takes exactly the frames it is given. Samples are written as they lie in memory.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "WAV files are little-endian");

enum { WAV_PERIOD_FRAMES = 4096 };

struct wav_sink {
    struct sink sink;
    // --- immutable after open
    struct sink_info info;
    struct pump *pump;
    int file;
    bool is_regular; // else there are no sizes to set right in the end
    // --- the pump's thread while it runs, else control
    uint64_t frames;
};

static int write_all(int file, const void *data, size_t bytes)
{
    const char *at = data;
    while (bytes > 0) {
        ssize_t n = write(file, at, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        at += n;
        bytes -= (size_t)n;
    }
    return 0;
}

static int wav_put(void *context, const float *stereo, uint32_t frames)
{
    struct wav_sink *wav = context;
    int error = write_all(wav->file, stereo, (size_t)frames * WAV_FRAME_BYTES);
    if (!error)
        wav->frames += frames;
    return error;
}

/// Write the head over, and cut off what a failed write left of a frame.
static int patch_sizes(struct wav_sink *wav)
{
    uint8_t header[WAV_HEADER_BYTES];
    wav_header_write(header, wav->info.rate_hz, wav->frames);
    if (lseek(wav->file, 0, SEEK_SET) < 0)
        return -errno;
    int error = write_all(wav->file, header, sizeof header);
    off_t end = (off_t)(WAV_HEADER_BYTES + wav->frames * WAV_FRAME_BYTES);
    if (!error && ftruncate(wav->file, end))
        error = -errno;
    return error;
}

static int wav_close(struct sink *sink)
{
    struct wav_sink *wav = (struct wav_sink *)sink;
    pump_stop(wav->pump);
    int error = pump_error(wav->pump);
    pump_destroy(&wav->pump);
    int patch_error = wav->is_regular ? patch_sizes(wav) : 0;
    int close_error = close(wav->file) ? -errno : 0;
    free(wav);
    if (error)
        return error;
    return patch_error ? patch_error : close_error;
}

static int wav_start(struct sink *sink)
{
    return pump_start(((struct wav_sink *)sink)->pump);
}

static int wav_stop(struct sink *sink)
{
    pump_stop(((struct wav_sink *)sink)->pump);
    return 0;
}

static void wav_info(const struct sink *sink, struct sink_info *info)
{
    *info = ((const struct wav_sink *)sink)->info;
}

static enum sink_state wav_state(struct sink *sink)
{
    return pump_state(((struct wav_sink *)sink)->pump);
}

static int wav_error(struct sink *sink)
{
    return pump_error(((struct wav_sink *)sink)->pump);
}

static void wav_wake(struct sink *sink)
{
    pump_wake(((struct wav_sink *)sink)->pump);
}

static uint64_t wav_xruns(const struct sink *sink)
{
    (void)sink; // a file has time
    return 0;
}

static const struct sink_ops wav_ops = {
    .close = wav_close,
    .start = wav_start,
    .stop = wav_stop,
    .info = wav_info,
    .state = wav_state,
    .error = wav_error,
    .wake = wav_wake,
    .xruns = wav_xruns,
};

/// Open, refuse what cannot be a sound file, write a head for 0 frames.
static int open_file(struct wav_sink *wav, const char *path)
{
    // Non-blocking: a pipe without a reader fails instead of waiting. It changes nothing for a file.
    wav->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666);
    if (wav->file < 0)
        return -errno;
    struct stat status;
    if (fstat(wav->file, &status))
        return -errno;
    if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
        return -ESPIPE;
    wav->is_regular = S_ISREG(status.st_mode);
    uint8_t header[WAV_HEADER_BYTES];
    wav_header_write(header, wav->info.rate_hz, 0);
    return write_all(wav->file, header, sizeof header);
}

int sink_wav_open(struct sink **out, const struct sink_config *config, const char *path)
{
    assert(config->rate_hz > 0);
    struct wav_sink *wav = calloc(1, sizeof *wav);
    if (!wav)
        return -ENOMEM;
    wav->sink.ops = &wav_ops;
    wav->info = (struct sink_info){
        .pace = SINK_PATIENT,
        .rate_hz = config->rate_hz,
        .period_frames = config->buffer_frames ? config->buffer_frames : WAV_PERIOD_FRAMES,
    };
    (void)snprintf(wav->info.name, sizeof wav->info.name, "%s", config->device); // cut if too long
    int error = pump_create(&wav->pump, &(struct pump_config){
                                            .pull = config->pull,
                                            .pull_context = config->context,
                                            .put = wav_put,
                                            .put_context = wav,
                                            .period_frames = wav->info.period_frames,
                                            .name = "segue-wav",
                                        });
    wav->file = -1;
    if (!error)
        error = open_file(wav, path);
    if (error) {
        pump_destroy(&wav->pump);
        if (wav->file >= 0)
            close(wav->file);
        free(wav);
        return sink_fail(error, "%s: %s", path, strerror(-error));
    }
    *out = &wav->sink;
    return 0;
}
