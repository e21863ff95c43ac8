/* Averages of weights, and parameters chosen by name and shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "check.h"

typedef struct {
    wk_module_base base;
    wk_module *fc, *norm;
    wk_tensor *steps, *mean;
} net;

static wk_tensor *net_forward(void *module, wk_tensor *x)
{
    net *self = module;
    return wk_forward(self->norm, wk_forward(self->fc, x));
}

static net *net_new(void)
{
    net *self = wk_module_new(net, net_forward);
    wk_add_module(self, fc, wk_nn_linear(2, 3));
    wk_add_module(self, norm, wk_nn_layer_norm((3)));
    wk_add_buffer(self, steps, wk_zeros((), .dtype = wk_int64));
    wk_add_buffer(self, mean, wk_zeros((3)));
    return self;
}

static void move(net *self, double to)
{
    const wk_tensors parameters = wk_module_parameters(self);
    wk_no_grad wk_scope
    {
        for (int64_t i = 0; i < parameters.count; i++)
            wk_fill_(parameters.items[i], to);
        wk_add_(self->steps, 1);
        wk_fill_(self->mean, to);
    }
}

static double value_of(wk_tensor *x)
{
    double value = 0;
    wk_no_grad wk_scope
    value = wk_item(wk_mean(wk_to(x, wk_float64)));
    return value;
}

static double weight_of(net *self) { return value_of(((wk_nn_linear *)self->fc)->weight); }

static void follow(bool warm_up, double decay, wk_dtype dtype, double tolerance)
{
    net *self = net_new();
    if (dtype)
        wk_module_to(self, dtype);
    move(self, 1);
    wk_ema *ema = wk_ema(self, .decay = decay, .warm_up = warm_up);
    double average = 1;
    for (int n = 1; n <= 30; n++) {
        if (n == 15) { // goes on from what was saved
            wk_dict *state = wk_ema_state_dict(ema);
            wk_ema *other = wk_ema(self, .decay = decay, .warm_up = warm_up);
            assert_true(wk_ema_load_state_dict(other, state));
            wk_dict_free(state);
            wk_ema_free(ema);
            ema = other;
        }
        move(self, 1 + n);
        assert_true(wk_ema_update(ema));
        const double now = warm_up ? fmin(decay, (1.0 + n) / (10 + n)) : decay;
        average = now * average + (1 - now) * (1 + n);
        assert_close(weight_of(self), 1 + n);
        wk_ema_scope(ema)
        {
            assert_true(fabs(weight_of(self) - average) < tolerance * average);
            assert_close(value_of(self->mean), 1 + n);
            assert_close(value_of(self->steps), 1 + n);
        }
        assert_close(weight_of(self), 1 + n);
    }
    wk_ema_free(ema);
    wk_module_free(self);
}

TEST(averages)
{
    follow(false, 0.9, 0, 1e-6);
    follow(true, 0.99, 0, 1e-6);
    follow(true, 0.9, wk_float64, 1e-14);
    follow(false, 0.999, wk_bfloat16, 4e-3); // of what is shown; the average itself is float32
}

static double leave_early(wk_ema *ema, net *self)
{
    wk_ema_scope(ema) return weight_of(self);
    return -1;
}

TEST(scopes)
{
    net *self = net_new();
    move(self, 0);
    wk_ema *ema = wk_ema(self, 0.5);
    move(self, 8);
    assert_true(wk_ema_update(ema));
    assert_close(leave_early(ema, self), 4);
    assert_close(weight_of(self), 8);
    wk_error error;
    wk_ema_scope(ema)
    {
        wk_try(&error) assert_false(wk_ema_update(ema));
        assert_message(error, "wk_ema_scope");
        wk_try(&error) wk_ema_scope(ema) fail();
        assert_message(error, "already");
        assert_close(weight_of(self), 4);
    }
    assert_close(weight_of(self), 8);
    /* without memory the model has its own weights again */
    for (int64_t n = 0; n < 40; n++) {
        wk_try(&error)
        {
            wk_memory_fail_after(n);
            wk_ema_scope(ema)
            {
                wk_memory_fail_after(-1);
                assert_close(weight_of(self), 4);
            }
            wk_memory_fail_after(-1);
        }
        assert_close(weight_of(self), 8);
    }
    wk_try(&error) assert_null(wk_ema(self, 1.5));
    assert_message(error, "decay");
    wk_try(&error) assert_null(wk_ema(NULL));
    assert_string_equal(error.message, "ema: module: expected a module, got NULL");
    wk_dict *state = wk_dict_new();
    wk_try(&error) assert_false(wk_ema_load_state_dict(ema, state));
    assert_message(error, "state");
    wk_dict_free(state);
    for (int64_t n = 0; n < 40; n++)
        wk_try(&error)
        {
            wk_memory_fail_after(n);
            wk_ema *other = wk_ema(self);
            wk_memory_fail_after(-1);
            wk_ema_free(other);
        }
    wk_ema_free(ema);
    wk_module_free(self);
}

static bool decays(const char *name, wk_tensor *x, void *context)
{
    ++*(int *)context;
    return x->ndim >= 2 && !strstr(name, "norm");
}

TEST(groups_by_name_and_shape)
{
    int asked = 0;
    net *self = net_new();
    wk_tensors yes = wk_module_parameters_where(self, decays, &asked);
    wk_tensors no = wk_module_parameters_where(self, decays, &asked, .except = true);
    assert_int_equal(asked, 8);
    assert_int_equal(yes.count, 1);
    assert_ptr_equal(yes.items[0], wk_module_get_parameter(self, "fc.weight"));
    assert_int_equal(no.count, 3);
    wk_optimizer *optimizer = wk_optim_adamw(yes, .weight_decay = 0.1);
    assert_true(wk_optim_add_param_group(optimizer, no, .weight_decay = 0));
    assert_int_equal(optimizer->param_groups[1].params.count, 3);
    wk_optim_free(optimizer);
    wk_error error;
    wk_try(&error) assert_int_equal(wk_module_parameters_where(self, NULL).count, 0);
    assert_message(error, "which");
    wk_module_free(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(averages), UNIT(scopes), UNIT(groups_by_name_and_shape)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
