/* attention: y = softmax(scale * q k^T + mask) v for each head, without ever holding a whole (L, S) matrix.

       q (B, H, L, D)   k (B, H / group, S, D)   v (B, H / group, S, Dv)   y (B, H, L, Dv)   lse (B, H, L)

   Each has strides of its own for batch, head and row (in that order), its last dim is contiguous: q, k and v may be
   views of one (B, L, 3, H, D), and y may be laid out as (B, L, H, Dv).  lse, each row's log of the sum of
   exponentials, is all that backward needs to make the probabilities again; a row that may look nowhere has lse -inf,
   output 0, gradients 0.

   Blocks of 128 rows meet blocks of 256 keys: products by gemm.h, the softmax carried from block to block by its
   running maximum and sum (Milakov and Gimelshein 2018, Dao et al. 2022).

   Backward, with p = exp(scale * q k^T + mask - lse) and delta = sum(dy * y) of each row:
       dv = p^T dy     ds = p * (dy v^T - delta)     dq = scale * ds k     dk = scale * ds^T q

   Dropout's numbers are the generator's next, two words for each score in the order of (B, H, L, S).  They are not
   kept: forward goes through them once and leaves a mark for each block of rows, from which whoever needs a block's
   numbers draws them again (2.5 KB for 128 S scores).

   The gradient of an added mask is ds, summed where the mask was repeated; another pass makes it, whose items are
   blocks of the mask, since many heads may write one.

   Of halves, scores, softmax and sums are float, and results are rounded once, at the end; p and ds only for products
   of bfloat16, as in PyTorch. */
// compiled for: float half
#include "../attention.h"
#include "../random.h"
#include "gemm.h"

enum { ROWS = WK_ATTENTION_ROWS, KEYS = 256, ROUNDS = sizeof(elem) < sizeof(real) };

typedef struct head {
    const elem *q, *k, *v;
    const char *mask; // of this head's first row, NULL if none
    int64_t mask_size;
} head;

/* a head's first element */
static elem *head_of(const void *x, const int64_t *strides, int64_t batch, int64_t h)
{
    return (elem *)x + batch * strides[0] + h * strides[1];
}

static head find_head(const wk_attention_work *w, int64_t batch, int64_t h)
{
    head found = {.q = head_of(w->q, w->q_strides, batch, h),
                  .k = head_of(w->k, w->k_strides, batch, h / w->group),
                  .v = head_of(w->v, w->v_strides, batch, h / w->group),
                  .mask_size = w->mask_dtype == wk_bool       ? 1
                               : w->mask_dtype == WK_DTYPE_ID ? (int64_t)sizeof(elem)
                                                              : (int64_t)sizeof(real)};
    if (w->mask)
        found.mask = (const char *)w->mask + (batch * w->mask_strides[0] + h * w->mask_strides[1]) * found.mask_size;
    return found;
}

/* s (rows, width) = scale * q k^T + mask, for the rows from `row` on and the keys from `key` on; s is as wide as full
   vectors, -inf where there is no key */
static void scores(const wk_attention_work *w, head h, int64_t row, int64_t rows, int64_t key, int64_t keys, real *s)
{
    const int64_t width = round_up_to_lanes(keys);
    wk_gemm(rows, keys, w->D, (real)w->scale, h.q + row * w->q_strides[2], w->q_strides[2], 1,
            h.k + key * w->k_strides[2], 1, w->k_strides[2], 0, s, width);
    for (int64_t i = 0; i < rows; i++) {
        real *line = s + i * width;
        for (int64_t j = keys; j < width; j++)
            line[j] = -INFINITY;
        for (int64_t j = w->causal && row + i + 1 > key ? row + i + 1 - key : w->causal ? 0 : keys; j < keys; j++)
            line[j] = -INFINITY;
        if (!h.mask)
            continue;
        const int64_t step = w->mask_strides[3];
        const char *from = h.mask + ((row + i) * w->mask_strides[2] + key * step) * h.mask_size;
        if (w->mask_dtype == wk_bool)
            for (int64_t j = 0; j < keys; j++)
                line[j] = from[j * step] ? line[j] : -INFINITY;
        else if (w->mask_dtype == WK_DTYPE_ID)
            for (int64_t j = 0; j < keys; j++)
                line[j] += LOAD(((const elem *)from)[j * step]);
        else
            for (int64_t j = 0; j < keys; j++)
                line[j] += ((const real *)from)[j * step];
    }
}

