/* Matrix products from libraries: C = alpha op(A) op(B) + beta C, row-major, op(A) of (m, k), op(B) of (k, n), C of (m,
   n); a transposed operand is stored (k, m) or (n, k).  beta 0 overwrites whatever C holds, NaN included.

   Every call runs in the calling thread alone: the caller cuts the product into tiles by its sizes (cpu/matmul.c), so
   the bits do not depend on the number of threads.  The answer is false, and C untouched, where the build has no
   library for the type or the library refuses; cpu/gemm.c then does it in plain C.

   Measured on one core of a Sapphire Rapids, in GFLOPS (224 is the most it can do):
                                    float32: oneDNN 2.6  MKL  BLIS 0.9  libxsmm 1.17  plain C  float64: BLIS  plain
   2048 x 288 x 96   x W^T                     167       167     77          77         152                54      79
   2048 x 96 x 384   dy W                      186       171    112         112         128                54      61
   96 x 48 x 2048    dy^T x                    169       152    100         103          87                50      54
   1024^3                                      171       172    104         104         150                54      51
   128 x 256 x 64    a block of q k^T          190                                      192
   128 x 64 x 256    a block of p v            196                                      209
   17 x 24 x 17                                 32         -     34          55          60                 -       -
   So oneDNN does large products in float32, and plain C the rest: BLIS and libxsmm never come first.  (Plain C's first
   four lines were measured before its panels were transposed in registers.) */
#ifndef WICK_GEMM_H
#define WICK_GEMM_H

#include <stdbool.h>
#include <stdint.h>

bool wk_gemm_float32(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                     int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
/* sums of bfloat16 in float; where the processor does not multiply bfloat16, float32 is faster */
bool wk_has_gemm_bfloat16(void);
bool wk_gemm_bfloat16(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha,
                      const uint16_t *a, int64_t lda, const uint16_t *b, int64_t ldb, float beta, float *c,
                      int64_t ldc);

#endif
