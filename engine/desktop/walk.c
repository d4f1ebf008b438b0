// SPDX-License-Identifier: MIT
#include "engine/desktop/walk.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

// One folder under way: its names, sorted, in one piece of memory.
struct level {
    struct level *parent;
    dev_t device;
    ino_t inode;
    size_t path_bytes; // of the folder in walk->path, its final slash included
    size_t own_bytes;  // the same as it was given, with or without a slash
    char **names;      // into `text`; before each name stands its d_type
    char *text;
    size_t text_bytes, text_room;
    size_t count, next;
};

struct walk {
    struct walk_config config;
    size_t next_argument;
    int reads_input; // inside a "-"
    char *line;      // getdelim()'s
    size_t line_room;
    struct level *level; // the innermost folder; NULL: between arguments
    char *path;
    size_t path_room;
    uint64_t found; // files since the outermost folder was opened
};

int walk_is_audio_name(const char *name)
{
    static const char *const extensions[] = {
        "wav", "wave", "flac", "ogg",  "oga", "opus", "mp3",  "mp2", "aiff",
        "aif", "aifc", "au",   "snd",  "caf", "w64",  "rf64", "bwf", "voc",
        "wv",  "m4a",  "aac",  "alac", "ape", "wma",  "mpc",
    };
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name)
        return 0;
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; ++i)
        if (strcasecmp(dot + 1, extensions[i]) == 0)
            return 1;
    return 0;
}

static void pop_level(struct walk *walk)
{
    struct level *level = walk->level;
    walk->level = level->parent;
    free(level->names);
    free(level->text);
    free(level);
}

int walk_create(struct walk **out, const struct walk_config *config)
{
    assert(out && config && (config->paths || config->count == 0));
    *out = calloc(1, sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->config = *config;
    return 0;
}

void walk_destroy(struct walk **walk)
{
    if (!*walk)
        return;
    while ((*walk)->level)
        pop_level(*walk);
    free((*walk)->line);
    free((*walk)->path);
    free(*walk);
    *walk = NULL;
}

// Make walk->path `prefix` bytes of what it is, then `name`.
static int set_path(struct walk *walk, size_t prefix, const char *name)
{
    const size_t bytes = strlen(name);
    const size_t needed = prefix + bytes + 2; // room for a slash and the NUL
    if (needed > walk->path_room) {
        char *grown = realloc(walk->path, needed * 2);
        if (!grown)
            return -ENOMEM;
        walk->path = grown;
        walk->path_room = needed * 2;
    }
    memcpy(walk->path + prefix, name, bytes + 1);
    return 0;
}

static int add_name(struct level *level, const struct dirent *entry)
{
    const size_t bytes = strlen(entry->d_name) + 2; // d_type before, NUL after
    if (level->text_bytes + bytes > level->text_room) {
        const size_t room = (level->text_bytes + bytes) * 2;
        char *grown = realloc(level->text, room);
        if (!grown)
            return -ENOMEM;
        level->text = grown;
        level->text_room = room;
    }
    char *at = level->text + level->text_bytes;
    at[0] = (char)entry->d_type;
    memcpy(at + 1, entry->d_name, bytes - 1);
    level->text_bytes += bytes;
    ++level->count;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Point at each name once the text no longer moves, and sort.
static int sort_names(struct level *level)
{
    level->names = calloc(level->count + 1, sizeof *level->names);
    if (!level->names)
        return -ENOMEM;
    char *at = level->text;
    for (size_t i = 0; i < level->count; ++i) {
        level->names[i] = at + 1;
        at += strlen(at + 1) + 2;
    }
    qsort(level->names, level->count, sizeof *level->names, compare_names);
    return 0;
}

// What can be told by its name to be neither a folder nor audio is not even remembered.
static int is_wanted(const struct dirent *entry)
{
    if (entry->d_name[0] == '.')
        return 0;
    return entry->d_type != DT_REG || walk_is_audio_name(entry->d_name);
}

static int read_names(struct level *level, DIR *folder)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry)
            return -errno;
        const int error = is_wanted(entry) ? add_name(level, entry) : 0;
        if (error)
            return error;
    }
}

