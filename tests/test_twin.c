/* The twin of tests/golden/twin.py: the same vision transformer and MLP, line for line.  Seeded alike, both start from
   the same bits, draw the same data, and lose the same in their first 20 steps, here and on a second device. */
#include "answers.h"
#include "mirror.h"

/* ---------------------------------------------------------------- the models */

typedef struct {
    wk_module_base base;
    wk_module *qkv, *proj;
    int64_t heads;
} attention;

static wk_tensor *attention_forward(void *module, wk_tensor *x)
{
    attention *self = module;
    wk_unpack(x, B, L, D);
    const int64_t H = self->heads;
    wk_tensor *q, *k, *v;
    wk_tensor *qkv = wk_reshape(wk_forward(self->qkv, x), (B, L, 3, H, D / H)); // (B, L, 3, H, D/H)
    wk_unbind(wk_permute(qkv, (2, 0, 3, 1, 4)), (&q, &k, &v));                  // 3 x (B, H, L, D/H)
    x = wk_scaled_dot_product_attention(q, k, v);                               // (B, H, L, D/H)
    return wk_forward(self->proj, wk_flatten(wk_transpose(x, 1, 2), 2));        // (B, L, D)
}

static attention *attention_new(int64_t dim, int64_t heads)
{
    attention *self = wk_module_new(attention, attention_forward);
    wk_add_module(self, qkv, wk_nn_linear(dim, 3 * dim, .bias = false));
    wk_add_module(self, proj, wk_nn_linear(dim, dim));
    self->heads = heads;
    return self;
}

typedef struct {
    wk_module_base base;
    wk_module *norm1, *attn, *norm2, *mlp;
} block;

static wk_tensor *block_forward(void *module, wk_tensor *x)
{
    block *self = module;
    x = wk_add(x, wk_forward(self->attn, wk_forward(self->norm1, x)));
    return wk_add(x, wk_forward(self->mlp, wk_forward(self->norm2, x)));
}

static block *block_new(int64_t dim, int64_t heads)
{
    block *self = wk_module_new(block, block_forward);
    wk_add_module(self, norm1, wk_nn_layer_norm((dim)));
    wk_add_module(self, attn, attention_new(dim, heads));
    wk_add_module(self, norm2, wk_nn_layer_norm((dim)));
    wk_add_module(self, mlp, wk_nn_sequential(wk_nn_linear(dim, 4 * dim), wk_nn_gelu(), wk_nn_linear(4 * dim, dim)));
    return self;
}

typedef struct {
    wk_module_base base;
    wk_module *patch_embed, *blocks, *norm, *head;
    wk_tensor *cls, *pos;
} vit;

static wk_tensor *vit_forward(void *module, wk_tensor *x)
{
    vit *self = module;
    x = wk_transpose(wk_flatten(wk_forward(self->patch_embed, x), 2), 1, 2); // (B, N, D)
    wk_tensor *cls = wk_expand(self->cls, (wk_size(x, 0), -1, -1));          // (B, 1, D)
    x = wk_add(wk_cat((cls, x), .dim = 1), self->pos);                       // (B, 1 + N, D)
    wk_for_each_module (block, self->blocks)
        x = wk_forward(block, x);
    return wk_forward(self->head, wk_index(wk_forward(self->norm, x), ":, 0")); // (B, classes)
}

static vit *vit_new(int64_t size, int64_t patch, int64_t dim, int64_t depth, int64_t heads, int64_t classes)
{
    const int64_t N = (size / patch) * (size / patch);
    vit *self = wk_module_new(vit, vit_forward);
    wk_add_module(self, patch_embed, wk_nn_conv2d(1, dim, patch, .stride = patch));
    wk_add_parameter(self, cls, wk_zeros((1, 1, dim)));
    wk_add_parameter(self, pos, wk_mul(wk_randn((1, N + 1, dim)), 0.02));
    wk_add_module(self, blocks, wk_nn_module_list());
    for (int64_t i = 0; i < depth; i++)
        wk_nn_module_list_append(self->blocks, block_new(dim, heads));
    wk_add_module(self, norm, wk_nn_layer_norm((dim)));
    wk_add_module(self, head, wk_nn_linear(dim, classes));
    return self;
}

static wk_module *mlp_new(void)
{
    return wk_nn_sequential(wk_nn_flatten(), wk_nn_linear(64, 32), wk_nn_relu(), wk_nn_linear(32, 10));
}

/* ---------------------------------------------------------------- the test */

static void check_state(const char *name, void *model)
{
    char prefix[40];
    snprintf(prefix, sizeof prefix, "%s/state/", name);
    wk_dict *state = wk_module_state_dict(model), *expected = wk_dict_part(answers, prefix);
    assert_int_equal(wk_dict_count(state), wk_dict_count(expected));
    for (int64_t i = 0; i < wk_dict_count(state); i++) {
        assert_string_equal(wk_dict_key_at(state, i), wk_dict_key_at(expected, i));
        assert_near(wk_dict_key_at(state, i), wk_dict_value_at(state, i), wk_dict_value_at(expected, i), 0);
    }
    wk_dict_free(state);
    wk_dict_free(expected);
}

static void train(const char *name, void *model, wk_tensor *x, wk_tensor *y, double lr, wk_device device)
{
    check_state(name, model);
    assert_near("images", x, answer("%s/images", name), 0);
    assert_near("labels", y, answer("%s/labels", name), 0);
    wk_tensor *losses = answer("%s/losses", name);
    assert_ptr_equal(wk_module_to(model, device), model);
    x = wk_to(x, device);
    y = wk_to(y, device);
    wk_optimizer *opt = wk_optim_adamw(wk_module_parameters(model), .lr = lr, .weight_decay = 0.05);
    for (int64_t step = 0; step < 20; step++)
        wk_scope
        {
            wk_tensor *loss = wk_cross_entropy(wk_forward(model, x), y);
            wk_optim_zero_grad(opt);
            wk_backward(loss);
            wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
            wk_optim_step(opt);
            const double got = wk_item(loss), expected = wk_item(wk_select(losses, 0, step));
            if (!(fabs(got - expected) <= 1e-4 * expected))
                fail_msg("%s: the loss of step %lld is %.7g, expected %.7g", name, (long long)step, got, expected);
        }
    wk_optim_free(opt);
    wk_module_free(model);
}

/* *state: the device */
static void vision_transformer(void **state)
{
    const wk_device device = *(wk_device *)*state;
    wk_scope
    {
        wk_manual_seed(42);
        vit *model = vit_new(8, 4, 16, 2, 2, 10);
        wk_tensor *images = wk_randn((32, 1, 8, 8));
        train("vit", model, images, wk_randint(0, 10, (32)), 3e-3, device);
    }
}

static void mlp(void **state)
{
    const wk_device device = *(wk_device *)*state;
    wk_scope
    {
        wk_manual_seed(43);
        wk_module *model = mlp_new();
        wk_tensor *images = wk_rand((32, 1, 8, 8));
        train("mlp", model, images, wk_randint(0, 10, (32)), 1e-2, device);
    }
}

static int setup(void **state)
{
    (void)state;
    return read_answers("twin");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

int main(void)
{
    mirror_start();
    wk_device here = wk_cpu, there = mirror;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(vision_transformer, &here),
        cmocka_unit_test_prestate(mlp, &here),
        cmocka_unit_test_prestate(vision_transformer, &there),
        cmocka_unit_test_prestate(mlp, &there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
