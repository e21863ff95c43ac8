/* Stretches of memory as reals: where they lie, or, of halves, converted into a buffer on the stack.  (A long loop with
   LOAD in it converts as well, if it vectorizes.) */
#ifndef WICK_REALS_H
#define WICK_REALS_H

#include "cpu.h"

#define WK_REALS 256 // in a buffer

/* n numbers of x */
WK_INLINE const real *wk_reals_in(const elem *x, real *buffer, int64_t n)
{
#if WK_IS_HALF
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        buffer[i] = LOAD(x[i]);
    return buffer;
#else
    (void)buffer, (void)n;
    return x;
#endif
}

/* where results for y are put, and, when they are there, into y itself */
WK_INLINE real *wk_reals_out(elem *y, real *buffer)
{
#if WK_IS_HALF
    (void)y;
    return buffer;
#else
    (void)buffer;
    return y;
#endif
}
WK_INLINE void wk_reals_store(elem *y, const real *results, int64_t n)
{
#if WK_IS_HALF
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = STORE(results[i]);
#else
    (void)y, (void)results, (void)n;
#endif
}

/* x (count), read mostly in order: neighbouring short rows, whose own loops would convert number by number, share a
   buffer */
typedef struct wk_window {
    const elem *x;
    int64_t count, begin, end; // of x; what the buffer holds
#if WK_IS_HALF
    real buffer[WK_REALS];
#endif
} wk_window;

WK_INLINE void wk_window_of(wk_window *window, const void *x, int64_t count)
{
    window->x = x;
    window->count = count;
    window->begin = window->end = 0;
}

/* n <= WK_REALS numbers from offset on, until the next call */
WK_INLINE const real *wk_window_at(wk_window *window, int64_t offset, int64_t n)
{
#if WK_IS_HALF
    if (offset < window->begin || offset + n > window->end) {
        window->begin = offset;
        window->end = window->count - offset < WK_REALS ? window->count : offset + WK_REALS;
        wk_reals_in(window->x + offset, window->buffer, window->end - offset);
    }
    return window->buffer + (offset - window->begin);
#else
    (void)n;
    return window->x + offset;
#endif
}

#endif
