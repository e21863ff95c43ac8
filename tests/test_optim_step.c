/* What a step, its groups and its states do beside PyTorch's numbers: lists of many parameters, options of groups, what
   is refused; nothing is half done. */
#include "answers.h"
#include "mirror.h"

/* ---------------------------------------------------------------- groups */

/* a group that is told nothing has the options of the first, which are none of them 0 */
static void check_inherits(wk_optimizer *optimizer, wk_tensor *param)
{
    assert_true(wk_optim_add_param_group(optimizer, WK_TENSORS(param)));
    wk_dict *state = wk_optim_state_dict(optimizer);
    for (int64_t i = 0; i < wk_dict_text_count(state); i++) {
        char key[80];
        snprintf(key, sizeof key, "%s", wk_dict_text_key_at(state, i));
        key[strlen("param_groups.")] = '1';
        assert_string_equal(wk_dict_text(state, key), wk_dict_text_at(state, i));
    }
    wk_dict_free(state);
}

/* A group takes every option of its class, and what it is not told from the optimizer. */
static void groups_have_all_options(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true), *b = wk_ones((3), .requires_grad = true),
                  *c = wk_ones((3), .requires_grad = true);
        wk_optimizer *sgd = wk_optim_sgd(WK_TENSORS(a), 0.1, 0.9, 0.3, 0.2, .maximize = true);
        check_inherits(sgd, b);
        assert_true(wk_optim_add_param_group(sgd, WK_TENSORS(c), .lr = 0, .momentum = 0.5, .dampening = 0,
                                             .weight_decay = 0, .nesterov = true, .maximize = false));
        const wk_param_group *group = &sgd->param_groups[2];
        assert_true(group->lr == 0 && group->weight_decay == 0 && !group->adam && group->sgd->momentum == 0.5 &&
                    group->sgd->dampening == 0 && group->sgd->nesterov && !group->sgd->maximize);
        wk_optimizer *nesterov = wk_optim_sgd(WK_TENSORS(a), 0.1, 0.9, .nesterov = true);
        check_inherits(nesterov, b);
        wk_optimizer *adam = wk_optim_adamw(WK_TENSORS(a), .betas = {0.8, 0.95}, .amsgrad = true, .maximize = true);
        check_inherits(adam, b);
        assert_true(wk_optim_add_param_group(adam, WK_TENSORS(c), .betas = {0.1, 0.2}, .eps = 1, .amsgrad = false));
        group = &adam->param_groups[2];
        assert_true(group->weight_decay == 1e-2 && group->adam->betas[0] == 0.1 && group->adam->betas[1] == 0.2 &&
                    group->adam->eps == 1 && !group->adam->amsgrad && group->adam->maximize);
        wk_optimizer *rmsprop =
            wk_optim_rmsprop(WK_TENSORS(a), .weight_decay = 0.1, .momentum = 0.5, .centered = true, .maximize = true);
        check_inherits(rmsprop, b);
        assert_true(wk_optim_add_param_group(rmsprop, WK_TENSORS(c), .alpha = 0.5, .momentum = 0, .centered = false));
        group = &rmsprop->param_groups[2];
        assert_true(group->lr == 1e-2 && group->rmsprop->alpha == 0.5 && group->rmsprop->momentum == 0 &&
                    !group->rmsprop->centered && group->rmsprop->maximize);
        wk_optimizer *adagrad = wk_optim_adagrad(WK_TENSORS(a), 0.1, 0.2, 0.3, 0.4, .maximize = true);
        check_inherits(adagrad, b);
        assert_true(wk_optim_add_param_group(adagrad, WK_TENSORS(c), .lr_decay = 0, .initial_accumulator_value = 4));
        group = &adagrad->param_groups[2];
        assert_true(group->weight_decay == 0.3 && group->adagrad->lr_decay == 0 && group->adagrad->maximize &&
                    group->adagrad->initial_accumulator_value == 4 && group->adagrad->eps == 1e-10);
        wk_optim_free(adagrad);
        wk_optim_free(rmsprop);
        wk_optim_free(adam);
        wk_optim_free(nesterov);
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

/* ---------------------------------------------------------------- lists */

/* of many sizes and dtypes in turn, some without a gradient at some steps: several lists, cut anywhere */
enum { MANY = 150 };

static void make_many(wk_tensor *params[MANY])
{
    const int64_t sizes[] = {0, 1, 3, 17, 64, 1000, 5000, 40000};
    const wk_dtype dtypes[] = {wk_float32, wk_float32, wk_float32, wk_bfloat16, wk_float64};
    wk_manual_seed(1);
    for (int i = 0; i < MANY; i++) {
        wk_tensor *x = wk_to(wk_randn((sizes[i % 8])), dtypes[i / 30]);
        params[i] = wk_requires_grad_(wk_detach(x), true);
    }
}

static void set_many_gradients(wk_tensor *params[MANY], int step)
{
    wk_manual_seed((uint64_t)step);
    for (int i = 0; i < MANY; i++) {
        wk_release(params[i]->grad);
        wk_tensor *grad = wk_to(wk_randn((params[i]->numel)), params[i]->dtype);
        params[i]->grad = (i + step) % 7 == 3 ? NULL : wk_retain(grad);
    }
}

