// SPDX-License-Identifier: MIT
#include "dsp/tonality/chroma.h"
#include "dsp/aligned.h"
#include "dsp/cpu.h"
#include "dsp/spectrum/low_spectrum.h"
#include "dsp/spectrum/spectrum_kernel.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BINS = LOW_SPECTRUM_BINS,
    ROW = BINS / 16 * 16 + 16, // whole cache lines
    STEPS_PER_OCTAVE = 256,    // of power: 0.012 dB a step
    LEVELS = 4096,             // 48 dB, a power of two
    TOGETHER = SPECTRUM_TOGETHER,
    FINE = 64, // parts of a step, in which frames are but counted
};
static const double GATE = 1e-4; // of power

struct level_bin {
    uint64_t frames;
    double concentration;
    double chroma[PITCH_CLASS_COUNT];
};

struct chroma {
    const struct spectrum_impl *kernels;
    alignas(ALIGNED_BYTES) float weights[PITCH_CLASS_COUNT][ROW];
    // --- frames that wait for others, as the weights are read but once for some
    alignas(ALIGNED_BYTES) float waiting[TOGETHER][ROW];
    double mean_squares[TOGETHER]; // of those
    uint32_t waiting_count;
    // --- of the track so far
    uint64_t frames;
    double loudest;                  // mean square
    int64_t top;                     // level of the loudest frame
    struct level_bin levels[LEVELS]; // level l at l mod LEVELS, from top - LEVELS + 1 to top
    uint32_t counts[LEVELS *
                    FINE]; // of their frames, finely enough to tell which side of the gate they are
};

// Octaves above A0's lower neighbour, 27.5 Hz, times 12; bin 0 is put one and a half octaves under
// bin 1, as librosa does.
static double chroma_place(uint32_t bin, double rate_hz)
{
    const double hz = (bin ? bin : 1) * rate_hz / LOW_SPECTRUM_SIZE;
    return 12.0 * log2(hz / 27.5) - (bin ? 0.0 : 18.0);
}

static void design_bin(struct chroma *c, uint32_t bin, double rate_hz)
{
    const double place = chroma_place(bin, rate_hz);
    const double width = fmax(1.0, chroma_place(bin + 1, rate_hz) - place);
    double bumps[PITCH_CLASS_COUNT], squares = 0;
    for (int p = 0; p < PITCH_CLASS_COUNT; ++p) {
        double distance = fmod(place - p + 6 + 120, 12.0);
        distance += (distance < 0 ? 12.0 : 0.0) - 6.0;
        bumps[p] = exp(-0.5 * (2 * distance / width) * (2 * distance / width));
        squares += bumps[p] * bumps[p];
    }
    const double octave = (place / 12.0 - 5.0) / 2.0;
    const double scale = exp(-0.5 * octave * octave) / sqrt(squares);
    for (int p = 0; p < PITCH_CLASS_COUNT; ++p) // place 0 is A; row 0 is C
        c->weights[(p + 9) % PITCH_CLASS_COUNT][bin] = (float)(bumps[p] * scale);
}

