/* Optimizers step as PyTorch's do, whatever the layout, and clipping changes their gradients so; states resume. */
#include <stdlib.h>

#include "answers.h"
#include "mirror.h"

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
static wk_optimizer *adam(wk_tensors p) { return wk_optim_adam(p, .lr = 0.01); }
static wk_optimizer *adam_decay(wk_tensors p)
{
    return wk_optim_adam(p, .lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-4, .weight_decay = 0.1);
}
static wk_optimizer *adam_amsgrad(wk_tensors p)
{
    return wk_optim_adam(p, .lr = 0.02, .amsgrad = true, .maximize = true);
}
static wk_optimizer *adam_largest(wk_tensors p)
{
    return wk_optim_adam(p, .lr = 0.02, .eps = 1e-4, .amsgrad = true, .maximize = true);
}
static wk_optimizer *adam_slow(wk_tensors p) { return wk_optim_adam(p, .lr = 0.02, .betas = {0.3, 0.4}); }
static wk_optimizer *adamw(wk_tensors p) { return wk_optim_adamw(p, .lr = 0.01); }
static wk_optimizer *adamw_decay(wk_tensors p)
{
    return wk_optim_adamw(p, .lr = 0.03, .betas = {0.9, 0.95}, .weight_decay = 0.3);
}
static wk_optimizer *adamw_eps(wk_tensors p)
{
    return wk_optim_adamw(p, .lr = 0.03, .betas = {0.9, 0.95}, .eps = 1e-4, .weight_decay = 0.3);
}
static wk_optimizer *adamw_amsgrad(wk_tensors p) { return wk_optim_adamw(p, .lr = 0.03, .amsgrad = true); }
static wk_optimizer *adamw_groups(wk_tensors p)
{
    wk_optimizer *optimizer = wk_optim_adamw(((wk_tensors){1, p.items}), .lr = 0.01, .weight_decay = 0.2);
    assert_true(wk_optim_add_param_group(optimizer, ((wk_tensors){1, p.items + 1}), .lr = 0.05, .weight_decay = 0));
    assert_true(optimizer->param_groups[1].adam->betas[1] == 0.999);
    return optimizer;
}

static wk_optimizer *rmsprop(wk_tensors p) { return wk_optim_rmsprop(p); }
static wk_optimizer *rmsprop_decay(wk_tensors p)
{
    return wk_optim_rmsprop(p, .lr = 0.02, .alpha = 0.9, .eps = 1e-4, .weight_decay = 0.1, .maximize = true);
}
static wk_optimizer *rmsprop_momentum(wk_tensors p) { return wk_optim_rmsprop(p, 0.01, .momentum = 0.9); }
static wk_optimizer *rmsprop_centered(wk_tensors p) { return wk_optim_rmsprop(p, 0.01, .centered = true); }
static wk_optimizer *rmsprop_all(wk_tensors p)
{
    return wk_optim_rmsprop(p, .lr = 0.02, .alpha = 0.8, .weight_decay = 0.1, .momentum = 0.7, .centered = true);
}
static wk_optimizer *rmsprop_float64(wk_tensors p)
{
    return wk_optim_rmsprop(p, 0.02, 0.8, .momentum = 0.7, .centered = true);
}
static wk_optimizer *rmsprop_eps(wk_tensors p) { return wk_optim_rmsprop(p, 0.01, .eps = 1e-4); }
static wk_optimizer *rmsprop_both(wk_tensors p)
{
    return wk_optim_rmsprop(p, 0.02, 0.8, 1e-2, 0.1, .momentum = 0.7, .centered = true);
}

