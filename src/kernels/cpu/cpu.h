/* What every CPU kernel file includes.  A file is compiled once per instruction set (WK_ISA: baseline, avx2, avx512)
   and dtype (WK_DTYPE: float32, float64, int64, ...), with `real` the C type.  KERNEL_NAME(softmax) is the name of that
   compilation's kernel. */
#ifndef WICK_CPU_H
#define WICK_CPU_H

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../kernels.h"

#define WK_PASTE_(name, isa, dtype) wk_##name##_##isa##_##dtype
#define WK_PASTE(name, isa, dtype) WK_PASTE_(name, isa, dtype)
#define KERNEL_NAME(name) WK_PASTE(name, WK_ISA, WK_DTYPE)

#define WK_C_boolean bool
#define WK_C_uint8 uint8_t
#define WK_C_int8 int8_t
#define WK_C_int16 int16_t
#define WK_C_int32 int32_t
#define WK_C_int64 int64_t
#define WK_C_float32 float
#define WK_C_float64 double
#define WK_C_(dtype) WK_C_##dtype
#define WK_C(dtype) WK_C_(dtype)
#define WK_C_complex64 float _Complex
#if !WK_IS_BYTES
typedef WK_C(WK_DTYPE) real;
#endif

#include "maths.h"

#endif
