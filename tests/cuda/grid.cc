// SPDX-License-Identifier: MIT
// Compiled without ThreadSanitizer: its races are the kernels', not those of this bookkeeping. For the
// same reason there are plain arrays and loops here; the library's functions are watched.
#include "cuda/grid.h"
#include "cuda/fiber.h"
#include "cuda/grid_control.h"
#include <cmath>
#include <cstdio>

#ifndef CUDA_GRID_SANITIZED
extern "C" char __start_cuda_shared[] __attribute__((weak));
extern "C" char __stop_cuda_shared[] __attribute__((weak));
#endif

namespace cuda_grid
{

position here;

namespace
{

constexpr uint32_t THREADS_MAX = 1024, WARP = 32, WARPS_MAX = THREADS_MAX / WARP;
constexpr int LAUNCH_FAILURE = 719, INVALID_CONFIGURATION = 9;

enum class state { ready, at_barrier, in_warp, done };

struct thread {
    fiber stack;
    uint3 index;
    state at;
    int line;               // of the call it waits in
    warp_action action;     // it waits in
    uint32_t mask, source;  // of that
    uint64_t value, result; // of that
};

struct {
    thread threads[THREADS_MAX];
    uint32_t ready[THREADS_MAX]; // a stack of those that may run
    uint32_t ready_count, thread_count, live, at_barrier, first_at_barrier;
    uint32_t current;
    const launch_request *request;
    bool failed;
    char report[256];
    uint32_t order;
    uint64_t random_state;
    uint64_t threads_run;
    submit_fn submit;
    // Objects of ThreadSanitizer's. The start and the end of a block need one each: with one for both
    // the first thread to end would hide the races of the next. Barriers alternate between two.
    char block_start, block_end, barrier[2], meeting[WARPS_MAX][2];
    unsigned barrier_phase, meeting_phase[WARPS_MAX];
    uint32_t lanes_alive[WARPS_MAX], lanes_waiting[WARPS_MAX];
} grid;

uint32_t random_below(uint32_t limit)
{
    grid.random_state = grid.random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((grid.random_state >> 33) % limit);
}

thread &self()
{
    return grid.threads[grid.current];
}

void fail(const char *format, const thread &a, int line, const thread *b)
{
    if (grid.failed)
        return;
    grid.failed = true;
    const uint3 other = b ? b->index : uint3{};
    snprintf(grid.report, sizeof grid.report, format, grid.request->kernel, a.index.x, a.index.y,
             a.index.z, line, other.x, other.y, other.z, b ? b->line : 0);
}

// --- Which thread is next

void make_ready(uint32_t index)
{
    grid.threads[index].at = state::ready;
    grid.ready[grid.ready_count++] = index;
}

// The stack is popped from its end, so those that are to run first are pushed last.
template <typename Predicate> void make_all_ready(uint32_t first, uint32_t end, Predicate is_meant)
{
    const bool ascending = grid.order == GRID_ASCENDING;
    for (uint32_t i = 0; i < end - first; ++i) {
        const uint32_t index = ascending ? end - 1 - i : first + i;
        if (is_meant(grid.threads[index]))
            make_ready(index);
    }
}

uint32_t take_ready()
{
    const uint32_t last = grid.ready_count - 1;
    if (grid.order > GRID_DESCENDING) {
        const uint32_t chosen = random_below(grid.ready_count);
        const uint32_t index = grid.ready[chosen];
        grid.ready[chosen] = grid.ready[last];
        grid.ready[last] = index;
    }
    grid.ready_count = last;
    return grid.ready[last];
}

// --- Meeting places

// A barrier counts the threads that are still alive, as the hardware's does.
void open_barrier_if_full()
{
    if (grid.at_barrier == 0 || grid.at_barrier < grid.live)
        return;
    grid.at_barrier = 0;
    ++grid.barrier_phase;
    make_all_ready(0, grid.thread_count, [](const thread &t) { return t.at == state::at_barrier; });
}

uint32_t warp_end(uint32_t first)
{
    return first + WARP < grid.thread_count ? first + WARP : grid.thread_count;
}

// The last lane to come works out every lane's result: who leaves first may already be in the next
// meeting, or gone.
void open_meeting(uint32_t first, uint32_t mask)
{
    const uint32_t end = warp_end(first);
    uint32_t arrived = 0, ballot = 0;
    for (uint32_t i = first; i < end; ++i) {
        const thread &t = grid.threads[i];
        if (t.at == state::in_warp && t.mask == mask) {
            arrived |= 1U << (i - first);
            ballot |= (uint32_t)(t.value != 0) << (i - first);
        }
    }
    if (arrived != (mask & grid.lanes_alive[first / WARP]))
        return; // some lanes wait with another mask
    for (uint32_t i = first; i < end; ++i) {
        thread &t = grid.threads[i];
        if (!(arrived >> (i - first) & 1))
            continue;
        if (t.action == warp_action::shuffle && !(arrived >> t.source & 1))
            fail("%s: thread (%u,%u,%u) line %d reads a lane that takes no part", t, t.line,
                 nullptr);
        t.result = t.action == warp_action::ballot ? ballot : grid.threads[first + t.source].value;
    }
    ++grid.meeting_phase[first / WARP];
    grid.lanes_waiting[first / WARP] &= ~arrived;
    make_all_ready(first, end,
                   [mask](const thread &t) { return t.at == state::in_warp && t.mask == mask; });
}

void open_meeting_if_full(uint32_t first, uint32_t mask)
{
    const uint32_t warp = first / WARP, expected = mask & grid.lanes_alive[warp];
    if (expected && (grid.lanes_waiting[warp] & expected) == expected)
        open_meeting(first, mask);
}

// Others of the warp may have waited for a thread that ends.
void thread_main()
{
    fiber_acquire(&grid.block_start);
    grid.request->body();
    fiber_release(&grid.block_end);
    self().at = state::done;
    --grid.live;
    open_barrier_if_full();
    const uint32_t first = grid.current / WARP * WARP;
    grid.lanes_alive[first / WARP] &= ~(1U << grid.current % WARP);
    for (uint32_t i = first; i < warp_end(first) && grid.lanes_waiting[first / WARP]; ++i)
        if (grid.threads[i].at == state::in_warp)
            open_meeting_if_full(first, grid.threads[i].mask);
}

// --- Blocks

void fill_shared_memory()
{
#ifndef CUDA_GRID_SANITIZED
    const float nan = NAN;
    volatile char *at = __start_cuda_shared;
    for (size_t i = 0;
         __start_cuda_shared && i < (size_t)(__stop_cuda_shared - __start_cuda_shared); ++i)
        at[i] = reinterpret_cast<const char *>(&nan)[i % sizeof nan];
#endif
}

void prepare_threads(dim3 size)
{
    grid.thread_count = grid.live = size.x * size.y * size.z;
    grid.ready_count = grid.at_barrier = 0;
    for (uint32_t i = 0; i < grid.thread_count; ++i) {
        thread &t = grid.threads[i];
        t.index = {i % size.x, i / size.x % size.y, i / size.x / size.y};
        t.stack.prepare(thread_main);
        if (i % WARP == 0)
            grid.lanes_alive[i / WARP] = grid.lanes_waiting[i / WARP] = 0;
        grid.lanes_alive[i / WARP] |= 1U << i % WARP;
    }
    make_all_ready(0, grid.thread_count, [](const thread &) { return true; });
}

void report_deadlock()
{
    const thread *in_warp = nullptr, *at_barrier = nullptr;
    for (uint32_t i = 0; i < grid.thread_count; ++i) {
        const thread &t = grid.threads[i];
        if (t.at == state::in_warp && !in_warp)
            in_warp = &t;
        if (t.at == state::at_barrier && !at_barrier)
            at_barrier = &t;
    }
    const thread *first = in_warp ? in_warp : at_barrier;
    fail("%s: deadlock: thread (%u,%u,%u) waits for its warp at line %d, "
         "(%u,%u,%u) at line %d",
         *first, first->line, at_barrier ? at_barrier : first);
}

void run_block(uint3 block)
{
    here.block = block;
    fill_shared_memory();
    prepare_threads(grid.request->block);
    fiber_release(&grid.block_start);
    while (grid.live > 0 && !grid.failed) {
        if (grid.ready_count == 0) {
            report_deadlock();
            break;
        }
        grid.current = take_ready();
        here.thread = self().index;
        self().stack.resume();
    }
    fiber_acquire(&grid.block_end);
    grid.threads_run += grid.thread_count;
}

} // namespace

int run(const launch_request &request)
{
    const uint64_t blocks = (uint64_t)request.grid.x * request.grid.y * request.grid.z;
    const uint64_t threads = (uint64_t)request.block.x * request.block.y * request.block.z;
    if (blocks == 0 || threads == 0 || threads > THREADS_MAX)
        return INVALID_CONFIGURATION;
    grid.request = &request;
    grid.failed = false;
    here.grid_size = request.grid;
    here.block_size = request.block;
    const uint64_t rotation = grid.order > GRID_DESCENDING ? random_below((uint32_t)blocks) : 0;
    for (uint64_t i = 0; i < blocks && !grid.failed; ++i) {
        const uint64_t k = grid.order == GRID_DESCENDING ? blocks - 1 - i : (i + rotation) % blocks;
        run_block({(uint32_t)(k % request.grid.x), (uint32_t)(k / request.grid.x % request.grid.y),
                   (uint32_t)(k / request.grid.x / request.grid.y)});
    }
    return grid.failed ? LAUNCH_FAILURE : 0;
}

void set_submit(submit_fn submit)
{
    grid.submit = submit;
}

int submit(void *stream, const launch_request &request)
{
    return grid.submit ? grid.submit(stream, request) : run(request);
}

// A thread that is abandoned here, in a grid that failed, has still done what it did before the end.
static void wait_to_be_resumed()
{
    fiber_release(&grid.block_end);
    self().stack.leave();
}

uint32_t lane()
{
    return grid.current % WARP;
}

void pause()
{
    make_ready(grid.current);
    wait_to_be_resumed();
}

void meet_in_block(int line)
{
    if (grid.at_barrier == 0)
        grid.first_at_barrier = grid.current;
    const thread &first = grid.threads[grid.first_at_barrier];
    if (grid.at_barrier > 0 && first.line != line)
        fail(
            "%s: divergent __syncthreads: thread (%u,%u,%u) at line %d, (%u,%u,%u) waits at line %d",
            self(), line, &first);
    char *object = &grid.barrier[grid.barrier_phase % 2];
    fiber_release(object);
    self().line = line;
    ++grid.at_barrier;
    self().at = state::at_barrier;
    open_barrier_if_full();
    wait_to_be_resumed();
    fiber_acquire(object);
}

uint64_t meet_in_warp(warp_action action, uint32_t mask, uint64_t value, uint32_t source, int line)
{
    thread &t = self();
    const uint32_t first = grid.current / WARP * WARP;
    if (!(mask >> lane() & 1))
        fail("%s: thread (%u,%u,%u) at line %d is not in its own mask", t, line, nullptr);
    uint32_t &waiting = grid.lanes_waiting[first / WARP];
    if (waiting & mask) {
        const thread &other = grid.threads[first + (uint32_t)__builtin_ctz(waiting & mask)];
        if (other.mask == mask && other.line != line)
            fail("%s: divergent warp: thread (%u,%u,%u) at line %d, (%u,%u,%u) waits at line %d", t,
                 line, &other);
    }
    t.action = action;
    t.mask = mask;
    t.value = value;
    t.source = source;
    t.line = line;
    t.at = state::in_warp;
    waiting |= 1U << lane();
    char *object = &grid.meeting[first / WARP][grid.meeting_phase[first / WARP] % 2];
    if (action == warp_action::sync)
        fiber_release(object); // shuffles and votes order no memory accesses
    open_meeting_if_full(first, mask);
    wait_to_be_resumed();
    if (action == warp_action::sync)
        fiber_acquire(object);
    return t.result;
}

} // namespace cuda_grid

void cuda_grid_set_order(uint32_t order)
{
    cuda_grid::grid.order = order;
    cuda_grid::grid.random_state = order;
}

const char *cuda_grid_report(void)
{
    return cuda_grid::grid.report;
}

uint64_t cuda_grid_threads_run(void)
{
    return cuda_grid::grid.threads_run;
}
