// SPDX-License-Identifier: MIT
#include "io/sink/sink.h"
#include "io/writing/wav_header.h"
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
// cmocka.h wants those above it
#include <cmocka.h>
#include <sndfile.h>

struct source {
    sem_t drained; // posted when nothing is left
    _Atomic uint64_t total, given;
};

static float sample(uint64_t index)
{
    return (float)(index % 100003) / 65536.0f; // over full scale, too
}

static uint32_t pull(void *context, float *stereo, uint32_t frames)
{
    struct source *s = context;
    uint64_t given = atomic_load(&s->given);
    uint64_t left = atomic_load(&s->total) - given;
    uint32_t n = left < frames ? (uint32_t)left : frames;
    for (uint32_t i = 0; i < 2 * n; i++)
        stereo[i] = sample(2 * given + i);
    atomic_store(&s->given, given + n);
    if (n == 0)
        sem_post(&s->drained);
    return n;
}

struct rig {
    char folder[32];
    char path[64];
    char device[80];
    struct source source;
    struct sink *sink;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    if (!rig)
        return -1;
    strcpy(rig->folder, "/tmp/segue-wav-XXXXXX");
    if (!mkdtemp(rig->folder) || sem_init(&rig->source.drained, 0, 0))
        return -1;
    snprintf(rig->path, sizeof rig->path, "%s/out.wav", rig->folder);
    snprintf(rig->device, sizeof rig->device, "wav:%s", rig->path);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    unlink(rig->path);
    rmdir(rig->folder);
    free(rig);
    return 0;
}

static int open_sink(struct rig *rig, const char *device)
{
    const struct sink_config config = {
        .device = device, .rate_hz = 44100, .pull = pull, .context = &rig->source};
    return sink_open(&rig->sink, &config);
}

/// Play `frames` in all and wait until the sink has taken them.
static void play_up_to(struct rig *rig, uint64_t frames)
{
    atomic_store(&rig->source.total, frames);
    sink_wake(rig->sink);
    while (atomic_load(&rig->source.given) < frames)
        sem_wait(&rig->source.drained);
}

static uint64_t file_size(const struct rig *rig)
{
    struct stat status;
    assert_int_equal(stat(rig->path, &status), 0);
    return (uint64_t)status.st_size;
}

