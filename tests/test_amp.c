/* Autocast casts what PyTorch's does, and trains as it does; the gradient scaler's steps and scales are PyTorch's. */
#include "answers.h"
#include "mirror.h"

static int setup(void **state)
{
    (void)state;
    return read_answers("amp");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

/* ---------------------------------------------------------------- ops */

typedef wk_tensor *call(wk_tensor **x);

static wk_tensor *classes(void) { return wk_arange(0, 3, 2); }

#define CALL(name, ...)                                                                                                \
    static wk_tensor *call_##name(wk_tensor **x) { return __VA_ARGS__; }
CALL(linear, wk_linear(x[0], x[1], x[2]))
CALL(matmul, wk_matmul(x[0], x[1]))
CALL(mm, wk_mm(x[0], x[1]))
CALL(bmm, wk_bmm(x[0], x[1]))
CALL(addmm, wk_addmm(x[0], x[1], x[2]))
CALL(mv, wk_mv(x[0], x[1]))
CALL(conv1d, wk_conv1d(x[0], x[1], x[2]))
CALL(conv2d, wk_conv2d(x[0], x[1]))
CALL(conv_transpose2d, wk_conv_transpose2d(x[0], x[1], x[2]))
CALL(attention, wk_scaled_dot_product_attention(x[0], x[1], x[2]))
CALL(softmax, wk_softmax(x[0], 1))
CALL(layer_norm, wk_layer_norm(x[0], (3)))
CALL(exp, wk_exp(x[0]))
CALL(sum, wk_sum(x[0]))
CALL(prod, wk_prod(x[0]))
CALL(add, wk_add(x[0], x[1]))
CALL(mse_loss, wk_mse_loss(x[0], x[1]))
CALL(l1_loss, wk_l1_loss(x[0], x[1]))
CALL(smooth_l1_loss, wk_smooth_l1_loss(x[0], x[1]))
CALL(huber_loss, wk_huber_loss(x[0], x[1]))
CALL(cross_entropy, wk_cross_entropy(x[0], wk_to(classes(), x[0]->device)))
CALL(nll_loss, wk_nll_loss(x[0], wk_to(classes(), x[0]->device)))
CALL(binary_cross_entropy, wk_binary_cross_entropy(x[0], x[1]))
CALL(binary_cross_entropy_with_logits, wk_binary_cross_entropy_with_logits(x[0], x[1]))
CALL(kl_div, wk_kl_div(x[0], x[1], .reduction = "sum"))
CALL(grid_sample, wk_grid_sample(x[0], x[1]))
CALL(avg_pool2d, wk_avg_pool2d(x[0], 2))
CALL(avg_pool3d, wk_avg_pool3d(x[0], 2))
CALL(max_pool3d, wk_max_pool3d(x[0], 2))
CALL(adaptive_avg_pool3d, wk_adaptive_avg_pool3d(x[0], 2))
CALL(pad_constant, wk_pad(x[0], (1, 1)))
CALL(pad_reflect, wk_pad(x[0], (1, 1), "reflect"))
CALL(pad_reflect3d, wk_pad(x[0], (1, 1, 1, 1, 1, 1), "reflect"))
CALL(pad_replicate, wk_pad(x[0], (1, 1), "replicate"))
CALL(pad_circular, wk_pad(x[0], (1, 1), "circular"))

CALL(cdist, wk_cdist(x[0], x[1]))
CALL(quantile, wk_quantile(x[0], 0.4))
CALL(stft, wk_view_as_real(wk_stft(x[0], 8, .window = x[1])))
CALL(fft_rfft, wk_view_as_real(wk_fft_rfft(x[0])))
CALL(fft_fft2, wk_view_as_real(wk_fft_fft2(x[0])))
CALL(polar, wk_view_as_real(wk_polar(x[0], x[1])))
CALL(view_as_complex, wk_view_as_real(wk_view_as_complex(x[0])))

CALL(prelu, wk_prelu(x[0], x[1]))
CALL(linalg_solve, wk_linalg_solve(x[0], x[1]))
static wk_tensor *call_linalg_eigh(wk_tensor **x)
{
    wk_tensor *values, *vectors;
    return wk_linalg_eigh(x[0], (&values, &vectors)) ? values : NULL;
}
static wk_tensor *call_linalg_qr(wk_tensor **x)
{
    wk_tensor *q, *r;
    return wk_linalg_qr(x[0], (&q, &r)) ? wk_abs(q) : NULL;
}

static const struct {
    const char *name;
    call *call;
} OPS[] = {{"linear", call_linear},
           {"matmul", call_matmul},
           {"matmul_vector", call_matmul},
           {"mm", call_mm},
           {"bmm", call_bmm},
           {"addmm", call_addmm},
           {"mv", call_mv},
           {"conv1d", call_conv1d},
           {"conv2d", call_conv2d},
           {"conv_transpose2d", call_conv_transpose2d},
           {"attention", call_attention},
           {"softmax", call_softmax},
           {"layer_norm", call_layer_norm},
           {"exp", call_exp},
           {"sum", call_sum},
           {"prod", call_prod},
           {"add", call_add},
           {"mse_loss", call_mse_loss},
           {"l1_loss", call_l1_loss},
           {"smooth_l1_loss", call_smooth_l1_loss},
           {"huber_loss", call_huber_loss},
           {"cross_entropy", call_cross_entropy},
           {"nll_loss", call_nll_loss},
           {"binary_cross_entropy", call_binary_cross_entropy},
           {"binary_cross_entropy_with_logits", call_binary_cross_entropy_with_logits},
           {"kl_div", call_kl_div},
           {"grid_sample", call_grid_sample},
           {"avg_pool2d", call_avg_pool2d},
           {"avg_pool3d", call_avg_pool3d},
           {"max_pool3d", call_max_pool3d},
           {"adaptive_avg_pool3d", call_adaptive_avg_pool3d},
           {"pad_constant", call_pad_constant},
           {"pad_reflect", call_pad_reflect},
           {"pad_reflect3d", call_pad_reflect3d},
           {"pad_replicate", call_pad_replicate},
           {"pad_circular", call_pad_circular},
           {"cdist", call_cdist},
           {"quantile", call_quantile},
           {"stft", call_stft},
           {"fft_rfft", call_fft_rfft},
           {"fft_fft2", call_fft_fft2},
           {"polar", call_polar},
           {"view_as_complex", call_view_as_complex},
           {"prelu", call_prelu},
           {"linalg_solve", call_linalg_solve},
           {"linalg_eigh", call_linalg_eigh},
           {"linalg_qr", call_linalg_qr}};

/* the dtype that PyTorch's has, and its values but for the last place of it; gradients come back in x's dtype */
static void check_op(size_t op, const char *dtype, wk_device device)
{
    wk_tensor *x[3] = {0};
    char name[128];
    for (int i = 0; i < 3; i++) {
        wk_tensor *operand = find_answer("%s.%s.%d", OPS[op].name, dtype, i);
        x[i] = operand ? wk_to(wk_clone(operand), device) : NULL;
        if (x[i])
            wk_requires_grad_(x[i], true);
    }
    wk_tensor *y = NULL;
    wk_autocast (device, wk_bfloat16)
        y = OPS[op].call(x);
    snprintf(name, sizeof name, "%s of %s", OPS[op].name, dtype);
    wk_tensor *expected = answer("%s.%s.y", OPS[op].name, dtype);
    assert_near(name, wk_to(y, wk_cpu), expected, expected->dtype == wk_bfloat16 ? 8e-3 : 1e-6);
    assert_true(wk_backward(wk_sum(y)));
    assert_int_equal(x[0]->grad->dtype, x[0]->dtype);
}

static void ops_cast_as_pytorchs(void **state)
{
    (void)state;
    static const char *const DTYPES[] = {"float32", "bfloat16", "float64"};
    const wk_device devices[] = {wk_cpu, mirror};
    for (size_t op = 0; op < sizeof OPS / sizeof *OPS; op++)
        for (int dtype = 0; dtype < 3; dtype++)
            for (int device = 0; device < 2; device++)
                wk_scope check_op(op, DTYPES[dtype], devices[device]);
}

/* ---------------------------------------------------------------- blocks */

static bool returns_early(void)
{
    wk_autocast (wk_cpu, wk_float16)
        return wk_is_autocast_enabled(wk_cpu);
    return false;
}

static void blocks_nest(void **state)
{
    (void)state;
    wk_tensor *a = wk_ones((2, 2));
    assert_int_equal(wk_mm(a, a)->dtype, wk_float32);
    assert_false(wk_is_autocast_enabled(wk_cpu));
    wk_autocast (wk_cpu) {
        assert_true(wk_is_autocast_enabled(wk_cpu));
        assert_false(wk_is_autocast_enabled(wk_cuda));
        assert_int_equal(wk_mm(a, a)->dtype, wk_bfloat16);
        wk_autocast (wk_cpu, .enabled = false) {
            assert_false(wk_is_autocast_enabled(wk_cpu));
            assert_int_equal(wk_mm(a, a)->dtype, wk_float32);
            wk_autocast (wk_cpu, wk_float16)
                assert_int_equal(wk_mm(a, a)->dtype, wk_float16);
            assert_int_equal(wk_mm(a, a)->dtype, wk_float32);
        }
        assert_int_equal(wk_mm(a, a)->dtype, wk_bfloat16);
        wk_autocast (mirror, wk_float16)
            assert_int_equal(wk_mm(a, a)->dtype, wk_bfloat16);
        assert_int_equal(wk_mm(a, wk_ones((2, 2), .dtype = wk_float16))->dtype, wk_bfloat16);
        assert_int_equal(wk_mm(wk_ones((2, 2), .dtype = wk_int64), wk_ones((2, 2), .dtype = wk_int64))->dtype,
                         wk_int64);
    }
    assert_int_equal(wk_mm(a, a)->dtype, wk_float32);
    assert_true(returns_early());
    assert_false(wk_is_autocast_enabled(wk_cpu));
    assert_int_equal(wk_get_autocast_gpu_dtype(), wk_float16);
    wk_autocast (mirror, .enabled = true)
        assert_int_equal(wk_mm(wk_to(a, mirror), wk_to(a, mirror))->dtype, wk_float16);
}

static void what_cannot_be_is_not(void **state)
{
    (void)state;
    wk_tensor *a = wk_ones((2, 2));
    wk_autocast (wk_cpu, wk_float32) { // warns, as PyTorch's
        assert_false(wk_is_autocast_enabled(wk_cpu));
        assert_int_equal(wk_mm(a, a)->dtype, wk_float32);
    }
    wk_autocast (wk_cuda, wk_bfloat16) { // is not there
        assert_false(wk_is_autocast_enabled(wk_cuda));
        assert_int_equal(wk_get_autocast_gpu_dtype(), wk_bfloat16);
    }
    wk_error error;
    wk_try (&error)
        wk_autocast ((wk_device){0})
            fail();
    assert_true(error.set);
    assert_string_equal(error.op, "autocast");
}

/* a parameter's cast is made once, in a block, and again where the parameter changed or gradients are asked for */
static void casts_are_kept(void **state)
{
    (void)state;
    const int64_t tensors = wk_memory_get_stats().live_tensors;
    wk_scope
    {
        wk_tensor *w = wk_requires_grad_(wk_ones((2, 2)), true), *x = wk_ones((2, 2), .dtype = wk_bfloat16);
        wk_autocast (wk_cpu)
        {
            wk_no_grad assert_false(wk_mm(x, w)->requires_grad);
            wk_tensor *first = wk_mm(x, w);
            assert_true(first->requires_grad);
            const int64_t before = wk_memory_get_stats().live_tensors;
            wk_tensor *y = wk_mm(x, w);
            assert_int_equal(wk_memory_get_stats().live_tensors - before, 3); // y, and what its node has saved
            assert_true(wk_backward(wk_sum(wk_add(first, y))));
            wk_no_grad wk_mul_(w, 3);
            wk_no_grad assert_float_equal(wk_item(wk_sum(wk_mm(x, w))), 24, 0);
            wk_autocast (wk_cpu, wk_float16, .cache_enabled = false)
                assert_int_equal(wk_mm(x, w)->dtype, wk_float16);
            assert_int_equal(wk_mm(x, w)->dtype, wk_bfloat16);
        }
        assert_int_equal(w->grad->dtype, wk_float32);
        assert_float_equal(wk_item(wk_sum(w->grad)), 16, 0);
    }
    assert_int_equal(wk_memory_get_stats().live_tensors, tensors);
}

/* ---------------------------------------------------------------- training */

typedef struct {
    wk_module_base base;
    wk_module *conv, *norm, *fc, *norm2, *head;
} net;

static wk_tensor *net_forward(void *module, wk_tensor *x)
{
    net *self = module;
    x = wk_flatten(wk_relu(wk_forward(self->norm, wk_forward(self->conv, x))), 1);
    x = wk_forward(self->norm2, wk_forward(self->fc, x));
    return wk_forward(self->head, wk_gelu(x));
}

static net *net_new(void)
{
    net *self = wk_module_new(net, net_forward);
    wk_add_module(self, conv, wk_nn_conv2d(1, 4, 3, .padding = 1));
    wk_add_module(self, norm, wk_nn_group_norm(2, 4));
    wk_add_module(self, fc, wk_nn_linear(4 * 36, 16));
    wk_add_module(self, norm2, wk_nn_layer_norm((16)));
    wk_add_module(self, head, wk_nn_linear(16, 5));
    return self;
}

static void train(const char *name, wk_dtype dtype, bool stops)
{
    wk_tensor *losses = answer("%s/losses", name), *scales = answer("%s/scales", name);
    wk_tensor *images = answer("images"), *labels = answer("labels");
    char prefix[16];
    snprintf(prefix, sizeof prefix, "%s/", name);
    net *model = net_new();
    wk_dict *weights = wk_dict_part(answers, prefix);
    assert_true(wk_module_load_state_dict(model, weights, .strict = false));
    wk_dict_free(weights);
    wk_optimizer *optimizer = wk_optim_adamw(wk_module_parameters(model), .lr = 1e-2);
    wk_grad_scaler *scaler =
        wk_amp_grad_scaler(.init_scale = 1024, .growth_interval = 3, .enabled = dtype == wk_float16);
    wk_for_each_step (step, 0, 20) {
        wk_optim_zero_grad(optimizer);
        wk_tensor *loss = NULL;
        wk_autocast (wk_cpu, dtype)
            loss = wk_cross_entropy(wk_forward(model, images), labels);
        assert_int_equal(loss->dtype, wk_float32);
        if (dtype == wk_float16 && step == 7)
            loss = wk_mul(loss, INFINITY);
        assert_true(wk_backward(wk_grad_scaler_scale(scaler, loss)));
        if (step % 2) {
            assert_true(wk_grad_scaler_unscale_(scaler, optimizer));
            wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 0.5);
        }
        assert_true(wk_grad_scaler_step(scaler, optimizer));
        assert_true(wk_grad_scaler_update(scaler));
        double expected[20], scale[20];
        wk_tolist(losses, expected);
        wk_tolist(scales, scale);
        if (fabs(wk_item(loss) - expected[step]) > 1e-3 * (1 + expected[step]))
            fail_msg("%s: the loss of step %d is %.9g, expected %.9g", name, (int)step, wk_item(loss), expected[step]);
        assert_float_equal(wk_grad_scaler_get_scale(scaler), scale[step], 0);
        if (stops && step == 4) { // goes on where it stopped
            wk_dict *state_dict = wk_grad_scaler_state_dict(scaler);
            wk_grad_scaler_free(scaler);
            scaler = wk_amp_grad_scaler();
            assert_true(wk_grad_scaler_load_state_dict(scaler, state_dict));
            wk_dict_free(state_dict);
        }
    }
    wk_grad_scaler_free(scaler);
    wk_optim_free(optimizer);
    wk_module_free(model);
}

