// SPDX-License-Identifier: MIT
#include "dsp/spectrum/fft.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/mutex.h"
#include "dsp/spectrum/fft_kernel.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include <assert.h>
#include <errno.h>
#include <fftw3.h>
#include <stdlib.h>
#include <string.h>

struct fft {
    uint32_t size;
    const struct spectrum_impl *spectra;
    const struct fft_impl *impl; // NULL: FFTW's plan
    struct fft_tables tables;
    fftwf_plan plan;
    float *input, *work, *output;
};

// FFTW's planner keeps tables of its own that are shared by the whole process, so its lock has to
// be as well. It guards nothing of ours.
static struct mutex planner_lock = {PTHREAD_MUTEX_INITIALIZER};

// Plans that FFTW's planner found best by measuring (1024 to 16384 points, AVX): 1.1 to 1.6 times as fast as
// those it guesses. Measuring anew would give another plan, and other last bits, from run to run. Another
// version or build of the library does not take them, and guesses.
static const char wisdom[] =
    "(fftw-3.3.10 fftwf_wisdom #x9e7d4dee #xdb14fed1 #x34bf76a4 #xeb6e8fdf\n"
    "(fftwf_codelet_t2fv_16_avx 0 #x11bdd #x11bdd #x0 #xc6ca45ce #xf08c5f4a #x61a53ade #xe5e374c8)\n"
    "(fftwf_codelet_n2fv_64_avx 0 #x11bdd #x11bdd #x0 #xdd22ce6b #xc058516b #x4bb0f5e7 #xef08c653)\n"
    "(fftwf_codelet_n2fv_64_avx 0 #x11bdd #x11bdd #x0 #xb8f48902 #x3e3cffd5 #x0902e318 #xff82254a)\n"
    "(fftwf_codelet_t2fv_32_avx 0 #x11bdd #x11bdd #x0 #xa5af12be #x8ea95383 #xcd10c847 #xe6812dfa)\n"
    "(fftwf_codelet_t2fv_64_avx 0 #x11bdd #x11bdd #x0 #x21c528b9 #x63c201bc #xa3c09b11 #xc2b338e6)\n"
    "(fftwf_codelet_n2fv_64_avx 0 #x11bdd #x11bdd #x0 #x27df1dad #x2c21af60 #x212f0751 #x93d6078b)\n"
    "(fftwf_codelet_t2fv_64_avx 0 #x11bdd #x11bdd #x0 #x5d434298 #x88e29877 #xadad8a78 #x52119eab)\n"
    "(fftwf_codelet_n1fv_128_avx 0 #x11bdd #x11bdd #x0 #xc0a22fab #x43e9f504 #x193bd636 #x62f23f6a)\n"
    "(fftwf_dft_vrank_geq1_register 0 #x11bdd #x11bdd #x0 #x1d0578f6 #x6cf278c4 #x601ad800 #xb3ec5dd7)\n"
    "(fftwf_codelet_t2fv_4_avx 0 #x11bdd #x11bdd #x0 #xf1915d84 #x56c4bdfa #x16f8d847 #xdbd3c190)\n"
    "(fftwf_codelet_n1fv_64_avx 0 #x11bdd #x11bdd #x0 #xe7295951 #xe7d936fa #xe191f624 #xadfddc61)\n"
    "(fftwf_codelet_t2fv_64_avx 0 #x11bdd #x11bdd #x0 #xfbedd60c #x67387682 #xf28ec832 #x50a9f891)\n"
    ")\n";

static int plan_ours(struct fft *fft)
{
    fft->impl = fft_select(cpu_flags());
    fft->work = aligned_zeroed(2 * (size_t)fft->size * sizeof *fft->work);
    const int error = fft_tables_init(&fft->tables, fft->impl, fft->size);
    return error || !fft->work ? -ENOMEM : 0;
}

static int plan_fftw(struct fft *fft)
{
    mutex_lock(&planner_lock);
    (void)fftwf_import_wisdom_from_string(wisdom); // refused: plans are guessed
    // ESTIMATE measures nothing, so the plan and with it the last bits never vary.
    fft->plan =
        fftwf_plan_dft_1d((int)fft->size, (fftwf_complex *)fft->input, (fftwf_complex *)fft->output,
                          FFTW_FORWARD, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    mutex_unlock(&planner_lock);
    return fft->plan ? 0 : -ENOMEM;
}

int fft_create(struct fft **out, uint32_t size)
{
    assert(size >= 2 && (size & (size - 1)) == 0);
    *out = NULL;
    struct fft *fft = calloc(1, sizeof *fft);
    if (!fft)
        return -ENOMEM;
    fft->size = size;
    fft->spectra = spectrum_select(cpu_flags());
    fft->input = aligned_zeroed(2 * (size_t)size * sizeof *fft->input);
    fft->output = aligned_zeroed((2 * (size_t)size + 2) * sizeof *fft->output);
    // FFTW has code for small sizes and for any processor; the reference has none.
    const int is_ours = size >= FFT_LEAST_SIZE && size <= FFT_LARGEST_SIZE &&
                        fft_select(cpu_flags())->cpu_flags != 0;
    if (!fft->input || !fft->output || (is_ours ? plan_ours(fft) : plan_fftw(fft))) {
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
    fft_tables_deinit(&(*fft)->tables);
    free((*fft)->input);
    free((*fft)->work);
    free((*fft)->output);
    free(*fft);
    *fft = NULL;
}

float *fft_input(struct fft *fft)
{
    return fft->input;
}

// The first point once more behind the last.
static const float *wrap_around(struct fft *fft)
{
    memcpy(fft->output + 2 * (size_t)fft->size, fft->output, 2 * sizeof(float));
    return fft->output;
}

const float *fft_forward(struct fft *fft)
{
    if (fft->impl)
        fft->impl->forward(&fft->tables, fft->output, fft->work, fft->input);
    else
        fftwf_execute(fft->plan);
    return wrap_around(fft);
}

const float *fft_forward_pair(struct fft *fft, const struct fft_pair *pair)
{
    if (fft->impl) {
        fft->impl->forward_pair(&fft->tables, fft->output, fft->work, pair);
        return wrap_around(fft);
    }
    const uint32_t half = fft->size / 2;
    for (uint32_t h = 0; h < 2; ++h)
        fft->spectra->weigh_pair(fft->input + 2 * (size_t)h * half, pair->first[h], pair->second[h],
                                 pair->window + (size_t)h * half, half);
    return fft_forward(fft);
}

// With Z the transform of first + i second, |first|^2 + |second|^2 at bin k is the mean of |Z[k]|^2 and |Z[-k]|^2.
double fft_pair_power(struct fft *fft, float *power, const struct fft_pair *pair)
{
    assert(fft->size >= FFT_LEAST_POWERS);
    if (!fft->impl)
        return fft->spectra->stereo_power(power, fft_forward_pair(fft, pair), fft->size);
    fft->impl->pair_squares(&fft->tables, fft->output, fft->work, pair);
    fft->output[fft->size] = fft->output[0];
    return fft->spectra->fold_squares(power, fft->output, fft->size);
}
