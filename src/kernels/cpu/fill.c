/* fill: one element, over and over. */
// compiled for: bytes
#include "../fill.h"
#include "cpu.h"

static void fill_elements(const void *work, int64_t begin, int64_t end)
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

static void fill_bytes(const void *work, int64_t begin, int64_t end)
{
    const wk_fill_work *w = work;
    memset((char *)w->y + begin * w->size, w->value[0], (size_t)((end - begin) * w->size));
}

WK_KERNEL(fill, wk_fill_work)
{
    bool same = true; // every byte of the element, as in 0
    for (int64_t i = 1; i < w->size; i++)
        same = same && w->value[i] == w->value[0];
    wk_parallel(same ? fill_bytes : fill_elements, w, w->count, 1);
}
