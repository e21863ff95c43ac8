/* What the op table does not say of einops: layers, text that runs through printf, and that views are views. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

#include "core/alloc.h"

static bool same(wk_tensor *a, wk_tensor *b)
{
    return a && b && a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) == 0 &&
           wk_equal(a, b);
}

static void layers_are_the_ops(void **state)
{
    (void)state;
    wk_module *model = NULL;
    wk_scope
    {
        model = wk_nn_sequential(wk_einops_layers_rearrange("b (h d) ... -> b h d ..., h=%d", 2),
                                 wk_einops_layers_reduce("b h (d q) ... -> b (h d) ..., q=%zu", "max", (size_t)3));
        wk_tensor *x = wk_randn((2, 12, 3), .requires_grad = true);
        wk_tensor *y = wk_forward(model, x);
        assert_true(same(y, wk_einops_reduce(x, "b (h d q) c -> b (h d) c, h=2, q=3", "max")));
        assert_true(wk_backward(wk_sum(y)));
        assert_non_null(x->grad);
        assert_true(same(wk_forward(model, wk_ones((2, 6))), wk_ones((2, 2)))); // any dims under ...
        assert_int_equal(wk_module_parameters(model).count, 0);
        wk_dict *state_dict = wk_module_state_dict(model);
        assert_int_equal(wk_dict_count(state_dict), 0);
        wk_dict_free(state_dict);

        char *text = NULL;
        size_t size = 0;
        FILE *file = open_memstream(&text, &size);
        wk_module_print(model, file);
        fclose(file);
        assert_non_null(strstr(text, "(0): rearrange('b (h d) ... -> b h d ...', h=2)\n"));
        assert_non_null(strstr(text, "(1): reduce('b h (d q) ... -> b (h d) ...', 'max', q=3)\n"));
        free(text);
    }
    wk_module_free(model);
}

static void layers_tell_when_made(void **state)
{
    (void)state;
    wk_error error;
    wk_try(&error) assert_null(wk_einops_layers_rearrange("a b -> a"));
    assert_non_null(strstr(error.message, "the name does not come on the right side"));
    wk_try(&error) assert_null(wk_einops_layers_reduce("a b -> a", "median"));
    assert_non_null(strstr(error.message, "reduction: expected"));
    wk_module *module = wk_einops_layers_rearrange("a b -> b a");
    wk_scope
    wk_try(&error) assert_null(wk_forward(module, wk_ones((2))));
    assert_non_null(strstr(error.message, "x: expected 2 dims, as the left side has, got (2,)"));
    wk_module_free(module);
    for (int64_t n = 0; n < 8; n++) {
        wk_memory_fail_after(n);
        wk_try(&error) module = wk_einops_layers_rearrange("a b -> b a");
        wk_memory_fail_after(-1);
        assert_true(error.set == !module);
        wk_module_free(module);
    }
}

static void views_are_views(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_randn((2, 6, 4)), *t = wk_transpose(x, 0, 2);
        const void *data = wk_data_ptr(x);
        assert_ptr_equal(wk_einops_rearrange(x, "a b c -> a b c"), x);
        assert_ptr_equal(wk_data_ptr(wk_einops_rearrange(x, "a (h d) c -> h c a d, h=2")), data);
        assert_ptr_equal(wk_data_ptr(wk_einops_rearrange(t, "c b a -> a (b c)")), data);
        assert_ptr_equal(wk_data_ptr(wk_einops_rearrange(t, "c (b d) a -> c b a d, b=2")), data);
        assert_ptr_not_equal(wk_data_ptr(wk_einops_rearrange(t, "c b a -> (c b a)")), data);
        assert_ptr_equal(wk_data_ptr(wk_einops_repeat(x, "a b c -> r a b c, r=3")), data);
        wk_einops_shapes shapes;
        wk_tensor *packed = wk_einops_pack((x, wk_ones((2, 4))), "a * c", &shapes), *a, *b;
        assert_int_equal(shapes.items[0].ndim, 1);
        assert_int_equal(shapes.items[1].ndim, 0);
        wk_einops_unpack(packed, shapes, "a * c", (&a, &b));
        assert_true(same(a, x) && same(b, wk_ones((2, 4))));
        assert_ptr_equal(wk_data_ptr(a), wk_data_ptr(packed));
        assert_true(same(wk_einops_pack((x), "*", NULL), wk_reshape(x, (-1))));
    }
}

static void long_patterns_are_refused(void **state)
{
    (void)state;
    char pattern[300];
    memset(pattern, ' ', sizeof pattern);
    pattern[sizeof pattern - 1] = '\0';
    wk_error error;
    wk_scope
    wk_try(&error) assert_null(wk_einops_rearrange(wk_ones((2)), pattern, 0));
    assert_non_null(strstr(error.message, "of more than 255 characters"));
    strcpy(pattern, "a b c d e f g h i j k l m n o p q r s t u v w x y z -> a");
    wk_scope
    wk_try(&error) assert_null(wk_einops_rearrange(wk_ones((2)), pattern, 0));
    assert_non_null(strstr(error.message, "there are more than 24"));
    const char *none = NULL;
    wk_scope
    wk_try(&error) assert_null(wk_einops_rearrange(wk_ones((2)), none, 0));
    assert_non_null(strstr(error.message, "pattern: expected a text, got NULL"));
}

/* the order of products is the cheap one, whatever the order of operands */
static void einsum_finds_the_order(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_randn((300, 2), .dtype = wk_float64), *b = wk_randn((2, 300), .dtype = wk_float64);
        wk_tensor *x = wk_randn((300), .dtype = wk_float64);
        const wk_tensor *y = wk_einsum("ij,jk,k->i", a, b, x);
        const wk_tensor *wanted = wk_matmul(a, wk_matmul(b, x));
        assert_true(wk_allclose((wk_tensor *)y, (wk_tensor *)wanted));
        /* nine operands: one after another */
        wk_tensor *m = wk_randn((3, 3), .dtype = wk_float64), *p = wk_eye(3, .dtype = wk_float64);
        for (int i = 0; i < 9; i++)
            p = wk_matmul(p, m);
        assert_true(wk_allclose(wk_einsum("ab,bc,cd,de,ef,fg,gh,hi,ij->aj", m, m, m, m, m, m, m, m, m), p));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_the_ops),     cmocka_unit_test(layers_tell_when_made),
        cmocka_unit_test(views_are_views),        cmocka_unit_test(long_patterns_are_refused),
        cmocka_unit_test(einsum_finds_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