static inline real line_max(const real *line, int64_t width)
{
    real max = -INFINITY;
#pragma omp simd reduction(max : max)
    for (int64_t j = 0; j < width; j++)
        max = line[j] > max ? line[j] : max;
    return max;
}

/* line = exp(line - shift), and its sum */
static inline real line_exp(real *line, int64_t width, real shift)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < width; j++)
        sum += line[j] = EXP(line[j] - shift);
    return sum;
}

/* ---------------------------------------------------------------- halves */

/* where rows of a result are summed: in place, or in a thread's own memory, from which halves are then rounded */
typedef struct sums {
    real *x;
    int64_t row; // stride
    elem *result;
    int64_t result_row;
} sums;

/* own: a thread's memory of halves, and where in it these sums lie, dense rows of `width` */
static sums sums_of(elem *result, int64_t result_row, real *own, int64_t offset, int64_t width)
{
    return (sums){ROUNDS ? own + offset : (real *)result, ROUNDS ? width : result_row, result, result_row};
}

static void store_sums(sums from, int64_t rows, int64_t width)
{
    for (int64_t i = 0; ROUNDS && i < rows; i++) {
        const real *line = from.x + i * from.row;
        elem *to = from.result + i * from.result_row;
#pragma omp simd
        for (int64_t d = 0; d < width; d++)
            to[d] = STORE(line[d]);
    }
}

/* ---------------------------------------------------------------- dropout */

static int64_t blocks_of(const wk_attention_work *w) { return (w->L + ROWS - 1) / ROWS; }
static int64_t rows_at(const wk_attention_work *w, int64_t row) { return w->L - row < ROWS ? w->L - row : ROWS; }

/* goes through the numbers of all scores, and marks where each block's begin */
static void mark_blocks(const wk_attention_work *w)
{
    uint32_t *mark = w->marks;
    wk_generator_lock(w->generator);
    for (int64_t head = 0; head < w->batch * w->heads; head++)
        for (int64_t row = 0; row < w->L; row += ROWS, mark += WK_TWISTER_MARK) {
            wk_generator_mark(w->generator, mark);
            wk_random_skip(w->generator, 2 * rows_at(w, row) * w->S);
        }
    wk_generator_unlock(w->generator);
}

/* which scores stay, of a block of rows: (rows, S) */
static void draw_block(const wk_attention_work *w, int64_t which, int64_t row, uint8_t *stays)
{
    enum { CHUNK = 512 };
    uint32_t words[2 * CHUNK];
    wk_generator own;
    const int64_t count = rows_at(w, row) * w->S;
    wk_generator_from_mark(&own, (const uint32_t *)w->marks + (which * blocks_of(w) + row / ROWS) * WK_TWISTER_MARK);
    for (int64_t begin = 0; begin < count; begin += CHUNK) {
        const int64_t here = count - begin < CHUNK ? count - begin : CHUNK;
        wk_random_words(&own, words, 2 * here);
        for (int64_t i = 0; i < here; i++)
            stays[begin + i] = wk_unit_of_words(words + 2 * i) < w->keep;
    }
}

static real kept_scale(const wk_attention_work *w) { return w->keep > 0 ? (real)(1 / w->keep) : 0; }

/* memory for what stays of a block, for each thread; true where none is needed */
static bool room_for_draws(wk_queue *queue, const wk_attention_work *w, uint8_t **stays)
{
    *stays = NULL;
    if (!w->drops)
        return true;
    *stays = queue->scratch(queue, (size_t)(wk_parallel_threads() * ROWS * w->S + 1));
    return *stays != NULL;
}

