// SPDX-License-Identifier: MIT
#include "resources.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The kernel's own workers for io_uring are listed among our threads, and come and go as it sees fit.
static int is_kernel_worker(const char *id)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", id);
    FILE *file = fopen(path, "re");
    const int has_name = file && fgets(name, sizeof(name), file);
    if (file)
        fclose(file);
    return has_name && strncmp(name, "iou-", 4) == 0;
}

static int leaves_none_out(const char *name)
{
    (void)name;
    return 0;
}

// @return entries but for those that start with a dot and those left out, or -errno.
static int count_entries(const char *path, int (*is_left_out)(const char *name))
{
    DIR *folder = opendir(path);
    if (!folder)
        return -errno;
    int count = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)))
        count += entry->d_name[0] != '.' && !is_left_out(entry->d_name);
    closedir(folder);
    return count;
}

int resources_read(struct resources *r)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return -errno;
    unsigned long long total, resident;
    const int fields = fscanf(file, "%llu %llu", &total, &resident);
    fclose(file);
    const int descriptors = count_entries("/proc/self/fd", leaves_none_out);
    const int threads = count_entries("/proc/self/task", is_kernel_worker);
    if (fields != 2 || descriptors < 0 || threads < 0)
        return -EIO;
    *r = (struct resources){.resident_bytes = resident * (uint64_t)sysconf(_SC_PAGESIZE),
                            .descriptors = (uint32_t)descriptors - 1, // but the one that counts
                            .threads = (uint32_t)threads};
    return 0;
}

void resources_raise(struct resources *peak, const struct resources *now)
{
    if (now->resident_bytes > peak->resident_bytes)
        peak->resident_bytes = now->resident_bytes;
    if (now->descriptors > peak->descriptors)
        peak->descriptors = now->descriptors;
    if (now->threads > peak->threads)
        peak->threads = now->threads;
}