static wk_optimizer *adagrad(wk_tensors p) { return wk_optim_adagrad(p); }
static wk_optimizer *adagrad_decay(wk_tensors p)
{
    return wk_optim_adagrad(p, 0.1, .lr_decay = 0.2, .weight_decay = 0.1, .maximize = true);
}
static wk_optimizer *adagrad_initial(wk_tensors p)
{
    return wk_optim_adagrad(p, .lr = 0.05, .initial_accumulator_value = 0.5, .eps = 0.1);
}
static wk_optimizer *adagrad_all(wk_tensors p) { return wk_optim_adagrad(p, 0.1, 0.05, 0.3, 2, 1e-3); }
static wk_optimizer *adagrad_float64(wk_tensors p)
{
    return wk_optim_adagrad(p, 0.1, 0.2, .initial_accumulator_value = 0.1);
}
static wk_optimizer *adagrad_eps(wk_tensors p) { return wk_optim_adagrad(p, 0.1, .eps = 1e-3); }
static wk_optimizer *adagrad_both(wk_tensors p) { return wk_optim_adagrad(p, 0.1, 0.05, 0.3, 2, 1e-2, true); }

static wk_optimizer *lion(wk_tensors p) { return wk_optim_lion(p); }
static wk_optimizer *lion_both(wk_tensors p) { return wk_optim_lion(p, 0.02, {0.8, 0.95}, .weight_decay = 0.3); }
static wk_optimizer *lion_float64(wk_tensors p) { return wk_optim_lion(p, 0.01); }
static wk_optimizer *muon(wk_tensors p) { return wk_optim_muon(p); }
static wk_optimizer *muon_decay(wk_tensors p)
{
    return wk_optim_muon(p, 0.02, .weight_decay = 0.3, .momentum = 0.8, .nesterov = false);
}
static wk_optimizer *muon_adamw(wk_tensors p) { return wk_optim_muon(p, 0.02, .adjust_lr_fn = "match_rms_adamw"); }
static wk_optimizer *muon_spectral(wk_tensors p)
{
    return wk_optim_muon(p, 0.02, .ns_coefficients = {2, -1.5, 0.5}, .ns_steps = 3, .eps = 1e-5,
                         .adjust_lr_fn = "spectral_unclamped");
}
static wk_optimizer *muon_fast(wk_tensors p) { return wk_optim_muon(p, 0.02); }

static const struct {
    const char *name;
    make_optimizer *make;
    double tolerance;
} OPTIMIZERS[] = {{"sgd", sgd, 1e-6},
                  {"sgd_decay", sgd_decay, 1e-6},
                  {"sgd_momentum", sgd_momentum, 1e-6},
                  {"sgd_nesterov", sgd_nesterov, 1e-6},
                  {"sgd_float64", sgd_float64, 1e-14},
                  {"adam", adam, 1e-6},
                  {"adam_decay", adam_decay, 1e-6},
                  {"adam_amsgrad", adam_amsgrad, 1e-6},
                  {"adamw", adamw, 1e-6},
                  {"adamw_decay", adamw_decay, 1e-6},
                  {"adamw_amsgrad", adamw_amsgrad, 1e-6},
                  {"adamw_float64", adamw, 1e-13},
                  {"adamw_groups", adamw_groups, 1e-6},
                  {"adam_slow", adam_slow, 1e-6},
                  {"sgd_plain_float16", sgd_decay, 0},
                  {"sgd_plain_bfloat16", sgd_decay, 0},
                  {"sgd_dampening_float16", sgd_momentum, 0},
                  {"sgd_dampening_bfloat16", sgd_momentum, 0},
                  {"sgd_both_float16", sgd_nesterov, 0},
                  {"sgd_both_bfloat16", sgd_nesterov, 0},
                  {"adam_eps_float16", adam_decay, 0},
                  {"adam_eps_bfloat16", adam_decay, 0},
                  {"adam_largest_float16", adam_largest, 0},
                  {"adam_largest_bfloat16", adam_largest, 0},
                  {"adamw_eps_float16", adamw_eps, 0},
                  {"adamw_eps_bfloat16", adamw_eps, 0},
                  {"rmsprop", rmsprop, 1e-6},
                  {"rmsprop_decay", rmsprop_decay, 1e-6},
                  {"rmsprop_momentum", rmsprop_momentum, 1e-6},
                  {"rmsprop_centered", rmsprop_centered, 1e-6},
                  {"rmsprop_all", rmsprop_all, 1e-6},
                  {"rmsprop_float64", rmsprop_float64, 1e-13},
                  {"rmsprop_eps_float16", rmsprop_eps, 0},
                  {"rmsprop_eps_bfloat16", rmsprop_eps, 0},
                  {"rmsprop_both_float16", rmsprop_both, 0},
                  {"rmsprop_both_bfloat16", rmsprop_both, 0},
                  {"adagrad", adagrad, 1e-6},
                  {"adagrad_decay", adagrad_decay, 1e-6},
                  {"adagrad_initial", adagrad_initial, 1e-6},
                  {"adagrad_all", adagrad_all, 1e-6},
                  {"adagrad_float64", adagrad_float64, 1e-13},
                  {"adagrad_eps_float16", adagrad_eps, 0},
                  {"adagrad_eps_bfloat16", adagrad_eps, 0},
                  {"adagrad_both_float16", adagrad_both, 0},
                  {"adagrad_both_bfloat16", adagrad_both, 0},
                  {"lion", lion, 1e-6},
                  {"lion_decay", lion_both, 1e-6},
                  {"lion_float64", lion_float64, 1e-14},
                  {"lion_both_float16", lion_both, 0},
                  {"lion_both_bfloat16", lion_both, 0},
                  /* matrices in bfloat16, whose products add up in another order */
                  {"muon", muon, 1e-4},
                  {"muon_decay", muon_decay, 2e-3},
                  {"muon_adamw", muon_adamw, 2e-3},
                  {"muon_spectral", muon_spectral, 2e-3},
                  {"muon_bfloat16", muon_fast, 2e-2},
                  {"muon_float64", muon_fast, 2e-3}};

