/* Matrix products by oneDNN's dnnl_sgemm and dnnl_gemm_bf16bf16f32, the same in its versions 2 and 3; it has none for
   float64.  The second is exported but in none of its headers (its own tests call it): CMake asks whether it links.
   Rejected: oneDNN's matmul primitive for bfloat16.  It rounds in registers, which saves 9 % of 2048 x 96 x 384 (663 us
   for 727 on one core of a Zen 4) and nothing from 512^3 on, but one has to be compiled and kept for each shape, stride
   and thread. */
#ifdef WICK_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#include "gemm.h"
#include "onednn.h"

/* oneDNN refuses leading dimensions shorter than a row */
static bool accepts(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb,
                    int64_t ldc)
{
    return m > 0 && n > 0 && k > 0 && lda >= (transpose_a ? m : k) && ldb >= (transpose_b ? k : n) && ldc >= n;
}

#ifdef WICK_HAVE_ONEDNN
typedef struct product {
    bool transpose_a, transpose_b;
    int64_t m, n, k, lda, ldb, ldc;
    float alpha, beta;
    const void *a, *b;
    float *c;
} product;

static bool multiply(void *arguments)
{
    const product *p = arguments;
    return dnnl_sgemm(p->transpose_a ? 'T' : 'N', p->transpose_b ? 'T' : 'N', p->m, p->n, p->k, p->alpha, p->a, p->lda,
                      p->b, p->ldb, p->beta, p->c, p->ldc) == dnnl_success;
}
#endif

bool wk_gemm_float32(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                     int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    if (!accepts(transpose_a, transpose_b, m, n, k, lda, ldb, ldc))
        return false;
#ifdef WICK_HAVE_ONEDNN
    product p = {transpose_a, transpose_b, m, n, k, lda, ldb, ldc, alpha, beta, a, b, c};
    return wk_onednn_call(WK_ONEDNN_GEMM, multiply, &p);
#else
    (void)alpha, (void)a, (void)b, (void)beta, (void)c;
    return false;
#endif
}

#ifdef WICK_HAVE_ONEDNN_BFLOAT16
dnnl_status_t dnnl_gemm_bf16bf16f32(char transpose_a, char transpose_b, int64_t m, int64_t n, int64_t k, float alpha,
                                    const uint16_t *a, int64_t lda, const uint16_t *b, int64_t ldb, float beta,
                                    float *c, int64_t ldc);

static bool multiply_bfloat16(void *arguments)
{
    const product *p = arguments;
    return dnnl_gemm_bf16bf16f32(p->transpose_a ? 'T' : 'N', p->transpose_b ? 'T' : 'N', p->m, p->n, p->k, p->alpha,
                                 p->a, p->lda, p->b, p->ldb, p->beta, p->c, p->ldc) == dnnl_success;
}
#endif

bool wk_has_gemm_bfloat16(void)
{
#ifdef WICK_HAVE_ONEDNN_BFLOAT16
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

bool wk_gemm_bfloat16(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha,
                      const uint16_t *a, int64_t lda, const uint16_t *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    if (!accepts(transpose_a, transpose_b, m, n, k, lda, ldb, ldc))
        return false;
#ifdef WICK_HAVE_ONEDNN_BFLOAT16
    product p = {transpose_a, transpose_b, m, n, k, lda, ldb, ldc, alpha, beta, a, b, c};
    return wk_onednn_call(WK_ONEDNN_GEMM_BFLOAT16, multiply_bfloat16, &p);
#else
    (void)alpha, (void)a, (void)b, (void)beta, (void)c;
    return false;
#endif
}
