/* Scopes: one stack of what tensors' owners are per thread, with a mark where each scope begins.  An entry says which
   scope owns its tensor: wk_keep lowers that, and when the inner scope ends the entry stays on the stack, within the
   scope outside.  A tensor may have several entries, a reference each (wk_adopt).  Between the tensors stand the blocks
   of host memory that scopes own (wk_scope_alloc). */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "kernels/cpu/pool.h"
#include "symbols.h"
#include "tensor.h"
#include "traceback.h"

typedef struct entry {
    void *item;
    int depth; // of the scope that owns it; 1: the thread's root
    bool is_block;
} entry;

typedef struct mark {
    int64_t begin; // of the scope's entries
    wk_scope_place place;
} mark;

typedef struct scope_stack {
    entry *items;
    int64_t count, capacity;
    mark *marks; // of each open scope but the root
    int depth, marks_capacity;
    bool registered;
    struct filling_places *filling; // which lines fill a scope that holds very many
} scope_stack;

static _Thread_local scope_stack stack;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

_Thread_local wk_scope_place wk_scope_closing;

static void release_item(entry item)
{
    if (item.is_block)
        wk_free(item.item);
    else
        wk_release(item.item);
}

static void thread_ends(void *value)
{
    scope_stack *of = value;
    wk_scope_closing = (wk_scope_place){.file = "a thread"};
    while (of->count > 0)
        release_item(of->items[--of->count]);
    wk_free(of->items);
    wk_free(of->marks);
    wk_free(of->filling);
    memset(of, 0, sizeof *of);
}

static void make_key(void) { pthread_key_create(&key, thread_ends); }

/* A thread of the pool that was joined may stand here a moment longer. */
static bool has_other_threads(void)
{
    int threads = 2;
    for (int turn = 0; threads > 1 && turn < 10; turn++) {
        DIR *tasks = opendir("/proc/self/task");
        threads = tasks ? -2 : 2; // without . and ..
        while (tasks && readdir(tasks))
            threads++;
        if (tasks)
            closedir(tasks);
        if (threads > 1)
            usleep(100);
    }
    return threads > 1;
}

/* The root scope of the thread that ends the process ends with it, and then what the library has cached: one destructor
   for all, since of several the linker would choose the order.  Where other threads still run, all stays as it is. */
__attribute__((destructor)) static void process_ends(void)
{
    if (!wk_parallel_stop() || has_other_threads())
        return;
    wk_symbols_forget();
    if (stack.registered)
        thread_ends(&stack);
    wk_alloc_process_ends();
}

static void register_thread(void)
{
    pthread_once(&once, make_key);
    pthread_setspecific(key, &stack);
    stack.registered = true;
}

/* ---------------------------------------------------------------- a scope that only grows */

enum { MANY = 100000, SAMPLED_FROM = 65536, BETWEEN_SAMPLES = 997, PLACES = 16 };

typedef struct filling_places {
    int count[PLACES];
    char place[PLACES][256];
} filling_places;

/* the stack grows where these tensors are made: a look now and then finds the line that makes most */
static void sample_filling(void)
{
    if (!stack.filling)
        stack.filling = wk_alloc_zeroed(sizeof *stack.filling);
    char place[sizeof stack.filling->place[0]];
    if (!stack.filling || !wk_traceback_caller(place, sizeof place))
        return;
    int i = 0;
    while (i < PLACES && stack.filling->count[i] && strcmp(stack.filling->place[i], place) != 0)
        i++;
    if (i == PLACES)
        return;
    memcpy(stack.filling->place[i], place, sizeof place);
    stack.filling->count[i]++;
}

static void ask_for_scope(int64_t held)
{
    static bool asked;
    if (__atomic_exchange_n(&asked, true, __ATOMIC_RELAXED))
        return;
    const wk_scope_place scope = stack.depth > 0 ? stack.marks[stack.depth - 1].place : (wk_scope_place){"", 0};
    char whose[300] = "the root scope", most[300] = "";
    if (scope.line)
        snprintf(whose, sizeof whose, "the scope at %s:%d", scope.file, scope.line);
    else if (stack.depth > 0)
        snprintf(whose, sizeof whose, "%s", scope.file);
    int best = 0;
    for (int i = 1; stack.filling && i < PLACES; i++)
        if (stack.filling->count[i] > stack.filling->count[best])
            best = i;
    if (stack.filling && stack.filling->count[best])
        snprintf(most, sizeof most, ", most of them made at %s", stack.filling->place[best]);
    fflush(stdout);
    fprintf(stderr,
            "wick: %s holds %lld tensors%s: is a wk_scope missing?\n"
            "hint: wk_for_each_step (step, 0, steps) { ... } lets go of what each turn made\n",
            whose, (long long)held, most);
}

static int64_t next_capacity(void)
{
    if (stack.capacity < SAMPLED_FROM || stack.capacity >= MANY)
        return stack.capacity ? 2 * stack.capacity : 256;
    return stack.capacity + BETWEEN_SAMPLES;
}

static bool grow(void)
{
    const int64_t capacity = next_capacity();
    entry *items = wk_realloc(stack.items, (size_t)capacity * sizeof *items);
    if (!items)
        return false;
    stack.items = items;
    stack.capacity = capacity;
    const int64_t held = stack.count - (stack.depth > 0 ? stack.marks[stack.depth - 1].begin : 0);
    if (held >= MANY)
        ask_for_scope(held);
    else if (stack.count >= SAMPLED_FROM)
        sample_filling();
    return true;
}

/* ---------------------------------------------------------------- entries */

