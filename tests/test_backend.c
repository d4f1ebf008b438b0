// SPDX-License-Identifier: MIT
#include "support/backend_fixture.h"

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

static void run_one(struct backend_job *job)
{
    struct backend *backend = create(1);
    backend_submit(backend, job);
    assert_ptr_equal(next_completed(backend), job);
    backend_destroy(&backend);
}

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
