// SPDX-License-Identifier: MIT
// What the suites of tags share: a file that is put together byte by byte, and what is read of it.
#pragma once
#include "io/tags/tags.h"
#include "io/writing/audio_file.h"
#include "support/loop_thread.h"
#include "support/scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 200000 };

struct fixture {
    char folder[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES];
    struct loop_thread loop;
    unsigned char *bytes; // a file being laid out
    size_t count;
    struct tags tags;
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->bytes = calloc(1, ROOM);
    assert_non_null(f->bytes);
    scratch_create(f->folder);
    scratch_path(f->path, f->folder, "file");
    loop_thread_open(&f->loop);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(loop_thread_close(&f->loop), 0);
    scratch_remove(f->folder);
    tags_deinit(&f->tags);
    free(f->bytes);
    free(f);
    return 0;
}

static inline void put(struct fixture *f, const void *bytes, size_t count)
{
    assert_true(f->count + count <= ROOM);
    memcpy(f->bytes + f->count, bytes, count);
    f->count += count;
}

static inline void put_text(struct fixture *f, const char *text)
{
    put(f, text, strlen(text));
}

static inline void put_little(struct fixture *f, uint32_t value)
{
    put(f,
        (unsigned char[]){value & 255, value >> 8 & 255, value >> 16 & 255,
                          (unsigned char)(value >> 24)},
        4);
}

static inline void put_big(struct fixture *f, uint32_t value)
{
    put(f,
        (unsigned char[]){(unsigned char)(value >> 24), value >> 16 & 255, value >> 8 & 255,
                          value & 255},
        4);
}

static inline void read_file(struct fixture *f)
{
    struct source *source;
    struct file_identity identity;
    const struct source_config config = {.path = f->path, .priority = LOADER_PLAYING};
    assert_int_equal(source_open(&source, f->loop.loader, &config), 0);
    assert_int_equal(source_wait_open(source, &identity), 0);
    tags_deinit(&f->tags);
    assert_int_equal(tags_read(&f->tags, source, identity.size_bytes), 0);
    source_close(&source);
}

static inline void read_laid_out(struct fixture *f)
{
    FILE *file = fopen(f->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(f->bytes, 1, f->count, file), f->count);
    assert_int_equal(fclose(file), 0);
    read_file(f);
}

static inline void assert_tag(const struct fixture *f, const char *name, const char *value)
{
    const char *found = tags_get(&f->tags, name);
    assert_non_null(found);
    assert_string_equal(found, value);
}
