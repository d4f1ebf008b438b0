// SPDX-License-Identifier: MIT
#include "engine/desktop/walk.h"
#include "support/failing_heap.h"
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
// cmocka wants setjmp.h, stdarg.h and their like before it
#include <cmocka.h>

// Each test runs inside an empty folder of its own; paths are relative to it.
static int set_up(void **state)
{
    static char folder[64];
    strcpy(folder, "/tmp/segue-walk-XXXXXX");
    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

static void remove_tree(const char *path)
{
    enum { DESCRIPTORS = 16 };
    assert_int_equal(nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS), 0);
}

static int tear_down(void **state)
{
    assert_int_equal(chdir("/"), 0);
    remove_tree(*state);
    return 0;
}

static void make_file(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

// Walk and write down each path, with its error in brackets, separated by '|'.
static void assert_walk(const struct walk_config *config, const char *expected)
{
    char seen[8192] = "";
    struct walk *walk;
    struct walk_item item;
    int result;
    assert_int_equal(walk_create(&walk, config), 0);
    while ((result = walk_next(walk, &item)) == 1) {
        const size_t used = strlen(seen);
        const char *error = item.error == -ENODATA ? "[empty]" : item.error ? "[error]" : "";
        snprintf(seen + used, sizeof seen - used, "%s%s|", item.path, error);
    }
    assert_int_equal(result, 0);
    walk_destroy(&walk);
    assert_null(walk);
    assert_string_equal(seen, expected);
}

#define PATHS(...)                                                                                 \
    (const struct walk_config)                                                                     \
    {                                                                                              \
        .paths = (char *[]){__VA_ARGS__}, .count = sizeof(char *[]){__VA_ARGS__} / sizeof(char *)  \
    }

static void what_is_given_by_name_comes_as_it_is(void **state)
{
    (void)state;
    make_file("notes.txt");
    make_file(".hidden.wav");
    const struct walk_config config = PATHS("./notes.txt", ".hidden.wav", "missing.flac", "-");
    assert_walk(&config, "./notes.txt|.hidden.wav|missing.flac|-|");
}

static void folders_are_walked_in_byte_order_of_names(void **state)
{
    (void)state;
    make_folder("m");
    make_folder("m/b");
    make_folder("m/b/deep");
    make_file("m/b/deep/1.flac");
    make_file("m/b/2.opus");
    make_file("m/a.wav");
    make_file("m/B.MP3");
    make_file("m/c.ogg");
    make_file("m/\xc3\xa9.aiff");
    make_file("m/cover.jpg");
    const struct walk_config config = PATHS("m");
    assert_walk(&config, "m/B.MP3|m/a.wav|m/b/2.opus|m/b/deep/1.flac|m/c.ogg|m/\xc3\xa9.aiff|");
}

static void a_slash_at_the_end_is_not_doubled(void **state)
{
    (void)state;
    make_folder("m");
    make_file("m/a.wav");
    make_folder("e");
    const struct walk_config config = PATHS("m/", "./m", "e/");
    assert_walk(&config, "m/a.wav|./m/a.wav|e/[empty]|");
}

static void hidden_names_in_folders_are_skipped(void **state)
{
    (void)state;
    make_folder("m");
    make_folder("m/.trash");
    make_file("m/.trash/a.wav");
    make_file("m/.b.wav");
    make_file("m/c.wav");
    const struct walk_config config = PATHS("m", "m/.trash");
    assert_walk(&config, "m/c.wav|m/.trash/a.wav|");
}

static void a_folder_without_audio_is_named_once(void **state)
{
    (void)state;
    make_folder("m");
    make_folder("m/sub");
    make_file("m/sub/cover.jpg");
    make_file("x.wav");
    const struct walk_config config = PATHS("m", "x.wav");
    assert_walk(&config, "m[empty]|x.wav|");
}

static void links_are_followed_but_never_in_circles(void **state)
{
    (void)state;
    make_folder("m");
    make_folder("m/a");
    make_folder("other");
    make_file("m/a/1.wav");
    make_file("other/2.wav");
    assert_int_equal(symlink("..", "m/a/up"), 0);
    assert_int_equal(symlink(".", "m/a/self"), 0);
    assert_int_equal(symlink("../other", "m/z"), 0);
    assert_int_equal(symlink("../m", "other/back"), 0);
    assert_int_equal(symlink("nowhere", "m/dangling.flac"), 0);
    const struct walk_config config = PATHS("m");
    assert_walk(&config, "m/a/1.wav|m/dangling.flac|m/z/2.wav|");
}

static void a_folder_that_cannot_be_read_is_an_error_and_the_walk_goes_on(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); // root reads everything
    make_folder("m");
    make_folder("m/locked");
    make_file("m/z.wav");
    assert_int_equal(chmod("m/locked", 0), 0);
    const struct walk_config config = PATHS("m");
    assert_walk(&config, "m/locked[error]|m/z.wav|");
}

