/* How a reduction over the middle of x (outer, n, inner) finds its numbers.  The result is y (outer, chunks, inner),
   with n cut into chunks of `chunk` rows; an item is an element of y, in row-major order.  Neighbouring items that
   differ in inner alone form a stretch: their columns lie side by side and are reduced together, WK_COLUMNS at most. */
#ifndef WICK_COLUMNS_H
#define WICK_COLUMNS_H

#include "cpu.h"

#define WK_COLUMNS 256

typedef struct wk_columns {
    int64_t n, inner, chunk;
} wk_columns;

typedef struct wk_stretch {
    int64_t offset; // in x, of its first row
    int64_t rows;   // of n in the chunk
    int64_t width;  // columns
} wk_stretch;

WK_INLINE wk_stretch wk_stretch_at(const wk_columns *c, int64_t item, int64_t end)
{
    if (c->inner == 1 && c->n <= c->chunk) // rows along memory: many and short, they should not pay for divisions
        return (wk_stretch){item * c->n, c->n, 1};
    const int64_t chunks = c->n > c->chunk ? (c->n + c->chunk - 1) / c->chunk : 1; // 1 where there is nothing to reduce
    const int64_t column = item % c->inner, chunk = item / c->inner % chunks, outer = item / c->inner / chunks;
    const int64_t first = chunk * c->chunk;
    wk_stretch at = {(outer * c->n + first) * c->inner + column, c->n - first, c->inner - column};
    if (at.rows > c->chunk)
        at.rows = c->chunk;
    if (at.width > end - item)
        at.width = end - item;
    if (at.width > WK_COLUMNS)
        at.width = WK_COLUMNS;
    return at;
}

#endif
