// SPDX-License-Identifier: MIT
#include "probe.h"
#include "bench.h"
#include <assert.h>
#include <stdatomic.h>

static uint32_t pull(void *context, float *stereo, uint32_t frames)
{
    struct probe *p = context;
    const int64_t begin_ns = bench_wall_ns(), begin_cpu_ns = bench_cpu_ns();
    const uint32_t got = p->pull(p->pull_context, stereo, frames);
    const int64_t end_cpu_ns = bench_cpu_ns(), end_ns = bench_wall_ns();
    const uint64_t first_frame = atomic_load_explicit(&p->frames, memory_order_relaxed);
    if (p->see)
        p->see(p->context, &(struct probe_period){.begin_ns = begin_ns,
                                                  .end_ns = end_ns,
                                                  .cpu_ns = end_cpu_ns - begin_cpu_ns,
                                                  .first_frame = first_frame,
                                                  .wanted_frames = frames,
                                                  .got_frames = got,
                                                  .stereo = stereo});
    atomic_store_explicit(&p->frames, first_frame + got, memory_order_relaxed);
    return got;
}

int probe_open(void *probe, struct sink **out, const struct sink_config *config)
{
    struct probe *p = probe;
    assert(config->pull && "a sink needs something to pull");
    p->pull = config->pull;
    p->pull_context = config->context;
    struct sink_config through = *config;
    through.pull = pull;
    through.context = p;
    return sink_open(out, &through);
}
