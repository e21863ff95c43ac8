/* Attention on plain arrays against its definition: causal and masked, query and key lengths that differ, a value width
   of its own, several query heads to a key head, rows that may look nowhere, blocks and their edges, results laid out
   as (B, L, H, D); gradients against finite differences' exact counterpart, the softmax written out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

#include "core/element.h"
#include "core/run.h"
#include "kernels/attention.h"

typedef struct attention_case {
    int64_t B, H, group, L, S, D, Dv;
    bool causal;
    int mask; // 0 none, 1 bool, 2 additive
} attention_case;

typedef struct arrays {
    double *q, *k, *v, *dy, *y, *dq, *dk, *dv, *mask;
} arrays;

static double *numbers(int64_t count, bool random)
{
    double *x = calloc((size_t)count + 1, sizeof *x);
    for (int64_t i = 0; random && i < count; i++)
        x[i] = (double)(rand() % 2001 - 1000) / 700;
    return x;
}

/* q (B, H, L, D), k and v (B, H / group, S, .), all dense; mask (B, H, L, S) is added */
static void by_definition(attention_case c, double scale, arrays a)
{
    double *p = numbers(c.S, false), *dp = numbers(c.S, false);
    for (int64_t head = 0; head < c.B * c.H; head++)
        for (int64_t i = 0; i < c.L; i++) {
            const int64_t row = head * c.L + i, kv = (head / c.H * (c.H / c.group) + head % c.H / c.group) * c.S;
            double max = -INFINITY, sum = 0, delta = 0;
            for (int64_t j = 0; j < c.S; j++) {
                p[j] = a.mask[row * c.S + j];
                for (int64_t d = 0; d < c.D; d++)
                    p[j] += scale * a.q[row * c.D + d] * a.k[(kv + j) * c.D + d];
                if (c.causal && j > i)
                    p[j] = -INFINITY;
                max = fmax(max, p[j]);
            }
            for (int64_t j = 0; j < c.S; j++)
                sum += p[j] = p[j] == -INFINITY ? 0 : exp(p[j] - max);
            for (int64_t j = 0; j < c.S; j++) {
                p[j] = sum == 0 ? 0 : p[j] / sum;
                dp[j] = 0;
                for (int64_t d = 0; d < c.Dv; d++) {
                    a.y[row * c.Dv + d] += p[j] * a.v[(kv + j) * c.Dv + d];
                    a.dv[(kv + j) * c.Dv + d] += p[j] * a.dy[row * c.Dv + d];
                    dp[j] += a.v[(kv + j) * c.Dv + d] * a.dy[row * c.Dv + d];
                }
                delta += p[j] * dp[j];
            }
            for (int64_t j = 0; j < c.S; j++)
                for (int64_t d = 0; d < c.D; d++) {
                    const double ds = scale * p[j] * (dp[j] - delta);
                    a.dq[row * c.D + d] += ds * a.k[(kv + j) * c.D + d];
                    a.dk[(kv + j) * c.D + d] += ds * a.q[row * c.D + d];
                }
        }
    free(p), free(dp);
}

/* the numbers in a dtype; x becomes what that dtype holds */
static void *narrowed(double *x, int64_t count, wk_dtype dtype)
{
    void *y = malloc((size_t)(count + 1) * 8);
    for (int64_t i = 0; i < count; i++) {
        wk_store_floating(dtype, y, i, x[i]);
        x[i] = wk_load_floating(dtype, y, i);
    }
    return y;
}

/* halves round the probabilities that results are sums of */
static void compare(const char *what, const void *got, const double *expected, int64_t count, wk_dtype dtype)
{
    const double tolerance = dtype == wk_float64   ? 1e-12
                             : dtype == wk_float32 ? 2e-5
                             : dtype == wk_float16 ? 4e-3
                                                   : 3e-2;
    for (int64_t i = 0; i < count; i++) {
        const double x = wk_load_floating(dtype, got, i);
        if (!(fabs(x - expected[i]) <= tolerance * (1 + fabs(expected[i]))))
            fail_msg("%s: %s[%lld] is %.9g, expected %.9g", wk_dtype_name(dtype), what, (long long)i, x, expected[i]);
    }
}

