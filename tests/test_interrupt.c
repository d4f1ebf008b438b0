// SPDX-License-Identifier: MIT
// SIGINT in the middle of `segue analyze`, in a child: at the first line that is printed, and as if saving took
// until all else is analysed.
#include "engine/desktop/commands.h"
#include "engine/desktop/interrupt.h"
#include "engine/library/library.h"
#include "gpu/backend.h"
#include "io/store/store.h"
#include "support/scratch.h"
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
// cmocka.h wants those above it
#include <cmocka.h>

enum { FILES = 4, RATE_HZ = 8000, FRAMES = RATE_HZ };

// --- what the child's program goes through

enum child { UNDISTURBED, INTERRUPTED, IGNORING };

static enum child kind;
static sem_t saving, all_done;
static int printed, computed;

int __real_puts(const char *line);
int __wrap_puts(const char *line);
void __real_library_flush(struct library *library);
void __wrap_library_flush(struct library *library);
void __real_interrupt_stop(struct interrupt **interrupt);
void __wrap_interrupt_stop(struct interrupt **interrupt);
void __real_backend_submit(struct backend *backend, struct backend_job *job);
void __wrap_backend_submit(struct backend *backend, struct backend_job *job);

int __wrap_puts(const char *line)
{
    const int result = __real_puts(line);
    if (printed++ == 0 && kind != UNDISTURBED) {
        fflush(stdout);
        kill(getpid(), SIGINT);
        if (kind == INTERRUPTED)
            sem_wait(&saving);
    }
    return result;
}

void __wrap_library_flush(struct library *library)
{
    sem_post(&saving);
    __real_library_flush(library);
    sem_wait(&all_done);
}

void __wrap_interrupt_stop(struct interrupt **interrupt)
{
    sem_post(&all_done);
    __real_interrupt_stop(interrupt);
}

void __wrap_backend_submit(struct backend *backend, struct backend_job *job)
{
    ++computed;
    __real_backend_submit(backend, job);
}

static void run_child(char paths[FILES][SCRATCH_PATH_BYTES], int count, const char *out)
{
    char name[] = "segue", command[] = "analyze", jobs[] = "--jobs", one[] = "1";
    char *argv[4 + FILES + 1] = {name, command, jobs, one};
    for (int i = 0; i < count; ++i)
        argv[4 + i] = paths[i];
    struct options options;
    struct log log;
    sem_init(&saving, 0, 0);
    sem_init(&all_done, 0, 0);
    signal(SIGINT, kind == IGNORING ? SIG_IGN : SIG_DFL);
    if (!freopen(out, "w", stdout) || options_parse(&options, 4 + count, argv) != OPTIONS_RUN)
        _exit(100);
    log_init(&log, STDERR_FILENO, LOG_LEVEL_ERROR);
    store_set_up_process();
    const int status = (int)command_analyze(&options, &log);
    fflush(stdout);
    _exit(status ? 100 + status : computed);
}

// --- the parent

struct fixture {
    char folder[SCRATCH_PATH_BYTES], database[SCRATCH_PATH_BYTES], out[SCRATCH_PATH_BYTES];
    char paths[FILES][SCRATCH_PATH_BYTES];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    scratch_create(f->folder);
    scratch_path(f->database, f->folder, "segue");
    scratch_path(f->out, f->folder, "out");
    setenv("XDG_DATA_HOME", f->folder, 1);
    setenv("HOME", f->folder, 1);
    for (int i = 0; i < FILES; ++i) {
        char name[16];
        snprintf(name, sizeof name, "%d.wav", i);
        scratch_path(f->paths[i], f->folder, name);
        int16_t *music = scratch_music((uint64_t)i + 1, FRAMES, RATE_HZ);
        scratch_write_s16(f->paths[i], music, FRAMES, RATE_HZ, 2);
        free(music);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    scratch_remove(f->database);
    scratch_remove(f->folder);
    free(f);
    return 0;
}

/// @return how the child ended: as waitpid() has it.
static int run(struct fixture *f, enum child child, int count)
{
    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        kind = child;
        run_child(f->paths, count, f->out);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int count_lines(const struct fixture *f)
{
    FILE *file = fopen(f->out, "r");
    assert_non_null(file);
    int lines = 0;
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

static void what_is_printed_is_saved_and_no_more_is_printed_once_it_is_not(void **state)
{
    struct fixture *f = *state;
    const int interrupted = run(f, INTERRUPTED, FILES);
    assert_true(WIFSIGNALED(interrupted) && WTERMSIG(interrupted) == SIGINT);
    assert_int_equal(count_lines(f), 1);
    const int again = run(f, UNDISTURBED, 1);
    assert_true(WIFEXITED(again));
    assert_int_equal(WEXITSTATUS(again), 0); // computed
    assert_int_equal(count_lines(f), 1);
}

static void signal_that_is_ignored_stays_ignored(void **state)
{
    struct fixture *f = *state;
    const int ignoring = run(f, IGNORING, FILES);
    assert_true(WIFEXITED(ignoring));
    assert_int_equal(WEXITSTATUS(ignoring), FILES);
    assert_int_equal(count_lines(f), FILES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_printed_is_saved_and_no_more_is_printed_once_it_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signal_that_is_ignored_stays_ignored, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("interrupt", tests, NULL, NULL);
}
