// SPDX-License-Identifier: MIT
#include "mastering_peers.h"
#include "bench.h"
#include "mastering_audio.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static const char *const names[MASTERING_PEERS] = {"ffmpeg-alimiter", "ffmpeg-loudnorm",
                                                   "matchering"};

static const char MATCHERING_SCRIPT[] =
    "import os, sys\n"
    "for name in ('OMP', 'OPENBLAS', 'MKL', 'NUMBA'): os.environ[name + '_NUM_THREADS'] = '1'\n"
    "import matchering\n"
    "matchering.process(target=sys.argv[1], reference=sys.argv[2],\n"
    "    results=[matchering.Result(sys.argv[3], subtype='FLOAT')])\n";

const char *mastering_peer_name(int peer)
{
    return names[peer];
}

static double children_cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return 1e3 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-3 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void command_of(char *command, size_t size, int peer, const struct mastering_job *job)
{
    static const char ffmpeg[] = "ffmpeg -v error -y -threads 1 -i \"$SEGUE_BENCH_FILE\"";
    if (peer == MASTERING_ALIMITER)
        snprintf(command, size,
                 "%s -af volume=%.4fdB,alimiter=limit=%.6f:level=disabled -c:a pcm_f32le "
                 "\"$SEGUE_BENCH_OUT\"",
                 ffmpeg, job->gain_db, pow(10.0, job->ceiling_dbtp / 20.0));
    else if (peer == MASTERING_LOUDNORM)
        snprintf(command, size,
                 "%s -af loudnorm=I=%.2f:TP=%.2f:LRA=20 -ar %u -c:a pcm_f32le \"$SEGUE_BENCH_OUT\"",
                 ffmpeg, job->target_lufs, job->ceiling_dbtp, job->rate_hz);
    else
        snprintf(command, size,
                 "\"${SEGUE_BENCH_PYTHON:-python3}\" -c \"$SEGUE_BENCH_SCRIPT\" "
                 "\"$SEGUE_BENCH_FILE\" \"$SEGUE_BENCH_REFERENCE\" \"$SEGUE_BENCH_OUT\" "
                 ">/dev/null 2>&1");
}

int mastering_peer_run(int peer, const struct mastering_job *job, struct mastered_tape *out,
                       double *cpu_ms)
{
    char command[512], path[] = "/tmp/segue-bench-XXXXXX.wav";
    const int fd = mkstemps(path, 4);
    if (fd < 0)
        return -EIO;
    command_of(command, sizeof command, peer, job);
    int error = setenv("SEGUE_BENCH_SCRIPT", MATCHERING_SCRIPT, 1) ||
                        setenv("SEGUE_BENCH_FILE", job->in_path, 1) ||
                        setenv("SEGUE_BENCH_REFERENCE", job->reference_path, 1) ||
                        setenv("SEGUE_BENCH_OUT", path, 1)
                    ? -ENOMEM
                    : 0;
    const double before_ms = children_cpu_ms();
    if (!error)
        error = system(command) == 0 ? 0 : -ENOSYS;
    *cpu_ms = children_cpu_ms() - before_ms;
    if (!error)
        error = mastering_audio_read(out, path);
    bench_close_and_remove(fd, path);
    return error;
}
