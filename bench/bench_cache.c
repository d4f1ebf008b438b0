// SPDX-License-Identifier: MIT
// Hits of the analysis cache beside RocksDB's caches: the same keys, values and trace.
#include "bench.h"
#include "cache/analysis_cache.h"
#include "peer_rocksdb.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENTRIES = 100000,
    KEY_BYTES = 64,
    RECORD_BYTES = 400,
    TRACE_LENGTH = 1 << 19,
    TIMED_OPERATIONS = 1 << 17, // of them, in the runs that time each operation
    REPETITIONS = 7,
    MOST_THREADS = 2,
    SHARD_BITS = 6,
    HYPERCLOCK_KEY_BYTES = 16, // all that it takes; the first of each key
    MOST_CONTENDERS = 3,
};

struct contender {
    const char *name;
    /// Get the record of a key, read its first word and give it back.
    uint64_t (*hit)(void *cache, const unsigned char *key);
    void *cache;
};

/// Keys, values and traces, the same for both.
struct workload {
    unsigned char (*keys)[KEY_BYTES];
    uint64_t *values;
    uint32_t *traces[MOST_THREADS];
};

static uint64_t hit_segue(void *cache, const unsigned char *key)
{
    const struct analysis_cache_key wanted = {key, KEY_BYTES, NULL};
    struct record *record = analysis_cache_acquire(cache, &wanted);
    if (!record)
        return 0;
    uint64_t word;
    memcpy(&word, record_data(record), sizeof(word));
    record_unref(&record);
    return word;
}

static uint64_t hit_peer(void *cache, const unsigned char *key, size_t key_bytes)
{
    void *handle = peer_cache_acquire(cache, key, key_bytes);
    if (!handle)
        return 0;
    uint64_t word;
    memcpy(&word, peer_cache_value(cache, handle), sizeof(word));
    peer_cache_release(cache, handle);
    return word;
}

static uint64_t hit_lru(void *cache, const unsigned char *key)
{
    return hit_peer(cache, key, KEY_BYTES);
}

static uint64_t hit_hyperclock(void *cache, const unsigned char *key)
{
    return hit_peer(cache, key, HYPERCLOCK_KEY_BYTES);
}

// --- The workload -------------------------------------------------------------------------------

/// Zipf with exponent 0.99: numbers drawn from the inverse of the cumulative distribution.
static void fill_trace(uint32_t *trace, const double *cumulative, uint64_t seed)
{
    for (size_t i = 0; i < TRACE_LENGTH; ++i) {
        const double at = (double)(bench_random(&seed) >> 11) * 0x1p-53 * cumulative[ENTRIES - 1];
        uint32_t low = 0, high = ENTRIES - 1;
        while (low < high) {
            const uint32_t middle = (low + high) / 2;
            if (cumulative[middle] < at)
                low = middle + 1;
            else
                high = middle;
        }
        trace[i] = low;
    }
}

static void workload_deinit(struct workload *w)
{
    free(w->keys);
    free(w->values);
    for (int i = 0; i < MOST_THREADS; ++i)
        free(w->traces[i]);
}

static int workload_init(struct workload *w)
{
    *w = (struct workload){.keys = malloc((size_t)ENTRIES * KEY_BYTES),
                           .values = calloc(ENTRIES, RECORD_BYTES)};
    if (!w->keys || !w->values) {
        workload_deinit(w);
        return -1;
    }
    uint64_t seed = 20261122;
    for (size_t i = 0; i < ENTRIES; ++i) {
        for (size_t at = 0; at < KEY_BYTES; at += sizeof(uint64_t)) {
            const uint64_t word = bench_random(&seed);
            memcpy(&w->keys[i][at], &word, sizeof(word));
        }
        w->values[i * RECORD_BYTES / sizeof(uint64_t)] = i + 1;
    }
    return 0;
}

static int workload_add_traces(struct workload *w)
{
    double *cumulative = malloc(ENTRIES * sizeof(*cumulative)), sum = 0;
    int error = cumulative ? 0 : -1;
    for (size_t i = 0; i < ENTRIES && !error; ++i)
        cumulative[i] = sum += pow((double)i + 1, -0.99);
    for (int i = 0; i < MOST_THREADS && !error; ++i) {
        w->traces[i] = malloc(TRACE_LENGTH * sizeof(uint32_t));
        if (w->traces[i])
            fill_trace(w->traces[i], cumulative, (uint64_t)i + 1);
        else
            error = -1;
    }
    free(cumulative);
    return error;
}

static int fill_segue(struct analysis_cache *cache, const struct workload *w, size_t entries)
{
    for (size_t i = 0; i < entries; ++i) {
        struct record *record = record_create(RECORD_BYTES);
        if (!record)
            return -1;
        memcpy(record_data_mutable(record), &w->values[i * RECORD_BYTES / sizeof(uint64_t)],
               RECORD_BYTES);
        const struct analysis_cache_key key = {w->keys[i], KEY_BYTES, "/music/artist/album/track"};
        const int error =
            analysis_cache_insert(cache, &key, record, analysis_cache_generation(cache));
        record_unref(&record);
        if (error)
            return -1;
    }
    return 0;
}

