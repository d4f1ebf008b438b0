// SPDX-License-Identifier: MIT
#include "dsp/analyzer.h"
#include "gpu/backend.h"
#include "support/fake_analysis.h"
#include "support/test_track.h"
#include <errno.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 10000, MANY = 200 };

// --- Allocation that fails on demand

static _Atomic long allocations_left = -1; // -1: no limit

void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        --allocations_left;
    return __real_calloc(count, bytes);
}

// --- Helpers

static struct test_track stereo_track(void)
{
    return (struct test_track){.format = {.rate_hz = 44100, .channels = 2}, .frames = FRAMES};
}

static struct backend_job job_of(struct test_track *track, int priority)
{
    return (struct backend_job){.reader = test_track_reader(track), .priority = priority};
}

static struct backend *create(unsigned workers)
{
    struct backend *backend;
    const struct backend_config config = {.workers = workers, .nice = 1};
    assert_int_equal(backend_create(&backend, &config), 0);
    return backend;
}

static int is_event_up(const struct backend *backend, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = backend_event_fd(backend), .events = POLLIN};
    return poll(&poll_fd, 1, timeout_ms) == 1;
}

static struct backend_job *next_completed(struct backend *backend)
{
    struct backend_job *job;
    while (!(job = backend_reap(backend)))
        assert_true(is_event_up(backend, 60000));
    return job;
}

static void run_one(struct backend_job *job)
{
    struct backend *backend = create(1);
    backend_submit(backend, job);
    assert_ptr_equal(next_completed(backend), job);
    backend_destroy(&backend);
}

static void assert_all_given_back(const struct test_track *track)
{
    assert_int_equal(track->opens, track->closes);
    assert_int_equal(fake_analysis_faults()->analyzers_alive, 0);
}

// --- Results

static void job_yields_analysis_and_targets_of_the_whole_track(void **state)
{
    (void)state;
    struct test_track track = stereo_track();
    struct backend_job job = job_of(&track, 0);
    job.settings.target_lufs = -14;

    run_one(&job);

    assert_int_equal(job.error, 0);
    assert_int_equal(job.analysis->frames, FRAMES);
    const double sum = test_track_sum(&track, FRAMES);
    assert_true(job.analysis->fingerprint[FINGERPRINT_LUFS] == sum);
    assert_true(job.targets.predicted_lufs == sum && job.targets.target_lufs == -14);
    assert_true(job.targets.makeup_db == FRAMES);
    assert_string_equal(job.backend, "cpu");
    assert_all_given_back(&track);
    free(job.analysis);
}

static unsigned heads_told;
static double head_s;

static void note_head(void *owner, const struct analysis_so_far *so_far)
{
    assert_ptr_equal(owner, &heads_told);
    ++heads_told;
    head_s = so_far->heard_s;
}

static void head_of_ten_seconds_is_told_once(void **state)
{
    (void)state;
    const uint64_t lengths[] = {11 * 8000, 10 * 8000, 10 * 8000 - 1};
    for (unsigned i = 0; i < 3; ++i) {
        struct test_track track = stereo_track();
        track.format.rate_hz = 8000;
        track.frames = lengths[i];
        struct backend_job job = job_of(&track, 0);
        job.owner = &heads_told;
        job.on_head = note_head;
        heads_told = 0;

        run_one(&job);

        assert_int_equal(job.error, 0);
        assert_int_equal(heads_told, i < 2);
        assert_true(heads_told == 0 || (head_s >= 10 && head_s < 10.6)); // a block more at most
        free(job.analysis);
    }
}

static int says_yes(void *context)
{
    const struct test_track *track = context;
    assert_int_equal(track->opens, track->closes);
    return 1;
}

static int says_no(void *context)
{
    (void)context;
    return 0;
}

static int cannot_say(void *context)
{
    (void)context;
    return -EIO;
}

static void track_that_was_mastered_before_is_given_targets_as_such(void **state)
{
    (void)state;
    static const struct {
        int (*was_mastered)(void *context);
        double width;
        int error;
    } cases[] = {{says_yes, 3.0, 0}, {says_no, 0.0, 0}, {NULL, 0.0, 0}, {cannot_say, 0.0, -EIO}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        struct test_track track = stereo_track();
        struct backend_job job = job_of(&track, 0);
        job.was_mastered = cases[i].was_mastered;

        run_one(&job);

        assert_int_equal(job.error, cases[i].error);
        assert_true(job.error || job.targets.width == cases[i].width);
        assert_all_given_back(&track);
        free(job.analysis);
    }
}

