// SPDX-License-Identifier: MIT
#include "dsp/fft.h"
#include "dsp/mutex.h"
#include <assert.h>
#include <errno.h>
#include <fftw3.h>
#include <stdlib.h>
#include <string.h>

struct fft {
    fftwf_plan plan;
    float *input;
    float *output;
    uint32_t size;
};

// FFTW's planner keeps tables of its own that are shared by the whole process, so its lock has to
// be as well. It guards nothing of ours.
static struct mutex planner_lock = {PTHREAD_MUTEX_INITIALIZER};

static float *allocate_aligned(size_t floats)
{
    return aligned_alloc(64, (floats * sizeof(float) + 63) & ~(size_t)63);
}

int fft_create(struct fft **out, uint32_t size)
{
    assert(size >= 2 && (size & (size - 1)) == 0);
    *out = NULL;
    struct fft *fft = calloc(1, sizeof *fft);
    if (!fft)
        return -ENOMEM;
    fft->size = size;
    fft->input = allocate_aligned(2 * (size_t)size);
    fft->output = allocate_aligned(2 * (size_t)size + 2);
    if (fft->input && fft->output) {
        memset(fft->input, 0, 2 * (size_t)size * sizeof(float));
        mutex_lock(&planner_lock);
        // ESTIMATE measures nothing, so the plan and with it the last bits never vary.
        fft->plan =
            fftwf_plan_dft_1d((int)size, (fftwf_complex *)fft->input, (fftwf_complex *)fft->output,
                              FFTW_FORWARD, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
        mutex_unlock(&planner_lock);
    }
    if (!fft->plan) {
        fft_destroy(&fft);
        return -ENOMEM;
    }
    *out = fft;
    return 0;
}

void fft_destroy(struct fft **fft)
{
    if (!*fft)
        return;
    if ((*fft)->plan) {
        mutex_lock(&planner_lock);
        fftwf_destroy_plan((*fft)->plan);
        mutex_unlock(&planner_lock);
    }
    free((*fft)->input);
    free((*fft)->output);
    free(*fft);
    *fft = NULL;
}

float *fft_input(struct fft *fft)
{
    return fft->input;
}

const float *fft_forward(struct fft *fft)
{
    fftwf_execute(fft->plan);
    memcpy(fft->output + 2 * (size_t)fft->size, fft->output, 2 * sizeof(float));
    return fft->output;
}
