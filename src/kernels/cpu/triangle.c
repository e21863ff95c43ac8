/* Rows of matrices with what lies on one side of a diagonal set to 0. */
// compiled for: bytes
#include "../kernels.h"
#include "cpu.h"

static int64_t within(int64_t value, int64_t most) { return value < 0 ? 0 : value > most ? most : value; }

void KERNEL_NAME(triangle)(const void *work, int64_t begin, int64_t end)
{
    const wk_triangle_work *w = work;
    for (int64_t item = begin; item < end; item++) {
        const char *x = (const char *)w->x + item * w->columns * w->size;
        char *y = (char *)w->y + item * w->columns * w->size;
        const int64_t on_diagonal = item % w->rows + w->diagonal;
        /* from..to is kept */
        const int64_t from = w->upper ? within(on_diagonal, w->columns) : 0;
        const int64_t to = w->upper ? w->columns : within(on_diagonal + 1, w->columns);
        memset(y, 0, (size_t)(from * w->size));
        if (x != y)
            memcpy(y + from * w->size, x + from * w->size, (size_t)((to - from) * w->size));
        memset(y + to * w->size, 0, (size_t)((w->columns - to) * w->size));
    }
}
