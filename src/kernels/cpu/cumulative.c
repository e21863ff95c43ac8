/* cumsum and cumprod over the middle of x (outer, n, inner): y[i] = y[i - 1] + x[i], or from the
   end.  Floats accumulate in double, as in
   PyTorch.  An item is a column (outer, inner). */
// compiled for: float integer
#include "../kernels.h"
#include "columns.h"

#if WK_IS_FLOATING
typedef double accumulator;
#else
typedef real accumulator;
#endif

typedef accumulator accumulation(accumulator so_far, real x);

#define ROWS 8 // go along memory together, so that an addition need not wait for the one before

WK_INLINE accumulator plus(accumulator so_far, real x) { return (accumulator)(so_far + x); }
WK_INLINE accumulator times(accumulator so_far, real x) { return (accumulator)(so_far * x); }

/* rows along memory; `step` is 1 from their first number, -1 from their last */
WK_INLINE void along(accumulation *next, accumulator start, const real *x, real *y, int64_t n, int64_t rows,
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
                y[at + r * n] = (real)(so_far[r] = next(so_far[r], x[at + r * n]));
    }
    for (; row < rows; row++) {
        accumulator so_far = start;
        for (int64_t i = 0, at = row * n + first; i < n; i++, at += step)
            y[at] = (real)(so_far = next(so_far, x[at]));
    }
}

/* columns side by side, across memory */
WK_INLINE void across(accumulation *next, accumulator start, const real *x, real *y, int64_t n, int64_t inner,
                      int64_t width, int64_t step)
{
    accumulator so_far[WK_COLUMNS];
    for (int64_t j = 0; j < width; j++)
        so_far[j] = start;
    for (int64_t i = 0, at = step > 0 ? 0 : (n - 1) * inner; i < n; i++, at += step * inner)
        for (int64_t j = 0; j < width; j++)
            y[at + j] = (real)(so_far[j] = next(so_far[j], x[at + j]));
}

WK_INLINE void accumulate(accumulation *next, accumulator start, const wk_cumsum_work *w, int64_t begin, int64_t end)
{
    const int64_t n = w->n, inner = w->inner, step = w->reverse ? -1 : 1;
    if (inner == 1) {
        along(next, start, (const real *)w->x + begin * n, (real *)w->y + begin * n, n, end - begin, step);
        return;
    }
    const wk_columns columns = {n, inner, n};
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        width = at.width;
        across(next, start, (const real *)w->x + at.offset, (real *)w->y + at.offset, n, inner, width, step);
    }
}

void KERNEL_NAME(cumsum)(const void *work, int64_t begin, int64_t end) { accumulate(plus, 0, work, begin, end); }

void KERNEL_NAME(cumprod)(const void *work, int64_t begin, int64_t end)
{
    accumulate(times, 1, &((const wk_cumprod_work *)work)->as, begin, end);
}
