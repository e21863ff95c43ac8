/* max or min over the middle of x (outer, n, inner), and the index of the first that attains it; the first NaN wins. */
// compiled for: float half integer
#include "../extremum.h"
#include "columns.h"
#include "reals.h"

/* whether x takes the place of the best so far; a NaN takes it from any number, and keeps it */
typedef bool comparison(real x, real best);

WK_INLINE bool exceeds(real x, real best) { return x > best || (x != x && best == best); }
WK_INLINE bool falls_below(real x, real best) { return x < best || (x != x && best == best); }

/* Along memory: the best value of each stretch of 64 by plain comparisons, which vectorize; only a stretch that holds a
   new best is searched for its place. */
WK_INLINE int64_t best_along(comparison *better, wk_window *window, int64_t offset, int64_t n)
{
    int64_t best = 0;
    real value = *wk_window_at(window, offset, 1);
    for (int64_t start = 0; start < n; start += 64) {
        const int64_t count = n - start < 64 ? n - start : 64;
        const real *x = wk_window_at(window, offset + start, count);
        int found = 0;
#pragma omp simd reduction(| : found)
        for (int64_t i = 0; i < count; i++)
            found |= better(x[i], value);
        for (int64_t i = 0; found && i < count; i++)
            if (better(x[i], value)) {
                best = start + i;
                value = x[i];
            }
    }
    return best;
}

WK_INLINE void best_across(comparison *better, const elem *x, elem *values, int64_t *indices, int64_t n, int64_t stride,
                           int64_t width)
{
    real best[WK_COLUMNS];
    int64_t place[WK_COLUMNS] = {0};
#pragma omp simd
    for (int64_t j = 0; j < width; j++)
        best[j] = LOAD(x[j]);
    for (int64_t i = 1; i < n; i++) {
        real buffer[WK_COLUMNS];
        const real *row = wk_reals_in(x + i * stride, buffer, width);
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            const bool takes = better(row[j], best[j]);
            best[j] = takes ? row[j] : best[j];
            place[j] = takes ? i : place[j];
        }
    }
    memcpy(indices, place, (size_t)width * sizeof *indices);
    for (int64_t j = 0; values && j < width; j++)
        values[j] = STORE(best[j]);
}

WK_INLINE void find(comparison *better, const wk_extremum_work *w, int64_t begin, int64_t end)
{
    const wk_columns columns = {w->n, w->inner, w->n};
    wk_window window;
    wk_window_of(&window, w->x, w->outer * w->n * w->inner);
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        const elem *x = (const elem *)w->x + at.offset;
        elem *values = w->values ? (elem *)w->values + item : NULL;
        width = at.width;
        if (w->inner > 1) {
            best_across(better, x, values, w->indices + item, w->n, w->inner, width);
            continue;
        }
        w->indices[item] = best_along(better, &window, at.offset, w->n);
        if (values)
            *values = x[w->indices[item]];
    }
}

/* an item is an element of the result (outer, inner) */
static void find_range(const void *work, int64_t begin, int64_t end)
{
    const wk_extremum_work *w = work;
    if (w->largest)
        find(exceeds, w, begin, end);
    else
        find(falls_below, w, begin, end);
}

WK_KERNEL(extremum, wk_extremum_work) { wk_parallel(find_range, w, w->outer * w->inner, w->n); }
