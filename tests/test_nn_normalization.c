/* Layers with statistics are PyTorch's: state, results in training and in eval, and what becomes of the statistics. */
#include "layers.h"

static int setup(void **state)
{
    (void)state;
    return read_answers("nn_normalization");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

/* ---------------------------------------------------------------- makers, named as in golden/nn_normalization.py */

static wk_module *batch_norm1d(void) { return wk_nn_batch_norm1d(3); }
static wk_module *batch_norm1d_long(void) { return wk_nn_batch_norm1d(3, 1e-3, 0.3); }
static wk_module *batch_norm2d(void) { return wk_nn_batch_norm2d(4); }
static wk_module *batch_norm2d_cumulative(void) { return wk_nn_batch_norm2d(4, .momentum = WK_CUMULATIVE); }
static wk_module *batch_norm2d_untracked(void) { return wk_nn_batch_norm2d(4, .track_running_stats = false); }
static wk_module *batch_norm3d_plain(void) { return wk_nn_batch_norm3d(2, .affine = false); }
static wk_module *batch_norm_eval(void) { return wk_module_eval(wk_nn_batch_norm2d(4)); }
static wk_module *batch_norm_float64(void) { return wk_nn_batch_norm1d(3, .dtype = wk_float64); }
static wk_module *instance_norm1d(void) { return wk_nn_instance_norm1d(3); }
static wk_module *instance_norm1d_one(void) { return wk_nn_instance_norm1d(3, .affine = true); }
static wk_module *instance_norm2d(void) { return wk_nn_instance_norm2d(4, .affine = true); }
static wk_module *instance_norm2d_tracked(void)
{
    return wk_nn_instance_norm2d(4, .affine = true, .track_running_stats = true);
}
static wk_module *instance_norm3d(void) { return wk_nn_instance_norm3d(2, 1e-3); }
static wk_module *sync_batch_norm(void) { return wk_nn_sync_batch_norm(4); }

static wk_module *by_norm(wk_module *layer, int64_t dim)
{
    if (layer && !wk_nn_utils_weight_norm(layer, .dim = dim))
        wk_module_free(layer), layer = NULL;
    return layer;
}
static wk_module *weight_norm(void) { return by_norm(wk_nn_linear(4, 3), 0); }
static wk_module *weight_norm_dim1(void) { return by_norm(wk_nn_conv_transpose1d(3, 4, 3), 1); }
static wk_module *weight_norm_whole(void) { return by_norm(wk_nn_conv1d(3, 4, 3), WK_NO_DIM); }

static wk_tensors train_and_eval(wk_module *module, wk_tensor **in, wk_tensor **out)
{
    wk_forward(module, in[0]);
    out[0] = wk_forward(module, wk_mul(in[0], 2));
    wk_module_eval(module);
    out[1] = wk_detach(wk_forward(module, in[0]));
    return (wk_tensors){2, out};
}

static const layer_case LAYERS[] = {{"batch_norm1d", batch_norm1d, train_and_eval},
                                    {"batch_norm1d_long", batch_norm1d_long, train_and_eval},
                                    {"batch_norm2d", batch_norm2d, train_and_eval},
                                    {"batch_norm2d_cumulative", batch_norm2d_cumulative, train_and_eval},
                                    {"batch_norm2d_untracked", batch_norm2d_untracked, train_and_eval},
                                    {"batch_norm3d_plain", batch_norm3d_plain, train_and_eval},
                                    {"batch_norm_eval", batch_norm_eval, forward},
                                    {"batch_norm_float64", batch_norm_float64, train_and_eval},
                                    {"instance_norm1d", instance_norm1d, train_and_eval},
                                    {"instance_norm1d_one", instance_norm1d_one, train_and_eval},
                                    {"instance_norm2d", instance_norm2d, train_and_eval},
                                    {"instance_norm2d_tracked", instance_norm2d_tracked, train_and_eval},
                                    {"instance_norm3d", instance_norm3d, train_and_eval},
                                    {"sync_batch_norm", sync_batch_norm, train_and_eval},
                                    {"weight_norm", weight_norm, forward},
                                    {"weight_norm_dim1", weight_norm_dim1, forward},
                                    {"weight_norm_whole", weight_norm_whole, forward}};

LAYER_TESTS(LAYERS)

static void printed_forms(void **state)
{
    (void)state;
    prints(batch_norm1d_long(), "batch_norm1d(3, eps=0.001, momentum=0.3, affine=True, track_running_stats=True)\n");
    prints(batch_norm2d_cumulative(),
           "batch_norm2d(4, eps=1e-05, momentum=None, affine=True, track_running_stats=True)\n");
    prints(instance_norm3d(), "instance_norm3d(2, eps=0.001, momentum=0.1, affine=False, track_running_stats=False)\n");
}

static void shapes_that_do_not_fit_are_errors(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *one = batch_norm1d(), *two = batch_norm2d(), *instance = instance_norm1d();
        assert_fails(wk_forward(one, wk_zeros((2, 3, 4, 5))), "x: expected (N, C) or (N, C, L), got (2, 3, 4, 5)");
        assert_fails(wk_forward(two, wk_zeros((2, 4))), "x: expected (N, C, H, W), got (2, 4)");
        assert_fails(wk_forward(two, wk_zeros((2, 3, 4, 5))), "x: expected 4 channels, got (2, 3, 4, 5)");
        assert_fails(wk_forward(instance, wk_zeros((2))), "x: expected");
        assert_fails(wk_nn_batch_norm2d(0), "nn_batch_norm2d: num_features: expected 1 or more, got 0");
        wk_module_free(one);
        wk_module_free(two);
        wk_module_free(instance);
    }
}

