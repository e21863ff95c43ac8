/* float16 and bfloat16, one element at a time, for every floor.  Without branches that would keep gcc from vectorizing
   a loop around them. */
#ifndef WICK_HALF_H
#define WICK_HALF_H

#include <stdint.h>
#include <string.h>

#include <wick/dtype.h>

static inline float wk_float_of_bfloat16(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* round to nearest, ties to even; NaN stays NaN */
static inline uint16_t wk_bfloat16_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t rounded = (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
    return value != value ? (uint16_t)0x7fc0 : rounded;
}

static inline float wk_float_of_float16(uint16_t bits)
{
    /* shift exponent and mantissa into place, then let a multiplication rebias: denormals come out right */
    uint32_t wide = (uint32_t)(bits & 0x7fffu) << 13, infinite = 0x7c00u;
    float magnitude;
    memcpy(&magnitude, &wide, sizeof magnitude);
    magnitude *= 0x1p112f;
    uint32_t out;
    memcpy(&out, &magnitude, sizeof out);
    if ((bits & infinite) == infinite)
        out = 0x7f800000u | (uint32_t)(bits & 0x3ffu) << 13;
    out |= (uint32_t)(bits & 0x8000u) << 16;
    memcpy(&magnitude, &out, sizeof magnitude);
    return magnitude;
}

static inline uint16_t wk_float16_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)((bits >> 16) & 0x8000u);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u)
        return sign | 0x7e00u;
    if (bits >= 0x477ff000u) // 65520 and up round to infinity
        return sign | 0x7c00u;
    if (bits < 0x38800000u) { // below the smallest normal: adding 0.5 aligns and rounds the mantissa
        float small;
        memcpy(&small, &bits, sizeof small);
        small += 0.5f;
        memcpy(&bits, &small, sizeof bits);
        return sign | (uint16_t)(bits - 0x3f000000u);
    }
    bits += 0xfffu + ((bits >> 13) & 1u);
    return sign | (uint16_t)((bits - 0x38000000u) >> 13);
}

/* one floating element of a plain array, as a double: for loops too short or too rare to be kernels */
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

#endif
