// SPDX-License-Identifier: MIT
// How much memory an analysis takes beyond the decoder's, for ten minutes and for hours of audio.
#include "bench.h"
#include "dsp/analyzer.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RATE_HZ = 44100, BLOCK_FRAMES = 4096, LOOP_BLOCKS = 256, HOURS = 10, HOURS_MAX = 100 };

// Half a minute of decaying notes over noise, two strokes a second: something to beat time to.
static void fill_loop(float *stereo)
{
    uint64_t seed = 9;
    for (uint32_t i = 0; i < LOOP_BLOCKS * BLOCK_FRAMES; ++i) {
        const double at_s = (double)i / RATE_HZ, in_s = fmod(at_s, 0.5);
        const double hz = 220.0 * exp2(floor(fmod(at_s, 4.0)) / 4.0);
        const double tone = 0.3 * sin(6.283185307 * hz * in_s) * exp(-5.0 * in_s);
        for (int side = 0; side < 2; ++side)
            stereo[2 * i + (uint32_t)side] =
                (float)(tone + 0.02 * ((double)(bench_random(&seed) >> 11) * 0x1p-53 - 0.5));
    }
}

// A figure of /proc/self/status in KiB; 0 if there is none.
static unsigned long status_kib(const char *name)
{
    char line[256];
    unsigned long kib = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoul(line + strlen(name), NULL, 10);
    if (status)
        fclose(status);
    return kib;
}

static int analyze(const float *loop, uint64_t blocks)
{
    const struct analyzer_config config = {.format = {.rate_hz = RATE_HZ, .channels = 2},
                                           .depth = ANALYZER_FULL};
    struct analyzer *analyzer;
    struct analysis *analysis = NULL;
    int error = analyzer_create(&analyzer, &config);
    for (uint64_t b = 0; b < blocks && !error; ++b)
        error = analyzer_feed(analyzer, loop + b % LOOP_BLOCKS * 2 * BLOCK_FRAMES, BLOCK_FRAMES);
    if (!error)
        error = analyzer_finish(analyzer, &analysis);
    free(analysis);
    analyzer_destroy(&analyzer);
    return error;
}

// In a process of its own: what the largest resident size exceeds that before by, result included; and the same
// less the pages of programs and libraries that were touched meanwhile, which processes share.
static int measure(const float *loop, double hours)
{
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        const unsigned long before_kib = status_kib("VmRSS:"), files_kib = status_kib("RssFile:");
        const int error = analyze(loop, (uint64_t)(hours * 3600 * RATE_HZ / BLOCK_FRAMES));
        const unsigned long peak_kib = status_kib("VmHWM:") - before_kib;
        const unsigned long code_kib = status_kib("RssFile:") - files_kib;
        printf("memory hours=%.3f peak_mib=%.2f without_code_mib=%.2f\n", hours,
               (double)peak_kib / 1024, (double)(peak_kib - code_kib) / 1024);
        fflush(stdout);
        _exit(error ? 1 : 0);
    }
    int status;
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : -EIO;
}

int bench_memory(int argc, char **argv)
{
    const unsigned long hours = argc == 1 ? HOURS : bench_number(argv[1], HOURS_MAX);
    if (argc > 2 || hours == 0) {
        fprintf(stderr, "usage: segue-bench memory [1..%d hours]\n", HOURS_MAX);
        return 2;
    }
    float *loop = malloc((size_t)LOOP_BLOCKS * BLOCK_FRAMES * 2 * sizeof *loop);
    if (!loop)
        return 1;
    fill_loop(loop);
    int error = measure(loop, 1.0 / 6);
    if (!error)
        error = measure(loop, (double)hours);
    free(loop);
    if (error)
        fprintf(stderr, "segue-bench: %s\n", strerror(-error));
    return error ? 1 : 0;
}
