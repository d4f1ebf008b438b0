// SPDX-License-Identifier: MIT
#include "support/power_disk.h"
#include "support/rng.h"
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512, NAMES = 16, NO_FILE = -1 };

enum kind { CREATE, WRITE, TRUNCATE, SYNC, RENAME, REMOVE, SYNC_FOLDER };

struct entry {
    enum kind kind;
    unsigned file;
    size_t at, count; // of a write; of a truncation `at` is the new length
    unsigned char *bytes;
    char name[POWER_DISK_NAME_BYTES], to[POWER_DISK_NAME_BYTES];
};

struct power_disk {
    struct entry *entries;
    size_t count, capacity;
    unsigned files;
};

static void *checked(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

struct power_disk *power_disk_create(void)
{
    return checked(calloc(1, sizeof(struct power_disk)));
}

void power_disk_destroy(struct power_disk **disk)
{
    struct power_disk *d = *disk;
    if (!d)
        return;
    for (size_t i = 0; i < d->count; ++i)
        free(d->entries[i].bytes);
    free(d->entries);
    free(d);
    *disk = NULL;
}

// --- the log

static struct entry *append(struct power_disk *d, enum kind kind, unsigned file)
{
    if (d->count == d->capacity) {
        d->capacity = d->capacity ? 2 * d->capacity : 64;
        d->entries = checked(realloc(d->entries, d->capacity * sizeof(*d->entries)));
    }
    struct entry *e = &d->entries[d->count++];
    *e = (struct entry){.kind = kind, .file = file};
    return e;
}

static void set_name(char to[POWER_DISK_NAME_BYTES], const char *name)
{
    assert(strlen(name) < POWER_DISK_NAME_BYTES);
    snprintf(to, POWER_DISK_NAME_BYTES, "%s", name);
}

void power_disk_write(struct power_disk *d, unsigned file, size_t offset, const void *bytes,
                      size_t count)
{
    struct entry *e = append(d, WRITE, file);
    e->at = offset;
    e->count = count;
    e->bytes = checked(malloc(count + 1));
    memcpy(e->bytes, bytes, count);
}

void power_disk_truncate(struct power_disk *d, unsigned file, size_t bytes)
{
    append(d, TRUNCATE, file)->at = bytes;
}

void power_disk_sync(struct power_disk *d, unsigned file)
{
    append(d, SYNC, file);
}

void power_disk_remove(struct power_disk *d, const char *name)
{
    set_name(append(d, REMOVE, 0)->name, name);
}

void power_disk_sync_folder(struct power_disk *d)
{
    append(d, SYNC_FOLDER, 0);
}

size_t power_disk_now(const struct power_disk *d)
{
    return d->count;
}

// --- names

struct folder {
    char names[NAMES][POWER_DISK_NAME_BYTES];
    int files[NAMES]; // NO_FILE: there is none of that name (any more)
    unsigned count;
};

static int *place_of(struct folder *f, const char *name)
{
    for (unsigned i = 0; i < f->count; ++i)
        if (strcmp(f->names[i], name) == 0)
            return &f->files[i];
    assert(f->count < NAMES);
    set_name(f->names[f->count], name);
    f->files[f->count] = NO_FILE;
    return &f->files[f->count++];
}

static void change_names(struct folder *f, const struct entry *e)
{
    if (e->kind == CREATE) {
        *place_of(f, e->name) = (int)e->file;
    } else if (e->kind == REMOVE) {
        *place_of(f, e->name) = NO_FILE;
    } else if (e->kind == RENAME) {
        if (*place_of(f, e->name) == (int)e->file)
            *place_of(f, e->name) = NO_FILE;
        *place_of(f, e->to) = (int)e->file;
    }
}

static int file_now(const struct power_disk *d, const char *name)
{
    struct folder now = {.count = 0};
    for (size_t i = 0; i < d->count; ++i)
        change_names(&now, &d->entries[i]);
    return *place_of(&now, name);
}

unsigned power_disk_open(struct power_disk *d, const char *name)
{
    const int file = file_now(d, name);
    if (file != NO_FILE)
        return (unsigned)file;
    set_name(append(d, CREATE, d->files)->name, name);
    return d->files++;
}

void power_disk_rename(struct power_disk *d, const char *from, const char *to)
{
    const int file = file_now(d, from);
    assert(file != NO_FILE);
    struct entry *e = append(d, RENAME, (unsigned)file);
    set_name(e->name, from);
    set_name(e->to, to);
}

// --- the cut

// How bad it is, drawn for each cut.
enum luck { ALL_DONE, NONE_DONE, FILES_DIFFER, SECTORS_DIFFER };

struct cut {
    const struct power_disk *disk;
    size_t entries;
    uint64_t seed;
    enum luck luck;
    bool names_in_order; // as a journalling file system has it
};

// The same number for the same place.
static uint64_t draw(const struct cut *c, unsigned file, size_t place)
{
    uint64_t state = c->seed ^ (uint64_t)file << 48 ^ place;
    (void)rng_next(&state);
    return rng_next(&state);
}

// @return how many entries of the log, from the first on, are on the disk for certain.
static size_t synced_entries(const struct cut *c, enum kind kind, unsigned file)
{
    size_t entries = 0;
    for (size_t i = 0; i < c->entries; ++i)
        if (c->disk->entries[i].kind == kind && c->disk->entries[i].file == file)
            entries = i;
    return entries;
}

// Which of a file's unsynced changes, from the first on, reached this place. Of `pending` changes.
static size_t reached(const struct cut *c, unsigned file, size_t place, size_t pending)
{
    if (c->luck == ALL_DONE)
        return pending;
    if (c->luck == NONE_DONE)
        return 0;
    return draw(c, file, c->luck == FILES_DIFFER ? 0 : place) % (pending + 1);
}

struct image {
    unsigned char *bytes;
    size_t capacity, size;
};

static void set_bytes(struct image *image, const struct entry *e, size_t from, size_t to)
{
    if (e->kind == WRITE && to > e->at && from < e->at + e->count) {
        const size_t begin = from > e->at ? from : e->at;
        const size_t end = to < e->at + e->count ? to : e->at + e->count;
        memcpy(image->bytes + begin, e->bytes + (begin - e->at), end - begin);
    } else if (e->kind == TRUNCATE && to > e->at) {
        const size_t begin = from > e->at ? from : e->at;
        memset(image->bytes + begin, 0, to - begin);
    }
}

// Garbage where this change of the sector would have been.
static void tear(const struct cut *c, struct image *image, const struct entry *e, size_t from,
                 size_t to)
{
    uint64_t state = draw(c, e->file, ~from);
    for (size_t i = from > e->at ? from : e->at; i < to && i < e->at + e->count; ++i)
        image->bytes[i] = (unsigned char)rng_next(&state);
}

static size_t size_after(size_t size, const struct entry *e)
{
    if (e->kind == TRUNCATE)
        return e->at;
    return e->kind == WRITE && e->at + e->count > size ? e->at + e->count : size;
}

static bool changes(const struct entry *e, unsigned file)
{
    return e->file == file && (e->kind == WRITE || e->kind == TRUNCATE);
}

static void change_sectors(const struct cut *c, struct image *image, const struct entry *e,
                           size_t ordinal, size_t pending)
{
    const size_t end = e->kind == TRUNCATE ? image->capacity : e->at + e->count;
    for (size_t at = e->at - e->at % SECTOR_BYTES; at < end; at += SECTOR_BYTES) {
        const size_t next = at + SECTOR_BYTES < end ? at + SECTOR_BYTES : end;
        const bool torn = c->luck == SECTORS_DIFFER && draw(c, e->file + 1000, at) % 4 == 0;
        if (ordinal < reached(c, e->file, at / SECTOR_BYTES + 2, pending))
            set_bytes(image, e, at, next);
        else if (torn && e->kind == WRITE)
            tear(c, image, e, at, next);
    }
}

static struct image image_of(const struct cut *c, unsigned file)
{
    const struct entry *entries = c->disk->entries;
    const size_t synced = synced_entries(c, SYNC, file);
    struct image image = {0};
    size_t pending = 0, ordinal = 0;
    for (size_t i = 0; i < c->entries; ++i) {
        if (!changes(&entries[i], file))
            continue;
        const size_t size = size_after(0, &entries[i]);
        image.capacity = size > image.capacity ? size : image.capacity;
        pending += i >= synced;
    }
    image.bytes = checked(calloc(1, image.capacity + 1));
    const size_t size_reached = reached(c, file, 1, pending);
    for (size_t i = 0; i < c->entries; ++i) {
        const struct entry *e = &entries[i];
        if (!changes(e, file))
            continue;
        if (i < synced) {
            set_bytes(&image, e, 0, image.capacity);
            image.size = size_after(image.size, e);
            continue;
        }
        change_sectors(c, &image, e, ordinal, pending);
        if (ordinal++ < size_reached)
            image.size = size_after(image.size, e);
    }
    return image;
}

static struct folder folder_of(const struct cut *c)
{
    const size_t synced = synced_entries(c, SYNC_FOLDER, 0);
    const size_t in_order = synced + draw(c, 2000, 0) % (c->entries - synced + 1);
    struct folder folder = {.count = 0};
    for (size_t i = 0; i < c->entries; ++i) {
        const bool done = c->luck == ALL_DONE    ? true
                          : c->luck == NONE_DONE ? false
                          : c->names_in_order    ? i < in_order
                                                 : draw(c, 2001, i) % 2;
        if (i < synced || done)
            change_names(&folder, &c->disk->entries[i]);
    }
    return folder;
}

static void write_image(const struct image *image, const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = checked(fopen(path, "wb"));
    if (fwrite(image->bytes, 1, image->size, file) != image->size || fclose(file) != 0)
        abort();
}

void power_disk_cut(const struct power_disk *d, size_t entries, uint64_t seed, const char *folder)
{
    assert(entries <= d->count);
    uint64_t state = seed;
    const struct cut c = {.disk = d,
                          .entries = entries,
                          .seed = rng_next(&state),
                          .luck = rng_next(&state) % 8 < 2 ? (enum luck)(rng_next(&state) % 2)
                                  : rng_next(&state) % 4   ? SECTORS_DIFFER
                                                           : FILES_DIFFER,
                          .names_in_order = rng_next(&state) % 2};
    const struct folder left = folder_of(&c);
    for (unsigned i = 0; i < left.count; ++i) {
        if (left.files[i] == NO_FILE)
            continue;
        const struct image image = image_of(&c, (unsigned)left.files[i]);
        write_image(&image, folder, left.names[i]);
        free(image.bytes);
    }
}
