/* dtype, device, copies and reading values out. */
#ifndef WICK_CAST_H
#define WICK_CAST_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* to(x, wk_float64), to(x, wk_cuda), to(x, other): dtype, device, or both of another tensor; to(x, wk_cuda, .dtype =
   wk_float16): both.  x itself when nothing changes.  Floats to integers truncate; nonzero to bool is true.
   Differentiable. .memory_format = wk_channels_last: and in that order in memory, as wk_contiguous. .copy = true: a
   copy where nothing changes, too. .non_blocking = true: a copy from a device to the CPU is not waited for; its values
   are there after wk_synchronize(device), and before that they are anything. */
typedef struct wk_to_target {
    wk_dtype dtype;   // default: x's
    wk_device device; // default: x's
    wk_tensor *like;
    bool wants_like;
} wk_to_target;
typedef struct wk_to_args {
    wk_tensor *x;
    wk_to_target to;
    bool non_blocking;
    bool copy;
    wk_memory_format memory_format;
    wk_dtype dtype; // beside a device
} wk_to_args;
#define wk_to(x_, to_, ...) wk_to_with((wk_to_args){.x = x_, .to = WK_TO_TARGET(to_), __VA_ARGS__})
#define WK_TO_TARGET(to)                                                                                               \
    _Generic((to), wk_device : wk_target_device, wk_tensor * : wk_target_like, wk_dtype : wk_target_dtype,             \
             int : wk_target_dtype)(to)
static inline wk_to_target wk_target_of(wk_dtype dtype, wk_device device, wk_tensor *like, bool wants_like)
{
    const wk_to_target target = {dtype, device, like, wants_like};
    return target;
}
static inline wk_to_target wk_target_device(wk_device device)
{
    return wk_target_of(wk_dtype_default, device, NULL, false);
}
static inline wk_to_target wk_target_like(wk_tensor *x)
{
    const wk_device none = {WK_DEVICE_DEFAULT, 0};
    return wk_target_of(wk_dtype_default, none, x, true);
}
static inline wk_to_target wk_target_dtype(wk_dtype dtype)
{
    const wk_device none = {WK_DEVICE_DEFAULT, 0};
    return wk_target_of(dtype, none, NULL, false);
}
wk_tensor *wk_to_with(wk_to_args args);
wk_tensor *wk_to_dtype(wk_tensor *x, wk_dtype dtype);
wk_tensor *wk_to_device(wk_tensor *x, wk_device device);
wk_tensor *wk_type_as(wk_tensor *x, wk_tensor *like);

/* finfo(dtype): what a floating dtype holds; of a complex one its parts.  iinfo(dtype): an integer one.  Zeros after an
   error: of another kind. */
typedef struct wk_float_info {
    int bits;
    double max, min;   // largest, lowest
    double eps;        // from 1 to the next
    double tiny;       // smallest of full precision, which is smallest_normal too
    double resolution; // of decimals
} wk_float_info;
typedef struct wk_integer_info {
    int bits;
    int64_t max, min;
} wk_integer_info;
wk_float_info wk_finfo(wk_dtype dtype);
wk_integer_info wk_iinfo(wk_dtype dtype);

wk_tensor *wk_clone(wk_tensor *x);                        // a copy, with gradient
/* contiguous(x, memory_format = wk_contiguous_format): x itself where it lies so, else a copy, with gradient.
   wk_channels_last is for 4 dims, wk_channels_last_3d for 5. */
typedef struct wk_contiguous_args {
    wk_tensor *x;
    wk_memory_format memory_format;
} wk_contiguous_args;
#define wk_contiguous(...)                                                                                             \
    wk_contiguous_with((wk_contiguous_args){.memory_format = wk_contiguous_format, .x = __VA_ARGS__})
wk_tensor *wk_contiguous_with(wk_contiguous_args args);
/* copy_(x, from): x's values become from's, broadcast and cast; returns x.  .non_blocking is taken, and changes
   nothing: a copy to a device is never waited for, one to the CPU always. */
typedef struct wk_copy_args {
    wk_tensor *x, *from;
    bool non_blocking;
} wk_copy_args;
wk_tensor *wk_copy_(wk_tensor *x, wk_tensor *from);
wk_tensor *wk_copy_in_place_with(wk_copy_args args);
#ifndef __cplusplus
#define wk_copy_(x_, ...) wk_copy_in_place_with((wk_copy_args){.x = x_, .from = __VA_ARGS__})
#endif
#define wk_fill_(x, value) wk_fill_in_place_with(x, WK_OPERAND(value))
wk_tensor *wk_fill_in_place_with(wk_tensor *x, wk_operand value);
wk_tensor *wk_zero_(wk_tensor *x);

/* The one element of x, of any shape and dtype; NaN after an error.  item_int64 is exact beyond 2^53. */
double wk_item(wk_tensor *x);
int64_t wk_item_int64(wk_tensor *x);
/* Copies x's elements out, row by row, converted: wk_tolist(x, array) for arrays of float, double, int64_t, int,
   uint8_t and bool, of one or two dims, with as many elements as x has; &array[0] is the beginning of a longer one.
   False after an error. */
#define wk_tolist(x, array)                                                                                            \
    wk_tolist_with(x, array,                                                                                           \
                   _Generic((array) + 0, WK_LIST(float, wk_float32), WK_LIST(double, wk_float64),                      \
                            WK_LIST(long, wk_int64), WK_LIST(long long, wk_int64), WK_LIST(int32_t, wk_int32),         \
                            WK_LIST(uint8_t, wk_uint8), WK_LIST(bool, wk_bool)),                                       \
                   __builtin_types_compatible_p(__typeof__(array), __typeof__((array) + 0)) ? -1                       \
                                                                                            : (int64_t)sizeof(array))
#define WK_LIST(type, dtype) type * : dtype, type(*)[] : dtype
bool wk_tolist_with(wk_tensor *x, void *array, wk_dtype dtype, int64_t bytes); // bytes: -1 where not known

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
