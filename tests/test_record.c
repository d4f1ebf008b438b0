// SPDX-License-Identifier: MIT
#include "cache/record.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> // needs the four above: stdarg, stddef, stdint, setjmp

static void a_new_record_is_zeroed_and_has_its_size(void **state)
{
    (void)state;
    struct record *record = record_create(1000);
    assert_non_null(record);
    const unsigned char zero[1000] = {0};
    assert_int_equal(record_bytes(record), 1000);
    assert_memory_equal(record_data(record), zero, sizeof(zero));
    record_unref(&record);
    assert_null(record);
}

static void data_is_aligned_for_any_type(void **state)
{
    (void)state;
    struct record *record = record_create(1);
    assert_int_equal((uintptr_t)record_data(record) % _Alignof(max_align_t), 0);
    record_unref(&record);
}

static void a_record_may_be_empty(void **state)
{
    (void)state;
    struct record *record = record_create(0);
    assert_non_null(record);
    assert_int_equal(record_bytes(record), 0);
    record_unref(&record);
}

static void a_size_that_overflows_is_no_memory(void **state)
{
    (void)state;
    assert_null(record_create(SIZE_MAX));
}

static void data_lives_as_long_as_any_reference(void **state)
{
    (void)state;
    struct record *first = record_create(4);
    memcpy(record_data_mutable(first), "abc", 4);
    struct record *second = record_ref(first);
    record_unref(&first);
    assert_string_equal(record_data(second), "abc");
    record_unref(&second);
}

static void giving_back_nothing_is_fine(void **state)
{
    (void)state;
    struct record *none = NULL;
    record_unref(&none);
    assert_null(none);
}

static void a_footprint_exceeds_the_data_by_a_constant(void **state)
{
    (void)state;
    struct record *small = record_create(1), *large = record_create(5001);
    assert_true(record_footprint_bytes(small) > 1);
    assert_int_equal(record_footprint_bytes(large) - record_footprint_bytes(small), 5000);
    record_unref(&small);
    record_unref(&large);
}

enum { REFERENCES_A_THREAD = 20000 };

static void *take_and_give_back(void *context)
{
    size_t seen = 0;
    for (int i = 0; i < REFERENCES_A_THREAD; ++i) {
        struct record *mine = record_ref(context);
        seen += *(const unsigned char *)record_data(mine) == 42;
        record_unref(&mine);
    }
    struct record *last = context;
    record_unref(&last);
    return (void *)seen;
}

static void threads_share_references_and_the_last_one_frees(void **state)
{
    (void)state;
    struct record *record = record_create(1);
    *(unsigned char *)record_data_mutable(record) = 42;
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give_back, record_ref(record)),
                         0);
    record_unref(&record);
    for (int i = 0; i < 4; ++i) {
        void *seen;
        pthread_join(threads[i], &seen);
        assert_int_equal((size_t)seen, REFERENCES_A_THREAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_record_is_zeroed_and_has_its_size),
        cmocka_unit_test(data_is_aligned_for_any_type),
        cmocka_unit_test(a_record_may_be_empty),
        cmocka_unit_test(a_size_that_overflows_is_no_memory),
        cmocka_unit_test(data_lives_as_long_as_any_reference),
        cmocka_unit_test(giving_back_nothing_is_fine),
        cmocka_unit_test(a_footprint_exceeds_the_data_by_a_constant),
        cmocka_unit_test(threads_share_references_and_the_last_one_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