typedef wk_optimizer *make_optimizer(wk_tensors params);

static wk_optimizer *sgd_nesterov(wk_tensors p)
{
    return wk_optim_sgd(p, 0.05, .momentum = 0.8, .weight_decay = 0.1, .nesterov = true);
}
static wk_optimizer *adam_amsgrad(wk_tensors p)
{
    return wk_optim_adam(p, .lr = 0.02, .amsgrad = true, .maximize = true);
}
static wk_optimizer *rmsprop(wk_tensors p)
{
    return wk_optim_rmsprop(p, .momentum = 0.9, .weight_decay = 0.1, .centered = true);
}
static wk_optimizer *adagrad(wk_tensors p) { return wk_optim_adagrad(p, .lr_decay = 0.1, .weight_decay = 0.1); }
static wk_optimizer *adamw(wk_tensors p) { return wk_optim_adamw(p, .lr = 0.03, .weight_decay = 0.3); }

static void check_lists(make_optimizer *make)
{
    wk_tensor *together[MANY], *alone[MANY];
    wk_optimizer *optimizers[MANY];
    const int threads = wk_get_num_threads();
    make_many(together);
    make_many(alone);
    wk_optimizer *optimizer = make((wk_tensors){MANY, together});
    for (int i = 0; i < MANY; i++)
        optimizers[i] = make((wk_tensors){1, &alone[i]});
    for (int step = 0; step < 4; step++)
    {
        wk_scope
        {
            set_many_gradients(together, step);
            set_many_gradients(alone, step);
            wk_set_num_threads(3);
            assert_true(wk_optim_step(optimizer));
            wk_set_num_threads(1);
            for (int i = 0; i < MANY; i++)
                assert_true(wk_optim_step(optimizers[i]));
        }
    }
    wk_set_num_threads(threads);
    wk_optim_free(optimizer);
    for (int i = 0; i < MANY; i++) {
        assert_near("a list", together[i], wk_detach(alone[i]), 0);
        wk_optim_free(optimizers[i]);
    }
}

static void a_list_moves_as_each_alone(void **state)
{
    (void)state;
    wk_scope
    {
        check_lists(sgd_nesterov);
        check_lists(adam_amsgrad);
        check_lists(adamw);
        check_lists(rmsprop);
        check_lists(adagrad);
    }
}

/* leaves on the same memory move one after the other, as in PyTorch; threads that took both at once would show now and
   then */
