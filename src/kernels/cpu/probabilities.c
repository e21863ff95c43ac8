/* Looks for a number outside [0, 1]. */
// compiled for: float half
#include "../probabilities.h"
#include "cpu.h"

typedef struct search {
    const wk_probabilities_work *w;
    wk_queue *queue;
} search;

static bool probable(real x) { return x >= 0 && x <= 1; }

static void probabilities_range(const void *work, int64_t begin, int64_t end)
{
    const search *s = work;
    const elem *x = s->w->x;
    int improbable = 0;
#pragma omp simd reduction(| : improbable)
    for (int64_t i = begin; i < end; i++)
        improbable |= !probable(LOAD(x[i]));
    if (!improbable)
        return;
    while (probable(LOAD(x[begin])))
        begin++;
    wk_queue_fault(s->queue, &(wk_fault){.kind = WK_FAULT_NUMBER, .name = s->w->fault, .number = LOAD(x[begin])});
}

WK_KERNEL(probabilities, wk_probabilities_work)
{
    wk_parallel(probabilities_range, (&(search){w, queue}), w->count, 1);
}
