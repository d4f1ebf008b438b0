// SPDX-License-Identifier: MIT
// The play queue: entries with stable ids, list order, play order, repeat and shuffle. Plain data.
#pragma once
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

enum queue_repeat { QUEUE_REPEAT_OFF, QUEUE_REPEAT_ALL, QUEUE_REPEAT_ONE };
enum queue_shuffle { QUEUE_IN_ORDER, QUEUE_SHUFFLED };

/// Ids are never 0 and never used twice. Thread-safety: one thread at a time (the player's lock).
struct queue;

/// @return 0; -ENOMEM. On error *out is NULL.
MUST_CHECK int queue_create(struct queue **out);
/// Destroy and set *queue to NULL. NULL is fine.
void queue_destroy(struct queue **queue);

/// Insert `path` (copied) before list position `position` (at most the length); in play order it comes
/// after the entry that stands before it there, or at the end when shuffled.
/// @return 0 and *id; -ENOMEM, the queue as before.
MUST_CHECK int queue_insert(struct queue *queue, size_t position, const char *path, uint64_t *id);
/// Insert at the end.
MUST_CHECK int queue_add(struct queue *queue, const char *path, uint64_t *id);
/// @return 0; -ENOENT.
int queue_remove(struct queue *queue, uint64_t id);
/// Move to list position `position` (clamped to the end). @return 0; -ENOENT.
int queue_move(struct queue *queue, uint64_t id, size_t position);
void queue_clear(struct queue *queue);

size_t queue_length(const struct queue *queue);
/// Id at a list position below the length.
uint64_t queue_id_at(const struct queue *queue, size_t position);
/// @return list position, or the length if there is no such entry.
size_t queue_position(const struct queue *queue, uint64_t id);
/// Path of an entry, valid until it is removed; NULL if there is no such entry.
const char *queue_path(const struct queue *queue, uint64_t id);

void queue_set_repeat(struct queue *queue, enum queue_repeat repeat);
enum queue_repeat queue_repeat(const struct queue *queue);
/// Shuffle the play order by `seed`, the entry `first` (0: none) in front; or return to list order.
void queue_set_shuffle(struct queue *queue, enum queue_shuffle shuffle, uint64_t seed,
                       uint64_t first);
enum queue_shuffle queue_shuffle(const struct queue *queue);

/// First entry in play order; 0: empty.
uint64_t queue_first(const struct queue *queue);
/// What plays after `id` has ended, by the modes; 0: nothing, or no such entry.
uint64_t queue_successor(const struct queue *queue, uint64_t id);
/// Where `next` leads when the user asks for it: as the successor, but repeat-one does not hold it.
uint64_t queue_skip(const struct queue *queue, uint64_t id);
/// The entry before `id` in play order; the last one with repeat-all; itself if it is the first.
uint64_t queue_predecessor(const struct queue *queue, uint64_t id);
