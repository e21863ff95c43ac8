/* prod, amax and amin over the middle of x (outer, n, inner), shaped like sum: y[outer, chunk, inner].  A NaN wins a
   maximum or minimum.  n is at least 1, but for prod, which is 1 of nothing (the op fills it). */
// compiled for: float integer
#include "../kernels.h"
#include "columns.h"

/* the result so far with one more number; as a parameter it is inlined into the loops below.  greater and lesser are
   single instructions, which know no NaN: along memory NaN is looked for apart, which is three times as fast. */
typedef real combination(real so_far, real x);

WK_INLINE real times(real so_far, real x) { return (real)(so_far * x); }
WK_INLINE real larger(real so_far, real x) { return ((x > so_far) | (x != x)) ? x : so_far; }
WK_INLINE real smaller(real so_far, real x) { return ((x < so_far) | (x != x)) ? x : so_far; }
WK_INLINE real greater(real so_far, real x) { return x > so_far ? x : so_far; }
WK_INLINE real lesser(real so_far, real x) { return x < so_far ? x : so_far; }

/* results side by side: enough that none waits for the one before */
#if defined(__AVX512F__)
#define LANES (256 / (int)sizeof(real))
#else
#define LANES (128 / (int)sizeof(real))
#endif
#define STEP (LANES / 4)

WK_INLINE real along(combination *combine, const real *x, int64_t n)
{
    int64_t i = 1;
    real result = x[0];
    if (n >= LANES) {
        real lanes[LANES];
        memcpy(lanes, x, sizeof lanes);
        for (i = LANES; i + LANES <= n; i += LANES) {
#pragma omp simd
            for (int lane = 0; lane < LANES; lane++)
                lanes[lane] = combine(lanes[lane], x[i + lane]);
        }
#pragma omp simd
        for (int lane = 0; lane < STEP; lane++)
            lanes[lane] = combine(combine(lanes[lane], lanes[lane + STEP]),
                                  combine(lanes[lane + 2 * STEP], lanes[lane + 3 * STEP]));
        for (; i + STEP <= n; i += STEP) {
#pragma omp simd
            for (int lane = 0; lane < STEP; lane++)
                lanes[lane] = combine(lanes[lane], x[i + lane]);
        }
        result = lanes[0];
        for (int lane = 1; lane < STEP; lane++)
            result = combine(result, lanes[lane]);
    }
    for (; i < n; i++)
        result = combine(result, x[i]);
    return result;
}

WK_INLINE void across(combination *combine, const real *x, real *y, int64_t rows, int64_t stride, int64_t width)
{
    real result[WK_COLUMNS];
    memcpy(result, x, (size_t)width * sizeof(real));
    for (int64_t i = 1; i < rows; i++) {
        const real *row = x + i * stride;
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            result[j] = combine(result[j], row[j]);
    }
    memcpy(y, result, (size_t)width * sizeof(real));
}

static bool has_nan(const real *x, int64_t n)
{
    int found = 0;
#pragma omp simd reduction(| : found)
    for (int64_t i = 0; i < n; i++)
        found |= x[i] != x[i];
    return found;
}

/* the extremum of a row: a NaN, where there is one */
WK_INLINE real extremum_along(combination *plain, combination *with_nan, const real *x, int64_t n)
{
    return has_nan(x, n) ? along(with_nan, x, n) : along(plain, x, n);
}

WK_INLINE void reduce(combination *combine, const void *x, void *y, wk_columns columns, int64_t begin, int64_t end)
{
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        width = at.width;
        if (columns.inner == 1)
            ((real *)y)[item] = along(combine, (const real *)x + at.offset, at.rows);
        else
            across(combine, (const real *)x + at.offset, (real *)y + item, at.rows, columns.inner, width);
    }
}

WK_INLINE void reduce_extremum(combination *plain, combination *with_nan, const wk_sum_work *w, int64_t begin,
                               int64_t end)
{
    const wk_columns columns = {w->n, w->inner, w->chunk};
    if (w->inner > 1) {
        reduce(with_nan, w->x, w->y, columns, begin, end);
        return;
    }
    for (int64_t item = begin; item < end; item++) {
        const wk_stretch at = wk_stretch_at(&columns, item, end);
        ((real *)w->y)[item] = extremum_along(plain, with_nan, (const real *)w->x + at.offset, at.rows);
    }
}

void KERNEL_NAME(prod)(const void *work, int64_t begin, int64_t end)
{
    const wk_sum_work *w = &((const wk_prod_work *)work)->as;
    reduce(times, w->x, w->y, (wk_columns){w->n, w->inner, w->chunk}, begin, end);
}

void KERNEL_NAME(amax)(const void *work, int64_t begin, int64_t end)
{
    const wk_sum_work *w = &((const wk_amax_work *)work)->as;
    reduce_extremum(greater, larger, w, begin, end);
}

void KERNEL_NAME(amin)(const void *work, int64_t begin, int64_t end)
{
    const wk_sum_work *w = &((const wk_amin_work *)work)->as;
    reduce_extremum(lesser, smaller, w, begin, end);
}
