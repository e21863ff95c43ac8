/* Arguments whose effect is on something else than the result: embedding's max_norm, dropout without a batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <math.h>

#include <wick.h>

/* torch.nn.functional.embedding(tensor([[0, 2], [2, 2]]), weight, max_norm=1): rows 0 and 2 are scaled, 1 is not */
static void max_norm_scales_what_is_asked_for(void **state)
{
    (void)state;
    static const float expected[8] = {0.6f, 0.8f, 6, 8, 0.3f, 0.4f, 30, 40};
    wk_scope
    {
        wk_tensor *weight = wk_tensor((4, 2), ((float[]){3, 4, 6, 8, 0.3f, 0.4f, 30, 40}), .requires_grad = true);
        wk_tensor *indices = wk_tensor((2, 2), ((int[]){0, 2, 2, 2}));
        wk_tensor *y = wk_embedding(indices, weight, .max_norm = 1);
        for (int i = 0; i < 8; i++)
            assert_true(fabsf(((const float *)wk_data_ptr(weight))[i] - expected[i]) < 1e-6f);
        assert_true(fabs(wk_item(wk_select(wk_reshape(y, (-1)), 0, 1)) - 0.8) < 1e-6);
        wk_backward(wk_sum(y));
        static const float gradient[8] = {1, 1, 0, 0, 3, 3, 0, 0};
        assert_memory_equal(wk_data_ptr(weight->grad), gradient, sizeof gradient);

        wk_tensor *taxicab = wk_tensor((1, 2), ((float[]){3, 4}));
        wk_embedding(wk_full((1), 0), taxicab, .max_norm = 1, .norm_type = 1);
        assert_true(fabs(wk_item(wk_sum(taxicab)) - 1) < 1e-6);

        wk_error error;
        wk_try(&error) assert_null(wk_embedding(wk_full((1), 4), weight, .max_norm = 1));
        assert_non_null(strstr(error.message, "embedding: "));
    }
    wk_module *table = wk_nn_embedding(4, 2, .max_norm = 0.5, .norm_type = 1);
    char text[100] = "";
    FILE *memory = fmemopen(text, sizeof text, "w");
    wk_module_print(table, memory);
    fclose(memory);
    assert_string_equal(text, "embedding(4, 2, max_norm=0.5, norm_type=1)\n");
    wk_scope
    {
        wk_forward(table, wk_full((1), 3));
        assert_true(wk_item(wk_norm(wk_select(((wk_nn_embedding *)table)->weight, 0, 3), 1)) < 0.5 + 1e-6);
    }
    wk_module_free(table);
}

/* every channel is one value times x, and some are 0 */
static void check_channels(wk_tensor *y, int dims)
{
    assert_non_null(y);
    wk_tensor *rows = wk_flatten(y, dims);
    assert_true(wk_equal(wk_amax(rows, -1), wk_amin(rows, -1)));
    const double sum = wk_item(wk_mean(y));
    assert_true(sum > 0 && sum < 2);
}

static void dropout_drops_channels_without_a_batch(void **state)
{
    (void)state;
    wk_scope
    {
        wk_manual_seed(0);
        check_channels(wk_dropout1d(wk_ones((40, 5))), 1);       // (C, L)
        check_channels(wk_dropout2d(wk_ones((4, 10, 5))), 2);    // (N, C, L)
        check_channels(wk_dropout3d(wk_ones((40, 2, 3, 2))), 1); // (C, D, H, W)
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_norm_scales_what_is_asked_for),
        cmocka_unit_test(dropout_drops_channels_without_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
