// SPDX-License-Identifier: MIT
// Where finished audio goes: PortAudio, a virtual device with a clock of its own, or a WAV file.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

/// Fill `stereo` with `frames` interleaved frames: the audio callback. Runs on the sink's thread and never
/// blocks. On a paced sink it fills all of it (silence where nothing is ready). On a patient one it
/// returns how many frames were ready, 0 .. frames, and the sink asks again after sink_wake().
typedef uint32_t (*sink_pull_fn)(void *context, float *stereo, uint32_t frames);

enum sink_pace {
    SINK_PACED,   // by a clock: late audio is an underrun
    SINK_PATIENT, // takes audio as it is made, waits for it, loses none: files, full speed
};

struct sink_config {
    const char *device; // NULL: default; "null"; "wav:FILE"; NAME or HOSTAPI:NAME of PortAudio
    uint32_t rate_hz;
    uint32_t buffer_frames; // a period; 0: the device's choice
    // of the null device: 1 (or 0) real time, INFINITY as fast as it can; also of hosts without a
    double speed;
    // clock (ALSA's null and file devices), but for INFINITY, which is 1 there
    sink_pull_fn pull;
    void *context;
};

struct sink_info {
    enum sink_pace pace;
    uint32_t rate_hz;
    uint32_t period_frames; // largest number that pull is asked for
    double latency_s;       // of the output, as the host states it
    int realtime_priority; // of the thread that pulls, read back on it; 0: ordinary, or not started yet
    char name[128];        // HOSTAPI:NAME
};

enum sink_state {
    SINK_STOPPED,
    SINK_RUNNING,
    SINK_LOST, // the device or its server is gone, or a file cannot be written: close and open anew
               // (a paced device whose clock stood still for 3 periods and 250 ms counts as gone)
};

/// Thread-safety: control thread only, but sink_wake(), sink_state(),
/// sink_error() and sink_xruns(): any thread.
struct sink;

/// Open, do not start. @return 0; -ENODEV: no such device, or none at all; -EINVAL: rate not supported;
/// -EIO and file errors. On error *out is NULL and sink_error_text() says more.
MUST_CHECK int sink_open(struct sink **out, const struct sink_config *config);
/// Stop, close, set *sink to NULL. NULL is fine. Never hangs: a host that does not let go is abandoned
/// together with its thread. No pull runs after it. A file is complete after it.
/// @return 0, or -errno: the file's last bytes could not be written.
int sink_close(struct sink **sink);
/// Begin to pull. @return 0 or -errno.
MUST_CHECK int sink_start(struct sink *sink);
/// End pulling; what was pulled is played out (as far as the host does). @return 0 or -errno.
int sink_stop(struct sink *sink);
void sink_info(const struct sink *sink, struct sink_info *info);
enum sink_state sink_state(struct sink *sink);
/// Why it is lost: -errno (-ENODEV for a device, -ENOSPC and such for a file); 0 if it is not.
int sink_error(struct sink *sink);
/// Tell a patient sink that more audio may be ready. Cheap where nobody waits; nothing for a paced one.
void sink_wake(struct sink *sink);
/// Gaps that the host reported.
uint64_t sink_xruns(const struct sink *sink);
/// Words for the last failed sink_open() of this thread: "no output device", "rate 192000 is not supported".
const char *sink_error_text(void);

struct sink_device {
    char name[128]; // HOSTAPI:NAME
    uint32_t default_rate_hz;
    double low_latency_s, high_latency_s;
    char rates[96]; // supported standard rates, "44100,48000,96000"
};

/// List output devices; caller frees *devices with free(). @return how many, or -errno.
MUST_CHECK int sink_list_devices(struct sink_device **devices);
