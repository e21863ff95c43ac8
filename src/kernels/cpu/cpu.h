/* What every CPU kernel file includes.  A file is compiled once per instruction set (WK_ISA: baseline, avx2, avx512)
   and dtype (WK_DTYPE: float32, bfloat16, int64, ...), for the kinds of number that its line "compiled for" names.

   `elem` is what lies in memory, `real` what is computed in: LOAD(x[i]) and STORE(v) go between them.  For all but
   float16 and bfloat16, which are computed in float, the two are one type.  KERNEL_NAME(softmax) is the name of this
   compilation's kernel, and WK_KERNEL(softmax) its head:
       WK_KERNEL(softmax, wk_softmax_work) { wk_parallel(softmax_rows, w, w->rows, 4 * w->n); }             */
#ifndef WICK_CPU_H
#define WICK_CPU_H

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../half.h"
#include "../queue.h"
#include "parallel.h"

#define WK_PASTE_(name, isa, dtype) wk_##name##_##isa##_##dtype
#define WK_PASTE(name, isa, dtype) WK_PASTE_(name, isa, dtype)
#define KERNEL_NAME(name) WK_PASTE(name, WK_ISA, WK_DTYPE)

#define WK_KERNEL(name, work)                                                                                          \
    void KERNEL_NAME(name)(wk_queue *, const work *);                                                                  \
    void KERNEL_NAME(name)(wk_queue * queue __attribute__((unused)), const work *w)

#define WK_C_boolean bool
#define WK_C_uint8 uint8_t
#define WK_C_int8 int8_t
#define WK_C_int16 int16_t
#define WK_C_int32 int32_t
#define WK_C_int64 int64_t
#define WK_C_float16 uint16_t
#define WK_C_bfloat16 uint16_t
#define WK_C_float32 float
#define WK_C_float64 double
#define WK_C_complex64 float _Complex
#define WK_C_complex128 double _Complex
#define WK_C_(dtype) WK_C_##dtype
#define WK_C(dtype) WK_C_(dtype)

#define WK_IS_FLOATING (WK_IS_FLOAT || WK_IS_HALF)
#if WK_IS_HALF
typedef WK_C(WK_DTYPE) elem;
typedef float real;
#define LOAD(x) WK_GLUE_2(wk_float_of_, WK_DTYPE)(x)
#define STORE(v) WK_GLUE_2(WK_GLUE_2(wk_, WK_DTYPE), _of_float)(v)
#define WK_GLUE_2(a, b) WK_GLUE_2_(a, b)
#define WK_GLUE_2_(a, b) a##b
#elif !WK_IS_BYTES
typedef WK_C(WK_DTYPE) elem;
typedef elem real;
#define LOAD(x) (x)
#define STORE(v) (v)
#endif

/* what 16 bytes are copied as: complex128 may lie at any multiple of 8 */
typedef struct uint64_pair {
    uint64_t halves[2];
} uint64_pair;

#include "maths.h"

#endif
