/* Optimizers step as PyTorch's do, and clipping changes their gradients so; states resume; nothing is half done. */
#include <stdlib.h>

#include "answers.h"

static int setup(void **state)
{
    (void)state;
    return read_answers("optim");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

/* ---------------------------------------------------------------- steps */

typedef wk_optimizer *make_optimizer(wk_tensors params);

static wk_optimizer *sgd(wk_tensors p) { return wk_optim_sgd(p, .lr = 0.1); }
static wk_optimizer *sgd_decay(wk_tensors p) { return wk_optim_sgd(p, 0.1, .weight_decay = 0.2, .maximize = true); }
static wk_optimizer *sgd_momentum(wk_tensors p) { return wk_optim_sgd(p, 0.1, 0.9, .dampening = 0.3); }
static wk_optimizer *sgd_nesterov(wk_tensors p)
{
    return wk_optim_sgd(p, 0.05, .momentum = 0.8, .weight_decay = 0.1, .nesterov = true);
}
static wk_optimizer *sgd_float64(wk_tensors p) { return wk_optim_sgd(p, 0.1, 0.9); }
static wk_optimizer *sgd_bfloat16(wk_tensors p)
{
    return wk_optim_sgd(p, 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true);
}
static wk_optimizer *adam(wk_tensors p) { return wk_optim_adam(p, .lr = 0.01); }
static wk_optimizer *adam_decay(wk_tensors p)
{
    return wk_optim_adam(p, .lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-4, .weight_decay = 0.1);
}
static wk_optimizer *adam_amsgrad(wk_tensors p)
{
    return wk_optim_adam(p, .lr = 0.02, .amsgrad = true, .maximize = true);
}
static wk_optimizer *adamw(wk_tensors p) { return wk_optim_adamw(p, .lr = 0.01); }
static wk_optimizer *adamw_decay(wk_tensors p)
{
    return wk_optim_adamw(p, .lr = 0.03, .betas = {0.9, 0.95}, .weight_decay = 0.3);
}
static wk_optimizer *adamw_amsgrad(wk_tensors p) { return wk_optim_adamw(p, .lr = 0.03, .amsgrad = true); }
static wk_optimizer *adamw_groups(wk_tensors p)
{
    wk_optimizer *optimizer = wk_optim_adamw(((wk_tensors){1, p.items}), .lr = 0.01, .weight_decay = 0.2);
    assert_true(wk_optim_add_param_group(optimizer, ((wk_tensors){1, p.items + 1}), .lr = 0.05, .weight_decay = 0));
    assert_true(optimizer->param_groups[1].adam->betas[1] == 0.999);
    return optimizer;
}

static const struct {
    const char *name;
    make_optimizer *make;
    double tolerance;
} OPTIMIZERS[] = {{"sgd", sgd, 1e-6},
                  {"sgd_decay", sgd_decay, 1e-6},
                  {"sgd_momentum", sgd_momentum, 1e-6},
                  {"sgd_nesterov", sgd_nesterov, 1e-6},
                  {"sgd_float64", sgd_float64, 1e-14},
                  {"sgd_bfloat16", sgd_bfloat16, 0.008},
                  {"adam", adam, 1e-6},
                  {"adam_decay", adam_decay, 1e-6},
                  {"adam_amsgrad", adam_amsgrad, 1e-6},
                  {"adamw", adamw, 1e-6},
                  {"adamw_decay", adamw_decay, 1e-6},
                  {"adamw_amsgrad", adamw_amsgrad, 1e-6},
                  {"adamw_float64", adamw, 1e-13},
                  {"adamw_bfloat16", adamw, 0.008},
                  {"adamw_groups", adamw_groups, 1e-6}};

/* the start of a path, as leaves; column-major ones, which kernels do not take, where asked for */
static void start(const char *name, wk_tensor *params[2], bool transposed)
{
    for (int i = 0; i < 2; i++) {
        params[i] = wk_clone(answer("optim/%s/start%d", name, i));
        if (transposed && i == 0)
            params[i] = wk_t(wk_contiguous(wk_t(params[i])));
        params[i] = wk_requires_grad_(wk_detach(params[i]), true);
    }
}

static void set_gradients(const char *name, wk_tensor *params[2], int64_t step)
{
    for (int i = 0; i < 2; i++) {
        wk_release(params[i]->grad);
        params[i]->grad = wk_retain(wk_select(answer("optim/%s/gradients%d", name, i), 0, step));
    }
}

static void assert_on_path(const char *name, wk_tensor *params[2], int64_t step, double tolerance)
{
    for (int i = 0; i < 2; i++)
        assert_near(name, params[i], wk_select(answer("optim/%s/path%d", name, i), 0, step), tolerance);
}

static void follow(const char *name, make_optimizer *make, double tolerance, bool transposed)
{
    wk_scope
    {
        wk_tensor *params[2];
        start(name, params, transposed);
        wk_optimizer *optimizer = make((wk_tensors){2, params});
        for (int64_t step = 0; step < 20; step++)
        {
            wk_scope
            {
                set_gradients(name, params, step);
                assert_true(wk_optim_step(optimizer));
                assert_on_path(name, params, step, tolerance);
            }
        }
        wk_optim_free(optimizer);
    }
}

static void steps_are_pytorchs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof OPTIMIZERS / sizeof *OPTIMIZERS; i++)
        follow(OPTIMIZERS[i].name, OPTIMIZERS[i].make, OPTIMIZERS[i].tolerance, false);
}

