// SPDX-License-Identifier: MIT
#include "cuda/fake_runtime.h"
#include "cuda/grid_control.h"
#include "gpu/backend_setup.h"
#include "gpu/cuda_lane.h"
#include "support/fake_analysis.h"
#include "support/test_track.h"
#include <complex.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 4096, HOP = 2048, BATCH = 2, MODES = 3, SEEDS = 20 };
// Sanitizers make the grid ten times slower: there only some of the calls fail.
#ifdef CUDA_GRID_SANITIZED
enum { STRIDE = 7 };
#else
enum { STRIDE = 1 };
#endif
static const struct pcm_format stereo = {.rate_hz = 44100, .channels = 2};
static const double TOLERANCE = 1e-5;

// --- The oracle: the definition, in double precision

static double complex turns[SIZE]; // of a full circle, filled by main()

static void transform(double complex *x, uint32_t n)
{
    if (n == 1)
        return;
    double complex *even = malloc(n * sizeof *even), *odd = even + n / 2;
    assert_non_null(even);
    for (uint32_t i = 0; i < n / 2; ++i) {
        even[i] = x[2 * i];
        odd[i] = x[2 * i + 1];
    }
    transform(even, n / 2);
    transform(odd, n / 2);
    for (uint32_t k = 0; k < n / 2; ++k) {
        const double complex turned = turns[SIZE / n * k] * odd[k];
        x[k] = even[k] + turned;
        x[k + n / 2] = even[k] - turned;
    }
    free(even);
}

static double share_of(double low_hz, double high_hz, uint32_t bin, double bin_hz)
{
    const double low = fmax(low_hz, (bin - 0.5) * bin_hz);
    const double high = fmin(high_hz, (bin + 0.5) * bin_hz);
    return fmax(0, high - low) / bin_hz;
}

static void add_energies(double energies[BAND_COUNT], const double complex *spectrum, double bin_hz)
{
    static const double edges_hz[] = {20, 60, 250, 500, 2000, 4000, 8000, 20000};
    for (uint32_t k = 0; k <= SIZE / 2; ++k)
        for (int b = 0; b < BAND_COUNT; ++b)
            energies[b] += share_of(edges_hz[b], edges_hz[b + 1], k, bin_hz) *
                           creal(spectrum[k] * conj(spectrum[k]));
}

// Stereo PCM of `frames` frames; shorter than one STFT frame: as if zeros followed.
static void expect(double energies[BAND_COUNT], const float *pcm, uint64_t frames)
{
    static double complex x[SIZE];
    memset(energies, 0, BAND_COUNT * sizeof *energies);
    const uint64_t count = frames < SIZE ? 1 : (frames - SIZE) / HOP + 1;
    for (uint64_t f = 0; f < count; ++f)
        for (uint32_t side = 0; side < 2; ++side) {
            for (uint64_t n = 0; n < SIZE; ++n) {
                const uint64_t at = f * HOP + n;
                const double sample = at < frames ? (double)pcm[2 * at + side] : 0;
                x[n] = sample * (0.5 - 0.5 * creal(turns[n]));
            }
            transform(x, SIZE);
            add_energies(energies, x, 44100.0 / SIZE);
        }
}

static float noise(uint64_t frame, uint32_t channel)
{
    uint64_t x = (2 * frame + channel + 1) * 0x9e3779b97f4a7c15U;
    x ^= x >> 31;
    x *= 0xbf58476d1ce4e5b9U;
    return (float)((double)(x >> 40) / (1 << 23) - 1);
}

static float *noise_of(uint64_t frames)
{
    float *pcm = malloc((frames + 1) * 2 * sizeof *pcm);
    assert_non_null(pcm);
    for (uint64_t f = 0; f < frames; ++f)
        for (uint32_t c = 0; c < 2; ++c)
            pcm[2 * f + c] = noise(f, c);
    return pcm;
}