/// Read the file with a library that knows the format, and compare it with what was given.
static void assert_file_holds(const struct rig *rig, sf_count_t frames)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(rig->path, SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(info.frames, frames);
    assert_int_equal(info.channels, 2);
    assert_int_equal(info.samplerate, 44100);
    assert_int_equal(info.format, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    uint64_t equal = 0;
    float pair[2];
    for (uint64_t i = 0; sf_readf_float(file, pair, 1) == 1; i++)
        equal += pair[0] == sample(2 * i) && pair[1] == sample(2 * i + 1);
    sf_close(file);
    assert_int_equal(equal, frames);
}

static void wav_sink_writes_exactly_the_frames_pulled(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(open_sink(rig, rig->device), 0);
    assert_int_equal(sink_start(rig->sink), 0);
    play_up_to(rig, 10000);
    play_up_to(rig, 10001);
    play_up_to(rig, 99999);
    assert_int_equal(sink_close(&rig->sink), 0);
    assert_null(rig->sink);
    assert_file_holds(rig, 99999);
    assert_int_equal(file_size(rig), WAV_HEADER_BYTES + 99999 * 8);
}

static void wav_sink_without_audio_is_a_valid_empty_file(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(open_sink(rig, rig->device), 0);
    assert_int_equal(sink_close(&rig->sink), 0);
    assert_file_holds(rig, 0);
}

static void wav_sink_goes_on_after_a_stop(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(open_sink(rig, rig->device), 0);
    for (uint64_t frames = 500; frames <= 1500; frames += 500) {
        assert_int_equal(sink_start(rig->sink), 0);
        play_up_to(rig, frames);
        assert_int_equal(sink_stop(rig->sink), 0);
    }
    assert_int_equal(sink_close(&rig->sink), 0);
    assert_file_holds(rig, 1500);
}

static void wav_sink_is_patient(void **state)
{
    struct rig *rig = *state;
    struct sink_info info;
    assert_int_equal(open_sink(rig, rig->device), 0);
    sink_info(rig->sink, &info);
    assert_int_equal(info.pace, SINK_PATIENT);
    assert_string_equal(info.name, rig->device);
    assert_int_equal(sink_xruns(rig->sink), 0);
    assert_int_equal(sink_close(&rig->sink), 0);
}

static void wav_sink_names_a_file_it_cannot_open(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(open_sink(rig, "wav:/nonexistent/folder/out.wav"), -ENOENT);
    assert_null(rig->sink);
    assert_non_null(strstr(sink_error_text(), "/nonexistent/folder/out.wav"));
    assert_int_equal(open_sink(rig, "wav:/tmp"), -EISDIR);
    assert_int_equal(open_sink(rig, "wav:/dev/full"), -ENOSPC);
}

static void wav_sink_refuses_a_pipe_instead_of_waiting_for_a_reader(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(mkfifo(rig->path, 0600), 0);
    assert_int_equal(open_sink(rig, rig->device), -ENXIO);
    assert_null(rig->sink);
}

static void wav_sink_is_lost_with_the_cause_when_the_file_cannot_grow(void **state)
{
    struct rig *rig = *state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 100000, .rlim_max = before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(open_sink(rig, rig->device), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    atomic_store(&rig->source.total, 1000000);
    assert_int_equal(sink_start(rig->sink), 0);
    while (sink_state(rig->sink) == SINK_RUNNING)
        sched_yield();

    assert_int_equal(sink_state(rig->sink), SINK_LOST);
    assert_int_equal(sink_error(rig->sink), -EFBIG);
    assert_int_equal(sink_start(rig->sink), -EIO);
    assert_int_equal(sink_close(&rig->sink), -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_file_holds(rig, 3 * 4096); // what went in whole
}

static uint64_t number(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static void wav_header_becomes_rf64_just_over_4_gib(void **state)
{
    (void)state;
    // RIFF's size field counts all but the first 8 bytes.
    const uint64_t most = (UINT32_MAX - (WAV_HEADER_BYTES - 8)) / 8;
    uint8_t header[WAV_HEADER_BYTES];
    wav_header_write(header, 48000, most);
    assert_memory_equal(header, "RIFF", 4);
    assert_memory_equal(header + 12, "JUNK", 4);
    assert_int_equal(number(header + 4, 4), WAV_HEADER_BYTES - 8 + most * 8);
    assert_int_equal(number(header + 90, 4), most * 8);

    wav_header_write(header, 48000, most + 1);
    assert_memory_equal(header, "RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0", 20);
    assert_int_equal(number(header + 20, 8), WAV_HEADER_BYTES - 8 + (most + 1) * 8);
    assert_int_equal(number(header + 28, 8), (most + 1) * 8);
    assert_int_equal(number(header + 36, 8), most + 1);
    assert_int_equal(number(header + 44, 4), 0);
    assert_memory_equal(header + 86, "data\xff\xff\xff\xff", 8);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(wav_sink_writes_exactly_the_frames_pulled),
        FILE_TEST(wav_sink_without_audio_is_a_valid_empty_file),
        FILE_TEST(wav_sink_goes_on_after_a_stop),
        FILE_TEST(wav_sink_is_patient),
        FILE_TEST(wav_sink_names_a_file_it_cannot_open),
        FILE_TEST(wav_sink_refuses_a_pipe_instead_of_waiting_for_a_reader),
        FILE_TEST(wav_sink_is_lost_with_the_cause_when_the_file_cannot_grow),
        cmocka_unit_test(wav_header_becomes_rf64_just_over_4_gib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
