/* Layers without parameters that slide along 1 to 3 dims or change sizes: each gives what the function of its name
   gives, whose numbers the op table has, and prints as PyTorch's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "fails.h"

static void prints(wk_module *module, const char *expected)
{
    char text[1000] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    wk_module_print(module, file);
    fclose(file);
    assert_string_equal(text, expected);
}

/* a layer and its text, and a function's result for the same x */
static void gives(wk_module *layer, const char *text, wk_tensor *x, wk_tensor *expected)
{
    assert_non_null(layer);
    prints(layer, text);
    assert_true(wk_equal(wk_forward(layer, x), expected));
    wk_module_free(layer);
}

static void pooling(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *line = wk_randn((2, 3, 9)), *image = wk_randn((2, 3, 9, 8)), *volume = wk_randn((2, 3, 6, 5, 4));
        gives(wk_nn_max_pool1d(2, 1), "max_pool1d(kernel_size=2, stride=1, padding=0, dilation=1, ceil_mode=False)\n",
              line, wk_max_pool1d(line, .kernel_size = 2, .stride = 1));
        gives(wk_nn_max_pool2d(.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true),
              "max_pool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=True)\n", image,
              wk_max_pool2d(image, 3, 2, 1, .ceil_mode = true));
        gives(wk_nn_max_pool3d(wk_per_dim(1, 2, 2), .dilation = wk_per_dim(1, 2, 1)),
              "max_pool3d(kernel_size=(1, 2, 2), stride=(1, 2, 2), padding=0, dilation=(1, 2, 1), ceil_mode=False)\n",
              volume, wk_max_pool3d(volume, wk_per_dim(1, 2, 2), .dilation = wk_per_dim(1, 2, 1)));
        gives(wk_nn_avg_pool1d(2), "avg_pool1d(kernel_size=(2,), stride=(2,), padding=(0,))\n", line,
              wk_avg_pool1d(line, 2));
        gives(wk_nn_avg_pool2d(wk_per_dim(2, 3), 1, 1, true, false),
              "avg_pool2d(kernel_size=(2, 3), stride=1, padding=1)\n", image,
              wk_avg_pool2d(image, wk_per_dim(2, 3), 1, 1, true, false));
        gives(wk_nn_avg_pool3d(2, .divisor_override = 3), "avg_pool3d(kernel_size=2, stride=2, padding=0)\n", volume,
              wk_avg_pool3d(volume, 2, .divisor_override = 3));
        gives(wk_nn_adaptive_avg_pool1d(4), "adaptive_avg_pool1d(output_size=4)\n", line,
              wk_adaptive_avg_pool1d(line, 4));
        gives(wk_nn_adaptive_avg_pool2d(wk_per_dim(WK_KEEP, 1)), "adaptive_avg_pool2d(output_size=(None, 1))\n", image,
              wk_adaptive_avg_pool2d(image, wk_per_dim(WK_KEEP, 1)));
        gives(wk_nn_adaptive_avg_pool3d(.output_size = 2), "adaptive_avg_pool3d(output_size=2)\n", volume,
              wk_adaptive_avg_pool3d(volume, .output_size = 2));
        gives(wk_nn_adaptive_max_pool1d(4), "adaptive_max_pool1d(output_size=4)\n", line,
              wk_adaptive_max_pool1d(line, 4));
        gives(wk_nn_adaptive_max_pool2d(5), "adaptive_max_pool2d(output_size=5)\n", image,
              wk_adaptive_max_pool2d(image, 5));
        assert_fails(wk_nn_max_pool2d(0), "nn_max_pool2d: kernel_size: expected at least 1, got 0");
        assert_fails(wk_nn_avg_pool1d(2, 0), "nn_avg_pool1d: stride: expected at least 1, got 0");
        assert_fails(wk_nn_adaptive_avg_pool2d(-2), "output_size: expected at least -1, got -2");
    }
}

static void upsampling(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *image = wk_randn((2, 4, 6, 8));
        gives(wk_nn_upsample(.scale_factor = 2), "upsample(scale_factor=2.0, mode='nearest')\n", image,
              wk_interpolate(image, .scale_factor = 2));
        gives(wk_nn_upsample(wk_per_dim(9, 4), .mode = "bilinear", .align_corners = true),
              "upsample(size=(9, 4), mode='bilinear')\n", image,
              wk_interpolate(image, wk_per_dim(9, 4), .mode = "bilinear", .align_corners = true));
        gives(wk_nn_upsample(.scale_factors = {0.1 + 0.2, 1.5}, .mode = "area"),
              "upsample(scale_factor=(0.30000000000000004, 1.5), mode='area')\n", image,
              wk_interpolate(image, .scale_factors = {0.1 + 0.2, 1.5}, .mode = "area"));
        gives(wk_nn_upsample(7), "upsample(size=7, mode='nearest')\n", image, wk_interpolate(image, 7));
        assert_fails(wk_nn_upsample(7, .mode = "cubic"), "nn_upsample: mode: expected \"nearest\"");
    }
}

