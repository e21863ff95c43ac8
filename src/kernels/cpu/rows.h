/* Sums and maxima along a contiguous row, for the row kernels and reductions.

   WK_LANES partial results run side by side, so that additions do not wait for each other and stay in registers.  After
   every 16 rounds they are added to a second set: the error of a sum grows with 16 + n / (16 WK_LANES), as in a
   cascade. The order of additions depends on n alone.  The loops take the function of one term as a parameter: always
   inlined, it vectorizes as if written into the loop, and gdb still steps through it. */
#ifndef WICK_ROWS_H
#define WICK_ROWS_H

#include "cpu.h"

/* A row as reals.  float and double are read and written where they lie; a half row passes through a buffer of the
   thread's: wk_row_in converts it there (buffer `which`; a result may take the place of an operand that it is computed
   from element by element), wk_row_store writes it back.  So a row kernel is written once, and rounds to half once. */
typedef struct wk_rows {
    const void *work;
    int64_t n;
    int buffers;  // rows of n for each thread, of half
    real *memory; // NULL where rows need no buffers
} wk_rows;

#if WK_IS_HALF
WK_INLINE real *wk_row_buffer(const wk_rows *rows, int which)
{
    return rows->memory + ((int64_t)wk_parallel_thread() * rows->buffers + which) * rows->n;
}
WK_INLINE const real *wk_row_in(const wk_rows *rows, int which, const void *x, int64_t row, int64_t n)
{
    const elem *from = (const elem *)x + row * n;
    real *to = wk_row_buffer(rows, which);
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        to[i] = LOAD(from[i]);
    return to;
}
WK_INLINE real *wk_row_out(const wk_rows *rows, int which, void *y, int64_t row, int64_t n)
{
    (void)y, (void)row, (void)n;
    return wk_row_buffer(rows, which);
}
WK_INLINE void wk_row_store(const real *from, void *y, int64_t row, int64_t n)
{
    elem *to = (elem *)y + row * n;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        to[i] = STORE(from[i]);
}
#else
WK_INLINE const real *wk_row_in(const wk_rows *rows, int which, const void *x, int64_t row, int64_t n)
{
    (void)rows, (void)which;
    return (const real *)x + row * n;
}
WK_INLINE real *wk_row_out(const wk_rows *rows, int which, void *y, int64_t row, int64_t n)
{
    (void)rows, (void)which;
    return (real *)y + row * n;
}
WK_INLINE void wk_row_store(const real *from, void *y, int64_t row, int64_t n)
{
    (void)from, (void)y, (void)row, (void)n;
}
#endif

/* Runs a range function, which gets a wk_rows, over the `count` rows of a work; n: the longest row that it converts, in
   so many buffers.  A macro, so that a debugger goes from the kernel straight into its loop. */
#define wk_rows_run(range, queue, work_, buffers_, count_, longest, cost)                                              \
    do {                                                                                                               \
        wk_rows rows_ = {.work = (work_), .n = (longest), .buffers = (buffers_)};                                      \
        if (wk_rows_ready(queue, &rows_, count_))                                                                      \
            wk_parallel(range, &rows_, count_, cost);                                                                  \
    } while (0)
#if WK_IS_HALF
WK_INLINE bool wk_rows_ready(wk_queue *queue, wk_rows *rows, int64_t count)
{
    const int64_t threads = wk_parallel_threads();
    const int64_t slots = count < threads && wk_parallel_thread() == 0 ? count : threads;
    rows->memory = queue->scratch(queue, (size_t)(slots * rows->buffers * rows->n) * sizeof(real));
    return rows->memory;
}
#else
#define wk_rows_ready(queue, rows, count) ((void)(queue), true)
#endif

#if defined(__AVX512F__)
#define WK_LANES (256 / (int)sizeof(real))
#else
#define WK_LANES (128 / (int)sizeof(real))
#endif
#define WK_STEP (WK_LANES / 4) // what is left of a row goes on in steps of a vector
#define WK_CASCADE (16 * WK_LANES)

