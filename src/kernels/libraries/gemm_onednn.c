/* Matrix products by oneDNN's dnnl_sgemm and dnnl_gemm_bf16bf16f32, the same in its versions 2 and 3; it has none for
   float64.  The second is exported but in none of its headers (its own tests call it): CMake asks whether it links.
   Rejected: oneDNN's matmul primitive for bfloat16.  It rounds in registers, which saves 9 % of 2048 x 96 x 384 (663 us
   for 727 on one core of a Zen 4) and nothing from 512^3 on, but one has to be compiled and kept for each shape, stride
   and thread.

   Inside an OpenMP parallel region oneDNN runs in the calling thread; outside one it would start threads and cut the
   product by their number, so the number is set to 1 (a setting of the calling thread) for the call. */
#ifdef WICK_HAVE_ONEDNN
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#endif

#include "gemm.h"

/* oneDNN refuses leading dimensions shorter than a row */
static bool accepts(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb,
                    int64_t ldc)
{
    return m > 0 && n > 0 && k > 0 && lda >= (transpose_a ? m : k) && ldb >= (transpose_b ? k : n) && ldc >= n;
}

#ifdef WICK_HAVE_ONEDNN
/* the value of a call that runs in this thread alone */
#define IN_THIS_THREAD(call)                                                                                           \
    __extension__({                                                                                                    \
        const int threads_ = omp_get_max_threads();                                                                    \
        if (threads_ > 1)                                                                                              \
            omp_set_num_threads(1);                                                                                    \
        const dnnl_status_t status_ = (call);                                                                          \
        if (threads_ > 1)                                                                                              \
            omp_set_num_threads(threads_);                                                                             \
        status_;                                                                                                       \
    })
#endif

bool wk_gemm_float32(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                     int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    if (!accepts(transpose_a, transpose_b, m, n, k, lda, ldb, ldc))
        return false;
#ifdef WICK_HAVE_ONEDNN
    return IN_THIS_THREAD(dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb,
                                     beta, c, ldc)) == dnnl_success;
#else
    (void)alpha, (void)a, (void)b, (void)beta, (void)c;
    return false;
#endif
}

#ifdef WICK_HAVE_ONEDNN_BFLOAT16
dnnl_status_t dnnl_gemm_bf16bf16f32(char transpose_a, char transpose_b, int64_t m, int64_t n, int64_t k, float alpha,
                                    const uint16_t *a, int64_t lda, const uint16_t *b, int64_t ldb, float beta,
                                    float *c, int64_t ldc);
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
    return IN_THIS_THREAD(dnnl_gemm_bf16bf16f32(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a,
                                                lda, b, ldb, beta, c, ldc)) == dnnl_success;
#else
    (void)alpha, (void)a, (void)b, (void)beta, (void)c;
    return false;
#endif
}
