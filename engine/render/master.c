// SPDX-License-Identifier: MIT
#include "engine/render/master.h"
#include "dsp/history.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct master {
    // --- immutable after create
    struct chain *chain;
    uint32_t delay_frames;
    // --- state
    struct history plain; // float stereo frames of input
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

static void process_piece(struct master *m, float *stereo, float *plain, uint32_t frames)
{
    float *newest = history_grow(&m->plain, frames);
    memcpy(newest, stereo, frames * 2 * sizeof(float));
    if (plain)
        memcpy(plain, newest - 2 * (size_t)m->delay_frames, frames * 2 * sizeof(float));
    chain_process(m->chain, stereo, frames);
}

void master_process(struct master *m, float *stereo, float *plain, uint32_t frames)
{
    while (frames > 0) {
        const uint32_t piece = frames < HISTORY_PIECE ? frames : HISTORY_PIECE;
        process_piece(m, stereo, plain, piece);
        stereo += 2 * (size_t)piece;
        plain = plain ? plain + 2 * (size_t)piece : NULL;
        frames -= piece;
    }
}