// --- Measuring ----------------------------------------------------------------------------------

struct runner {
    const struct contender *contender;
    const struct workload *workload;
    const uint32_t *trace;
    pthread_barrier_t *start;
    double *latencies_ns; // TIMED_OPERATIONS of them, or NULL to time the whole run
    int64_t cpu_ns, wall_ns;
    uint64_t misses;
};

static void *run_throughput(struct runner *r)
{
    const int64_t cpu = bench_cpu_ns(), wall = bench_wall_ns();
    for (size_t i = 0; i < TRACE_LENGTH; ++i) {
        const uint32_t number = r->trace[i];
        r->misses += r->contender->hit(r->contender->cache, r->workload->keys[number]) !=
                     (uint64_t)number + 1;
    }
    r->cpu_ns = bench_cpu_ns() - cpu;
    r->wall_ns = bench_wall_ns() - wall;
    return NULL;
}

static void *run_latency(struct runner *r)
{
    for (size_t i = 0; i < TIMED_OPERATIONS; ++i) {
        const uint32_t number = r->trace[i];
        const int64_t before = bench_wall_ns();
        r->misses += r->contender->hit(r->contender->cache, r->workload->keys[number]) !=
                     (uint64_t)number + 1;
        r->latencies_ns[i] = (double)(bench_wall_ns() - before);
    }
    return NULL;
}

static void *run(void *context)
{
    struct runner *r = context;
    pthread_barrier_wait(r->start);
    return r->latencies_ns ? run_latency(r) : run_throughput(r);
}

struct result {
    double cpu_mops, wall_mops, p50_ns, p99_ns;
};

/// @return 0; -1: no thread, no memory, or a look-up that did not find its record.
static int run_threads(const struct contender *contender, const struct workload *w, int threads,
                       double *latencies_ns, struct result *result)
{
    pthread_barrier_t start;
    pthread_t ids[MOST_THREADS];
    struct runner runners[MOST_THREADS];
    int started = 0;
    if (pthread_barrier_init(&start, NULL, (unsigned)threads) != 0)
        return -1;
    for (; started < threads; ++started) {
        runners[started] = (struct runner){
            .contender = contender,
            .workload = w,
            .trace = w->traces[started],
            .start = &start,
            .latencies_ns =
                latencies_ns ? latencies_ns + (size_t)started * TIMED_OPERATIONS : NULL};
        if (pthread_create(&ids[started], NULL, run, &runners[started]) != 0)
            abort(); // those started wait for it at the barrier for ever
    }
    uint64_t misses = 0;
    for (int i = 0; i < threads; ++i) {
        pthread_join(ids[i], NULL);
        misses += runners[i].misses;
        result->cpu_mops += TRACE_LENGTH * 1e3 / (double)runners[i].cpu_ns;
        result->wall_mops += TRACE_LENGTH * 1e3 / (double)runners[i].wall_ns;
    }
    pthread_barrier_destroy(&start);
    return misses ? -1 : 0;
}

static int measure(const struct contender *contender, const struct workload *w, int threads,
                   double *latencies_ns, struct result *result)
{
    struct result ignored = {0};
    *result = (struct result){0};
    if (run_threads(contender, w, threads, NULL, result) != 0 ||
        run_threads(contender, w, threads, latencies_ns, &ignored) != 0)
        return -1;
    const size_t count = (size_t)threads * TIMED_OPERATIONS;
    result->p50_ns = bench_median(latencies_ns, count); // which sorts them
    result->p99_ns = latencies_ns[count * 99 / 100];
    return 0;
}

static struct result median_of(const struct result results[REPETITIONS])
{
    double cpu[REPETITIONS], wall[REPETITIONS], p50[REPETITIONS], p99[REPETITIONS];
    for (int i = 0; i < REPETITIONS; ++i) {
        cpu[i] = results[i].cpu_mops;
        wall[i] = results[i].wall_mops;
        p50[i] = results[i].p50_ns;
        p99[i] = results[i].p99_ns;
    }
    return (struct result){bench_median(cpu, REPETITIONS), bench_median(wall, REPETITIONS),
                           bench_median(p50, REPETITIONS), bench_median(p99, REPETITIONS)};
}

static void print_result(const char *name, int threads, const struct result *r)
{
    printf("cache-hit impl=%s threads=%d cpu_mops=%.3f wall_mops=%.3f p50_ns=%.0f p99_ns=%.0f\n",
           name, threads, r->cpu_mops, r->wall_mops, r->p50_ns, r->p99_ns);
}

static void print_ratio(const char *peer, int threads, const struct result *ours,
                        const struct result *theirs)
{
    printf("cache-hit-ratio segue/%s threads=%d cpu_mops=%.2f wall_mops=%.2f p50=%.2f p99=%.2f\n",
           peer, threads, ours->cpu_mops / theirs->cpu_mops, ours->wall_mops / theirs->wall_mops,
           ours->p50_ns / theirs->p50_ns, ours->p99_ns / theirs->p99_ns);
}

