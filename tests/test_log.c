// SPDX-License-Identifier: MIT
#include "engine/log.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// cmocka wants setjmp.h, stdarg.h and their like before it
#include <cmocka.h>

struct channel {
    struct log log;
    int ends[2];
};

static int set_up(void **state)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (!channel || pipe2(channel->ends, O_CLOEXEC))
        return -1;
    log_init(&channel->log, channel->ends[1], LOG_LEVEL_WARN);
    *state = channel;
    return 0;
}

static int tear_down(void **state)
{
    struct channel *channel = *state;
    close(channel->ends[0]);
    close(channel->ends[1]);
    free(channel);
    return 0;
}

// All that was written so far; at most a pipe's worth.
static const char *written(struct channel *channel)
{
    static char text[65536];
    fcntl(channel->ends[0], F_SETFL, O_NONBLOCK);
    const ssize_t bytes = read(channel->ends[0], text, sizeof text - 1);
    text[bytes > 0 ? bytes : 0] = 0;
    return text;
}

static void a_line_names_the_program_the_subject_and_the_cause(void **state)
{
    struct channel *channel = *state;
    log_write(&channel->log, LOG_LEVEL_ERROR, "a b.flac", "no such file (%d)", 2);
    log_write(&channel->log, LOG_LEVEL_WARN, NULL, "io_uring: forbidden");
    assert_string_equal(written(channel), "segue: a b.flac: no such file (2)\n"
                                          "segue: io_uring: forbidden\n");
}

static void what_weighs_less_than_the_level_is_not_written(void **state)
{
    struct channel *channel = *state;
    log_write(&channel->log, LOG_LEVEL_INFO, "x", "y");
    assert_string_equal(written(channel), "");
    log_init(&channel->log, channel->ends[1], LOG_LEVEL_DEBUG);
    log_write(&channel->log, LOG_LEVEL_DEBUG, "x", "y");
    assert_string_equal(written(channel), "segue: x: y\n");
}

static void subject_and_message_are_escaped(void **state)
{
    struct channel *channel = *state;
    log_write(&channel->log, LOG_LEVEL_ERROR, "a\nsegue: b\xff", "c\x1b[2J");
    assert_string_equal(written(channel), "segue: a\\nsegue: b\\xff: c\\x1b[2J\n");
}

static void the_longest_line_is_one_piece_and_keeps_its_cause(void **state)
{
    struct channel *channel = *state;
    static char path[PATH_MAX * 2];
    memset(path, '\x01', sizeof path - 1);
    log_write(&channel->log, LOG_LEVEL_ERROR, path, "cause");
    const char *line = written(channel);
    const size_t bytes = strlen(line);
    assert_true(bytes <= PIPE_BUF);
    assert_string_equal(line + bytes - 8, ": cause\n");
}

static void a_status_line_is_wiped_first(void **state)
{
    struct channel *channel = *state;
    log_set_status_line(&channel->log, 1);
    log_write(&channel->log, LOG_LEVEL_ERROR, NULL, "x");
    log_set_status_line(&channel->log, 0);
    log_write(&channel->log, LOG_LEVEL_ERROR, NULL, "y");
    assert_string_equal(written(channel), "\r\x1b[Ksegue: x\nsegue: y\n");
}

static void errno_survives_a_line(void **state)
{
    struct channel *channel = *state;
    struct log closed;
    log_init(&closed, 1000000, LOG_LEVEL_WARN);
    errno = ENOENT;
    log_write(&closed, LOG_LEVEL_ERROR, NULL, "lost");
    assert_int_equal(errno, ENOENT);
    assert_string_equal(written(channel), "");
}

static void levels_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < LOG_LEVEL_COUNT; ++i)
        assert_int_equal(log_level_parse(log_level_name((enum log_level)i)), i);
    assert_int_equal(log_level_parse("WARN"), -EINVAL);
}

enum { THREADS = 4, LINES = 500 };

struct shared {
    struct log log;
    struct log_once once;
};

static void *shout(void *context)
{
    struct shared *shared = context;
    char text[200];
    memset(text, 'z', sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (int i = 0; i < LINES; ++i) {
        log_write(&shared->log, LOG_LEVEL_WARN, "t", "%s", text);
        log_write_once(&shared->log, &shared->once, LOG_LEVEL_WARN, "once", "said");
    }
    return NULL;
}

static void lines_of_many_threads_stay_whole_and_once_is_once(void **state)
{
    (void)state;
    struct shared shared = {.once = {0}};
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_not_equal(fcntl(fileno(file), F_SETFL, O_APPEND), -1);
    log_init(&shared.log, fileno(file), LOG_LEVEL_WARN);

    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; ++i)
        assert_int_equal(pthread_create(&threads[i], NULL, shout, &shared), 0);
    for (int i = 0; i < THREADS; ++i)
        pthread_join(threads[i], NULL);

    char line[512];
    unsigned whole = 0, once = 0, other = 0;
    rewind(file);
    while (fgets(line, sizeof line, file)) {
        if (strcmp(line, "segue: once: said\n") == 0)
            ++once;
        else if (strlen(line) == 210 && strncmp(line, "segue: t: z", 11) == 0)
            ++whole;
        else
            ++other;
    }
    fclose(file);
    assert_int_equal(whole, THREADS * LINES);
    assert_int_equal(once, 1);
    assert_int_equal(other, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_names_the_program_the_subject_and_the_cause),
        TEST(what_weighs_less_than_the_level_is_not_written),
        TEST(subject_and_message_are_escaped),
        TEST(the_longest_line_is_one_piece_and_keeps_its_cause),
        TEST(a_status_line_is_wiped_first),
        TEST(errno_survives_a_line),
        TEST(levels_have_names),
        TEST(lines_of_many_threads_stay_whole_and_once_is_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