/* statistics of another layout or dtype are moved all the same; gradients by given statistics are right, twice */
static void statistics_of_any_kind(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_randn((4, 3)), *plain = wk_zeros((3)), *var = wk_ones((3));
        wk_tensor *strided = wk_slice(wk_zeros((6)), 0, 0, 6, 2), *strided_var = wk_slice(wk_ones((6)), 0, 0, 6, 2);
        wk_batch_norm(x, plain, var, .training = true);
        wk_batch_norm(x, strided, strided_var, .training = true);
        assert_true(wk_equal(plain, strided) && wk_equal(var, strided_var));
        wk_tensor *half = wk_to(x, wk_float16), *half_mean = wk_zeros((3), .dtype = wk_float16);
        wk_batch_norm(half, half_mean, wk_ones((3), .dtype = wk_float16), .training = true);
        assert_true(wk_allclose(wk_to(half_mean, wk_float32), plain, .rtol = 1e-2, .atol = 1e-3));

        wk_tensor *w = wk_randn((3), .dtype = wk_float64), *b = wk_randn((3), .dtype = wk_float64);
        wk_tensor *y = wk_randn((4, 3), .dtype = wk_float64, .requires_grad = true);
        wk_tensor *mean = wk_randn((3), .dtype = wk_float64), *spread = wk_rand((3), .dtype = wk_float64);
        wk_requires_grad_(w, true);
        wk_tensor *sum = wk_sum(wk_square(wk_batch_norm(y, mean, spread, w, b)));
        wk_tensor *dx = NULL, *dw = NULL, *dxw = NULL;
        assert_true(wk_autograd_grad((sum), (y, w), (&dx, &dw), .create_graph = true));
        assert_true(wk_autograd_grad((wk_sum(dw)), (y), (&dxw)));
        /* d sum / dw = sum of 2 (xhat w + b) xhat; its derivative by x: 2 rstd (2 xhat w + b) */
        wk_tensor *rstd = wk_rsqrt(wk_add(spread, 1e-5)), *xhat = wk_mul(wk_sub(wk_detach(y), mean), rstd);
        wk_tensor *expected = wk_mul(wk_mul(rstd, 2), wk_add(wk_mul(wk_mul(xhat, 2), wk_detach(w)), b));
        assert_true(wk_allclose(dxw, expected));
    }
}

