// SPDX-License-Identifier: MIT
// The comparators that bring ranks 13 to 16 of 28 values to places 12 to 15.
#pragma once

// Batcher's odd-even merge sort for 32 values. Values 28 to 31 stand for infinity, which never moves,
// so their comparators fall away; so do those that no wanted rank depends on. X(i, j) leaves the lower
// of values i and j in place i and the higher in place j.
// clang-format off
#define MEDIAN31_NETWORK(X)                                                                     \
    X(0, 1) X(2, 3) X(4, 5) X(6, 7) X(8, 9) X(10, 11) X(12, 13) X(14, 15) X(16, 17) X(18, 19)  \
    X(20, 21) X(22, 23) X(24, 25) X(26, 27) X(0, 2) X(1, 3) X(4, 6) X(5, 7) X(8, 10) X(9, 11)  \
    X(12, 14) X(13, 15) X(16, 18) X(17, 19) X(20, 22) X(21, 23) X(24, 26) X(25, 27) X(1, 2)    \
    X(5, 6) X(9, 10) X(13, 14) X(17, 18) X(21, 22) X(25, 26) X(0, 4) X(1, 5) X(2, 6) X(3, 7)   \
    X(8, 12) X(9, 13) X(10, 14) X(11, 15) X(16, 20) X(17, 21) X(18, 22) X(19, 23) X(2, 4)      \
    X(3, 5) X(10, 12) X(11, 13) X(18, 20) X(19, 21) X(1, 2) X(3, 4) X(5, 6) X(9, 10) X(11, 12) \
    X(13, 14) X(17, 18) X(19, 20) X(21, 22) X(25, 26) X(0, 8) X(1, 9) X(2, 10) X(3, 11)        \
    X(4, 12) X(5, 13) X(6, 14) X(7, 15) X(16, 24) X(17, 25) X(18, 26) X(19, 27) X(4, 8)        \
    X(5, 9) X(6, 10) X(7, 11) X(20, 24) X(21, 25) X(22, 26) X(23, 27) X(2, 4) X(3, 5) X(6, 8)  \
    X(7, 9) X(10, 12) X(11, 13) X(18, 20) X(19, 21) X(22, 24) X(23, 25) X(1, 2) X(3, 4)        \
    X(5, 6) X(7, 8) X(9, 10) X(11, 12) X(13, 14) X(17, 18) X(19, 20) X(21, 22) X(23, 24)       \
    X(25, 26) X(0, 16) X(1, 17) X(2, 18) X(3, 19) X(4, 20) X(5, 21) X(6, 22) X(7, 23) X(8, 24) \
    X(9, 25) X(10, 26) X(11, 27) X(8, 16) X(9, 17) X(10, 18) X(11, 19) X(12, 20) X(13, 21)     \
    X(14, 22) X(15, 23) X(6, 10) X(7, 11) X(12, 16) X(13, 17) X(14, 18) X(15, 19) X(10, 12)    \
    X(11, 13) X(14, 16) X(15, 17) X(11, 12) X(13, 14) X(15, 16)
// clang-format on
