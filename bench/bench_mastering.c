// SPDX-License-Identifier: MIT
// What mastering does to a torture set and to music, how fast, and what other programs do to the same.
#include "bench.h"
#include "mastering_contract.h"
#include "mastering_speed.h"
#include "mastering_torture.h"
#include "mastering_tracks.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SECONDS = 60, SECONDS_MAX = 7200, RATE_MAX_HZ = 768000 };

struct request {
    struct mastering_tracks_config tracks;
    int with_torture;
};

/// @return how many arguments were options, or -EINVAL.
static int read_options(struct request *request, int argc, char **argv)
{
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; ++at) {
        struct mastering_excerpt *excerpt = &request->tracks.excerpt;
        const int has_value = at + 1 < argc;
        if (strcmp(argv[at], "--no-peers") == 0)
            request->tracks.with_peers = 0;
        else if (strcmp(argv[at], "--no-torture") == 0)
            request->with_torture = 0;
        else if (strcmp(argv[at], "--mono") == 0)
            excerpt->channels = 1;
        else if (strcmp(argv[at], "--seconds") == 0 && has_value)
            excerpt->seconds = (double)bench_number(argv[++at], SECONDS_MAX);
        else if (strcmp(argv[at], "--rate") == 0 && has_value)
            excerpt->rate_hz = (uint32_t)bench_number(argv[++at], RATE_MAX_HZ);
        else
            return -EINVAL;
    }
    return request->tracks.excerpt.seconds > 0 ? at : -EINVAL;
}

/// The promises and the speed, by the first of the files.
static int run_first(const struct request *request)
{
    struct mastering_excerpt excerpt = request->tracks.excerpt;
    excerpt.path = request->tracks.paths[0];
    struct mastered_tape tape;
    int error = mastering_audio_load(&tape, &excerpt);
    if (!error)
        error = mastering_contract_run(&tape);
    if (!error)
        error = mastering_speed_run(&tape);
    mastering_audio_free(&tape);
    return error;
}

int bench_mastering(int argc, char **argv)
{
    struct request request = {.tracks = {.excerpt = {.seconds = SECONDS}, .with_peers = 1},
                              .with_torture = 1};
    const int used = read_options(&request, argc, argv);
    if (used < 0 || used >= argc)
        return 2;
    request.tracks.paths = argv + used;
    request.tracks.count = argc - used;
    int error = request.with_torture ? mastering_torture_run() : 0;
    if (!error)
        error = run_first(&request);
    if (!error)
        error = mastering_tracks_run(&request.tracks);
    if (error)
        fprintf(stderr, "segue-bench: mastering: %s\n", strerror(-error));
    return error != 0;
}
