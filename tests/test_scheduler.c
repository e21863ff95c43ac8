/* Schedules set the rates that PyTorch's do, and resume. */
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

/* ---------------------------------------------------------------- 200 steps, momentum and what is measured included */

static double slowly(int64_t step, void *context)
{
    (void)context;
    return pow(0.95, (double)step);
}
static wk_lr_scheduler *long_lambda(wk_optimizer *o) { return wk_optim_lambda_lr(o, slowly); }
static wk_lr_scheduler *long_step(wk_optimizer *o) { return wk_optim_step_lr(o, 30); }
static wk_lr_scheduler *long_multi_step(wk_optimizer *o) { return wk_optim_multi_step_lr(o, (80, 150)); }
static wk_lr_scheduler *long_exponential(wk_optimizer *o) { return wk_optim_exponential_lr(o, 0.98); }
static wk_lr_scheduler *long_linear(wk_optimizer *o) { return wk_optim_linear_lr(o, 0.1, .total_iters = 120); }
static wk_lr_scheduler *long_constant(wk_optimizer *o) { return wk_optim_constant_lr(o, .total_iters = 120); }
static wk_lr_scheduler *long_cosine(wk_optimizer *o) { return wk_optim_cosine_annealing_lr(o, 60, 0.001); }
static wk_lr_scheduler *long_sequential(wk_optimizer *o)
{
    wk_lr_scheduler *warm_up = wk_optim_linear_lr(o, .start_factor = 0.01, .total_iters = 30);
    return wk_optim_sequential_lr(o, (warm_up, wk_optim_cosine_annealing_lr(o, 170)), (30));
}
static wk_lr_scheduler *cycle(wk_optimizer *o) { return wk_optim_one_cycle_lr(o, 0.1, .total_steps = 201); }
static wk_lr_scheduler *cycle_adam(wk_optimizer *o)
{
    return wk_optim_one_cycle_lr(o, 0.01, 250, 0.2, "linear", .base_momentum = 0.8, .max_momentum = 0.9,
                                 .div_factor = 10, .final_div_factor = 100);
}
static wk_lr_scheduler *cycle_three(wk_optimizer *o)
{
    return wk_optim_one_cycle_lr(o, 0.1, 201, .three_phase = true);
}
static wk_lr_scheduler *cycle_plain(wk_optimizer *o)
{
    return wk_optim_one_cycle_lr(o, 0.1, 220, .pct_start = 0.4, .cycle_momentum = false);
}
static wk_lr_scheduler *plateau(wk_optimizer *o) { return wk_optim_reduce_lr_on_plateau(o); }
static wk_lr_scheduler *plateau_max(wk_optimizer *o)
{
    return wk_optim_reduce_lr_on_plateau(o, "max", 0.5, .patience = 4, .threshold = 0.01, .cooldown = 3,
                                         .min_lr = 0.003);
}
static wk_lr_scheduler *plateau_abs(wk_optimizer *o)
{
    return wk_optim_reduce_lr_on_plateau(o, .factor = 0.7, .patience = 6, .threshold = 0.05, .threshold_mode = "abs",
                                         .eps = 0.02);
}
static wk_lr_scheduler *plateau_max_abs(wk_optimizer *o)
{
    return wk_optim_reduce_lr_on_plateau(o, "max", .patience = 25, .threshold = 0.3, .threshold_mode = "abs");
}

static const struct {
    const char *name;
    make_schedule *make;
} LONG[] = {{"lambda", long_lambda},
            {"step", long_step},
            {"multi_step", long_multi_step},
            {"exponential", long_exponential},
            {"linear", long_linear},
            {"constant", long_constant},
            {"cosine", long_cosine},
            {"sequential", long_sequential},
            {"cycle", cycle},
            {"cycle_adam", cycle_adam},
            {"cycle_three", cycle_three},
            {"cycle_plain", cycle_plain},
            {"plateau", plateau},
            {"plateau_max", plateau_max},
            {"plateau_abs", plateau_abs},
            {"plateau_max_abs", plateau_max_abs}};

static wk_optimizer *optimizer_of(const char *name, wk_tensor *x)
{
    return strcmp(name, "cycle_adam") == 0 ? wk_optim_adamw(WK_TENSORS(x), .lr = 0.3)
                                           : wk_optim_sgd(WK_TENSORS(x), .lr = 0.4, .momentum = 0.9);
}

static void follow_long(const char *name, make_schedule *make, int64_t resume)
{
    wk_tensor *x = wk_zeros((1), .requires_grad = true), *rates = answer("long/%s", name);
    wk_tensor *momenta = find_answer("long/%s/momentum", name), *metrics = answer("metrics");
    wk_optimizer *optimizer = optimizer_of(name, x);
    wk_lr_scheduler *schedule = make(optimizer);
    for (int64_t i = 0; i <= 200; i++) {
        const wk_param_group *group = optimizer->param_groups;
        const double expected = wk_item(wk_select(rates, 0, i));
        if (fabs(group->lr - expected) > 1e-14 + 1e-12 * fabs(expected))
            fail_msg("%s: the rate after %lld steps is %.17g, expected %.17g", name, (long long)i, group->lr, expected);
        assert_true(group->lr == wk_lr_scheduler_get_last_lr(schedule)[0]);
        if (momenta)
            assert_true(fabs((group->sgd ? group->sgd->momentum : group->adam->betas[0]) -
                             wk_item(wk_select(momenta, 0, i))) < 1e-14);
        if (i == resume) {
            wk_dict *of_optimizer = wk_optim_state_dict(optimizer), *of_schedule = wk_lr_scheduler_state_dict(schedule);
            wk_lr_scheduler_free(schedule);
            wk_optim_free(optimizer);
            optimizer = optimizer_of(name, x);
            schedule = make(optimizer);
            assert_true(wk_optim_load_state_dict(optimizer, of_optimizer));
            assert_true(wk_lr_scheduler_load_state_dict(schedule, of_schedule));
            wk_dict_free(of_optimizer);
            wk_dict_free(of_schedule);
        }
        if (i == 200)
            break;
        if (strncmp(name, "plateau", 7) == 0)
            assert_true(wk_lr_scheduler_step(schedule, wk_item(wk_select(metrics, 0, i))));
        else
            assert_true(wk_lr_scheduler_step(schedule));
    }
    wk_lr_scheduler_free(schedule);
    wk_optim_free(optimizer);
}

