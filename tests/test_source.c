// SPDX-License-Identifier: MIT
#include "io/bytes/loader.h"
#include "io/bytes/loader_ops.h"
#include "io/bytes/source.h"
#include "support/loop_thread.h"
#include "support/sim_loader.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_BYTES = 3 * 1024 * 1024 + 12345, WINDOW_BYTES = 512 * 1024 };

static char folder[] = "/tmp/segue-source-XXXXXX";
static unsigned char *content;

static unsigned char byte_at(uint64_t offset)
{
    return (unsigned char)((offset * 2654435761u) >> 13 ^ offset);
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, size_t bytes)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, bytes), bytes);
    close(fd);
}

static int make_files(void **state)
{
    (void)state;
    content = malloc(FILE_BYTES);
    if (!content || !mkdtemp(folder))
        return -1;
    for (size_t i = 0; i < FILE_BYTES; i++)
        content[i] = byte_at(i);
    write_file("large", FILE_BYTES);
    write_file("small", 1000);
    write_file("middle", 100000);
    write_file("empty", 0);
    return mkfifo(path_of("fifo"), 0600) || mkdir(path_of("directory"), 0700) ||
           symlink("small", path_of("link"));
}

static int remove_files(void **state)
{
    (void)state;
    static const char *const names[] = {"large", "small", "middle", "empty",
                                        "fifo",  "link",  "change", "directory"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(path_of(names[i]));
    free(content);
    return rmdir(folder);
}

struct rig {
    struct loader *loader;
    struct loop_thread loop;
    struct source *source;
};

static void rig_start(struct rig *r, enum loader_backend backend)
{
    *r = (struct rig){0};
    assert_int_equal(loader_create(&r->loader, &(struct loader_config){.backend = backend}), 0);
    loop_thread_start(&r->loop, r->loader);
}

static void rig_start_sim(struct rig *r, struct sim_loader *sim)
{
    *r = (struct rig){0};
    sim_loader_use(sim);
    assert_int_equal(loader_create_with(&r->loader, &sim_loader_ops, &(struct loader_config){0}),
                     0);
    loop_thread_start(&r->loop, r->loader);
}

static void rig_open(struct rig *r, const char *path)
{
    struct source_config config = {.path = path, .window_bytes = WINDOW_BYTES};
    assert_int_equal(source_open(&r->source, r->loader, &config), 0);
}

static void rig_stop(struct rig *r)
{
    source_close(&r->source);
    assert_null(r->source);
    assert_int_equal(loop_thread_stop(&r->loop), 0);
    loader_destroy(&r->loader);
    assert_null(r->loader);
}

static void assert_reads(struct source *s, uint64_t offset, size_t bytes, size_t expected)
{
    unsigned char *buffer = malloc(bytes + 1);
    assert_non_null(buffer);
    buffer[bytes] = 0x5a;
    assert_int_equal(source_read(s, buffer, offset, bytes), expected);
    assert_memory_equal(buffer, content + offset, expected);
    assert_int_equal(buffer[bytes], 0x5a);
    free(buffer);
}

// --- The same for each back end ------------------------------------------------------------------

static void reads_whole_file_in_order(enum loader_backend backend)
{
    struct rig r;
    rig_start(&r, backend);
    rig_open(&r, path_of("large"));
    for (uint64_t at = 0; at < FILE_BYTES; at += 10007)
        assert_reads(r.source, at, 10007, FILE_BYTES - at < 10007 ? FILE_BYTES - at : 10007);
    rig_stop(&r);
}

static void identity_is_what_stat_says_of_the_file(enum loader_backend backend)
{
    struct rig r;
    rig_start(&r, backend);
    rig_open(&r, path_of("large"));
    struct stat st;
    assert_int_equal(stat(path_of("large"), &st), 0);
    struct file_identity identity;
    assert_int_equal(source_wait_open(r.source, &identity), 0);
    assert_int_equal(identity.device, st.st_dev);
    assert_int_equal(identity.inode, st.st_ino);
    assert_int_equal(identity.size_bytes, st.st_size);
    assert_int_equal(identity.mtime_ns, st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
    assert_int_equal(identity.ctime_ns, st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
    rig_stop(&r);
}

static void reads_at_random_places(enum loader_backend backend)
{
    struct rig r;
    rig_start(&r, backend);
    rig_open(&r, path_of("large"));
    uint64_t random = 7;
    for (int i = 0; i < 150; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t at = (random >> 33) % FILE_BYTES;
        size_t bytes = 1 + (random >> 20) % 600000;
        assert_reads(r.source, at, bytes, bytes < FILE_BYTES - at ? bytes : FILE_BYTES - at);
    }
    rig_stop(&r);
}

static int64_t open_error(struct rig *r, const char *path)
{
    rig_open(r, path);
    struct file_identity identity;
    int error = source_wait_open(r->source, &identity);
    assert_int_equal(source_poll_open(r->source, &identity), error);
    char byte;
    assert_int_equal(source_read(r->source, &byte, 0, 1), error);
    source_close(&r->source);
    return error;
}

static void refuses_what_is_no_file(enum loader_backend backend)
{
    struct rig r;
    rig_start(&r, backend);
    assert_int_equal(open_error(&r, path_of("directory")), -EISDIR);
    assert_int_equal(open_error(&r, path_of("fifo")), -ESPIPE);
    assert_int_equal(open_error(&r, "/dev/zero"), -ESPIPE);
    assert_int_equal(open_error(&r, path_of("absent")), -ENOENT);
    assert_int_equal(open_error(&r, path_of("small/x")), -ENOTDIR);
    rig_stop(&r);
}

static void small_and_empty_files_end_where_they_do(enum loader_backend backend)
{
    struct rig r;
    rig_start(&r, backend);
    rig_open(&r, path_of("link"));
    assert_reads(r.source, 0, 5000, 1000);
    assert_reads(r.source, 999, 5, 1);
    assert_reads(r.source, 1000, 5, 0);
    assert_reads(r.source, 1u << 30, 5, 0);
    source_close(&r.source);
    rig_open(&r, path_of("middle"));
    assert_reads(r.source, 60000, 50000, 40000);
    source_close(&r.source);
    rig_open(&r, path_of("empty"));
    assert_reads(r.source, 0, 5, 0);
    rig_stop(&r);
}

static void notices_a_file_cut_while_it_loads(enum loader_backend backend)
{
    struct rig r;
    write_file("change", FILE_BYTES);
    rig_start(&r, backend);
    rig_open(&r, path_of("change"));
    assert_reads(r.source, 0, 1000, 1000);
    assert_int_equal(truncate(path_of("change"), 2000000), 0);
    unsigned char byte;
    assert_int_equal(source_read(r.source, &byte, 1900000, 1), -ESTALE);
    rig_stop(&r);
}

static void many_sources_load_at_once(enum loader_backend backend)
{
    enum { N = 12 };
    struct rig r;
    struct source *sources[N];
    rig_start(&r, backend);
    struct source_config config = {.path = path_of("large"), .window_bytes = WINDOW_BYTES};
    for (int i = 0; i < N; i++) {
        config.priority = (enum loader_priority)(i % LOADER_PRIORITIES);
        assert_int_equal(source_open(&sources[i], r.loader, &config), 0);
    }
    for (uint64_t at = 0; at < FILE_BYTES; at += 400000)
        for (int i = 0; i < N; i++)
            assert_reads(sources[i], at, 1000, FILE_BYTES - at < 1000 ? FILE_BYTES - at : 1000);
    for (int i = 0; i < N; i++)
        source_close(&sources[i]);
    rig_stop(&r);
}

static void closing_while_it_loads_is_clean(enum loader_backend backend)
{
    struct rig r;
    rig_start(&r, backend);
    for (int i = 0; i < 200; i++) {
        rig_open(&r, path_of("large"));
        if (i % 3 == 0)
            assert_reads(r.source, 0, 10, 10);
        source_close(&r.source);
    }
    rig_open(&r, path_of("small"));
    assert_reads(r.source, 0, 10, 10);
    rig_stop(&r);
}

#define ON_EACH_BACKEND(behaviour)                                                                 \
    static void behaviour##_on_uring(void **state)                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        behaviour(LOADER_AUTO);                                                                    \
    }                                                                                              \
    static void behaviour##_on_threads(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        behaviour(LOADER_THREADS);                                                                 \
    }                                                                                              \
    static void behaviour##_synchronously(void **state)                                            \
    {                                                                                              \
        (void)state;                                                                               \
        behaviour(LOADER_SYNCHRONOUS);                                                             \
    }
ON_EACH_BACKEND(reads_whole_file_in_order)
ON_EACH_BACKEND(identity_is_what_stat_says_of_the_file)
ON_EACH_BACKEND(reads_at_random_places)
ON_EACH_BACKEND(refuses_what_is_no_file)
ON_EACH_BACKEND(small_and_empty_files_end_where_they_do)
ON_EACH_BACKEND(notices_a_file_cut_while_it_loads)
ON_EACH_BACKEND(many_sources_load_at_once)
ON_EACH_BACKEND(closing_while_it_loads_is_clean)

// --- Simulated -----------------------------------------------------------------------------------

static void reads_survive_reordering_short_reads_and_interruptions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_file file = {.path = "a", .data = content, .bytes = FILE_BYTES};
        struct sim_loader sim = {.seed = seed,
                                 .files = &file,
                                 .n_files = 1,
                                 .passing_error_percent = 30,
                                 .short_read_percent = 50,
                                 .max_latency_ns = 50000000};
        struct rig r;
        rig_start_sim(&r, &sim);
        rig_open(&r, "a");
        for (uint64_t at = 0; at + 100000 < FILE_BYTES; at += 100000)
            assert_reads(r.source, at, 100000, 100000);
        rig_stop(&r);
        assert_true(atomic_load(&sim.n_reads) >= FILE_BYTES / (256 * 1024));
        assert_true(atomic_load(&sim.max_read_bytes) <= 256 * 1024);
        assert_int_equal(atomic_load(&sim.n_open), 0);
    }
}

