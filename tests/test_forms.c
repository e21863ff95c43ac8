/* The ways in which PyTorch lets one call the same thing: arguments that may be left out, keywords, in place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <math.h>

#include <wick.h>

#include "fails.h"

static void device_and_dtype_in_one(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_full((2), 0.1, .dtype = wk_float64);
        assert_int_equal(wk_to(x, wk_cpu, .dtype = wk_float32)->dtype, wk_float32);
        assert_ptr_equal(wk_to(x, wk_cpu, .dtype = wk_float64), x);
        assert_ptr_equal(wk_copy_(x, wk_ones((2)), .non_blocking = true), x);
        assert_true(wk_item(wk_sum(x)) == 2);
    }
    wk_module *net = wk_nn_sequential(wk_nn_conv2d(2, 3, 3), wk_nn_linear(2, 2));
    wk_tensor *weight = wk_module_get_parameter(net, "0.weight");
    assert_ptr_equal(wk_module_to(net, wk_cpu, .dtype = wk_float64, .memory_format = wk_channels_last), net);
    assert_int_equal(weight->dtype, wk_float64);
    assert_true(wk_is_contiguous(weight, .memory_format = wk_channels_last) && !wk_is_contiguous(weight));
    assert_int_equal(wk_module_get_parameter(net, "1.bias")->dtype, wk_float64);
    assert_non_null(wk_module_to(net, wk_float32, .non_blocking = true));
    assert_int_equal(weight->dtype, wk_float32);
    assert_fails(wk_module_to(net, wk_cpu, .dtype = wk_int64), "module_to: dtype: expected a floating or complex");
    assert_fails(wk_module_to(net, (wk_tensor *)NULL), "module_to: other: ");
    assert_fails(wk_module_to(net, wk_cpu, .memory_format = (wk_memory_format)9), "module_to: memory_format: ");
    wk_module_free(net);
}

static void a_module_s_own_parameters_and_a_prefix(void **state)
{
    (void)state;
    wk_module *net = wk_nn_sequential(wk_nn_linear(2, 2), wk_nn_batch_norm1d(2));
    wk_tensor *own = NULL;
    wk_scope assert_true(wk_module_register_parameter(net, "scale", own = wk_parameter(wk_ones((3)))));
    assert_int_equal(wk_module_parameters(net).count, 5);
    assert_int_equal(wk_module_parameters(net, .recurse = false).count, 1);
    assert_ptr_equal(wk_module_parameters(net, .recurse = false).items[0], own);
    assert_int_equal(wk_module_buffers(net).count, 3);
    assert_int_equal(wk_module_buffers(net, .recurse = false).count, 0);
    const wk_dict *named = wk_module_named_parameters(net, .prefix = "net");
    assert_int_equal(wk_dict_count(named), 5);
    assert_ptr_equal(wk_dict_get(named, "net.scale"), own);
    assert_non_null(wk_dict_get(named, "net.0.weight"));
    named = wk_module_named_parameters(net, .prefix = "", .recurse = false);
    assert_int_equal(wk_dict_count(named), 1);
    assert_non_null(wk_dict_get(named, "scale"));
    assert_non_null(wk_dict_get(wk_module_named_buffers(net, .prefix = "bn"), "bn.1.running_mean"));
    wk_module_free(net);
}

static void requires_grad_is_true_unless_told(void **state)
{
    (void)state;
    wk_scope
    {
        assert_true(wk_requires_grad_(wk_ones((2)))->requires_grad);
        assert_false(wk_requires_grad_(wk_ones((2), .requires_grad = true), .requires_grad = false)->requires_grad);
    }
    wk_module *layer = wk_nn_linear(1, 1);
    wk_module_requires_grad_(layer, false);
    assert_false(wk_module_get_parameter(layer, "weight")->requires_grad);
    assert_ptr_equal(wk_module_requires_grad_(layer), layer);
    assert_true(wk_module_get_parameter(layer, "weight")->requires_grad);
    wk_module_free(layer);
}

/* what is written on is x itself, with the values and gradients of the other way */
static void in_place_alike(wk_tensor *(*call)(wk_tensor *x, bool inplace))
{
    wk_scope
    {
        wk_tensor *x = wk_randn((40), .requires_grad = true), *y[2], *gradient[2];
        for (int inplace = 0; inplace < 2; inplace++) {
            wk_manual_seed(3);
            wk_tensor *copy = wk_mul(x, 1);
            y[inplace] = call(copy, inplace);
            assert_true((y[inplace] == copy) == inplace);
            assert_true(wk_autograd_grad((wk_sum(wk_square(y[inplace]))), (x), (&gradient[inplace])));
        }
        assert_true(wk_equal(y[0], y[1]) && wk_equal(gradient[0], gradient[1]));
        assert_false(wk_equal(y[0], x));
        assert_fails(call(x, true), "a leaf that requires grad");
    }
}

