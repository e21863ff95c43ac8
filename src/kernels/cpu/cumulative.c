/* cumsum and cumprod over the middle of x (outer, n, inner): y[i] = y[i - 1] + x[i].  Floats accumulate in double, as in
   PyTorch.  An item is a column (outer, inner). */
#include "columns.h"

#if WK_IS_FLOATING
typedef double accumulator;
#else
typedef real accumulator;
#endif

typedef accumulator accumulation(accumulator so_far, real x);

WK_INLINE accumulator plus(accumulator so_far, real x) { return (accumulator)(so_far + x); }
WK_INLINE accumulator times(accumulator so_far, real x) { return (accumulator)(so_far * x); }

WK_INLINE void accumulate(accumulation *next, accumulator start, const void *x, void *y, int64_t n, int64_t inner,
                          int64_t begin, int64_t end)
{
    const wk_columns columns = {n, inner, n > 0 ? n : 1};
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        const real *from = (const real *)x + at.offset;
        real *to = (real *)y + at.offset;
        accumulator so_far[WK_COLUMNS];
        width = at.width;
        for (int64_t j = 0; j < width; j++)
            so_far[j] = start;
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < width; j++) {
                so_far[j] = next(so_far[j], from[i * inner + j]);
                to[i * inner + j] = (real)so_far[j];
            }
        }
    }
}

void KERNEL_NAME(cumsum)(const void *work, int64_t begin, int64_t end)
{
    const wk_cumsum_work *w = work;
    accumulate(plus, 0, w->x, w->y, w->n, w->inner, begin, end);
}

void KERNEL_NAME(cumprod)(const void *work, int64_t begin, int64_t end)
{
    const wk_cumprod_work *w = work;
    accumulate(times, 1, w->x, w->y, w->n, w->inner, begin, end);
}
