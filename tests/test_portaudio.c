// SPDX-License-Identifier: MIT
// The real PortAudio, on ALSA's null and file devices and on JACK's dummy driver: no sound card is needed.
#include "io/sink/sink.h"
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
// cmocka.h wants those above it
#include <cmocka.h>

enum { RATE_HZ = 48000, PERIOD_FRAMES = 256, TOLD_FRAMES = 400000, SPEED = 16 };

static char folder[] = "/tmp/segue-portaudio-XXXXXX";

struct source {
    sem_t done; // posted once `wanted` frames were pulled
    uint64_t wanted;
    _Atomic uint64_t given;
    _Atomic uint32_t largest;
    atomic_bool holds; // pulls wait, as if the host stood still
    sem_t held;
};

static uint32_t pull(void *context, float *stereo, uint32_t frames)
{
    struct source *s = context;
    if (atomic_exchange(&s->holds, false))
        sem_wait(&s->held);
    uint64_t given = atomic_load(&s->given);
    for (uint32_t i = 0; i < frames; i++) {
        // 1, 2, 3 ... on the left, and the same in negative on the right
        stereo[2 * i] = (float)(given + i + 1);
        stereo[2 * i + 1] = -(float)(given + i + 1);
    }
    atomic_store(&s->given, given + frames);
    if (frames > atomic_load(&s->largest))
        atomic_store(&s->largest, frames);
    if (given < s->wanted && given + frames >= s->wanted)
        sem_post(&s->done);
    return frames;
}

static int open_device_with(struct sink **sink, struct source *s, const char *device,
                            uint64_t wanted, uint32_t buffer_frames)
{
    *s = (struct source){.wanted = wanted};
    assert_int_equal(sem_init(&s->done, 0, 0), 0);
    assert_int_equal(sem_init(&s->held, 0, 0), 0);
    const struct sink_config config = {
        .device = device,
        .rate_hz = RATE_HZ,
        .buffer_frames = buffer_frames,
        .speed = SPEED, // ALSA's devices have no clock: it is the sink that paces them
        .pull = pull,
        .context = s,
    };
    return sink_open(sink, &config);
}

static int open_device(struct sink **sink, struct source *s, const char *device, uint64_t wanted)
{
    return open_device_with(sink, s, device, wanted, PERIOD_FRAMES);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/// Let ALSA know a null device and one that writes to a file, and nothing of this machine's user.
static int set_up(void **state)
{
    (void)state;
    char path[64];
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/.asoundrc", folder);
    FILE *config = fopen(path, "w");
    if (!config)
        return -1;
    fprintf(config,
            "pcm.segue_null { type null }\n"
            "pcm.segue_file { type file slave.pcm segue_null file \"%s/out.raw\" format raw }\n",
            folder);
    return fclose(config) || setenv("HOME", folder, 1) || setenv("JACK_DEFAULT_SERVER", "none", 1);
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {".asoundrc", "out.raw"};
    char path[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    return 0;
}

/// Without ALSA's own configuration no device can be had at all.
static void skip_without_alsa(void)
{
    if (access("/usr/share/alsa/alsa.conf", R_OK) == 0)
        return;
    print_message("ALSA's configuration (libasound2-data) is not installed\n");
    skip();
}

static void portaudio_lists_devices_with_their_rates(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); // ALSA's null device takes 8 GiB to answer a question, which sanitizers go through
#endif
    skip_without_alsa();
    struct sink_device *devices;
    int n = sink_list_devices(&devices);
    for (int i = 0; i < n; i++) {
        if (strcmp(devices[i].name, "alsa:segue_null"))
            continue;
        assert_non_null(strstr(devices[i].rates, "44100,48000"));
        assert_true(devices[i].low_latency_s > 0.0);
    }
    assert_true(n >= 2);
    free(devices);
}

static void portaudio_says_nothing_on_standard_error(void **state)
{
    (void)state;
    int saved = dup(STDERR_FILENO);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    struct source source;
    struct sink *sink;
    int error = open_device(&sink, &source, "no such device", 1); // after a look at all there are
    dup2(saved, STDERR_FILENO); // the pipe's last writer goes, so that reading ends
    close(saved);
    char noise[100];
    ssize_t length = read(ends[0], noise, sizeof noise);
    close(ends[0]);
    assert_int_equal(error, -ENODEV);
    assert_int_equal(length, 0);
}

static void portaudio_names_a_device_that_is_not_there(void **state)
{
    (void)state;
    struct source source;
    struct sink *sink;
    assert_int_equal(open_device(&sink, &source, "no such device", 1), -ENODEV);
    assert_null(sink);
    assert_non_null(strstr(sink_error_text(), "no such device"));
    assert_int_equal(open_device(&sink, &source, "jack:segue_null", 1), -ENODEV);
}

static void portaudio_finds_a_device_by_name_and_by_full_name(void **state)
{
    (void)state;
    skip_without_alsa();
    static const char *const names[] = {"segue_null", "alsa:segue_null", "ALSA:segue_null"};
    for (size_t i = 0; i < 3; i++) {
        struct source source;
        struct sink *sink;
        struct sink_info info;
        assert_int_equal(open_device(&sink, &source, names[i], 1), 0);
        sink_info(sink, &info);
        assert_string_equal(info.name, "alsa:segue_null");
        assert_int_equal(info.pace, SINK_PACED);
        assert_int_equal(info.rate_hz, RATE_HZ);
        assert_int_equal(sink_state(sink), SINK_STOPPED);
        assert_int_equal(sink_close(&sink), 0);
    }
}

/// Play to the file device and look at what it wrote.
static void assert_bit_exact(uint32_t buffer_frames)
{
    struct source source;
    struct sink *sink;
    struct sink_info info;
    assert_int_equal(open_device_with(&sink, &source, "segue_file", TOLD_FRAMES, buffer_frames), 0);
    sink_info(sink, &info);
    assert_int_equal(sink_start(sink), 0);
    sem_wait(&source.done);
    assert_int_equal(sink_stop(sink), 0);
    assert_int_equal(sink_close(&sink), 0);
    assert_true(atomic_load(&source.largest) <= info.period_frames);

    char path[64];
    snprintf(path, sizeof path, "%s/out.raw", folder);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    float frame[2];
    uint64_t next = 1;
    uint64_t wrong = 0;
    while (fread(frame, sizeof frame, 1, file) == 1) {
        if (next == 1 && frame[0] == 0.0f && frame[1] == 0.0f)
            continue; // the host primes the device's buffer with silence
        wrong += frame[0] != (float)next || frame[1] != -(float)next;
        next++;
    }
    fclose(file);
    assert_int_equal(wrong, 0);
    assert_true(next > TOLD_FRAMES - 8 * 1024);
}

static void portaudio_hands_every_sample_on_bit_for_bit(void **state)
{
    (void)state;
    skip_without_alsa();
    assert_bit_exact(PERIOD_FRAMES);
    assert_bit_exact(0); // the device's choice
}

static void portaudio_can_stop_and_start_again(void **state)
{
    (void)state;
    skip_without_alsa();
    struct source source;
    struct sink *sink;
    assert_int_equal(open_device(&sink, &source, "segue_null", 1000), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sink_start(sink), 0);
        assert_int_equal(sink_start(sink), -EALREADY);
        assert_int_equal(sink_state(sink), SINK_RUNNING);
        while (atomic_load(&source.given) < (uint64_t)(i + 1) * 1000)
            sched_yield();
        assert_int_equal(sink_stop(sink), 0);
        uint64_t given = atomic_load(&source.given);
        assert_int_equal(sink_state(sink), SINK_STOPPED);
        assert_int_equal(atomic_load(&source.given), given);
    }
    assert_int_equal(sink_close(&sink), 0);
}

