/* Numbers as elements. */
#include "element.h"

#include <complex.h>

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