static void set_strides(int64_t *strides, int64_t heads, int64_t rows, int64_t width)
{
    strides[0] = heads * rows * width, strides[1] = rows * width, strides[2] = width;
}

static void check(attention_case c, wk_dtype dtype)
{
    const int64_t kv_heads = c.H / c.group, scores = c.B * c.H * c.L * c.S;
    const int64_t q_size = c.B * c.H * c.L * c.D, k_size = c.B * kv_heads * c.S * c.D;
    const int64_t v_size = c.B * kv_heads * c.S * c.Dv, y_size = c.B * c.H * c.L * c.Dv;
    arrays a = {numbers(q_size, true),  numbers(k_size, true),  numbers(v_size, true),
                numbers(y_size, true),  numbers(y_size, false), numbers(q_size, false),
                numbers(k_size, false), numbers(v_size, false), numbers(scores, c.mask == 2)};
    char *bools = malloc((size_t)scores + 1);
    for (int64_t i = 0; i < scores; i++) {
        bools[i] = rand() % 3 != 0 && i / (c.S ? c.S : 1) % 5 != 1; // each fifth row looks nowhere
        if (c.mask == 1)
            a.mask[i] = bools[i] ? 0 : -INFINITY;
        else if (c.mask == 2 && i / c.S % 7 == 2)
            a.mask[i] = -INFINITY;
    }
    const double scale = 0.3;
    void *q = narrowed(a.q, q_size, dtype), *k = narrowed(a.k, k_size, dtype), *v = narrowed(a.v, v_size, dtype);
    void *dy = narrowed(a.dy, y_size, dtype), *mask = narrowed(a.mask, scores, dtype);
    by_definition(c, scale, a);
    void *y = malloc((size_t)y_size * 8 + 8), *dq = malloc((size_t)q_size * 8 + 8),
         *dk = malloc((size_t)k_size * 8 + 8);
    void *dv = malloc((size_t)v_size * 8 + 8), *lse = malloc((size_t)(c.B * c.H * c.L) * 8 + 8);
    memset(y, 255, (size_t)y_size * 8), memset(dq, 255, (size_t)q_size * 8); // NaN
    memset(dk, 255, (size_t)k_size * 8), memset(dv, 255, (size_t)v_size * 8);
    wk_attention_work work = {.q = q, .k = k, .v = v, .mask = c.mask == 1 ? (void *)bools : c.mask ? mask : NULL};
    work.y = y, work.lse = lse, work.batch = c.B, work.heads = c.H, work.group = c.group;
    work.L = c.L, work.S = c.S, work.D = c.D, work.Dv = c.Dv, work.scale = scale, work.causal = c.causal;
    work.mask_dtype = c.mask == 1 ? wk_bool : dtype;
    set_strides(work.q_strides, c.H, c.L, c.D), set_strides(work.k_strides, kv_heads, c.S, c.D);
    set_strides(work.v_strides, kv_heads, c.S, c.Dv), set_strides(work.y_strides, c.H, c.L, c.Dv);
    set_strides(work.mask_strides, c.H, c.L, c.S);
    work.mask_strides[3] = 1;
    assert_true(wk_run_on("attention", wk_cpu, dtype, attention, &work));
    compare("y", y, a.y, y_size, dtype);

    wk_attention_backward_work backward = {.forward = work, .dy = dy, .dq = dq, .dk = dk, .dv = dv};
    memcpy(backward.dy_strides, work.y_strides, sizeof backward.dy_strides);
    memcpy(backward.dq_strides, work.q_strides, sizeof backward.dq_strides);
    memcpy(backward.dk_strides, work.k_strides, sizeof backward.dk_strides);
    memcpy(backward.dv_strides, work.v_strides, sizeof backward.dv_strides);
    assert_true(wk_run_on("attention", wk_cpu, dtype, attention_backward, &backward));
    compare("dq", dq, a.dq, q_size, dtype);
    compare("dk", dk, a.dk, k_size, dtype);
    compare("dv", dv, a.dv, v_size, dtype);
    free(a.q), free(a.k), free(a.v), free(a.dy), free(a.y), free(a.dq), free(a.dk), free(a.dv), free(a.mask);
    free(bools), free(q), free(k), free(v), free(dy), free(mask), free(y), free(dq), free(dk), free(dv), free(lse);
}

