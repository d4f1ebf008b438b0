// SPDX-License-Identifier: MIT
#include "engine/master.h"
#include "dsp/history.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct master {
    // --- immutable after create
    struct chain *chain;
    uint32_t ramp_frames, delay_frames;
    // --- state
    struct history plain; // float stereo frames of input
    uint32_t plain_share; // of the ramp, 0: all mastered, ramp_frames: all plain
    enum master_way way;
};

int master_create(struct master **out, uint32_t rate_hz)
{
    *out = NULL;
    struct master *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    int error = chain_create(&m->chain, rate_hz);
    if (!error) {
        m->delay_frames = chain_delay_frames(m->chain);
        m->ramp_frames = rate_hz * MASTER_RAMP_MS / 1000;
        error = history_init(&m->plain, 2 * sizeof(float), m->delay_frames);
    }
    if (error)
        master_destroy(&m);
    *out = m;
    return error;
}

void master_destroy(struct master **master)
{
    if (!*master)
        return;
    chain_destroy(&(*master)->chain);
    history_deinit(&(*master)->plain);
    free(*master);
    *master = NULL;
}

void master_reset(struct master *m, const struct mastering_targets *targets)
{
    const float silence[2] = {0};
    chain_reset(m->chain, targets);
    history_fill(&m->plain, silence);
}

struct chain *master_chain(struct master *m)
{
    return m->chain;
}

void master_set_way(struct master *m, enum master_way way)
{
    m->way = way;
    m->plain_share = way == MASTER_PAST_CHAIN ? m->ramp_frames : 0;
}

void master_change_way(struct master *m, enum master_way way)
{
    m->way = way;
}

// Without corners at either end, which would be heard beside a tone.
static float share(const struct master *m)
{
    const double t = (double)m->plain_share / m->ramp_frames;
    return (float)(t * t * t * (10.0 + t * (6.0 * t - 15.0)));
}

static void mix(struct master *m, float *mastered, const float *plain, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; ++i) {
        if (m->way == MASTER_PAST_CHAIN && m->plain_share < m->ramp_frames)
            ++m->plain_share;
        else if (m->way == MASTER_THROUGH_CHAIN && m->plain_share > 0)
            --m->plain_share;
        const float s = share(m);
        for (uint32_t side = 2 * i; side < 2 * i + 2; ++side)
            mastered[side] += s * (plain[side] - mastered[side]);
    }
}

// @return whether all of the piece is of one way already.
static int is_settled(const struct master *m)
{
    return m->plain_share == (m->way == MASTER_PAST_CHAIN ? m->ramp_frames : 0);
}

static void process_piece(struct master *m, float *stereo, uint32_t frames)
{
    float *newest = history_grow(&m->plain, frames);
    memcpy(newest, stereo, frames * 2 * sizeof(float));
    const float *plain = newest - 2 * (size_t)m->delay_frames;
    chain_process(m->chain, stereo, frames);
    if (!is_settled(m)) {
        const uint32_t left =
            m->way == MASTER_PAST_CHAIN ? m->ramp_frames - m->plain_share : m->plain_share;
        const uint32_t n = frames < left ? frames : left;
        mix(m, stereo, plain, n);
        stereo += 2 * n;
        plain += 2 * n;
        frames -= n;
    }
    if (m->way == MASTER_PAST_CHAIN)
        memcpy(stereo, plain, frames * 2 * sizeof(float));
}

void master_process(struct master *m, float *stereo, uint32_t frames)
{
    while (frames > 0) {
        const uint32_t piece = frames < HISTORY_PIECE ? frames : HISTORY_PIECE;
        process_piece(m, stereo, piece);
        stereo += 2 * piece;
        frames -= piece;
    }
}
