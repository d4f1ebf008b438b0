// SPDX-License-Identifier: MIT
// Any bytes as a playlist: each entry is a path that could be opened.
#include "io/playlist.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char path[64];

static void demand(int holds)
{
    if (!holds)
        abort(); // which libFuzzer reports with the input
}

static void remove_file(void)
{
    (void)remove(path); // there may be none
}

static int check_entry(void *count, const char *entry)
{
    demand(entry[0] != 0);
    ++*(unsigned *)count;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    unsigned entries = 0;
    if (!path[0]) {
        snprintf(path, sizeof path, "/dev/shm/segue-fuzz-%ld.m3u", (long)getpid());
        demand(atexit(remove_file) == 0);
    }
    // The first byte says which of both kinds it is.
    strcpy(strrchr(path, '.'), bytes && data[0] & 1 ? ".pls" : ".m3u");
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    demand(fd >= 0 && write(fd, data + !!bytes, bytes - !!bytes) == (ssize_t)(bytes - !!bytes));
    close(fd);
    const int error = playlist_read(path, check_entry, &entries);
    demand(error <= 0 && (error == 0) == (entries > 0));
    remove_file();
    return 0;
}
