/* solve, inv, eigh, qr, pinv: LAPACK's factors, with gradients made of products and solutions. */
#include <wick/linalg.h>

#include <float.h>
#include <limits.h>

#include <wick/join.h>
#include <wick/matmul.h>
#include <wick/rearrange.h>

#include "autocast.h"
#include "core/run.h"
#include "kernels/libraries/lapack.h"
#include "kernels/linalg.h"
#include "linalg.h"
#include "ops.h"

/* false after an error: A is no batch of matrices that LAPACK knows; square: of such ones */
static bool check(const char *op, const wk_tensor *A, bool square)
{
    WK_REQUIRE(op, A);
#ifdef WICK_HAVE_LAPACK
    const char *reason;
    if (!wk_lapack_load(&reason))
        return wk_fail(op, "LAPACK is not to be loaded: %s\nhint: install liblapack3", reason);
#else
    return wk_fail(op, "needs LAPACK, without which wick was built\nhint: cmake -DWICK_LAPACK=ON");
#endif
    if (A->ndim < 2)
        return wk_fail(op, "A: expected at least 2 dims, got %s", wk_shape_string(A));
    const int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1];
    if (square && m != n)
        return wk_fail(op, "A: expected square matrices, got %s", wk_shape_string(A));
    if (A->dtype != wk_float32 && A->dtype != wk_float64)
        return wk_fail(op, "A: expected float32 or float64, got %s", wk_dtype_name(A->dtype));
    if (m > INT_MAX / 8 || n > INT_MAX / 8)
        return wk_fail(op, "A: matrices of %lld by %lld are larger than LAPACK can count", (long long)m, (long long)n);
    return true;
}

static wk_tensor *turned(wk_tensor *x) { return wk_transpose(x, -2, -1); }

/* (batch, rows, columns) of x's batch, uninitialised */
static wk_tensor *room(const char *op, const wk_tensor *x, int ndim, int64_t rows, int64_t columns)
{
    wk_shape shape = wk_shape_of(x->ndim - 2, x->shape);
    if (ndim > 1)
        shape.sizes[shape.ndim++] = rows;
    shape.sizes[shape.ndim++] = columns;
    return wk_tensor_new(op, shape.ndim, shape.sizes, x->dtype, x->device);
}

static int64_t batch_of(const wk_tensor *x) { return wk_shape_numel(x->ndim - 2, x->shape); }

/* ---------------------------------------------------------------- solve: dB = A^-T dX, dA = -dB X^T */

static wk_tensor *solve(const char *op, wk_tensor *A, wk_tensor *B);

static void solve_backward(wk_node *node, wk_tensor *dX)
{
    wk_tensor *dB = solve(node->name, turned(wk_saved(node, 0)), dX);
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, dB);
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_neg(wk_matmul(dB, turned(wk_saved(node, 1)))));
}

/* of A (..., n, n) and B (..., n, k) of the same batch */
static wk_tensor *solve(const char *op, wk_tensor *A, wk_tensor *B)
{
    if (!A || !B)
        return NULL;
    wk_tensor *a = WK_WITHOUT_GRAD(wk_clone_contiguous(A)), *columns = WK_WITHOUT_GRAD(wk_clone_contiguous(turned(B)));
    const int64_t n = A->shape[A->ndim - 1], k = B->shape[B->ndim - 1];
    if (!a || !columns ||
        !wk_run(op, a, linalg, .kind = WK_LINALG_SOLVE, .a = wk_data(a), .b = wk_data(columns), .batch = batch_of(A),
                .m = n, .n = n, .k = k))
        return NULL;
    wk_tensor *X = WK_WITHOUT_GRAD(turned(columns));
    return wk_record(X, solve_backward, WK_INPUTS(A, B), WK_SAVED(A, X));
}

/* x with its batch expanded to that of shape, which has room for its last two sizes */
static wk_tensor *batched(wk_tensor *x, wk_shape shape)
{
    if (!x)
        return NULL;
    shape.sizes[shape.ndim++] = x->shape[x->ndim - 2];
    shape.sizes[shape.ndim++] = x->shape[x->ndim - 1];
    return wk_expand_with(x, shape, NULL);
}