/* onto the stack, or let go after an error */
static bool push(entry item)
{
    if (__builtin_expect(!stack.registered, 0))
        register_thread();
    if (__builtin_expect(stack.count == stack.capacity, 0) && !grow()) {
        release_item(item);
        return wk_out_of_memory("scope", (size_t)next_capacity() * sizeof item);
    }
    item.depth = stack.depth + 1;
    stack.items[stack.count++] = item;
    return true;
}

wk_tensor *wk_adopt(wk_tensor *x)
{
    if (!x)
        return NULL;
    WK_REQUIRE("adopt", x);
    if (!push((entry){.item = x}))
        return NULL;
    x->scope_entry = (int)stack.count - 1;
    return x;
}

void *wk_scope_alloc(const char *op, size_t bytes)
{
    void *block = wk_alloc_zeroed(bytes);
    if (!block)
        return wk_out_of_memory(op, bytes);
    return push((entry){.item = block, .is_block = true}) ? block : NULL;
}

/* x's youngest entry from `begin` on; NULL: none */
static entry *find(const wk_tensor *x, int64_t begin)
{
    /* where it was put, unless it has moved since, or belongs to another thread */
    const int64_t guess = x->scope_entry;
    if (guess >= begin && guess < stack.count && stack.items[guess].item == x)
        return &stack.items[guess];
    for (int64_t i = stack.count - 1; i >= begin; i--)
        if (stack.items[i].item == x)
            return &stack.items[i];
    return NULL;
}

static int64_t innermost_begin(void) { return stack.depth > 0 ? stack.marks[stack.depth - 1].begin : 0; }

/* ---------------------------------------------------------------- scopes */

wk_scope_guard wk_scope_open(const char *file, int line)
{
    if (stack.depth == stack.marks_capacity) {
        int capacity = stack.marks_capacity ? 2 * stack.marks_capacity : 32;
        mark *marks = wk_realloc(stack.marks, (size_t)capacity * sizeof *marks);
        if (!marks) {
            /* the block still runs: what it makes belongs to the scope outside */
            wk_out_of_memory("scope", (size_t)capacity * sizeof *marks);
            return (wk_scope_guard){.depth = 0, .open = true};
        }
        stack.marks = marks;
        stack.marks_capacity = capacity;
        if (!stack.registered)
            register_thread();
    }
    stack.marks[stack.depth++] = (mark){stack.count, {file, line}};
    return (wk_scope_guard){.depth = stack.depth, .open = true};
}

static void close_innermost(void)
{
    const mark scope = stack.marks[stack.depth - 1];
    int64_t kept = scope.begin;
    stack.depth--;
    wk_scope_closing = scope.place;
    for (int64_t i = scope.begin; i < stack.count; i++) {
        const entry item = stack.items[i];
        if (item.depth > stack.depth + 1) {
            release_item(item);
            continue;
        }
        ((wk_tensor *)item.item)->scope_entry = (int)kept;
        stack.items[kept++] = item;
    }
    stack.count = kept;
    wk_scope_closing.file = NULL;
}

void wk_scope_close(wk_scope_guard *guard)
{
    /* also those inside that were left without being closed */
    while (guard->depth > 0 && stack.depth >= guard->depth)
        close_innermost();
}

bool wk_step_open(int64_t *scope, const char *file, int line)
{
    wk_step_close(scope);
    if (wk_failing())
        return false;
    *scope = wk_scope_open(file, line).depth;
    return true;
}

void wk_step_close(int64_t *scope)
{
    wk_scope_close(&(wk_scope_guard){.depth = (int)*scope});
    *scope = 0;
}

/* ---------------------------------------------------------------- handing on */

wk_tensor *wk_keep(wk_tensor *x)
{
    if (!x)
        return NULL;
    WK_REQUIRE("keep", x);
    entry *of = stack.depth > 0 ? find(x, innermost_begin()) : NULL;
    if (of && of->depth > 1)
        of->depth--;
    return x;
}

wk_tensor *wk_scope_hand_out(wk_tensor *x)
{
    if (!x)
        return NULL;
    WK_REQUIRE("keep", x);
    entry *of = stack.depth > 0 ? find(x, innermost_begin()) : NULL;
    if (of && of->depth > stack.depth)
        of->depth = stack.depth;
    return x;
}

/* without its reference */
static void remove_entry(int64_t at)
{
    stack.count--;
    memmove(stack.items + at, stack.items + at + 1, (size_t)(stack.count - at) * sizeof *stack.items);
    for (int open = stack.depth - 1; open >= 0 && stack.marks[open].begin > at; open--)
        stack.marks[open].begin--;
}

void wk_scope_release(wk_tensor *x)
{
    const entry *of = x ? find(x, innermost_begin()) : NULL; // no x: an op before failed
    if (!of)
        return;
    remove_entry(of - stack.items);
    wk_release(x);
}

void wk_replace(wk_tensor **place, wk_tensor *with)
{
    if (!place || !wk_is_tensor(with)) {
        wk_not_a_tensor("replace", !place ? "place" : "with", !place ? NULL : with);
        return;
    }
    wk_tensor *old = *place;
    if (old && !wk_is_tensor(old)) {
        wk_not_a_tensor("replace", "place", old);
        return;
    }
    if (old == with)
        return;
    entry *of = old ? find(old, 0) : NULL;
    if (!of) {
        wk_fail("replace",
                "place: the tensor in it belongs to no scope of this thread\nhint: wk_replace is for tensors that "
                "scopes own; modules replace parameters by wk_copy_");
        return;
    }
    wk_retain(with);
    of->item = with;
    /* with may now stand on the stack twice: its younger entry, and that reference, would only go with its own scope */
    const int64_t at = of - stack.items;
    const entry *younger = find(with, at + 1);
    if (younger) {
        remove_entry(younger - stack.items);
        wk_release(with);
    }
    with->scope_entry = (int)at;
    *place = with;
    wk_release(old);
}