static void a_dash_reads_paths_one_a_line(void **state)
{
    (void)state;
    make_folder("m");
    make_file("m/a.wav");
    char text[] = "x y.wav\n\nm\nlast.flac";
    FILE *input = fmemopen(text, sizeof text - 1, "r");
    assert_non_null(input);
    struct walk_config config = PATHS("first", "-", "after");
    config.input = input;
    config.terminator = '\n';
    assert_walk(&config, "first|x y.wav|m/a.wav|last.flac|after|");
    fclose(input);
}

static void paths_that_end_with_nul_may_hold_newlines(void **state)
{
    (void)state;
    char text[] = "a\nb.wav\0c.wav";
    FILE *input = fmemopen(text, sizeof text, "r");
    assert_non_null(input);
    struct walk_config config = PATHS("-");
    config.input = input;
    config.terminator = 0;
    assert_walk(&config, "a\nb.wav|c.wav|");
    fclose(input);
}

static void an_empty_input_gives_nothing(void **state)
{
    (void)state;
    FILE *input = fopen("/dev/null", "r");
    assert_non_null(input);
    struct walk_config config = PATHS("-");
    config.input = input;
    config.terminator = '\n';
    assert_walk(&config, "");
    fclose(input);
}

static void many_files_come_each_once_and_in_order(void **state)
{
    (void)state;
    enum { FILES = 500 };
    char path[32], before[32] = "";
    unsigned seen = 0;
    make_folder("m");
    for (unsigned i = 0; i < FILES; ++i) {
        snprintf(path, sizeof path, "m/%04u.wav", (i * 7919U) % FILES);
        make_file(path);
    }
    struct walk *walk;
    struct walk_item item;
    const struct walk_config config = PATHS("m");
    assert_int_equal(walk_create(&walk, &config), 0);
    while (walk_next(walk, &item) == 1) {
        assert_true(strcmp(before, item.path) < 0);
        strcpy(before, item.path);
        ++seen;
    }
    walk_destroy(&walk);
    assert_int_equal(seen, FILES);
}

static void a_walk_can_be_left_in_the_middle(void **state)
{
    (void)state;
    make_folder("m");
    make_folder("m/n");
    make_file("m/n/a.wav");
    make_file("m/n/b.wav");
    struct walk *walk;
    struct walk_item item;
    const struct walk_config config = PATHS("m");
    assert_int_equal(walk_create(&walk, &config), 0);
    assert_int_equal(walk_next(walk, &item), 1);
    walk_destroy(&walk);
    assert_null(walk);
    walk_destroy(&walk);
}

// Walk to the end with the allocation after `successes` others failing. @return the last result.
static int walk_with_failure(const struct walk_config *config, size_t successes)
{
    struct walk *walk = NULL;
    struct walk_item item;
    failing_heap_arm(successes);
    int result = walk_create(&walk, config);
    if (result == 0) {
        while ((result = walk_next(walk, &item)) == 1)
            assert_non_null(item.path);
        walk_destroy(&walk);
    }
    assert_null(walk);
    return result;
}

static void running_out_of_memory_at_any_call_ends_the_walk_cleanly(void **state)
{
    (void)state;
    size_t failures = 0;
    make_folder("m");
    make_folder("m/a-folder-with-a-name-that-does-not-fit-the-first-buffer");
    make_file("m/a-folder-with-a-name-that-does-not-fit-the-first-buffer/1.wav");
    make_file("m/2.wav");
    const struct walk_config config = PATHS("m");
    while (walk_with_failure(&config, failures) != 0) {
        assert_true(failing_heap_has_failed());
        ++failures;
    }
    failing_heap_arm(SIZE_MAX);
    assert_true(failures >= 8);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_given_by_name_comes_as_it_is),
        TEST(folders_are_walked_in_byte_order_of_names),
        TEST(a_slash_at_the_end_is_not_doubled),
        TEST(hidden_names_in_folders_are_skipped),
        TEST(a_folder_without_audio_is_named_once),
        TEST(links_are_followed_but_never_in_circles),
        TEST(a_folder_that_cannot_be_read_is_an_error_and_the_walk_goes_on),
        TEST(a_dash_reads_paths_one_a_line),
        TEST(paths_that_end_with_nul_may_hold_newlines),
        TEST(an_empty_input_gives_nothing),
        TEST(many_files_come_each_once_and_in_order),
        TEST(a_walk_can_be_left_in_the_middle),
        TEST(running_out_of_memory_at_any_call_ends_the_walk_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
