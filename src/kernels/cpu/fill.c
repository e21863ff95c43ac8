/* fill: the element at value, over and over. */
// compiled for: bytes
#include "cpu.h"

void KERNEL_NAME(fill)(const void *work, int64_t begin, int64_t end)
{
    const wk_fill_work *w = work;
    char *y = w->y;
    if (w->size == 4) {
        uint32_t value, *out = w->y;
        memcpy(&value, w->value, sizeof value);
        for (int64_t i = begin; i < end; i++)
            out[i] = value;
        return;
    }
    for (int64_t i = begin; i < end; i++)
        memcpy(y + i * w->size, w->value, (size_t)w->size);
}