wk_tensor *wk_linalg_solve(wk_tensor *A, wk_tensor *B)
{
    static const char OP[] = "linalg_solve";
    WK_NAMES_ERRORS(OP);
    WK_AUTOCAST(FLOAT32, &A, &B);
    if (!check(OP, A, true))
        return NULL;
    WK_REQUIRE(OP, B);
    if (B->dtype != A->dtype)
        return wk_fail(OP, "A and B: expected one dtype, got %s and %s", wk_dtype_name(A->dtype),
                       wk_dtype_name(B->dtype));
    if (!wk_check_same_device(OP, "A", A, "B", B))
        return NULL;
    bool vectors = B->ndim == 1;
    if (!vectors && B->ndim == A->ndim - 1) {
        vectors = true;
        for (int dim = 0; dim < B->ndim; dim++)
            vectors = vectors && B->shape[dim] == A->shape[dim];
    }
    if (B->ndim == 0)
        return wk_fail(OP, "B: expected at least 1 dim, got ()");
    const int64_t n = A->shape[A->ndim - 1], rows = B->shape[B->ndim - (vectors ? 1 : 2)];
    if (rows != n)
        return wk_fail(OP, "B: expected %lld rows, as A has, got %s", (long long)n, wk_shape_string(B));
    if (vectors)
        B = wk_unsqueeze(B, -1);
    wk_shape batch = {0};
    if (!B || !wk_broadcast_shapes(OP, A->ndim - 2, A->shape, B->ndim - 2, B->shape, &batch.ndim, batch.sizes))
        return NULL;
    wk_tensor *X = solve(OP, batched(A, batch), batched(B, batch));
    return vectors ? wk_squeeze(X, -1) : X;
}

wk_tensor *wk_linalg_inv(wk_tensor *A)
{
    static const char OP[] = "linalg_inv";
    WK_NAMES_ERRORS(OP);
    WK_AUTOCAST(FLOAT32, &A);
    if (!check(OP, A, true))
        return NULL;
    wk_tensor *one = wk_eye(A->shape[A->ndim - 1], .dtype = A->dtype, .device = A->device);
    return solve(OP, A, batched(one, wk_shape_of(A->ndim - 2, A->shape)));
}

wk_tensor *wk_inverse(wk_tensor *A)
{
    WK_NAMES_ERRORS("inverse");
    return wk_linalg_inv(A);
}

/* ---------------------------------------------------------------- eigh: dA = V (diag(dL) + (V^T dV) / E) V^T,
   E_ij = L_j - L_i, and nothing of V^T dV on the diagonal */

static wk_tensor *with_diagonal(wk_tensor *x, wk_tensor *diagonal)
{
    wk_tensor *one = x ? wk_eye(x->shape[x->ndim - 1], .dtype = wk_bool, .device = x->device) : NULL;
    return wk_where(one, wk_unsqueeze(diagonal, -1), x);
}

static void eigh_backward(wk_node *node, wk_tensor *dy)
{
    (void)dy;
    wk_tensor *L = wk_saved(node, 0), *V = wk_saved(node, 1);
    wk_tensor *E = wk_sub(wk_unsqueeze(L, -2), wk_unsqueeze(L, -1));
    wk_tensor *turns = wk_matmul(turned(V), wk_gradient(node, 1));
    wk_tensor *inner = with_diagonal(wk_div(turns, with_diagonal(E, wk_ones_like(L))), wk_gradient(node, 0));
    wk_accumulate(node, 0, wk_matmul(V, wk_matmul(inner, turned(V))));
}

static bool put(wk_places places, wk_tensor *first, wk_tensor *second, bool fine)
{
    wk_tensor *const both[2] = {first, second};
    for (int64_t i = 0; i < places.count && i < 2; i++)
        if (places.items[i])
            *places.items[i] = fine ? both[i] : NULL;
    return fine;
}

