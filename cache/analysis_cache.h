// SPDX-License-Identifier: MIT
// Sharded, mutex-protected LRU of immutable records, with expiry, single flight and statistics.
#pragma once
#include "cache/record.h"
#include "dsp/annotate.h"
#include <stddef.h>
#include <stdint.h>

/// Thread-safety: Safe, except on the audio thread (takes a lock). Nothing is called back while a
/// lock is held; no call waits for another caller's extraction except analysis_cache_wait().
struct analysis_cache;

struct analysis_cache_config {
    // 0: keeps nothing, every request extracts. An index of 100 to 200 bytes for each is set aside at once, and
    // touched as it is used
    size_t capacity_entries;
    size_t capacity_bytes; // keys, paths, records and each one's bookkeeping; 0: no limit by bytes
    int64_t ttl_ns;        // after insertion; 0: never
    int64_t idle_ns;       // after the last hit; 0: never
    unsigned shards; // a power of two up to 64, with at least 32 entries each unless it is 1; 0: as
                     // many as that allows. One, or any with an idle limit, evicts what was used
                     // longest ago; of several each gives what was used a second chance (lru.h)
    int64_t (*now_ns)(void *context); // never goes back, any thread; NULL: CLOCK_BOOTTIME,
                                      // to the precision of the kernel's tick
    void *now_context;
};

/// What the player uses: 50 entries, 64 MiB, 1 h.
struct analysis_cache_config analysis_cache_config_default(void);

/// Every acquire and get_or_lead that does not fail for memory counts one hit or one miss. Always:
/// entries == insertions - evictions - expirations - invalidations - replacements, and
/// leads == publications + stale_discarded + failures + in_flight. What has expired is in neither
/// entries nor bytes.
struct analysis_cache_stats {
    uint64_t hits, misses, insertions, evictions, expirations, invalidations;
    uint64_t replacements;     // records that a newer one with the same key took the place of
    uint64_t refused;          // records not kept: larger than capacity_bytes
    uint64_t leads;            // extractions asked for
    uint64_t publications;     // extractions that ended with a record, kept or not
    uint64_t failures;         // extractions that ended in an error or were given up
    uint64_t stale_discarded;  // extractions thrown away because of an invalidation meanwhile
    size_t entries, bytes;     // bytes are exact: what the heap was asked for on behalf of entries
    size_t in_flight, waiters; // extractions under way, and callers that wait for one
};

/// A key: opaque bytes, copied. `path` groups keys for invalidation by track and by path prefix;
/// it is no part of the comparison, and is not read where a record is only looked for.
struct analysis_cache_key {
    const void *bytes;
    size_t size;
    const char *path; // NUL-terminated
};

/// One caller's part in an extraction under way: the leader's, who must end it, or a waiter's.
/// Thread-safety: one thread at a time, but for analysis_cache_is_cancelled().
struct analysis_cache_ticket;

enum analysis_cache_outcome {
    ANALYSIS_CACHE_HIT,  // *record is set, a new reference
    ANALYSIS_CACHE_LEAD, // *ticket: this caller extracts, then calls _publish() or _fail()
    ANALYSIS_CACHE_WAIT, // *ticket: someone else extracts; analysis_cache_wait() or a callback
};

/// @return 0; -EINVAL: a number of shards that is not allowed, a negative time; -ENOMEM. On error
/// *out is NULL.
MUST_CHECK int analysis_cache_create(struct analysis_cache **out,
                                     const struct analysis_cache_config *config);
/// Destroy and set *cache to NULL. NULL is fine. No ticket may be open, no other thread inside.
void analysis_cache_destroy(struct analysis_cache **cache);

/// Find a record and note that it was used. Counts a hit or a miss.
/// @return a new reference (record_unref() it), or NULL on a miss.
struct record *analysis_cache_acquire(struct analysis_cache *cache,
                                      const struct analysis_cache_key *key);
/// The same without promotion and without statistics.
struct record *analysis_cache_peek(struct analysis_cache *cache,
                                   const struct analysis_cache_key *key);
/// @return 1 if analysis_cache_peek() would find a record, else 0.
int analysis_cache_has(struct analysis_cache *cache, const struct analysis_cache_key *key);

