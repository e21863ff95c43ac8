/* Numbers as elements. */
#include "element.h"

#include <complex.h>
#include <float.h>
#include <math.h>

#define PUT(type, value) *(type *)y = (type)(value)

void wk_store_number(wk_dtype dtype, void *y, wk_number number)
{
    const bool floating = number.kind == WK_FLOAT_NUMBER;
    /* as the kernels convert: a float to an integer by way of int64 */
    const int64_t whole = floating ? (int64_t)number.value : number.integer;
    const double value = floating ? number.value : (double)number.integer;
    switch (dtype) {
    case wk_bool:
        *(bool *)y = floating ? number.value != 0 : number.integer != 0;
        break;
    case wk_uint8:
    case wk_int8:
        PUT(uint8_t, whole);
        break;
    case wk_int16:
        PUT(int16_t, whole);
        break;
    case wk_int32:
        PUT(int32_t, whole);
        break;
    case wk_int64:
        PUT(int64_t, whole);
        break;
    case wk_complex64:
        PUT(float _Complex, floating ? (float)value : (float)number.integer);
        break;
    case wk_complex128:
        PUT(double _Complex, value);
        break;
    default:
        if (dtype == wk_float32 && !floating)
            PUT(float, number.integer);
        else
            wk_store_floating(dtype, y, 0, value);
    }
}

double wk_largest(wk_dtype dtype)
{
    switch (dtype) {
    case wk_uint8: return UINT8_MAX;
    case wk_int8: return INT8_MAX;
    case wk_int16: return INT16_MAX;
    case wk_int32: return INT32_MAX;
    case wk_int64: return 0x1p63;
    case wk_float16: return 65504;
    case wk_bfloat16: return 0x1.fep127;
    case wk_float32:
    case wk_complex64: return FLT_MAX;
    default: return INFINITY;
    }
}

bool wk_number_fits(wk_dtype dtype, wk_number number)
{
    if (dtype == wk_bool || number.kind == WK_BOOL_NUMBER)
        return true;
    if (number.kind == WK_INT_NUMBER && dtype == wk_int64)
        return true;
    const double most = wk_largest(dtype), value = number.value;
    if (!wk_dtype_is_integral(dtype))
        return !isfinite(value) || fabs(value) <= most;
    if (dtype == wk_int64)
        return value >= -most && value < most;
    return value <= most && value >= (dtype == wk_uint8 ? -most : -most - 1);
}