enum { PLAIN, COLUMNS, STRIDED, LAYOUTS };

static wk_device device = {WK_CPU, 0}; // where parameters and gradients are

/* the same values, otherwise laid out */
static wk_tensor *laid_out(wk_tensor *x, int layout)
{
    x = wk_to(x, device);
    wk_tensor *y = wk_clone(x);
    if (layout == COLUMNS && x->ndim == 2)
        y = wk_t(wk_contiguous(wk_t(x)));
    if (layout == STRIDED)
        y = wk_select(wk_stack((wk_zeros_like(x), x), -1), -1, 1);
    return y;
}

/* the start of a path, as leaves */
static void start(const char *name, wk_tensor *params[2], int layout)
{
    for (int i = 0; i < 2; i++)
        params[i] = wk_requires_grad_(wk_detach(laid_out(answer("optim/%s/start%d", name, i), layout)), true);
}

static void set_gradients(const char *name, wk_tensor *params[2], int64_t step, int layout)
{
    for (int i = 0; i < 2; i++) {
        wk_release(params[i]->grad);
        params[i]->grad = wk_retain(laid_out(wk_select(answer("optim/%s/gradients%d", name, i), 0, step), layout));
    }
}

static void assert_on_path(const char *name, wk_tensor *params[2], int64_t step, double tolerance)
{
    for (int i = 0; i < 2; i++)
        assert_near(name, wk_to(params[i], wk_cpu), wk_select(answer("optim/%s/path%d", name, i), 0, step), tolerance);
}