static void small(void **state)
{
    (void)state;
    const int64_t lengths[][2] = {{1, 1}, {16, 16}, {17, 17}, {5, 33}, {33, 5}, {13, 1}, {1, 40}, {0, 3}, {3, 0}};
    const int64_t widths[][2] = {{24, 24}, {1, 1}, {16, 16}, {7, 33}, {40, 8}};
    for (int length = 0; length < 9; length++)
        for (int width = 0; width < 5; width++)
            for (int mask = 0; mask < 3; mask++)
                for (int causal = 0; causal < 2; causal++)
                    for (int dtype = wk_float16; dtype <= wk_float64; dtype++)
                        check((attention_case){2, 4, 1 + (mask == 2), lengths[length][0], lengths[length][1],
                                               widths[width][0], widths[width][1], causal, mask},
                              (wk_dtype)dtype);
}

static void blocks(void **state)
{
    (void)state;
    for (int mask = 0; mask < 3; mask++)
        for (int causal = 0; causal < 2; causal++) {
            for (int dtype = wk_float16; dtype <= wk_float32; dtype++) {
                check((attention_case){1, 2, 1, 130, 130, 32, 32, causal, mask}, (wk_dtype)dtype);
                check((attention_case){1, 2, 2, 70, 600, 24, 40, causal, mask}, (wk_dtype)dtype);
            }
            check((attention_case){1, 1, 1, 300, 257, 64, 64, causal, mask}, wk_float64);
        }
}

/* q, k and v as parts of one tensor: nothing is copied on the way there or back, and the gradient is that of copies */
static void of_one_tensor(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++)
        wk_scope
    {
        static float expected[2 * 5 * 3 * 12], got[2 * 5 * 3 * 12];
        wk_manual_seed(5);
        wk_tensor *qkv = wk_requires_grad_(wk_randn((2, 5, 36)), true), *q, *k, *v;
        wk_tensor *weight = wk_randn((2, 5, 12));
        wk_unbind(wk_permute(wk_reshape(qkv, (2, 5, 3, 3, 4)), (2, 0, 3, 1, 4)), (&q, &k, &v));
        if (copies)
            q = wk_clone(q), k = wk_mul(k, 1), v = wk_contiguous(v);
        wk_tensor *y = wk_flatten(wk_transpose(wk_scaled_dot_product_attention(q, k, v), 1, 2), 2);
        assert_true(wk_is_contiguous(y));
        wk_backward(wk_sum(wk_mul(y, weight)));
        wk_tolist(qkv->grad, copies ? expected : got);
        for (int i = 0; copies && i < 360; i++)
            assert_true(fabsf(got[i] - expected[i]) < 1e-5f);
    }
}

/* the result lies in memory as query does, as in PyTorch; gaps and repeats aside */
static void laid_out_as_query(void **state)
{
    (void)state;
    wk_scope
    {
        enum { B = 2, H = 3, L = 5, D = 4 };
        wk_tensor *heads_first = wk_randn((B, H, L, D));
        wk_tensor *rows_first = wk_transpose(wk_randn((B, L, H, D)), 1, 2);
        wk_tensor *batch_inside = wk_permute(wk_randn((L, B, H, D)), (1, 2, 0, 3));
        wk_tensor *part = wk_index(wk_permute(wk_randn((B, L, 3, H, D)), (2, 0, 3, 1, 4)), "1");
        const struct {
            wk_tensor *query;
            int64_t strides[4];
        } cases[] = {{heads_first, {60, 20, 4, 1}},
                     {rows_first, {60, 4, 12, 1}},
                     {batch_inside, {12, 4, 24, 1}},
                     {part, {60, 4, 12, 1}}};
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            wk_tensor *y = wk_scaled_dot_product_attention(cases[i].query, heads_first, heads_first);
            assert_memory_equal(y->strides, cases[i].strides, sizeof cases[i].strides);
        }
    }
}

