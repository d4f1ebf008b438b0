// SPDX-License-Identifier: MIT
#include "engine/player/queue.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t id;
    char *path;
};

// `list` owns the entries; `order` holds the same pointers as they are played.
struct queue {
    struct entry **list;
    struct entry **order;
    size_t length, capacity;
    uint64_t next_id;
    enum queue_repeat repeat;
    enum queue_shuffle shuffle;
};

int queue_create(struct queue **out)
{
    *out = calloc(1, sizeof(struct queue));
    if (!*out)
        return -ENOMEM;
    (*out)->next_id = 1;
    return 0;
}

void queue_destroy(struct queue **queue)
{
    if (!*queue)
        return;
    queue_clear(*queue);
    free((*queue)->list);
    free((*queue)->order);
    free(*queue);
    *queue = NULL;
}

static size_t index_of(struct entry *const *entries, size_t length, uint64_t id)
{
    size_t i = 0;
    while (i < length && entries[i]->id != id)
        ++i;
    return i;
}

static void insert_at(struct entry **entries, size_t length, size_t position, struct entry *entry)
{
    memmove(entries + position + 1, entries + position, (length - position) * sizeof(*entries));
    entries[position] = entry;
}

static void remove_at(struct entry **entries, size_t length, size_t position)
{
    memmove(entries + position, entries + position + 1, (length - position - 1) * sizeof(*entries));
}

static int reserve_one(struct queue *queue)
{
    if (queue->length < queue->capacity)
        return 0;
    const size_t capacity = queue->capacity ? 2 * queue->capacity : 16;
    struct entry **list = realloc(queue->list, capacity * sizeof(*list));
    if (list)
        queue->list = list;
    struct entry **order = realloc(queue->order, capacity * sizeof(*order));
    if (order)
        queue->order = order;
    if (!list || !order)
        return -ENOMEM;
    queue->capacity = capacity;
    return 0;
}

static struct entry *entry_create(uint64_t id, const char *path)
{
    struct entry *entry = calloc(1, sizeof(*entry));
    if (!entry)
        return NULL;
    entry->id = id;
    entry->path = strdup(path);
    if (!entry->path) {
        free(entry);
        return NULL;
    }
    return entry;
}

// Place in play order of an entry about to stand at `position` of the list.
static size_t order_position(const struct queue *queue, size_t position)
{
    if (queue->shuffle == QUEUE_SHUFFLED)
        return queue->length;
    return position;
}

int queue_insert(struct queue *queue, size_t position, const char *path, uint64_t *id)
{
    assert(position <= queue->length);
    int error = reserve_one(queue);
    if (error)
        return error;
    struct entry *entry = entry_create(queue->next_id, path);
    if (!entry)
        return -ENOMEM;
    *id = queue->next_id++;
    insert_at(queue->order, queue->length, order_position(queue, position), entry);
    insert_at(queue->list, queue->length, position, entry);
    ++queue->length;
    return 0;
}

int queue_add(struct queue *queue, const char *path, uint64_t *id)
{
    return queue_insert(queue, queue->length, path, id);
}

int queue_remove(struct queue *queue, uint64_t id)
{
    const size_t position = index_of(queue->list, queue->length, id);
    if (position == queue->length)
        return -ENOENT;
    struct entry *entry = queue->list[position];
    remove_at(queue->list, queue->length, position);
    remove_at(queue->order, queue->length, index_of(queue->order, queue->length, id));
    --queue->length;
    free(entry->path);
    free(entry);
    return 0;
}

static void order_as_listed(struct queue *queue)
{
    if (queue->length)
        memcpy(queue->order, queue->list, queue->length * sizeof(*queue->list));
}

int queue_move(struct queue *queue, uint64_t id, size_t position)
{
    const size_t from = index_of(queue->list, queue->length, id);
    if (from == queue->length)
        return -ENOENT;
    if (position >= queue->length)
        position = queue->length - 1;
    struct entry *entry = queue->list[from];
    remove_at(queue->list, queue->length, from);
    insert_at(queue->list, queue->length - 1, position, entry);
    if (queue->shuffle == QUEUE_IN_ORDER)
        order_as_listed(queue);
    return 0;
}

void queue_clear(struct queue *queue)
{
    for (size_t i = 0; i < queue->length; ++i) {
        free(queue->list[i]->path);
        free(queue->list[i]);
    }
    queue->length = 0;
}

size_t queue_length(const struct queue *queue)
{
    return queue->length;
}

uint64_t queue_id_at(const struct queue *queue, size_t position)
{
    assert(position < queue->length);
    return queue->list[position]->id;
}

size_t queue_position(const struct queue *queue, uint64_t id)
{
    return index_of(queue->list, queue->length, id);
}

const char *queue_path(const struct queue *queue, uint64_t id)
{
    const size_t position = queue_position(queue, id);
    return position < queue->length ? queue->list[position]->path : NULL;
}

void queue_set_repeat(struct queue *queue, enum queue_repeat repeat)
{
    queue->repeat = repeat;
}

enum queue_repeat queue_repeat(const struct queue *queue)
{
    return queue->repeat;
}

// SplitMix64 (Steele, Lea, Flood 2014): every seed gives a good stream, which a shuffle needs of 2^64 seeds.
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

static void swap(struct entry **a, struct entry **b)
{
    struct entry *t = *a;
    *a = *b;
    *b = t;
}

void queue_set_shuffle(struct queue *queue, enum queue_shuffle shuffle, uint64_t seed,
                       uint64_t first)
{
    queue->shuffle = shuffle;
    order_as_listed(queue);
    if (shuffle == QUEUE_IN_ORDER)
        return;
    // Fisher and Yates, then the entry that plays already is swapped to the front.
    for (size_t i = queue->length; i > 1; --i)
        swap(&queue->order[i - 1], &queue->order[random_next(&seed) % i]);
    const size_t at = index_of(queue->order, queue->length, first);
    if (at < queue->length)
        swap(&queue->order[0], &queue->order[at]);
}

enum queue_shuffle queue_shuffle(const struct queue *queue)
{
    return queue->shuffle;
}

uint64_t queue_first(const struct queue *queue)
{
    return queue->length ? queue->order[0]->id : 0;
}

uint64_t queue_skip(const struct queue *queue, uint64_t id)
{
    const size_t at = index_of(queue->order, queue->length, id);
    if (at == queue->length)
        return 0;
    if (at + 1 < queue->length)
        return queue->order[at + 1]->id;
    return queue->repeat == QUEUE_REPEAT_OFF ? 0 : queue->order[0]->id;
}

uint64_t queue_successor(const struct queue *queue, uint64_t id)
{
    if (queue->repeat == QUEUE_REPEAT_ONE)
        return queue_position(queue, id) < queue->length ? id : 0;
    return queue_skip(queue, id);
}

uint64_t queue_predecessor(const struct queue *queue, uint64_t id)
{
    const size_t at = index_of(queue->order, queue->length, id);
    if (at == queue->length)
        return 0;
    if (at > 0)
        return queue->order[at - 1]->id;
    return queue->repeat == QUEUE_REPEAT_ALL ? queue->order[queue->length - 1]->id : id;
}
