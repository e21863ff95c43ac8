/* Memory formats: what lies channels last, and that what is made of it lies so where PyTorch 2.15's does, with the
   numbers of row-major tensors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "fails.h"

static void strides(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_randn((2, 3, 4, 5)), *y = wk_contiguous(x, .memory_format = wk_channels_last);
        assert_true(y != x && wk_equal(x, y));
        assert_int_equal(y->strides[0], 60);
        assert_int_equal(y->strides[1], 1);
        assert_int_equal(y->strides[2], 15);
        assert_int_equal(y->strides[3], 3);
        assert_true(wk_is_contiguous(y, wk_channels_last) && !wk_is_contiguous(y));
        assert_false(wk_is_contiguous(x, wk_channels_last) || wk_is_contiguous(y, wk_channels_last_3d));
        assert_ptr_equal(wk_contiguous(y, wk_channels_last), y);
        assert_true(wk_is_contiguous(wk_contiguous(y)));
        assert_true(wk_is_contiguous(wk_clone(y), wk_channels_last));
        assert_true(wk_is_contiguous(wk_empty_like(y), wk_channels_last));
        assert_true(wk_is_contiguous(wk_zeros_like(y, .memory_format = wk_contiguous_format)));
        assert_true(wk_is_contiguous(wk_empty((2, 3, 4, 5), .memory_format = wk_channels_last), wk_channels_last));
        assert_true(wk_is_contiguous(wk_to(x, wk_float64, .memory_format = wk_channels_last), wk_channels_last));
        assert_ptr_equal(wk_to(y, wk_float32, .memory_format = wk_channels_last), y);
        wk_tensor *z = wk_contiguous(wk_randn((2, 3, 4, 5, 2)), .memory_format = wk_channels_last_3d);
        assert_true(wk_is_contiguous(z, wk_channels_last_3d) && z->strides[1] == 1 && z->strides[4] == 3);
        assert_true(wk_is_contiguous(wk_zeros((2, 1, 4, 5)), wk_channels_last)); // both
        assert_fails(wk_contiguous(z, wk_channels_last), "contiguous: memory_format: wk_channels_last is for 4 dims");
        assert_fails(wk_empty((2, 3), .memory_format = wk_channels_last_3d),
                     "empty: memory_format: wk_channels_last_3d");
        assert_fails(wk_contiguous(z, wk_preserve_format), "memory_format: expected wk_contiguous_format");

        wk_requires_grad_(x, true);
        assert_true(wk_backward(wk_contiguous(x, wk_channels_last), .gradient = x));
        assert_true(wk_equal(x->grad, x));
    }
}

/* f of x, row-major and channels last, has the same numbers; the second lies channels last, so does its gradient */
static void keeps(const char *what, wk_tensor *(*f)(wk_tensor *x), wk_tensor *x, bool kept)
{
    const wk_memory_format format = x->ndim == 4 ? wk_channels_last : wk_channels_last_3d;
    wk_tensor *plain = wk_clone(x), *last = wk_contiguous(x, format);
    wk_requires_grad_(plain, true);
    wk_requires_grad_(last, true);
    wk_tensor *y = f(plain), *z = f(last);
    if (!wk_is_contiguous(y) || wk_is_contiguous(z, format) != kept || !wk_equal(y, z))
        fail_msg("%s: of another format, or other numbers", what);
    wk_tensor *dy = wk_randn_like(y), *dy_last = kept ? wk_contiguous(dy, format) : dy, *dx, *dx_last;
    assert_true(wk_autograd_grad((y), (plain), (&dx), .grad_outputs = {1, &dy}));
    assert_true(wk_autograd_grad((z), (last), (&dx_last), .grad_outputs = {1, &dy_last}));
    const double close = x->dtype == wk_bfloat16 ? 1e-2 : 1e-5; // sums in another order, rounded
    if (!wk_allclose(dx, dx_last, .rtol = close, .atol = close))
        fail_msg("%s: another gradient", what);
    if (kept && !wk_is_contiguous(dx_last, format))
        fail_msg("%s: a gradient of another format", what);
}

static wk_tensor *weight, *volume_weight, *transposed_weight;

#define OF_X(name, expression)                                                                                         \
    static wk_tensor *name(wk_tensor *x) { return expression; }
OF_X(conv2d, wk_conv2d(x, weight, .padding = 1))
OF_X(conv3d, wk_conv3d(x, volume_weight))
OF_X(conv_transpose2d, wk_conv_transpose2d(x, transposed_weight, .stride = 2))
OF_X(max_pool2d, wk_max_pool2d(x, 2))
OF_X(max_pool3d, wk_max_pool3d(x, 2))
OF_X(max_pool2d_more, wk_max_pool2d(x, 3, wk_per_dim(2, 1), 1, wk_per_dim(1, 2), true))
OF_X(avg_pool2d, wk_avg_pool2d(x, 2))
OF_X(avg_pool2d_more, wk_avg_pool2d(x, 3, wk_per_dim(2, 1), 1, true))
OF_X(avg_pool2d_counted, wk_avg_pool2d(x, 3, 2, 1, .count_include_pad = false))
OF_X(avg_pool3d, wk_avg_pool3d(x, 2))
OF_X(adaptive_avg_pool2d, wk_adaptive_avg_pool2d(x, 4))
OF_X(adaptive_avg_pool3d, wk_adaptive_avg_pool3d(x, 4))
OF_X(adaptive_max_pool2d, wk_adaptive_max_pool2d(x, 4))
OF_X(nearest, wk_interpolate(x, .scale_factor = 2))
OF_X(bilinear, wk_interpolate(x, 9, .mode = "bilinear"))
OF_X(bicubic, wk_interpolate(x, 9, .mode = "bicubic", .antialias = true))
OF_X(trilinear, wk_interpolate(x, 9, .mode = "trilinear"))
OF_X(pixel_unshuffle, wk_pixel_unshuffle(x, 2))
OF_X(pad, wk_pad(x, (1, 2, 0, 1), .value = 3))
OF_X(batch_norm, wk_batch_norm(x, .weight = wk_ones((6)), .bias = wk_ones((6)), .training = true))
OF_X(relu, wk_relu(x))
OF_X(add, wk_add(x, wk_ones((6, 1, 1))))