static void bytes_before_the_cut_are_refused_once_the_file_is_cut(void **state)
{
    (void)state;
    struct sim_file file = {.path = "a", .data = content, .bytes = FILE_BYTES};
    struct sim_loader sim = {.seed = 1, .files = &file, .n_files = 1};
    struct rig r;
    rig_start_sim(&r, &sim);
    rig_open(&r, "a");
    assert_reads(r.source, 0, 1000, 1000);
    atomic_store(&file.cut_to_bytes, 2500000);
    unsigned char byte;
    assert_int_equal(source_read(r.source, &byte, 1500000, 1), -ESTALE);
    rig_stop(&r);
}

static void read_error_is_told_only_where_it_is(void **state)
{
    (void)state;
    struct sim_file file = {.path = "a",
                            .data = content,
                            .bytes = FILE_BYTES,
                            .fault = {.from_byte = 1500000, .to_byte = 1500001, .error = -EIO}};
    struct sim_loader sim = {.seed = 1, .files = &file, .n_files = 1};
    struct rig r;
    rig_start_sim(&r, &sim);
    rig_open(&r, "a");
    unsigned char byte;
    assert_int_equal(source_read(r.source, &byte, 1500000, 1), -EIO);
    assert_int_equal(source_read(r.source, &byte, 1500000, 1), -EIO);
    assert_reads(r.source, 0, 1000000, 1000000);
    assert_reads(r.source, 2000000, 1000, 1000);
    rig_stop(&r);
}

