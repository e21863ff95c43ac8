/* A reduction in stages.  A large n is cut into chunks of fixed size, reduced side by side, and the chunks' results
   once more: a reduction of everything has items to share among threads, in an order that their number does not change.

   A range function gets a wk_stage; its items are those of columns.h.  Results of a first stage are reals: float16 and
   bfloat16 are rounded once, at the end. */
#ifndef WICK_STAGES_H
#define WICK_STAGES_H

#include "../reduce.h"
#include "columns.h"

typedef struct wk_stage {
    const wk_reduce_work *whole;
    const void *x; // elements; reals in a second stage
    void *y;       // elements; reals in a first stage
    wk_columns columns;
    bool first, second; // of two
} wk_stage;

WK_INLINE bool wk_stage_reads_reals(const wk_stage *stage) { return sizeof(real) != sizeof(elem) && stage->second; }
WK_INLINE bool wk_stage_writes_reals(const wk_stage *stage) { return sizeof(real) != sizeof(elem) && stage->first; }

/* number i of x, as it is stored, and as a first stage left it */
typedef real wk_load(const void *x, int64_t i);
WK_INLINE real wk_load_elem(const void *x, int64_t i) { return LOAD(((const elem *)x)[i]); }
WK_INLINE real wk_load_real(const void *x, int64_t i) { return ((const real *)x)[i]; }

WK_INLINE const void *wk_stage_x(const wk_stage *stage, int64_t offset)
{
    const size_t size = stage->second ? sizeof(real) : sizeof(elem);
    return (const char *)stage->x + (size_t)offset * size;
}

/* the results of the items from `item` on */
WK_INLINE void wk_stage_store(const wk_stage *stage, int64_t item, const real *results, int64_t width)
{
    elem *y = (elem *)stage->y + item;
    if (wk_stage_writes_reals(stage))
        memcpy((real *)stage->y + item, results, (size_t)width * sizeof(real));
    else
        for (int64_t j = 0; j < width; j++)
            y[j] = STORE(results[j]);
}

#define WK_STAGE_ELEMENTS 16384 // that an item of a first stage goes through

WK_INLINE void wk_stages_run(wk_kernel *range, wk_queue *queue, const wk_reduce_work *w)
{
    const int64_t results = w->outer * w->inner;
    if (results == 0)
        return;
    const int64_t own = WK_STAGE_ELEMENTS / w->inner, chunk = w->chunk > 0 ? w->chunk : own > 64 ? own : 64;
    if (w->n < 2 * chunk) {
        const int64_t n = w->n > 0 ? w->n : 1;
        const wk_stage only = {.whole = w, .x = w->x, .y = w->y, .columns = {w->n, w->inner, n}};
        wk_parallel(range, &only, results, n);
        return;
    }
    const int64_t chunks = (w->n + chunk - 1) / chunk;
    real *parts = queue->scratch(queue, (size_t)(results * chunks) * sizeof *parts);
    if (!parts)
        return;
    const wk_stage first = {.whole = w, .x = w->x, .y = parts, .columns = {w->n, w->inner, chunk}, .first = true};
    const wk_stage second = {.whole = w, .x = parts, .y = w->y, .columns = {chunks, w->inner, chunks}, .second = true};
    wk_parallel(range, &first, results * chunks, chunk);
    wk_parallel(range, &second, results, chunks);
}

#endif