/* this thread's part, drawn; NULL where nothing is dropped */
static const uint8_t *drawn(const wk_attention_work *w, uint8_t *stays, int64_t which, int64_t row)
{
    if (!stays)
        return NULL;
    stays += wk_parallel_thread() * ROWS * w->S;
    draw_block(w, which, row, stays);
    return stays;
}

/* ---------------------------------------------------------------- attention */

typedef struct forward {
    const wk_attention_work *w;
    int64_t blocks; // of rows, for a head
    real *memory;   // of halves: (threads, ROWS, Dv)
    uint8_t *stays; // of dropout: (threads, ROWS, S)
} forward;

static void attend(const wk_attention_work *w, head h, int64_t row, int64_t rows, const uint8_t *stays, sums y,
                   real *lse)
{
    _Alignas(64) real s[ROWS * KEYS];
    real max[ROWS], sum[ROWS];
    const int64_t visible = w->causal && row + rows < w->S ? row + rows : w->S;
    const real kept = kept_scale(w);
    for (int64_t i = 0; i < rows; i++) {
        max[i] = -INFINITY;
        sum[i] = 0;
    }
    for (int64_t key = 0; key < visible; key += KEYS) {
        const int64_t keys = visible - key < KEYS ? visible - key : KEYS, width = round_up_to_lanes(keys);
        scores(w, h, row, rows, key, keys, s);
        for (int64_t i = 0; i < rows; i++) {
            const real here = line_max(s + i * width, width), top = here > max[i] ? here : max[i];
            /* a line of -inf alone: exp(-inf - 0) is 0; a NaN among its numbers stays one */
            const real add = line_exp(s + i * width, width, top == -INFINITY ? 0 : top);
            const real shrink = max[i] == -INFINITY ? 0 : EXP(max[i] - top);
            sum[i] = sum[i] * shrink + add;
            max[i] = top;
            if (key > 0 && shrink != 1)
                for (int64_t d = 0; d < w->Dv; d++)
                    y.x[i * y.row + d] *= shrink;
            for (int64_t j = 0; stays && j < keys; j++)
                s[i * width + j] *= stays[i * w->S + key + j] ? kept : 0;
        }
        wk_gemm_of_reals(rows, w->Dv, keys, 1, s, width, 1, h.v + key * w->v_strides[2], w->v_strides[2], 1, key > 0,
                         y.x, y.row);
    }
    for (int64_t i = 0; i < rows; i++) {
        const real scale = sum[i] == 0 ? 0 : 1 / sum[i];
        for (int64_t d = 0; d < w->Dv; d++)
            y.x[i * y.row + d] = visible ? y.x[i * y.row + d] * scale : 0;
        lse[i] = max[i] + LOG(sum[i]);
    }
    store_sums(y, rows, w->Dv);
}

static void attention_blocks(const void *work, int64_t begin, int64_t end)
{
    const forward *f = work;
    const wk_attention_work *w = f->w;
    const int64_t own = wk_parallel_thread() * ROWS * w->Dv;
    for (int64_t item = begin; item < end; item++) {
        const int64_t which = item / f->blocks, row = item % f->blocks * ROWS;
        const int64_t batch = which / w->heads, h = which % w->heads, y_row = w->y_strides[2];
        attend(w, find_head(w, batch, h), row, rows_at(w, row), drawn(w, f->stays, which, row),
               sums_of(head_of(w->y, w->y_strides, batch, h) + row * y_row, y_row, f->memory, own, w->Dv),
               (real *)w->lse + which * w->L + row);
    }
}

/* An exponential costs about 16 multiply-adds; 64 of those make what wk_parallel counts as 1. */
static int64_t cost_of(const wk_attention_work *w, int64_t rows, int64_t products)
{
    return rows * w->S * (products * (w->D + w->Dv) + 16) / 64 + 1;
}

