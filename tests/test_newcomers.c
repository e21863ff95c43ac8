/* What a newcomer gets wrong on the first days, and what the message then tells to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

static wk_module *conv, *grey, *linear, *flat, *table;
static wk_tensor *weight; // requires grad

static wk_tensor *floats(void) { return wk_zeros((2, 3)); }
static wk_tensor *backward_twice(void)
{
    wk_tensor *loss = wk_sum(wk_exp(weight));
    wk_backward(loss);
    wk_backward(loss);
    return NULL;
}
static wk_tensor *backward_of(wk_tensor *x)
{
    wk_backward(x);
    return NULL;
}
static wk_tensor *without_grad(void)
{
    wk_tensor *loss = NULL;
    wk_no_grad loss = wk_sum(weight);
    return backward_of(loss);
}
static wk_tensor *optimizer_of(wk_tensors params)
{
    wk_optim_free(wk_optim_sgd(params, .lr = 0.1));
    return NULL;
}
static wk_tensor *item_of(wk_tensor *x)
{
    wk_item(x);
    return NULL;
}
#define INTS(...) wk_zeros(__VA_ARGS__, .dtype = wk_int64)

/* X(call, part of the message) */
#define MISTAKES(X)                                                                                                    \
    X(wk_forward(conv, wk_zeros((2, 1, 8, 8))), "x: expected 3 channels")                                              \
    X(wk_forward(conv, wk_zeros((2, 8, 8, 3))), "hint: channels come before height and width: wk_permute(x, (0, 3, 1") \
    X(wk_forward(conv, wk_zeros((8, 8, 3))), "hint: channels come before height and width: wk_permute(x, (2, 0, 1))")  \
    X(wk_forward(grey, wk_zeros((8, 8))), "hint: one sample of one channel: wk_unsqueeze(x, 0)")                       \
    X(wk_forward(grey, wk_zeros((5, 8, 8))), "of samples of one: wk_unsqueeze(x, 1)")                                  \
    X(wk_forward(conv, wk_zeros((2, 3, 8, 8), .dtype = wk_uint8)), "hint: convert one: wk_to(x, wk_float32)")          \
    X(wk_forward(conv, wk_zeros((2, 3, 8, 8), .dtype = wk_float64)), "hint: convert one: wk_to(x, wk_float32)")        \
    X(wk_forward(linear, INTS((2, 4))), "hint: convert one: wk_to(x, wk_float32)")                                     \
    X(wk_forward(linear, wk_zeros((2, 4), .dtype = wk_float64)), "hint: convert one: wk_to(x, wk_float32)")            \
    X(wk_matmul(floats(), INTS((3, 2))), "hint: convert one: wk_to(b, wk_float32)")                                    \
    X(wk_matmul(INTS((2, 3)), wk_zeros((3, 2))), "hint: convert one: wk_to(a, wk_float32)")                            \
    X(wk_matmul(floats(), floats()), "wk_matmul(a, wk_transpose(b, -2, -1)) would fit")                                \
    X(wk_forward(linear, wk_zeros((2, 5))), "expected last dim 4, got 5")                                              \
    X(wk_forward(flat, wk_zeros((2, 8, 8))), "wk_flatten(x, 1) would fit")                                             \
    X(wk_forward(flat, wk_zeros((2, 1, 8, 8))), "wk_flatten(x, 2) would fit")                                          \
    X(wk_cross_entropy(floats(), wk_zeros((2))), "hint: classes are integers: wk_to(target, wk_int64)")                \
    X(wk_cross_entropy(floats(), INTS((2, 3))), "classes of one-hot rows: wk_argmax(target, 1)")                       \
    X(wk_cross_entropy(floats(), INTS((2, 1))), "hint: wk_squeeze(target, -1)")                                        \
    X(wk_cross_entropy(floats(), wk_zeros((2), .dtype = wk_int32)), "hint: wk_to(target, wk_int64)")                   \
    X(wk_cross_entropy(INTS((2)), floats()), "hint: the logits come first, then the target")                           \
    X(wk_cross_entropy(wk_zeros((2, 5, 3)), INTS((2, 5))), "hint: classes are dim 1 of x: wk_transpose(x, 1, -1)")     \
    X(wk_cross_entropy(floats(), wk_full((2), 3, .dtype = wk_int64)), "expected classes from 0 to 2")                  \
    X(wk_binary_cross_entropy_with_logits(wk_zeros((4, 1)), wk_zeros((4))), "hint: wk_view_as(target, x)")             \
    X(wk_binary_cross_entropy(wk_full((4), 2.0), wk_zeros((4))), "binary_cross_entropy_with_logits takes any number")  \
    X(wk_binary_cross_entropy(wk_zeros((4)), INTS((4))), "hint: wk_to(target, wk_float32)")                            \
    X(wk_view(wk_t(floats()), (6)), "hint: use wk_reshape")                                                            \
    X(wk_reshape(floats(), (4, -1)), "(4, -1) does not fit the 6 elements of (2, 3)")                                  \
    X(wk_add_(weight, 1), "hint: write inside wk_no_grad { }")                                                         \
    X(backward_twice(), "hint: pass .retain_graph = true")                                                             \
    X(backward_of(wk_exp(weight)), "hint: reduce it first")                                                            \
    X(backward_of(wk_sum(floats())), "hint: wk_requires_grad_ the leaves")                                             \
    X(without_grad(), "mind wk_no_grad")                                                                               \
    X(optimizer_of((wk_tensors){0}), "hint: wk_module_parameters(model)")                                              \
    X(wk_add(floats(), wk_zeros((2))), "hint: sizes are compared from the last dim")                                   \
    X(wk_cat((floats(), wk_zeros((2)))), "hint: wk_unsqueeze")                                                         \
    X(wk_forward(table, floats()), "hint: wk_to(indices, wk_int64)")                                                   \
    X(wk_embedding(floats(), INTS((2, 3))), "hint: the indices come first, then the table")                            \
    X(wk_forward(table, wk_full((2), 10, .dtype = wk_int64)), "10 is out of range")                                    \
    X(wk_mean(INTS((3))), "hint: wk_mean(x, (), .dtype = wk_float32)")                                                 \
    X(item_of(floats()), "hint: reduce it first, or wk_tolist")                                                        \
    X(wk_masked_fill(floats(), floats(), 0), "hint: masks come from comparisons")                                      \
    X(wk_one_hot(floats()), "hint: wk_to(x, wk_int64)")

