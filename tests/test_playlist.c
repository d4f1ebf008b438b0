// SPDX-License-Identifier: MIT
#include "io/playlist.h"
#include "support/failing_heap.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
// cmocka wants the first four above before it
#include <cmocka.h>

struct folder {
    char path[64];
    char list[128];
};

struct entries {
    char text[4096]; // each followed by '|'
    unsigned count, stop_after;
};

static int set_up(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    if (!folder)
        return -1;
    strcpy(folder->path, "/tmp/segue-playlist-XXXXXX");
    *state = folder;
    return mkdtemp(folder->path) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct folder *folder = *state;
    unlink(folder->list);
    rmdir(folder->path);
    free(folder);
    return 0;
}

static void write_list(struct folder *folder, const char *name, const char *bytes, size_t count)
{
    snprintf(folder->list, sizeof folder->list, "%s/%s", folder->path, name);
    FILE *file = fopen(folder->list, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static int note(void *context, const char *path)
{
    struct entries *entries = context;
    if (strlen(entries->text) + strlen(path) + 2 < sizeof entries->text) {
        strcat(entries->text, path);
        strcat(entries->text, "|");
    }
    return ++entries->count == entries->stop_after ? -ECANCELED : 0;
}

// Read the list and compare; "@/" in `expected` stands for its folder.
static void assert_entries(struct folder *folder, const char *name, const char *bytes, size_t count,
                           const char *expected)
{
    struct entries entries = {.count = 0};
    char whole[4096] = "";
    write_list(folder, name, bytes, count);
    assert_int_equal(playlist_read(folder->list, note, &entries), 0);
    for (const char *c = expected; *c; ++c)
        strncat(whole, *c == '@' ? folder->path : c, *c == '@' ? sizeof folder->path : 1);
    assert_string_equal(entries.text, whole);
    unlink(folder->list);
}

static void relative_entries_belong_to_the_list_s_folder(void **state)
{
    static const char list[] = "#EXTM3U\n#EXTINF:12,A - B\na.flac\n../up/b c.mp3\n/abs/d.wav\n";
    assert_entries(*state, "l.m3u", list, sizeof list - 1, "@/a.flac|@/../up/b c.mp3|/abs/d.wav|");
}

static void dos_line_ends_marks_and_blank_lines_do_no_harm(void **state)
{
    static const char list[] = "\xef\xbb\xbf#EXTM3U\r\n\r\n  \r\nB\xc3\xa9la.ogg\r\nlast";
    assert_entries(*state, "l.M3U8", list, sizeof list - 1, "@/B\xc3\xa9la.ogg|@/last|");
    static const char bare[] = "\xef\xbb\xbf"
                               "first.wav";
    assert_entries(*state, "l.m3u8", bare, sizeof bare - 1, "@/first.wav|");
}

static void pls_takes_only_its_file_lines(void **state)
{
    static const char list[] = "[playlist]\nNumberOfEntries=2\nFile1=a.mp3\nTitle1=File9=x\n"
                               "Length1=3\nfile2=/b.mp3\nFile=no\nFile3=\nVersion=2\n";
    assert_entries(*state, "l.pls", list, sizeof list - 1, "@/a.mp3|/b.mp3|");
}

static void file_uris_become_paths_and_others_stay(void **state)
{
    static const char list[] = "file:///m/a%20b%2f.wav\nfile://localhost/c%zz%00\nFILE:/d\n"
                               "http://host/x%20y\nfile://other/e\n";
    assert_entries(*state, "l.m3u", list, sizeof list - 1,
                   "/m/a b/.wav|/c%zz%00|/d|http://host/x%20y|file://other/e|");
}

static void garbage_gives_no_entry_and_no_crash(void **state)
{
    struct folder *folder = *state;
    struct entries entries = {.count = 0};
    static char bytes[100000];
    unsigned seed = 12345;
    for (size_t i = 0; i < sizeof bytes; ++i) {
        seed = seed * 1103515245U + 12345U;
        bytes[i] = (char)(seed >> 16);
        if (bytes[i] == '\n' && i % 3)
            bytes[i] = 0;
    }
    write_list(folder, "l.m3u", bytes, sizeof bytes);
    const int result = playlist_read(folder->list, note, &entries);
    assert_true(result == 0 || result == -ENODATA);
    assert_int_equal(entries.count == 0, result == -ENODATA);
}

static void lines_that_cannot_be_paths_are_left_out(void **state)
{
    static const char head[] = {'a', '\n', 'b', 0, 'c', '\n'}, tail[] = {'\n', 'd', '\n'};
    static char list[40000];
    memset(list, 'x', sizeof list);
    memcpy(list, head, sizeof head);
    memcpy(list + sizeof list - sizeof tail, tail, sizeof tail);
    assert_entries(*state, "l.m3u", list, sizeof list, "@/a|@/d|");
}

static void what_is_no_list_has_an_error_of_its_own(void **state)
{
    struct folder *folder = *state;
    struct entries entries = {.count = 0};
    assert_int_equal(playlist_read("/nonexistent/l.m3u", note, &entries), -ENOENT);
    assert_int_equal(playlist_read(folder->path, note, &entries), -EINVAL);
    write_list(folder, "l.m3u", "# only words\n", 13);
    assert_int_equal(playlist_read(folder->list, note, &entries), -ENODATA);
    write_list(folder, "l.m3u", "\xff\xfe\x61\0\n\0", 6);
    assert_int_equal(playlist_read(folder->list, note, &entries), -EBADMSG);
    unlink(folder->list);
    assert_int_equal(mkfifo(folder->list, 0600), 0);
    assert_int_equal(playlist_read(folder->list, note, &entries), -EINVAL);
    assert_int_equal(entries.count, 0);
}

static void the_reader_can_stop_early(void **state)
{
    struct folder *folder = *state;
    struct entries entries = {.stop_after = 2};
    write_list(folder, "l.m3u", "a\nb\nc\n", 6);
    assert_int_equal(playlist_read(folder->list, note, &entries), -ECANCELED);
    assert_int_equal(entries.count, 2);
}

static void running_out_of_memory_is_reported(void **state)
{
    struct folder *folder = *state;
    struct entries entries = {.count = 0};
    write_list(folder, "l.m3u", "a\n", 2);
    for (size_t successes = 0; successes < 2; ++successes) {
        failing_heap_arm(successes);
        assert_int_equal(playlist_read(folder->list, note, &entries), -ENOMEM);
    }
    failing_heap_arm(SIZE_MAX);
    assert_int_equal(entries.count, 0);
}

static void names_tell_playlists(void **state)
{
    (void)state;
    assert_true(playlist_is_name("x/y.m3u") && playlist_is_name("A.M3U8") &&
                playlist_is_name("b.pls"));
    assert_false(playlist_is_name(".m3u") || playlist_is_name("a.m3u.flac") ||
                 playlist_is_name("m3u"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(relative_entries_belong_to_the_list_s_folder),
        TEST(dos_line_ends_marks_and_blank_lines_do_no_harm),
        TEST(pls_takes_only_its_file_lines),
        TEST(file_uris_become_paths_and_others_stay),
        TEST(garbage_gives_no_entry_and_no_crash),
        TEST(lines_that_cannot_be_paths_are_left_out),
        TEST(what_is_no_list_has_an_error_of_its_own),
        TEST(the_reader_can_stop_early),
        TEST(running_out_of_memory_is_reported),
        TEST(names_tell_playlists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