/* One query of each of a group of heads that read one: the group's heads become rows, and keys are read once. */
static wk_attention_work heads_as_rows(const wk_attention_work *w)
{
    wk_attention_work as = *w;
    as.heads = w->heads / w->group, as.L = w->group, as.group = 1;
    as.q_strides[2] = w->q_strides[1], as.q_strides[1] *= w->group;
    as.y_strides[2] = w->y_strides[1], as.y_strides[1] *= w->group;
    as.mask_strides[2] = w->mask_strides[1], as.mask_strides[1] *= w->group;
    return as;
}

WK_KERNEL(attention, wk_attention_work)
{
    wk_attention_work grouped;
    if (w->L == 1 && w->group > 1 && !w->causal && !w->drops) {
        grouped = heads_as_rows(w);
        w = &grouped;
    }
    forward f = {.w = w, .blocks = blocks_of(w)};
    if (ROUNDS && !(f.memory = queue->scratch(queue, (size_t)(wk_parallel_threads() * ROWS * w->Dv) * sizeof(real))))
        return;
    if (!room_for_draws(queue, w, &f.stays))
        return;
    if (w->drops)
        mark_blocks(w);
    wk_parallel(attention_blocks, &f, w->batch * w->heads * f.blocks, cost_of(w, w->L < ROWS ? w->L : ROWS, 1));
}

/* what dropout multiplies each score by, for the gradient's gradient: y is (batch, heads, L, S), reals */
static void dropout_blocks(const void *work, int64_t begin, int64_t end)
{
    const forward *f = work;
    const wk_attention_work *w = f->w;
    for (int64_t item = begin; item < end; item++) {
        const int64_t which = item / f->blocks, row = item % f->blocks * ROWS, count = rows_at(w, row) * w->S;
        const uint8_t *stays = drawn(w, f->stays, which, row);
        real *y = (real *)w->y + (which * w->L + row) * w->S;
        for (int64_t i = 0; i < count; i++)
            y[i] = stays[i] ? kept_scale(w) : 0;
    }
}

WK_KERNEL(attention_dropout, wk_attention_work)
{
    forward f = {.w = w, .blocks = blocks_of(w)};
    if (room_for_draws(queue, w, &f.stays))
        wk_parallel(dropout_blocks, &f, w->batch * w->heads * f.blocks, ROWS * w->S);
}

/* ---------------------------------------------------------------- backward */

typedef struct backward {
    const wk_attention_backward_work *w;
    int64_t own;    // reals of memory for a thread, of halves: dk, dv, and a block of dq
    real *memory;   // (threads, own)
    uint8_t *stays; // of dropout: (threads, ROWS, S)
} backward;

/* a block of rows of one head of q */
typedef struct block {
    head h;
    int64_t row, rows, dy_row;
    const elem *dy;
    const real *lse;
    const uint8_t *stays;
    real delta[ROWS];
} block;

static void find_block(const backward *b, int64_t batch, int64_t query_head, int64_t row, block *of)
{
    const wk_attention_backward_work *w = b->w;
    const wk_attention_work *f = &w->forward;
    const int64_t y_row = f->y_strides[2], dy_row = w->dy_strides[2], which = batch * f->heads + query_head;
    const elem *y = head_of(f->y, f->y_strides, batch, query_head) + row * y_row;
    of->h = find_head(f, batch, query_head);
    of->row = row, of->rows = rows_at(f, row), of->dy_row = dy_row;
    of->dy = head_of(w->dy, w->dy_strides, batch, query_head) + row * dy_row;
    of->lse = (const real *)f->lse + which * f->L + row;
    of->stays = drawn(f, b->stays, which, row);
    for (int64_t i = 0; i < of->rows; i++) {
        const elem *dy_line = of->dy + i * dy_row, *y_line = y + i * y_row;
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t d = 0; d < f->Dv; d++)
            sum += LOAD(dy_line[d]) * LOAD(y_line[d]);
        of->delta[i] = sum;
    }
}