static void steps_by_ops_are_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof OPTIMIZERS / sizeof *OPTIMIZERS; i++)
        follow(OPTIMIZERS[i].name, OPTIMIZERS[i].make, OPTIMIZERS[i].tolerance, true);
}

/* ten steps, the state taken to an optimizer made anew, ten more */
static void resume(const char *name, make_optimizer *make, double tolerance)
{
    wk_tensor *params[2];
    start(name, params, false);
    wk_optimizer *optimizer = make((wk_tensors){2, params});
    for (int64_t step = 0; step < 20; step++) {
        if (step == 10) {
            wk_dict *saved = wk_optim_state_dict(optimizer);
            wk_optimizer *resumed = make((wk_tensors){2, params});
            resumed->param_groups[0].lr = 7;
            assert_true(wk_optim_load_state_dict(resumed, saved));
            assert_true(resumed->param_groups[0].lr == optimizer->param_groups[0].lr);
            wk_dict_free(saved);
            wk_optim_free(optimizer);
            optimizer = resumed;
        }
        set_gradients(name, params, step);
        assert_true(wk_optim_step(optimizer));
        assert_on_path(name, params, step, tolerance);
    }
    wk_optim_free(optimizer);
}

static void states_resume(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof OPTIMIZERS / sizeof *OPTIMIZERS; i++)
        wk_scope
    resume(OPTIMIZERS[i].name, OPTIMIZERS[i].make, OPTIMIZERS[i].tolerance);
}

/* a number of the state dict, or a tensor of it, is PyTorch's */
static void assert_in_state(const char *name, wk_dict *state, const char *key, wk_tensor *expected, double tolerance)
{
    if (strncmp(key, "param_groups.", 13) != 0)
        assert_near(name, wk_dict_get(state, key), expected, tolerance);
    else if (!wk_dict_text(state, key) || wk_dict_number(state, key, NAN) != wk_item(expected))
        fail_msg("%s: %s is %s, expected %g", name, key, wk_dict_text(state, key), wk_item(expected));
}

