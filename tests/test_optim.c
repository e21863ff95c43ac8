/* Optimizers step as PyTorch's do, schedules set its rates, clipping its gradients; states resume; nothing is half
   done. */
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
    assert_true(optimizer->param_groups[1].betas[1] == 0.999);
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
static void states_resume(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof OPTIMIZERS / sizeof *OPTIMIZERS; i++)
        wk_scope
        {
            const char *name = OPTIMIZERS[i].name;
            wk_tensor *params[2];
            start(name, params, false);
            wk_optimizer *optimizer = OPTIMIZERS[i].make((wk_tensors){2, params});
            for (int64_t step = 0; step < 20; step++) {
                if (step == 10) {
                    wk_dict *saved = wk_optim_state_dict(optimizer);
                    wk_optimizer *resumed = OPTIMIZERS[i].make((wk_tensors){2, params});
                    resumed->param_groups[0].lr = 7;
                    assert_true(wk_optim_load_state_dict(resumed, saved));
                    assert_true(resumed->param_groups[0].lr == optimizer->param_groups[0].lr);
                    wk_dict_free(saved);
                    wk_optim_free(optimizer);
                    optimizer = resumed;
                }
                set_gradients(name, params, step);
                assert_true(wk_optim_step(optimizer));
                assert_on_path(name, params, step, OPTIMIZERS[i].tolerance);
            }
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

#define assert_fails(expression, words)                                                                                \
    do {                                                                                                               \
        wk_error err;                                                                                                  \
        wk_try (&err) assert_false(expression);                                                                        \
        if (!err.set || !strstr(err.message, words))                                                                   \
            fail_msg("expected an error with \"%s\", got \"%s\"", words, err.set ? err.message : "none");              \
    } while (0)

static void wrong_arguments_are_errors(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true), *b = wk_mul(a, 2),
                  *whole = wk_zeros((2), .dtype = wk_int64);
        assert_fails(wk_optim_sgd(WK_TENSORS(a), .lr = -1), "lr: expected 0 or more, got -1");
        assert_fails(wk_optim_adamw(WK_TENSORS(a), .betas = {0.9, 1}), "betas[1]");
        assert_fails(wk_optim_sgd(WK_TENSORS(a), .nesterov = true), "nesterov");
        assert_fails(wk_optim_sgd((wk_tensors){0}), "empty list");
        assert_fails(wk_optim_sgd(WK_TENSORS(b)), "only leaves");
        assert_fails(wk_optim_sgd(WK_TENSORS(whole)), "floating");
        assert_fails(wk_optim_sgd(WK_TENSORS(a, a)), "already");
        assert_fails(wk_optim_step(NULL), "optimizer: expected an optimizer, got NULL");
        wk_optimizer *optimizer = wk_optim_sgd(WK_TENSORS(a)), *other = wk_optim_sgd(WK_TENSORS(a));
        assert_fails(wk_optim_add_param_group(optimizer, WK_TENSORS(a)), "already");
        assert_fails(wk_optim_step_lr(optimizer, 0), "step_size");
        assert_fails(wk_optim_linear_lr(optimizer, .start_factor = 0), "start_factor");
        assert_fails(wk_optim_sequential_lr(optimizer, (wk_optim_step_lr(optimizer, 2)), (3)), "milestones");
        assert_fails(wk_optim_sequential_lr(optimizer, (wk_optim_step_lr(other, 2)), ()), "another optimizer");
        wk_dict *empty = wk_dict_new();
        assert_fails(wk_optim_load_state_dict(optimizer, empty), "group 0");
        wk_dict_free(empty);
        wk_optim_free(optimizer);
        wk_optim_free(other);
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

/* ---------------------------------------------------------------- schedules */

static double warm_up_and_cosine(int64_t step, void *context)
{
    (void)context;
    return step < 9 ? (double)(step + 1) / 10 : 0.5 * (1 + cos(3.14159265358979323846 * (double)(step - 9) / 42));
}

static double falling(int64_t step, void *context) { return 1.0 / (double)(step + *(int *)context); }

typedef wk_lr_scheduler *make_schedule(wk_optimizer *o);

static wk_lr_scheduler *lambda(wk_optimizer *o) { return wk_optim_lambda_lr(o, warm_up_and_cosine); }
static wk_lr_scheduler *step(wk_optimizer *o) { return wk_optim_step_lr(o, 7, .gamma = 0.3); }
static wk_lr_scheduler *multi_step(wk_optimizer *o) { return wk_optim_multi_step_lr(o, (5, 20, 20, 44)); }
static wk_lr_scheduler *exponential(wk_optimizer *o) { return wk_optim_exponential_lr(o, 0.93); }
static wk_lr_scheduler *linear(wk_optimizer *o) { return wk_optim_linear_lr(o); }
static wk_lr_scheduler *linear_warm_up(wk_optimizer *o) { return wk_optim_linear_lr(o, 0.01, 0.9, .total_iters = 20); }
static wk_lr_scheduler *constant(wk_optimizer *o) { return wk_optim_constant_lr(o, 0.25, .total_iters = 9); }
static wk_lr_scheduler *cosine(wk_optimizer *o) { return wk_optim_cosine_annealing_lr(o, 50); }
static wk_lr_scheduler *cosine_again(wk_optimizer *o) { return wk_optim_cosine_annealing_lr(o, 12, .eta_min = 0.01); }
static wk_lr_scheduler *sequential(wk_optimizer *o)
{
    wk_lr_scheduler *warm_up = wk_optim_linear_lr(o, .start_factor = 0.1, .total_iters = 10);
    return wk_optim_sequential_lr(o, (warm_up, wk_optim_cosine_annealing_lr(o, 40)), (10));
}
static wk_lr_scheduler *sequential_three(wk_optimizer *o)
{
    wk_lr_scheduler *a = wk_optim_constant_lr(o, .factor = 0.1, .total_iters = 6);
    wk_lr_scheduler *b = wk_optim_exponential_lr(o, 0.9);
    return wk_optim_sequential_lr(o, (a, b, wk_optim_step_lr(o, 5)), (6, 30));
}
static wk_lr_scheduler *sequential_lambda(wk_optimizer *o)
{
    static int one = 1, two = 2;
    wk_lr_scheduler *a = wk_optim_lambda_lr(o, falling, &one);
    return wk_optim_sequential_lr(o, (a, wk_optim_lambda_lr(o, falling, .context = &two)), (11));
}

static const struct {
    const char *name;
    make_schedule *make;
} SCHEDULES[] = {{"lambda", lambda},
                 {"step", step},
                 {"multi_step", multi_step},
                 {"exponential", exponential},
                 {"linear", linear},
                 {"linear_warm_up", linear_warm_up},
                 {"constant", constant},
                 {"cosine", cosine},
                 {"cosine_again", cosine_again},
                 {"sequential", sequential},
                 {"sequential_three", sequential_three},
                 {"sequential_lambda", sequential_lambda}};

/* all 50 rates, the schedule and its optimizer made anew and resumed before step `resume` (-1: never) */
static void follow_schedule(const char *name, make_schedule *make, int64_t resume)
{
    wk_tensor *x = wk_zeros((1), .requires_grad = true), *rates = answer("schedule/%s", name);
    wk_optimizer *optimizer = wk_optim_sgd(WK_TENSORS(x), .lr = 0.4);
    wk_lr_scheduler *schedule = make(optimizer);
    for (int64_t i = 0; i <= 50; i++) {
        const double expected = wk_item(wk_select(rates, 0, i)), got = optimizer->param_groups[0].lr;
        if (fabs(got - expected) > 1e-14 + 1e-12 * fabs(expected) || got != wk_lr_scheduler_get_last_lr(schedule)[0])
            fail_msg("%s: the rate after %lld steps is %.17g, expected %.17g", name, (long long)i, got, expected);
        if (i == resume) {
            wk_dict *of_optimizer = wk_optim_state_dict(optimizer), *of_schedule = wk_lr_scheduler_state_dict(schedule);
            wk_lr_scheduler_free(schedule);
            wk_optim_free(optimizer);
            optimizer = wk_optim_sgd(WK_TENSORS(x), .lr = 0.9);
            schedule = make(optimizer);
            assert_true(wk_optim_load_state_dict(optimizer, of_optimizer));
            assert_true(wk_lr_scheduler_load_state_dict(schedule, of_schedule));
            wk_dict_free(of_optimizer);
            wk_dict_free(of_schedule);
        }
        assert_true(wk_optim_step(optimizer));
        assert_true(wk_lr_scheduler_step(schedule));
    }
    wk_lr_scheduler_free(schedule);
    wk_optim_free(optimizer);
}

static void schedules_are_pytorchs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SCHEDULES / sizeof *SCHEDULES; i++)
        wk_scope follow_schedule(SCHEDULES[i].name, SCHEDULES[i].make, -1);
}

static void schedules_resume(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SCHEDULES / sizeof *SCHEDULES; i++)
        for (int64_t resume = 3; resume < 50; resume += 9)
            wk_scope follow_schedule(SCHEDULES[i].name, SCHEDULES[i].make, resume);
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
        follow_schedule("sequential_three", sequential_three, 20);
    }
    assert_int_equal(wk_memory_get_stats().live_blocks, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_pytorchs),
        cmocka_unit_test(steps_by_ops_are_the_same),
        cmocka_unit_test(states_resume),
        cmocka_unit_test(parameters_without_grad_stay),
        cmocka_unit_test(a_pending_error_stops_the_step),
        cmocka_unit_test(wrong_arguments_are_errors),
        cmocka_unit_test(a_state_of_another_shape_changes_nothing),
        cmocka_unit_test(a_step_without_memory_moves_nothing),
        cmocka_unit_test(schedules_are_pytorchs),
        cmocka_unit_test(schedules_resume),
        cmocka_unit_test(clipping_is_pytorchs),
        cmocka_unit_test(nothing_leaks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