static void results(void **state)
{
    (void)state;
    wk_scope
    {
        weight = wk_randn((4, 6, 3, 3));
        volume_weight = wk_randn((4, 6, 2, 3, 3));
        transposed_weight = wk_randn((6, 4, 3, 3));
        wk_tensor *image = wk_randn((2, 6, 6, 8)), *volume = wk_randn((2, 6, 6, 5, 4));
#define KEEPS(f, x) keeps(#f, f, x, true)
        KEEPS(conv2d, image);
        KEEPS(batch_norm, image);
        KEEPS(batch_norm, volume);
        KEEPS(conv3d, volume);
        KEEPS(conv_transpose2d, image);
        KEEPS(max_pool2d, image);
        KEEPS(max_pool3d, volume);
        KEEPS(max_pool2d_more, image);
        KEEPS(avg_pool2d, image);
        KEEPS(avg_pool2d_more, image);
        KEEPS(avg_pool2d_counted, image);
        wk_tensor *wide = wk_randn((1, 300, 6, 5)); // more channels than are done at a time
        KEEPS(max_pool2d, wide);
        KEEPS(avg_pool2d_more, wide);
        KEEPS(adaptive_avg_pool2d, wide);
        KEEPS(max_pool2d, wk_to(wide, wk_bfloat16));
        KEEPS(avg_pool2d_more, wk_to(image, wk_bfloat16));
        keeps("avg_pool3d", avg_pool3d, volume, false);
        KEEPS(adaptive_avg_pool2d, image);
        keeps("adaptive_avg_pool3d", adaptive_avg_pool3d, volume, false);
        KEEPS(adaptive_max_pool2d, image);
        KEEPS(nearest, image);
        KEEPS(nearest, volume);
        KEEPS(bilinear, image);
        KEEPS(bicubic, image);
        KEEPS(trilinear, volume);
        KEEPS(pixel_unshuffle, image);
        KEEPS(pad, image);
        KEEPS(relu, image);
        KEEPS(add, image);
        wk_tensor *indices;
        wk_tensor *y = wk_max_pool2d(wk_contiguous(image, wk_channels_last), 2, .return_indices = &indices);
        assert_true(wk_is_contiguous(y, wk_channels_last) && wk_is_contiguous(indices, wk_channels_last));
        wk_tensor *image_last = wk_contiguous(image, wk_channels_last);
        assert_true(wk_is_contiguous(wk_cat((image_last, image_last), 1), wk_channels_last));
        assert_true(wk_equal(wk_cat((image_last, image_last), 1), wk_cat((image, image), 1)));
        assert_true(wk_is_contiguous(wk_cat((image_last, image), 1)));
        wk_tensor *edges = wk_pad(image_last, (1, 2, 0, 1), .mode = "reflect");
        assert_true(wk_is_contiguous(edges, wk_channels_last));
        assert_true(wk_equal(edges, wk_pad(image, (1, 2, 0, 1), .mode = "reflect")));
        assert_true(wk_is_contiguous(wk_group_norm(image_last, 2), wk_channels_last));
        assert_true(wk_allclose(wk_group_norm(image_last, 2), wk_group_norm(image, 2)));
        wk_tensor *last = wk_contiguous(weight, wk_channels_last); // of a weight alone
        assert_true(wk_is_contiguous(wk_conv2d(image, last), wk_channels_last));
    }
}

static void modules(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *net = wk_nn_sequential(wk_nn_conv2d(3, 8, 3), wk_nn_relu(), wk_nn_max_pool2d(2));
        wk_tensor *x = wk_randn((2, 3, 8, 8)), *before = wk_forward(net, x);
        assert_ptr_equal(wk_module_to_memory_format(net, wk_channels_last), net);
        assert_true(wk_is_contiguous(wk_module_get_parameter(net, "0.weight"), wk_channels_last));
        assert_true(wk_is_contiguous(wk_module_get_parameter(net, "0.bias")));
        wk_tensor *after = wk_forward(net, wk_contiguous(x, wk_channels_last));
        assert_true(wk_is_contiguous(after, wk_channels_last) && wk_equal(before, after));
        assert_non_null(wk_module_to_memory_format(net, wk_contiguous_format));
        assert_true(wk_is_contiguous(wk_module_get_parameter(net, "0.weight")));
        assert_fails(wk_module_to_memory_format(net, wk_preserve_format), "module_to: memory_format: expected");
        wk_module_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(strides), cmocka_unit_test(results), cmocka_unit_test(modules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
