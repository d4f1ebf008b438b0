// SPDX-License-Identifier: MIT
#include "engine/library/library_path.h"
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

// Drop what names no component, in place; `path` is absolute.
static void tidy(char *path)
{
    char *to = path;
    for (const char *from = path; *from;) {
        const char *name = from + strspn(from, "/");
        const size_t bytes = strcspn(name, "/");
        from = name + bytes;
        if (bytes == 0 || (bytes == 1 && name[0] == '.'))
            continue;
        if (bytes == 2 && name[0] == '.' && name[1] == '.') {
            while (to > path && *--to != '/')
                ;
            continue;
        }
        *to++ = '/';
        memmove(to, name, bytes);
        to += bytes;
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
}

char *library_path_absolute(const char *path)
{
    char *absolute = NULL;
    if (path[0] == '/') {
        absolute = strdup(path);
    } else {
        char *folder = getcwd(NULL, 0);
        if (folder && asprintf(&absolute, "%s/%s", folder, path) < 0)
            absolute = NULL;
        free(folder);
    }
    if (absolute)
        tidy(absolute);
    return absolute;
}

int library_path_database(char **path)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int printed;
    *path = NULL;
    if (data && data[0] == '/')
        printed = asprintf(path, "%s/segue/library.db", data);
    else if (home && home[0] == '/')
        printed = asprintf(path, "%s/.local/share/segue/library.db", home);
    else
        return -ENOENT;
    if (printed < 0)
        *path = NULL;
    return *path ? 0 : -ENOMEM;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t); // what times of modification are measured by
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// How far apart two changes must be to show as different times of modification.
static int64_t granularity_ns(const char *path)
{
    struct statfs fs;
    const int is_fat = statfs(path, &fs) == 0 &&
                       (fs.f_type == MSDOS_SUPER_MAGIC || fs.f_type == EXFAT_SUPER_MAGIC);
    return is_fat ? 2000000000 : 20000000;
}

int library_path_identify(const char *path, struct library_file *file)
{
    // The clock is read first: what changes after that is newer than what is found.
    const int64_t now = now_ns();
    const int error = file_identity_read(&file->identity, path);
    if (error)
        return error;
    const struct file_identity *i = &file->identity;
    const int64_t newest = i->mtime_ns > i->ctime_ns ? i->mtime_ns : i->ctime_ns;
    file->is_fresh = now - newest < granularity_ns(path);
    return 0;
}