static void timings_are_those_of_the_stages(void **state)
{
    (void)state;
    struct test_track track = stereo_track();
    struct backend_job job = job_of(&track, 0);

    run_one(&job);

    const struct extraction_timing *t = &job.timing;
    assert_true(t->decode_ns > 0 && t->fingerprint_ns > 0 && t->targets_ns > 0 && t->load_ns >= 0);
    const int64_t stages = t->load_ns + t->decode_ns + t->fingerprint_ns + t->targets_ns;
    assert_true(t->total_ns >= stages + t->profile_ns);
    free(job.analysis);
}

static void known_track_is_only_calibrated(void **state)
{
    (void)state;
    struct test_track track = stereo_track();
    struct backend_job job = job_of(&track, 0);
    struct analysis *known = analysis_create(0, 0);
    assert_non_null(known);
    known->fingerprint[FINGERPRINT_LUFS] = 7;
    job.known = known;

    run_one(&job);

    assert_int_equal(job.error, 0);
    assert_null(job.analysis);
    assert_true(job.targets.predicted_lufs == 7 && job.targets.makeup_db == FRAMES);
    assert_int_equal(track.opens, 1);
    free(known);
}

static void damaged_track_yields_its_sound_part_and_the_error(void **state)
{
    (void)state;
    struct test_track track = stereo_track();
    track.error_frame = 6001;
    track.read_error = -EBADMSG;
    struct backend_job job = job_of(&track, 0);

    run_one(&job);

    assert_int_equal(job.error, -EBADMSG);
    assert_int_equal(job.analysis->frames, 6001);
    assert_true(job.targets.makeup_db == 6001);
    free(job.analysis);
}

static void track_that_does_not_open_yields_the_error(void **state)
{
    (void)state;
    struct test_track track = stereo_track();
    track.open_error = -ENOENT;
    struct backend_job job = job_of(&track, 0);

    run_one(&job);

    assert_int_equal(job.error, -ENOENT);
    assert_null(job.analysis);
    assert_all_given_back(&track);
}

static void read_error_in_either_pass_leaves_no_analysis(void **state)
{
    (void)state;
    for (int pass = 1; pass <= 2; ++pass) {
        struct test_track track = stereo_track();
        track.error_frame = 5000;
        track.read_error = -EIO;
        track.failing_pass = pass;
        struct backend_job job = job_of(&track, 0);

        run_one(&job);

        assert_int_equal(job.error, -EIO);
        assert_null(job.analysis);
        assert_int_equal(track.opens, pass);
        assert_all_given_back(&track);
    }
}

static void failure_of_any_stage_is_the_jobs_error(void **state)
{
    (void)state;
    struct fake_analysis_faults *faults = fake_analysis_faults();
    _Atomic int *const stages[] = {&faults->create_error, &faults->feed_error,
                                   &faults->finish_error, &faults->calibrate_error};
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; ++i) {
        struct test_track track = stereo_track();
        struct backend_job job = job_of(&track, 0);
        *stages[i] = -ENOMEM;

        run_one(&job);
        *stages[i] = 0;

        assert_int_equal(job.error, -ENOMEM);
        assert_null(job.analysis);
        assert_all_given_back(&track);
    }
}

// --- Order

enum { ORDERED = 5 };

// One worker, kept busy by a track at its gate while the others arrive.
struct busy_backend {
    struct backend *backend;
    struct test_track blocker, tracks[ORDERED];
    struct backend_job blocking, jobs[ORDERED];
};

static void busy_init(struct busy_backend *busy, const int priorities[ORDERED])
{
    busy->backend = create(1);
    busy->blocker = stereo_track();
    test_track_gate(&busy->blocker, 0, 1);
    busy->blocking = job_of(&busy->blocker, 100);
    backend_submit(busy->backend, &busy->blocking);
    test_track_wait(&busy->blocker);
    for (int i = 0; i < ORDERED; ++i) {
        busy->tracks[i] = stereo_track();
        busy->jobs[i] = job_of(&busy->tracks[i], priorities[i]);
        backend_submit(busy->backend, &busy->jobs[i]);
    }
}

static void busy_deinit(struct busy_backend *busy)
{
    backend_destroy(&busy->backend);
    free(busy->blocking.analysis);
    for (int i = 0; i < ORDERED; ++i)
        free(busy->jobs[i].analysis);
}

