// SPDX-License-Identifier: MIT
// A library whose database is damaged, locked or hostile.
#include "support/library_fixture.h"

enum { TRACKS = 8, PAGE_BYTES = 4096 };

// SQLite's: nothing here is about power cuts, and a disk takes its time.
int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static void name_track(const struct fixture *f, char path[SCRATCH_PATH_BYTES], unsigned number)
{
    char name[32];
    snprintf(name, sizeof(name), "%u.wav", number);
    scratch_path(path, f->folder, name);
}

static void make_tracks(struct fixture *f)
{
    for (unsigned i = 0; i < TRACKS; ++i) {
        char path[SCRATCH_PATH_BYTES], text[32];
        name_track(f, path, i);
        snprintf(text, sizeof(text), "the bytes of track %u", i);
        write_file(path, text);
        age(path, 1600000000);
    }
}

// Look all up; compute what is missed. @return how many were found, each with its own record.
static unsigned scan(struct fixture *f)
{
    unsigned found = 0;
    start(f);
    for (unsigned i = 0; i < TRACKS; ++i) {
        char path[SCRATCH_PATH_BYTES];
        struct record *record = sample_record(i);
        name_track(f, path, i);
        struct library_lookup lookup = look_up(f, path);
        if (lookup.outcome == LIBRARY_RECORD)
            sample_record_assert_equal(lookup.record, record);
        if (lookup.outcome != LIBRARY_RECORD)
            library_save(f->library, &lookup, record);
        found += lookup.outcome == LIBRARY_RECORD;
        library_lookup_deinit(&lookup);
        record_unref(&record);
    }
    library_destroy(&f->library);
    return found;
}

static void copy_file(const char *from, const char *to)
{
    char bytes[PAGE_BYTES];
    size_t got;
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    assert_true(in && out);
    while ((got = fread(bytes, 1, sizeof(bytes), in)) > 0)
        assert_int_equal(fwrite(bytes, 1, got, out), got);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

// One page of it filled with zeros, and no log beside it. @return whether there is such a page.
static bool damage(const struct fixture *f, const char *sound, long page)
{
    static const char zeros[PAGE_BYTES];
    char beside[SCRATCH_PATH_BYTES + 8];
    struct stat st;
    assert_int_equal(stat(sound, &st), 0);
    if (page * PAGE_BYTES >= st.st_size)
        return false;
    snprintf(beside, sizeof(beside), "%s-wal", f->database);
    (void)unlink(beside); // there may be none
    snprintf(beside, sizeof(beside), "%s-shm", f->database);
    (void)unlink(beside);
    copy_file(sound, f->database);
    FILE *file = fopen(f->database, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, page * PAGE_BYTES, SEEK_SET), 0);
    assert_int_equal(fwrite(zeros, PAGE_BYTES, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    return true;
}

static void whichever_page_is_bad_the_next_run_hits_all(void **state)
{
    struct fixture *f = *state;
    char sound[SCRATCH_PATH_BYTES];
    unsigned with_hits = 0, pages = 0;
    scratch_path(sound, f->folder, "sound.db");
    make_tracks(f);
    assert_int_equal(scan(f), 0);
    copy_file(f->database, sound);
    for (long page = 0; damage(f, sound, page); ++page, ++pages) {
        with_hits += scan(f) > 0;
        assert_int_equal(scan(f), TRACKS);
    }
    // The schema's page and the roots of what every look-up goes through cost all; any other but a few.
    assert_true(pages > 8 && with_hits + 4 >= pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whichever_page_is_bad_the_next_run_hits_all, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
