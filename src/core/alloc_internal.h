/* What the two halves of the allocator share: small blocks, kept by threads (alloc.c), and large ones, kept behind a
   mutex (alloc_large.c). */
#ifndef WICK_ALLOC_INTERNAL_H
#define WICK_ALLOC_INTERNAL_H

#include <pthread.h>

#include "alloc.h"

#define HEADER 64        // bytes before what a block holds
#define SMALL_CLASSES 64 // of 64 bytes each: up to 4 KiB

typedef struct block {
    size_t bytes; // that the class holds, header not included
    int class; // of a large one beyond SMALL_CLASSES
    int line; // of the scope that let go of a tensor's header
    struct block *next;
    const char *file;
    int64_t freed_at; // of a large one, in milliseconds
    size_t mapped;    // bytes of a mapping of its own; 0: malloc's
    size_t asked;     // where fences are: up to there
} block;
_Static_assert(sizeof(block) <= HEADER, "a block is 64 bytes before what it holds");


extern pthread_mutex_t wk_alloc_mutex;
extern bool wk_alloc_fenced; // every block is malloc's own

block *wk_block_from_system(size_t bytes, int class); // NULL where there is none
void wk_block_to_system(block *b);

void *wk_alloc_large(size_t bytes);
void wk_free_large(block *b);

/* under the mutex */
int64_t wk_large_cached_bytes(void);
void wk_count_large(int64_t bytes);
void wk_uncount_large(int64_t bytes);

#endif
