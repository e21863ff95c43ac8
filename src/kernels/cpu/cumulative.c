/* cumsum and cumprod along the middle of x (outer, n, inner): y[i] = y[i - 1] + x[i], or from the end.  Floats
   accumulate in double, as in PyTorch. */
// compiled for: float half integer complex
#include "../cumulative.h"
#include "columns.h"
#include "reals.h"

#if WK_IS_FLOATING
typedef double accumulator;
#elif WK_IS_INTEGER
typedef real accumulator;
#else
typedef double _Complex accumulator;
#endif

typedef accumulator accumulation(accumulator so_far, real x);

WK_INLINE accumulator plus(accumulator so_far, real x) { return (accumulator)(so_far + x); }
#if WK_IS_INTEGER
WK_INLINE accumulator times(accumulator so_far, real x) { return (real)((uint64_t)so_far * (uint64_t)x); } // wraps
#else
WK_INLINE accumulator times(accumulator so_far, real x) { return so_far * x; }
#endif

#define ROWS 8 // go along memory together, so that an addition need not wait for the one before

/* rows that are `stride` apart, and n of their numbers; `step` is 1 from the first, -1 from the last */
WK_INLINE void advance(accumulation *next, accumulator *so_far, int rows, const real *x, real *y, int64_t stride,
                       int64_t n, int64_t step)
{
    for (int64_t i = 0, at = step > 0 ? 0 : n - 1; i < n; i++, at += step)
        for (int r = 0; r < rows; r++)
            y[at + r * stride] = (real)(so_far[r] = next(so_far[r], x[at + r * stride]));
}

/* rows of n along memory */
WK_INLINE void along(accumulation *next, accumulator start, const real *x, real *y, int64_t n, int64_t rows,
                     int64_t step)
{
    int64_t row = 0;
    for (; row + ROWS <= rows; row += ROWS) {
        accumulator so_far[ROWS] = {start, start, start, start, start, start, start, start};
        advance(next, so_far, ROWS, x + row * n, y + row * n, n, n, step);
    }
    for (; row < rows; row++)
        advance(next, &(accumulator){start}, 1, x + row * n, y + row * n, n, n, step);
}

#if WK_IS_HALF
/* short rows are converted together, long ones piece by piece */
WK_INLINE void along_halves(accumulation *next, accumulator start, const elem *x, elem *y, int64_t n, int64_t rows,
                            int64_t step)
{
    enum { PIECE = 64 };
    real buffer[ROWS * PIECE];
    for (int64_t row = 0, count; row < rows; row += count) {
        const elem *from = x + row * n;
        elem *to = y + row * n;
        count = rows - row;
        if (n <= PIECE) {
            count = count < ROWS * PIECE / n ? count : ROWS * PIECE / n;
            wk_reals_in(from, buffer, count * n);
            along(next, start, buffer, buffer, n, count, step);
            wk_reals_store(to, buffer, count * n);
            continue;
        }
        accumulator so_far[ROWS] = {start, start, start, start, start, start, start, start};
        count = count < ROWS ? 1 : ROWS;
        for (int64_t done = 0; done < n; done += PIECE) {
            const int64_t length = n - done < PIECE ? n - done : PIECE, at = step > 0 ? done : n - done - length;
            for (int r = 0; r < count; r++)
                wk_reals_in(from + r * n + at, buffer + r * PIECE, length);
            if (count == ROWS)
                advance(next, so_far, ROWS, buffer, buffer, PIECE, length, step);
            else
                advance(next, so_far, 1, buffer, buffer, PIECE, length, step);
            for (int r = 0; r < count; r++)
                wk_reals_store(to + r * n + at, buffer + r * PIECE, length);
        }
    }
}
#endif

/* columns side by side, across memory */
WK_INLINE void across(accumulation *next, accumulator start, const elem *x, elem *y, int64_t n, int64_t inner,
                      int64_t width, int64_t step)
{
    accumulator so_far[WK_COLUMNS];
    for (int64_t j = 0; j < width; j++)
        so_far[j] = start;
    for (int64_t i = 0, at = step > 0 ? 0 : (n - 1) * inner; i < n; i++, at += step * inner) {
        real buffer[WK_COLUMNS];
        const real *from = wk_reals_in(x + at, buffer, width);
        real *to = wk_reals_out(y + at, buffer);
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            to[j] = (real)(so_far[j] = next(so_far[j], from[j]));
        wk_reals_store(y + at, to, width);
    }
}

WK_INLINE void accumulate(accumulation *next, accumulator start, const wk_cumsum_work *w, int64_t begin, int64_t end)
{
    const int64_t n = w->n, inner = w->inner, step = w->reverse ? -1 : 1;
    const elem *x = w->x;
    elem *y = w->y;
    if (inner == 1) {
#if WK_IS_HALF
        along_halves(next, start, x + begin * n, y + begin * n, n, end - begin, step);
#else
        along(next, start, x + begin * n, y + begin * n, n, end - begin, step);
#endif
        return;
    }
    const wk_columns columns = {n, inner, n};
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        width = at.width;
        across(next, start, x + at.offset, y + at.offset, n, inner, width, step);
    }
}

/* an item is a column (outer, inner) */
static void cumsum_range(const void *work, int64_t begin, int64_t end) { accumulate(plus, 0, work, begin, end); }
static void cumprod_range(const void *work, int64_t begin, int64_t end) { accumulate(times, 1, work, begin, end); }

WK_KERNEL(cumsum, wk_cumsum_work) { wk_parallel(cumsum_range, w, w->outer * w->inner, w->n); }
WK_KERNEL(cumprod, wk_cumsum_work) { wk_parallel(cumprod_range, w, w->outer * w->inner, w->n); }
