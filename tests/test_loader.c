// SPDX-License-Identifier: MIT
#include "io/bytes/loader.h"
#include "support/loop_thread.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const enum loader_backend backends[] = {LOADER_AUTO, LOADER_THREADS, LOADER_SYNCHRONOUS};
enum { N_BACKENDS = 3 };

static struct loader *create(enum loader_backend backend)
{
    struct loader *loader;
    assert_int_equal(loader_create(&loader, &(struct loader_config){.backend = backend}), 0);
    return loader;
}

static void deadline_of_zero_does_not_wait(void **state)
{
    (void)state;
    for (int i = 0; i < N_BACKENDS; i++) {
        struct loader *loader = create(backends[i]);
        assert_int_equal(loader_run_once(loader, 0), 0);
        assert_int_equal(loader_run_once(loader, 1), 0); // long past
        loader_destroy(&loader);
        assert_null(loader);
    }
}

static void wake_before_the_wait_is_not_lost(void **state)
{
    (void)state;
    for (int i = 0; i < N_BACKENDS; i++) {
        struct loader *loader = create(backends[i]);
        loader_wake(loader);
        assert_int_equal(loader_run_once(loader, INT64_MAX), 0); // hangs if it is
        loader_destroy(&loader);
    }
}

static void wake_from_another_thread_ends_the_wait(void **state)
{
    (void)state;
    for (int i = 0; i < N_BACKENDS; i++) {
        struct loop_thread loop;
        struct loader *loader = create(backends[i]);
        loop_thread_start(&loop, loader);
        assert_int_equal(loop_thread_stop(&loop), 0); // joins only when woken
        loader_destroy(&loader);
    }
}

static void count_and_drain(void *context)
{
    int *seen = context;
    eventfd_t value;
    assert_int_equal(eventfd_read(seen[0], &value), 0);
    seen[1] += (int)value;
}

static void watched_descriptor_is_called_each_time_until_unwatched(void **state)
{
    (void)state;
    for (int i = 0; i < N_BACKENDS; i++) {
        struct loader *loader = create(backends[i]);
        int seen[2] = {eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), 0};
        assert_true(seen[0] >= 0);
        assert_int_equal(loader_watch(loader, seen[0], count_and_drain, seen), 0);

        for (int n = 1; n <= 5; n++) {
            assert_int_equal(eventfd_write(seen[0], 1), 0);
            while (seen[1] < n)
                assert_int_equal(loader_run_once(loader, INT64_MAX), 0);
        }
        assert_int_equal(loader_watch(loader, seen[0], NULL, NULL), 0);
        assert_int_equal(eventfd_write(seen[0], 1), 0);
        for (int n = 0; n < 5; n++)
            assert_int_equal(loader_run_once(loader, 0), 0);

        assert_int_equal(seen[1], 5);
        assert_int_equal(loader_watch(loader, seen[0], NULL, NULL), -ENOENT);
        loader_destroy(&loader);
        close(seen[0]);
    }
}

static void names_tell_the_backend(void **state)
{
    (void)state;
    struct loader *loader = create(LOADER_THREADS);
    assert_string_equal(loader_backend_name(loader), "threads");
    assert_null(loader_fallback_reason(loader));
    loader_destroy(&loader);
    loader = create(LOADER_SYNCHRONOUS);
    assert_string_equal(loader_backend_name(loader), "synchronous");
    loader_destroy(&loader);
}

/// In a child: forbid io_uring_setup with `error` and see what becomes of AUTO and of URING.
static int forbidden_child(int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
        return 77;
    struct loader *loader;
    if (loader_create(&loader, &(struct loader_config){.backend = LOADER_URING}) != -error)
        return 2;
    if (loader_create(&loader, &(struct loader_config){.backend = LOADER_AUTO}))
        return 3;
    const char *reason = loader_fallback_reason(loader);
    if (strcmp(loader_backend_name(loader), "threads") != 0 || !reason)
        return 4;
    if (!strstr(reason, error == EPERM ? "EPERM" : "ENOSYS"))
        return 5;
    loader_wake(loader);
    if (loader_run_once(loader, INT64_MAX))
        return 6;
    loader_destroy(&loader);
    return 0;
}

static void assert_falls_back(int error)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(forbidden_child(error));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void io_uring_forbidden_with_eperm_falls_back_to_threads(void **state)
{
    (void)state;
    assert_falls_back(EPERM);
}

static void io_uring_forbidden_with_enosys_falls_back_to_threads(void **state)
{
    (void)state;
    assert_falls_back(ENOSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadline_of_zero_does_not_wait),
        cmocka_unit_test(wake_before_the_wait_is_not_lost),
        cmocka_unit_test(wake_from_another_thread_ends_the_wait),
        cmocka_unit_test(watched_descriptor_is_called_each_time_until_unwatched),
        cmocka_unit_test(names_tell_the_backend),
        cmocka_unit_test(io_uring_forbidden_with_eperm_falls_back_to_threads),
        cmocka_unit_test(io_uring_forbidden_with_enosys_falls_back_to_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
