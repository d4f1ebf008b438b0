// SPDX-License-Identifier: MIT
// The table and order below a shard's store, and the hash it is given, on hashes made to collide.
#include "cache/key_hash.h"
#include "cache/lru.h"
#include "support/cache_fixture.h"
#include "support/rng.h"
#include <errno.h>
#include <stdlib.h>

enum { MOST = 40, NUMBERS = 90 };

struct fixture {
    struct lru lru;
    struct record *record;
    struct entry *entries[NUMBERS]; // NULL: not in it
    uint64_t kept_bits, set_bits;   // what is left of a number's hash, and what is added to it
    // --- the oracle: numbers, the first to come to the front last; marks are of the lazy order alone
    size_t count;
    uint64_t order[MOST];
    int is_marked[NUMBERS];
};

static uint64_t hash_of_number(const struct fixture *f, uint64_t number)
{
    return (key_hash(&number, sizeof(number)) & f->kept_bits) | f->set_bits;
}

static void begin(struct fixture *f, uint64_t kept_bits, uint64_t set_bits, enum lru_order order)
{
    *f = (struct fixture){.kept_bits = kept_bits, .set_bits = set_bits, .record = record_create(8)};
    assert_non_null(f->record);
    assert_int_equal(lru_init(&f->lru, MOST, order), 0);
}

static void end(struct fixture *f)
{
    for (uint64_t number = 0; number < NUMBERS; ++number)
        entry_destroy(&f->entries[number]);
    lru_deinit(&f->lru);
    record_unref(&f->record);
}

static const struct lru_slot *find(struct fixture *f, uint64_t number)
{
    const struct analysis_cache_key key = {&number, sizeof(number), NULL};
    const uint64_t hash = hash_of_number(f, number);
    return lru_find(lru_home(&f->lru, hash), hash, &key);
}

static size_t place_in_order(const struct fixture *f, uint64_t number)
{
    size_t place = 0;
    while (place < f->count && f->order[place] != number)
        ++place;
    return place;
}

static void take_from_order(struct fixture *f, uint64_t number)
{
    const size_t place = place_in_order(f, number);
    --f->count;
    memmove(&f->order[place], &f->order[place + 1], (f->count - place) * sizeof(number));
}

static void put_first(struct fixture *f, uint64_t number)
{
    memmove(&f->order[1], &f->order[0], f->count * sizeof(number));
    f->order[0] = number;
    ++f->count;
}

/// What is found at the end with its mark loses it and moves to the front.
static uint64_t oldest(struct fixture *f)
{
    uint64_t number = f->order[f->count - 1];
    while (f->is_marked[number]) {
        f->is_marked[number] = 0;
        take_from_order(f, number);
        put_first(f, number);
        number = f->order[f->count - 1];
    }
    return number;
}

static void use_number(struct fixture *f, uint64_t number)
{
    lru_use(&f->lru, find(f, number));
    if (f->lru.order == LRU_LAZY) {
        f->is_marked[number] = 1;
        return;
    }
    take_from_order(f, number);
    put_first(f, number);
}

static void remove_number(struct fixture *f, uint64_t number)
{
    take_from_order(f, number);
    f->is_marked[number] = 0;
    lru_remove(&f->lru, f->entries[number]);
    entry_destroy(&f->entries[number]);
}

static void add_number(struct fixture *f, uint64_t number)
{
    const struct analysis_cache_key key = {&number, sizeof(number), "/a"};
    if (f->count == MOST) {
        const uint64_t evicted = oldest(f);
        assert_ptr_equal(lru_oldest(&f->lru), f->entries[evicted]);
        remove_number(f, evicted);
    }
    f->entries[number] = entry_create(&key, hash_of_number(f, number));
    assert_non_null(f->entries[number]);
    entry_set_record(f->entries[number], f->record);
    lru_add(&f->lru, f->entries[number]);
    put_first(f, number);
}

static void expect_agreement(struct fixture *f)
{
    for (uint64_t number = 0; number < NUMBERS; ++number) {
        const struct lru_slot *slot = find(f, number);
        assert_int_equal(slot != NULL, place_in_order(f, number) < f->count);
        if (slot)
            assert_ptr_equal(slot->entry, f->entries[number]);
    }
    if (f->count > 0 && f->lru.order == LRU_EXACT) // to ask a lazy one changes it
        assert_ptr_equal(lru_oldest(&f->lru), f->entries[oldest(f)]);
}

static void expect_oracle(uint64_t kept_bits, uint64_t set_bits, enum lru_order order)
{
    struct fixture f;
    uint64_t seed = 20261123 ^ kept_bits, uses = 0, removals = 0;
    begin(&f, kept_bits, set_bits, order);
    for (int i = 0; i < 4000; ++i) {
        const uint64_t number = rng_next(&seed) % NUMBERS;
        const struct lru_slot *slot = find(&f, number);
        if (!slot) {
            add_number(&f, number);
        } else if (rng_next(&seed) % 4) {
            use_number(&f, number);
            ++uses;
        } else {
            remove_number(&f, number);
            ++removals;
        }
        expect_agreement(&f);
    }
    assert_true(uses > 500 && removals > 200);
    while (f.count > 0) { // the whole order, from its end
        const uint64_t evicted = oldest(&f);
        assert_ptr_equal(lru_oldest(&f.lru), f.entries[evicted]);
        remove_number(&f, evicted);
        expect_agreement(&f);
    }
    end(&f);
}

