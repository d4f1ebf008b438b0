// SPDX-License-Identifier: MIT
#include "engine/player/queue.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N = 6 };

struct fixture {
    struct queue *queue;
    uint64_t ids[N];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    assert_int_equal(queue_create(&fixture.queue), 0);
    for (int i = 0; i < N; ++i) {
        char path[8];
        snprintf(path, sizeof(path), "%c.wav", 'a' + i);
        assert_int_equal(queue_add(fixture.queue, path, &fixture.ids[i]), 0);
    }
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    queue_destroy(&f->queue);
    assert_null(f->queue);
    return 0;
}

static void played_order(const struct queue *queue, char *out)
{
    uint64_t id = queue_first(queue);
    size_t n = 0;
    for (; id && n < queue_length(queue); id = queue_skip(queue, id))
        out[n++] = queue_path(queue, id)[0];
    out[n] = 0;
}

static void entries_play_in_the_order_they_were_added(void **state)
{
    struct fixture *f = *state;
    char order[16];
    played_order(f->queue, order);
    assert_string_equal(order, "abcdef");
    assert_int_equal(queue_successor(f->queue, f->ids[N - 1]), 0);
}

static void insert_remove_and_move_keep_ids_and_order(void **state)
{
    struct fixture *f = *state;
    uint64_t id;
    assert_int_equal(queue_insert(f->queue, 2, "x.wav", &id), 0);
    assert_int_equal(queue_remove(f->queue, f->ids[0]), 0);
    assert_int_equal(queue_move(f->queue, f->ids[5], 0), 0);
    char order[16];
    played_order(f->queue, order);
    assert_string_equal(order, "fbxcde");
    assert_string_equal(queue_path(f->queue, id), "x.wav");
    assert_int_equal(queue_position(f->queue, f->ids[4]), 5);
    assert_int_equal(queue_remove(f->queue, f->ids[0]), -ENOENT);
    assert_int_equal(queue_move(f->queue, 999, 0), -ENOENT);
    assert_null(queue_path(f->queue, f->ids[0]));
}

static void an_id_is_never_used_twice(void **state)
{
    struct fixture *f = *state;
    uint64_t last = f->ids[N - 1];
    for (int i = 0; i < 100; ++i) {
        uint64_t id;
        assert_int_equal(queue_add(f->queue, "again", &id), 0);
        assert_true(id > last);
        last = id;
        assert_int_equal(queue_remove(f->queue, id), 0);
    }
}

static void repeat_all_wraps_and_repeat_one_stays(void **state)
{
    struct fixture *f = *state;
    queue_set_repeat(f->queue, QUEUE_REPEAT_ALL);
    assert_int_equal(queue_successor(f->queue, f->ids[5]), f->ids[0]);
    assert_int_equal(queue_predecessor(f->queue, f->ids[0]), f->ids[5]);
    queue_set_repeat(f->queue, QUEUE_REPEAT_ONE);
    assert_int_equal(queue_successor(f->queue, f->ids[2]), f->ids[2]);
    assert_int_equal(queue_skip(f->queue, f->ids[2]), f->ids[3]);
    queue_set_repeat(f->queue, QUEUE_REPEAT_OFF);
    assert_int_equal(queue_predecessor(f->queue, f->ids[0]), f->ids[0]);
}

static void shuffle_plays_each_entry_once_and_the_current_one_first(void **state)
{
    struct fixture *f = *state;
    int changed = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        queue_set_shuffle(f->queue, QUEUE_SHUFFLED, seed, f->ids[3]);
        char order[16];
        played_order(f->queue, order);
        assert_int_equal(order[0], 'd');
        assert_int_equal(strlen(order), N);
        for (int c = 'a'; c < 'a' + N; ++c)
            assert_non_null(strchr(order, c));
        changed += strcmp(order, "dabcef") != 0;
    }
    assert_in_range(changed, 15, 20);
    queue_set_shuffle(f->queue, QUEUE_IN_ORDER, 0, 0);
    char order[16];
    played_order(f->queue, order);
    assert_string_equal(order, "abcdef");
}

static void shuffle_is_fair_to_every_place(void **state)
{
    struct fixture *f = *state;
    int count[N] = {0};
    enum { ROUNDS = 6000 };
    for (uint64_t seed = 0; seed < ROUNDS; ++seed) {
        queue_set_shuffle(f->queue, QUEUE_SHUFFLED, seed, 0);
        ++count[queue_path(f->queue, queue_first(f->queue))[0] - 'a'];
    }
    // Binomial with p = 1/6: 1000 expected, standard deviation 29; five of them either side.
    for (int i = 0; i < N; ++i)
        assert_in_range(count[i], 1000 - 145, 1000 + 145);
}

static void an_empty_queue_has_no_first_entry(void **state)
{
    struct fixture *f = *state;
    queue_clear(f->queue);
    assert_int_equal(queue_length(f->queue), 0);
    assert_int_equal(queue_first(f->queue), 0);
    assert_int_equal(queue_successor(f->queue, f->ids[0]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_play_in_the_order_they_were_added, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(insert_remove_and_move_keep_ids_and_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_id_is_never_used_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repeat_all_wraps_and_repeat_one_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shuffle_plays_each_entry_once_and_the_current_one_first,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(shuffle_is_fair_to_every_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_queue_has_no_first_entry, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
