// SPDX-License-Identifier: MIT
#include "model/model.h"
#include "model/stdatomic.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

// An execution is a sequence of choices: which thread goes next, and which of the values that it may
// still see a load returns. Executions run one after the other on coroutines; the next one takes the
// last choice that has an alternative left and repeats the ones before it: depth first, nothing stored
// but the path.
//
// Memory follows C11 for release and acquire: each variable keeps all its stores, each with the clock of
// the thread that released it. A load may return any store that is not older than one this thread knows
// of, through its own clock; an acquire load of a released store joins the clocks. Each variable has one
// writing thread, so its modification order is the order of its stores.

enum {
    MAX_CHOICES = 512,
    MAX_VARIABLES = 16,
    MAX_STORES = 32,
    STACK_BYTES = 65536,
};

struct clock {
    uint32_t at[MODEL_MAX_THREADS + 1]; // the last one belongs to set_up, which comes before all
};

struct store {
    uint32_t value;
    struct clock when;    // of the writer, at the store
    struct clock carried; // what an acquire load learns; all zero for a relaxed store
};

struct variable {
    const void *address;
    struct store stores[MAX_STORES];
    int n_stores;
    int writer;
    int seen[MODEL_MAX_THREADS + 1]; // newest store that each thread has seen
};

struct plain {
    const void *address;
    int writer;
    uint32_t written;                     // the writer's own time at the last write
    uint32_t read[MODEL_MAX_THREADS + 1]; // each thread's own time at its last read
};

struct choice {
    int taken, options;
};

static struct {
    const struct model_program *program;
    struct model_result *result;
    int mutant;
    struct choice path[MAX_CHOICES];
    int depth, length; // choices made in this execution; choices on the path
    ucontext_t scheduler, contexts[MODEL_MAX_THREADS];
    bool is_done[MODEL_MAX_THREADS];
    int current; // thread that runs; n_threads: set_up
    struct clock clocks[MODEL_MAX_THREADS + 1];
    struct variable variables[MAX_VARIABLES];
    struct plain plains[MAX_VARIABLES];
    int n_variables, n_plains;
    _Alignas(16) char stacks[MODEL_MAX_THREADS][STACK_BYTES];
} m;

void model_fail(const char *reason)
{
    if (!m.result->violation)
        m.result->violation = reason;
}

static int choose(int options)
{
    assert(options > 0 && m.depth < MAX_CHOICES);
    if (m.depth == m.length)
        m.path[m.length++] = (struct choice){0, options};
    assert(m.path[m.depth].options == options); // the program is deterministic
    return m.path[m.depth++].taken;
}

/// Go to the next path. @return false: there is none.
static bool next_path(void)
{
    while (m.length > 0 && m.path[m.length - 1].taken + 1 == m.path[m.length - 1].options)
        m.length--;
    if (m.length == 0)
        return false;
    m.path[m.length - 1].taken++;
    return true;
}

static bool is_set_up(void)
{
    return m.current == m.program->n_threads;
}

/// Let any thread go on. Called before each access that another thread may notice.
static void yield(void)
{
    if (!is_set_up())
        swapcontext(&m.contexts[m.current], &m.scheduler);
    m.clocks[m.current].at[m.current]++;
}

static void join(struct clock *clock, const struct clock *other)
{
    for (int i = 0; i <= MODEL_MAX_THREADS; i++)
        if (other->at[i] > clock->at[i])
            clock->at[i] = other->at[i];
}

static struct variable *find_variable(const void *address)
{
    int i = 0;
    while (i < m.n_variables && m.variables[i].address != address)
        i++;
    assert(i < m.n_variables); // else it is used before atomic_init()
    return &m.variables[i];
}

/// The order that the access has, with the mutant's taken away.
static memory_order order_at(const char *function, int line, memory_order order)
{
    struct model_result *r = m.result;
    int site = 0;
    while (site < r->n_sites &&
           (r->sites[site].line != line || strcmp(r->sites[site].function, function)))
        site++;
    if (site == r->n_sites) {
        assert(r->n_sites < MODEL_MAX_SITES);
        r->sites[r->n_sites++] = (struct model_site){function, line, order != memory_order_relaxed};
    }
    return site == m.mutant ? memory_order_relaxed : order;
}

void model_init(const void *address, uint32_t value)
{
    assert(is_set_up() && m.n_variables < MAX_VARIABLES);
    m.variables[m.n_variables++] = (struct variable){
        .address = address, .stores = {{.value = value}}, .n_stores = 1, .writer = -1};
}