static void portaudio_is_lost_when_its_heart_stops(void **state)
{
    (void)state;
    skip_without_alsa();
    struct source source;
    struct sink *sink;
    assert_int_equal(open_device(&sink, &source, "segue_null", 1000), 0);
    assert_int_equal(sink_start(sink), 0);
    sem_wait(&source.done);
    assert_int_equal(sink_error(sink), 0);
    atomic_store(&source.holds, true);
    while (sink_state(sink) == SINK_RUNNING)
        sched_yield();
    sem_post(&source.held);
    assert_int_equal(sink_state(sink), SINK_LOST); // for good, even if the host comes back
    assert_int_equal(sink_error(sink), -ENODEV);
    assert_int_equal(sink_close(&sink), 0);
}

// --- JACK

/// @return the server's process, or -1 where there is no jackd.
static pid_t start_jack(const char *name)
{
    if (access("/usr/bin/jackd", X_OK))
        return -1;
    pid_t server = fork();
    if (server == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(1);
        execl("/usr/bin/jackd", "jackd", "-n", name, "-r", "-d", "dummy", "-r", "48000", "-p",
              "512", (char *)NULL);
        _exit(127);
    }
    return server;
}

static void portaudio_survives_the_death_of_a_jack_server(void **state)
{
    (void)state;
    char name[32];
    snprintf(name, sizeof name, "segue-test-%d", (int)getpid());
    pid_t server = start_jack(name);
    if (server < 0) {
        print_message("jackd is not installed\n");
        skip();
    }
    assert_int_equal(setenv("JACK_DEFAULT_SERVER", name, 1), 0);
    struct source source;
    struct sink *sink = NULL;
    double start_s = now_s();
    while (open_device(&sink, &source, "jack:system", 48000 / 4) && now_s() < start_s + 10.0)
        sched_yield(); // until the server is up
    if (!sink) {
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
        print_message("jackd does not run here\n");
        skip();
    }
    assert_int_equal(sink_start(sink), 0);
    start_s = now_s();
    sem_wait(&source.done);
    bool was_paced = now_s() - start_s > 0.2;

    kill(server,
         SIGTERM); // a harder end would leave its shared memory behind, and has the same effect
    waitpid(server, NULL, 0);
    while (sink_state(sink) == SINK_RUNNING)
        sched_yield();
    start_s = now_s();
    assert_int_equal(sink_close(&sink), 0);
    bool hung = now_s() - start_s > 10.0;
    assert_true(was_paced);
    assert_false(hung);

    // What is left of JACK's client, if anything, does not keep other devices from playing.
    struct source other;
    assert_int_equal(open_device(&sink, &other, "alsa:segue_null", 1000), 0);
    assert_int_equal(sink_start(sink), 0);
    sem_wait(&other.done);
    assert_int_equal(sink_close(&sink), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portaudio_lists_devices_with_their_rates),
        cmocka_unit_test(portaudio_says_nothing_on_standard_error),
        cmocka_unit_test(portaudio_names_a_device_that_is_not_there),
        cmocka_unit_test(portaudio_finds_a_device_by_name_and_by_full_name),
        cmocka_unit_test(portaudio_hands_every_sample_on_bit_for_bit),
        cmocka_unit_test(portaudio_can_stop_and_start_again),
        cmocka_unit_test(portaudio_is_lost_when_its_heart_stops),
        cmocka_unit_test(portaudio_survives_the_death_of_a_jack_server),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