static int fill_level(struct level *level, const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return -errno;
    int error = read_names(level, folder);
    closedir(folder);
    if (!error)
        error = sort_names(level);
    return error;
}

// Open the folder walk->path as the innermost. @return 0 or -errno, the walk as before.
static int push_level(struct walk *walk, const struct stat *info)
{
    struct level *level = calloc(1, sizeof *level);
    if (!level)
        return -ENOMEM;
    level->parent = walk->level;
    level->device = info->st_dev;
    level->inode = info->st_ino;
    walk->level = level;
    const int error = fill_level(level, walk->path);
    if (error) {
        pop_level(walk);
        return error;
    }
    level->path_bytes = level->own_bytes = strlen(walk->path);
    if (walk->path[level->path_bytes - 1] != '/')
        walk->path[level->path_bytes++] = '/'; // set_path() left room
    return 0;
}

static int is_being_walked(const struct walk *walk, const struct stat *info)
{
    for (const struct level *level = walk->level; level; level = level->parent)
        if (level->device == info->st_dev && level->inode == info->st_ino)
            return 1;
    return 0;
}

static int give(const struct walk *walk, struct walk_item *item, int error)
{
    item->path = walk->path;
    item->error = error;
    return 1;
}

// The next name of the innermost folder. @return 1: *item; 0: nothing to give, go on; -ENOMEM.
static int step_in_folder(struct walk *walk, struct walk_item *item)
{
    struct level *level = walk->level;
    if (level->next == level->count) {
        const int is_empty = !level->parent && walk->found == 0;
        walk->path[level->own_bytes] = 0;
        pop_level(walk);
        return is_empty ? give(walk, item, -ENODATA) : 0;
    }
    const char *name = level->names[level->next++];
    const unsigned char type = (unsigned char)name[-1];
    struct stat info = {0};
    if (set_path(walk, level->path_bytes, name))
        return -ENOMEM;
    if (type == DT_REG || (type != DT_DIR && type != DT_LNK && type != DT_UNKNOWN) ||
        stat(walk->path, &info) || !S_ISDIR(info.st_mode)) {
        if (!walk_is_audio_name(name))
            return 0;
        ++walk->found;
        return give(walk, item, 0);
    }
    if (is_being_walked(walk, &info))
        return 0;
    const int error = push_level(walk, &info);
    if (!error || error == -ENOMEM)
        return error;
    ++walk->found; // the folder has been named: do not call its parent empty as well
    return give(walk, item, error);
}

// A path that was given: a file as it is, a folder to be walked. @return as step_in_folder().
static int begin_argument(struct walk *walk, struct walk_item *item, const char *path)
{
    struct stat info;
    if (set_path(walk, 0, path))
        return -ENOMEM;
    if (stat(path, &info) || !S_ISDIR(info.st_mode))
        return give(walk, item, 0);
    walk->found = 0;
    const int error = push_level(walk, &info);
    if (!error || error == -ENOMEM)
        return error;
    return give(walk, item, error);
}

static int step_in_input(struct walk *walk, struct walk_item *item)
{
    errno = 0;
    const ssize_t bytes =
        getdelim(&walk->line, &walk->line_room, walk->config.terminator, walk->config.input);
    if (bytes < 0) {
        walk->reads_input = 0;
        return errno == ENOMEM ? -ENOMEM : ferror(walk->config.input) ? -EIO : 0;
    }
    if (walk->line[bytes - 1] == walk->config.terminator)
        walk->line[bytes - 1] = 0;
    return walk->line[0] ? begin_argument(walk, item, walk->line) : 0;
}

int walk_next(struct walk *walk, struct walk_item *item)
{
    assert(walk && item);
    for (;;) {
        int result;
        if (walk->level) {
            result = step_in_folder(walk, item);
        } else if (walk->reads_input) {
            result = step_in_input(walk, item);
        } else if (walk->next_argument == walk->config.count) {
            return 0;
        } else {
            const char *path = walk->config.paths[walk->next_argument++];
            walk->reads_input = walk->config.input && strcmp(path, "-") == 0;
            result = walk->reads_input ? 0 : begin_argument(walk, item, path);
        }
        if (result != 0)
            return result;
    }
}