static void random_operations_agree_with_a_naive_list(void **state)
{
    (void)state;
    expect_oracle(UINT64_MAX, 0, LRU_EXACT);
    expect_oracle(UINT64_MAX, 0, LRU_LAZY);
}

static void keys_that_share_few_homes_agree_with_a_naive_list(void **state)
{
    (void)state;
    expect_oracle(0x7f, 0, LRU_EXACT);
    expect_oracle(0x7f, 0, LRU_LAZY); // homes all over, and half of the hashes the same
    expect_oracle(0x3, 0, LRU_EXACT);
    expect_oracle(0x3, 0, LRU_LAZY); // four runs
}

static void keys_of_one_hash_agree_with_a_naive_list(void **state)
{
    (void)state;
    expect_oracle(0, 0, LRU_EXACT);
    expect_oracle(0, 0, LRU_LAZY);
    expect_oracle(0, UINT32_MAX, LRU_EXACT);
    expect_oracle(0, UINT32_MAX, LRU_LAZY); // from the last home on
}

/// However often one is used, it is passed over once: others used since are evicted after it.
static void lazy_order_evicts_nothing_used_before_what_was_not(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, UINT64_MAX, 0, LRU_LAZY);
    for (uint64_t number = 0; number < MOST; ++number)
        add_number(&f, number);
    for (uint64_t number = 0; number < MOST; number += 2)
        for (int use = 0; use < 3; ++use)
            use_number(&f, number);
    for (uint64_t number = 1; number < MOST; number += 2) {
        assert_ptr_equal(lru_oldest(&f.lru), f.entries[number]);
        lru_remove(&f.lru, f.entries[number]);
        entry_destroy(&f.entries[number]);
    }
    assert_ptr_equal(lru_oldest(&f.lru), f.entries[0]);
    end(&f);
}

static void more_than_can_be_numbered_is_no_memory(void **state)
{
    (void)state;
    struct lru lru;
    assert_int_equal(lru_init(&lru, SIZE_MAX, LRU_EXACT), -ENOMEM);
    lru_deinit(&lru);
}

// --- The hash -----------------------------------------------------------------------------------

enum { KEYS = 1 << 12 };

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

/// Keys of `size` bytes, all zero but for a counter at `offset`: of 2^12 random hashes 0.002 pairs
/// would share 32 bits, and 2^13 homes would find 39 % of them taken.
static void expect_spread(size_t size, size_t offset, unsigned shift)
{
    static uint64_t hashes[KEYS];
    static unsigned char is_taken[2 * KEYS];
    size_t taken = 0, pairs = 0;
    memset(is_taken, 0, sizeof(is_taken));
    for (uint64_t i = 0; i < KEYS; ++i) {
        unsigned char key[80] = {0};
        const uint64_t word = i << shift;
        memcpy(key + offset, &word, sizeof(word));
        const uint64_t hash = key_hash(key, size);
        taken += !is_taken[hash % (2 * KEYS)];
        is_taken[hash % (2 * KEYS)] = 1;
        hashes[i] = hash & UINT32_MAX;
    }
    qsort(hashes, KEYS, sizeof(hashes[0]), compare_hashes);
    for (int i = 1; i < KEYS; ++i)
        pairs += hashes[i] == hashes[i - 1];
    assert_true(pairs <= 3);
    assert_true(taken >= 2 * KEYS * 37 / 100);
}

static void counters_anywhere_in_a_key_spread_over_all_homes(void **state)
{
    (void)state;
    const size_t sizes[] = {8, 16, 24, 32, 40, 64, 72, 77};
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); ++k)
        for (size_t offset = 0; offset + 8 <= sizes[k]; offset += 8)
            for (unsigned shift = 0; shift <= 50; shift += 10)
                expect_spread(sizes[k], offset, shift);
}

static void zeros_at_the_end_of_a_key_change_its_hash(void **state)
{
    (void)state;
    const unsigned char zeros[64] = {0};
    uint64_t hashes[64];
    for (size_t size = 1; size <= 64; ++size)
        hashes[size - 1] = key_hash(zeros, size);
    qsort(hashes, 64, sizeof(hashes[0]), compare_hashes);
    for (int i = 1; i < 64; ++i)
        assert_true(hashes[i] != hashes[i - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_a_naive_list),
        cmocka_unit_test(keys_that_share_few_homes_agree_with_a_naive_list),
        cmocka_unit_test(keys_of_one_hash_agree_with_a_naive_list),
        cmocka_unit_test(lazy_order_evicts_nothing_used_before_what_was_not),
        cmocka_unit_test(more_than_can_be_numbered_is_no_memory),
        cmocka_unit_test(counters_anywhere_in_a_key_spread_over_all_homes),
        cmocka_unit_test(zeros_at_the_end_of_a_key_change_its_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