uint32_t model_load(const void *address, memory_order order, const char *function, int line)
{
    order = order_at(function, line, order);
    struct variable *v = find_variable(address);
    if (v->writer == m.current || is_set_up())
        return v->stores[v->n_stores - 1].value; // its own, which no other thread changes
    yield();

    // Coherence, and whatever happened before: these stores are too old to be seen.
    struct clock *now = &m.clocks[m.current];
    int oldest = v->seen[m.current];
    for (int i = oldest + 1; i < v->n_stores; i++)
        if (v->stores[i].when.at[v->writer] <= now->at[v->writer])
            oldest = i;
    int taken = v->n_stores - 1 - choose(v->n_stores - oldest);
    v->seen[m.current] = taken;
    if (order == memory_order_acquire)
        join(now, &v->stores[taken].carried);
    return v->stores[taken].value;
}

void model_store(const void *address, uint32_t value, memory_order order, const char *function,
                 int line)
{
    order = order_at(function, line, order);
    struct variable *v = find_variable(address);
    yield();
    assert(v->n_stores < MAX_STORES);
    if (v->writer < 0)
        v->writer = m.current;
    assert(v->writer == m.current); // the model knows variables of one writer
    struct store *store = &v->stores[v->n_stores++];
    *store = (struct store){.value = value, .when = m.clocks[m.current]};
    if (order == memory_order_release)
        store->carried = store->when;
    v->seen[m.current] = v->n_stores - 1;
}

static struct plain *find_plain(const void *address)
{
    for (int i = 0; i < m.n_plains; i++)
        if (m.plains[i].address == address)
            return &m.plains[i];
    assert(m.n_plains < MAX_VARIABLES);
    m.plains[m.n_plains] = (struct plain){.address = address, .writer = m.program->n_threads};
    return &m.plains[m.n_plains++];
}

void model_plain_read(const void *address)
{
    struct plain *p = find_plain(address);
    const struct clock *now = &m.clocks[m.current];
    if (p->written > now->at[p->writer])
        model_fail("a read races with a write");
    p->read[m.current] = now->at[m.current];
}

void model_plain_write(const void *address)
{
    struct plain *p = find_plain(address);
    const struct clock *now = &m.clocks[m.current];
    if (p->written > now->at[p->writer])
        model_fail("two writes race");
    for (int i = 0; i <= MODEL_MAX_THREADS; i++)
        if (p->read[i] > now->at[i])
            model_fail("a write races with a read");
    p->writer = m.current;
    p->written = now->at[m.current];
}

static void run_thread(void)
{
    m.program->threads[m.current]();
    m.is_done[m.current] = true;
}

static void start_thread(int thread)
{
    ucontext_t *context = &m.contexts[thread];
    int error = getcontext(context);
    assert(!error);
    (void)error;
    context->uc_stack.ss_sp = m.stacks[thread];
    context->uc_stack.ss_size = STACK_BYTES;
    context->uc_link = &m.scheduler;
    makecontext(context, run_thread, 0);
    m.is_done[thread] = false;
    m.clocks[thread] = (struct clock){0};
    m.clocks[thread].at[thread] = 1; // later than "never"
}

/// @return the number of threads that are not done, and which they are.
static int list_ready(int ready[MODEL_MAX_THREADS])
{
    int n = 0;
    for (int i = 0; i < m.program->n_threads; i++)
        if (!m.is_done[i])
            ready[n++] = i;
    return n;
}

static void execute(void)
{
    m.depth = 0;
    m.n_variables = 0;
    m.n_plains = 0;
    m.current = m.program->n_threads;
    m.program->set_up();
    for (int i = 0; i < m.program->n_threads; i++)
        start_thread(i);

    int ready[MODEL_MAX_THREADS];
    int n;
    while ((n = list_ready(ready)) > 0) {
        m.current = ready[choose(n)];
        swapcontext(&m.scheduler, &m.contexts[m.current]);
    }
    m.current = m.program->n_threads;
    m.program->tear_down();
}

void model_explore(const struct model_program *program, int mutant, struct model_result *result)
{
    assert(program->n_threads <= MODEL_MAX_THREADS);
    int n_sites = result->n_sites; // known from an earlier exploration: their numbers stay
    result->executions = 0;
    result->violation = NULL;
    assert(mutant < n_sites);
    m.program = program;
    m.result = result;
    m.mutant = mutant;
    m.length = 0;
    do {
        execute();
        result->executions++;
    } while (!result->violation && next_path());
}