static void trains_as_pytorch(void **state)
{
    (void)state;
    wk_scope train("bfloat16", wk_bfloat16, false);
    wk_scope train("float16", wk_float16, false);
    wk_scope train("float16", wk_float16, true);
}

static bool unscale_twice(wk_grad_scaler *s, wk_optimizer *o)
{
    return wk_grad_scaler_unscale_(s, o) && wk_grad_scaler_unscale_(s, o);
}
static bool step_twice(wk_grad_scaler *s, wk_optimizer *o)
{
    return wk_grad_scaler_step(s, o) && wk_grad_scaler_step(s, o);
}
static bool unscale_late(wk_grad_scaler *s, wk_optimizer *o)
{
    return wk_grad_scaler_step(s, o) && wk_grad_scaler_unscale_(s, o);
}
static bool update_only(wk_grad_scaler *s, wk_optimizer *o) { return o && wk_grad_scaler_update(s); }
static bool without_grads(wk_grad_scaler *s, wk_optimizer *o)
{
    wk_optim_zero_grad(o);
    return wk_grad_scaler_step(s, o);
}
static bool with_halves(wk_grad_scaler *s, wk_optimizer *o)
{
    wk_tensor *w = wk_requires_grad_(wk_ones((2), .dtype = wk_float16), true);
    wk_backward(wk_sum(w));
    wk_optimizer *of_half = wk_optim_sgd(WK_TENSORS(w));
    const bool fine = o && wk_grad_scaler_step(s, of_half);
    wk_optim_free(of_half);
    return fine;
}
static bool another_state(wk_grad_scaler *s, wk_optimizer *o)
{
    wk_dict *state = wk_optim_state_dict(o);
    const bool fine = wk_grad_scaler_load_state_dict(s, state);
    wk_dict_free(state);
    return fine;
}