static void assert_energies_near(const double got[BAND_COUNT], const double expected[BAND_COUNT])
{
    for (int b = 0; b < BAND_COUNT; ++b)
        assert_true(fabs(got[b] - expected[b]) <= TOLERANCE * expected[b]);
}

// --- Helpers

static struct cuda_device *fake_device(enum fake_mode mode, uint64_t seed)
{
    fake_runtime_reset(mode, seed);
    struct cuda_device *device;
    assert_int_equal(cuda_device_create(&device, fake_runtime_table()), 0);
    return device;
}

static void feed(struct cuda_lane *lane, const float *pcm, uint64_t frames, uint32_t block)
{
    for (uint64_t at = 0; at < frames; at += block) {
        const uint64_t left = frames - at;
        cuda_lane_feed(lane, pcm + 2 * at, left < block ? (uint32_t)left : block);
    }
}

static void assert_nothing_left(void)
{
    assert_int_equal(fake_runtime_alive(), 0);
    assert_string_equal(fake_runtime_note(), "");
}

// --- A lane

static void lane_sums_what_the_definition_says_for_any_length(void **state)
{
    (void)state;
    enum { SLAB = (BATCH + 1) * HOP };
    static const uint64_t lengths[] = {0,        1,     SIZE - 1,       SIZE,
                                       SLAB - 1, SLAB,  SLAB + HOP - 1, SLAB + HOP,
                                       2 * SLAB, 20001, SLAB + 2 * HOP, 1234};
    struct cuda_device *device = fake_device(FAKE_LATE, 0);
    struct cuda_lane *lane;
    assert_int_equal(cuda_lane_create(&lane, device, BATCH), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; ++i) {
        float *pcm = noise_of(lengths[i]);
        double expected[BAND_COUNT], got[BAND_COUNT];
        expect(expected, pcm, lengths[i]);

        cuda_lane_start(lane, &stereo);
        feed(lane, pcm, lengths[i], 1000);
        assert_int_equal(cuda_lane_finish(lane, got), 0);

        assert_energies_near(got, expected);
        free(pcm);
    }
    cuda_lane_destroy(&lane);
    cuda_device_destroy(&device);
    assert_nothing_left();
}

static void lane_is_right_whenever_queued_work_is_done(void **state)
{
    (void)state;
    enum { FRAMES = 9 * HOP };
    float *pcm = noise_of(FRAMES);
    double expected[BAND_COUNT], first[BAND_COUNT], got[BAND_COUNT];
    expect(expected, pcm, FRAMES);
    for (uint64_t run = 0; run < 2 + SEEDS; ++run) {
        struct cuda_device *device = fake_device(run < 2 ? (enum fake_mode)run : FAKE_SEEDED, run);
        cuda_grid_set_order((uint32_t)run);
        struct cuda_lane *lane;
        assert_int_equal(cuda_lane_create(&lane, device, BATCH), 0);

        cuda_lane_start(lane, &stereo);
        feed(lane, pcm, FRAMES, 777);
        assert_int_equal(cuda_lane_finish(lane, got), 0);
        cuda_lane_destroy(&lane);

        assert_energies_near(got, expected);
        if (run == 0)
            memcpy(first, got, sizeof got);
        assert_memory_equal(got, first, sizeof got);
        cuda_device_destroy(&device);
        assert_nothing_left();
    }
    free(pcm);
}

static void lane_takes_another_format_after_a_track(void **state)
{
    (void)state;
    float *pcm = noise_of(SIZE);
    double expected[BAND_COUNT], got[BAND_COUNT];
    expect(expected, pcm, SIZE);
    struct cuda_device *device = fake_device(FAKE_LATE, 0);
    struct cuda_lane *lane;
    assert_int_equal(cuda_lane_create(&lane, device, BATCH), 0);
    const struct pcm_format mono = {.rate_hz = 96000, .channels = 1};
    cuda_lane_start(lane, &mono);
    cuda_lane_feed(lane, pcm, 2 * SIZE);
    assert_int_equal(cuda_lane_finish(lane, got), 0);

    cuda_lane_start(lane, &stereo);
    feed(lane, pcm, SIZE, SIZE);
    assert_int_equal(cuda_lane_finish(lane, got), 0);

    assert_energies_near(got, expected);
    free(pcm);
    cuda_lane_destroy(&lane);
    cuda_device_destroy(&device);
    assert_nothing_left();
}