static void long_schedules_are_pytorchs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LONG / sizeof *LONG; i++)
        for (int64_t resume = -1; resume < 200; resume += 50)
            wk_scope follow_long(LONG[i].name, LONG[i].make, resume);
}

static bool step_too_often(wk_optimizer *o)
{
    wk_lr_scheduler *s = wk_optim_one_cycle_lr(o, 0.1, .total_steps = 2);
    const bool fine = wk_lr_scheduler_step(s) && wk_lr_scheduler_step(s) && wk_lr_scheduler_step(s);
    wk_lr_scheduler_free(s);
    return fine;
}
static bool step_without_metrics(wk_optimizer *o)
{
    wk_lr_scheduler *s = wk_optim_reduce_lr_on_plateau(o);
    const bool fine = wk_lr_scheduler_step(s);
    wk_lr_scheduler_free(s);
    return fine;
}
static bool step_with_metrics(wk_optimizer *o)
{
    wk_lr_scheduler *s = wk_optim_exponential_lr(o, 0.9);
    const bool fine = wk_lr_scheduler_step(s, 0.5);
    wk_lr_scheduler_free(s);
    return fine;
}

static void wrong_arguments_are_errors(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true);
        wk_optimizer *optimizer = wk_optim_sgd(WK_TENSORS(a)), *other = wk_optim_sgd(WK_TENSORS(a));
        assert_fails(wk_optim_step_lr(optimizer, 0), "step_size");
        assert_fails(wk_optim_linear_lr(optimizer, .start_factor = 0), "start_factor");
        assert_fails(wk_optim_sequential_lr(optimizer, (wk_optim_step_lr(optimizer, 2)), (3)), "milestones");
        assert_fails(wk_optim_sequential_lr(optimizer, (wk_optim_step_lr(other, 2)), ()), "another optimizer");
        assert_fails(wk_optim_one_cycle_lr(optimizer, 0.1), "total_steps");
        assert_fails(wk_optim_one_cycle_lr(optimizer, 0.1, 10, .pct_start = 2), "pct_start");
        assert_fails(wk_optim_one_cycle_lr(optimizer, 0.1, 10, .anneal_strategy = "sine"), "anneal_strategy");
        assert_fails(wk_optim_reduce_lr_on_plateau(optimizer, "least"), "mode");
        assert_fails(wk_optim_reduce_lr_on_plateau(optimizer, .threshold_mode = "none"), "threshold_mode");
        assert_fails(wk_optim_reduce_lr_on_plateau(optimizer, .factor = 1), "factor");
        assert_fails(wk_optim_sequential_lr(optimizer, (wk_optim_reduce_lr_on_plateau(optimizer)), ()), "metrics");
        assert_fails(step_too_often(optimizer), "total_steps");
        assert_fails(step_without_metrics(optimizer), "metrics");
        assert_fails(step_with_metrics(optimizer), "metrics");
        wk_optimizer *adagrad = wk_optim_adagrad(WK_TENSORS(a));
        assert_fails(wk_optim_one_cycle_lr(adagrad, 0.1, 10), "momentum");
        wk_optim_free(adagrad);
        wk_optim_free(optimizer);
        wk_optim_free(other);
    }
}

static void nothing_leaks(void **state)
{
    (void)state;
    const int64_t before = wk_memory_get_stats().live_blocks;
    wk_scope follow_schedule("sequential_three", sequential_three, 20);
    wk_scope follow_long("cycle", cycle, 20);
    wk_scope follow_long("plateau", plateau, 20);
    assert_int_equal(wk_memory_get_stats().live_blocks, before);
}

static void epochs_are_counted(void **state)
{
    (void)state;
    wk_module *model = wk_nn_linear(1, 1);
    wk_optimizer *optimizer = wk_optim_sgd(wk_module_parameters(model), 1.);
    wk_lr_scheduler *scheduler = wk_optim_exponential_lr(optimizer, 0.5);
    assert_int_equal(wk_lr_scheduler_last_epoch(scheduler), 0);
    wk_lr_scheduler_step(scheduler);
    wk_lr_scheduler_step(scheduler);
    assert_int_equal(wk_lr_scheduler_last_epoch(scheduler), 2);
    wk_lr_scheduler_free(scheduler);
    wk_optim_free(optimizer);
    wk_module_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_are_pytorchs),
        cmocka_unit_test(schedules_resume),
        cmocka_unit_test(long_schedules_are_pytorchs),
        cmocka_unit_test(wrong_arguments_are_errors),
        cmocka_unit_test(nothing_leaks),
        cmocka_unit_test(epochs_are_counted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
