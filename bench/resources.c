// SPDX-License-Identifier: MIT
#include "resources.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

// @return entries but for . and .., or -errno.
static int count_entries(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return -errno;
    int count = -2;
    while (readdir(folder))
        ++count;
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
    const int descriptors = count_entries("/proc/self/fd");
    const int threads = count_entries("/proc/self/task");
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
