/* Looks for a 0 that integers would be divided by. */
// compiled for: bytes
#include "../divisors.h"
#include "cpu.h"

typedef struct search {
    const wk_divisors_work *w;
    wk_queue *queue;
} search;

/* a sum of b's own width vectorizes, a bool's does not */
#define HAS_ZERO(type)                                                                                                 \
    static bool has_zero_##type(const type *b, int64_t begin, int64_t end)                                             \
    {                                                                                                                  \
        type zero = 0;                                                                                                 \
        for (int64_t i = begin; i < end; i++)                                                                          \
            zero |= b[i] == 0;                                                                                         \
        return zero != 0;                                                                                              \
    }
HAS_ZERO(uint8_t)
HAS_ZERO(uint16_t)
HAS_ZERO(uint32_t)
HAS_ZERO(uint64_t)

static void divisors_range(const void *work, int64_t begin, int64_t end)
{
    const search *s = work;
    const void *b = s->w->b;
    const bool zero = s->w->size == 1   ? has_zero_uint8_t(b, begin, end)
                      : s->w->size == 2 ? has_zero_uint16_t(b, begin, end)
                      : s->w->size == 4 ? has_zero_uint32_t(b, begin, end)
                                        : has_zero_uint64_t(b, begin, end);
    if (zero)
        wk_queue_fault(s->queue, &(wk_fault){.kind = WK_FAULT_NUMBER,
                                             .name = "b: integer division by zero: expected other numbers"});
}

WK_KERNEL(divisors, wk_divisors_work) { wk_parallel(divisors_range, (&(search){w, queue}), w->count, 1); }
