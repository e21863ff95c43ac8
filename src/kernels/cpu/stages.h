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
    const void *x; // elements, or reals
    void *y;       // elements; reals in a first stage, or where the whole is wide
    wk_columns columns;
    bool first, second; // of two
    bool of_reals;      // x is reals: of a second stage, or converted
} wk_stage;

WK_INLINE bool wk_stage_reads_reals(const wk_stage *stage) { return sizeof(real) != sizeof(elem) && stage->of_reals; }
WK_INLINE bool wk_stage_writes_reals(const wk_stage *stage)
{
    return sizeof(real) != sizeof(elem) && (stage->first || stage->whole->wide);
}

/* number i of x, as it is stored, and as a first stage left it */
typedef real wk_load(const void *x, int64_t i);
WK_INLINE real wk_load_elem(const void *x, int64_t i) { return LOAD(((const elem *)x)[i]); }
WK_INLINE real wk_load_real(const void *x, int64_t i) { return ((const real *)x)[i]; }

WK_INLINE const void *wk_stage_x(const wk_stage *stage, int64_t offset)
{
    return (const char *)stage->x + (size_t)offset * (stage->of_reals ? sizeof(real) : sizeof(elem));
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

#if WK_IS_HALF
/* Short rows and narrow columns, in whose loops LOAD would convert number by number: neighbours in memory are converted
   together.  An item is a group: a whole row, or all columns of a chunk. */
typedef struct wk_narrow_stage {
    const wk_stage *stage;
    wk_kernel *range;
    real *memory; // (threads, room)
    int64_t room;
} wk_narrow_stage;

static void wk_narrow_range(const void *work, int64_t begin, int64_t end)
{
    const wk_narrow_stage *w = work;
    const int64_t inner = w->stage->columns.inner;
    real *numbers = w->memory + wk_parallel_thread() * w->room;
    for (int64_t group = begin, groups; group < end; group += groups) {
        const wk_stretch at = wk_stretch_at(&w->stage->columns, group * inner, INT64_MAX);
        groups = inner > 1 ? 1 : w->room / at.rows < end - group ? w->room / at.rows : end - group;
        const elem *from = (const elem *)w->stage->x + at.offset;
#pragma omp simd
        for (int64_t i = 0; i < groups * at.rows * inner; i++)
            numbers[i] = LOAD(from[i]);
        wk_stage piece = *w->stage;
        piece.x = numbers;
        piece.y = wk_stage_writes_reals(&piece) ? (void *)((real *)piece.y + group * inner)
                                                : (void *)((elem *)piece.y + group * inner);
        piece.columns = (wk_columns){at.rows, inner, at.rows};
        piece.of_reals = true;
        w->range(&piece, 0, groups * inner);
    }
}
#endif

/* over the items of a stage, of rows of n at most */
WK_INLINE void wk_stage_run(wk_kernel *range, wk_queue *queue, const wk_stage *stage, int64_t items, int64_t n)
{
#if WK_IS_HALF
    const int64_t inner = stage->columns.inner, group = n * inner;
    const bool narrow_columns = inner > 1 && inner < 16 && group <= 32768, short_rows = inner == 1 && n <= 256;
    if (stage->columns.n > 0 && !stage->of_reals && (narrow_columns || (short_rows && !stage->first))) {
        wk_narrow_stage narrow = {.stage = stage, .range = range, .room = inner == 1 ? 2048 : group};
        narrow.memory = queue->scratch(queue, (size_t)(wk_parallel_threads() * narrow.room) * sizeof(real));
        if (narrow.memory)
            wk_parallel(wk_narrow_range, &narrow, items / inner, group);
        return;
    }
#else
    (void)queue;
#endif
    wk_parallel(range, stage, items, n);
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
        wk_stage_run(range, queue, &only, results, n);
        return;
    }
    const int64_t chunks = (w->n + chunk - 1) / chunk;
    real *parts = queue->scratch(queue, (size_t)(results * chunks) * sizeof *parts);
    if (!parts)
        return;
    const wk_stage first = {.whole = w, .x = w->x, .y = parts, .columns = {w->n, w->inner, chunk}, .first = true};
    const wk_stage second = {.whole = w, .x = parts, .y = w->y, .columns = {chunks, w->inner, chunks}, .second = true,
                             .of_reals = true};
    wk_stage_run(range, queue, &first, results * chunks, chunk);
    wk_stage_run(range, queue, &second, results, chunks);
}

#endif