static void assert_completed_in_order(struct busy_backend *busy, const int order[ORDERED])
{
    test_track_let_go(&busy->blocker);
    assert_ptr_equal(next_completed(busy->backend), &busy->blocking);
    for (int i = 0; i < ORDERED; ++i)
        assert_ptr_equal(next_completed(busy->backend), &busy->jobs[order[i]]);
}

static void jobs_run_by_priority_then_by_arrival(void **state)
{
    (void)state;
    struct busy_backend busy;
    busy_init(&busy, (const int[ORDERED]){3, 1, 2, 1, 3});

    assert_completed_in_order(&busy, (const int[ORDERED]){1, 3, 2, 0, 4});

    busy_deinit(&busy);
}

static void changed_priority_moves_a_waiting_job(void **state)
{
    (void)state;
    struct busy_backend busy;
    busy_init(&busy, (const int[ORDERED]){1, 2, 3, 4, 5});

    backend_set_priority(busy.backend, &busy.jobs[4], 0);
    backend_set_priority(busy.backend, &busy.jobs[0], 3);

    assert_completed_in_order(&busy, (const int[ORDERED]){4, 1, 2, 0, 3});
    busy_deinit(&busy);
}

static void changed_priority_of_a_running_job_does_nothing(void **state)
{
    (void)state;
    struct busy_backend busy;
    busy_init(&busy, (const int[ORDERED]){1, 2, 3, 4, 5});

    backend_set_priority(busy.backend, &busy.blocking, 0);

    assert_int_equal(busy.blocking.priority, 100);
    assert_completed_in_order(&busy, (const int[ORDERED]){0, 1, 2, 3, 4});
    busy_deinit(&busy);
}

// --- Cancelling

static void cancelled_waiting_job_never_runs(void **state)
{
    (void)state;
    struct busy_backend busy;
    busy_init(&busy, (const int[ORDERED]){1, 2, 3, 4, 5});

    backend_cancel(busy.backend, &busy.jobs[2]);

    assert_ptr_equal(next_completed(busy.backend), &busy.jobs[2]);
    assert_int_equal(busy.jobs[2].error, -ECANCELED);
    assert_int_equal(busy.tracks[2].opens, 0);
    test_track_let_go(&busy.blocker);
    busy_deinit(&busy);
}

static void running_job_is_cancelled_at_any_frame_of_either_pass(void **state)
{
    (void)state;
    static const uint64_t frames[] = {0, 4096, FRAMES};
    for (int i = 0; i < 6; ++i) {
        struct backend *backend = create(1);
        struct test_track track = stereo_track();
        test_track_gate(&track, frames[i % 3], i / 3 + 1);
        struct backend_job job = job_of(&track, 0);
        backend_submit(backend, &job);
        test_track_wait(&track);

        backend_cancel(backend, &job);
        test_track_let_go(&track);

        assert_ptr_equal(next_completed(backend), &job);
        // At the very end of the last pass the result is there already.
        assert_int_equal(job.error, i == 5 ? 0 : -ECANCELED);
        assert_int_equal(job.analysis != NULL, i == 5);
        assert_all_given_back(&track);
        free(job.analysis);
        backend_destroy(&backend);
    }
}

static void cancelled_completed_job_keeps_its_result(void **state)
{
    (void)state;
    struct backend *backend = create(1);
    struct test_track track = stereo_track();
    struct backend_job job = job_of(&track, 0);
    backend_submit(backend, &job);
    assert_true(is_event_up(backend, 60000));

    backend_cancel(backend, &job);

    assert_ptr_equal(backend_reap(backend), &job);
    assert_int_equal(job.error, 0);
    assert_non_null(job.analysis);
    free(job.analysis);
    backend_destroy(&backend);
}

static void reaped_job_can_be_submitted_again(void **state)
{
    (void)state;
    struct busy_backend busy;
    busy_init(&busy, (const int[ORDERED]){1, 2, 3, 4, 5});
    backend_cancel(busy.backend, &busy.jobs[0]);
    assert_ptr_equal(next_completed(busy.backend), &busy.jobs[0]);

    backend_submit(busy.backend, &busy.jobs[0]);

    assert_completed_in_order(&busy, (const int[ORDERED]){0, 1, 2, 3, 4});
    assert_int_equal(busy.jobs[0].error, 0);
    busy_deinit(&busy);
}

// --- Completion

static void event_is_up_from_completion_until_all_is_reaped(void **state)
{
    (void)state;
    struct backend *backend = create(1);
    struct test_track track = stereo_track();
    struct backend_job job = job_of(&track, 0);
    assert_false(is_event_up(backend, 0));

    backend_submit(backend, &job);
    assert_true(is_event_up(backend, 60000));
    assert_ptr_equal(backend_reap(backend), &job);

    assert_null(backend_reap(backend));
    assert_false(is_event_up(backend, 0));
    free(job.analysis);
    backend_destroy(&backend);
}

