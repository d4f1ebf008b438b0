// SPDX-License-Identifier: MIT
// Running medians against a sort, bit for bit.
#include "dsp/median31.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

enum { LANES = 3 * MEDIAN31_LANES };

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float median_by_sort(float rows[MEDIAN31_ROWS][LANES], int first, int lane)
{
    float window[31];
    for (int r = 0; r < 31; ++r)
        window[r] = rows[first + r][lane];
    qsort(window, 31, sizeof *window, compare);
    return window[15];
}

// Values below `values` occur: few of them make ties.
static void assert_equals_sort(uint32_t values, uint32_t seed)
{
    float rows[MEDIAN31_ROWS][LANES], medians[4][LANES];
    for (int r = 0; r < MEDIAN31_ROWS; ++r)
        for (int i = 0; i < LANES; ++i) {
            seed = seed * 1664525U + 1013904223U;
            rows[r][i] = (float)((seed >> 8) % values);
        }
    const float *pointers[MEDIAN31_ROWS];
    for (int r = 0; r < MEDIAN31_ROWS; ++r)
        pointers[r] = rows[r];
    float *const out[4] = {medians[0], medians[1], medians[2], medians[3]};
    struct median31 network;
    median31_init(&network);
    median31_quad(&network, pointers, out, LANES);
    for (int q = 0; q < 4; ++q)
        for (int i = 0; i < LANES; ++i)
            assert_true(medians[q][i] == median_by_sort(rows, q, i));
}

static void medians_of_distinct_values_equal_a_sort(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 200; ++seed)
        assert_equals_sort(1U << 24, seed);
}

static void medians_of_zeros_and_ones_equal_a_sort(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 500; ++seed)
        assert_equals_sort(2, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_of_distinct_values_equal_a_sort),
        cmocka_unit_test(medians_of_zeros_and_ones_equal_a_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
