// SPDX-License-Identifier: MIT
#include "io/sink/metronome.h"
#include <assert.h>
#include <math.h>

enum {
    ALLOWANCE_MS = 500, // more than a device and its server buffer
    ALLOWANCE_LATENCIES = 4,
    WATCHED_MS = 10000, // at a time: a clock that is a little fast does not add up
    FORGIVEN_MS = 250,  // later than that, what was missed is not made up for
};

void metronome_init(struct metronome *m, uint32_t rate_hz, double latency_s, double speed)
{
    assert(rate_hz > 0 && speed > 0.0);
    const double allowance_ms = fmax(ALLOWANCE_MS, ALLOWANCE_LATENCIES * latency_s * 1e3);
    *m = (struct metronome){.host_frame_ns = 1e9 / rate_hz,
                            .own_frame_ns = 1e9 / (rate_hz * speed),
                            .allowance_ns = (int64_t)(allowance_ms * 1e6)};
}

static void begin_at(struct metronome *m, int64_t now_ns)
{
    m->has_begun = true;
    m->origin_ns = now_ns;
    m->frames = 0;
}

static int64_t due_ns(const struct metronome *m, double frame_ns)
{
    return m->origin_ns + (int64_t)((double)m->frames * frame_ns);
}

static void watch(struct metronome *m, int64_t now_ns)
{
    const int64_t ahead_ns = due_ns(m, m->host_frame_ns) - now_ns;
    m->is_leading = ahead_ns > m->allowance_ns;
    if (m->is_leading || ahead_ns < 0 || now_ns - m->origin_ns > WATCHED_MS * INT64_C(1000000))
        begin_at(m, now_ns);
}

int64_t metronome_beat(struct metronome *m, int64_t now_ns, uint32_t frames)
{
    if (!m->has_begun)
        begin_at(m, now_ns);
    if (!m->is_leading)
        watch(m, now_ns);
    else if (now_ns - due_ns(m, m->own_frame_ns) > FORGIVEN_MS * INT64_C(1000000))
        begin_at(m, now_ns);
    const int64_t due = m->is_leading ? due_ns(m, m->own_frame_ns) : now_ns;
    m->frames += frames;
    return due;
}
