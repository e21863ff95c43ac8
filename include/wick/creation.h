/* New tensors.  PyTorch: https://pytorch.org/docs/stable/torch.html#creation-ops

   wk_zeros((B, C, H, W), .dtype = wk_float32, .device = wk_cpu, .requires_grad = false): a shape in parentheses, () for
   one number; the default dtype is float32.  _like takes shape, dtype and device of a tensor, new_ only dtype and
   device. */
#ifndef WICK_CREATION_H
#define WICK_CREATION_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_factory_args {
    const char *op; // in errors; NULL: full, full_like, new_full
    wk_shape size;
    wk_number fill; // of full; its kind sets the dtype where none is given: bool, int64, float32
    wk_tensor *like;
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
} wk_factory_args;

#define wk_empty(...) wk_empty_with((wk_factory_args){.size = WK_SHAPE __VA_ARGS__}) // uninitialised
#define wk_zeros(...)                                                                                                  \
    wk_full_with((wk_factory_args){.op = "zeros", .fill = WK_NUMBER(0.0), .size = WK_SHAPE __VA_ARGS__})
#define wk_ones(...)                                                                                                   \
    wk_full_with((wk_factory_args){.op = "ones", .fill = WK_NUMBER(1.0), .size = WK_SHAPE __VA_ARGS__})
#define wk_full(size_, ...) wk_full_with((wk_factory_args){.size = WK_SHAPE size_, WK_FILL(__VA_ARGS__)})
#define wk_empty_like(...) wk_empty_like_with((wk_factory_args){.like = __VA_ARGS__})
#define wk_zeros_like(...)                                                                                             \
    wk_full_like_with((wk_factory_args){.op = "zeros_like", .fill = WK_NUMBER(0.0), .like = __VA_ARGS__})
#define wk_ones_like(...)                                                                                              \
    wk_full_like_with((wk_factory_args){.op = "ones_like", .fill = WK_NUMBER(1.0), .like = __VA_ARGS__})
#define wk_full_like(like_, ...) wk_full_like_with((wk_factory_args){.like = like_, WK_FILL(__VA_ARGS__)})
#define wk_new_empty(x, ...) wk_new_empty_with(x, (wk_factory_args){.size = WK_SHAPE __VA_ARGS__})
#define wk_new_zeros(x, ...)                                                                                           \
    wk_new_full_with(x, (wk_factory_args){.op = "new_zeros", .fill = WK_NUMBER(0.0), .size = WK_SHAPE __VA_ARGS__})
#define wk_new_ones(x, ...)                                                                                            \
    wk_new_full_with(x, (wk_factory_args){.op = "new_ones", .fill = WK_NUMBER(1.0), .size = WK_SHAPE __VA_ARGS__})
#define wk_new_full(x, size_, ...) wk_new_full_with(x, (wk_factory_args){.size = WK_SHAPE size_, WK_FILL(__VA_ARGS__)})

/* tensor((2, 2), ((float[]){1, 2, 3, 4})): copies a C array, row by row.  The array's type gives the dtype (float:
   float32, double: float64, int: int32, int64_t: int64, bool: bool, ...), unless .dtype converts. */
#define wk_tensor(size_, ...)                                                                                          \
    wk_tensor_with((wk_tensor_args){.size = WK_SHAPE size_, .data_dtype = WK_DATA_DTYPE(WK_HEAD(__VA_ARGS__)),         \
                                    .data = __VA_ARGS__})
#define WK_DATA_DTYPE(data)                                                                                            \
    _Generic(*(data), bool: wk_bool, uint8_t: wk_uint8, int8_t: wk_int8, int16_t: wk_int16, int32_t: wk_int32,         \
             int64_t: wk_int64, long long: wk_int64, double: wk_float64, default: wk_float32)
typedef struct wk_tensor_args {
    wk_shape size;
    wk_dtype data_dtype;
    const void *data;
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
} wk_tensor_args;

/* from_blob(data, (sizes), .dtype = wk_float32): the caller's memory, not copied; writes show both ways.
   release(context) is called when the last tensor on it goes, and after an error. */
typedef struct wk_from_blob_args {
    void *data;
    wk_shape size;
    wk_shape strides; // in elements; none: row-major
    wk_dtype dtype;
    wk_device device;
    void (*release)(void *context);
    void *context;
} wk_from_blob_args;
#define wk_from_blob(data_, ...) wk_from_blob_with((wk_from_blob_args){.data = data_, .size = WK_SHAPE __VA_ARGS__})

/* arange(n), arange(start, end), arange(start, end, step): int64 where all are integers, else float32; end excluded */
typedef struct wk_range_args {
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
} wk_range_args;
#define wk_arange(...) WK_ARANGE_(__VA_ARGS__, WK_ARANGE_3, WK_ARANGE_2, WK_ARANGE_1, 0)(__VA_ARGS__)
#define WK_ARANGE_(a, b, c, which, ...) which
#define WK_ARANGE_1(end) wk_arange_with(WK_NUMBER(0), WK_NUMBER(end), WK_NUMBER(1), (wk_range_args){0})
#define WK_ARANGE_2(start, end) wk_arange_with(WK_NUMBER(start), WK_NUMBER(end), WK_NUMBER(1), (wk_range_args){0})
#define WK_ARANGE_3(start, end, step)                                                                                  \
    wk_arange_with(WK_NUMBER(start), WK_NUMBER(end), WK_NUMBER(step), (wk_range_args){0})
/* linspace(start, end, steps, .dtype): both ends included; steps = 1 gives start */
#define wk_linspace(start, end, ...) wk_linspace_with(start, end, WK_HEAD(__VA_ARGS__), WK_RANGE_ARGS(__VA_ARGS__))
#define WK_RANGE_ARGS(...)                                                                                             \
    WK_RANGE_ARGS_(__VA_ARGS__, WK_RANGE_MORE, WK_RANGE_MORE, WK_RANGE_MORE, WK_RANGE_ONE, 0)(__VA_ARGS__)
#define WK_RANGE_ARGS_(a, b, c, d, which, ...) which
#define WK_RANGE_ONE(steps) ((wk_range_args){0})
#define WK_RANGE_MORE(steps, ...) ((wk_range_args){__VA_ARGS__})
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
wk_tensor *wk_from_blob_with(wk_from_blob_args args);
wk_tensor *wk_arange_with(wk_number start, wk_number end, wk_number step, wk_range_args args);
wk_tensor *wk_linspace_with(double start, double end, int64_t steps, wk_range_args args);
wk_tensor *wk_eye_with(wk_eye_args args);

#define WK_FILL(...) WK_FILL_(__VA_ARGS__, WK_FILL_MORE, WK_FILL_MORE, WK_FILL_MORE, WK_FILL_ONE, 0)(__VA_ARGS__)
#define WK_FILL_(a, b, c, d, which, ...) which
#define WK_FILL_ONE(value) .fill = WK_NUMBER(value)
#define WK_FILL_MORE(value, ...) .fill = WK_NUMBER(value), __VA_ARGS__

void wk_set_default_dtype(wk_dtype dtype); // of floating tensors, in all threads: float32 unless set

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