static void stall_of_one_file_holds_neither_another_nor_its_closing(void **state)
{
    (void)state;
    struct sim_file files[2] = {{.path = "stuck", .data = content, .bytes = FILE_BYTES},
                                {.path = "b", .data = content, .bytes = FILE_BYTES}};
    struct sim_loader sim = {.seed = 1, .files = files, .n_files = 2};
    atomic_init(&files[0].is_held, 1);
    struct rig r;
    rig_start_sim(&r, &sim);
    rig_open(&r, "stuck");
    struct file_identity identity;
    assert_int_equal(source_wait_open(r.source, &identity), 0);

    struct source *other;
    struct source_config config = {.path = "b", .window_bytes = WINDOW_BYTES};
    assert_int_equal(source_open(&other, r.loader, &config), 0);
    for (uint64_t at = 0; at + 200000 < FILE_BYTES; at += 200000)
        assert_reads(other, at, 200000, 200000);
    source_close(&other);
    source_close(&r.source);

    atomic_store(&files[0].is_held, 0);
    loader_wake(r.loader);
    rig_stop(&r);
    assert_int_equal(atomic_load(&sim.n_open), 0);
}

static void stuck_scans_leave_room_for_the_track_that_plays(void **state)
{
    (void)state;
    enum { N_SCANS = 6 };
    struct sim_file files[2] = {{.path = "stuck", .data = content, .bytes = FILE_BYTES},
                                {.path = "b", .data = content, .bytes = FILE_BYTES}};
    struct sim_loader sim = {.seed = 1, .files = files, .n_files = 2};
    atomic_init(&files[0].is_held, 1);
    struct rig r = {0};
    sim_loader_use(&sim);
    struct loader_config four = {.depth = 4};
    assert_int_equal(loader_create_with(&r.loader, &sim_loader_ops, &four), 0);
    struct source *scans[N_SCANS];
    struct source_config config = {.path = "stuck", .priority = LOADER_SCAN};
    for (int i = 0; i < N_SCANS; i++)
        assert_int_equal(source_open(&scans[i], r.loader, &config), 0);
    for (int i = 0; i < 1000; i++) // more than the scans need to fill what they may
        assert_int_equal(loader_run_once(r.loader, 0), 0);

    loop_thread_start(&r.loop, r.loader);
    rig_open(&r, "b");
    assert_reads(r.source, 0, 200000, 200000); // hangs without

    for (int i = 0; i < N_SCANS; i++)
        source_close(&scans[i]);
    atomic_store(&files[0].is_held, 0);
    rig_stop(&r);
    assert_int_equal(atomic_load(&sim.n_open), 0);
}