static void follow(const char *name, make_optimizer *make, double tolerance, int layout, int layout_of_gradients)
{
    wk_scope
    {
        wk_tensor *params[2];
        start(name, params, layout);
        wk_optimizer *optimizer = make((wk_tensors){2, params});
        for (int64_t step = 0; step < 20; step++)
        {
            wk_scope
            {
                set_gradients(name, params, step, layout_of_gradients);
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
        for (int layout = 0; layout < LAYOUTS * LAYOUTS; layout++)
            follow(OPTIMIZERS[i].name, OPTIMIZERS[i].make, OPTIMIZERS[i].tolerance, layout / LAYOUTS, layout % LAYOUTS);
}

/* ten steps, the state taken to an optimizer made anew, ten more */
static void resume(const char *name, make_optimizer *make, double tolerance)
{
    wk_tensor *params[2];
    start(name, params, PLAIN);
    wk_optimizer *optimizer = make((wk_tensors){2, params});
    for (int64_t step = 0; step < 20; step++) {
        if (step == 10) {
            wk_dict *saved = wk_optim_state_dict(optimizer);
            for (int64_t k = 0; k < wk_dict_count(saved); k++)
                wk_dict_set(saved, wk_dict_key_at(saved, k), wk_to(wk_dict_value_at(saved, k), wk_cpu));
            wk_optimizer *resumed = make((wk_tensors){2, params});
            resumed->param_groups[0].lr = 7;
            assert_true(wk_optim_load_state_dict(resumed, saved));
            assert_true(resumed->param_groups[0].lr == optimizer->param_groups[0].lr);
            wk_dict_free(saved);
            wk_optim_free(optimizer);
            optimizer = resumed;
        }
        set_gradients(name, params, step, PLAIN);
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
        assert_near(name, wk_to(wk_dict_get(state, key), wk_cpu), expected, tolerance);
    else if (!wk_dict_text(state, key) || wk_dict_number(state, key, NAN) != wk_item(expected))
        fail_msg("%s: %s is %s, expected %g", name, key, wk_dict_text(state, key), wk_item(expected));
}

/* after 20 steps: the same keys, the same values */
static void check_state_dict(const char *name, make_optimizer *make, double tolerance)
{
    wk_tensor *params[2];
    start(name, params, PLAIN);
    wk_optimizer *optimizer = make((wk_tensors){2, params});
    for (int64_t step = 0; step < 20; step++) {
        set_gradients(name, params, step, PLAIN);
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

/* ---------------------------------------------------------------- clipping */

static void check_clip(const char *name, double max_norm, double norm_type)
{
    wk_scope
    {
        wk_tensor *a = wk_zeros((3, 5), .requires_grad = true, .device = device);
        wk_tensor *b = wk_zeros((4), .requires_grad = true), *none = wk_zeros((2), .requires_grad = true);
        a->grad = wk_retain(wk_to(wk_clone(answer("clip/%s/before0", name)), device));
        b->grad = wk_retain(wk_clone(answer("clip/%s/before1", name)));
        wk_tensor *norm = wk_nn_utils_clip_grad_norm_(WK_TENSORS(a, none, b), max_norm, .norm_type = norm_type);
        assert_true(norm->device.type == device.type);
        assert_near(name, wk_to(norm, wk_cpu), answer("clip/%s/norm", name), 1e-6);
        assert_near(name, wk_to(a->grad, wk_cpu), answer("clip/%s/after0", name), 1e-6);
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

/* all of it on a device whose memory the host cannot touch and whose kernels run later; states come from the CPU */
static void on_a_device_all_is_the_same(void **state)
{
    mirror_start();
    device = mirror;
    steps_are_pytorchs(state);
    states_resume(state);
    state_dicts_are_pytorchs(state);
    clipping_is_pytorchs(state);
    device = wk_cpu;
}

static void nothing_leaks(void **state)
{
    (void)state;
    const int64_t before = wk_memory_get_stats().live_blocks;
    wk_scope
    {
        follow("adamw_amsgrad", adamw_amsgrad, 1e-6, COLUMNS, STRIDED);
    }
    assert_int_equal(wk_memory_get_stats().live_blocks, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_pytorchs),
        cmocka_unit_test(states_resume),
        cmocka_unit_test(state_dicts_are_pytorchs),
        cmocka_unit_test(clipping_is_pytorchs),
        cmocka_unit_test(nothing_leaks),
        cmocka_unit_test(on_a_device_all_is_the_same),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
