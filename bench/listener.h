// SPDX-License-Identifier: MIT
// An ear at the device: hears when a command takes effect, in tracks whose samples say who and where they are.
#pragma once
#include "dsp/annotate.h"
#include "probe.h"
#include "stats.h"
#include <stdbool.h>
#include <stdint.h>

enum { LISTENER_TRACKS = 2 };

/// Left samples of a track are all its level, right ones its frame number in units of 2^-16.
extern const float listener_levels[LISTENER_TRACKS];
/// Write such a track to `path`. @return 0 or -errno.
MUST_CHECK int listener_write_track(const char *path, unsigned track, uint32_t rate_hz,
                                    uint64_t frames);

/// Write one that is a wave, of a low and a high tone, which mastering does not leave in their proportion.
MUST_CHECK int listener_write_wave(const char *path, uint32_t rate_hz, uint64_t frames);

/// What is waited for.
enum listener_event {
    LISTENER_SOUND,    // anything but silence
    LISTENER_SILENCE,  // a silent frame
    LISTENER_TRACK,    // a frame of track `value` at unity
    LISTENER_POSITION, // one of any track at unity, at frame `value` or up to half a second after it
    LISTENER_LEVEL,    // left at `level`, reached
    LISTENER_WAVE,     // left another wave than before, and the same again for a period of it
};

/// Of a track that is the same again every so many frames.
enum { LISTENER_WAVE_FRAMES = 100 };

struct listener_heard {
    int64_t changed_ns, reached_ns; // when a device without any buffer plays these frames
    uint64_t changed_frame;         // the first that did not go on from the one before
    uint64_t reached_frame;         // the first of the event
};

/// Plain data. The sink's thread owns it, but for the watch.
struct listener {
    // --- immutable after init
    uint32_t rate_hz;
    // --- sink's thread; read by others when it has stopped
    struct stats wall_us, cpu_us;
    struct stats begin_ns, begin_frame; // of each callback
    float last[2];
    float wave[LISTENER_WAVE_FRAMES]; // the last left samples
    uint32_t same_frames;             // that were what they were a period of it before
    uint64_t joins, gap_frames;       // changes of track, and frames between the tracks
    uint64_t between;                 // silent frames since the last one of a track's end
    unsigned last_track;              // 1 + its number; 0: none
    // --- the watch: set by control before `armed` is stored, read by the sink's thread after it loaded it
    enum listener_event event;
    uint64_t value;
    float level;
    bool has_changed;
    struct listener_heard heard; // written by the sink's thread before it clears `armed`
    // --- atomic: set by control (release), cleared by the sink's thread (release), read by both (acquire)
    _Atomic int armed;
};

/// Room for `callbacks`. @return 0; -ENOMEM.
MUST_CHECK int listener_init(struct listener *listener, uint32_t rate_hz, size_t callbacks);
void listener_deinit(struct listener *listener);
/// For struct probe.
void listener_see(void *context, const struct probe_period *period);
/// Begin to wait for an event; none is waited for.
void listener_expect(struct listener *listener, enum listener_event event, uint64_t value,
                     float level);
/// @return true once it has happened: then *heard is filled.
bool listener_has_heard(const struct listener *listener, struct listener_heard *heard);
/// Lateness of each callback against the schedule that the earliest one sets, in microseconds, into `out`.
void listener_lateness(const struct listener *listener, struct stats *out);
