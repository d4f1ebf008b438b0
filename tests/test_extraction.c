// SPDX-License-Identifier: MIT
// Whole tracks through the real analysis and mastering, by the CPU alone and with a lane.
#include "cuda/fake_runtime.h"
#include "gpu/backend_setup.h"
#include "gpu/cuda_device.h"
#include "support/test_track.h"
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static float noise(uint64_t frame, uint32_t channel)
{
    uint64_t x = (8 * frame + channel + 1) * 0x9e3779b97f4a7c15U;
    x ^= x >> 31;
    x *= 0xbf58476d1ce4e5b9U;
    return (float)((double)(x >> 40) / (1 << 25) - 0.25);
}

static float silence(uint64_t frame, uint32_t channel)
{
    (void)frame;
    (void)channel;
    return 0;
}

static float noise_with_holes(uint64_t frame, uint32_t channel)
{
    static const float holes[] = {NAN, INFINITY, 1e30F};
    return frame % 1000 < 3 ? holes[frame % 1000] : noise(frame, channel);
}

// The caller frees job->analysis.
static void extract(struct backend_job *job, struct test_track *track, int with_cuda)
{
    struct cuda_device *device = NULL;
    fake_runtime_reset(FAKE_LATE, 0);
    if (with_cuda)
        assert_int_equal(cuda_device_create(&device, fake_runtime_table()), 0);
    struct backend *backend;
    const struct backend_config config = {.workers = 1};
    assert_int_equal(backend_create_on(&backend, &config, &device), 0);
    *job = (struct backend_job){.reader = test_track_reader(track),
                                .settings = mastering_settings_default()};
    backend_submit(backend, job);
    struct pollfd poll_fd = {.fd = backend_event_fd(backend), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 60000), 1);
    assert_ptr_equal(backend_reap(backend), job);
    backend_destroy(&backend);
}

static void assert_same_within_tolerance(const struct analysis *cpu, const struct analysis *cuda)
{
    for (int d = 0; d < FINGERPRINT_DIMENSIONS; ++d) {
        const double tolerance = d < BAND_COUNT ? 1e-6 : d == FINGERPRINT_BASS_MID_RATIO ? 1e-4 : 0;
        assert_true(fabs(cpu->fingerprint[d] - cuda->fingerprint[d]) <= tolerance);
    }
}

static void lane_and_cpu_agree_on_every_format(void **state)
{
    (void)state;
    static const struct pcm_format formats[] = {
        {44100, 2}, {22050, 1}, {48000, 6}, {96000, 2}, {8000, 8}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; ++i) {
        struct test_track track = {.format = formats[i], .frames = 30001, .sample = noise};
        struct backend_job cpu, cuda;

        extract(&cpu, &track, 0);
        extract(&cuda, &track, 1);

        assert_int_equal(cpu.error, 0);
        assert_int_equal(cuda.error, 0);
        assert_string_equal(cpu.backend, "cpu");
        assert_string_equal(cuda.backend, "cuda");
        assert_same_within_tolerance(cpu.analysis, cuda.analysis);
        assert_true(fabs(cpu.targets.makeup_db - cuda.targets.makeup_db) < 1e-3);
        free(cpu.analysis);
        free(cuda.analysis);
    }
}

static void lane_and_cpu_agree_on_samples_that_are_no_audio(void **state)
{
    (void)state;
    struct test_track track = {.format = {44100, 2}, .frames = 20000, .sample = noise_with_holes};
    struct backend_job cpu, cuda;

    extract(&cpu, &track, 0);
    extract(&cuda, &track, 1);

    assert_int_equal(cuda.analysis->replaced_samples_reported, 1);
    assert_same_within_tolerance(cpu.analysis, cuda.analysis);
    free(cpu.analysis);
    free(cuda.analysis);
}

static void silence_has_no_bands_by_either(void **state)
{
    (void)state;
    for (int with_cuda = 0; with_cuda < 2; ++with_cuda) {
        struct test_track track = {.format = {44100, 2}, .frames = 20000, .sample = silence};
        struct backend_job job;

        extract(&job, &track, with_cuda);

        assert_int_equal(job.error, 0);
        for (int b = 0; b < BAND_COUNT; ++b)
            assert_true(job.analysis->fingerprint[b] == 0);
        assert_true(job.analysis->fingerprint[FINGERPRINT_BASS_MID_RATIO] == 0);
        assert_int_equal(job.targets.shortfall, SHORTFALL_SILENCE);
        free(job.analysis);
    }
}

static void track_of_any_length_is_analysed_by_either(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {0, 1, 100, 4095, 4096};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; ++i) {
        struct test_track track = {.format = {44100, 2}, .frames = lengths[i], .sample = noise};
        struct backend_job cpu, cuda;

        extract(&cpu, &track, 0);
        extract(&cuda, &track, 1);

        assert_int_equal(cpu.error, 0);
        assert_int_equal(cpu.analysis->frames, lengths[i]);
        assert_same_within_tolerance(cpu.analysis, cuda.analysis);
        free(cpu.analysis);
        free(cuda.analysis);
    }
}

static void damaged_track_is_measured_as_if_it_ended_there(void **state)
{
    (void)state;
    struct test_track whole = {.format = {44100, 2}, .frames = 15000, .sample = noise};
    struct test_track damaged = whole;
    damaged.frames = 30000;
    damaged.error_frame = 15000;
    damaged.read_error = -EBADMSG;
    struct backend_job expected, got;

    extract(&expected, &whole, 0);
    extract(&got, &damaged, 0);

    assert_int_equal(got.error, -EBADMSG);
    assert_memory_equal(got.analysis, expected.analysis, analysis_bytes(expected.analysis));
    assert_memory_equal(&got.targets, &expected.targets, sizeof got.targets);
    free(expected.analysis);
    free(got.analysis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lane_and_cpu_agree_on_every_format),
        cmocka_unit_test(lane_and_cpu_agree_on_samples_that_are_no_audio),
        cmocka_unit_test(silence_has_no_bands_by_either),
        cmocka_unit_test(track_of_any_length_is_analysed_by_either),
        cmocka_unit_test(damaged_track_is_measured_as_if_it_ended_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
