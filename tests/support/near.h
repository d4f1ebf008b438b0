// SPDX-License-Identifier: MIT
// cmocka with the headers that it needs before it, and a check of a figure against another.
#pragma once
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
// cmocka.h needs the headers above
#include <cmocka.h>

/// Fail unless value lies within tolerance of expected; NaN never does.
#define assert_near(value, expected, tolerance)                                                    \
    near_check((value), (expected), (tolerance), #value, __FILE__, __LINE__)

static inline void near_check(double value, double expected, double tolerance, const char *what,
                              const char *file, int line)
{
    if (fabs(value - expected) <= tolerance)
        return;
    print_error("%s is %.9g, not %.9g within %.3g\n", what, value, expected, tolerance);
    _fail(file, line);
}