static void window_bound_holds(void **state)
{
    (void)state;
    struct sim_file file = {.path = "a", .data = content, .bytes = FILE_BYTES};
    struct sim_loader sim = {.seed = 3, .files = &file, .n_files = 1};
    struct rig r;
    rig_start_sim(&r, &sim);
    rig_open(&r, "a");
    assert_reads(r.source, 0, 10, 10);
    rig_stop(&r);
    // Head, tail, and the two blocks that 512 KiB from byte 0 on touch.
    assert_true(atomic_load(&sim.n_reads) <= 4);
}

static void cancel_ends_a_wait(void **state)
{
    (void)state;
    struct rig r = {0};
    assert_int_equal(loader_create(&r.loader, &(struct loader_config){.backend = LOADER_THREADS}),
                     0);
    rig_open(&r, path_of("large"));
    source_cancel(r.source);
    struct file_identity identity;
    char byte;
    assert_int_equal(source_wait_open(r.source, &identity), -ECANCELED);
    assert_int_equal(source_read(r.source, &byte, 0, 1), -ECANCELED);
    source_close(&r.source);
    loader_destroy(&r.loader);
    assert_null(r.loader);
}

static void playing_is_read_before_a_scan(void **state)
{
    (void)state;
    enum { N = 5 };
    struct sim_file files[N];
    for (int i = 0; i < N; i++)
        files[i] = (struct sim_file){
            .path = (const char *[]){"0", "1", "2", "3", "4"}[i], .data = content, .bytes = 60000};
    struct sim_loader sim = {.seed = 5, .files = files, .n_files = N};
    struct loader *loader;
    sim_loader_use(&sim);
    assert_int_equal(
        loader_create_with(&loader, &sim_loader_ops, &(struct loader_config){.depth = 1}), 0);
    struct source *sources[N];
    for (int i = 0; i < N; i++) {
        struct source_config config = {.path = files[i].path, .priority = LOADER_SCAN};
        assert_int_equal(source_open(&sources[i], loader, &config), 0);
    }
    source_set_priority(sources[4], LOADER_PLAYING);

    while (atomic_load(&sim.n_reads) < N)
        assert_int_equal(loader_run_once(loader, 0), 0);

    assert_int_equal(sim.order[0], 4);
    for (int i = 0; i < N; i++)
        source_close(&sources[i]);
    loader_destroy(&loader);
    assert_int_equal(atomic_load(&sim.n_open), 0);
}

#define BACKEND_TESTS(behaviour)                                                                   \
    cmocka_unit_test(behaviour##_on_uring), cmocka_unit_test(behaviour##_on_threads),              \
        cmocka_unit_test(behaviour##_synchronously)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BACKEND_TESTS(reads_whole_file_in_order),
        BACKEND_TESTS(identity_is_what_stat_says_of_the_file),
        BACKEND_TESTS(reads_at_random_places),
        BACKEND_TESTS(refuses_what_is_no_file),
        BACKEND_TESTS(small_and_empty_files_end_where_they_do),
        BACKEND_TESTS(notices_a_file_cut_while_it_loads),
        BACKEND_TESTS(many_sources_load_at_once),
        BACKEND_TESTS(closing_while_it_loads_is_clean),
        cmocka_unit_test(reads_survive_reordering_short_reads_and_interruptions),
        cmocka_unit_test(bytes_before_the_cut_are_refused_once_the_file_is_cut),
        cmocka_unit_test(read_error_is_told_only_where_it_is),
        cmocka_unit_test(stall_of_one_file_holds_neither_another_nor_its_closing),
        cmocka_unit_test(stuck_scans_leave_room_for_the_track_that_plays),
        cmocka_unit_test(window_bound_holds),
        cmocka_unit_test(cancel_ends_a_wait),
        cmocka_unit_test(playing_is_read_before_a_scan),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
