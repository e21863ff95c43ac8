/* What the fuzzers share: bytes as a file, and what must hold whatever the bytes are.  A result or an error, never
   both, never neither; and what was loaded is saved, and loads equal.  Each target is LLVMFuzzerTestOneInput of
   libFuzzer:
       make fuzz                                     all of them, FUZZ_SECONDS=60 each
       build-fuzz/fuzz/fuzz_npy crash-123abc         one input again */
#ifndef WICK_TESTS_FUZZ_H
#define WICK_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <wick.h>

/* a broken promise, as a crash that the fuzzer keeps */
#define MUST(holds, error)                                                                                             \
    do {                                                                                                               \
        if (!(holds)) {                                                                                                \
            fprintf(stderr, "%s:%d: %s; error: %s\n", __FILE__, __LINE__, #holds,                                      \
                    (error).set ? (error).message : "none");                                                           \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* a file of these bytes; close the descriptor */
static inline int fuzz_open(const uint8_t *bytes, size_t size, char path[64])
{
    const int file = memfd_create("fuzz", 0);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        abort();
    snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}

/* where to save to: in memory, of this process */
static inline const char *fuzz_target(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/dev/shm/wick_fuzz_%ld", (long)getpid());
    return path;
}

static inline bool fuzz_same(wk_tensor *a, wk_tensor *b)
{
    if (!a || !b || a->dtype != b->dtype || a->ndim != b->ndim ||
        memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) != 0)
        return false;
    wk_tensor *x = wk_contiguous(a), *y = wk_contiguous(b);
    return wk_numel(a) == 0 || memcmp(wk_data_ptr(x), wk_data_ptr(y), (size_t)(wk_numel(x) * wk_element_size(x))) == 0;
}

/* every tensor and every text of a is in b */
static inline bool fuzz_same_dict(const wk_dict *a, const wk_dict *b)
{
    bool same = a && b && wk_dict_count(a) == wk_dict_count(b) && wk_dict_text_count(a) == wk_dict_text_count(b);
    for (int64_t i = 0; same && i < wk_dict_count(a); i++)
        wk_scope
    same = fuzz_same(wk_dict_value_at(a, i), wk_dict_get(b, wk_dict_key_at(a, i)));
    for (int64_t i = 0; same && i < wk_dict_text_count(a); i++) {
        const char *other = wk_dict_text(b, wk_dict_text_key_at(a, i));
        same = other && strcmp(other, wk_dict_text_at(a, i)) == 0;
    }
    return same;
}

#endif
