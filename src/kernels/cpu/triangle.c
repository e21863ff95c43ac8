/* Rows of matrices with what lies on one side of a diagonal set to 0. */
// compiled for: bytes
#include "../triangle.h"
#include "cpu.h"

static int64_t within(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* an item is a row */
static void triangle_range(const void *work, int64_t begin, int64_t end)
{
    const wk_triangle_work *w = work;
    const int64_t diagonal = within(w->diagonal, -w->rows, w->columns);
    for (int64_t item = begin; item < end; item++) {
        const char *x = (const char *)w->x + item * w->columns * w->size;
        char *y = (char *)w->y + item * w->columns * w->size;
        const int64_t on_diagonal = item % w->rows + diagonal;
        /* from..to is kept */
        const int64_t from = w->upper ? within(on_diagonal, 0, w->columns) : 0;
        const int64_t to = w->upper ? w->columns : within(on_diagonal + 1, 0, w->columns);
        memset(y, 0, (size_t)(from * w->size));
        if (x != y)
            memcpy(y + from * w->size, x + from * w->size, (size_t)((to - from) * w->size));
        memset(y + to * w->size, 0, (size_t)((w->columns - to) * w->size));
    }
}

WK_KERNEL(triangle, wk_triangle_work) { wk_parallel(triangle_range, w, w->matrices * w->rows, w->columns); }
