/* Matrix products by oneDNN's dnnl_sgemm, the same in its versions 2 and 3; it has none for float64.

   Inside an OpenMP parallel region oneDNN runs in the calling thread; outside one it would start threads and cut the
   product by their number, so the number is set to 1 (a setting of the calling thread) for the call. */
#ifdef WICK_HAVE_ONEDNN
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#endif

#include "gemm.h"

bool wk_gemm_float32(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const float *a,
                     int64_t lda, const float *b, int64_t ldb, double beta, float *c, int64_t ldc)
{
    bool done = false;
    /* oneDNN refuses leading dimensions shorter than a row */
    const bool accepted =
        m > 0 && n > 0 && k > 0 && lda >= (transpose_a ? m : k) && ldb >= (transpose_b ? k : n) && ldc >= n;
#ifdef WICK_HAVE_ONEDNN
    if (accepted) {
        const int threads = omp_get_max_threads();
        if (threads > 1)
            omp_set_num_threads(1);
        done = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, (float)alpha, a, lda, b, ldb,
                          (float)beta, c, ldc) == dnnl_success;
        if (threads > 1)
            omp_set_num_threads(threads);
    }
#else
    (void)accepted, (void)alpha, (void)a, (void)b, (void)beta, (void)c;
#endif
    return done;
}

bool wk_gemm_float64(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double *a,
                     int64_t lda, const double *b, int64_t ldb, double beta, double *c, int64_t ldc)
{
    (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k, (void)alpha, (void)a, (void)lda, (void)b;
    (void)ldb, (void)beta, (void)c, (void)ldc;
    return false;
}