static void misuse_is_named(void **state)
{
    (void)state;
    static const struct {
        bool (*call)(wk_grad_scaler *, wk_optimizer *);
        const char *op;
    } CALLS[] = {{unscale_twice, "grad_scaler_unscale_"}, {step_twice, "grad_scaler_step"},
                 {unscale_late, "grad_scaler_unscale_"},  {update_only, "grad_scaler_update"},
                 {without_grads, "grad_scaler_step"},     {with_halves, "grad_scaler_step"},
                 {another_state, "grad_scaler_load_state_dict"}};
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
        wk_scope
        {
            wk_tensor *w = wk_requires_grad_(wk_ones((2)), true);
            wk_optimizer *optimizer = wk_optim_sgd(WK_TENSORS(w));
            wk_grad_scaler *scaler = wk_amp_grad_scaler();
            wk_backward(wk_grad_scaler_scale(scaler, wk_sum(w)));
            wk_error error;
            wk_try (&error)
                assert_false(CALLS[i].call(scaler, optimizer));
            assert_true(error.set);
            assert_string_equal(error.op, CALLS[i].op);
            wk_grad_scaler_free(scaler);
            wk_optim_free(optimizer);
        }
}

int main(void)
{
    mirror_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_cast_as_pytorchs), cmocka_unit_test(blocks_nest),
        cmocka_unit_test(what_cannot_be_is_not), cmocka_unit_test(casts_are_kept),
        cmocka_unit_test(trains_as_pytorch),    cmocka_unit_test(misuse_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
