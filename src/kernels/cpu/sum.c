/* sum, mean, norm, nansum and non_nan over the middle of x (outer, n, inner).  Along memory (inner is 1) a row is
   summed in lanes (rows.h); across memory, a stretch of neighbouring columns goes down the rows together. */
// compiled for: float half integer complex
#include "rows.h"
#include "stages.h"

/* In steps of four rows, so that part is loaded and stored less often.  cascade: 16 rows at a time into a sum of their
   own, which is then added, as in rows.h. */
WK_INLINE void column_sums(wk_term *term, bool cascade, const real *x, real *total, int64_t rows, int64_t stride,
                           int64_t width)
{
#define TERM(i) term(x, x, 0, (i) * stride + j)
    memset(total, 0, (size_t)width * sizeof(real));
    for (int64_t i = 0, stop; i < rows;) {
        stop = cascade && rows - i > 16 ? i + 16 : rows;
        real part[WK_COLUMNS] = {0};
        for (; i + 4 <= stop; i += 4) {
#pragma omp simd
            for (int64_t j = 0; j < width; j++)
                part[j] = (real)((((part[j] + TERM(i)) + TERM(i + 1)) + TERM(i + 2)) + TERM(i + 3));
        }
        for (; i < stop; i++) {
#pragma omp simd
            for (int64_t j = 0; j < width; j++)
                part[j] = (real)(part[j] + TERM(i));
        }
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            total[j] = (real)(total[j] + part[j]);
    }
#undef TERM
}

/* What becomes of a sum in the end.  Asked where it runs: the loops over terms, compiled once for each, would be twice
   as many. */
typedef enum finish { KEPT, DIVIDED, ROOT } finish;

WK_INLINE void store(finish finish, const wk_stage *stage, int64_t item, real *sums, int64_t width)
{
#if !WK_IS_INTEGER
    if (finish == DIVIDED && !stage->first)
        for (int64_t j = 0; j < width; j++)
            sums[j] = sums[j] / (__typeof__(__real__ *sums))stage->whole->n;
#endif
#if WK_IS_FLOATING
    if (finish == ROOT && !stage->first)
        for (int64_t j = 0; j < width; j++)
            sums[j] = SQRT(sums[j]);
#endif
    (void)finish;
    wk_stage_store(stage, item, sums, width);
}

WK_INLINE void sums(wk_term *term, bool cascade, finish finish, const wk_stage *stage, int64_t begin, int64_t end)
{
    const int64_t inner = stage->columns.inner;
    for (int64_t item = begin, width; item < end; item += width) {
        const wk_stretch at = wk_stretch_at(&stage->columns, item, end);
        const real *x = wk_stage_x(stage, at.offset); // the term knows what lies there
        real y[WK_COLUMNS];
        width = at.width;
        if (inner == 1) {
            *y = wk_row_sum(term, x, x, 0, at.rows);
            store(finish, stage, item, y, 1);
        } else {
            column_sums(term, cascade, x, y, at.rows, inner, width);
            store(finish, stage, item, y, width);
        }
    }
}

static __attribute__((noinline)) void plain_sums(finish finish, const wk_stage *stage, int64_t begin, int64_t end)
{
    if (wk_stage_reads_reals(stage))
        sums(wk_value, true, finish, stage, begin, end);
    else
        sums(wk_stored, true, finish, stage, begin, end);
}

static void sum_range(const void *stage, int64_t begin, int64_t end) { plain_sums(KEPT, stage, begin, end); }

WK_KERNEL(sum, wk_reduce_work) { wk_stages_run(sum_range, queue, w); }

#if !WK_IS_INTEGER
static void mean_range(const void *stage, int64_t begin, int64_t end) { plain_sums(DIVIDED, stage, begin, end); }

WK_KERNEL(mean, wk_reduce_work) { wk_stages_run(mean_range, queue, w); }
#endif

/* ---------------------------------------------------------------- norm: the root of the sum of squares */

#if WK_IS_FLOATING
WK_INLINE real squared(const real *a, const real *b, real c, int64_t i)
{
    return wk_stored(a, b, c, i) * wk_stored(a, b, c, i);
}

static void norm_range(const void *work, int64_t begin, int64_t end)
{
    const wk_stage *stage = work;
    if (stage->second)
        plain_sums(ROOT, stage, begin, end);
    else if (wk_stage_reads_reals(stage))
        sums(wk_product, false, ROOT, stage, begin, end);
    else
        sums(squared, false, ROOT, stage, begin, end);
}

WK_KERNEL(norm, wk_reduce_work) { wk_stages_run(norm_range, queue, w); }

/* ---------------------------------------------------------------- nansum, non_nan: of what is not NaN, and how many */

#define TERM(name, value)                                                                                              \
    WK_INLINE real name(const real *a, const real *b, real c, int64_t i)                                               \
    {                                                                                                                  \
        const real x = wk_value(a, b, c, i);                                                                           \
        return value;                                                                                                  \
    }                                                                                                                  \
    WK_INLINE real name##_stored(const real *a, const real *b, real c, int64_t i)                                      \
    {                                                                                                                  \
        const real x = wk_stored(a, b, c, i);                                                                          \
        return value;                                                                                                  \
    }
TERM(or_0, x == x ? x : 0)
TERM(is_number, x == x ? 1 : 0)

/* a second stage adds up what the first has counted, or summed: a NaN in it (of infinities) is one of the result */
#define OF_NUMBERS(kernel, term)                                                                                       \
    static void kernel##_range(const void *work, int64_t begin, int64_t end)                                           \
    {                                                                                                                  \
        const wk_stage *stage = work;                                                                                  \
        if (stage->second)                                                                                             \
            plain_sums(KEPT, stage, begin, end);                                                                       \
        else if (wk_stage_reads_reals(stage))                                                                          \
            sums(term, true, KEPT, stage, begin, end);                                                                 \
        else                                                                                                           \
            sums(term##_stored, true, KEPT, stage, begin, end);                                                        \
    }                                                                                                                  \
    WK_KERNEL(kernel, wk_reduce_work) { wk_stages_run(kernel##_range, queue, w); }
OF_NUMBERS(nansum, or_0)
OF_NUMBERS(non_nan, is_number)
#endif