/* after 20 steps: the same keys, the same values */
static void check_state_dict(const char *name, make_optimizer *make, double tolerance)
{
    wk_tensor *params[2];
    start(name, params, false);
    wk_optimizer *optimizer = make((wk_tensors){2, params});
    for (int64_t step = 0; step < 20; step++) {
        set_gradients(name, params, step);
        assert_true(wk_optim_step(optimizer));
    }
    char prefix[80];
    snprintf(prefix, sizeof prefix, "optim/%s/state_dict/", name);
    wk_dict *saved = wk_optim_state_dict(optimizer), *expected = wk_dict_part(answers, prefix);
    for (int64_t k = 0; k < wk_dict_count(expected); k++)
        assert_in_state(name, saved, wk_dict_key_at(expected, k), wk_dict_value_at(expected, k), tolerance);
    /* and "params" of each group */
    assert_int_equal(wk_dict_count(saved) + wk_dict_text_count(saved),
                     wk_dict_count(expected) + optimizer->param_group_count);
    wk_dict_free(expected);
    wk_dict_free(saved);
    wk_optim_free(optimizer);
}

static void state_dicts_are_pytorchs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof OPTIMIZERS / sizeof *OPTIMIZERS; i++)
        wk_scope
    check_state_dict(OPTIMIZERS[i].name, OPTIMIZERS[i].make, OPTIMIZERS[i].tolerance);
}

/* A group takes every option of its class, and what it is not told from the optimizer. */
static void groups_have_all_options(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true), *b = wk_ones((3), .requires_grad = true),
                  *c = wk_ones((3), .requires_grad = true);
        wk_optimizer *sgd = wk_optim_sgd(WK_TENSORS(a), 0.1, 0.9, .weight_decay = 0.2, .nesterov = true);
        assert_true(wk_optim_add_param_group(sgd, WK_TENSORS(b)));
        assert_true(wk_optim_add_param_group(sgd, WK_TENSORS(c), .lr = 0, .momentum = 0.5, .dampening = 0.25,
                                             .weight_decay = 0, .nesterov = false, .maximize = true));
        const wk_param_group *groups = sgd->param_groups;
        assert_true(groups[1].lr == 0.1 && groups[1].weight_decay == 0.2 && !groups[1].adam);
        assert_memory_equal(groups[1].sgd, groups[0].sgd, sizeof *groups[0].sgd);
        assert_true(groups[2].lr == 0 && groups[2].weight_decay == 0 && groups[2].sgd->momentum == 0.5 &&
                    groups[2].sgd->dampening == 0.25 && !groups[2].sgd->nesterov && groups[2].sgd->maximize);
        wk_optimizer *adam = wk_optim_adamw(WK_TENSORS(a), .betas = {0.8, 0.95}, .amsgrad = true);
        assert_true(wk_optim_add_param_group(adam, WK_TENSORS(b)));
        assert_true(wk_optim_add_param_group(adam, WK_TENSORS(c), .betas = {0.1, 0.2}, .eps = 1, .amsgrad = false,
                                             .maximize = true));
        groups = adam->param_groups;
        assert_memory_equal(groups[1].adam, groups[0].adam, sizeof *groups[0].adam);
        assert_true(groups[1].weight_decay == 1e-2 && groups[1].adam->betas[0] == 0.8 && groups[1].adam->amsgrad);
        assert_true(groups[2].adam->betas[1] == 0.2 && groups[2].adam->eps == 1 && !groups[2].adam->amsgrad);
        wk_optim_free(adam);
        wk_optim_free(sgd);
    }
}

static void thousands_of_parameters(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static wk_tensor *params[COUNT];
    wk_scope
    {
        for (int i = 0; i < COUNT; i++)
            params[i] = wk_ones((2), .requires_grad = true);
        wk_optimizer *optimizer = wk_optim_sgd(((wk_tensors){COUNT - 1, params}), .lr = 0.1);
        for (int i = 0; i < COUNT - 1; i += 7) {
            wk_error err;
            wk_try(&err) assert_false(wk_optim_add_param_group(optimizer, WK_TENSORS(params[COUNT - 1], params[i])));
            assert_non_null(strstr(err.message, "params[1]: of shape (2,) is in the optimizer already"));
        }
        assert_true(wk_optim_add_param_group(optimizer, WK_TENSORS(params[COUNT - 1])));
        wk_optim_free(optimizer);
    }
}

