/* The place of the number that a sort would put k-th, in each of contiguous rows of n.

   A row is cut by a pivot, the numbers less than it first, again and again, and only the side that holds the k-th is
   gone on with: about three passes in all.  Pivots come from places drawn by a counter of the row's own, so that no
   order of numbers that somebody has (sorted, organ pipes) is a slow one. */
// compiled for: float half integer
#include "../sort.h"
#include "cpu.h"

#define FEW 16

WK_INLINE real middle_of(real a, real b, real c)
{
    const real low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* brings those less than the pivot (or, not_above: not more) to the front; their number.  Without a branch. */
WK_INLINE int64_t cut(real *a, int64_t n, real pivot, bool not_above)
{
    int64_t front = 0;
    for (int64_t i = 0; i < n; i++) {
        const real value = a[i];
        a[i] = a[front];
        a[front] = value;
        front += not_above ? value <= pivot : value < pivot;
    }
    return front;
}

/* the k-th of n numbers in order, none of them NaN; a's order is lost */
static real kth(real *a, int64_t n, int64_t k)
{
    for (uint32_t draw = 1; n > FEW;) {
        real drawn[3];
        for (int i = 0; i < 3; i++) {
            draw = draw * 1664525u + 1013904223u;
            drawn[i] = a[(uint64_t)draw * (uint64_t)n >> 32];
        }
        const real pivot = middle_of(drawn[0], drawn[1], drawn[2]);
        const int64_t less = cut(a, n, pivot, false);
        if (k < less) {
            n = less;
            continue;
        }
        a += less, n -= less, k -= less;
        const int64_t equal = cut(a, n, pivot, true);
        if (k < equal)
            return pivot;
        a += equal, n -= equal, k -= equal;
    }
    for (int64_t i = 1; i < n; i++) {
        const real value = a[i];
        int64_t at = i;
        for (; at > 0 && value < a[at - 1]; at--)
            a[at] = a[at - 1];
        a[at] = value;
    }
    return a[k];
}

typedef struct kth_rows {
    const wk_kth_value_work *work;
    real *scratch; // (threads, n)
} kth_rows;

static void kth_range(const void *work, int64_t begin, int64_t end)
{
    const kth_rows *rows = work;
    const wk_kth_value_work *w = rows->work;
    const int64_t n = w->n;
    real *a = rows->scratch + wk_parallel_thread() * n;
    for (int64_t row = begin; row < end; row++) {
        const elem *x = (const elem *)w->x + row * n;
        int unordered = 0;
#pragma omp simd reduction(| : unordered)
        for (int64_t i = 0; i < n; i++) {
            a[i] = LOAD(x[i]);
            unordered |= a[i] != a[i];
        }
        int64_t at = w->last_nan ? n - 1 : 0;
        if (unordered) {
            while (a[at] == a[at])
                at += w->last_nan ? -1 : 1;
        } else { // among its equals, which stay in order, it has so many before it
            const real value = kth(a, n, w->k);
            int64_t before = w->k;
#pragma omp simd reduction(- : before)
            for (int64_t i = 0; i < n; i++)
                before -= LOAD(x[i]) < value;
            for (at = 0; LOAD(x[at]) != value || before-- > 0;)
                at++;
        }
        w->indices[row] = at;
    }
}

WK_KERNEL(kth_value, wk_kth_value_work)
{
    kth_rows rows = {.work = w};
    const int64_t threads = w->rows < wk_parallel_threads() ? w->rows : wk_parallel_threads();
    rows.scratch = queue->scratch(queue, (size_t)(threads * w->n) * sizeof *rows.scratch);
    if (rows.scratch)
        wk_parallel(kth_range, &rows, w->rows, 8 * w->n);
}