#define CALL(call, part) {#call, part},
static const struct {
    const char *call, *part;
} TOLD[] = {MISTAKES(CALL)};

static void test_mistakes(void **state)
{
    (void)state;
    conv = wk_nn_conv2d(3, 4, 3);
    grey = wk_nn_conv2d(1, 4, 3);
    linear = wk_nn_linear(4, 2);
    flat = wk_nn_linear(64, 10);
    table = wk_nn_embedding(10, 4);
    size_t i = 0;
    wk_error error;
    wk_scope
    {
        weight = wk_requires_grad_(wk_ones((3)), true);
#define RUN(call_, part_)                                                                                              \
    wk_try(&error) assert_null(call_);                                                                                 \
    if (!error.set || !strstr(error.message, part_))                                                                   \
        fail_msg("%s: expected \"%s\" in \"%s\"", TOLD[i].call, part_, error.set ? error.message : "(no error)");      \
    i++;
        MISTAKES(RUN)
    }
    wk_module *modules[] = {conv, grey, linear, flat, table};
    for (size_t m = 0; m < sizeof modules / sizeof *modules; m++)
        wk_module_free(modules[m]);
}

/* what is hardly meant is said once, and goes on */
static void test_warnings(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *before = stderr;
    stderr = open_memstream(&text, &size);
    wk_module *model = wk_nn_linear(2, 1);
    wk_scope
    {
        for (int i = 0; i < 2; i++) {
            assert_non_null(wk_mse_loss(wk_zeros((4, 1)), wk_zeros((4))));
            wk_optim_free(wk_optim_sgd(wk_module_parameters(model), .lr = 1 / 1000));
        }
        wk_optim_free(wk_optim_sgd(wk_module_parameters(model), .lr = 1e-3));
        assert_non_null(wk_mse_loss(wk_zeros((4)), wk_zeros((4))));
    }
    fclose(stderr);
    stderr = before;
    wk_module_free(model);
    const char *loss = strstr(text, "wick warning in mse_loss: target: its shape (4,) is not x's, (4, 1)");
    const char *lr = strstr(text, "wick warning in sgd: lr: is 0");
    assert_non_null(loss);
    assert_non_null(lr);
    assert_non_null(strstr(text, "hint: 1 / 1000 is 0 in C: write 1e-3"));
    assert_null(strstr(loss + 1, "wick warning in mse_loss"));
    assert_null(strstr(lr + 1, "wick warning in sgd"));
    free(text);
}

int main(void)
{
    setenv("WICK_TRACEBACK", "off", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
