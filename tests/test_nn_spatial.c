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
              line, wk_max_pool1d(line, 2, 1));
        gives(wk_nn_max_pool2d(3, 2, 1, .ceil_mode = true),
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
        gives(wk_nn_adaptive_avg_pool3d(2), "adaptive_avg_pool3d(output_size=2)\n", volume,
              wk_adaptive_avg_pool3d(volume, 2));
        gives(wk_nn_adaptive_max_pool1d(4), "adaptive_max_pool1d(output_size=4)\n", line,
              wk_adaptive_max_pool1d(line, 4));
        gives(wk_nn_adaptive_max_pool2d(5), "adaptive_max_pool2d(output_size=5)\n", image,
              wk_adaptive_max_pool2d(image, 5));
        assert_fails(wk_nn_max_pool2d(0), "nn_max_pool2d: kernel_size: expected at least 1, got 0");
        assert_fails(wk_nn_avg_pool1d(2, 0), "nn_avg_pool1d: stride: expected at least 1, got 0");
        assert_fails(wk_nn_adaptive_avg_pool2d(-2), "output_size: expected at least -1, got -2");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pooling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
