/* The sum of parts, (count, n), over count: the second stage of a kernel whose items each sum a chunk of rows. */
#ifndef WICK_PARTS_H
#define WICK_PARTS_H

#include "rows.h"

typedef struct wk_parts {
    const real *parts; // (count, n)
    real *y;           // (n)
    int64_t count, n;
} wk_parts;

/* 16 parts at a time into a sum of their own, which is then added: a cascade, as in rows.h */
static void wk_parts_columns(const void *work, int64_t begin, int64_t end)
{
    enum { COLUMNS = 256 };
    const wk_parts *w = work;
    for (int64_t column = begin; column < end; column += COLUMNS) {
        const int64_t width = end - column < COLUMNS ? end - column : COLUMNS;
        real total[COLUMNS] = {0};
        for (int64_t start = 0; start < w->count; start += 16) {
            const int64_t stop = start + 16 < w->count ? start + 16 : w->count;
            real sum[COLUMNS] = {0};
            for (int64_t i = start; i < stop; i++) {
                const real *part = w->parts + i * w->n + column;
#pragma omp simd
                for (int64_t j = 0; j < width; j++)
                    sum[j] += part[j];
            }
#pragma omp simd
            for (int64_t j = 0; j < width; j++)
                total[j] += sum[j];
        }
        memcpy(w->y + column, total, (size_t)width * sizeof(real));
    }
}

WK_INLINE void wk_sum_parts(const real *parts, int64_t count, int64_t n, real *y)
{
    const wk_parts work = {parts, y, count, n};
    if (n == 1)
        *y = wk_row_sum(wk_value, parts, NULL, 0, count);
    else
        wk_parallel(wk_parts_columns, &work, n, count);
}

#endif
