// SPDX-License-Identifier: MIT
#include "engine/render/chunk.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_chunk(uint64_t chunk, uint64_t frames, uint32_t rate_hz, uint64_t start,
                         uint64_t end)
{
    uint64_t from, to;
    assert_int_equal(chunk_bounds(chunk, frames, rate_hz, &from, &to), 0);
    assert_int_equal(from, start);
    assert_int_equal(to, end);
}

static void chunks_emit_the_seconds_of_the_contract(void **state)
{
    (void)state;
    assert_chunk(0, 48000 * 100, 48000, 0, 48000 * 15);
    assert_chunk(1, 48000 * 100, 48000, 48000 * 15, 48000 * 25);
    assert_chunk(7, 48000 * 100, 48000, 48000 * 75, 48000 * 85);
    assert_chunk(0, 5, 48000, 0, 5);
}

static void chunks_cover_a_track_without_gap_or_overlap(void **state)
{
    (void)state;
    const uint64_t lengths[] = {1, 661499, 661500, 661501, 44100 * 227 + 13};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); ++i) {
        uint64_t at = 0, start, end, chunk = 0;
        for (; chunk_bounds(chunk, lengths[i], 44100, &start, &end) == 0; ++chunk) {
            assert_int_equal(start, at);
            assert_true(end > start);
            at = end;
        }
        assert_int_equal(at, lengths[i]);
    }
}

static void there_is_no_chunk_past_the_end(void **state)
{
    (void)state;
    uint64_t start, end;
    assert_int_equal(chunk_bounds(1, 15 * 44100, 44100, &start, &end), -ENOENT);
    assert_int_equal(chunk_bounds(0, 0, 44100, &start, &end), -ENOENT);
    assert_int_equal(chunk_bounds(UINT64_MAX, 44100, 44100, &start, &end), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_emit_the_seconds_of_the_contract),
        cmocka_unit_test(chunks_cover_a_track_without_gap_or_overlap),
        cmocka_unit_test(there_is_no_chunk_past_the_end),
    };
    return cmocka_run_group_tests_name("chunk", tests, NULL, NULL);
}
