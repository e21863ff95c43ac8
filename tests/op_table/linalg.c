/* Linear algebra. */
#include "op_table.h"

static wk_tensor *run_solve(golden_case *c) { return wk_linalg_solve(input(c, 0), input(c, 1)); }
OP(linalg_solve, run_solve, .any_strides = true) // columns, as LAPACK leaves them
BAD(linalg_solve, wk_linalg_solve(wk_zeros((2, 3)), wk_zeros((2))), "A: expected square matrices, got (2, 3)")
BAD(linalg_solve, wk_linalg_solve(wk_zeros((2)), wk_zeros((2))), "A: expected at least 2 dims, got (2,)")
BAD(linalg_solve, wk_linalg_solve(wk_eye(2), wk_zeros((3, 2))), "B: expected 2 rows, as A has, got (3, 2)")
BAD(linalg_solve, wk_linalg_solve(wk_eye(2), wk_zeros(())), "B: expected at least 1 dim, got ()")
BAD(linalg_solve, wk_linalg_solve(wk_eye(2), wk_zeros((2), .dtype = wk_float64)), "expected one dtype, got float32 and")
BAD(linalg_solve, wk_linalg_solve(wk_zeros((2, 2), .dtype = wk_int64), wk_zeros((2), .dtype = wk_int64)),
    "linalg_solve: A: expected float32 or float64, got int64")
BAD(linalg_solve, wk_linalg_solve(wk_ones((2, 2)), wk_ones((2))),
    "A: expected an invertible matrix, but it is singular: of its pivots, counted from 1, 0, got 2")
BAD(linalg_solve, wk_linalg_solve(wk_ones((2, 3, 3)), wk_ones((3, 3, 1))), "linalg_solve: ")

static wk_tensor *run_inv(golden_case *c) { return wk_linalg_inv(input(c, 0)); }
OP(linalg_inv, run_inv, .any_strides = true)
BAD(linalg_inv, wk_linalg_inv(wk_zeros((2, 2))), "linalg_inv: A: expected an invertible matrix")
BAD(linalg_inv, wk_linalg_inv(wk_zeros((2, 3))), "linalg_inv: A: expected square matrices")
static wk_tensor *run_inverse(golden_case *c) { return wk_inverse(input(c, 0)); }
OP(inverse, run_inverse, .any_strides = true)
BAD(inverse, wk_inverse(wk_zeros((2, 3))), "inverse: A: expected square matrices")

/* eigenvectors with a positive first number, as the script has them */
static wk_tensor *run_eigh(golden_case *c)
{
    wk_tensor *x = input(c, 0), *L, *V;
    /* else eigh is to say so */
    const bool live = x && wk_numel(x) >= 0 && !wk_failing();
    const bool square = live && x->ndim >= 2 && wk_size(x, -1) == wk_size(x, -2);
    if (!wk_linalg_eigh(square ? wk_add(x, wk_transpose(x, -2, -1)) : x, (&L, &V)))
        return NULL;
    return results(c, L, wk_mul(V, wk_sign(wk_narrow(V, -2, 0, wk_size(V, -2) > 0))));
}
OP(linalg_eigh, run_eigh, .any_strides = true)
static wk_tensor *bad_eigh(wk_tensor *A)
{
    wk_tensor *L, *V;
    wk_linalg_eigh(A, (&L, &V));
    return L ? L : V;
}
BAD(linalg_eigh, bad_eigh(wk_zeros((2, 3))), "linalg_eigh: A: expected square matrices, got (2, 3)")
BAD(linalg_eigh, bad_eigh(wk_zeros((2, 2), .dtype = wk_float16)), "A: expected float32 or float64, got float16")
BAD(linalg_eigh, (wk_linalg_eigh_with(wk_eye(2), (wk_places){0, NULL}), NULL), "places: expected (&L, &V), got 0")

static wk_tensor *run_qr(golden_case *c)
{
    wk_tensor *Q, *R;
    return wk_linalg_qr(input(c, 0), (&Q, &R)) ? results(c, Q, R) : NULL;
}
OP(linalg_qr, run_qr, .any_strides = true)
static wk_tensor *bad_qr(wk_tensor *A)
{
    wk_tensor *Q, *R;
    wk_linalg_qr(A, (&Q, &R));
    return Q ? Q : R;
}
BAD(linalg_qr, bad_qr(wk_zeros((3))), "linalg_qr: A: expected at least 2 dims, got (3,)")
BAD(linalg_qr, (wk_linalg_qr_with(wk_eye(2), (wk_places){0, NULL}), NULL), "places: expected (&Q, &R), got 0")

static wk_tensor *run_pinv(golden_case *c) { return wk_linalg_pinv(input(c, 0), real_or(c, "rtol", -1)); }
OP(linalg_pinv, run_pinv, .any_strides = true)
BAD(linalg_pinv, wk_linalg_pinv(wk_zeros((3))), "linalg_pinv: A: expected at least 2 dims, got (3,)")