/* the gradients through ops, which can be differentiated again, are the kernel's */
static void composed_gradients(void **state)
{
    (void)state;
    for (int dtype = wk_float16; dtype <= wk_float64; dtype++)
        wk_scope
    {
        wk_manual_seed(3);
        wk_tensor *q = wk_requires_grad_(wk_randn((2, 4, 5, 8), .dtype = (wk_dtype)dtype), true);
        wk_tensor *k = wk_requires_grad_(wk_randn((2, 2, 7, 8), .dtype = (wk_dtype)dtype), true);
        wk_tensor *gradients[2][2];
        for (int composed = 0; composed < 2; composed++) {
            wk_tensor *y = wk_scaled_dot_product_attention(q, k, k, .enable_gqa = true, .is_causal = true);
            wk_autograd_grad((wk_sum(wk_square(y))), (q, k), (&gradients[composed][0], &gradients[composed][1]),
                             .create_graph = composed);
        }
        const double tolerance = dtype == wk_bfloat16 ? 5e-2 : dtype == wk_float16 ? 5e-3 : 1e-5;
        for (int i = 0; i < 2; i++) {
            assert_int_equal(gradients[1][i]->dtype, dtype);
            assert_true(gradients[1][i]->requires_grad);
            assert_true(wk_allclose(gradients[0][i], gradients[1][i], .rtol = tolerance, .atol = tolerance));
        }
    }
}

/* equal weights, of which dropout keeps some: each result counts them, and their mean stays */
static void dropout_keeps_the_mean(void **state)
{
    (void)state;
    wk_scope
    {
        enum { ROWS = 500, KEYS = 8 };
        wk_manual_seed(11);
        wk_tensor *q = wk_zeros((1, 1, ROWS, 3)), *k = wk_randn((1, 1, KEYS, 3)), *v = wk_ones((1, 1, KEYS, 1));
        static float y[ROWS];
        wk_tolist(wk_scaled_dot_product_attention(q, k, v, .dropout_p = 0.75), y);
        double sum = 0;
        for (int i = 0; i < ROWS; i++) {
            const float kept = y[i] * KEYS * 0.25f; // a weight of 1 / 8, over the quarter that stays
            assert_true(kept == floorf(kept) && kept >= 0 && kept <= KEYS);
            sum += y[i];
        }
        assert_true(fabs(sum / ROWS - 1) < 0.1);
        assert_true(wk_item(wk_sum(wk_scaled_dot_product_attention(q, k, v, .dropout_p = 1))) == 0);
        assert_true(wk_item(wk_sum(wk_scaled_dot_product_attention(q, k, v))) == ROWS);
    }
}

/* a dim of size 1 in one of query, key and value stands for as many as the others have, in each place */
static void leading_dims_broadcast(void **state)
{
    (void)state;
    wk_manual_seed(8);
    for (int which = 0; which < 3; which++)
        for (int dim = 0; dim < 3; dim++)
            wk_scope
        {
            wk_tensor *parts[3], *whole[3];
            for (int i = 0; i < 3; i++) {
                wk_shape size = WK_SHAPE(2, 3, 2, 5, 4);
                if (i == which)
                    size.sizes[dim] = 1;
                parts[i] = wk_rand_with((wk_rand_args){.size = size});
                whole[i] = wk_contiguous(wk_expand(parts[i], (2, 3, 2, 5, 4)));
            }
            wk_tensor *expected = wk_scaled_dot_product_attention(whole[0], whole[1], whole[2]);
            wk_tensor *got = wk_scaled_dot_product_attention(parts[0], parts[1], parts[2]);
            assert_true(wk_allclose(got, expected, .rtol = 1e-5, .atol = 1e-6));
        }
}