/* p: the probabilities, as dropout left them; ds: the gradient of the scores; (rows, keys), as wide as full vectors */
static void gradient_of_scores(const wk_attention_work *f, const block *of, int64_t key, int64_t keys, real *p,
                               real *ds)
{
    const int64_t width = round_up_to_lanes(keys), v_row = f->v_strides[2];
    const real kept = kept_scale(f);
    scores(f, of->h, of->row, of->rows, key, keys, p);
    wk_gemm(of->rows, keys, f->Dv, 1, of->dy, of->dy_row, 1, of->h.v + key * v_row, 1, v_row, 0, ds, width);
    for (int64_t i = 0; i < of->rows; i++) {
        real *p_line = p + i * width, *ds_line = ds + i * width;
        const real shift = of->lse[i] == -INFINITY ? INFINITY : of->lse[i], delta = of->delta[i];
        const uint8_t *stays = of->stays ? of->stays + i * f->S + key : NULL;
        for (int64_t j = keys; j < width; j++)
            ds_line[j] = 0;
        for (int64_t j = 0; stays && j < keys; j++)
            ds_line[j] *= stays[j] ? kept : 0;
#pragma omp simd
        for (int64_t j = 0; j < width; j++) {
            p_line[j] = EXP(p_line[j] - shift);
            ds_line[j] = p_line[j] * (ds_line[j] - delta);
        }
        for (int64_t j = 0; stays && j < keys; j++)
            p_line[j] *= stays[j] ? kept : 0;
    }
}

/* adds one head of q to its dq (beta 0 for its first keys) and to dk and dv of the head it reads */
static void attend_backward(const backward *b, int64_t batch, int64_t query_head, bool first, sums dk, sums dv,
                            int64_t dq_offset)
{
    const wk_attention_backward_work *w = b->w;
    const wk_attention_work *f = &w->forward;
    const int64_t dq_row = w->dq_strides[2];
    elem *dq_head = head_of(w->dq, w->dq_strides, batch, query_head);
    _Alignas(64) real p[ROWS * KEYS], ds[ROWS * KEYS];
    block of;

    for (int64_t s = 0; first && f->L == 0 && s < f->S; s++) {
        memset(dk.x + s * dk.row, 0, (size_t)f->D * sizeof(real));
        memset(dv.x + s * dv.row, 0, (size_t)f->Dv * sizeof(real));
    }
    for (int64_t i = 0; f->S == 0 && i < f->L; i++)
        memset(dq_head + i * dq_row, 0, (size_t)f->D * sizeof(elem));
    for (int64_t row = 0; row < f->L; row += ROWS) {
        find_block(b, batch, query_head, row, &of);
        const int64_t rows = of.rows;
        const sums dq = sums_of(dq_head + row * dq_row, dq_row, b->memory, dq_offset, f->D);
        /* the first rows visit every key, for dk and dv to be written */
        const int64_t visible = f->causal && row > 0 && row + rows < f->S ? row + rows : f->S;
        for (int64_t key = 0; key < visible; key += KEYS) {
            const int64_t keys = f->S - key < KEYS ? f->S - key : KEYS, width = round_up_to_lanes(keys);
            const int64_t k_row = f->k_strides[2];
            const real scale = (real)f->scale, more = first && row == 0 ? 0 : 1;
            gradient_of_scores(f, &of, key, keys, p, ds);
            wk_gemm_of_reals(keys, f->Dv, rows, 1, p, 1, width, of.dy, of.dy_row, 1, more, dv.x + key * dv.row, dv.row);
            wk_gemm_of_reals(keys, f->D, rows, scale, ds, 1, width, of.h.q + row * f->q_strides[2], f->q_strides[2], 1,
                             more, dk.x + key * dk.row, dk.row);
            wk_gemm_of_reals(rows, f->D, keys, scale, ds, width, 1, of.h.k + key * k_row, k_row, 1, key > 0, dq.x,
                             dq.row);
        }
        if (visible > 0)
            store_sums(dq, rows, f->D);
    }
}

