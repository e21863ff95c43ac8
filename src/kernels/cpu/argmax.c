/* max and min over the middle of x (outer, n, inner) with the index of the first that attains it; the first NaN wins.
   values may be NULL.  An item is an element of the result (outer, inner). */
// compiled for: float integer
#include "../kernels.h"
#include "columns.h"

/* whether x takes the place of the best so far; a NaN takes it from any number, and keeps it */
typedef bool comparison(real x, real best);

WK_INLINE bool exceeds(real x, real best) { return x > best || (x != x && best == best); }
WK_INLINE bool falls_below(real x, real best) { return x < best || (x != x && best == best); }

/* Along memory: the best value of each stretch of 64 by plain comparisons, which vectorize; only a stretch that holds a
   new best is searched for its place. */
WK_INLINE int64_t best_along(comparison *better, const real *x, int64_t n)
{
    int64_t best = 0;
    for (int64_t start = 0; start < n; start += 64) {
        const int64_t stop = start + 64 < n ? start + 64 : n;
        const real value = x[best];
        int found = 0;
#pragma omp simd reduction(| : found)
        for (int64_t i = start; i < stop; i++)
            found |= better(x[i], value);
        for (int64_t i = start; found && i < stop; i++)
            if (better(x[i], x[best]))
                best = i;
    }
    return best;
}

WK_INLINE void best_across(comparison *better, const real *x, real *values, int64_t *indices, int64_t n, int64_t stride,
                           int64_t width)
{
    real best[WK_COLUMNS];
    int64_t place[WK_COLUMNS] = {0};
    memcpy(best, x, (size_t)width * sizeof(real));
    for (int64_t i = 1; i < n; i++) {
        const real *row = x + i * stride;
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            const bool takes = better(row[j], best[j]);
            best[j] = takes ? row[j] : best[j];
            place[j] = takes ? i : place[j];
        }
    }
    memcpy(indices, place, (size_t)width * sizeof *indices);
    if (values)
        memcpy(values, best, (size_t)width * sizeof(real));
}

WK_INLINE void arg_reduce(comparison *better, const void *x, void *values, int64_t *indices, int64_t n, int64_t inner,
                          int64_t begin, int64_t end)
{
    const wk_columns columns = {n, inner, n};
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        const real *source = (const real *)x + at.offset;
        real *target = values ? (real *)values + item : NULL;
        width = at.width;
        if (inner > 1) {
            best_across(better, source, target, indices + item, n, inner, width);
            continue;
        }
        indices[item] = best_along(better, source, n);
        if (target)
            *target = source[indices[item]];
    }
}

void KERNEL_NAME(argmax)(const void *work, int64_t begin, int64_t end)
{
    const wk_argmax_work *w = work;
    arg_reduce(exceeds, w->x, w->values, w->indices, w->n, w->inner, begin, end);
}

void KERNEL_NAME(argmin)(const void *work, int64_t begin, int64_t end)
{
    const wk_argmin_work *w = work;
    arg_reduce(falls_below, w->x, w->values, w->indices, w->n, w->inner, begin, end);
}