/// Find a record or take part in its extraction. Never blocks for long.
/// @return an enum analysis_cache_outcome; -ENOMEM; or, during the back-off after a failed
/// extraction (1 s, doubled by each further failure up to 60 s), its error (a -errno).
MUST_CHECK int analysis_cache_get_or_lead(struct analysis_cache *cache,
                                          const struct analysis_cache_key *key,
                                          struct record **record,
                                          struct analysis_cache_ticket **ticket);
/// A waiter's wait until the extraction ends or CLOCK_MONOTONIC reads `deadline_ns` (INT64_MAX: for
/// ever). Ends the ticket (*ticket is NULL) unless it returns -ETIMEDOUT. Blocks; waiters that must
/// not block use analysis_cache_notify() first. @return 0 and *record (a new reference), or the
/// error.
MUST_CHECK int analysis_cache_wait(struct analysis_cache *cache,
                                   struct analysis_cache_ticket **ticket, int64_t deadline_ns,
                                   struct record **record);
/// Have `fn(context)` called once, on the thread that ends the extraction and without a lock, when
/// analysis_cache_wait() would no longer block; at once if so already. At most once a ticket, which
/// a waiter's must be. The ticket stays open: fn, or whom it wakes, calls analysis_cache_wait().
void analysis_cache_notify(struct analysis_cache *cache, struct analysis_cache_ticket *ticket,
                           void (*fn)(void *context), void *context);
/// A waiter or leader gives up. The last one to give up makes analysis_cache_is_cancelled() true for
/// the leader; a leader that gives up fails the extraction with -ECANCELED. Ends the ticket.
/// @return 1 if analysis_cache_notify()'s callback was withdrawn and never comes; 0 if none was
/// asked for, or it has been called or is about to be: its context must live until then.
int analysis_cache_give_up(struct analysis_cache *cache, struct analysis_cache_ticket **ticket);
/// A leader wants the result no longer for itself, but goes on for the waiters: without any it is
/// cancelled at once. Its ticket stays open: it still publishes or fails. At most once a ticket.
void analysis_cache_lead_for_others(struct analysis_cache *cache,
                                    struct analysis_cache_ticket *ticket);
/// True once nobody wants the leader's result any more. It stays so: who asks after that leads an
/// extraction of its own. Thread-safety: Safe while the ticket is open.
int analysis_cache_is_cancelled(const struct analysis_cache_ticket *ticket);
/// Leader: publish. Waiters get it; it is kept unless it was invalidated meanwhile or is larger than
/// capacity_bytes. A record may evict other shards' if its own has no room. Needs no memory. Ends
/// the ticket; the caller keeps its own reference to `record`.
void analysis_cache_publish(struct analysis_cache *cache, struct analysis_cache_ticket **ticket,
                            struct record *record);
/// Leader: end with an error (-errno), which all waiters get. Ends the ticket. Begins or lengthens
/// the back-off unless the error is -ECANCELED, the key was invalidated meanwhile, or capacity is 0.
void analysis_cache_fail(struct analysis_cache *cache, struct analysis_cache_ticket **ticket,
                         int error);
/// Insert without single flight (promotion from a lower tier), if still valid: `generation` is what
/// analysis_cache_generation() gave before the lower tier was read.
/// @return 0 (also where capacity keeps it from being kept); -ESTALE: something was invalidated
/// meanwhile, nothing is inserted; -ENOMEM.
MUST_CHECK int analysis_cache_insert(struct analysis_cache *cache,
                                     const struct analysis_cache_key *key, struct record *record,
                                     uint64_t generation);
/// A number that every invalidation raises.
uint64_t analysis_cache_generation(const struct analysis_cache *cache);

/// Drop every record whose path is `path`, forget its failures, and let what is being extracted for
/// it reach those who wait already, but not the cache. O(entries). @return how many records.
size_t analysis_cache_invalidate_path(struct analysis_cache *cache, const char *path);
/// The same for all paths that are `prefix` or below it (whole components, compared as bytes; "/":
/// all absolute paths). `prefix` is not empty.
size_t analysis_cache_invalidate_prefix(struct analysis_cache *cache, const char *prefix);
/// The same for everything.
size_t analysis_cache_clear(struct analysis_cache *cache);
/// A consistent snapshot over all shards.
void analysis_cache_stats(struct analysis_cache *cache, struct analysis_cache_stats *stats);
/// Number of shards, and the snapshot of one.
unsigned analysis_cache_shards(const struct analysis_cache *cache);
void analysis_cache_shard_stats(struct analysis_cache *cache, unsigned shard,
                                struct analysis_cache_stats *stats);
