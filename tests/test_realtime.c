// SPDX-License-Identifier: MIT
// What the audio callback may not do, and does not: block, allocate, call the system.
#include "engine/audio/callback_setup.h"
#include "io/sink/virtual_device.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
// cmocka.h wants those above it
#include <cmocka.h>

// RealtimeSanitizer's runtime, where it is linked: it reports whatever may block between these two.
__attribute__((weak)) void __rtsan_realtime_enter(void);
__attribute__((weak)) void __rtsan_realtime_exit(void);

#ifdef __SANITIZE_THREAD__
enum { CALLBACKS = 100000 }; // it finds nothing in one thread, and slowly
#else
enum { CALLBACKS = 1000000 };
#endif
enum { PERIOD_FRAMES = 64, RING_BLOCKS = 8 };

/// A player in one thread: before each callback the ring is fed, and now and then the user interferes.
struct player {
    struct ring *ring;
    struct callback *callback;
    struct virtual_device *device;
    uint32_t epoch, track;
    uint64_t frame;
    uint64_t seeks, tracks, starvations;
    bool allocates, calls_system; // faults to plant into the callback
};

static uint32_t guarded_pull(void *context, float *stereo, uint32_t frames)
{
    struct player *p = context;
    if (__rtsan_realtime_enter)
        __rtsan_realtime_enter();
    uint32_t n = callback_run(p->callback, stereo, frames);
    if (p->allocates) {
        void *volatile planted =
            malloc(n); // volatile: an optimiser leaves out what is freed unused
        free(planted);
    }
    if (p->calls_system)
        (void)syscall(SYS_getppid);
    if (__rtsan_realtime_exit)
        __rtsan_realtime_exit();
    return n;
}

static void set_up_player(struct player *p)
{
    *p = (struct player){.epoch = 1, .track = 1};
    assert_int_equal(ring_create(&p->ring, RING_BLOCKS, RING_TWO_SIDES), 0);
    assert_int_equal(callback_create(&p->callback, p->ring, 44100, SINK_PACED), 0);
    const struct virtual_device_config config = {
        .rate_hz = 44100,
        .period_frames = PERIOD_FRAMES,
        .jitter_ns = 100000,
        .pull = guarded_pull,
        .context = p,
    };
    assert_int_equal(virtual_device_create(&p->device, &config), 0);
    callback_set_mode(p->callback, CALLBACK_PLAYING);
}

static void tear_down_player(struct player *p)
{
    virtual_device_destroy(&p->device);
    callback_destroy(&p->callback);
    ring_destroy(&p->ring);
}

static void feed(struct player *p)
{
    struct ring_block *block;
    while ((block = ring_reserve(p->ring))) {
        bool is_last = p->frame >= 20 * RING_BLOCK_FRAMES;
        block->epoch = p->epoch;
        block->track = p->track;
        block->first_frame = p->frame;
        block->frames = RING_BLOCK_FRAMES - p->track % 7;
        block->flags = (is_last ? RING_TRACK_END : 0) | (p->frame == 0 ? RING_AFTER_GAP : 0);
        if (p->track % 50 == 0 && is_last)
            block->flags |= RING_QUEUE_END;
        block->mastered_gain = 0.5f + 0.1f * (float)(p->track % 3);
        block->plain_gain = 0.9f;
        for (uint32_t i = 0; i < 2 * block->frames; i++) {
            block->samples[i] = (float)(i % 100) * 1e-40f; // denormal
            ring_plain(block)[i] = (float)(i % 99) * 1e-40f;
        }
        p->frame = is_last ? 0 : p->frame + block->frames;
        p->track += is_last;
        p->tracks += is_last;
        ring_commit(p->ring);
    }
}

