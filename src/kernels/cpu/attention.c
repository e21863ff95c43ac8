/* attention: y = softmax(scale * q k^T + mask) v for each head, without ever holding a whole (L, S) matrix.

       q (B, H, L, D)   k (B, H / group, S, D)   v (B, H / group, S, Dv)   y (B, H, L, Dv)   lse (B, H, L)

   Each has strides of its own for batch, head and row (in that order), its last dim is contiguous: q, k and v may be
   views of one (B, L, 3, H, D), and y may be laid out as (B, L, H, Dv).  lse, each row's log of the sum of
   exponentials, is all that backward needs to make the probabilities again; a row that may look nowhere has lse -inf,
   output 0, gradients 0.

   Blocks of 128 rows meet blocks of 256 keys: products by gemm.h, the softmax carried from block to block by its
   running maximum and sum (Milakov and Gimelshein 2018, Dao et al. 2022).

   Backward, with p = exp(scale * q k^T + mask - lse) and delta = sum(dy * y) of each row:
       dv = p^T dy     ds = p * (dy v^T - delta)     dq = scale * ds k     dk = scale * ds^T q */
// compiled for: float
#include "../kernels.h"
#include "gemm.h"

enum { ROWS = WK_ATTENTION_ROWS, KEYS = 256 };

typedef struct head {
    const real *q, *k, *v;
    const char *mask; // of this head's first row, NULL if none
    int64_t mask_size;
} head;

static head find_head(const wk_attention_work *w, int64_t batch, int64_t h)
{
    head found = {.q = (const real *)w->q + batch * w->q_strides[0] + h * w->q_strides[1],
                  .k = (const real *)w->k + batch * w->k_strides[0] + h / w->group * w->k_strides[1],
                  .v = (const real *)w->v + batch * w->v_strides[0] + h / w->group * w->v_strides[1],
                  .mask_size = w->mask_is_bool ? 1 : (int64_t)sizeof(real)};
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
        if (w->mask_is_bool)
            for (int64_t j = 0; j < keys; j++)
                line[j] = from[j * step] ? line[j] : -INFINITY;
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

static void attend(const wk_attention_work *w, head h, int64_t row, int64_t rows, real *y, int64_t y_row, real *lse)
{
    _Alignas(64) real s[ROWS * KEYS];
    real max[ROWS], sum[ROWS];
    const int64_t visible = w->causal && row + rows < w->S ? row + rows : w->S;
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
                    y[i * y_row + d] *= shrink;
        }
        wk_gemm(rows, w->Dv, keys, 1, s, width, 1, h.v + key * w->v_strides[2], w->v_strides[2], 1, key > 0, y, y_row);
    }
    for (int64_t i = 0; i < rows; i++) {
        const real scale = sum[i] == 0 ? 0 : 1 / sum[i];
        for (int64_t d = 0; d < w->Dv; d++)
            y[i * y_row + d] = visible ? y[i * y_row + d] * scale : 0;
        lse[i] = max[i] + LOG(sum[i]);
    }
}

void KERNEL_NAME(attention)(const void *work, int64_t begin, int64_t end)
{
    const wk_attention_work *w = work;
    for (int64_t item = begin; item < end; item++) {
        const int64_t which = item / w->blocks, row = item % w->blocks * ROWS;
        const int64_t batch = which / w->heads, h = which % w->heads;
        attend(w, find_head(w, batch, h), row, w->L - row < ROWS ? w->L - row : ROWS,
               (real *)w->y + batch * w->y_strides[0] + h * w->y_strides[1] + row * w->y_strides[2], w->y_strides[2],
               (real *)w->lse + which * w->L + row);
    }
}