/* Blocks and the whole (L, S) at once: the same results and gradients, of dropout too, which draws the same numbers. */
static void blocks_are_the_whole(void **state)
{
    (void)state;
    enum { B = 2, H = 4, L = 150, S = 270, D = 8 };
    const wk_shape masks[] = {
        {0}, WK_SHAPE(B, H, L, S), WK_SHAPE(L, S), WK_SHAPE(B, 1, 1, S), WK_SHAPE(1, H, L, 1), WK_SHAPE(H, 1, S)};
    for (int i = 0; i < 6; i++)
        for (int which = 0; which < 8; which++)
            wk_scope
    {
        const wk_dtype dtype = i == 1 && which / 4 ? wk_bfloat16 : which / 4 ? wk_float32 : wk_float64;
        const double dropout_p = which % 2 ? 0.4 : 0;
        const int64_t own = which / 2 % 2 ? 2 : H;
        wk_manual_seed(which);
        wk_tensor *q = wk_randn((B, H, L, D), .dtype = dtype, .requires_grad = true);
        wk_tensor *k = wk_randn((B, own, S, D), .dtype = dtype, .requires_grad = true);
        wk_tensor *v = wk_randn((B, own, S, D), .dtype = dtype, .requires_grad = true);
        wk_tensor *dy = wk_randn((B, H, L, D), .dtype = dtype), *mask = NULL;
        if (masks[i].ndim)
            mask = wk_randn_with((wk_rand_args){.size = masks[i], .dtype = dtype, .requires_grad = true});
        wk_tensor *gradients[2][5] = {0}, *last[2];
        for (int whole = 0; whole < 2; whole++) {
            wk_manual_seed(7);
            wk_tensor *y = NULL;
            if (whole)
                wk_nn_attention_sdpa_kernel(wk_sdp_math) y =
                    wk_scaled_dot_product_attention(q, k, v, mask, dropout_p, .is_causal = !mask, .enable_gqa = true);
            else
                y = wk_scaled_dot_product_attention(q, k, v, mask, dropout_p, .is_causal = !mask, .enable_gqa = true);
            last[whole] = wk_rand((2)); // as many numbers were drawn
            gradients[whole][0] = y;
            wk_tensor *inputs[4] = {q, k, v, mask};
            wk_tensor **places[4];
            for (int n = 0; n < 4; n++)
                places[n] = &gradients[whole][n + 1];
            assert_true(wk_autograd_grad_with((wk_autograd_grad_args){.outputs = WK_TENSORS(y),
                                                                      .inputs = {mask ? 4 : 3, inputs},
                                                                      .results = {mask ? 4 : 3, places},
                                                                      .grad_outputs = WK_TENSORS(dy)}));
        }
        assert_true(wk_equal(last[0], last[1]));
        const double near = dtype == wk_bfloat16 ? 8e-2 : dtype == wk_float32 ? 1e-4 : 1e-10;
        for (int n = 0; n < (mask ? 5 : 4); n++)
            if (!wk_allclose(gradients[0][n], gradients[1][n], .rtol = near, .atol = near * 4))
                fail_msg("mask %d, variant %d: result %d differs", i, which, n);
    }
}

/* of each row of the mask's gradient, of dropout and of its gradient: through ops as through the kernel */
static void gradients_of_gradients(void **state)
{
    (void)state;
    wk_scope
    {
        wk_manual_seed(3);
        wk_tensor *q = wk_randn((1, 2, 5, 3), .requires_grad = true), *k = wk_randn((1, 2, 6, 3));
        wk_tensor *mask = wk_randn((2, 1, 6), .requires_grad = true), *found[2][2];
        for (int composed = 0; composed < 2; composed++) {
            wk_manual_seed(4);
            wk_tensor *y = wk_scaled_dot_product_attention(q, k, k, mask, 0.3);
            wk_autograd_grad((wk_sum(wk_square(y))), (q, mask), (&found[composed][0], &found[composed][1]),
                             .create_graph = composed);
        }
        for (int i = 0; i < 2; i++)
            assert_true(found[1][i]->requires_grad &&
                        wk_allclose(found[0][i], found[1][i], .rtol = 1e-4, .atol = 1e-5));
    }
}