static void parameters_without_grad_stay(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true), *b = wk_ones((2), .requires_grad = true);
        wk_optimizer *optimizer = wk_optim_adamw(WK_TENSORS(a, b), .lr = 0.1);
        wk_backward(wk_sum(wk_mul(a, 3)));
        assert_true(wk_optim_step(optimizer));
        assert_true(wk_item(wk_select(a, 0, 0)) < 1 && wk_item(wk_select(b, 0, 0)) == 1);
        wk_optim_zero_grad(optimizer, .set_to_none = false);
        assert_true(a->grad && wk_item(wk_sum(a->grad)) == 0);
        wk_optim_zero_grad(optimizer);
        assert_null(a->grad);
        wk_optim_free(optimizer);
    }
}

/* ---------------------------------------------------------------- what is refused */

static void a_pending_error_stops_the_step(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true);
        wk_optimizer *optimizer = wk_optim_sgd(WK_TENSORS(a), .lr = 0.1);
        wk_backward(wk_sum(a));
        wk_error err;
        wk_try (&err) {
            wk_reshape(a, (2, 2));
            assert_false(wk_optim_step(optimizer));
        }
        assert_true(err.set);
        assert_true(wk_item(wk_sum(a)) == 3);
        wk_optim_free(optimizer);
    }
}

static void wrong_arguments_are_errors(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true), *b = wk_mul(a, 2),
                  *whole = wk_zeros((2), .dtype = wk_int64);
        assert_fails(wk_optim_sgd(WK_TENSORS(a), .lr = -1), "lr: expected 0 or more, got -1");
        assert_fails(wk_optim_adamw(WK_TENSORS(a), .betas = {0.9, 1}), "betas[1]");
        assert_fails(wk_optim_adam(WK_TENSORS(a), .betas = {1.5, 0.9}),
                     "betas[0]: expected 0 or more, and less than 1, got 1.5");
        assert_fails(wk_optim_sgd(WK_TENSORS(a), .dampening = NAN), "dampening: expected a number, got nan");
        assert_fails(wk_optim_sgd(WK_TENSORS(a), .nesterov = true), "nesterov");
        assert_fails(wk_optim_sgd((wk_tensors){0}), "empty list");
        assert_fails(wk_optim_sgd(WK_TENSORS(b)), "only leaves");
        assert_fails(wk_optim_sgd(WK_TENSORS(whole)), "floating");
        assert_fails(wk_optim_sgd(WK_TENSORS(a, a)), "already");
        assert_fails(wk_optim_step(NULL), "optimizer: expected an optimizer, got NULL");
        wk_optimizer *optimizer = wk_optim_sgd(WK_TENSORS(a));
        assert_fails(wk_optim_add_param_group(optimizer, WK_TENSORS(a)), "already");
        assert_fails(wk_optim_add_param_group(optimizer, WK_TENSORS(wk_ones((2))), .momentum = -1),
                     "momentum: expected 0");
        assert_fails(wk_optim_add_param_group(optimizer, WK_TENSORS(wk_ones((2))), .betas = {0.1, 0.2}),
                     "an option is given that sgd does not have");
        assert_int_equal(optimizer->param_group_count, 1);
        wk_dict *empty = wk_dict_new();
        assert_fails(wk_optim_load_state_dict(optimizer, empty), "group 0");
        wk_dict_free(empty);
        wk_optim_free(optimizer);
    }
}

static void a_state_of_another_shape_changes_nothing(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true), *b = wk_ones((4), .requires_grad = true);
        wk_optimizer *first = wk_optim_adam(WK_TENSORS(a)), *second = wk_optim_adam(WK_TENSORS(b), .lr = 5);
        wk_backward(wk_sum(a));
        wk_optim_step(first);
        wk_dict *saved = wk_optim_state_dict(first);
        assert_int_equal(wk_dict_count(saved), 3);
        assert_string_equal(wk_dict_key_at(saved, 0), "state.0.exp_avg");
        assert_fails(wk_optim_load_state_dict(second, saved), "state.0.exp_avg has shape (3,), its parameter (4,)");
        assert_true(second->param_groups[0].lr == 5);
        wk_dict_free(saved);
        wk_optim_free(first);
        wk_optim_free(second);
    }
}