static void two_workers_complete_each_of_200_jobs_once(void **state)
{
    (void)state;
    struct backend *backend = create(2);
    struct test_track *tracks = calloc(MANY, sizeof *tracks);
    struct backend_job *jobs = calloc(MANY, sizeof *jobs);
    assert_true(tracks && jobs);
    for (int i = 0; i < MANY; ++i) {
        tracks[i] = stereo_track();
        tracks[i].frames = (uint64_t)(100 * i);
        jobs[i] = job_of(&tracks[i], i % 7);
        backend_submit(backend, &jobs[i]);
    }

    int times[MANY] = {0};
    for (int i = 0; i < MANY; ++i)
        ++times[next_completed(backend) - jobs];

    for (int i = 0; i < MANY; ++i) {
        assert_int_equal(times[i], 1);
        assert_int_equal(jobs[i].analysis->frames, 100 * i);
        free(jobs[i].analysis);
    }
    assert_null(backend_reap(backend));
    backend_destroy(&backend);
    free(tracks);
    free(jobs);
}

// --- Life

static void destroy_cancels_what_waits_and_what_runs(void **state)
{
    (void)state;
    struct backend *backend = create(1);
    struct test_track endless = stereo_track(), waiting = stereo_track();
    endless.frames = UINT64_MAX;
    test_track_gate(&endless, 50000, 1);
    struct backend_job running = job_of(&endless, 0), queued = job_of(&waiting, 1);
    backend_submit(backend, &running);
    backend_submit(backend, &queued);
    test_track_wait(&endless);
    test_track_let_go(&endless);

    backend_destroy(&backend);

    assert_null(backend);
    assert_int_equal(running.error, -ECANCELED);
    assert_int_equal(queued.error, -ECANCELED);
    assert_int_equal(waiting.opens, 0);
    assert_all_given_back(&endless);
}

static void unreaped_result_belongs_to_the_owner_after_destroy(void **state)
{
    (void)state;
    struct backend *backend = create(1);
    struct test_track track = stereo_track();
    struct backend_job job = job_of(&track, 0);
    backend_submit(backend, &job);
    assert_true(is_event_up(backend, 60000));

    backend_destroy(&backend);

    assert_int_equal(job.analysis->frames, FRAMES);
    free(job.analysis);
}

static void backend_of_no_jobs_can_be_destroyed_and_null_too(void **state)
{
    (void)state;
    struct backend *backend = create(0);

    backend_destroy(&backend);
    backend_destroy(&backend);

    assert_null(backend);
}

static void create_reports_every_failed_allocation(void **state)
{
    (void)state;
    struct backend *backend = NULL;
    int failures = 0;
    int error = -ENOMEM;
    for (long k = 0; error; ++k) {
        allocations_left = k;
        error = backend_create(&backend, &(struct backend_config){.workers = 2});
        allocations_left = -1;
        if (error) {
            assert_true(error == -ENOMEM || error == -EAGAIN); // pthread_create() says the latter
            assert_null(backend);
            ++failures;
        }
    }
    assert_true(failures >= 4); // itself, the workers, a block for each
    backend_destroy(&backend);
}

static char seen_name[16];
static int seen_nice, seen_policy;
static long seen_disk_class;