static void abandoned_track_leaves_no_trace_in_the_next(void **state)
{
    (void)state;
    enum { FRAMES = 9 * HOP };
    float *pcm = noise_of(FRAMES);
    double expected[BAND_COUNT], got[BAND_COUNT];
    const float *other = pcm + 2 * 777; // what the first track begins with comes later there
    expect(expected, other, 6 * HOP);
    for (uint64_t run = 0; run < 2 + SEEDS; ++run) {
        struct cuda_device *device = fake_device(run < 2 ? (enum fake_mode)run : FAKE_SEEDED, run);
        struct cuda_lane *lane;
        assert_int_equal(cuda_lane_create(&lane, device, BATCH), 0);
        cuda_lane_start(lane, &stereo);
        feed(lane, pcm, FRAMES, 1000);

        cuda_lane_abandon(lane);
        assert_int_equal(fake_runtime_queued(), 0);
        cuda_lane_start(lane, &stereo);
        feed(lane, other, 6 * HOP, 1000);
        assert_int_equal(cuda_lane_finish(lane, got), 0);

        assert_energies_near(got, expected);
        cuda_lane_destroy(&lane);
        cuda_device_destroy(&device);
        assert_nothing_left();
    }
    free(pcm);
}

// --- Errors

struct outcome {
    int created, first, second; // 0 or -errno
    double energies[2][BAND_COUNT];
    int is_lost;
};

// Two tracks on one lane, whatever fails.
static struct outcome run_two_tracks(struct cuda_device *device, const float *pcm, uint64_t frames)
{
    struct outcome outcome = {0};
    struct cuda_lane *lane;
    outcome.created = cuda_lane_create(&lane, device, BATCH);
    if (!outcome.created) {
        cuda_lane_start(lane, &stereo);
        feed(lane, pcm, frames, 4096);
        outcome.first = cuda_lane_finish(lane, outcome.energies[0]);
        cuda_lane_start(lane, &stereo);
        feed(lane, pcm, frames, 4096);
        outcome.second = cuda_lane_finish(lane, outcome.energies[1]);
    }
    cuda_lane_destroy(&lane);
    outcome.is_lost = cuda_device_is_lost(device);
    return outcome;
}

// How many calls and queued operations there are to fail.
struct undisturbed {
    long calls, operations;
};

static struct undisturbed count_undisturbed(const float *pcm, uint64_t frames)
{
    struct cuda_device *device = fake_device(FAKE_LATE, 0);
    const struct outcome outcome = run_two_tracks(device, pcm, frames);
    assert_false(outcome.created || outcome.first || outcome.second || outcome.is_lost);
    cuda_device_destroy(&device);
    return (struct undisturbed){fake_runtime_calls(), fake_runtime_operations()};
}

static void assert_right_or_failed(const struct outcome *outcome, const double expected[BAND_COUNT])
{
    if (!outcome->created && !outcome->first)
        assert_energies_near(outcome->energies[0], expected);
    if (!outcome->created && !outcome->second)
        assert_energies_near(outcome->energies[1], expected);
}