static void folding_shuffling_and_padding(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *image = wk_randn((2, 4, 6, 8));
        gives(wk_nn_pixel_shuffle(2), "pixel_shuffle(upscale_factor=2)\n", image, wk_pixel_shuffle(image, 2));
        gives(wk_nn_pixel_unshuffle(.downscale_factor = 2), "pixel_unshuffle(downscale_factor=2)\n", image,
              wk_pixel_unshuffle(image, 2));
        gives(wk_nn_zero_pad2d(1), "zero_pad2d((1, 1, 1, 1))\n", image, wk_pad(image, (1, 1, 1, 1)));
        gives(wk_nn_zero_pad2d((1, 2, -1, 0)), "zero_pad2d((1, 2, -1, 0))\n", image, wk_pad(image, (1, 2, -1, 0)));
        gives(wk_nn_constant_pad1d((1, 2), 3.5), "constant_pad1d(padding=(1, 2), value=3.5)\n", image,
              wk_pad(image, (1, 2), .value = 3.5));
        gives(wk_nn_unfold(wk_per_dim(3, 2), 2, 1), "unfold(kernel_size=(3, 2), dilation=2, padding=1, stride=1)\n",
              image, wk_im2col(image, wk_per_dim(3, 2), 2, 1));
        wk_tensor *columns = wk_im2col(image, 2, .stride = 2);
        gives(wk_nn_fold(wk_per_dim(6, 8), 2, .stride = 2),
              "fold(output_size=(6, 8), kernel_size=2, dilation=1, padding=0, stride=2)\n", columns, image);
        assert_fails(wk_nn_unfold(0), "nn_unfold: kernel_size: expected at least 1, got 0");
        assert_fails(wk_nn_fold(0, 2), "nn_fold: output_size: expected at least 1, got 0");
        assert_fails(wk_nn_pixel_shuffle(0), "nn_pixel_shuffle: upscale_factor: expected at least 1, got 0");
        assert_fails(wk_nn_zero_pad2d((1, 2)), "nn_zero_pad2d: padding: expected one number, or 4, got 2");
    }
}

/* steps have no slope: zeros, of which a gradient penalty may be taken too */
static void nearest_of_a_grid_that_learns(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *grid = wk_zeros((1, 2, 2, 2), .requires_grad = true), *dgrid = NULL;
        wk_tensor *y = wk_sum(wk_grid_sample(wk_ones((1, 1, 3, 3)), grid, .mode = "nearest"));
        assert_true(wk_autograd_grad((y), (grid), (&dgrid), .create_graph = true));
        assert_true(wk_backward(wk_sum(wk_square(dgrid))));
        assert_true(wk_item(wk_sum(wk_abs(grid->grad))) == 0);
    }
}

/* every allocation of the ops, their gradients and their kernels fails once: an error each time, nothing left */
static wk_tensor *all_of_them(wk_tensor *x, wk_tensor *grid)
{
    wk_tensor *y = wk_max_pool2d(x, 3, .stride = 1, .padding = 1);
    y = wk_add(y, wk_avg_pool2d(x, 3, .stride = 1, .padding = 1));
    y = wk_add(y, wk_interpolate(wk_adaptive_avg_pool2d(x, 4), .size = 6, .mode = "bicubic", .antialias = true));
    y = wk_add(y, wk_fold(wk_im2col(x, 3, .padding = 1), 6, 3, .padding = 1));
    y = wk_add(y, wk_pixel_shuffle(wk_pixel_unshuffle(x, 2), 2));
    y = wk_add(y, wk_grid_sample(x, grid, .mode = "bicubic"));
    return wk_add(y, wk_interpolate(wk_contiguous(x, wk_channels_last), .size = 6, .mode = "area"));
}

static void without_memory_they_fail_cleanly(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_randn((2, 4, 6, 6), .dtype = wk_bfloat16, .requires_grad = true);
        wk_tensor *grid = wk_zeros((2, 6, 6, 2), .dtype = wk_bfloat16, .requires_grad = true);
        bool done = false;
        for (int64_t allocation = 0; !done; allocation += 1 + allocation / 100) {
            const int64_t before = wk_memory_get_stats().live_tensors;
            wk_error err;
            wk_try(&err) wk_scope
            {
                wk_memory_fail_after(allocation);
                wk_tensor *y = all_of_them(x, grid);
                if (y)
                    wk_backward(y, .gradient = wk_ones_like(y));
                wk_memory_fail_after(-1);
            }
            done = !err.set;
            for (int i = 0; i < 2; i++) {
                wk_tensor *leaf = i == 0 ? x : grid;
                wk_release(leaf->grad);
                leaf->grad = NULL;
            }
            if (wk_memory_get_stats().live_tensors != before)
                fail_msg("tensors are left after allocation %lld failed", (long long)allocation);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pooling), cmocka_unit_test(upsampling),
                                       cmocka_unit_test(folding_shuffling_and_padding),
                                       cmocka_unit_test(nearest_of_a_grid_that_learns),
                                       cmocka_unit_test(without_memory_they_fail_cleanly)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
