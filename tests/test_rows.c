/* Kernels along rows where chunks of rows and threads play a part: gradients by kernels against the same in ops, in
   every floating dtype, and the same bits on any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

#include "check.h"

typedef struct dtypes {
    wk_dtype x, parameters;
    double rounding;
} dtypes;
static const dtypes DTYPES[] = {
    {wk_float64, wk_float64, 1e-12},   {wk_float32, wk_float32, 1e-4},    {wk_bfloat16, wk_bfloat16, 0x1p-7},
    {wk_bfloat16, wk_float32, 0x1p-7}, {wk_float16, wk_float16, 0x1p-10}, {wk_float16, wk_float32, 0x1p-10},
};

typedef struct norm_case {
    const char *name;
    wk_tensor *(*run)(wk_tensor *x, wk_tensor *weight, wk_tensor *bias);
    wk_shape x, weight;
} norm_case;

static wk_tensor *layer_norm(wk_tensor *x, wk_tensor *weight, wk_tensor *bias)
{
    return wk_layer_norm(x, (weight->shape[0]), weight, bias);
}
static wk_tensor *rms_norm(wk_tensor *x, wk_tensor *weight, wk_tensor *bias)
{
    (void)bias;
    return wk_rms_norm(x, (weight->shape[0]), weight);
}
static wk_tensor *group_norm(wk_tensor *x, wk_tensor *weight, wk_tensor *bias)
{
    return wk_group_norm(x, 3, weight, bias);
}

static const norm_case CASES[] = {
    {"layer_norm, one chunk", layer_norm, {2, {30, 40}}, {1, {40}}},
    {"layer_norm, narrow", layer_norm, {2, {1000, 40}}, {1, {40}}},
    {"layer_norm, wide", layer_norm, {2, {200, 300}}, {1, {300}}},
    {"layer_norm, of one", layer_norm, {2, {40000, 1}}, {1, {1}}},
    {"layer_norm, of nothing", layer_norm, {2, {0, 5}}, {1, {5}}},
    {"group_norm", group_norm, {4, {5, 6, 4, 70}}, {1, {6}}},
    {"group_norm, one image", group_norm, {3, {1, 12, 100}}, {1, {12}}},
    {"group_norm, of channels", group_norm, {2, {40, 12}}, {1, {12}}},
    {"group_norm, of nothing", group_norm, {3, {0, 6, 5}}, {1, {6}}},
    {"rms_norm", rms_norm, {3, {20, 50, 40}}, {1, {40}}},
};

/* the gradients of x, weight, bias for dy: by kernels, or as create_graph has them */
static void gradients(const norm_case *c, wk_tensor *in[3], wk_tensor *dy, bool in_ops, wk_tensor *out[3])
{
    wk_tensor *y = c->run(in[0], in[1], in[2]);
    wk_autograd_grad_with((wk_autograd_grad_args){.outputs = WK_TENSORS(y),
                                                  .inputs = {3, in},
                                                  .results = WK_PLACES(&out[0], &out[1], &out[2]),
                                                  .grad_outputs = WK_TENSORS(dy),
                                                  .create_graph = in_ops,
                                                  .allow_unused = true});
}

static wk_tensor *random_numbers(wk_shape shape, wk_dtype dtype, bool requires_grad)
{
    return wk_requires_grad_(wk_to(wk_randn_with((wk_rand_args){.size = shape}), dtype), requires_grad);
}

static double largest(wk_tensor *x) { return wk_numel(x) ? wk_item(wk_amax(wk_abs(wk_to(x, wk_float64)))) : 0; }

static void check_gradients(const norm_case *c, const dtypes *d)
{
    wk_tensor *in[3], *kernel[3] = {0}, *ops[3] = {0}, *again[3] = {0};
    for (int k = 0; k < 3; k++)
        in[k] = random_numbers(k ? c->weight : c->x, k ? d->parameters : d->x, true);
    wk_tensor *dy = random_numbers(c->x, d->x, false);
    const int threads = wk_get_num_threads();
    gradients(c, in, dy, false, kernel);
    gradients(c, in, dy, true, ops);
    wk_set_num_threads(1);
    gradients(c, in, dy, false, again);
    wk_set_num_threads(threads);
    for (int k = 0; k < 3; k++) {
        if (!kernel[k] && !ops[k])
            continue;
        assert_true(wk_equal(kernel[k], again[k]));
        const double most = largest(ops[k]), off = largest(wk_sub(wk_to(kernel[k], wk_float64), ops[k]));
        const double rounding = k == 0 || d->x == d->parameters ? d->rounding : 1e-4;
        if (!(off <= rounding * (most + 1e-3)))
            fail_msg("%s, %s: gradient %d is off by %g of %g", c->name, wk_dtype_name(d->x), k, off, most);
    }
}

TEST(kernels_agree_with_ops)
{
    wk_manual_seed(7); // sums of many numbers that cancel are as far apart as they like
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (size_t j = 0; j < sizeof DTYPES / sizeof *DTYPES; j++)
            wk_scope check_gradients(&CASES[i], &DTYPES[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(kernels_agree_with_ops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
