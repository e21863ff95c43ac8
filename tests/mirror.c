/* The mirror's memory, its thread and its queue; the tables of its kernels are in mirror_kernels.c. */
#define _GNU_SOURCE
#include "mirror.h"

#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/host.h"
#include "kernels/kernels.h"
#include "kernels/random.h"
#include "mirror_kernels.h"


/* ---------------------------------------------------------------- memory: one stretch, closed to all */

#define ARENA ((size_t)16 << 30)
#define SMALLEST 4096

typedef struct piece {
    size_t offset, bytes;
    bool used;
    struct piece *next;
} piece;

static char *arena;
static size_t reach; // of what was ever used: what is opened and closed
static piece *pieces;
static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;

static void *mirror_alloc(int index, size_t bytes)
{
    (void)index;
    bytes = (bytes + SMALLEST - 1) / SMALLEST * SMALLEST;
    pthread_mutex_lock(&memory_lock);
    size_t end = 0;
    piece **at = &pieces;
    for (; *at; at = &(*at)->next) {
        if (!(*at)->used && (*at)->bytes == bytes)
            break;
        end = (*at)->offset + (*at)->bytes;
    }
    piece *found = *at;
    if (!found && end + bytes <= ARENA && (found = malloc(sizeof *found))) {
        *found = (piece){.offset = end, .bytes = bytes};
        *at = found;
        __atomic_store_n(&reach, end + bytes, __ATOMIC_RELEASE);
    }
    if (found)
        found->used = true;
    pthread_mutex_unlock(&memory_lock);
    return found ? arena + found->offset : NULL;
}

static void mirror_free(int index, void *memory)
{
    (void)index;
    pthread_mutex_lock(&memory_lock);
    for (piece *p = pieces; p; p = p->next)
        if (arena + p->offset == memory)
            p->used = false;
    pthread_mutex_unlock(&memory_lock);
}

static void set_door(size_t bytes, bool open)
{
    if (bytes > 0 && mprotect(arena, bytes, open ? PROT_READ | PROT_WRITE : PROT_NONE) != 0)
        abort();
}

/* ---------------------------------------------------------------- the queue and its thread */