bool wk_linalg_eigh_with(wk_tensor *A, wk_places places)
{
    WK_AUTOCAST(FLOAT32, &A);
    static const char OP[] = "linalg_eigh";
    WK_NAMES_ERRORS(OP);
    if (places.count != 2)
        return wk_fail(OP, "places: expected (&L, &V), got %lld", (long long)places.count);
    if (!check(OP, A, true))
        return put(places, NULL, NULL, false);
    const int64_t n = A->shape[A->ndim - 1];
    wk_tensor *rows = WK_WITHOUT_GRAD(wk_clone_contiguous(A)), *L = room(OP, A, 1, 0, n);
    if (!rows || !L ||
        !wk_run(OP, rows, linalg, .kind = WK_LINALG_EIGH, .a = wk_data(rows), .b = wk_data(L), .batch = batch_of(A),
                .m = n, .n = n, .k = n))
        return put(places, NULL, NULL, false);
    wk_tensor *V = WK_WITHOUT_GRAD(turned(rows));
    wk_tensor *results[2] = {L, V};
    return put(places, L, V, V && wk_record_all(results, 2, eigh_backward, WK_INPUTS(A), WK_SAVED(L, V)));
}

/* ---------------------------------------------------------------- qr: dA = (dQ + Q copyltu(M)) R^-T,
   M = R dR^T - dQ^T Q; copyltu: the lower triangle, mirrored */

static void qr_backward(wk_node *node, wk_tensor *dy)
{
    (void)dy;
    wk_tensor *Q = wk_saved(node, 0), *R = wk_saved(node, 1), *dQ = wk_gradient(node, 0), *dR = wk_gradient(node, 1);
    if (!Q || !R || !dQ || !dR)
        return;
    /* of fewer rows than columns, A = [X Y]: X = Q R1 as above, and Y = Q R2 */
    const int64_t k = R->shape[R->ndim - 2], beside = R->shape[R->ndim - 1] - k;
    wk_tensor *dR2 = beside > 0 ? wk_narrow(dR, -1, k, beside) : NULL, *dA;
    if (beside > 0) {
        dQ = wk_add(dQ, wk_matmul(Q, wk_matmul(wk_narrow(R, -1, k, beside), turned(dR2))));
        R = wk_narrow(R, -1, 0, k);
        dR = wk_narrow(dR, -1, 0, k);
    }
    wk_tensor *M = wk_sub(wk_matmul(R, turned(dR)), wk_matmul(turned(dQ), Q));
    wk_tensor *mirrored = wk_add(wk_tril(M), turned(wk_tril(M, -1)));
    wk_tensor *inner = wk_add(dQ, wk_matmul(Q, mirrored));
    dA = turned(solve(node->name, R, turned(inner))); // X R^T = inner: R X^T = inner^T
    wk_accumulate(node, 0, beside > 0 && dA ? wk_cat((dA, wk_matmul(Q, dR2)), -1) : dA);
}

bool wk_linalg_qr_with(wk_tensor *A, wk_places places)
{
    WK_AUTOCAST(FLOAT32, &A);
    static const char OP[] = "linalg_qr";
    WK_NAMES_ERRORS(OP);
    if (places.count != 2)
        return wk_fail(OP, "places: expected (&Q, &R), got %lld", (long long)places.count);
    if (!check(OP, A, false))
        return put(places, NULL, NULL, false);
    const int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1], k = m < n ? m : n;
    wk_tensor *columns = WK_WITHOUT_GRAD(wk_clone_contiguous(turned(A)));
    wk_tensor *q = room(OP, A, 2, k, m), *R = room(OP, A, 2, k, n);
    if (!columns || !q || !R ||
        !wk_run(OP, columns, linalg, .kind = WK_LINALG_QR, .a = wk_data(columns), .b = wk_data(q), .c = wk_data(R),
                .batch = batch_of(A), .m = m, .n = n, .k = k))
        return put(places, NULL, NULL, false);
    wk_tensor *Q = WK_WITHOUT_GRAD(turned(q));
    wk_tensor *results[2] = {Q, R};
    return put(places, Q, R, Q && wk_record_all(results, 2, qr_backward, WK_INPUTS(A), WK_SAVED(Q, R)));
}

/* ---------------------------------------------------------------- singular values: dA = U diag(dS) V^T */

static void singular_values_backward(wk_node *node, wk_tensor *dS)
{
    wk_accumulate(node, 0, wk_matmul(wk_mul(wk_saved(node, 1), wk_unsqueeze(dS, -2)), wk_saved(node, 2)));
}

