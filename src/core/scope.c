/* Scopes: one stack of owned tensors per thread, with a mark where each scope begins.  wk_keep lowers a tensor's depth;
   when its scope ends it stays on the stack, which the scope outside then owns.  Between the tensors stand the blocks
   of host memory that scopes own (wk_scope_alloc): their addresses, plus 1. */
#include <pthread.h>
#include <string.h>

#include "alloc.h"
#include "tensor.h"

typedef struct scope_stack {
    wk_tensor **items;
    int64_t count, capacity;
    int64_t *marks; // of each open scope: where its items begin; scope 1 is the thread's root, at 0
    int depth, marks_capacity;
    bool registered;
} scope_stack;

static _Thread_local scope_stack stack;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool is_block(const wk_tensor *item) { return (uintptr_t)item & 1; }

static void release_item(wk_tensor *item)
{
    if (is_block(item))
        wk_free((void *)((uintptr_t)item - 1));
    else
        wk_release(item);
}

static void release_from(scope_stack *of, int64_t from)
{
    while (of->count > from)
        release_item(of->items[--of->count]);
}

static void thread_ends(void *value)
{
    scope_stack *of = value;
    release_from(of, 0);
    wk_free(of->items);
    wk_free(of->marks);
    memset(of, 0, sizeof *of);
}

static void make_key(void) { pthread_key_create(&key, thread_ends); }

/* The main thread's root scope ends with the process, and then the allocator: one destructor for both, since of two
   the linker would choose the order. */
__attribute__((destructor)) static void process_ends(void)
{
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

static bool grow(void)
{
    int64_t capacity = stack.capacity ? 2 * stack.capacity : 256;
    wk_tensor **items = wk_realloc(stack.items, (size_t)capacity * sizeof *items);
    if (!items)
        return false;
    stack.items = items;
    stack.capacity = capacity;
    return true;
}

/* onto the stack, or let go after an error */
static bool push(wk_tensor *item)
{
    if (__builtin_expect(!stack.registered, 0))
        register_thread();
    if (__builtin_expect(stack.count == stack.capacity, 0) && !grow()) {
        release_item(item);
        return wk_out_of_memory("scope", (size_t)stack.capacity * 2 * sizeof(wk_tensor *));
    }
    stack.items[stack.count++] = item;
    return true;
}

wk_tensor *wk_adopt(wk_tensor *x)
{
    if (!x || !push(x))
        return NULL;
    x->scope_depth = stack.depth + 1;
    return x;
}

void *wk_scope_alloc(const char *op, size_t bytes)
{
    char *block = wk_alloc_zeroed(bytes);
    if (!block)
        return wk_out_of_memory(op, bytes);
    return push((wk_tensor *)(void *)(block + 1)) ? block : NULL;
}

wk_scope_guard wk_scope_open(void)
{
    if (stack.depth == stack.marks_capacity) {
        int capacity = stack.marks_capacity ? 2 * stack.marks_capacity : 32;
        int64_t *marks = wk_realloc(stack.marks, (size_t)capacity * sizeof *marks);
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
    stack.marks[stack.depth++] = stack.count;
    return (wk_scope_guard){.depth = stack.depth, .open = true};
}

void wk_scope_close(wk_scope_guard *guard)
{
    if (guard->depth == 0)
        return;
    /* also those inside that were left without being closed */
    while (stack.depth >= guard->depth) {
        const int64_t begin = stack.marks[stack.depth - 1];
        int64_t kept = begin;
        stack.depth--;
        for (int64_t i = begin; i < stack.count; i++) {
            wk_tensor *x = stack.items[i];
            if (!is_block(x) && x->scope_depth <= stack.depth + 1)
                stack.items[kept++] = x;
            else
                release_item(x);
        }
        stack.count = kept;
    }
}

wk_tensor *wk_keep(wk_tensor *x)
{
    if (x && x->scope_depth == stack.depth + 1 && stack.depth > 0)
        x->scope_depth = stack.depth;
    return x;
}

void wk_scope_release(wk_tensor *x)
{
    const int64_t begin = stack.depth > 0 ? stack.marks[stack.depth - 1] : 0;
    for (int64_t i = stack.count - 1; i >= begin; i--)
        if (stack.items[i] == x) {
            stack.count--;
            memmove(stack.items + i, stack.items + i + 1, (size_t)(stack.count - i) * sizeof *stack.items);
            wk_release(x);
            return;
        }
}

void wk_replace(wk_tensor **place, wk_tensor *with)
{
    wk_tensor *old = place ? *place : NULL;
    if (!place || !with) {
        wk_null_input("replace", !place ? "place" : "with");
        return;
    }
    if (old == with)
        return;
    for (int64_t i = stack.count - 1; old && i >= 0; i--)
        if (stack.items[i] == old) {
            const int depth = old->scope_depth;
            wk_retain(with);
            stack.items[i] = with;
            /* with now stands on the stack twice: its younger entry goes with its own scope */
            for (int64_t j = stack.count - 1; j > i; j--)
                if (stack.items[j] == with) {
                    memmove(stack.items + j, stack.items + j + 1, (size_t)(stack.count - 1 - j) * sizeof *stack.items);
                    stack.count--;
                    for (int open = 0; open < stack.depth; open++)
                        if (stack.marks[open] > j)
                            stack.marks[open]--;
                    wk_release(with);
                    break;
                }
            with->scope_depth = depth;
            *place = with;
            wk_release(old);
            return;
        }
    wk_fail("replace",
            "place: the tensor in it belongs to no scope of this thread\nhint: wk_replace is for tensors that "
            "scopes own; modules replace parameters by wk_copy_");
}
