// SPDX-License-Identifier: MIT
#include "engine/desktop/render_list.h"
#include "engine/desktop/walk.h"
#include "io/sound/decoder.h"
#include "io/writing/audio_file.h"
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/// Where outputs go, as the paths say.
struct target {
    const char *folder; // NULL: to the one file `file`, or nowhere
    const char *file;
    const char *extension;
    char real[PATH_MAX]; // of the folder, if it is there: its files are no inputs
    size_t in_count;     // of the paths that are inputs
};

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool ends_in_slash(const char *path)
{
    return path[strlen(path) - 1] == '/';
}

static int refuse(struct log *log, const char *path, const char *cause)
{
    log_write(log, LOG_LEVEL_ERROR, path, "%s", cause);
    return -EINVAL;
}

static int find_target(struct target *t, const struct options *o, struct log *log)
{
    *t = (struct target){.extension = o->type == RENDER_WAV ? "wav" : "flac",
                         .in_count = o->path_count};
    if (options_has(o, OPTION_MEASURE))
        return 0;
    const char *out = o->paths[--t->in_count];
    bool has_folders = false;
    for (size_t i = 0; i < t->in_count; ++i)
        has_folders |= is_folder(o->paths[i]);
    if (is_folder(out) || ends_in_slash(out) || (has_folders && !audio_file_is_known(out))) {
        t->folder = out;
        if (!realpath(out, t->real))
            t->real[0] = 0;
        if (options_has(o, OPTION_CHUNK))
            return refuse(log, out, "--chunk needs an output file, not a folder");
        return 0;
    }
    if (t->in_count > 1 || has_folders)
        return refuse(log, out,
                      "the output of several files must be a folder; one that is not there yet "
                      "ends in /");
    if (!audio_file_is_known(out))
        return refuse(log, out, "the output must end in .wav or .flac, or be a folder");
    if (options_has(o, OPTION_TYPE))
        return refuse(log, out, "--type is for folders: here the name says it");
    t->file = out;
    return 0;
}

char *render_list_name(const char *folder, const char *in, size_t skip, const char *extension)
{
    const char *name = in + skip;
    while (*name == '/')
        ++name;
    const char *base = strrchr(name, '/');
    base = base ? base + 1 : name;
    const char *dot = strrchr(base, '.');
    const int bytes = (int)(dot && dot > base ? dot - name : (ptrdiff_t)strlen(name));
    char *out;
    if (asprintf(&out, "%s%s%.*s.%s", folder, ends_in_slash(folder) ? "" : "/", bytes, name,
                 extension) < 0)
        return NULL;
    return out;
}

int render_list_try_folders(const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return -ENOMEM;
    struct stat st = {0};
    char *slash;
    do { // up to what is there already
        slash = strrchr(folder, '/');
        if (slash)
            *slash = 0;
    } while (slash && *folder && stat(folder, &st) && errno == ENOENT);
    const char *there = !slash ? "." : *folder ? folder : "/";
    const int error = access(there, W_OK | X_OK) ? -errno : 0;
    const bool is_file = stat(there, &st) == 0 && !S_ISDIR(st.st_mode);
    free(folder);
    return is_file ? -ENOTDIR : error;
}

int render_list_make_folders(const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    int error = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && !error; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0777) && errno != EEXIST)
            error = -errno;
        *slash = '/';
    }
    free(copy);
    return error;
}

// --- Gathering -----------------------------------------------------------------------------------

// Bytes of `path` that its output does not repeat: all but the name of a file; of a folder's files the folder, or
// what is before its name where there are several.
static size_t skipped_bytes(const struct target *t, const char *argument, const char *path)
{
    if (!is_folder(argument)) {
        const char *slash = strrchr(path, '/');
        return slash ? (size_t)(slash + 1 - path) : 0;
    }
    size_t bytes = strlen(argument);
    if (t->in_count == 1)
        return bytes;
    while (bytes > 0 && argument[bytes - 1] == '/')
        --bytes;
    while (bytes > 0 && argument[bytes - 1] != '/')
        --bytes;
    return bytes;
}

static bool is_below(const char *path, const char *folder)
{
    char real[PATH_MAX];
    const size_t bytes = strlen(folder);
    return bytes && realpath(path, real) && strncmp(real, folder, bytes) == 0 && real[bytes] == '/';
}

// Whether files below the outputs' folder are those of an earlier run: it lies within the folder that is walked.
static bool holds_outputs(const char *argument, const struct target *t)
{
    char real[PATH_MAX];
    return is_folder(argument) && t->real[0] && realpath(argument, real) && is_below(t->real, real);
}

