/* Matrices by LAPACK, one of the batch after another, in threads.

   LAPACK's matrices lie column by column: to it, rows of ours are columns, and a matrix of ours is its transpose. */
// compiled for: float
#include "../libraries/lapack.h"
#include "../linalg.h"
#include "cpu.h"

#ifdef WICK_HAVE_LAPACK

#define LAPACK_float32(name) s##name##_
#define LAPACK_float64(name) d##name##_
#define LAPACK_(dtype, name) LAPACK_##dtype(name)
#define LAPACK_OF(dtype, name) LAPACK_(dtype, name)
#define PROTOTYPE(name) LAPACK_OF(WK_DTYPE, name)
#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)
#define LAPACK(name) ((__typeof__(&PROTOTYPE(name)))wk_lapack(TEXT(PROTOTYPE(name))))

/* Fortran's: all by address, and the lengths of texts behind */
void PROTOTYPE(getrf)(const int *m, const int *n, real *a, const int *lda, int *pivots, int *info);
void PROTOTYPE(getrs)(const char *trans, const int *n, const int *k, const real *a, const int *lda, const int *pivots,
                   real *b, const int *ldb, int *info, size_t);
void PROTOTYPE(syev)(const char *job, const char *half, const int *n, real *a, const int *lda, real *values, real *work,
                  const int *room, int *info, size_t, size_t);
void PROTOTYPE(geqrf)(const int *m, const int *n, real *a, const int *lda, real *tau, real *work, const int *room,
                   int *info);
void PROTOTYPE(orgqr)(const int *m, const int *n, const int *k, real *a, const int *lda, const real *tau, real *work,
                   const int *room, int *info);
void PROTOTYPE(gesdd)(const char *job, const int *m, const int *n, real *a, const int *lda, real *values, real *u,
                   const int *ldu, real *vt, const int *ldvt, real *work, const int *room, int *iwork, int *info,
                   size_t);

typedef struct factorization {
    const wk_linalg_work *w;
    wk_queue *queue;
    int room; // numbers of LAPACK's own, of each thread
    real *memory;
    int *integers; // 8 k of each thread
} factorization;

/* one matrix; room -1: only asks how much of it there should be, into *work.  LAPACK's info: 0 where all went well. */
static int factor(const factorization *f, int64_t i, real *work, int room, int *integers)
{
    const wk_linalg_work *w = f->w;
    const int m = (int)w->m, n = (int)w->n, k = (int)w->k;
    const int64_t ka = w->k;
    real *a = (real *)w->a + i * w->m * w->n;
    int info = 0;
    switch (w->kind) {
    case WK_LINALG_SOLVE:
        if (room < 0) {
            *work = 0;
            break;
        }
        LAPACK(getrf)(&n, &n, a, &n, integers, &info);
        if (info == 0 && k > 0)
            LAPACK(getrs)("T", &n, &k, a, &n, integers, (real *)w->b + i * ka * w->n, &n, &info, 1);
        break;
    case WK_LINALG_EIGH:
        LAPACK(syev)("V", "U", &n, a, &n, (real *)w->b + i * w->n, work, &room, &info, 1, 1);
        break;
    case WK_LINALG_QR: {
        if (room < 0) {
            real more;
            LAPACK(geqrf)(&m, &n, a, &m, NULL, work, &room, &info);
            LAPACK(orgqr)(&m, &k, &k, a, &m, NULL, &more, &room, &info);
            *work = (*work > more ? *work : more) + (real)k;
            break;
        }
        real *tau = work, *q = (real *)w->b + i * ka * w->m, *r = (real *)w->c + i * ka * w->n;
        room -= k;
        LAPACK(geqrf)(&m, &n, a, &m, tau, work + k, &room, &info);
        for (int64_t row = 0; row < k; row++)
            for (int64_t column = 0; column < n; column++)
                r[row * n + column] = column < row ? 0 : a[column * m + row];
        memcpy(q, a, (size_t)(ka * w->m) * sizeof *q);
        LAPACK(orgqr)(&m, &k, &k, q, &m, tau, work + k, &room, &info);
        break;
    }
    case WK_LINALG_SVD:
        LAPACK(gesdd)
        ("S", &n, &m, a, &n, (real *)w->b + i * ka, (real *)w->d + i * ka * w->n, &n, (real *)w->c + i * ka * w->m, &k,
         work, &room, integers, &info, 1);
        break;
    }
    return info;
}

static void factor_range(const void *work, int64_t begin, int64_t end)
{
    const factorization *f = work;
    const int64_t integers = 8 * (f->w->n > f->w->k ? f->w->n : f->w->k);
    real *const memory = f->memory + (int64_t)wk_parallel_thread() * f->room;
    int *const own = f->integers + wk_parallel_thread() * integers;
    for (int64_t i = begin; i < end; i++) {
        const int info = factor(f, i, memory, f->room, own);
        wk_fault fault = {.kind = WK_FAULT_NUMBER, .number = info};
        if (info == 0)
            continue;
        if (f->w->kind == WK_LINALG_SOLVE) {
            fault.name = "A: expected an invertible matrix, but it is singular: of its pivots, counted from 1, 0";
        } else
            fault.name = "x: the algorithm did not converge, as with numbers that are not finite";
        wk_queue_fault(f->queue, &fault);
    }
}

WK_KERNEL(linalg, wk_linalg_work)
{
    factorization f = {.w = w, .queue = queue};
    real room = 0;
    if (w->batch == 0 || w->m == 0 || w->n == 0)
        return;
    factor(&f, 0, &room, -1, NULL);
    f.room = (int)room + 1;
    const int64_t threads = wk_parallel_threads(), integers = 8 * (w->n > w->k ? w->n : w->k);
    f.memory = queue->scratch(queue, (size_t)(threads * f.room) * sizeof *f.memory);
    f.integers = queue->scratch(queue, (size_t)(threads * integers) * sizeof *f.integers);
    if (f.memory && f.integers)
        wk_parallel(factor_range, &f, w->batch, w->m * w->n * (w->n < w->m ? w->n : w->m));
}

#else

WK_KERNEL(linalg, wk_linalg_work) { (void)w; } // its ops say that LAPACK is not there
#endif