static void converted(void **state)
{
    (void)state;
    wk_module *net = wk_nn_sequential(wk_nn_linear(4, 3), wk_nn_batch_norm1d(3), wk_nn_relu());
    wk_tensor *weight = wk_module_get_parameter(net, "1.weight");
    assert_ptr_equal(wk_nn_sync_batch_norm_convert_sync_batchnorm(net), net);
    assert_ptr_equal(wk_module_get_parameter(net, "1.weight"), weight);
    wk_scope
    assert_non_null(wk_forward(net, wk_randn((5, 4))));
    prints(net, "sequential(\n"
                "  (0): linear(in_features=4, out_features=3, bias=True)\n"
                "  (1): sync_batch_norm(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)\n"
                "  (2): relu()\n"
                ")\n");
}

static void an_empty_batch_leaves_the_statistics(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *layer = wk_nn_batch_norm2d(3);
        wk_tensor *y = wk_forward(layer, wk_ones((0, 3, 2, 2), .requires_grad = true));
        assert_true(y && wk_backward(wk_sum(y)));
        assert_true(wk_item(wk_sum(wk_abs(((wk_nn_batch_norm2d *)layer)->weight->grad))) == 0);
        assert_true(wk_item(wk_sum(((wk_nn_batch_norm2d *)layer)->running_mean)) == 0);
        assert_true(wk_item(wk_sum(((wk_nn_batch_norm2d *)layer)->running_var)) == 3);
        wk_module_free(layer);
    }
}

static void weights_by_their_norm(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *layer = wk_nn_linear(4, 3);
        wk_tensor *x = wk_randn((2, 4)), *before = wk_clone(wk_forward(layer, x));
        wk_nn_utils_weight_norm(layer);
        assert_fails(wk_nn_utils_weight_norm(layer), "weight_norm: name: expected a parameter of the linear");
        assert_fails(wk_nn_utils_weight_norm(layer, "bias", 1), "dim: expected -1 to 0");
        assert_fails(wk_nn_utils_remove_weight_norm(layer, "bias"),
                     "name: expected a weight of weight_norm, got \"bias\"");
        assert_true(wk_allclose(wk_forward(layer, x), before, .rtol = 1e-5, .atol = 1e-6));
        wk_no_grad wk_mul_(wk_module_get_parameter(layer, "weight_g"), 2);
        wk_module *copy = wk_module_deepcopy(layer);
        wk_tensor *doubled = wk_forward(layer, x), *linear = wk_sub(before, ((wk_nn_linear *)layer)->bias);
        assert_true(wk_allclose(wk_sub(doubled, before), linear, .rtol = 1e-4, .atol = 1e-5));
        assert_true(wk_equal(wk_forward(copy, x), doubled));
        assert_ptr_not_equal(((wk_nn_linear *)copy)->weight, ((wk_nn_linear *)layer)->weight);
        wk_module_free(copy);
        assert_ptr_equal(wk_nn_utils_remove_weight_norm(layer), layer);
        assert_true(wk_allclose(wk_forward(layer, x), doubled, .rtol = 1e-5, .atol = 1e-6));
        assert_int_equal(wk_module_parameters(layer).count, 2);
        assert_ptr_equal(wk_module_get_parameter(layer, "weight"), ((wk_nn_linear *)layer)->weight);
        assert_true(wk_backward(wk_sum(wk_forward(layer, x))) && ((wk_nn_linear *)layer)->weight->grad);
        wk_module_free(layer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_pytorchs),    cmocka_unit_test(layers_without_memory_fail_cleanly),
        cmocka_unit_test(printed_forms),          cmocka_unit_test(shapes_that_do_not_fit_are_errors),
        cmocka_unit_test(statistics_of_any_kind), cmocka_unit_test(converted),
        cmocka_unit_test(weights_by_their_norm),  cmocka_unit_test(an_empty_batch_leaves_the_statistics),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
