/* Memory of devices other than the CPU: blocks are kept for reuse by size, as the host's are (alloc.c).  A block may be
   handed out again at once, since a device does its work in order; it goes back to the device after a wait. */
#include <pthread.h>
#include <string.h>

#include "alloc.h"
#include "host.h"
#include "kernels/fork.h"

typedef struct kept_block {
    wk_device device;
    size_t bytes;
    void *memory;
    bool in_use;
    struct kept_block *next, *next_free;
} kept_block;

#define LISTS 1024

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
__attribute__((constructor)) static void watch_forks(void) { wk_fork_takes(&mutex); }
static kept_block *by_memory[LISTS]; // all blocks, by a hash of their address
static kept_block *by_size[LISTS];   // those that are free, by a hash of their size

static size_t list_of(const void *memory) { return ((uintptr_t)memory >> 6) * 0x9E3779B97F4A7C15u >> 54; }

/* eight sizes to each doubling, of 512 bytes at least */
static size_t rounded(size_t bytes)
{
    if (bytes <= 4096)
        return bytes < 512 ? 512 : (bytes + 511) / 512 * 512;
    const size_t step = (size_t)1 << (60 - __builtin_clzll((unsigned long long)bytes));
    return (bytes + step - 1) / step * step;
}

static size_t size_list_of(size_t bytes) { return (bytes >> 9) * 0x9E3779B97F4A7C15u >> 54; }

static kept_block *take_free(wk_device device, size_t bytes)
{
    for (kept_block **at = &by_size[size_list_of(bytes)]; *at; at = &(*at)->next_free) {
        kept_block *block = *at;
        if (block->bytes == bytes && wk_device_equal(block->device, device)) {
            *at = block->next_free;
            block->in_use = true;
            return block;
        }
    }
    return NULL;
}

static void *allocate(wk_device device, size_t bytes)
{
    bytes = rounded(bytes);
    if (!wk_alloc_counted((int64_t)bytes))
        return NULL;
    pthread_mutex_lock(&mutex);
    kept_block *block = take_free(device, bytes);
    pthread_mutex_unlock(&mutex);
    if (block)
        return block->memory;
    const wk_backend *backend = wk_backends[device.type];
    void *memory = backend->alloc(device.index, bytes);
    if (!memory) {
        wk_device_empty_cache();
        memory = backend->alloc(device.index, bytes);
    }
    block = memory ? wk_alloc(sizeof *block) : NULL;
    if (!block) {
        if (memory)
            backend->free(device.index, memory);
        wk_free_counted((int64_t)bytes);
        return NULL;
    }
    *block = (kept_block){.device = device, .bytes = bytes, .memory = memory, .in_use = true};
    pthread_mutex_lock(&mutex);
    block->next = by_memory[list_of(memory)];
    by_memory[list_of(memory)] = block;
    pthread_mutex_unlock(&mutex);
    return memory;
}

void *wk_device_alloc(wk_device device, size_t bytes)
{
    void *memory = allocate(device, bytes);
    const wk_backend *backend = wk_backends[device.type];
    if (__builtin_expect(wk_memory_poisoned() >= 0, 0) && memory)
        backend->fill(backend->queue(device.index), memory, wk_memory_poisoned(), bytes);
    return memory;
}

void wk_device_free(wk_device device, void *memory)
{
    (void)device;
    pthread_mutex_lock(&mutex);
    for (kept_block *block = by_memory[list_of(memory)]; block; block = block->next)
        if (block->memory == memory) {
            block->in_use = false;
            block->next_free = by_size[size_list_of(block->bytes)];
            by_size[size_list_of(block->bytes)] = block;
            wk_free_counted((int64_t)block->bytes);
        }
    pthread_mutex_unlock(&mutex);
#ifdef WICK_SANITIZED
    wk_device_empty_cache();
#endif
}

void wk_device_empty_cache(void)
{
    kept_block *gone = NULL;
    pthread_mutex_lock(&mutex);
    memset(by_size, 0, sizeof by_size);
    for (int list = 0; list < LISTS; list++)
        for (kept_block **at = &by_memory[list]; *at;) {
            kept_block *block = *at;
            if (block->in_use) {
                at = &block->next;
                continue;
            }
            *at = block->next;
            block->next = gone;
            gone = block;
        }
    pthread_mutex_unlock(&mutex);
    for (kept_block *next; gone; gone = next) {
        next = gone->next;
        const wk_backend *backend = wk_backends[gone->device.type];
        backend->wait(backend->queue(gone->device.index));
        backend->free(gone->device.index, gone->memory);
        wk_free(gone);
    }
}
