// SPDX-License-Identifier: MIT
#include "cuda/fake_runtime.h"
#include "cuda/grid.h"
#include "gpu/stft_kernels_cuda.h"
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fftw3.h>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#ifdef CUDA_GRID_ASAN
#    include <sanitizer/asan_interface.h>
#else
#    define ASAN_POISON_MEMORY_REGION(at, bytes)   ((void)(at), (void)(bytes))
#    define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

namespace
{

constexpr int INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_READY = 600, NOT_PERMITTED = 800;
constexpr int STICKY_FROM = 700;
constexpr unsigned STEPS_A_CALL = 3, STARVED_CALLS = 16;

// A record counts up when it is queued and when it is reached. A wait is for the latest record of
// the time of its call: one of an event that was never recorded waits for nothing.
struct event {
    uint64_t queued = 0, reached = 0;
};

struct operation {
    std::function<int()> run; // a CUDA code
    event *awaited = nullptr; // runs not before `reached` of it is `from`
    uint64_t from = 0;
};

struct stream {
    std::deque<operation> queue;
};

struct plan {
    fftwf_plan fftw;
    stream *on;
};

// Device memory is poisoned but while an operation runs, and from its allocation's turn in its stream.
struct allocation {
    size_t bytes;
    bool is_ready;
};

struct runtime {
    fake_mode mode = FAKE_AT_ONCE;
    uint64_t random = 0;
    int broken = 0; // sticky code
    long calls = 0, operations = 0, host_functions = 0;
    long failing_call = 0, failing_operation = 0;
    int call_code = 0, operation_code = 0;
    const char *note = "";
    std::set<stream *> streams;
    std::set<event *> events;
    std::set<plan *> plans;
    std::set<void *> pinned;
    std::map<void *, allocation> memory;
};

std::mutex lock; // protects everything here and the grid
runtime fake;
thread_local bool is_in_host_function;

unsigned random_below(size_t limit)
{
    fake.random = fake.random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)((fake.random >> 33) % limit);
}

// --- Running what is queued

void set_device_memory_open(bool open)
{
    for (auto &[at, a] : fake.memory)
        if (open && a.is_ready)
            ASAN_UNPOISON_MEMORY_REGION(at, a.bytes);
        else
            ASAN_POISON_MEMORY_REGION(at, a.bytes);
}

// @return false if the stream is empty or waits for another one.
bool step(stream *s)
{
    if (fake.broken || s->queue.empty())
        return false;
    if (const operation &next = s->queue.front(); next.awaited && next.awaited->reached < next.from)
        return false;
    const operation next = std::move(s->queue.front());
    s->queue.pop_front();
    set_device_memory_open(true);
    int code = next.run();
    set_device_memory_open(false);
    if (++fake.operations == fake.failing_operation)
        code = fake.operation_code;
    if (code)
        fake.broken = code;
    return true;
}

// Others run only as far as this stream waits for them; with `stirring` at random as well. With
// `stopping` a host function ends it, so that its caller sees a stream halfway.
void drain(stream *s, bool stirring, bool stopping = false)
{
    const std::vector<stream *> all(fake.streams.begin(), fake.streams.end());
    const long before = fake.host_functions;
    while (!fake.broken && !s->queue.empty() && !(stopping && fake.host_functions > before)) {
        if (stirring)
            step(all[random_below(all.size())]);
        bool moved = step(s);
        for (size_t i = 0; i < all.size() && !moved; ++i)
            moved = step(all[i]);
        if (!moved && !s->queue.empty() && !fake.broken) {
            fake.note = "a stream waits for itself";
            fake.broken = STICKY_FROM;
        }
    }
}

void run_some()
{
    const std::vector<stream *> all(fake.streams.begin(), fake.streams.end());
    if (all.empty())
        return;
    const size_t starved = (size_t)fake.calls / STARVED_CALLS % all.size();
    for (unsigned steps = random_below(STEPS_A_CALL + 1); steps > 0; --steps)
        if (const size_t chosen = random_below(all.size()); chosen != starved)
            step(all[chosen]);
}

int enqueue(stream *s, operation next)
{
    if (!fake.streams.count(s)) {
        fake.note = "work on no stream";
        return INVALID_VALUE;
    }
    s->queue.push_back(std::move(next));
    if (fake.mode == FAKE_AT_ONCE)
        drain(s, false);
    return 0;
}

