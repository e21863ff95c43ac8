/* inject.h */
#include "inject.h"

#if INJECT_WORKS
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int64_t left = -1, failed, freed; // atomic
static bool all_fail;

void inject_memory(int64_t after, bool all)
{
    all_fail = all;
    __atomic_store_n(&freed, 0, __ATOMIC_SEQ_CST);
    if (after >= 0)
        __atomic_store_n(&failed, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&left, after, __ATOMIC_SEQ_CST);
}

int64_t inject_failed(void) { return __atomic_load_n(&failed, __ATOMIC_SEQ_CST); }

static bool fails(size_t bytes)
{
    int64_t now = __atomic_load_n(&left, __ATOMIC_RELAXED);
    if (now < 0)
        return false;
    while (now > 0)
        if (__atomic_compare_exchange_n(&left, &now, now - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            return false;
    const int64_t wanted = bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX;
    for (int64_t has = __atomic_load_n(&freed, __ATOMIC_RELAXED); now == 0 && all_fail && has >= wanted;)
        if (__atomic_compare_exchange_n(&freed, &has, has - wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            return false;
    if (now < 0 ||
        (!all_fail && !__atomic_compare_exchange_n(&left, &now, -1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)))
        return false;
    __atomic_add_fetch(&failed, 1, __ATOMIC_SEQ_CST);
    errno = ENOMEM;
    return true;
}

/* glibc's own, under its second names: dlsym would call malloc itself */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

void *malloc(size_t bytes) { return fails(bytes) ? NULL : __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { return fails(count * bytes) ? NULL : __libc_calloc(count, bytes); }
void *realloc(void *memory, size_t bytes) { return fails(bytes) ? NULL : __libc_realloc(memory, bytes); }
void *memalign(size_t alignment, size_t bytes) { return fails(bytes) ? NULL : __libc_memalign(alignment, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

void free(void *memory)
{
    if (memory && all_fail && __atomic_load_n(&left, __ATOMIC_RELAXED) == 0)
        __atomic_add_fetch(&freed, (int64_t)malloc_usable_size(memory), __ATOMIC_SEQ_CST);
    __libc_free(memory);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    void *got = memalign(alignment, bytes);
    if (!got)
        return ENOMEM;
    *memory = got;
    return 0;
}

void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
    if (fails(bytes))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, bytes, protection, flags, file, offset);
}
#else
void inject_memory(int64_t after, bool all) { (void)after, (void)all; }
int64_t inject_failed(void) { return 0; }
#endif
