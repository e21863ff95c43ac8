/* The inside of tensors: storage, headers, aliases, and the checks that every floor above uses. */
#ifndef WICK_CORE_TENSOR_H
#define WICK_CORE_TENSOR_H

#include <wick/error.h>
#include <wick/memory.h>
#include <wick/tensor.h>

#include "error_internal.h"
#include "object.h"

/* Memory that tensors share.  version counts in-place writes: a gradient that saved a tensor compares it.
   graph_version counts those that autograd recorded: views compare it to find that their grad_fn is out of date. */
typedef struct wk_storage {
    int references; // atomic
    uint32_t version; // atomic: several threads may write into places of one storage
    uint32_t graph_version;
    wk_device device;
    bool inference; // made inside wk_inference_mode
    int64_t bytes;
    void *data; // on the device
    void (*release)(void *context); // of memory that is not ours; NULL where it is
    void *context;
} wk_storage;

/* a new tensor, uninitialised, contiguous, owned by the innermost scope; NULL after an error */
wk_tensor *wk_tensor_new(const char *op, int ndim, const int64_t *shape, wk_dtype dtype, wk_device device);
/* the same, with its dims in memory in this order, the outermost first */
wk_tensor *wk_tensor_new_ordered(const char *op, int ndim, const int64_t *shape, const int *order, wk_dtype dtype,
                                 wk_device device);
/* another header on x's storage; offset counts elements from x's own offset; no gradient history; owned by the scope */
wk_tensor *wk_tensor_alias(const char *op, wk_tensor *x, int ndim, const int64_t *shape, const int64_t *strides,
                           int64_t offset);
/* a tensor on memory of the caller's; release(context) is called when the last tensor on it goes, and after an error */
wk_tensor *wk_tensor_from_memory(const char *op, void *data, int ndim, const int64_t *shape, const int64_t *strides,
                                 wk_dtype dtype, wk_device device, void (*release)(void *context), void *context);
/* zeroed memory of the host's, which belongs to the innermost scope: for lists; NULL after an error */
void *wk_scope_alloc(const char *op, size_t bytes);
void wk_scope_release(wk_tensor *x); // now, not at its end, where the innermost scope owns x
/* x outlives the innermost scope, as by wk_keep where no wk_keep inside has said so already; returns x */
wk_tensor *wk_scope_hand_out(wk_tensor *x);
typedef struct wk_scope_place {
    const char *file;
    int line;
} wk_scope_place;
/* the scope that closes in this thread, as wk_scope_open was told; no file: none */
extern _Thread_local wk_scope_place wk_scope_closing __attribute__((visibility("hidden")));

/* zeroed, live, with one reference, counted; NULL where there is no memory */
wk_tensor *wk_tensor_header(void);
void wk_tensor_destroy(wk_tensor *x);
/* x, whose header nobody else has, on from's memory; of NULL: on none */
void wk_tensor_set_memory(wk_tensor *x, const wk_tensor *from);
extern _Thread_local bool wk_inference; // inside wk_inference_mode

/* The address of x's elements, for kernels; NULL of NULL. */
static inline void *wk_data(const wk_tensor *x)
{
    return x ? (char *)x->storage->data + x->offset * (int64_t)wk_dtype_size(x->dtype) : NULL;
}

/* x was written into */
static inline void wk_count_write(const wk_tensor *x)
{
    __atomic_add_fetch(&x->storage->version, 1, __ATOMIC_RELAXED);
}
static inline uint32_t wk_writes(const wk_tensor *x) { return __atomic_load_n(&x->storage->version, __ATOMIC_RELAXED); }

/* shapes */
int64_t wk_shape_numel(int ndim, const int64_t *shape);
/* the same of sizes that a caller gave; false after an error: a negative one, or more elements than an int64 counts */
bool wk_check_numel(const char *op, int ndim, const int64_t *shape, int64_t *numel);
bool wk_same_shape(const wk_tensor *a, const wk_tensor *b);
bool wk_is_dense(const wk_tensor *x); // its elements fill a stretch of memory, in some order of its dims
void wk_contiguous_strides(int ndim, const int64_t *shape, int64_t *strides);
/* "(2, 3)" in a buffer of the caller's; returns it */
#define WK_SHAPE_TEXT 160
char *wk_shape_text(int ndim, const int64_t *shape, char text[WK_SHAPE_TEXT]);
#define wk_shape_string(x) wk_shape_text((x)->ndim, (x)->shape, (char[WK_SHAPE_TEXT]){0})
/* the shape both broadcast to; false after an error that names op and both shapes */
bool wk_broadcast_shapes(const char *op, int a_ndim, const int64_t *a, int b_ndim, const int64_t *b, int *ndim,
                         int64_t *shape);
/* a size that was written without parentheses (WK_PLAIN, WK_PLAIN_LAST), as one that was written with them */
void wk_count_sizes(wk_shape *shape);
static inline void wk_read_shape(wk_shape *shape)
{
    if (shape->ndim < 0)
        wk_count_sizes(shape);
}
/* dim from -ndim..ndim-1 to 0..ndim-1; -1 after an error.  A 0-d tensor takes -1 and 0. */
int wk_check_dim(const char *op, int ndim, int64_t dim);

/* A live tensor is told from NULL, from numbers and inner addresses (x + 1), which are not aligned as headers are, from
   other memory, and from tensors that were let go, by a word in its first line of cache. */
#define WK_LIVE_TENSOR 0x77696b6cu
#define WK_DEAD_TENSOR 0x77696b64u
#define WK_HEADER_ALIGNMENT 64
_Static_assert(sizeof(wk_tensor) % WK_HEADER_ALIGNMENT != 0, "x + 1 is not aligned as a header is");
static inline bool wk_is_tensor(const wk_tensor *x)
{
    return __builtin_expect((uintptr_t)x > 4095 && (uintptr_t)x % WK_HEADER_ALIGNMENT == 0, 1) &&
           __builtin_expect(x->magic == WK_LIVE_TENSOR, 1);
}
/* For an op that got something else: returns NULL.  While an error is pending, for NULL, that is all; else it is an
   error that says what came: NULL, a tensor of a scope that has closed (and which), or no tensor at all. */
void *wk_not_a_tensor(const char *op, const char *argument, const wk_tensor *x);

/* Starts an op: an argument that is no tensor ends it (wk_not_a_tensor). */
#define WK_REQUIRE(op, x)                                                                                              \
    do {                                                                                                               \
        if (!wk_is_tensor(x))                                                                                          \
            return wk_not_a_tensor(op, #x, x);                                                                         \
    } while (0)
/* the same of an argument that may be left out */
#define WK_OPTIONAL(op, x)                                                                                             \
    do {                                                                                                               \
        if ((x) && !wk_is_tensor(x))                                                                                   \
            return wk_not_a_tensor(op, #x, x);                                                                         \
    } while (0)
/* and of a tensor or a number, neither of which is an error too */
#define WK_REQUIRE_OPERAND(op, x)                                                                                      \
    do {                                                                                                               \
        if ((x).tensor ? !wk_is_tensor((x).tensor) : !(x).number.kind)                                                 \
            return wk_not_a_tensor(op, #x, (x).tensor);                                                                \
    } while (0)

wk_dtype wk_get_default_dtype(void);
static inline bool wk_is_half(wk_dtype dtype) { return dtype == wk_float16 || dtype == wk_bfloat16; }
/* a kernel's `real`: what halves are computed in, and what it keeps for the backward */
static inline wk_dtype wk_real_dtype(wk_dtype dtype) { return wk_is_half(dtype) ? wk_float32 : dtype; }

#endif
