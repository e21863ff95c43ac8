/* what LAPACK does with batches of matrices; each kind overwrites a */
#ifndef WICK_KERNELS_LINALG_H
#define WICK_KERNELS_LINALG_H

#include <stdint.h>

typedef enum wk_linalg_kind {
    WK_LINALG_SOLVE, // a (batch, n, n) X = B: b (batch, k, n) has the columns of B, then those of X
    WK_LINALG_EIGH,  // a (batch, n, n), of which the lower triangles are read: b (batch, n) eigenvalues, and in a the
                     // eigenvectors as rows
    WK_LINALG_QR,    // a (batch, n, m), A's columns: b (batch, k, m) the columns of Q, c (batch, k, n) R; k = min(m, n)
    WK_LINALG_SVD    // a (batch, m, n): b (batch, k) singular values, c (batch, m, k) U, d (batch, k, n) V^T
} wk_linalg_kind;

typedef struct wk_linalg_work {
    wk_linalg_kind kind;
    void *a, *b, *c, *d;
    int64_t batch, m, n, k; // m = n of the first two kinds
} wk_linalg_work;

#endif
