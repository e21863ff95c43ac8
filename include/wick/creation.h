/* New tensors.  PyTorch: https://pytorch.org/docs/stable/torch.html#creation-ops

   wk_zeros((B, C, H, W), .dtype = wk_float32, .device = wk_cpu, .requires_grad = false): a shape in parentheses, () for
   one number, or without, wk_zeros(B, C); the default dtype is float32.  _like takes shape, dtype and device of a
   tensor, new_ only dtype and device. */
#ifndef WICK_CREATION_H
#define WICK_CREATION_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_factory_args {
    const char *op; // in errors; NULL: full, full_like, new_full
    wk_number fill; // of full; its kind sets the dtype where none is given: bool, int64, float32
    wk_shape size;
    wk_tensor *like;
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
    wk_memory_format memory_format; // _like: that of the tensor, others: contiguous, unless told
    bool pin_memory;                // an error without CUDA
} wk_factory_args;

#define wk_empty(...) wk_empty_with((wk_factory_args){WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__}) // uninitialised
#define wk_zeros(...)                                                                                                  \
    wk_full_with((wk_factory_args){.op = "zeros", .fill = WK_NUMBER(0.0), WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_ones(...)                                                                                                   \
    wk_full_with((wk_factory_args){.op = "ones", .fill = WK_NUMBER(1.0), WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_full(size_, fill_, ...)                                                                                     \
    wk_full_with((wk_factory_args){.size = WK_TUPLE(WK_SHAPE, size_) size_, .fill = WK_NUMBER(fill_), __VA_ARGS__})
#define wk_empty_like(...) wk_empty_like_with((wk_factory_args){.like = __VA_ARGS__})
#define wk_zeros_like(...)                                                                                             \
    wk_full_like_with((wk_factory_args){.op = "zeros_like", .fill = WK_NUMBER(0.0), .like = __VA_ARGS__})
#define wk_ones_like(...)                                                                                              \
    wk_full_like_with((wk_factory_args){.op = "ones_like", .fill = WK_NUMBER(1.0), .like = __VA_ARGS__})
#define wk_full_like(like_, fill_, ...)                                                                                \
    wk_full_like_with((wk_factory_args){.fill = WK_NUMBER(fill_), .like = like_, __VA_ARGS__})
#define wk_new_empty(x, ...) wk_new_empty_with(x, (wk_factory_args){WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_new_zeros(x, ...)                                                                                           \
    wk_new_full_with(                                                                                                  \
        x, (wk_factory_args){.op = "new_zeros", .fill = WK_NUMBER(0.0), WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_new_ones(x, ...)                                                                                            \
    wk_new_full_with(                                                                                                  \
        x, (wk_factory_args){.op = "new_ones", .fill = WK_NUMBER(1.0), WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_new_full(x, size_, fill_, ...)                                                                              \
    wk_new_full_with(                                                                                                  \
        x, (wk_factory_args){.size = WK_TUPLE(WK_SHAPE, size_) size_, .fill = WK_NUMBER(fill_), __VA_ARGS__})

/* tensor((2, 2), ((float[]){1, 2, 3, 4})): copies a C array, row by row.  Its type gives the dtype (float: float32,
   double: float64, int: int32, int64_t: int64, bool: bool, float _Complex: complex64, ...; of float[2][3] too), unless
   .dtype converts; a type that is no dtype's, as unsigned and char, is a compile error.  An array must have as many
   elements as the shape; of a longer one, &array[0] hands over the first. */
#define wk_tensor(size_, data_, ...)                                                                                   \
    wk_tensor_with((wk_tensor_args){.size = WK_TUPLE(WK_SHAPE, size_) size_,                                           \
                                    .data_dtype = _Generic((data_) + 0, WK_ARRAYS(WK_ARRAY),                           \
                                                           default : _Generic(*(data_), WK_ARRAYS(WK_CUBE),            \
                                                                              default : (wk_no_dtype){0})),            \
                                    .bytes = WK_ARRAY_BYTES(data_),                                                    \
                                    .data = data_,                                                                     \
                                    __VA_ARGS__})
/* new_tensor(x, (2, 2), array): wk_tensor, of x's dtype and on x's device unless told */
#define wk_new_tensor(x, size_, data_, ...)                                                                            \
    wk_new_tensor_with(x, (wk_tensor_args){.size = WK_TUPLE(WK_SHAPE, size_) size_,                                    \
                                           .data_dtype = _Generic((data_) + 0, WK_ARRAYS(WK_ARRAY),                    \
                                                                  default : _Generic(*(data_), WK_ARRAYS(WK_CUBE),     \
                                                                                     default : (wk_no_dtype){0})),     \
                                           .bytes = WK_ARRAY_BYTES(data_),                                             \
                                           .data = data_,                                                              \
                                           __VA_ARGS__})
#define WK_ARRAYS(of)                                                                                                  \
    of(bool, wk_bool), of(uint8_t, wk_uint8), of(int8_t, wk_int8), of(int16_t, wk_int16), of(int32_t, wk_int32),       \
        of(long, wk_int64), of(long long, wk_int64), of(float, wk_float32), of(double, wk_float64),                    \
        of(float _Complex, wk_complex64), of(double _Complex, wk_complex128)
typedef struct wk_no_dtype_has_this_type {
    int none;
} wk_no_dtype;
/* what an array of one or two dims decays to, and the first element of one of three */
#define WK_ARRAY(type, dtype) WK_CUBE(type, dtype), type * : dtype, const type * : dtype
#define WK_CUBE(type, dtype) type(*)[] : dtype, const type(*)[] : dtype
/* its size, and -1 of a pointer, which tells nothing of what it points to */
#define WK_ARRAY_BYTES(data)                                                                                           \
    (__builtin_types_compatible_p(__typeof__(data), __typeof__((data) + 0)) ? -1 : (int64_t)sizeof(data))
typedef struct wk_tensor_args {
    wk_shape size;
    wk_dtype data_dtype;
    int64_t bytes; // of an array; below 1: not known
    const void *data;
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
} wk_tensor_args;

/* from_blob(data, (sizes), .dtype): the caller's memory, not copied; writes show both ways.  The dtype is the array's
   as in wk_tensor, float32 of a void *; an array shorter than the shape is an error.  release(context) is called when
   the last tensor on it goes, and after an error. */
typedef struct wk_from_blob_args {
    void *data;
    wk_shape size;
    wk_shape strides; // in elements; none: row-major
    wk_dtype dtype;
    wk_device device;
    void (*release)(void *context);
    void *context;
    int64_t bytes; // of an array; below 1: not known
} wk_from_blob_args;
#define wk_from_blob(data_, ...)                                                                                       \
    wk_from_blob_with((wk_from_blob_args){.data = data_,                                                               \
                                          .dtype = _Generic((data_) + 0, void * : wk_dtype_default,                   \
                                                            WK_ARRAYS(WK_ARRAY)),        \
                                          .bytes = WK_ARRAY_BYTES(data_),                                              \
                                          .size = WK_TUPLE(WK_SHAPE, __VA_ARGS__) __VA_ARGS__})

/* arange(n), arange(start, end), arange(start, end, step): int64 where all are integers, else float32; end excluded.
   Keywords stand behind all three, arange(0, n, 1, .dtype = wk_float32), or behind a tuple of the numbers:
   arange((n), .dtype = wk_float32), arange((start, end), .dtype = wk_float32). */
typedef struct wk_range_args {
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
} wk_range_args;
#define wk_arange(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_ARANGE_TUPLE, WK_ARANGE_PLAIN)(__VA_ARGS__)
#define WK_ARANGE_PLAIN(...)                                                                                           \
    WK_ARANGE_PICK(__VA_ARGS__, WK_ARANGE_3, WK_ARANGE_3, WK_ARANGE_3, WK_ARANGE_3, WK_ARANGE_2, WK_ARANGE_1, 0)       \
    (__VA_ARGS__)
#define WK_ARANGE_PICK(a, b, c, d, e, f, which, ...) which
#define WK_ARANGE_1(end) wk_arange_with(WK_NUMBER(0), WK_NUMBER(end), WK_NUMBER(1), (wk_range_args){0})
#define WK_ARANGE_2(start, end) wk_arange_with(WK_NUMBER(start), WK_NUMBER(end), WK_NUMBER(1), (wk_range_args){0})
#define WK_ARANGE_3(start, end, step, ...)                                                                             \
    wk_arange_with(WK_NUMBER(start), WK_NUMBER(end), WK_NUMBER(step), (wk_range_args){__VA_ARGS__})
#define WK_ARANGE_TUPLE(tuple, ...) wk_arange_with(WK_ARANGE_NUMBERS tuple, (wk_range_args){__VA_ARGS__})
#define WK_ARANGE_NUMBERS(...) WK_ARANGE_NUMBERS_(__VA_ARGS__, WK_NUMBERS_3, WK_NUMBERS_2, WK_NUMBERS_1, 0)(__VA_ARGS__)
#define WK_ARANGE_NUMBERS_(a, b, c, which, ...) which
#define WK_NUMBERS_1(end) WK_NUMBER(0), WK_NUMBER(end), WK_NUMBER(1)
#define WK_NUMBERS_2(start, end) WK_NUMBER(start), WK_NUMBER(end), WK_NUMBER(1)
#define WK_NUMBERS_3(start, end, step) WK_NUMBER(start), WK_NUMBER(end), WK_NUMBER(step)
/* linspace(start, end, steps, .dtype): both ends included; steps = 1 gives start */
#define wk_linspace(start, end, steps, ...) wk_linspace_with(start, end, steps, (wk_range_args){__VA_ARGS__})
/* logspace(start, end, steps, .base = 10): base to the powers of linspace */
typedef struct wk_logspace_args {
    double start, end;
    int64_t steps;
    double base;
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
} wk_logspace_args;
#define wk_logspace(...) wk_logspace_with((wk_logspace_args){.base = 10, .start = __VA_ARGS__})
/* hann_window(n, periodic = true): 0.5 - 0.5 cos(2 pi k / n), or / (n - 1) where it is not periodic; (n) */
typedef struct wk_window_args {
    int64_t window_length;
    bool periodic;
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
} wk_window_args;
#define wk_hann_window(...) wk_hann_window_with((wk_window_args){.periodic = true, .window_length = __VA_ARGS__})
/* eye(n) or eye(n, m): ones on the diagonal */
#define wk_eye(...) wk_eye_with((wk_eye_args){.m = WK_EYE_SQUARE, .n = __VA_ARGS__})
#define WK_EYE_SQUARE INT64_MIN // m is not given
typedef struct wk_eye_args {
    int64_t n, m;
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
} wk_eye_args;

wk_tensor *wk_empty_with(wk_factory_args args);
wk_tensor *wk_full_with(wk_factory_args args);
wk_tensor *wk_empty_like_with(wk_factory_args args);
wk_tensor *wk_full_like_with(wk_factory_args args);
wk_tensor *wk_new_empty_with(wk_tensor *x, wk_factory_args args);
wk_tensor *wk_new_full_with(wk_tensor *x, wk_factory_args args);
wk_tensor *wk_tensor_with(wk_tensor_args args);
wk_tensor *wk_new_tensor_with(wk_tensor *x, wk_tensor_args args);
wk_tensor *wk_from_blob_with(wk_from_blob_args args);
wk_tensor *wk_arange_with(wk_number start, wk_number end, wk_number step, wk_range_args args);
wk_tensor *wk_linspace_with(double start, double end, int64_t steps, wk_range_args args);
wk_tensor *wk_logspace_with(wk_logspace_args args);
wk_tensor *wk_hann_window_with(wk_window_args args);
wk_tensor *wk_eye_with(wk_eye_args args);

void wk_set_default_dtype(wk_dtype dtype); // of floating tensors, in all threads: float32 unless set

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
