/* wk_gemm: C = alpha A B + beta C for the numbers of this compilation, in the calling thread: by a library where one is
   built in and the product is large enough to pay for the call, else in plain C tiles.

   A (m, k), B (k, n) are given by their strides (between rows, along a row), one of which is 1 for a library to take
   them.  C (m, n) has contiguous rows; beta 0 overwrites it.  Of halves, C is float: who wants halves rounds them once,
   at the end. */
#ifndef WICK_CPU_GEMM_H
#define WICK_CPU_GEMM_H

#include "cpu.h"

#define wk_gemm KERNEL_NAME(gemm)
void wk_gemm(int64_t m, int64_t n, int64_t k, real alpha, const elem *a, int64_t a_row, int64_t a_column, const elem *b,
             int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row);

/* the same with an A of reals, which is rounded only where the product is of halves */
#if WK_IS_HALF
#define wk_gemm_of_reals KERNEL_NAME(gemm_of_reals)
void wk_gemm_of_reals(int64_t m, int64_t n, int64_t k, real alpha, const real *a, int64_t a_row, int64_t a_column,
                      const elem *b, int64_t b_row, int64_t b_column, real beta, real *c, int64_t c_row);
#else
#define wk_gemm_of_reals wk_gemm
#endif

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
enum { LANES = VECTOR_BYTES / sizeof(real) };

static inline int64_t round_up_to_lanes(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

#endif