/* term i of a sum over a row (or two rows of equal length); c is a constant */
typedef real wk_term(const real *a, const real *b, real c, int64_t i);

WK_INLINE real wk_value(const real *a, const real *b, real c, int64_t i)
{
    (void)b, (void)c;
    return a[i];
}
/* of numbers that lie in memory as elements, whatever a's type says */
WK_INLINE real wk_stored(const real *a, const real *b, real c, int64_t i)
{
    (void)b, (void)c;
    return LOAD(((const elem *)a)[i]);
}
WK_INLINE real wk_product(const real *a, const real *b, real c, int64_t i)
{
    (void)c;
    return a[i] * b[i];
}
WK_INLINE real wk_product_centered(const real *a, const real *b, real c, int64_t i) { return a[i] * (b[i] - c); }
/* (a - c)^2 */
WK_INLINE real wk_deviation(const real *a, const real *b, real c, int64_t i)
{
    (void)b;
    return (a[i] - c) * (a[i] - c);
}

/* exp(a - c), of a <= c */
WK_INLINE real wk_exponential(const real *a, const real *b, real c, int64_t i)
{
    (void)b;
    return EXP_NEGATIVE(a[i] - c);
}

WK_INLINE real wk_row_sum(wk_term *term, const real *a, const real *b, real c, int64_t n)
{
    real total[WK_LANES] = {0};
    int64_t start = 0;
    while (n - start >= WK_LANES) {
        const int64_t rest = n - start, stop = start + (rest < WK_CASCADE ? rest - rest % WK_LANES : WK_CASCADE);
        real lanes[WK_LANES] = {0};
        for (; start < stop; start += WK_LANES) {
#pragma omp simd
            for (int lane = 0; lane < WK_LANES; lane++)
                lanes[lane] += term(a, b, c, start + lane);
        }
#pragma omp simd
        for (int lane = 0; lane < WK_LANES; lane++)
            total[lane] += lanes[lane];
    }
    real folded[WK_STEP], sum = 0, last = 0;
#pragma omp simd
    for (int lane = 0; lane < WK_STEP; lane++)
        folded[lane] = (total[lane] + total[lane + WK_STEP]) + (total[lane + 2 * WK_STEP] + total[lane + 3 * WK_STEP]);
    for (; n - start >= WK_STEP; start += WK_STEP) {
#pragma omp simd
        for (int lane = 0; lane < WK_STEP; lane++)
            folded[lane] += term(a, b, c, start + lane);
    }
#pragma omp simd reduction(+ : sum)
    for (int lane = 0; lane < WK_STEP; lane++)
        sum += folded[lane];
    for (; start < n; start++)
        last += term(a, b, c, start);
    return sum + last;
}

#if WK_IS_FLOATING
/* the largest value, NaN ignored (softmax meets it again in the sum); -infinity of nothing */
WK_INLINE real wk_row_max(const real *x, int64_t n)
{
    real lanes[WK_LANES], max = -INFINITY;
    int64_t start = 0;
    for (int lane = 0; lane < WK_LANES; lane++)
        lanes[lane] = -INFINITY;
    for (; n - start >= WK_LANES; start += WK_LANES) {
#pragma omp simd
        for (int lane = 0; lane < WK_LANES; lane++)
            lanes[lane] = x[start + lane] > lanes[lane] ? x[start + lane] : lanes[lane];
    }
    for (; n - start >= WK_STEP; start += WK_STEP) {
#pragma omp simd
        for (int lane = 0; lane < WK_STEP; lane++)
            lanes[lane] = x[start + lane] > lanes[lane] ? x[start + lane] : lanes[lane];
    }
    for (; start < n; start++)
        max = x[start] > max ? x[start] : max;
#pragma omp simd reduction(max : max)
    for (int lane = 0; lane < WK_LANES; lane++)
        max = lanes[lane] > max ? lanes[lane] : max;
    return max;
}
#endif

#endif