static wk_tensor *leaky_relu(wk_tensor *x, bool inplace) { return wk_leaky_relu(x, 0.2, inplace); }
static wk_tensor *elu(wk_tensor *x, bool inplace) { return wk_elu(x, .alpha = 2, .inplace = inplace); }
static wk_tensor *dropout(wk_tensor *x, bool inplace) { return wk_dropout(x, 0.3, .inplace = inplace); }
static wk_tensor *dropout_all(wk_tensor *x, bool inplace) { return wk_dropout(x, 1, .inplace = inplace); }
static wk_tensor *through(wk_module *module, wk_tensor *x)
{
    wk_tensor *y = wk_forward(module, x);
    wk_module_free(module);
    return y;
}
static wk_tensor *relu_layer(wk_tensor *x, bool inplace) { return through(wk_nn_relu(.inplace = inplace), x); }
static wk_tensor *silu_layer(wk_tensor *x, bool inplace) { return through(wk_nn_silu(inplace), x); }
static wk_tensor *leaky_layer(wk_tensor *x, bool inplace) { return through(wk_nn_leaky_relu(0.3, inplace), x); }
static wk_tensor *elu_layer(wk_tensor *x, bool inplace) { return through(wk_nn_elu(.inplace = inplace), x); }
static wk_tensor *dropout_layer(wk_tensor *x, bool inplace) { return through(wk_nn_dropout(.inplace = inplace), x); }

static void activations_in_place(void **state)
{
    (void)state;
    in_place_alike(leaky_relu);
    in_place_alike(elu);
    in_place_alike(dropout);
    in_place_alike(dropout_all);
    in_place_alike(relu_layer);
    in_place_alike(silu_layer);
    in_place_alike(leaky_layer);
    in_place_alike(elu_layer);
    in_place_alike(dropout_layer);
    wk_scope
    {
        wk_tensor *x = wk_ones((10, 4)), *y = wk_dropout1d(x, .inplace = true);
        assert_ptr_equal(x, y);
        assert_false(wk_equal(x, wk_ones((10, 4))));
        x = wk_ones((2, 3, 1, 1));
        wk_module *channels = wk_nn_dropout2d(1, .inplace = true);
        assert_ptr_equal(through(channels, x), x);
        assert_true(wk_item(wk_sum(x)) == 0);
    }
}

static void prints(wk_module *module, const char *expected)
{
    char text[200] = "";
    FILE *memory = fmemopen(text, sizeof text, "w");
    wk_module_print(module, memory);
    fclose(memory);
    assert_string_equal(text, expected);
    wk_module_free(module);
}

static void layers_say_that_they_work_in_place(void **state)
{
    (void)state;
    prints(wk_nn_relu(.inplace = true), "relu(inplace=True)\n");
    prints(wk_nn_silu(), "silu()\n");
    prints(wk_nn_leaky_relu(0.2, true), "leaky_relu(negative_slope=0.2, inplace=True)\n");
    prints(wk_nn_elu(.inplace = true), "elu(alpha=1.0, inplace=True)\n");
    prints(wk_nn_dropout(0.1, true), "dropout(p=0.1, inplace=True)\n");
    prints(wk_nn_dropout1d(.inplace = true), "dropout1d(p=0.5, inplace=True)\n");
    prints(wk_nn_identity(54, "unused"), "identity()\n");
}

