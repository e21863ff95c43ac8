/* prod, amax and amin over the middle of x (outer, n, inner).  A NaN wins a maximum or minimum. */
// compiled for: float half integer complex
#include "stages.h"

/* the result so far with one more number; as a parameter it is inlined into the loops below */
typedef real combination(real so_far, real x);

/* results side by side: enough that none waits for the one before */
#if defined(__AVX512F__)
#define LANES (256 / (int)sizeof(real))
#else
#define LANES (128 / (int)sizeof(real))
#endif
#define STEP (LANES / 4)

WK_INLINE real along(combination *combine, wk_load *load, const void *x, int64_t n)
{
    int64_t i = 1;
    real result = load(x, 0);
    if (n >= LANES) {
        real lanes[LANES];
#pragma omp simd
        for (int lane = 0; lane < LANES; lane++)
            lanes[lane] = load(x, lane);
        for (i = LANES; i + LANES <= n; i += LANES) {
#pragma omp simd
            for (int lane = 0; lane < LANES; lane++)
                lanes[lane] = combine(lanes[lane], load(x, i + lane));
        }
#pragma omp simd
        for (int lane = 0; lane < STEP; lane++)
            lanes[lane] = combine(combine(lanes[lane], lanes[lane + STEP]),
                                  combine(lanes[lane + 2 * STEP], lanes[lane + 3 * STEP]));
        for (; i + STEP <= n; i += STEP) {
#pragma omp simd
            for (int lane = 0; lane < STEP; lane++)
                lanes[lane] = combine(lanes[lane], load(x, i + lane));
        }
        result = lanes[0];
        for (int lane = 1; lane < STEP; lane++)
            result = combine(result, lanes[lane]);
    }
    for (; i < n; i++)
        result = combine(result, load(x, i));
    return result;
}

WK_INLINE void across(combination *combine, real of_nothing, wk_load *load, const void *x, real *result, int64_t rows,
                      int64_t stride, int64_t width)
{
#pragma omp simd
    for (int64_t j = 0; j < width; j++)
        result[j] = rows > 0 ? load(x, j) : of_nothing;
    for (int64_t i = 1; i < rows; i++) {
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            result[j] = combine(result[j], load(x, i * stride + j));
    }
}

/* the result of a row along memory */
typedef real along_row(wk_load *load, const void *x, int64_t n);

WK_INLINE void reduce(along_row *row, combination *combine, real of_nothing, wk_load *load, const wk_stage *stage,
                      int64_t begin, int64_t end)
{
    const int64_t inner = stage->columns.inner;
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&stage->columns, item, end);
        const void *x = wk_stage_x(stage, at.offset);
        real y[WK_COLUMNS];
        width = at.width;
        if (inner == 1) {
            *y = at.rows > 0 ? row(load, x, at.rows) : of_nothing;
            wk_stage_store(stage, item, y, 1);
        } else {
            across(combine, of_nothing, load, x, y, at.rows, inner, width);
            wk_stage_store(stage, item, y, width);
        }
    }
}

WK_INLINE void reduce_stage(along_row *row, combination *combine, real of_nothing, const wk_stage *stage, int64_t begin,
                            int64_t end)
{
    if (wk_stage_reads_reals(stage))
        reduce(row, combine, of_nothing, wk_load_real, stage, begin, end);
    else
        reduce(row, combine, of_nothing, wk_load_elem, stage, begin, end);
}

/* ---------------------------------------------------------------- prod */

#if WK_IS_INTEGER
WK_INLINE real times(real so_far, real x) { return (real)((uint64_t)so_far * (uint64_t)x); } // wraps
#else
WK_INLINE real times(real so_far, real x) { return so_far * x; }
#endif
WK_INLINE real prod_along(wk_load *load, const void *x, int64_t n) { return along(times, load, x, n); }

static void prod_range(const void *stage, int64_t begin, int64_t end)
{
    reduce_stage(prod_along, times, 1, stage, begin, end);
}

WK_KERNEL(prod, wk_reduce_work) { wk_stages_run(prod_range, queue, w); }

/* ---------------------------------------------------------------- amax, amin */

#if !WK_IS_COMPLEX
WK_INLINE real larger(real so_far, real x) { return ((x > so_far) | (x != x)) ? x : so_far; }
WK_INLINE real smaller(real so_far, real x) { return ((x < so_far) | (x != x)) ? x : so_far; }
/* single instructions, which know no NaN: along memory NaN is looked for apart, which is three times as fast */
WK_INLINE real greater(real so_far, real x) { return x > so_far ? x : so_far; }
WK_INLINE real lesser(real so_far, real x) { return x < so_far ? x : so_far; }

WK_INLINE bool has_nan(wk_load *load, const void *x, int64_t n)
{
    int found = 0;
#if WK_IS_HALF
    if (load == wk_load_elem) { // above infinity, as integers
        const elem infinity = WK_DTYPE_ID == wk_float16 ? 0x7c00 : 0x7f80, *bits = x;
        elem largest = 0;
#pragma omp simd reduction(max : largest)
        for (int64_t i = 0; i < n; i++)
            largest = (bits[i] & 0x7fff) > largest ? bits[i] & 0x7fff : largest;
        return largest > infinity;
    }
#endif
#pragma omp simd reduction(| : found)
    for (int64_t i = 0; i < n; i++)
        found |= load(x, i) != load(x, i);
    return found;
}

WK_INLINE real amax_along(wk_load *load, const void *x, int64_t n)
{
    return has_nan(load, x, n) ? along(larger, load, x, n) : along(greater, load, x, n);
}

static void amax_range(const void *stage, int64_t begin, int64_t end)
{
    reduce_stage(amax_along, larger, 0, stage, begin, end);
}

WK_KERNEL(amax, wk_reduce_work) { wk_stages_run(amax_range, queue, w); }

WK_INLINE real amin_along(wk_load *load, const void *x, int64_t n)
{
    return has_nan(load, x, n) ? along(smaller, load, x, n) : along(lesser, load, x, n);
}

static void amin_range(const void *stage, int64_t begin, int64_t end)
{
    reduce_stage(amin_along, smaller, 1, stage, begin, end);
}

WK_KERNEL(amin, wk_reduce_work) { wk_stages_run(amin_range, queue, w); }
#endif