static void leaves_may_share_memory(void **state)
{
    (void)state;
    const int threads = wk_get_num_threads();
    wk_set_num_threads(4);
    for (int turn = 0; turn < 10; turn++)
        wk_scope
    {
        wk_tensor *a = wk_zeros((2000000), .requires_grad = true), *b = wk_requires_grad_(wk_detach(a), true);
        a->grad = wk_retain(wk_ones((2000000)));
        b->grad = wk_retain(wk_full((2000000), 2.0));
        wk_optimizer *optimizer = wk_optim_sgd(WK_TENSORS(a, b), .lr = 0.5, .weight_decay = 1);
        assert_true(wk_optim_step(optimizer));
        assert_near("shared", wk_detach(a), wk_full((2000000), -1.25), 0); // -0.5 (1 + 0), then -0.5 (2 - 0.5)
        wk_optim_free(optimizer);
    }
    wk_set_num_threads(threads);
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

static void wrong_gradients_are_errors(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true), *one = wk_ones((1));
        wk_tensor *expanded = wk_requires_grad_(wk_detach(wk_expand(one, (3))), true);
        wk_optimizer *optimizer = wk_optim_sgd(WK_TENSORS(a, expanded), .lr = 0.1);
        a->grad = wk_retain(wk_ones((3)));
        expanded->grad = wk_retain(wk_ones((3)));
        assert_fails(wk_optim_step(optimizer), "share memory");
        wk_release(expanded->grad);
        expanded->grad = NULL;
        wk_release(a->grad);
        a->grad = wk_retain(wk_ones((2)));
        assert_fails(wk_optim_step(optimizer), "grad: expected float32 of shape (3,) on cpu, as the parameter");
        wk_release(a->grad);
        a->grad = wk_retain(wk_ones((3), .dtype = wk_float64));
        assert_fails(wk_optim_step(optimizer), "got float64 of shape (3,)");
        mirror_start();
        wk_release(a->grad);
        a->grad = wk_retain(wk_ones((3), .device = mirror));
        assert_fails(wk_optim_step(optimizer), "got float32 of shape (3,) on mirror");
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

/* torch.lerp: from the end where the weight is 0.5 or more.  Gradients so far apart that their difference is infinite
   tell: PyTorch's exp_avg is -inf. */
static void half_way_is_reached_from_the_end(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((1), .requires_grad = true);
        wk_optimizer *optimizer = wk_optim_adam(WK_TENSORS(a), .betas = {0.5, 0.999});
        for (int step = 0; step < 2; step++) {
            wk_optim_zero_grad(optimizer);
            wk_backward(wk_sum(wk_mul(a, step ? 3e38 : -3e38)));
            wk_optim_step(optimizer);
        }
        wk_dict *saved = wk_optim_state_dict(optimizer);
        assert_true(wk_item(wk_dict_get(saved, "state.0.exp_avg")) == -INFINITY);
        wk_dict_free(saved);
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

/* a state that has more, or less, than the optimizer's options */
static void states_of_other_options_load(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *a = wk_ones((3), .requires_grad = true);
        wk_optimizer *optimizer = wk_optim_adam(WK_TENSORS(a), .lr = 0.5, .betas = {0.8, 0.9});
        wk_dict *saved = wk_dict_new();
        assert_true(wk_dict_set_number(saved, "param_groups.0.params", 1));
        assert_true(wk_dict_set_number(saved, "param_groups.0.momentum", 0.9));
        assert_true(wk_dict_set_number(saved, "param_groups.0.betas.1", 0.7));
        assert_true(wk_dict_set_number(saved, "param_groups.0.amsgrad", 1));
        assert_true(wk_dict_set_number(saved, "param_groups.0.initial_lr", NAN));
        assert_true(wk_optim_load_state_dict(optimizer, saved));
        const wk_param_group *group = optimizer->param_groups;
        assert_true(group->lr == 0.5 && group->adam->betas[0] == 0.8 && group->adam->betas[1] == 0.7);
        assert_true(group->adam->amsgrad && isnan(group->initial_lr));
        wk_dict_free(saved);
        wk_optim_free(optimizer);
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
                wk_tensor *columns = wk_requires_grad_(wk_detach(wk_t(wk_ones((3, 2)))), true);
                wk_optimizer *optimizer = wk_optim_adamw(WK_TENSORS(a, b, columns), .lr = 0.1);
                wk_backward(wk_add(wk_sum(a), wk_sum(b)));
                columns->grad = wk_retain(wk_t(wk_ones((3, 2))));
                wk_error err;
                wk_try (&err) {
                    wk_memory_fail_after(allocation);
                    moved = wk_optim_step(optimizer);
                    wk_memory_fail_after(-1);
                }
                assert_true(moved == !err.set);
                assert_true((wk_item(wk_sum(a)) == 3) == !moved);
                assert_true((wk_item(wk_sum(b)) == 2) == !moved);
                assert_true((wk_item(wk_sum(columns)) == 6) == !moved);
                wk_optim_free(optimizer);
            }
    }
}

/* ---------------------------------------------------------------- closures, and how PyTorch would compute a step */

typedef struct {
    wk_optimizer *optimizer;
    wk_tensor *x;
    int calls;
} closed_over;

static wk_tensor *loss_of(void *context)
{
    closed_over *c = context;
    c->calls++;
    wk_optim_zero_grad(c->optimizer);
    wk_tensor *loss = wk_sum(wk_square(c->x));
    return wk_backward(loss) ? loss : NULL;
}
static wk_tensor *no_loss(void *context)
{
    (void)context;
    return NULL;
}

static void closures_run_before_the_step(void **state)
{
    (void)state;
    wk_scope
    {
        closed_over c = {.x = wk_ones((2), .requires_grad = true)};
        c.optimizer = wk_optim_sgd(WK_TENSORS(c.x), .lr = 0.25, .foreach = true);
        wk_no_grad assert_true(wk_optim_step(c.optimizer, loss_of, &c));
        assert_true(wk_optim_step(c.optimizer, .closure = loss_of, .context = &c));
        assert_int_equal(c.calls, 2);
        assert_true(wk_item(wk_sum(c.x)) == 0.5);
        wk_error error;
        wk_try (&error) assert_false(wk_optim_step(c.optimizer, no_loss));
        assert_true(error.set);
        assert_non_null(strstr(error.message, "closure"));
        assert_true(wk_item(wk_sum(c.x)) == 0.5);
        wk_optimizer *fused = wk_optim_adamw(WK_TENSORS(c.x), .fused = true);
        assert_true(wk_optim_step(fused));
        wk_nn_utils_clip_grad_norm_(WK_TENSORS(c.x), 1.0, .foreach = true);
        wk_optim_free(fused);
        wk_optim_free(c.optimizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_have_all_options),
        cmocka_unit_test(thousands_of_parameters),
        cmocka_unit_test(a_list_moves_as_each_alone),
        cmocka_unit_test(leaves_may_share_memory),
        cmocka_unit_test(parameters_without_grad_stay),
        cmocka_unit_test(a_pending_error_stops_the_step),
        cmocka_unit_test(wrong_gradients_are_errors),
        cmocka_unit_test(wrong_arguments_are_errors),
        cmocka_unit_test(half_way_is_reached_from_the_end),
        cmocka_unit_test(a_state_of_another_shape_changes_nothing),
        cmocka_unit_test(states_of_other_options_load),
        cmocka_unit_test(a_step_without_memory_moves_nothing),
        cmocka_unit_test(closures_run_before_the_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
