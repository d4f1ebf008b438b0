// SPDX-License-Identifier: MIT
#include "bench.h"
#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;
    const int error = clock_gettime(clock, &now);
    assert(!error);
    (void)error; // read by the assertion alone
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t bench_cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

int64_t bench_wall_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
    assert(count > 0);
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

uint64_t bench_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

unsigned long bench_number(const char *text, unsigned long most)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);
    return *text == '\0' || *end != '\0' || number > most ? 0 : number;
}

void bench_close_and_remove(int fd, const char *path)
{
    if (fd < 0)
        return;
    close(fd);
    unlink(path);
}
