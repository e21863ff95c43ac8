/* The one file in C++: oneDNN throws, and C cannot catch. */
#include <cstdlib>
#include <cxxabi.h>
#include <new>
#include <sys/mman.h>

#include "onednn.h"

bool wk_catching(bool (*function)(void *arguments), void *arguments)
{
    try {
        return function(arguments);
    } catch (abi::__forced_unwind &) { // the thread is being cancelled
        throw;
    } catch (...) {
        return false;
    }
}

/* exit destroys its thread's objects first of all; the thread that loads the library is the first, as a rule */
namespace {
struct first_thread {
    bool here = true;
    ~first_thread() { wk_onednn_ends(); }
};
thread_local first_thread first;
__attribute__((constructor)) void make_first() { first.here = true; }
}

void *wk_throwing_malloc(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory && bytes && wk_onednn_out_of_memory())
        throw std::bad_alloc();
    return memory;
}

int wk_throwing_memalign(void **memory, size_t alignment, size_t bytes)
{
    const int status = posix_memalign(memory, alignment, bytes);
    if (status && wk_onednn_out_of_memory())
        throw std::bad_alloc();
    return status;
}

/* The code of oneDNN's products is written by functions that may not throw: it gets pages of the program's own, which
   cost nothing until they are touched.  All its products take 10 MB, once in a process. */
static void *own_pages(size_t bytes)
{
    enum { PAGE = 65536, BYTES = 12 << 20 };
    alignas(PAGE) static char pages[BYTES];
    static size_t given; // atomic
    bytes = (bytes + PAGE - 1) / PAGE * PAGE;
    if (bytes > BYTES)
        return nullptr;
    const size_t begin = __atomic_fetch_add(&given, bytes, __ATOMIC_RELAXED);
    if (begin <= BYTES - bytes)
        return pages + begin;
    __atomic_fetch_sub(&given, bytes, __ATOMIC_RELAXED);
    return nullptr;
}

void *wk_throwing_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
    void *memory = mmap(address, bytes, protection, flags, file, offset);
    if (memory != MAP_FAILED || !wk_onednn_out_of_memory())
        return memory;
    memory = file < 0 ? own_pages(bytes) : nullptr;
    if (!memory || mprotect(memory, bytes, protection) != 0)
        throw std::bad_alloc();
    return memory;
}
