// SPDX-License-Identifier: MIT
#include "engine/audio/callback_setup.h"
#include "engine/audio/callback_impl.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int callback_create(struct callback **out, struct ring *ring, uint32_t rate_hz, enum sink_pace pace)
{
    assert(out && ring && rate_hz >= CALLBACK_FADES_PER_S);
    _Static_assert(sizeof(struct callback) % CALLBACK_LINE_BYTES == 0, "aligned_alloc() wants it");
    struct callback *c = aligned_alloc(CALLBACK_LINE_BYTES, sizeof *c);
    *out = c;
    if (!c)
        return -ENOMEM;
    memset(c, 0, sizeof *c); // touches it: the audio thread is never the first to
    c->ring = ring;
    c->is_patient = pace == SINK_PATIENT;
    c->has_sides = ring_sides(ring) == RING_TWO_SIDES;
    c->fade_frames = rate_hz / CALLBACK_FADES_PER_S;
    c->ramp_frames = rate_hz / CALLBACK_RAMPS_PER_S;
    c->cross_frames = (uint32_t)((uint64_t)rate_hz * CALLBACK_CROSS_MS / 1000);
    c->level_frames = (uint32_t)((uint64_t)rate_hz * CALLBACK_LEVEL_MS / 1000);
    c->peak_fall = 3.0f / (float)rate_hz;
    c->epoch = 1;
    c->position.epoch = 1;
    c->gain = 1.0f;
    c->gain_goal = 1.0f;
    blend_jump(&c->blend, (struct blend_gains){.mastered = 1.0f});
    atomic_init(&c->wish, (uint64_t)1 << 32 | CALLBACK_PAUSED);
    atomic_init(&c->wanted_gain, 1.0f);
    atomic_init(&c->wanted_sound, CALLBACK_MASTERED);
    c->is_locked = mlock(c, sizeof *c) == 0; // a limit may forbid it: playback works without
    return 0;
}

void callback_destroy(struct callback **callback)
{
    assert(callback);
    if (*callback && (*callback)->is_locked)
        munlock(*callback, sizeof **callback);
    free(*callback);
    *callback = NULL;
}