typedef struct entry {
    struct entry *next;
    mirror_now *run; // a kernel, or NULL: a copy or a fill
    const char *op;
    void *to;
    const void *from;
    size_t bytes;
    int byte;    // to fill with; -1: a copy
    _Alignas(16) char data[]; // the kernel's work, or what the host gave to copy in
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static entry *first, **last = &first;
static int64_t pushed, finished, kernels_run;
static bool paused;
static wk_fault fault;

static void run_entry(entry *e)
{
    wk_queue *queue = wk_host_queue();
    if (e->run) {
        queue->op = e->op;
        e->run(queue, e->data);
        wk_host_queue_ends();
        if (queue->fault.kind && !fault.kind)
            fault = queue->fault;
        queue->fault = (wk_fault){0};
        kernels_run++;
    } else if (e->byte >= 0) {
        memset(e->to, e->byte, e->bytes);
    } else {
        memmove(e->to, e->from ? e->from : e->data, e->bytes);
    }
}

static void *work(void *unused)
{
    (void)unused;
    omp_set_num_threads(1);
    unsigned random = 1;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (!first || paused)
            pthread_cond_wait(&more, &lock);
        entry *e = first;
        first = NULL;
        last = &first;
        pthread_mutex_unlock(&lock);
        if ((random = random * 1664525u + 1013904223u) >> 27 == 0)
            usleep(random >> 8 & 63);
        const size_t bytes = __atomic_load_n(&reach, __ATOMIC_ACQUIRE);
        int64_t count = 0;
        set_door(bytes, true);
        for (entry *next; e; e = next, count++) {
            next = e->next;
            run_entry(e);
            free(e);
        }
        set_door(bytes, false);
        pthread_mutex_lock(&lock);
        finished += count;
        pthread_cond_broadcast(&done);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static entry *entry_new(size_t bytes)
{
    entry *e = malloc(sizeof *e + bytes);
    if (!e)
        abort();
    memset(e, 0, sizeof *e);
    e->byte = -1;
    return e;
}

static void push(entry *e)
{
    pthread_mutex_lock(&lock);
    *last = e;
    last = &e->next;
    pushed++;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
}

void mirror_push(wk_queue *queue, mirror_now *run, const void *work_, size_t bytes)
{
    entry *e = entry_new(bytes);
    e->run = run;
    e->op = queue->op;
    memcpy(e->data, work_, bytes);
    push(e);
}

static void mirror_copy(wk_queue *queue, void *to, const void *from, size_t bytes, wk_copy_direction direction)
{
    (void)queue;
    entry *e = entry_new(direction == WK_COPY_IN ? bytes : 0);
    e->to = to;
    e->bytes = bytes;
    if (direction == WK_COPY_IN)
        memcpy(e->data, from, bytes);
    else
        e->from = from;
    push(e);
}

static void mirror_fill(wk_queue *queue, void *to, int byte, size_t bytes)
{
    (void)queue;
    entry *e = entry_new(0);
    e->to = to;
    e->byte = byte & 255;
    e->bytes = bytes;
    push(e);
}

static void mirror_wait(wk_queue *queue)
{
    pthread_mutex_lock(&lock);
    const int64_t all = pushed;
    while (finished < all)
        pthread_cond_wait(&done, &lock);
    if (fault.kind && !queue->fault.kind) {
        queue->fault = fault;
        fault = (wk_fault){0};
    }
    pthread_mutex_unlock(&lock);
}

/* Draws spend the host's generator in the order in which they are asked for, so that a seed gives the CPU's numbers:
   drawn at once into the host's memory, copied in by the queue. */
#define DRAWN_ON_HOST(line)                                                                                            \
    static void mirror_##line(wk_queue *queue, const wk_draw_work *given)                                              \
    {                                                                                                                  \
        draw_on_host(queue, given, wk_kernels_baseline_uint8.line);                                                    \
    }
extern const wk_kernels wk_kernels_baseline_uint8;

static void draw_on_host(wk_queue *queue, const wk_draw_work *given, void draw(wk_queue *, const wk_draw_work *))
{
    wk_draw_work here = *given;
    const size_t bytes = (size_t)given->count * wk_dtype_size(given->dtype);
    const size_t p_bytes = given->p ? (size_t)given->count * wk_dtype_size(given->p_dtype) : 0;
    void *p = malloc(p_bytes + 1);
    here.y = malloc(bytes + 1);
    if (!p || !here.y)
        abort();
    if (given->p) {
        mirror_copy(queue, p, given->p, p_bytes, WK_COPY_OUT);
        mirror_wait(queue);
        here.p = p;
    }
    wk_queue *own = wk_host_queue();
    own->op = queue->op;
    draw(own, &here);
    if (own->fault.kind && !queue->fault.kind)
        queue->fault = own->fault;
    own->fault = (wk_fault){0};
    mirror_copy(queue, given->y, here.y, bytes, WK_COPY_IN);
    free(here.y);
    free(p);
}
DRAWN_ON_HOST(uniform)
DRAWN_ON_HOST(normal)
DRAWN_ON_HOST(integers)
DRAWN_ON_HOST(random_full)
DRAWN_ON_HOST(permutation)
DRAWN_ON_HOST(bernoulli)
DRAWN_ON_HOST(exponential)

static void use_host_draws(wk_kernels *table)
{
    table->uniform = mirror_uniform;
    table->normal = mirror_normal;
    table->integers = mirror_integers;
    table->random_full = mirror_random_full;
    table->permutation = mirror_permutation;
    table->bernoulli = mirror_bernoulli;
    table->exponential = mirror_exponential;
}

static wk_queue *mirror_queue(int index)
{
    static _Thread_local wk_queue queue;
    queue.device = (wk_device){WK_PRIVATE, index};
    return &queue;
}

void mirror_pause(bool pause)
{
    pthread_mutex_lock(&lock);
    paused = pause;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
}

int64_t mirror_kernels_run(void)
{
    mirror_wait(mirror_queue(0));
    return kernels_run;
}

static int count(void) { return 1; }

static wk_backend backend = {.name = "mirror",
                             .count = count,
                             .alloc = mirror_alloc,
                             .free = mirror_free,
                             .queue = mirror_queue,
                             .copy = mirror_copy,
                             .fill = mirror_fill,
                             .wait = mirror_wait};

static void start(void)
{
    arena = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    pthread_t thread;
    if (arena == MAP_FAILED || pthread_create(&thread, NULL, work, NULL) != 0)
        abort();
    pthread_detach(thread);
    mirror_fill_tables(backend.kernels);
    for (int dtype = wk_bool; dtype < WK_DTYPES; dtype++)
        use_host_draws((wk_kernels *)(uintptr_t)backend.kernels[dtype]); // they are the mirror's own
    wk_backends[WK_PRIVATE] = &backend;
}

void mirror_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
}