static void error_at_any_call_gives_the_right_result_or_an_error(void **state)
{
    (void)state;
    enum { FRAMES = 4 * HOP };
    static const struct {
        enum fake_mode mode;
        int code;
    } runs[] = {{FAKE_AT_ONCE, 2},  {FAKE_LATE, 2},   {FAKE_SEEDED, 2}, {FAKE_AT_ONCE, 700},
                {FAKE_SEEDED, 700}, {FAKE_LATE, 700}, {FAKE_LATE, 35},  {FAKE_LATE, 719}};
    float *pcm = noise_of(FRAMES);
    double expected[BAND_COUNT];
    expect(expected, pcm, FRAMES);
    const struct undisturbed undisturbed = count_undisturbed(pcm, FRAMES);
    int failures = 0, recoveries = 0;
    for (size_t run = 0; run < sizeof runs / sizeof runs[0]; ++run) {
        const int code = runs[run].code;
        for (long k = 1; k <= undisturbed.calls; k += STRIDE) {
            struct cuda_device *device = fake_device(runs[run].mode, (uint64_t)k);
            fake_runtime_fail_call(k, code);

            const struct outcome outcome = run_two_tracks(device, pcm, FRAMES);

            assert_right_or_failed(&outcome, expected);
            failures += outcome.created || outcome.first;
            recoveries += outcome.first && !outcome.second;
            assert_string_equal(fake_runtime_note(), "");
            if (code >= 700)
                assert_true(outcome.is_lost ||
                            !(outcome.first || outcome.second || outcome.created));
            else
                assert_false(outcome.is_lost);
            cuda_device_destroy(&device);
        }
    }
    fake_runtime_reset(FAKE_AT_ONCE, 0);
    assert_true(failures > 100 / STRIDE && recoveries > 50 / STRIDE);
    free(pcm);
}

static void error_that_passes_leaves_nothing_behind(void **state)
{
    (void)state;
    enum { FRAMES = 3 * HOP };
    float *pcm = noise_of(FRAMES);
    const struct undisturbed undisturbed = count_undisturbed(pcm, FRAMES);
    for (long k = 1; k <= undisturbed.calls; k += STRIDE) {
        struct cuda_device *device = fake_device(FAKE_LATE, 0);
        fake_runtime_fail_call(k, CUDA_OUT_OF_MEMORY);

        const struct outcome outcome = run_two_tracks(device, pcm, FRAMES);

        // The one call that fails may be the release itself.
        assert_true(fake_runtime_alive() <=
                    (outcome.created || outcome.first || outcome.second ? 0 : 1));
        cuda_device_destroy(&device);
    }
    fake_runtime_reset(FAKE_AT_ONCE, 0);
    free(pcm);
}

static void error_of_any_queued_operation_never_yields_a_wrong_result(void **state)
{
    (void)state;
    enum { FRAMES = 4 * HOP };
    float *pcm = noise_of(FRAMES);
    double expected[BAND_COUNT];
    expect(expected, pcm, FRAMES);
    const struct undisturbed undisturbed = count_undisturbed(pcm, FRAMES);
    int losses = 0;
    for (int mode = 0; mode < MODES; ++mode)
        for (long k = 1; k <= undisturbed.operations; k += STRIDE) {
            struct cuda_device *device = fake_device((enum fake_mode)mode, (uint64_t)k);
            fake_runtime_fail_operation(k, 719);

            const struct outcome outcome = run_two_tracks(device, pcm, FRAMES);

            assert_right_or_failed(&outcome, expected);
            losses += outcome.is_lost;
            cuda_device_destroy(&device);
        }
    fake_runtime_reset(FAKE_AT_ONCE, 0);
    assert_true(losses > 20 / STRIDE);
    free(pcm);
}

// --- Behind the backend

enum { JOBS = 4, JOB_FRAMES = 66 * HOP }; // two slabs

static struct test_track noise_track(void)
{
    return (struct test_track){.format = stereo, .frames = JOB_FRAMES, .sample = noise};
}

static struct backend *backend_on(struct cuda_device *device)
{
    struct backend *backend;
    const struct backend_config config = {.workers = 2};
    assert_int_equal(backend_create_on(&backend, &config, &device), 0);
    assert_null(device);
    return backend;
}