int chroma_create(struct chroma **out, double rate_hz)
{
    assert(rate_hz > 0);
    *out = aligned_zeroed(sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->kernels = spectrum_select(cpu_flags());
    for (uint32_t bin = 0; bin < BINS; ++bin)
        design_bin(*out, bin, rate_hz);
    return 0;
}

void chroma_destroy(struct chroma **chroma)
{
    free(*chroma);
    *chroma = NULL;
}

const float *chroma_weights(const struct chroma *chroma, uint32_t pitch_class)
{
    assert(pitch_class < PITCH_CLASS_COUNT);
    return chroma->weights[pitch_class];
}

static int64_t fine_level_of(double mean_square)
{
    return (int64_t)floor(STEPS_PER_OCTAVE * FINE * log2(mean_square));
}

static int64_t level_of(int64_t fine_level)
{
    return fine_level >= 0 ? fine_level / FINE : -((FINE - 1 - fine_level) / FINE);
}

static struct level_bin *bin_at(struct chroma *c, int64_t level)
{
    return &c->levels[(uint64_t)level % LEVELS];
}

static uint32_t *count_at(struct chroma *c, int64_t fine_level)
{
    return &c->counts[(uint64_t)fine_level % (LEVELS * FINE)];
}

static void clear_level(struct chroma *c, int64_t level)
{
    *bin_at(c, level) = (struct level_bin){0};
    memset(count_at(c, level * FINE), 0, FINE * sizeof *c->counts);
}

// The window of levels follows the loudest frame up; what falls out at the bottom is silent for good.
static void raise_top(struct chroma *c, int64_t level)
{
    const int64_t lowest = level - LEVELS + 1;
    if (c->loudest > 0)
        for (int64_t l = c->top >= lowest ? c->top + 1 : lowest; l <= level; ++l)
            clear_level(c, l);
    c->top = level;
}

static void add_frame(struct chroma *c, const double chroma[PITCH_CLASS_COUNT], double mean_square)
{
    const int64_t fine_level = fine_level_of(mean_square), level = level_of(fine_level);
    if (c->loudest <= 0 || level > c->top)
        raise_top(c, level);
    c->loudest = fmax(c->loudest, mean_square);
    if (level <= c->top - LEVELS)
        return;
    double sum = 0, squares = 0;
    for (uint32_t p = 0; p < PITCH_CLASS_COUNT; ++p)
        sum += chroma[p];
    struct level_bin *bin = bin_at(c, level);
    for (uint32_t p = 0; p < PITCH_CLASS_COUNT; ++p) {
        const double share = sum > 0 ? chroma[p] / sum : 1.0 / PITCH_CLASS_COUNT;
        bin->chroma[p] += share;
        squares += share * share;
    }
    bin->concentration += squares;
    ++bin->frames;
    ++*count_at(c, fine_level);
}

static void add_waiting(struct chroma *c)
{
    const float *powers[TOGETHER];
    double chroma[TOGETHER][PITCH_CLASS_COUNT];
    for (uint32_t i = 0; i < TOGETHER; ++i)
        powers[i] = c->waiting[i];
    c->kernels->classes(chroma, c->weights[0], ROW, powers, BINS);
    for (uint32_t i = 0; i < c->waiting_count; ++i)
        add_frame(c, chroma[i], c->mean_squares[i]);
    c->waiting_count = 0;
}

void chroma_push(struct chroma *c, const float *power, double mean_square)
{
    ++c->frames;
    if (mean_square <= 0)
        return;
    memcpy(c->waiting[c->waiting_count], power, BINS * sizeof *power);
    c->mean_squares[c->waiting_count++] = mean_square;
    if (c->waiting_count == TOGETHER)
        add_waiting(c);
}

static void add_bin(struct level_bin *sum, const struct level_bin *bin, uint64_t frames)
{
    if (frames == 0)
        return;
    const double share = (double)frames / (double)bin->frames;
    sum->frames += frames;
    sum->concentration += share * bin->concentration;
    for (uint32_t p = 0; p < PITCH_CLASS_COUNT; ++p)
        sum->chroma[p] += share * bin->chroma[p];
}

// The level that the gate cuts through gives that share of itself that its frames over the gate are.
static void sum_over_gate(const struct chroma *c, struct level_bin *sum)
{
    const int64_t gate = fine_level_of(c->loudest * GATE), lowest = level_of(gate);
    uint64_t frames = 0;
    for (int64_t fine = gate; fine < (lowest + 1) * FINE; ++fine)
        frames += c->counts[(uint64_t)fine % (LEVELS * FINE)];
    add_bin(sum, &c->levels[(uint64_t)lowest % LEVELS], frames);
    for (int64_t level = lowest + 1; level <= c->top; ++level) {
        const struct level_bin *bin = &c->levels[(uint64_t)level % LEVELS];
        add_bin(sum, bin, bin->frames);
    }
}

void chroma_finish(struct chroma *c, struct chroma_result *out)
{
    add_waiting(c);
    *out = (struct chroma_result){.silence_ratio = 1.0, .concentration = 1.0 / PITCH_CLASS_COUNT};
    for (uint32_t p = 0; p < PITCH_CLASS_COUNT; ++p)
        out->mean_chroma[p] = 1.0 / PITCH_CLASS_COUNT;
    if (c->loudest <= 0)
        return;
    struct level_bin sum = {0};
    sum_over_gate(c, &sum);
    assert(sum.frames > 0); // the loudest frame at least
    out->silence_ratio = 1.0 - (double)sum.frames / (double)c->frames;
    out->concentration = sum.concentration / (double)sum.frames;
    for (uint32_t p = 0; p < PITCH_CLASS_COUNT; ++p)
        out->mean_chroma[p] = sum.chroma[p] / (double)sum.frames;
}