// Every call goes through here: it is counted, may fail, and may not come from a host function.
template <typename Function> int call(Function function)
{
    if (is_in_host_function) {
        fake.note = "a call of CUDA in a host function";
        return NOT_PERMITTED;
    }
    const std::lock_guard<std::mutex> guard(lock);
    ++fake.calls;
    if (fake.broken)
        return fake.broken;
    if (fake.mode == FAKE_SEEDED)
        run_some();
    if (fake.calls == fake.failing_call) {
        if (fake.call_code >= STICKY_FROM)
            fake.broken = fake.call_code;
        return fake.call_code;
    }
    return function();
}

stream *stream_of(void *opaque)
{
    return static_cast<stream *>(opaque);
}

event *event_of(void *opaque)
{
    return static_cast<event *>(opaque);
}

template <typename T> int create(std::set<T *> &all, void **out)
{
    T *made = new T();
    all.insert(made);
    *out = made;
    return 0;
}

template <typename T> int destroy(std::set<T *> &all, T *what)
{
    if (!all.erase(what)) {
        fake.note = "destroyed twice, or never created";
        return INVALID_VALUE;
    }
    delete what;
    return 0;
}

// --- The table

int probe()
{
    return call([] { return 0; });
}

int stream_create(void **out)
{
    return call([=] { return create(fake.streams, out); });
}

int stream_destroy(void *s)
{
    return call([=] {
        drain(stream_of(s), fake.mode == FAKE_SEEDED);
        return destroy(fake.streams, stream_of(s));
    });
}

int stream_query(void *s)
{
    return call([=] {
        const bool seeded = fake.mode == FAKE_SEEDED;
        if (!seeded || random_below(4)) // a query need not find any progress
            drain(stream_of(s), seeded, seeded && random_below(2));
        return fake.broken ? fake.broken : stream_of(s)->queue.empty() ? 0 : NOT_READY;
    });
}

int stream_wait_event(void *s, void *e)
{
    return call([=] {
        operation wait{[] { return 0; }, event_of(e), event_of(e)->queued};
        return enqueue(stream_of(s), std::move(wait));
    });
}

int event_create(void **out)
{
    return call([=] { return create(fake.events, out); });
}

int event_destroy(void *e)
{
    return call([=] { return destroy(fake.events, event_of(e)); });
}

int event_record(void *e, void *s)
{
    return call([=] {
        event *recorded = event_of(e);
        const uint64_t number = ++recorded->queued;
        return enqueue(stream_of(s), {[=] {
                           recorded->reached = number;
                           return 0;
                       }});
    });
}

int host_alloc(void **out, size_t bytes)
{
    return call([=] {
        *out = malloc(bytes);
        fake.pinned.insert(*out);
        return *out ? 0 : OUT_OF_MEMORY;
    });
}

int host_free(void *at)
{
    return call([=] {
        if (!fake.pinned.erase(at))
            return INVALID_VALUE;
        free(at);
        return 0;
    });
}

int malloc_async(void **out, size_t bytes, void *s)
{
    return call([=] {
        void *const at = aligned_alloc(256, (bytes + 255) / 256 * 256);
        if (!at)
            return OUT_OF_MEMORY;
        memset(at, 0xff, bytes); // NaN, as far as floats go
        fake.memory[at] = {bytes, false};
        ASAN_POISON_MEMORY_REGION(at, bytes);
        *out = at;
        return enqueue(stream_of(s), {[=] {
                           fake.memory[at].is_ready = true;
                           return 0;
                       }});
    });
}

int free_async(void *at, void *s)
{
    return call([=] {
        return enqueue(stream_of(s), {[=] {
                           ASAN_UNPOISON_MEMORY_REGION(at, fake.memory[at].bytes);
                           fake.memory.erase(at);
                           free(at);
                           return 0;
                       }});
    });
}

// Whether a copy may touch this memory: the host's, or the device's where its allocation had its turn.
bool is_usable(const void *at, size_t bytes)
{
    const char *const first = static_cast<const char *>(at);
    for (const auto &[start, a] : fake.memory) {
        const char *const begin = static_cast<const char *>(start);
        if (first >= begin && first < begin + a.bytes)
            return a.is_ready && first + bytes <= begin + a.bytes;
    }
    return true;
}