static void numbers_print_as_python_s(void **state)
{
    (void)state;
    prints(wk_nn_elu(1e-5), "elu(alpha=1e-05)\n");
    prints(wk_nn_elu(0.0001), "elu(alpha=0.0001)\n");
    prints(wk_nn_elu(1 / 3.0), "elu(alpha=0.3333333333333333)\n");
    prints(wk_nn_elu(123456789), "elu(alpha=123456789.0)\n");
    prints(wk_nn_elu(1e16), "elu(alpha=1e+16)\n");
    prints(wk_nn_elu(-INFINITY), "elu(alpha=-inf)\n");
    prints(wk_nn_softplus(0.1, 20), "softplus(beta=0.1, threshold=20.0)\n");
    prints(wk_nn_upsample(.scale_factor = 20), "upsample(scale_factor=20.0, mode='nearest')\n");
}

static void whole_numbers_below(void **state)
{
    (void)state;
    wk_scope
    {
        wk_manual_seed(5);
        wk_tensor *x = wk_randint(2, 10, (20)), *below = NULL;
        wk_manual_seed(5);
        assert_true(wk_equal(wk_add(wk_randint(8, (20), .dtype = wk_int32), 2), x));
        wk_manual_seed(5);
        below = wk_randint_like(x, 8);
        assert_true(wk_equal(wk_add(below, 2), x));
        wk_manual_seed(5);
        assert_true(wk_equal(wk_randint_like(x, .high = 8), below));
        assert_fails(wk_randint_like(x, 0), "randint_like: ");
    }
}

static void places_may_be_left_out(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensors grid = wk_meshgrid((wk_arange(2), wk_arange(3)));
        assert_int_equal(grid.count, 2);
        assert_int_equal(wk_size(grid.items[0], 0), 2);
        grid = wk_meshgrid((wk_arange(2), wk_arange(3)), .indexing = "xy");
        assert_int_equal(wk_size(grid.items[0], 0), 3);
        wk_tensors at = wk_where(wk_tensor((2, 2), ((float[]){0, 1, NAN, 0})));
        assert_int_equal(at.count, 2);
        assert_true(wk_equal(at.items[0], wk_arange(2)) && wk_equal(at.items[1], wk_tensor((2), ((int64_t[]){1, 0}))));
        at = wk_where(wk_ones(()));
        assert_int_equal(at.count, 1);
        assert_true(wk_equal(at.items[0], wk_zeros((1), .dtype = wk_int64)));
        assert_fails(wk_where((wk_tensor *)NULL).items, "where: ");
        assert_true(wk_equal(wk_unique(wk_tensor((3), ((int[]){3, 1, 3})), .sorted = false),
                             wk_tensor((2), ((int[]){1, 3}))));
    }
}

static void what_changes_nothing_here(void **state)
{
    (void)state;
    wk_module *layer = wk_nn_linear(2, 2);
    wk_scope
    {
        assert_non_null(wk_checkpoint(wk_forward, layer, (wk_ones((2))), .use_reentrant = false));
        assert_fails(wk_checkpoint(wk_forward, layer, (wk_ones((2))), .use_reentrant = true),
                     "use_reentrant: expected false");
        assert_non_null(wk_empty((2), .pin_memory = false));
        assert_fails(wk_empty((2), .pin_memory = true), "empty: pin_memory: needs CUDA");
        assert_fails(wk_zeros_like(wk_ones((2)), .pin_memory = true), "zeros_like: pin_memory: needs CUDA");
    }
    wk_module_free(layer);
    wk_grad_scaler *scaler = wk_amp_grad_scaler(wk_cpu, .init_scale = 8);
    assert_true(wk_grad_scaler_get_scale(scaler) == 8);
    wk_grad_scaler_free(scaler);
    scaler = wk_amp_grad_scaler(.device = wk_cuda);
    assert_true(wk_grad_scaler_get_scale(scaler) == 65536);
    wk_grad_scaler_free(scaler);
}