static void run_jobs(struct backend *backend, struct test_track *tracks, struct backend_job *jobs)
{
    for (int i = 0; i < JOBS; ++i) {
        tracks[i] = noise_track();
        jobs[i] = (struct backend_job){.reader = test_track_reader(&tracks[i])};
        backend_submit(backend, &jobs[i]);
    }
    for (int done = 0; done < JOBS;) {
        struct pollfd poll_fd = {.fd = backend_event_fd(backend), .events = POLLIN};
        assert_int_equal(poll(&poll_fd, 1, 60000), 1);
        while (backend_reap(backend))
            ++done;
    }
}

static void expect_shares(double shares[BAND_COUNT])
{
    float *pcm = noise_of(JOB_FRAMES);
    double energies[BAND_COUNT], total = 0;
    expect(energies, pcm, JOB_FRAMES);
    for (int b = 0; b < BAND_COUNT; ++b)
        total += energies[b];
    for (int b = 0; b < BAND_COUNT; ++b)
        shares[b] = energies[b] / total;
    free(pcm);
}

static void jobs_on_two_lanes_have_the_devices_bands(void **state)
{
    (void)state;
    double shares[BAND_COUNT];
    expect_shares(shares);
    for (int mode = 0; mode < MODES; ++mode) {
        struct backend *backend = backend_on(fake_device((enum fake_mode)mode, 3));
        struct test_track tracks[JOBS];
        struct backend_job jobs[JOBS];
        assert_string_equal(backend_name(backend), "cuda+cpu");
        assert_null(backend_fallback_reason(backend));

        run_jobs(backend, tracks, jobs);

        for (int i = 0; i < JOBS; ++i) {
            assert_int_equal(jobs[i].error, 0);
            assert_string_equal(jobs[i].backend, "cuda");
            assert_energies_near(jobs[i].analysis->fingerprint, shares);
            assert_int_equal(jobs[i].analysis->frames, JOB_FRAMES);
            free(jobs[i].analysis);
        }
        backend_destroy(&backend);
        assert_nothing_left();
    }
}

static void jobs_of_a_lost_device_have_the_cpus_bands(void **state)
{
    (void)state;
    double shares[BAND_COUNT];
    expect_shares(shares);
    for (long k = 1; k < 50; k += 7) { // there are about 100 calls before the last job is done
        struct cuda_device *device = fake_device(FAKE_LATE, 0);
        fake_runtime_fail_call(k, 700);
        struct backend *backend = backend_on(device);
        struct test_track tracks[JOBS];
        struct backend_job jobs[JOBS];

        run_jobs(backend, tracks, jobs);

        assert_string_equal(backend_name(backend), "cpu");
        assert_string_equal(backend_fallback_reason(backend), "CUDA device lost");
        for (int i = 0; i < JOBS; ++i) {
            assert_int_equal(jobs[i].error, 0);
            const double *bands = jobs[i].analysis->fingerprint;
            if (!strcmp(jobs[i].backend, "cuda"))
                assert_energies_near(bands, shares);
            else
                for (int b = 0; b < BAND_COUNT; ++b)
                    assert_true(bands[b] == FAKE_BAND_SHARE);
            free(jobs[i].analysis);
        }
        backend_destroy(&backend);
    }
    fake_runtime_reset(FAKE_AT_ONCE, 0);
}

int main(void)
{
    for (int k = 0; k < SIZE; ++k)
        turns[k] = cexp(-2 * I * acos(-1) * k / SIZE);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lane_sums_what_the_definition_says_for_any_length),
        cmocka_unit_test(lane_is_right_whenever_queued_work_is_done),
        cmocka_unit_test(lane_takes_another_format_after_a_track),
        cmocka_unit_test(abandoned_track_leaves_no_trace_in_the_next),
        cmocka_unit_test(error_at_any_call_gives_the_right_result_or_an_error),
        cmocka_unit_test(error_that_passes_leaves_nothing_behind),
        cmocka_unit_test(error_of_any_queued_operation_never_yields_a_wrong_result),
        cmocka_unit_test(jobs_on_two_lanes_have_the_devices_bands),
        cmocka_unit_test(jobs_of_a_lost_device_have_the_cpus_bands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
