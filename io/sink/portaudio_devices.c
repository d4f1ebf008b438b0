// SPDX-License-Identifier: MIT
#include "io/sink/portaudio_devices.h"
#include "dsp/mutex.h"
#include "io/sink/sink_impl.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

// PortAudio's state is global to the process, and so is its lock. Leaf: nothing else is locked under it.
static struct mutex portaudio_lock = {PTHREAD_MUTEX_INITIALIZER};
static int saved_stderr = -1; // protected by the lock

static const uint32_t standard_rates_hz[] = {8000,  11025, 16000, 22050,  32000,  44100,
                                             48000, 88200, 96000, 176400, 192000, 384000};

/// ALSA and JACK print a hundred lines about configurations that are none of ours.
static void silence_stderr(void)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0)
        return;
    saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (saved_stderr >= 0)
        dup2(nowhere, STDERR_FILENO);
    close(nowhere);
}

static void restore_stderr(void)
{
    if (saved_stderr < 0)
        return;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    saved_stderr = -1;
}

void portaudio_enter(void) NO_TS_CHECK
{
    mutex_lock(&portaudio_lock);
    silence_stderr();
}

void portaudio_leave(void) NO_TS_CHECK
{
    restore_stderr();
    mutex_unlock(&portaudio_lock);
}

int portaudio_begin(void)
{
    // To look for a JACK server must not start one.
    if (setenv("JACK_NO_START_SERVER", "1", 0))
        return -ENOMEM;
    PaError error = Pa_Initialize();
    return error == paNoError ? 0 : sink_fail(-EIO, "PortAudio: %s", Pa_GetErrorText(error));
}

void portaudio_finish(void)
{
    PaError error = Pa_Terminate();
    assert(error == paNoError); // as many ends as beginnings
    (void)error;
}

static const char *host_name(const PaDeviceInfo *device)
{
    const PaHostApiInfo *host = Pa_GetHostApiInfo(device->hostApi);
    switch (host->type) {
    case paALSA:
        return "alsa";
    case paJACK:
        return "jack";
    case paOSS:
        return "oss";
    default:
        return host->name;
    }
}

/// @return the device's description if it can play stereo, else NULL.
static const PaDeviceInfo *output_device(PaDeviceIndex index)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(index);
    return info && info->maxOutputChannels >= 2 ? info : NULL;
}

void portaudio_name(PaDeviceIndex device, char name[static 128])
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(device);
    assert(info);
    (void)snprintf(name, 128, "%s:%s", host_name(info), info->name); // cut if too long
}

/// @return whether `wanted` is HOSTAPI:NAME of the device.
static bool is_full_name(const PaDeviceInfo *info, const char *wanted)
{
    const char *host = host_name(info);
    size_t length = strlen(host);
    return strncasecmp(wanted, host, length) == 0 && wanted[length] == ':' &&
           strcmp(wanted + length + 1, info->name) == 0;
}

int portaudio_find(const char *wanted, PaDeviceIndex *found)
{
    *found = wanted ? paNoDevice : Pa_GetDefaultOutputDevice();
    int matches = *found != paNoDevice;
    for (PaDeviceIndex i = 0; wanted && i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = output_device(i);
        if (!info)
            continue;
        if (is_full_name(info, wanted)) {
            *found = i;
            return 0;
        }
        if (strcmp(info->name, wanted) == 0) {
            *found = i;
            matches++;
        }
    }
    if (matches == 1)
        return 0;
    if (matches > 1)
        return sink_fail(-ENODEV, "%s is the name of more than one device", wanted);
    if (wanted)
        return sink_fail(-ENODEV, "no output device called %s", wanted);
    return sink_fail(-ENODEV, "no output device");
}

static void list_rates(PaDeviceIndex index, const PaDeviceInfo *info, char rates[static 96])
{
    PaStreamParameters output = {
        .device = index,
        .channelCount = 2,
        .sampleFormat = paFloat32,
        .suggestedLatency = info->defaultHighOutputLatency,
    };
    size_t length = 0;
    for (size_t i = 0; i < sizeof standard_rates_hz / sizeof *standard_rates_hz; i++) {
        if (Pa_IsFormatSupported(NULL, &output, standard_rates_hz[i]) != paFormatIsSupported)
            continue;
        int n =
            snprintf(rates + length, 96 - length, "%s%u", length ? "," : "", standard_rates_hz[i]);
        length += (size_t)n;
        assert(n > 0 && length < 96); // all of them take 75 characters
    }
}

static void describe(PaDeviceIndex index, const PaDeviceInfo *info, struct sink_device *device)
{
    portaudio_name(index, device->name);
    device->default_rate_hz = (uint32_t)info->defaultSampleRate;
    device->low_latency_s = info->defaultLowOutputLatency;
    device->high_latency_s = info->defaultHighOutputLatency;
    list_rates(index, info, device->rates);
}

int sink_list_devices(struct sink_device **devices)
{
    assert(devices);
    *devices = NULL;
    portaudio_enter();
    int error = portaudio_begin();
    if (error) {
        portaudio_leave();
        return error;
    }
    PaDeviceIndex total = Pa_GetDeviceCount();
    int n = 0;
    *devices = calloc(total > 0 ? (size_t)total : 1, sizeof **devices);
    for (PaDeviceIndex i = 0; *devices && i < total; i++) {
        const PaDeviceInfo *info = output_device(i);
        if (info)
            describe(i, info, &(*devices)[n++]);
    }
    portaudio_finish();
    portaudio_leave();
    return *devices ? n : -ENOMEM;
}
