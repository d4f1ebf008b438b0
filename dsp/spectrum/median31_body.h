// SPDX-License-Identifier: MIT
// The one body of every variant of median31.h. Each .c defines before it, for its instruction set:
// `lanes`, a type of some values side by side; lower(a, b) and higher(a, b), which leave the lower or
// higher of both in a.
//
// What all windows share is merged once. Of n values that a window has, only as many about the middle can
// still become its median as values are to come, so each step keeps fewer: of 24 ranks 9 to 16, of 28 ranks
// 13 to 16, of 30 ranks 15 and 16. Two sorted lists are merged by comparing one with the reverse of the
// other, which leaves a list that rises and falls (Batcher 1968).
#pragma once
#include "dsp/spectrum/median31.h"
#include "dsp/vectors.h"
#include <assert.h>

enum { RUN = MEDIAN31_RUN };
static_assert((int)RUN == (int)VECTOR_LANES, "phases are dealt out by squares");

// Squares of eight by eight; the last overlaps the one before where the lanes are no multiple of eight.
static inline void deal_phases(float *restrict out, const float *restrict row, uint32_t count)
{
    assert(count >= RUN);
    for (uint32_t next = 0; next < count; next += RUN) {
        const uint32_t at = next + RUN <= count ? next : count - RUN;
        vector8 square[RUN]; // loaded one by one: a whole array would go through memory
#pragma GCC unroll 8
        for (uint32_t i = 0; i < RUN; ++i)
            memcpy(&square[i], row + (size_t)RUN * (at + i), sizeof square[i]);
        vector8_transpose(square);
#pragma GCC unroll 8
        for (uint32_t q = 0; q < RUN; ++q)
            memcpy(out + (size_t)q * count + at, &square[q], sizeof square[q]);
    }
}

static inline void exchange(lanes *a, lanes *b)
{
    const lanes kept = *a;
    lower(a, b);
    higher(b, &kept);
}

// Bring v[0..7] in order, by odd-even merges.
static inline void sort_run(lanes v[RUN])
{
    static const uint8_t pairs[][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2}, {1, 3}, {4, 6},
                                       {5, 7}, {1, 2}, {5, 6}, {0, 4}, {1, 5}, {2, 6}, {3, 7},
                                       {2, 4}, {3, 5}, {1, 2}, {3, 4}, {5, 6}};
#pragma GCC unroll 19
    for (uint32_t i = 0; i < sizeof pairs / sizeof pairs[0]; ++i)
        exchange(&v[pairs[i][0]], &v[pairs[i][1]]);
}

// Merge v[0..7] and v[8..15], each in order.
static inline void merge_runs(lanes v[2 * RUN])
{
    static const uint8_t pairs[][2] = {
        {0, 8}, {1, 9},  {2, 10}, {3, 11}, {4, 12}, {5, 13},  {6, 14}, {7, 15},  {4, 8},
        {5, 9}, {6, 10}, {7, 11}, {2, 4},  {3, 5},  {6, 8},   {7, 9},  {10, 12}, {11, 13},
        {1, 2}, {3, 4},  {5, 6},  {7, 8},  {9, 10}, {11, 12}, {13, 14}};
#pragma GCC unroll 25
    for (uint32_t i = 0; i < sizeof pairs / sizeof pairs[0]; ++i)
        exchange(&v[pairs[i][0]], &v[pairs[i][1]]);
}

// Of kept[0 .. 2n - 1] and added[0 .. n - 1], each in order, leave the middle n in kept[0 .. n - 1], which
// rise and fall.
static inline void keep_middle(lanes *kept, const lanes *added, uint32_t n)
{
#pragma GCC unroll 8
    for (uint32_t i = 0; i < n; ++i)
        lower(&kept[n + i], &added[n - 1 - i]);
#pragma GCC unroll 8
    for (uint32_t i = 0; i < n; ++i)
        higher(&kept[i], &kept[n + i]);
}

// Bring n values that rise and fall in order.
static inline void straighten(lanes *v, uint32_t n)
{
#pragma GCC unroll 3
    for (uint32_t step = n / 2; step > 0; step /= 2)
#pragma GCC unroll 8
        for (uint32_t i = 0; i < n; ++i)
            if (!(i & step))
                exchange(&v[i], &v[i + step]);
}

// Ranks 13 to 16 of the shared values and four more.
static inline void add_four(lanes out[4], const lanes shared[RUN], const lanes *edge)
{
    lanes kept[RUN], four[4];
#pragma GCC unroll 8
    for (uint32_t i = 0; i < RUN; ++i)
        kept[i] = shared[i];
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; ++i)
        four[i] = edge[i];
    exchange(&four[0], &four[1]);
    exchange(&four[2], &four[3]);
    exchange(&four[0], &four[2]);
    exchange(&four[1], &four[3]);
    exchange(&four[1], &four[2]);
    keep_middle(kept, four, 4);
    straighten(kept, 4);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; ++i)
        out[i] = kept[i];
}

// Medians of two windows: two more values are in both, one each in the first and in the second.
static inline void add_last(lanes *first, lanes *second, const lanes middle[4], const lanes *both,
                            const lanes *one, const lanes *other)
{
    lanes kept[4] = {middle[0], middle[1], middle[2], middle[3]}, two[2] = {both[0], both[1]};
    exchange(&two[0], &two[1]);
    keep_middle(kept, two, 2);
    exchange(&kept[0], &kept[1]);
    *first = *one;
    lower(first, &kept[1]);
    higher(first, &kept[0]);
    *second = *other;
    lower(second, &kept[1]);
    higher(second, &kept[0]);
}

// Ranks 9 to 16 of three runs in order.
static inline void share_runs(lanes shared[RUN], const lanes runs[3 * RUN])
{
    lanes kept[2 * RUN];
#pragma GCC unroll 16
    for (uint32_t i = 0; i < 2 * RUN; ++i)
        kept[i] = runs[i];
    merge_runs(kept);
    keep_middle(kept, runs + 2 * RUN, RUN);
    straighten(kept, RUN);
#pragma GCC unroll 8
    for (uint32_t i = 0; i < RUN; ++i)
        shared[i] = kept[i];
}

// Medians of windows 0 to 7, from edge[0..6] before and edge[7..13] after the shared values.
static inline void end_windows(lanes out[RUN], const lanes shared[RUN], const lanes edge[14])
{
    lanes middle[4];
    add_four(middle, shared, edge + 3);
    add_last(&out[0], &out[1], middle, edge + 1, &edge[0], &edge[7]);
    add_last(&out[2], &out[3], middle, edge + 7, &edge[2], &edge[9]);
    add_four(middle, shared, edge + 7);
    add_last(&out[4], &out[5], middle, edge + 5, &edge[4], &edge[11]);
    add_last(&out[6], &out[7], middle, edge + 11, &edge[6], &edge[13]);
}
