/* cumsum and cumprod along the middle of x (outer, n, inner): y[i] = y[i - 1] + x[i], or from the end.  Floats
   accumulate in double, as in PyTorch. */
// compiled for: float half integer complex
#include "../cumulative.h"
#include "columns.h"

#if WK_IS_FLOATING
typedef double accumulator;
#elif WK_IS_INTEGER
typedef real accumulator;
#else
typedef double _Complex accumulator;
#endif

typedef accumulator accumulation(accumulator so_far, real x);

#define ROWS 8 // go along memory together, so that an addition need not wait for the one before

WK_INLINE accumulator plus(accumulator so_far, real x) { return (accumulator)(so_far + x); }
WK_INLINE accumulator times(accumulator so_far, real x) { return (accumulator)(so_far * x); }

/* rows along memory; `step` is 1 from their first number, -1 from their last */
WK_INLINE void along(accumulation *next, accumulator start, const elem *x, elem *y, int64_t n, int64_t rows,
                     int64_t step)
{
    const int64_t first = step > 0 ? 0 : n - 1;
    int64_t row = 0;
    for (; row + ROWS <= rows; row += ROWS) {
        accumulator so_far[ROWS];
        for (int r = 0; r < ROWS; r++)
            so_far[r] = start;
        for (int64_t i = 0, at = row * n + first; i < n; i++, at += step)
            for (int r = 0; r < ROWS; r++)
                y[at + r * n] = STORE((real)(so_far[r] = next(so_far[r], LOAD(x[at + r * n]))));
    }
    for (; row < rows; row++) {
        accumulator so_far = start;
        for (int64_t i = 0, at = row * n + first; i < n; i++, at += step)
            y[at] = STORE((real)(so_far = next(so_far, LOAD(x[at]))));
    }
}

/* columns side by side, across memory */
WK_INLINE void across(accumulation *next, accumulator start, const elem *x, elem *y, int64_t n, int64_t inner,
                      int64_t width, int64_t step)
{
    accumulator so_far[WK_COLUMNS];
    for (int64_t j = 0; j < width; j++)
        so_far[j] = start;
    for (int64_t i = 0, at = step > 0 ? 0 : (n - 1) * inner; i < n; i++, at += step * inner)
        for (int64_t j = 0; j < width; j++)
            y[at + j] = STORE((real)(so_far[j] = next(so_far[j], LOAD(x[at + j]))));
}

WK_INLINE void accumulate(accumulation *next, accumulator start, const wk_cumsum_work *w, int64_t begin, int64_t end)
{
    const int64_t n = w->n, inner = w->inner, step = w->reverse ? -1 : 1;
    if (inner == 1) {
        along(next, start, (const elem *)w->x + begin * n, (elem *)w->y + begin * n, n, end - begin, step);
        return;
    }
    const wk_columns columns = {n, inner, n};
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        width = at.width;
        across(next, start, (const elem *)w->x + at.offset, (elem *)w->y + at.offset, n, inner, width, step);
    }
}

/* an item is a column (outer, inner) */
static void cumsum_range(const void *work, int64_t begin, int64_t end) { accumulate(plus, 0, work, begin, end); }
static void cumprod_range(const void *work, int64_t begin, int64_t end) { accumulate(times, 1, work, begin, end); }

WK_KERNEL(cumsum, wk_cumsum_work) { wk_parallel(cumsum_range, w, w->outer * w->inner, w->n); }
WK_KERNEL(cumprod, wk_cumsum_work) { wk_parallel(cumprod_range, w, w->outer * w->inner, w->n); }
