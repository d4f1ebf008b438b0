// SPDX-License-Identifier: MIT
#include "support/backend_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_by_priority_then_by_arrival),
        cmocka_unit_test(changed_priority_moves_a_waiting_job),
        cmocka_unit_test(changed_priority_of_a_running_job_does_nothing),
        cmocka_unit_test(cancelled_waiting_job_never_runs),
        cmocka_unit_test(running_job_is_cancelled_at_any_frame_of_either_pass),
        cmocka_unit_test(cancelled_completed_job_keeps_its_result),
        cmocka_unit_test(reaped_job_can_be_submitted_again),
        cmocka_unit_test(event_is_up_from_completion_until_all_is_reaped),
        cmocka_unit_test(two_workers_complete_each_of_200_jobs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
