/* Names, sizes and promotion of dtypes. */
#include <string.h>

#include "tensor.h"

static const struct {
    const char *name;
    size_t size;
} DTYPES[WK_DTYPES] = {
    [wk_dtype_default] = {"default", 0}, [wk_bool] = {"bool", 1},         [wk_uint8] = {"uint8", 1},
    [wk_int8] = {"int8", 1},             [wk_int16] = {"int16", 2},       [wk_int32] = {"int32", 4},
    [wk_int64] = {"int64", 8},           [wk_float16] = {"float16", 2},   [wk_bfloat16] = {"bfloat16", 2},
    [wk_float32] = {"float32", 4},       [wk_float64] = {"float64", 8},   [wk_complex64] = {"complex64", 8},
};

const char *wk_dtype_name(wk_dtype dtype) { return dtype >= 0 && dtype < WK_DTYPES ? DTYPES[dtype].name : "unknown"; }
size_t wk_dtype_size(wk_dtype dtype) { return DTYPES[dtype].size; }
bool wk_dtype_is_floating(wk_dtype dtype) { return dtype >= wk_float16 && dtype <= wk_float64; }
bool wk_dtype_is_complex(wk_dtype dtype) { return dtype == wk_complex64; }
bool wk_dtype_is_integral(wk_dtype dtype) { return dtype >= wk_bool && dtype <= wk_int64; }

wk_dtype wk_promote_types(wk_dtype a, wk_dtype b)
{
    const wk_dtype high = a > b ? a : b, low = a > b ? b : a;
    if (low == wk_uint8 && high == wk_int8)
        return wk_int16;
    if (low == wk_float16 && high == wk_bfloat16)
        return wk_float32;
    return high;
}

static wk_dtype default_dtype = wk_float32;
wk_dtype wk_get_default_dtype(void) { return default_dtype; }
void wk_set_default_dtype(wk_dtype dtype)
{
    if (wk_dtype_is_floating(dtype))
        default_dtype = dtype;
    else
        wk_fail("set_default_dtype", "dtype: expected a floating dtype, got %s", wk_dtype_name(dtype));
}