// Pinned memory is read and written when the copy runs, not when it is queued.
int copy(void *to, const void *from, size_t bytes, void *s)
{
    return call([=] {
        return enqueue(stream_of(s), {[=] {
                           if (!is_usable(to, bytes) || !is_usable(from, bytes))
                               fake.note = "a copy of memory before its allocation's turn";
                           memcpy(to, from, bytes);
                           return 0;
                       }});
    });
}

int launch_host(void *s, void (*function)(void *), void *context)
{
    return call([=] {
        return enqueue(stream_of(s), {[=] {
                           is_in_host_function = true;
                           function(context);
                           is_in_host_function = false;
                           ++fake.host_functions;
                           return 0;
                       }});
    });
}

int fft_create(void **out, void *, int size, int batch, void *s)
{
    return call([=] {
        const int bins = size / 2 + 1;
        std::vector<float> real((size_t)size * batch), spectra((size_t)2 * bins * batch);
        const fftwf_plan fftw =
            fftwf_plan_many_dft_r2c(1, &size, batch, real.data(), nullptr, 1, size,
                                    reinterpret_cast<fftwf_complex *>(spectra.data()), nullptr, 1,
                                    bins, FFTW_ESTIMATE | FFTW_UNALIGNED | FFTW_PRESERVE_INPUT);
        if (!fftw)
            return OUT_OF_MEMORY;
        plan *made = new plan{fftw, stream_of(s)};
        fake.plans.insert(made);
        *out = made;
        return 0;
    });
}

int fft_execute(void *p, float *real, float *pairs)
{
    return call([=] {
        const plan *used = static_cast<plan *>(p);
        return enqueue(used->on, {[=] {
                           fftwf_execute_dft_r2c(used->fftw, real,
                                                 reinterpret_cast<fftwf_complex *>(pairs));
                           return 0;
                       }});
    });
}

int fft_destroy(void *p)
{
    return call([=] {
        drain(static_cast<plan *>(p)->on, false);
        fftwf_destroy_plan(static_cast<plan *>(p)->fftw);
        return destroy(fake.plans, static_cast<plan *>(p));
    });
}

int window_frames(const struct window_frames_args *args, void *s)
{
    return call([=] { return window_frames_cuda(args, s); });
}

int band_energies(const struct band_energies_args *args, void *s)
{
    return call([=] { return band_energies_cuda(args, s); });
}

int submit_kernel(void *s, const cuda_grid::launch_request &request)
{
    return enqueue(stream_of(s), {[=] { return cuda_grid::run(request); }});
}

const struct cuda_runtime table = {
    CUDA_RUNTIME_VERSION, nullptr,      probe,         stream_create, stream_destroy, stream_query,
    stream_wait_event,    event_create, event_destroy, event_record,  host_alloc,     host_free,
    malloc_async,         free_async,   copy,          copy,          launch_host,    fft_create,
    fft_execute,          fft_destroy,  window_frames, band_energies,
};

} // namespace

void fake_runtime_reset(enum fake_mode mode, uint64_t seed)
{
    const std::lock_guard<std::mutex> guard(lock);
    cuda_grid::set_submit(submit_kernel);
    for (stream *s : fake.streams)
        delete s;
    for (event *e : fake.events)
        delete e;
    for (plan *p : fake.plans) {
        fftwf_destroy_plan(p->fftw);
        delete p;
    }
    for (void *at : fake.pinned)
        free(at);
    for (auto &[at, a] : fake.memory) {
        ASAN_UNPOISON_MEMORY_REGION(at, a.bytes);
        free(at);
    }
    fake = runtime();
    fake.mode = mode;
    fake.random = seed;
}

const struct cuda_runtime *fake_runtime_table(void)
{
    return &table;
}

void fake_runtime_fail_call(long number, int code)
{
    fake.failing_call = number;
    fake.call_code = code;
}

void fake_runtime_fail_operation(long number, int code)
{
    fake.failing_operation = number;
    fake.operation_code = code;
}

long fake_runtime_calls(void)
{
    return fake.calls;
}

long fake_runtime_operations(void)
{
    return fake.operations;
}

long fake_runtime_queued(void)
{
    long queued = 0;
    for (const stream *s : fake.streams)
        queued += (long)s->queue.size();
    return queued;
}

long fake_runtime_alive(void)
{
    return (long)(fake.streams.size() + fake.events.size() + fake.plans.size() +
                  fake.pinned.size() + fake.memory.size());
}

const char *fake_runtime_note(void)
{
    return fake.note;
}