/// Seeks, pauses, volume, comparisons and starvation, each at a beat of its own.
static void play(struct player *p, uint32_t callbacks)
{
    for (uint32_t i = 1; i <= callbacks; i++) {
        if (i % 997 == 0) {
            callback_set_epoch(p->callback, ++p->epoch);
            p->frame = 0;
            p->seeks++;
        }
        if (i % 1499 == 0)
            callback_set_mode(p->callback, CALLBACK_PAUSED);
        if (i % 1499 == 20)
            callback_set_mode(p->callback, CALLBACK_PLAYING);
        if (i % 211 == 0)
            callback_set_gain(p->callback, (float)(i % 5) / 4.0f);
        if (i % 173 == 0)
            callback_set_sound(p->callback, (enum callback_sound)(i / 173 % 3));
        if (i % 3001 < 2900)
            feed(p);
        else
            p->starvations++;
        if (virtual_device_step(p->device, NULL))
            return;
    }
}

static void callback_does_nothing_that_may_block_in_a_million_calls(void **state)
{
    (void)state;
    if (!__rtsan_realtime_enter)
        print_message("RealtimeSanitizer's runtime is not linked: calls are made, not watched\n");
    struct player player;
    set_up_player(&player);
    play(&player, CALLBACKS); // a violation ends the process

    struct callback_counters counters;
    callback_counters(player.callback, &counters);
    assert_int_equal(counters.callbacks, CALLBACKS);
    assert_true(counters.underruns > CALLBACKS / 10000);
    assert_true(counters.stale_blocks > CALLBACKS / 1000);
    assert_true(player.seeks >= CALLBACKS / 1000);
    assert_true(player.tracks > CALLBACKS / 1000);
    tear_down_player(&player);
}

/// @return the child's wait status. What it says goes nowhere.
static int run_child(void (*body)(void *context), void *context)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(9);
        body(context);
        syscall(SYS_exit_group, 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void play_a_little(void *context)
{
    play(context, 100);
}

static void sanitizer_catches_a_planted_allocation(void **state)
{
    (void)state;
    if (!__rtsan_realtime_enter)
        skip();
    struct player player;
    set_up_player(&player);
    assert_int_equal(run_child(play_a_little, &player), 0);
    player.allocates = true;
    int status = run_child(play_a_little, &player);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    tear_down_player(&player);
}

/// From here on any system call but the end ends the process with SIGSYS.
static void forbid_system_calls(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog filter = {.len = sizeof rules / sizeof *rules, .filter = rules};
    const struct rlimit no_core = {0};
    if (setrlimit(RLIMIT_CORE, &no_core) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        _exit(8);
}

static void play_without_system_calls(void *context)
{
    forbid_system_calls();
    play(context, 200000);
}

static void callback_makes_no_system_call(void **state)
{
    (void)state;
    struct player player;
    set_up_player(&player);
    assert_int_equal(run_child(play_without_system_calls, &player), 0);
    tear_down_player(&player);
}

static void filter_catches_a_planted_system_call(void **state)
{
    (void)state;
    struct player player;
    set_up_player(&player);
    player.calls_system = true;
    int status = run_child(play_without_system_calls, &player);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    tear_down_player(&player);
}

static void callback_touches_no_page_for_the_first_time(void **state)
{
    (void)state;
    struct player player;
    set_up_player(&player);
    play(&player, 2000); // code, stack and the device's own buffer
    struct rusage before, after;
    assert_int_equal(getrusage(RUSAGE_THREAD, &before), 0);
    play(&player, 20000);
    assert_int_equal(getrusage(RUSAGE_THREAD, &after), 0);
    assert_int_equal(after.ru_majflt - before.ru_majflt, 0);
    assert_int_equal(after.ru_minflt - before.ru_minflt, 0);
    tear_down_player(&player);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callback_does_nothing_that_may_block_in_a_million_calls),
        cmocka_unit_test(sanitizer_catches_a_planted_allocation),
        cmocka_unit_test(callback_makes_no_system_call),
        cmocka_unit_test(filter_catches_a_planted_system_call),
        cmocka_unit_test(callback_touches_no_page_for_the_first_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