/* every allocation of a step in turn: parameters move all or not at all */
static void a_step_without_memory_moves_nothing(void **state)
{
    (void)state;
    wk_scope
    {
        bool moved = false;
        for (int64_t allocation = 0; !moved; allocation++)
            wk_scope
            {
                wk_tensor *a = wk_ones((3), .requires_grad = true), *b = wk_ones((2), .requires_grad = true);
                wk_optimizer *optimizer = wk_optim_adamw(WK_TENSORS(a, b), .lr = 0.1);
                wk_backward(wk_add(wk_sum(a), wk_sum(b)));
                wk_error err;
                wk_try (&err) {
                    wk_memory_fail_after(allocation);
                    moved = wk_optim_step(optimizer);
                    wk_memory_fail_after(-1);
                }
                assert_true(moved == !err.set);
                assert_true((wk_item(wk_sum(a)) == 3) == !moved);
                assert_true((wk_item(wk_sum(b)) == 2) == !moved);
                wk_optim_free(optimizer);
            }
    }
}

/* ---------------------------------------------------------------- clipping */

static void check_clip(const char *name, double max_norm, double norm_type)
{
    wk_scope
    {
        wk_tensor *a = wk_zeros((3, 5), .requires_grad = true), *b = wk_zeros((4), .requires_grad = true);
        wk_tensor *none = wk_zeros((2), .requires_grad = true);
        a->grad = wk_retain(wk_clone(answer("clip/%s/before0", name)));
        b->grad = wk_retain(wk_clone(answer("clip/%s/before1", name)));
        wk_tensor *norm = wk_nn_utils_clip_grad_norm_(WK_TENSORS(a, none, b), max_norm, .norm_type = norm_type);
        assert_near(name, norm, answer("clip/%s/norm", name), 1e-6);
        assert_near(name, a->grad, answer("clip/%s/after0", name), 1e-6);
        assert_near(name, b->grad, answer("clip/%s/after1", name), 1e-6);
        assert_true(wk_nn_utils_clip_grad_value_(WK_TENSORS(a, none, b), 0.01));
        assert_true(wk_item(wk_amax(wk_abs(a->grad))) <= 0.01f);
    }
}

static void clipping_is_pytorchs(void **state)
{
    (void)state;
    check_clip("two", 1, 2);
    check_clip("small", 1, 2);
    check_clip("one", 2, 1);
    check_clip("three", 2, 3);
    check_clip("infinity", 0.5, INFINITY);
    wk_scope
    {
        wk_tensor *a = wk_zeros((2), .requires_grad = true);
        assert_true(wk_item(wk_nn_utils_clip_grad_norm_(WK_TENSORS(a), 1)) == 0);
        a->grad = wk_retain(wk_full((2), (double)INFINITY));
        assert_fails(wk_nn_utils_clip_grad_norm_(WK_TENSORS(a), 1, .error_if_nonfinite = true), "inf");
    }
}

static void nothing_leaks(void **state)
{
    (void)state;
    const int64_t before = wk_memory_get_stats().live_blocks;
    wk_scope
    {
        follow("adamw_amsgrad", adamw_amsgrad, 1e-6, false);
    }
    assert_int_equal(wk_memory_get_stats().live_blocks, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_pytorchs),
        cmocka_unit_test(steps_by_ops_are_the_same),
        cmocka_unit_test(states_resume),
        cmocka_unit_test(state_dicts_are_pytorchs),
        cmocka_unit_test(groups_have_all_options),
        cmocka_unit_test(thousands_of_parameters),
        cmocka_unit_test(parameters_without_grad_stay),
        cmocka_unit_test(a_pending_error_stops_the_step),
        cmocka_unit_test(wrong_arguments_are_errors),
        cmocka_unit_test(a_state_of_another_shape_changes_nothing),
        cmocka_unit_test(a_step_without_memory_moves_nothing),
        cmocka_unit_test(clipping_is_pytorchs),
        cmocka_unit_test(nothing_leaks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