/* an item is a head of k and v, with the heads of q that read it */
static void attention_backward_heads(const void *work, int64_t begin, int64_t end)
{
    const backward *b = work;
    const wk_attention_backward_work *w = b->w;
    const wk_attention_work *f = &w->forward;
    const int64_t kv_heads = f->heads / f->group;
    const int64_t dk_at = wk_parallel_thread() * b->own, dv_at = dk_at + f->S * f->D, dq_at = dv_at + f->S * f->Dv;
    for (int64_t item = begin; item < end; item++) {
        const int64_t batch = item / kv_heads, h = item % kv_heads;
        const sums dk = sums_of(head_of(w->dk, w->dk_strides, batch, h), w->dk_strides[2], b->memory, dk_at, f->D);
        const sums dv = sums_of(head_of(w->dv, w->dv_strides, batch, h), w->dv_strides[2], b->memory, dv_at, f->Dv);
        for (int64_t member = 0; member < f->group; member++)
            attend_backward(b, batch, h * f->group + member, member == 0, dk, dv, dq_at);
        store_sums(dk, f->S, f->D);
        store_sums(dv, f->S, f->Dv);
    }
}

/* ---------------------------------------------------------------- the mask's gradient */

/* adds a block's ds to the mask's rows from `line` on; steps: of a row and of a key, 0 where the mask repeats */
static void add_block(const wk_attention_work *f, const block *of, real *line, int64_t row_step, int64_t key_step)
{
    _Alignas(64) real p[ROWS * KEYS], ds[ROWS * KEYS];
    for (int64_t key = 0; key < f->S; key += KEYS) {
        const int64_t keys = f->S - key < KEYS ? f->S - key : KEYS, width = round_up_to_lanes(keys);
        gradient_of_scores(f, of, key, keys, p, ds);
        for (int64_t i = 0; i < of->rows; i++)
            for (int64_t j = 0; j < keys; j++)
                line[i * row_step + (key + j) * key_step] += ds[i * width + j];
    }
}

/* an item is a block of rows of the mask, of one of its heads; the heads that read it come one after another */
static void mask_blocks(const void *work, int64_t begin, int64_t end)
{
    const backward *b = work;
    const wk_attention_backward_work *w = b->w;
    const wk_attention_work *f = &w->forward;
    const int64_t *shape = w->mask_shape, blocks = shape[2] > 1 ? blocks_of(f) : 1;
    const bool rows_differ = shape[2] > 1;
    block of;
    for (int64_t item = begin; item < end; item++) {
        const int64_t which = item / blocks, first_row = item % blocks * ROWS;
        const int64_t last_row = rows_differ ? first_row + rows_at(f, first_row) : f->L;
        const int64_t lines = rows_differ ? last_row - first_row : shape[2];
        real *line = (real *)w->dmask + (which * shape[2] + first_row) * shape[3];
        memset(line, 0, (size_t)(lines * shape[3]) * sizeof *line);
        for (int64_t batch = 0; batch < f->batch; batch++)
            for (int64_t h = 0; h < f->heads; h++)
                for (int64_t row = first_row; row < last_row; row += ROWS) {
                    if ((shape[0] > 1 && batch != which / shape[1]) || (shape[1] > 1 && h != which % shape[1]))
                        break;
                    find_block(b, batch, h, row, &of);
                    add_block(f, &of, line, rows_differ ? shape[3] : 0, shape[3] > 1);
                }
    }
}

WK_KERNEL(attention_backward, wk_attention_backward_work)
{
    const wk_attention_work *f = &w->forward;
    backward b = {.w = w, .own = f->S * (f->D + f->Dv) + ROWS * f->D};
    if (ROUNDS && !(b.memory = queue->scratch(queue, (size_t)(wk_parallel_threads() * b.own) * sizeof(real))))
        return;
    if (!room_for_draws(queue, f, &b.stays))
        return;
    wk_parallel(attention_backward_heads, &b, f->batch * (f->heads / f->group), f->group * cost_of(f, f->L, 3));
    if (!w->dmask)
        return;
    const int64_t *shape = w->mask_shape, blocks = shape[2] > 1 ? blocks_of(f) : 1;
    wk_parallel(mask_blocks, &b, shape[0] * shape[1] * blocks, cost_of(f, ROWS, 2));
}