static void no_heads_read_the_keys(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *q = wk_randn((2, 0, 3, 4), .requires_grad = true);
        wk_tensor *k = wk_randn((2, 2, 5, 4), .requires_grad = true);
        wk_tensor *y = wk_scaled_dot_product_attention(q, k, k, .enable_gqa = true);
        assert_true(y && y->numel == 0 && wk_backward(wk_sum(y)));
        assert_true(wk_item(wk_sum(wk_abs(k->grad))) == 0);
    }
}

static void which_way(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *q = wk_randn((1, 1, 64, 2));
        int64_t used[4];
        for (int i = 0; i < 4; i++) {
            const int64_t before = wk_memory_get_stats().live_bytes;
            if (i == 0)
                wk_nn_attention_sdpa_kernel(wk_sdp_math) wk_scaled_dot_product_attention(q, q, q);
            if (i == 1)
                wk_nn_attention_sdpa_kernel((wk_sdp_math, wk_sdp_flash_attention))
                    wk_scaled_dot_product_attention(q, q, q);
            if (i == 2)
                wk_nn_attention_sdpa_kernel((wk_sdp_math, wk_sdp_flash_attention), .set_priority = true)
                    wk_scaled_dot_product_attention(q, q, q);
            if (i == 3)
                wk_scaled_dot_product_attention(q, q, q); // the block is over
            used[i] = wk_memory_get_stats().live_bytes - before;
        }
        const int64_t whole = 64 * 64 * (int64_t)sizeof(float);
        assert_true(used[0] > whole && used[1] < whole && used[2] > whole && used[3] < whole);
    }
}

/* equal leading dims, and heads in groups, need no memory for (L, S) weights, neither now nor for the gradient */
static void no_memory_for_weights(void **state)
{
    (void)state;
    wk_scope
    {
        enum { L = 512, D = 4 };
        const wk_shape shapes[][2] = {{WK_SHAPE(2, L, D), WK_SHAPE(2, L, D)},
                                      {WK_SHAPE(2, 2, L, D), WK_SHAPE(2, 2, L, D)},
                                      {WK_SHAPE(2, 1, 2, L, D), WK_SHAPE(2, 1, 2, L, D)},
                                      {WK_SHAPE(1, 4, L, D), WK_SHAPE(1, 2, L, D)}};
        for (int i = 0; i < 4; i++) {
            wk_tensor *q = wk_rand_with((wk_rand_args){.size = shapes[i][0], .requires_grad = true});
            wk_tensor *k = wk_rand_with((wk_rand_args){.size = shapes[i][1]});
            const int64_t before = wk_memory_get_stats().live_bytes;
            wk_tensor *y = wk_scaled_dot_product_attention(q, k, k, .enable_gqa = i == 3);
            assert_true(y && wk_memory_get_stats().live_bytes - before < L * L * (int64_t)sizeof(float));
        }
        /* nor with dropout, a mask that learns and repeats, and leading dims that do */
        wk_tensor *q = wk_rand((2, 1, L, D), .requires_grad = true), *k = wk_rand((1, 4, L, D), .requires_grad = true);
        wk_tensor *mask = wk_rand((2, 1, 1, L), .requires_grad = true);
        wk_scaled_dot_product_attention(q, k, k, mask); // what threads keep for scratch is there
        const wk_memory_stats before = wk_memory_get_stats();
        wk_backward(wk_sum(wk_scaled_dot_product_attention(q, k, k, mask, .dropout_p = 0.5)));
        const int64_t peak = wk_memory_get_stats().peak_bytes, most = 3 * L * L * (int64_t)sizeof(float); // of 8 heads
        assert_true(peak == before.peak_bytes || peak - before.live_bytes < most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small),
                                       cmocka_unit_test(blocks),
                                       cmocka_unit_test(of_one_tensor),
                                       cmocka_unit_test(laid_out_as_query),
                                       cmocka_unit_test(composed_gradients),
                                       cmocka_unit_test(dropout_keeps_the_mean),
                                       cmocka_unit_test(no_memory_for_weights),
                                       cmocka_unit_test(leading_dims_broadcast),
                                       cmocka_unit_test(blocks_are_the_whole),
                                       cmocka_unit_test(gradients_of_gradients),
                                       cmocka_unit_test(no_heads_read_the_keys),
                                       cmocka_unit_test(which_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
