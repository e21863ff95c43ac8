/* One floating element of a plain array, as a double: for loops too short or too rare to be kernels. */
#ifndef WICK_ELEMENT_H
#define WICK_ELEMENT_H

#include <wick/tensor.h>

#include "kernels/half.h"

static inline double wk_load_floating(wk_dtype dtype, const void *x, int64_t i)
{
    switch (dtype) {
    case wk_float64:
        return ((const double *)x)[i];
    case wk_float32:
        return (double)((const float *)x)[i];
    case wk_bfloat16:
        return (double)wk_float_of_bfloat16(((const uint16_t *)x)[i]);
    default:
        return (double)wk_float_of_float16(((const uint16_t *)x)[i]);
    }
}

static inline void wk_store_floating(wk_dtype dtype, void *y, int64_t i, double value)
{
    switch (dtype) {
    case wk_float64:
        ((double *)y)[i] = value;
        break;
    case wk_float32:
        ((float *)y)[i] = (float)value;
        break;
    case wk_bfloat16:
        ((uint16_t *)y)[i] = wk_bfloat16_of_float((float)value);
        break;
    default:
        ((uint16_t *)y)[i] = wk_float16_of_float((float)value);
    }
}

/* value as the dtype holds it */
static inline double wk_round_floating(wk_dtype dtype, double value)
{
    double room;
    wk_store_floating(dtype, &room, 0, value);
    return wk_load_floating(dtype, &room, 0);
}

/* a number as the bytes of one element of any dtype */
void wk_store_number(wk_dtype dtype, void *y, wk_number number);
/* whether the dtype has room for a number, as PyTorch sees it: fractions may go, and uint8 takes -255 and up */
bool wk_number_fits(wk_dtype dtype, wk_number number);
double wk_largest(wk_dtype dtype); // that it has room for; for int64 the first that it has not

#endif