static void look_at_thread(struct test_track *track)
{
    (void)track;
    pthread_getname_np(pthread_self(), seen_name, sizeof seen_name);
    seen_nice = getpriority(PRIO_PROCESS, (id_t)gettid());
    seen_policy = sched_getscheduler(0);
    seen_disk_class = IOPRIO_PRIO_CLASS(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
}

static void worker_has_a_name_and_stands_back(void **state)
{
    (void)state;
    struct test_track track = stereo_track();
    track.on_read = look_at_thread;
    struct backend_job job = job_of(&track, 0);
    const int own_nice = getpriority(PRIO_PROCESS, 0);

    run_one(&job);

    assert_string_equal(seen_name, "segue-work-0");
    assert_int_equal(seen_nice, own_nice < 19 ? own_nice + 1 : 19);
    assert_int_equal(seen_policy, sched_getscheduler(0));
    free(job.analysis);
}

static void idle_worker_takes_only_what_is_left_over(void **state)
{
    (void)state;
    struct test_track track = stereo_track();
    track.on_read = look_at_thread;
    struct backend_job job = job_of(&track, 0);
    struct backend *backend;
    const struct backend_config config = {.workers = 1, .nice = YIELD_IDLE};
    assert_int_equal(backend_create(&backend, &config), 0);
    const int own_policy = sched_getscheduler(0);

    backend_submit(backend, &job);
    assert_ptr_equal(next_completed(backend), &job);

    assert_int_equal(job.error, 0);
    assert_int_equal(seen_policy, SCHED_IDLE);
    assert_int_equal(seen_disk_class, IOPRIO_CLASS_IDLE);
    assert_int_equal(sched_getscheduler(0), own_policy);
    free(job.analysis);
    backend_destroy(&backend);
}

static void backend_without_the_module_says_why(void **state)
{
    (void)state;
    setenv("SEGUE_CUDA_MODULE", "/nonexistent/libsegue_cuda.so", 1);
    struct backend *backend;
    assert_int_equal(
        backend_create(&backend, &(struct backend_config){.workers = 1, .use_cuda = 1}), 0);

    assert_string_equal(backend_name(backend), "cpu");
    assert_string_equal(backend_fallback_reason(backend), "no CUDA module");
    backend_destroy(&backend);
}

// Which of the two it is depends on the machine and on the build; a track is analysed in both.
static void backend_has_cuda_or_a_reason_and_works_either_way(void **state)
{
    (void)state;
    unsetenv("SEGUE_CUDA_MODULE");
    struct test_track track = stereo_track();
    struct backend_job job = job_of(&track, 0);
    struct backend *backend;
    assert_int_equal(
        backend_create(&backend, &(struct backend_config){.workers = 1, .use_cuda = 1}), 0);

    backend_submit(backend, &job);
    assert_ptr_equal(next_completed(backend), &job);

    assert_int_equal(job.error, 0);
    const char *reason = backend_fallback_reason(backend);
    assert_string_equal(backend_name(backend), reason ? "cpu" : "cuda+cpu");
    print_message("CUDA: %s\n", reason ? reason : "used");
    free(job.analysis);
    backend_destroy(&backend);
}

static void backend_that_was_not_asked_for_cuda_has_no_reason(void **state)
{
    (void)state;
    struct backend *backend = create(1);

    assert_string_equal(backend_name(backend), "cpu");
    assert_null(backend_fallback_reason(backend));
    backend_destroy(&backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_yields_analysis_and_targets_of_the_whole_track),
        cmocka_unit_test(head_of_ten_seconds_is_told_once),
        cmocka_unit_test(track_that_was_mastered_before_is_given_targets_as_such),
        cmocka_unit_test(timings_are_those_of_the_stages),
        cmocka_unit_test(known_track_is_only_calibrated),
        cmocka_unit_test(damaged_track_yields_its_sound_part_and_the_error),
        cmocka_unit_test(track_that_does_not_open_yields_the_error),
        cmocka_unit_test(read_error_in_either_pass_leaves_no_analysis),
        cmocka_unit_test(failure_of_any_stage_is_the_jobs_error),
        cmocka_unit_test(jobs_run_by_priority_then_by_arrival),
        cmocka_unit_test(changed_priority_moves_a_waiting_job),
        cmocka_unit_test(changed_priority_of_a_running_job_does_nothing),
        cmocka_unit_test(cancelled_waiting_job_never_runs),
        cmocka_unit_test(running_job_is_cancelled_at_any_frame_of_either_pass),
        cmocka_unit_test(cancelled_completed_job_keeps_its_result),
        cmocka_unit_test(reaped_job_can_be_submitted_again),
        cmocka_unit_test(event_is_up_from_completion_until_all_is_reaped),
        cmocka_unit_test(two_workers_complete_each_of_200_jobs_once),
        cmocka_unit_test(destroy_cancels_what_waits_and_what_runs),
        cmocka_unit_test(unreaped_result_belongs_to_the_owner_after_destroy),
        cmocka_unit_test(backend_of_no_jobs_can_be_destroyed_and_null_too),
        cmocka_unit_test(create_reports_every_failed_allocation),
        cmocka_unit_test(worker_has_a_name_and_stands_back),
        cmocka_unit_test(idle_worker_takes_only_what_is_left_over),
        cmocka_unit_test(backend_without_the_module_says_why),
        cmocka_unit_test(backend_has_cuda_or_a_reason_and_works_either_way),
        cmocka_unit_test(backend_that_was_not_asked_for_cuda_has_no_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