static void names_in_a_module_dict(void **state)
{
    (void)state;
    wk_module *dict = wk_nn_module_dict();
    assert_true(wk_module_add_module(dict, "text", wk_nn_identity()));
    assert_true(wk_module_add_module(dict, "image", wk_nn_identity()));
    assert_true(wk_nn_module_dict_contains(dict, "image") && !wk_nn_module_dict_contains(dict, "sound"));
    assert_string_equal(wk_module_children(dict).names[0], "text");
    assert_fails(wk_nn_module_dict_contains(dict, NULL), "module_dict_contains: name: expected a name");
    assert_fails(wk_nn_module_dict_contains(NULL, "image"), "module_dict_contains: ");
    wk_module_free(dict);
}

typedef struct masked {
    wk_module_base base;
    wk_tensor *mask, *kept;
} masked;

static void buffers_by_nn_buffer(void **state)
{
    (void)state;
    masked *self = wk_module_new(masked, NULL);
    wk_scope
    {
        wk_add_buffer(self, mask, wk_buffer(wk_ones((2)), .persistent = false));
        wk_add_buffer(self, kept, wk_buffer(wk_ones((2))));
        wk_module_register_buffer(self, "third", wk_buffer(wk_ones((2)), .persistent = false));
    }
    wk_dict *dict = wk_module_state_dict(self);
    assert_int_equal(wk_dict_count(dict), 1);
    assert_ptr_equal(wk_dict_get(dict, "kept")->storage, self->kept->storage);
    assert_int_equal(wk_module_buffers(self).count, 3);
    wk_dict_free(dict);
    wk_module_free(self);
}

/* torch.optim.lr_scheduler.ExponentialLR(o, 0.9, last_epoch=2) after three steps of one from 0.5 */
static void a_schedule_goes_on(void **state)
{
    (void)state;
    wk_module *layer = wk_nn_linear(1, 1);
    wk_optimizer *o = wk_optim_sgd(wk_module_parameters(layer), .lr = 0.5);
    assert_fails(wk_optim_exponential_lr(o, 0.9, .last_epoch = 2), "exponential_lr: last_epoch: expected -1");
    wk_lr_scheduler *s = wk_optim_exponential_lr(o, .gamma = 0.9);
    for (int i = 0; i < 3; i++)
        wk_lr_scheduler_step(s);
    wk_lr_scheduler_free(s);
    s = wk_optim_exponential_lr(o, 0.9, .last_epoch = 2);
    assert_int_equal(wk_lr_scheduler_last_epoch(s), 3);
    assert_true(o->param_groups[0].lr == 0.36450000000000005);
    wk_lr_scheduler_step(s);
    assert_true(wk_lr_scheduler_get_last_lr(s)[0] == 0.32805000000000006);
    wk_lr_scheduler_free(s);
    wk_optim_free(o);
    wk_module_free(layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_and_dtype_in_one),
        cmocka_unit_test(a_module_s_own_parameters_and_a_prefix),
        cmocka_unit_test(requires_grad_is_true_unless_told),
        cmocka_unit_test(activations_in_place),
        cmocka_unit_test(layers_say_that_they_work_in_place),
        cmocka_unit_test(numbers_print_as_python_s),
        cmocka_unit_test(whole_numbers_below),
        cmocka_unit_test(places_may_be_left_out),
        cmocka_unit_test(what_changes_nothing_here),
        cmocka_unit_test(names_in_a_module_dict),
        cmocka_unit_test(buffers_by_nn_buffer),
        cmocka_unit_test(a_schedule_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
