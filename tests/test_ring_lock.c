// SPDX-License-Identifier: MIT
#include "engine/audio/ring.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka.h wants those above it
#include <cmocka.h>

static size_t lockable_bytes;
int __wrap_mlock(const void *memory, size_t bytes);

// As the kernel with a limit.
int __wrap_mlock(const void *memory, size_t bytes)
{
    (void)memory;
    return bytes <= lockable_bytes ? 0 : -1;
}

static void assert_ring(size_t may_lock_bytes, uint32_t blocks, bool is_locked)
{
    struct ring *ring;
    lockable_bytes = may_lock_bytes;
    // Two seconds at 192 kHz, both sides: 8 KiB and a header each, a little more than 8 MiB.
    assert_int_equal(ring_create_lockable(&ring, 1024, RING_TWO_SIDES), 0);
    assert_int_equal(ring_capacity(ring), blocks);
    assert_int_equal(ring_is_locked(ring), is_locked);
    ring_destroy(&ring);
    assert_null(ring);
}

static void all_of_a_ring_is_locked_where_that_is_allowed(void **state)
{
    (void)state;
    assert_ring(SIZE_MAX, 1024, true);
}

static void half_of_it_is_made_where_only_half_may_be_locked(void **state)
{
    (void)state;
    assert_ring((size_t)8 << 20, 512, true);
}

static void all_of_it_is_made_where_not_even_half_may_be(void **state)
{
    (void)state;
    assert_ring((size_t)64 << 10, 1024, false);
}

static void a_bad_capacity_is_refused_as_ever(void **state)
{
    (void)state;
    struct ring *ring;
    assert_int_equal(ring_create_lockable(&ring, 3, RING_ONE_SIDE), -EINVAL);
    assert_null(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_a_ring_is_locked_where_that_is_allowed),
        cmocka_unit_test(half_of_it_is_made_where_only_half_may_be_locked),
        cmocka_unit_test(all_of_it_is_made_where_not_even_half_may_be),
        cmocka_unit_test(a_bad_capacity_is_refused_as_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
