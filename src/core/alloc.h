/* Memory of the library: one caching allocator, so that a steady state takes no page fault and no trip to malloc, and
   so that every block is counted and every allocation can be made to fail. */
#ifndef WICK_ALLOC_H
#define WICK_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 64-byte aligned, uninitialised; NULL where there is no memory: callers answer with wk_fail and clean up. */
void *wk_alloc(size_t bytes);
void *wk_alloc_zeroed(size_t bytes);
void *wk_realloc(void *block, size_t bytes);
char *wk_strdup(const char *text);
void wk_free(void *block); // of any thread; NULL is fine

/* for memory that is not malloc's (a device's): counted as the rest, and made to fail as the rest; false: it fails */
bool wk_alloc_counted(int64_t bytes);
void wk_free_counted(int64_t bytes);

/* for tests: what wk_alloc and wk_device_alloc give is filled with this byte first; -1: it is not.  A result that
   depends on the byte has memory that nobody wrote (tests/test_every_dtype.c). */
void wk_memory_poison(int byte);
int wk_memory_poisoned(void);

/* Headers of tensors, zeroed and counted.  One that was let go is not handed out again at once, and with WICK_CHECK not
   before very many others: until then wk_header_place says which scope let it go. */
void *wk_header_alloc(size_t bytes);
void wk_header_free(void *header, const char *file, int line);
void wk_header_place(const void *header, const char **file, int *line);

/* Lets go of the large blocks that nobody has asked for in `seconds`. */
void wk_alloc_trim(double seconds);
void wk_alloc_process_ends(void); // gives back what is cached: scope.c's destructor calls it, after all scopes

/* the failure every caller of wk_alloc reports: returns NULL */
void *wk_out_of_memory(const char *op, size_t bytes);

#endif