/* the same of A alone: V are the eigenvectors of A^T A, and U is A V / S; or U those of A A^T, where that is smaller */
static void singular_values_in_ops(wk_node *node, wk_tensor *dS)
{
    wk_tensor *A = wk_saved(node, 0), *L, *V;
    if (!A)
        return;
    const bool wide = A->shape[A->ndim - 2] < A->shape[A->ndim - 1];
    wk_tensor *tall = wide ? turned(A) : A;
    if (!wk_linalg_eigh(wk_matmul(turned(tall), tall), (&L, &V)))
        return;
    wk_tensor *scaled = wk_mul(V, wk_unsqueeze(wk_div(wk_flip(dS, -1), wk_sqrt(L)), -2));
    wk_tensor *dA = wk_matmul(tall, wk_matmul(scaled, turned(V)));
    wk_accumulate(node, 0, wide ? turned(dA) : dA);
}

wk_tensor *wk_singular_values(const char *op, wk_tensor *A)
{
    if (!check(op, A, false))
        return NULL;
    const int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1], k = m < n ? m : n;
    wk_tensor *rows = WK_WITHOUT_GRAD(wk_clone_contiguous(A));
    wk_tensor *S = room(op, A, 1, 0, k), *U = room(op, A, 2, m, k), *Vt = room(op, A, 2, k, n);
    if (!rows || !S || !U || !Vt ||
        !wk_run(op, rows, linalg, .kind = WK_LINALG_SVD, .a = wk_data(rows), .b = wk_data(S), .c = wk_data(U),
                .d = wk_data(Vt), .batch = batch_of(A), .m = m, .n = n, .k = k))
        return NULL;
    return wk_record(S, singular_values_backward, WK_INPUTS(A), WK_SAVED(A, U, Vt),
                     .composed = singular_values_in_ops);
}

/* ---------------------------------------------------------------- pinv, P: dA = -P^T dP P^T
   + (1 - A P) dP^T P P^T + P^T P dP^T (1 - P A) */

static void pinv_backward(wk_node *node, wk_tensor *dP)
{
    wk_tensor *A = wk_saved(node, 0), *P = wk_saved(node, 1), *Pt = turned(P), *g = turned(dP);
    wk_tensor *inner = wk_neg(wk_matmul(wk_matmul(Pt, dP), Pt));
    wk_tensor *outside = wk_matmul(wk_matmul(g, P), Pt); // dP^T P P^T
    wk_tensor *beside = wk_matmul(wk_matmul(Pt, P), g);  // P^T P dP^T
    outside = wk_sub(outside, wk_matmul(A, wk_matmul(P, outside)));
    beside = wk_sub(beside, wk_matmul(wk_matmul(beside, P), A));
    wk_accumulate(node, 0, wk_add(inner, wk_add(outside, beside)));
}

wk_tensor *wk_linalg_pinv_with(wk_linalg_pinv_args args)
{
    static const char OP[] = "linalg_pinv";
    WK_NAMES_ERRORS(OP);
    wk_tensor *A = args.A;
    if (!check(OP, A, false))
        return NULL;
    const int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1], k = m < n ? m : n;
    const double epsilon = A->dtype == wk_float32 ? FLT_EPSILON : DBL_EPSILON;
    const double rtol = args.rtol < 0 ? epsilon * (double)(m > n ? m : n) : args.rtol;
    wk_tensor *rows = WK_WITHOUT_GRAD(wk_clone_contiguous(A));
    wk_tensor *S = room(OP, A, 1, 0, k), *U = room(OP, A, 2, m, k), *Vt = room(OP, A, 2, k, n), *P = NULL;
    if (!rows || !S || !U || !Vt ||
        !wk_run(OP, rows, linalg, .kind = WK_LINALG_SVD, .a = wk_data(rows), .b = wk_data(S), .c = wk_data(U),
                .d = wk_data(Vt), .batch = batch_of(A), .m = m, .n = n, .k = k))
        return NULL;
    wk_no_grad
    {
        if (k == 0) {
            P = wk_zeros_like(turned(rows));
        } else {
            wk_tensor *largest = wk_mul(wk_narrow(S, -1, 0, 1), rtol);
            wk_tensor *inverse = wk_where(wk_gt(S, largest), wk_reciprocal(S), 0);
            P = wk_matmul(turned(Vt), wk_mul(wk_unsqueeze(inverse, -1), turned(U)));
        }
    }
    return wk_record(P, pinv_backward, WK_INPUTS(A), WK_SAVED(A, P));
}