/* adds one head of q to its dq (beta 0 for its first keys) and to dk and dv of the head it reads */
static void attend_backward(const wk_attention_backward_work *w, int64_t batch, int64_t query_head, bool first)
{
    const wk_attention_work *f = &w->forward;
    const head h = find_head(f, batch, query_head);
    const int64_t kv_head = query_head / f->group;
    const int64_t y_row = f->y_strides[2], dy_row = w->dy_strides[2], dq_row = w->dq_strides[2];
    const real *y = (const real *)f->y + batch * f->y_strides[0] + query_head * f->y_strides[1];
    const real *dy = (const real *)w->dy + batch * w->dy_strides[0] + query_head * w->dy_strides[1];
    const real *lse = (const real *)f->lse + (batch * f->heads + query_head) * f->L;
    real *dq = (real *)w->dq + batch * w->dq_strides[0] + query_head * w->dq_strides[1];
    real *dk = (real *)w->dk + batch * w->dk_strides[0] + kv_head * w->dk_strides[1];
    real *dv = (real *)w->dv + batch * w->dv_strides[0] + kv_head * w->dv_strides[1];
    _Alignas(64) real p[ROWS * KEYS], ds[ROWS * KEYS];
    real delta[ROWS];

    for (int64_t s = 0; first && f->L == 0 && s < f->S; s++) {
        memset(dk + s * w->dk_strides[2], 0, (size_t)f->D * sizeof(real));
        memset(dv + s * w->dv_strides[2], 0, (size_t)f->Dv * sizeof(real));
    }
    for (int64_t i = 0; f->S == 0 && i < f->L; i++)
        memset(dq + i * dq_row, 0, (size_t)f->D * sizeof(real));
    for (int64_t row = 0; row < f->L; row += ROWS) {
        const int64_t rows = f->L - row < ROWS ? f->L - row : ROWS;
        for (int64_t i = 0; i < rows; i++) {
            const real *dy_line = dy + (row + i) * dy_row, *y_line = y + (row + i) * y_row;
            real sum = 0;
#pragma omp simd reduction(+ : sum)
            for (int64_t d = 0; d < f->Dv; d++)
                sum += dy_line[d] * y_line[d];
            delta[i] = sum;
        }
        /* the first rows visit every key, for dk and dv to be written */
        const int64_t visible = f->causal && row > 0 && row + rows < f->S ? row + rows : f->S;
        for (int64_t key = 0; key < visible; key += KEYS) {
            const int64_t keys = f->S - key < KEYS ? f->S - key : KEYS, width = round_up_to_lanes(keys);
            const int64_t k_row = f->k_strides[2], v_row = f->v_strides[2];
            const real scale = (real)f->scale, more = first && row == 0 ? 0 : 1;
            scores(f, h, row, rows, key, keys, p);
            wk_gemm(rows, keys, f->Dv, 1, dy + row * dy_row, dy_row, 1, h.v + key * v_row, 1, v_row, 0, ds, width);
            for (int64_t i = 0; i < rows; i++) {
                real *p_line = p + i * width, *ds_line = ds + i * width;
                const real shift = lse[row + i] == -INFINITY ? INFINITY : lse[row + i];
                for (int64_t j = keys; j < width; j++)
                    ds_line[j] = 0;
#pragma omp simd
                for (int64_t j = 0; j < width; j++) {
                    p_line[j] = EXP(p_line[j] - shift);
                    ds_line[j] = p_line[j] * (ds_line[j] - delta[i]);
                }
            }
            wk_gemm(keys, f->Dv, rows, 1, p, 1, width, dy + row * dy_row, dy_row, 1, more, dv + key * w->dv_strides[2],
                    w->dv_strides[2]);
            wk_gemm(keys, f->D, rows, scale, ds, 1, width, h.q + row * f->q_strides[2], f->q_strides[2], 1, more,
                    dk + key * w->dk_strides[2], w->dk_strides[2]);
            wk_gemm(rows, f->D, keys, scale, ds, width, 1, h.k + key * k_row, k_row, 1, key > 0, dq + row * dq_row,
                    dq_row);
        }
    }
}

void KERNEL_NAME(attention_backward)(const void *work, int64_t begin, int64_t end)
{
    const wk_attention_backward_work *w = work;
    const int64_t kv_heads = w->forward.heads / w->forward.group;
    for (int64_t item = begin; item < end; item++)
        for (int64_t member = 0; member < w->forward.group; member++)
            attend_backward(w, item / kv_heads, item % kv_heads * w->forward.group + member, member == 0);
}