static int add(struct render_list *list, const struct target *t, const char *argument,
               const char *path)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct render_item *items = realloc(list->items, capacity * sizeof(*items));
        if (!items)
            return -ENOMEM;
        list->items = items;
        list->capacity = capacity;
    }
    struct render_item item = {.in = strdup(path), .is_named = !is_folder(argument)};
    if (t->file)
        item.out = strdup(t->file);
    else if (t->folder)
        item.out =
            render_list_name(t->folder, path, skipped_bytes(t, argument, path), t->extension);
    struct stat st;
    if (stat(path, &st) == 0) {
        item.device = st.st_dev;
        item.inode = st.st_ino;
    }
    list->items[list->count++] = item;
    return item.in && (item.out || (!t->file && !t->folder)) ? 0 : -ENOMEM;
}

static int gather(struct render_list *list, const struct target *t, char *const *argument,
                  struct log *log)
{
    const struct walk_config config = {.paths = argument, .count = 1};
    const bool has_outputs = holds_outputs(*argument, t);
    struct walk *walk;
    struct walk_item item;
    int error = walk_create(&walk, &config);
    int more = error ? error : walk_next(walk, &item);
    while (more > 0 && !error) {
        if (item.error) {
            log_write(log, LOG_LEVEL_ERROR, item.path, "%s",
                      item.error == -ENODATA ? "no audio files in this folder"
                                             : decoder_error_text(item.error));
            list->failed = true;
        } else if (!has_outputs || !is_below(item.path, t->real)) {
            error = add(list, t, *argument, item.path);
        }
        more = walk_next(walk, &item);
    }
    walk_destroy(&walk);
    return error ? error : more;
}

// --- What must not be overwritten ----------------------------------------------------------------

static int compare_files(const void *a, const void *b)
{
    const struct render_item *x = a, *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return x->inode == y->inode ? 0 : x->inode < y->inode ? -1 : 1;
}

static int compare_outputs(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void forget(void *node)
{
    (void)node; // the list's own
}

static bool is_input(void *inputs, const char *out)
{
    struct stat st;
    if (stat(out, &st))
        return false;
    const struct render_item file = {.device = st.st_dev, .inode = st.st_ino};
    return tfind(&file, &inputs, compare_files) != NULL;
}

static void item_deinit(struct render_item *item)
{
    free(item->in);
    free(item->out);
    tags_deinit(&item->tags);
    record_unref(&item->record);
}

static void keep_unless(struct render_list *list, bool (*is_out)(const struct render_item *item))
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; ++i) {
        if (is_out(&list->items[i]))
            item_deinit(&list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->failed |= kept < list->count;
    list->count = kept;
}

static bool has_clash(const struct render_item *item)
{
    return item->clashes;
}

static bool has_no_record(const struct render_item *item)
{
    return !item->record;
}

void render_list_keep_analysed(struct render_list *list)
{
    keep_unless(list, has_no_record);
}

static const char *clash_of(const struct render_item *item, void *inputs, void *outputs)
{
    if (is_input(inputs, item->out))
        return "its output would overwrite an input: choose another folder or name";
    if (tfind(item->out, &outputs, compare_outputs))
        return "another input has an output of the same name";
    return NULL;
}

// Names what must not be written, and leaves it out.
static int drop_clashes(struct render_list *list, struct log *log)
{
    void *inputs = NULL, *outputs = NULL;
    bool full = false;
    for (size_t i = 0; i < list->count; ++i)
        full |= list->items[i].inode && !tsearch(&list->items[i], &inputs, compare_files);
    for (size_t i = 0; i < list->count && !full; ++i) {
        struct render_item *item = &list->items[i];
        const char *clash = clash_of(item, inputs, outputs);
        item->clashes = clash != NULL;
        if (clash)
            log_write(log, LOG_LEVEL_ERROR, item->in, "%s", clash);
        else
            full = !tsearch(item->out, &outputs, compare_outputs);
    }
    tdestroy(inputs, forget);
    tdestroy(outputs, forget);
    keep_unless(list, has_clash);
    return full ? -ENOMEM : 0;
}

int render_list_make(struct render_list *list, const struct options *options, struct log *log)
{
    struct target target;
    *list = (struct render_list){0};
    int error = find_target(&target, options, log);
    for (size_t i = 0; i < target.in_count && !error; ++i)
        error = gather(list, &target, &options->paths[i], log);
    if (!error && (target.file || target.folder))
        error = drop_clashes(list, log);
    return error;
}

void render_list_deinit(struct render_list *list)
{
    for (size_t i = 0; i < list->count; ++i)
        item_deinit(&list->items[i]);
    free(list->items);
    *list = (struct render_list){0};
}