/// The last contender is the one that the others are peers of.
static int compare_on(const struct contender *contenders, size_t count, const struct workload *w,
                      int threads)
{
    struct result results[MOST_CONTENDERS][REPETITIONS], medians[MOST_CONTENDERS];
    double *latencies_ns = malloc(sizeof(double) * TIMED_OPERATIONS * (size_t)threads);
    int error = latencies_ns ? 0 : -1;
    for (int i = 0; i < REPETITIONS && !error; ++i)
        for (size_t k = 0; k < count && !error; ++k)
            error = measure(&contenders[k], w, threads, latencies_ns, &results[k][i]);
    free(latencies_ns);
    if (error)
        return error;
    for (size_t k = 0; k < count; ++k) {
        medians[k] = median_of(results[k]);
        print_result(contenders[k].name, threads, &medians[k]);
    }
    for (size_t k = 0; k + 1 < count; ++k)
        print_ratio(contenders[k].name, threads, &medians[count - 1], &medians[k]);
    return 0;
}

/// @return NULL if it is absent.
static struct peer_cache *create_peer(enum peer_kind kind, const char *name, size_t key_bytes,
                                      const struct workload *w)
{
    struct peer_cache *peer = peer_cache_create(kind, (size_t)2 * ENTRIES, SHARD_BITS);
    int error = peer ? 0 : -1;
    for (size_t i = 0; i < ENTRIES && !error; ++i)
        error = peer_cache_insert(peer, w->keys[i], key_bytes,
                                  &w->values[i * RECORD_BYTES / sizeof(uint64_t)]);
    if (error) {
        printf("cache-hit impl=%s absent=1\n", name);
        peer_cache_destroy(&peer);
    }
    return peer;
}

static int compare(struct analysis_cache *cache, struct workload *w)
{
    struct contender contenders[MOST_CONTENDERS];
    size_t count = 0;
    struct peer_cache *lru = create_peer(PEER_LRU, "rocksdb-lru", KEY_BYTES, w);
    struct peer_cache *hyperclock =
        create_peer(PEER_HYPERCLOCK, "rocksdb-hyperclock", HYPERCLOCK_KEY_BYTES, w);
    if (lru)
        contenders[count++] = (struct contender){"rocksdb-lru", hit_lru, lru};
    if (hyperclock)
        contenders[count++] = (struct contender){"rocksdb-hyperclock", hit_hyperclock, hyperclock};
    contenders[count++] = (struct contender){"segue", hit_segue, cache};
    int error = workload_add_traces(w);
    if (!error)
        error = fill_segue(cache, w, ENTRIES);
    for (int threads = 1; threads <= MOST_THREADS && !error; ++threads)
        error = compare_on(contenders, count, w, threads);
    peer_cache_destroy(&lru);
    peer_cache_destroy(&hyperclock);
    return error;
}

/// What valgrind counts: the difference between two runs, divided by that of their `hits`.
static int run_bare_hits(struct analysis_cache *cache, const struct workload *w, unsigned long hits)
{
    enum { PLAYERS_ENTRIES = 50 };
    if (fill_segue(cache, w, PLAYERS_ENTRIES) != 0)
        return -1;
    struct analysis_cache_key keys[PLAYERS_ENTRIES];
    for (size_t i = 0; i < PLAYERS_ENTRIES; ++i)
        keys[i] = (struct analysis_cache_key){w->keys[i], KEY_BYTES, NULL};
    size_t at = 0;
    for (unsigned long i = 0; i < hits; ++i) {
        struct record *record = analysis_cache_acquire(cache, &keys[at]);
        record_unref(&record);
        at = at + 1 < PLAYERS_ENTRIES ? at + 1 : 0;
    }
    struct analysis_cache_stats stats;
    analysis_cache_stats(cache, &stats);
    printf("cache-instructions hits=%llu\n", (unsigned long long)stats.hits);
    return stats.hits == hits ? 0 : -1;
}

int bench_cache(int argc, char **argv)
{
    unsigned long bare_hits = 0;
    if (argc == 3 && strcmp(argv[1], "--instructions") == 0)
        bare_hits = bench_number(argv[2], 1000000000);
    if (argc != 1 && bare_hits == 0) {
        fprintf(stderr, "usage: segue-bench cache [--instructions N]\n");
        return 2;
    }
    struct analysis_cache_config config = analysis_cache_config_default();
    if (!bare_hits) {
        config.capacity_entries = (size_t)2 * ENTRIES; // so that no shard is full
        config.capacity_bytes = 0;
        config.shards = 1 << SHARD_BITS;
    }
    struct workload workload;
    struct analysis_cache *cache;
    if (workload_init(&workload) != 0)
        return 1;
    int error = analysis_cache_create(&cache, &config);
    if (!error)
        error = bare_hits ? run_bare_hits(cache, &workload, bare_hits) : compare(cache, &workload);
    analysis_cache_destroy(&cache);
    workload_deinit(&workload);
    if (error)
        fprintf(stderr, "segue-bench: cache: failed\n");
    return error ? 1 : 0;
}
