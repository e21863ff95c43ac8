/* Linear algebra, by LAPACK.  PyTorch: https://pytorch.org/docs/stable/linalg.html

   Of float32 and float64, in batches: the last two dims are matrices.  A build without LAPACK (WICK_LAPACK=OFF) says so
   when one of these is called. */
#ifndef WICK_LINALG_H
#define WICK_LINALG_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* solve(A, B): X with A X = B.  A (..., n, n), B (..., n, k), batches broadcast; or B (..., n), of one dim or of A's
   shape but for the last: vectors.  A singular A is an error. */
wk_tensor *wk_linalg_solve(wk_tensor *A, wk_tensor *B);
/* inv(A): (..., n, n), A inv(A) = 1; wk_linalg_solve is faster and more exact where a product follows */
wk_tensor *wk_linalg_inv(wk_tensor *A);
wk_tensor *wk_inverse(wk_tensor *A); // the same
/* eigh(A, (&L, &V)): of a symmetric A, of which the lower triangle is read, the eigenvalues L (..., n), ascending, and
   the eigenvectors, columns of V (..., n, n): A = V diag(L) V^T.  The sign of an eigenvector is open, and its gradient
   is right for losses that do not depend on it, of eigenvalues that differ.  False after an error. */
#define wk_linalg_eigh(A, places) wk_linalg_eigh_with(A, WK_TUPLE(WK_PLACES, places) places)
bool wk_linalg_eigh_with(wk_tensor *A, wk_places places);
/* qr(A, (&Q, &R)): A = Q R, (..., m, k) with orthonormal columns and (..., k, n) upper triangular, k = min(m, n).  The
   gradient is for first k columns that are independent.  False after an error. */
#define wk_linalg_qr(A, places) wk_linalg_qr_with(A, WK_TUPLE(WK_PLACES, places) places)
bool wk_linalg_qr_with(wk_tensor *A, wk_places places);
/* pinv(A, rtol): (..., m, n) -> (..., n, m), the pseudoinverse; singular values of at most rtol times the largest count
   as 0.  rtol: max(m, n) times the dtype's epsilon unless given. */
typedef struct wk_linalg_pinv_args {
    wk_tensor *A;
    double rtol; // -1: the default
} wk_linalg_pinv_args;
#define wk_linalg_pinv(...) wk_linalg_pinv_with((wk_linalg_pinv_args){.rtol = -1, .A = __VA_ARGS__})
wk_tensor *wk_linalg_pinv_with(wk_linalg_pinv_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
