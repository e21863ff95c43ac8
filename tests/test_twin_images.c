/* Twins of whole models of images (tests/golden/twins.py), line for line: a ResNet-18, a U-Net that learns to denoise,
   a convolutional VAE, a GAN.  Seeded alike they start from the same weights, draw the same data, and lose the same in
   20 steps, here and on a second device. */
#include "../katas/gan.h"
#include "../katas/vae.h"
#include "twin.h"

/* ---------------------------------------------------------------- ResNet-18, of narrow layers */

typedef struct {
    wk_module_base base;
    wk_module *conv1, *bn1, *conv2, *bn2, *downsample;
} basic_block;

static wk_tensor *basic_block_forward(void *module, wk_tensor *x)
{
    basic_block *self = module;
    wk_tensor *y = wk_relu(wk_forward(self->bn1, wk_forward(self->conv1, x))); // (B, outer, H', W')
    y = wk_forward(self->bn2, wk_forward(self->conv2, y));
    return wk_relu(wk_add(y, self->downsample ? wk_forward(self->downsample, x) : x));
}

static basic_block *basic_block_new(int64_t inner, int64_t outer, int64_t stride)
{
    basic_block *self = wk_module_new(basic_block, basic_block_forward);
    wk_add_module(self, conv1, wk_nn_conv2d(inner, outer, 3, .stride = stride, .padding = 1, .bias = false));
    wk_add_module(self, bn1, wk_nn_batch_norm2d(outer));
    wk_add_module(self, conv2, wk_nn_conv2d(outer, outer, 3, .padding = 1, .bias = false));
    wk_add_module(self, bn2, wk_nn_batch_norm2d(outer));
    if (stride != 1 || inner != outer)
        wk_add_module(self, downsample,
                      wk_nn_sequential(wk_nn_conv2d(inner, outer, 1, .stride = stride, .bias = false),
                                       wk_nn_batch_norm2d(outer)));
    return self;
}

typedef struct {
    wk_module_base base;
    wk_module *conv1, *bn1, *maxpool, *layers, *avgpool, *fc;
} resnet18;

static wk_tensor *resnet18_forward(void *module, wk_tensor *x)
{
    resnet18 *self = module;
    x = wk_relu(wk_forward(self->bn1, wk_forward(self->conv1, x)));           // (B, width, H/2, W/2)
    x = wk_forward(self->layers, wk_forward(self->maxpool, x));               // (B, 8*width, H/32, W/32)
    return wk_forward(self->fc, wk_flatten(wk_forward(self->avgpool, x), 1)); // (B, classes)
}

static resnet18 *resnet18_new(int64_t width, int64_t classes)
{
    resnet18 *self = wk_module_new(resnet18, resnet18_forward);
    wk_add_module(self, conv1, wk_nn_conv2d(3, width, 7, .stride = 2, .padding = 3, .bias = false));
    wk_add_module(self, bn1, wk_nn_batch_norm2d(width));
    wk_add_module(self, maxpool, wk_nn_max_pool2d(3, .stride = 2, .padding = 1));
    wk_add_module(self, layers, wk_nn_sequential());
    int64_t inner = width;
    for (int stage = 0; stage < 4; stage++) {
        const int64_t outer = width << stage;
        wk_nn_sequential_append(self->layers, basic_block_new(inner, outer, stage == 0 ? 1 : 2));
        wk_nn_sequential_append(self->layers, basic_block_new(outer, outer, 1));
        inner = outer;
    }
    wk_add_module(self, avgpool, wk_nn_adaptive_avg_pool2d(1));
    wk_add_module(self, fc, wk_nn_linear(inner, classes));
    return self;
}

static void resnet(void)
{
    wk_manual_seed(50);
    resnet18 *model = resnet18_new(8, 10);
    assert_begins_alike("resnet", model);
    wk_tensor *x = wk_to(wk_randn((8, 3, 32, 32)), device), *y = wk_to(wk_randint(0, 10, (8)), device);
    wk_module_to(model, wk_float64); // in float32 PyTorch's own convolutions part ways after three steps
    x = wk_to(x, wk_float64);
    wk_module_to(model, device);
    wk_optimizer *opt = wk_optim_sgd(wk_module_parameters(model), .lr = 0.02, .momentum = 0.9, .weight_decay = 1e-4);
    wk_for_each_step (step, 0, 20) {
        wk_tensor *loss = wk_cross_entropy(wk_forward(model, x), y, .label_smoothing = 0.1);
        wk_optim_zero_grad(opt);
        wk_backward(loss);
        wk_optim_step(opt);
        assert_loses_alike("resnet", step, loss);
    }
    wk_module_eval(model);
    wk_no_grad assert_loses_alike("resnet", 20, wk_cross_entropy(wk_forward(model, x), y));
    wk_optim_free(opt);
    wk_module_free(model);
}

/* ---------------------------------------------------------------- U-Net, denoising */

typedef struct {
    wk_module_base base;
    wk_module *norm1, *conv1, *time, *norm2, *conv2, *skip;
} res_block;

/* x: (B, inner, H, W), t: (B, time) */
static wk_tensor *res_block_forward(void *module, wk_tensor *x, wk_tensor *t)
{
    res_block *self = module;
    wk_tensor *shift = wk_index(wk_forward(self->time, t), ":, :, None, None"); // (B, outer, 1, 1)
    wk_tensor *y = wk_add(wk_forward(self->conv1, wk_silu(wk_forward(self->norm1, x))), shift);
    return wk_add(wk_forward(self->skip, x), wk_forward(self->conv2, wk_silu(wk_forward(self->norm2, y))));
}

static res_block *res_block_new(int64_t inner, int64_t outer, int64_t time)
{
    res_block *self = wk_module_new(res_block, NULL);
    wk_add_module(self, norm1, wk_nn_group_norm(4, inner));
    wk_add_module(self, conv1, wk_nn_conv2d(inner, outer, 3, .padding = 1));
    wk_add_module(self, time, wk_nn_linear(time, outer));
    wk_add_module(self, norm2, wk_nn_group_norm(4, outer));
    wk_add_module(self, conv2, wk_nn_conv2d(outer, outer, 3, .padding = 1));
    wk_add_module(self, skip, inner != outer ? wk_nn_conv2d(inner, outer, 1) : wk_nn_identity());
    return self;
}

typedef struct {
    wk_module_base base;
    wk_module *embed, *first, *down1, *shrink, *down2, *middle, *grow, *up1, *last;
    int64_t width;
} unet;

/* x: (B, C, H, W), t: (B) timesteps -> (B, C, H, W) */
static wk_tensor *unet_forward(void *module, wk_tensor *x, wk_tensor *t)
{
    unet *self = module;
    const int64_t half = self->width / 2;
    wk_tensor *frequencies = wk_exp(wk_mul(wk_arange((half), .device = x->device), -log(10000.0) / (double)half));
    wk_tensor *angles = wk_mul(wk_to(wk_unsqueeze(t, 1), wk_float32), wk_unsqueeze(frequencies, 0)); // (B, half)
    t = wk_cat((wk_cos(angles), wk_sin(angles)), .dim = -1);                                         // (B, width)
    t = wk_silu(wk_forward(self->embed, t));                                                         // (B, 4*width)
    wk_tensor *high = wk_call(res_block_forward, self->down1, wk_forward(self->first, x), t);        // (B, width, H, W)
    wk_tensor *low = wk_call(res_block_forward, self->down2, wk_forward(self->shrink, high), t);
    low = wk_call(res_block_forward, self->middle, low, t);    // (B, 2*width, H/2, W/2)
    x = wk_cat((wk_forward(self->grow, low), high), .dim = 1); // (B, 2*width, H, W)
    return wk_forward(self->last, wk_call(res_block_forward, self->up1, x, t));
}

static unet *unet_new(int64_t channels, int64_t width)
{
    const int64_t time = 4 * width;
    unet *self = wk_module_new(unet, NULL);
    self->width = width;
    wk_add_module(self, embed, wk_nn_sequential(wk_nn_linear(width, time), wk_nn_silu(), wk_nn_linear(time, time)));
    wk_add_module(self, first, wk_nn_conv2d(channels, width, 3, .padding = 1));
    wk_add_module(self, down1, res_block_new(width, width, time));
    wk_add_module(self, shrink, wk_nn_conv2d(width, width, 3, .stride = 2, .padding = 1));
    wk_add_module(self, down2, res_block_new(width, 2 * width, time));
    wk_add_module(self, middle, res_block_new(2 * width, 2 * width, time));
    wk_add_module(self, grow, wk_nn_conv_transpose2d(2 * width, width, 4, .stride = 2, .padding = 1));
    wk_add_module(self, up1, res_block_new(2 * width, width, time));
    wk_add_module(self, last, wk_nn_conv2d(width, channels, 3, .padding = 1));
    return self;
}

static void denoising(void)
{
    wk_manual_seed(51);
    unet *model = unet_new(1, 8);
    assert_begins_alike("unet", model);
    const int64_t steps = 100;
    wk_tensor *x0 = wk_sub(wk_mul(wk_rand((4, 1, 16, 16)), 2), 1);
    wk_tensor *alpha_bar = wk_cumprod(wk_sub(1, wk_linspace(1e-4, 0.02, steps)), .dim = 0); // (steps)
    wk_module_to(model, device);
    wk_optimizer *opt = wk_optim_adam(wk_module_parameters(model), .lr = 2e-3);
    wk_for_each_step (step, 0, 20) {
        wk_tensor *t = wk_randint(0, steps, (4));
        wk_tensor *noise = wk_randn_like(x0);
        wk_tensor *a = wk_view(wk_index_select(alpha_bar, 0, t), (-1, 1, 1, 1));
        wk_tensor *x = wk_add(wk_mul(wk_sqrt(a), x0), wk_mul(wk_sqrt(wk_sub(1, a)), noise)); // (4, 1, 16, 16)
        wk_tensor *y = wk_call(unet_forward, model, wk_to(x, device), wk_to(t, device));
        wk_tensor *loss = wk_mse_loss(y, wk_to(noise, device));
        wk_optim_zero_grad(opt);
        wk_backward(loss);
        wk_optim_step(opt);
        assert_loses_alike("unet", step, loss);
    }
    wk_optim_free(opt);
    wk_module_free(model);
}

/* ---------------------------------------------------------------- VAE */

static void autoencoder(void)
{
    wk_manual_seed(52);
    vae *model = vae_new(16, 8, 4);
    assert_begins_alike("vae", model);
    wk_tensor *x = wk_to(wk_to(wk_gt(wk_rand((8, 1, 16, 16)), 0.5), wk_float32), device);
    wk_module_to(model, device);
    wk_optimizer *opt = wk_optim_adam(wk_module_parameters(model), .lr = 1e-3);
    wk_for_each_step (step, 0, 20) {
        wk_tensor *loss = vae_loss(model, x);
        wk_optim_zero_grad(opt);
        wk_backward(loss);
        wk_optim_step(opt);
        assert_loses_alike("vae", step, loss);
    }
    wk_optim_free(opt);
    wk_module_free(model);
}

/* ---------------------------------------------------------------- GAN */

static void adversaries(void)
{
    wk_manual_seed(53);
    gan g = gan_new(16, 8, 8, 2e-4);
    assert_begins_alike("gan/generator", g.generator);
    assert_begins_alike("gan/critic", g.critic);
    wk_tensor *real = wk_to(wk_sub(wk_mul(wk_rand((8, 1, 16, 16)), 2), 1), device);
    wk_module_to(g.generator, device);
    wk_module_to(g.critic, device);
    wk_for_each_step (step, 0, 20) {
        double losses[2];
        gan_step(&g, real, wk_to(wk_randn((8, 8, 1, 1)), device), losses);
        assert_loses_alike("gan", 2 * step, wk_full((), losses[0], .dtype = wk_float64));
        assert_loses_alike("gan", 2 * step + 1, wk_full((), losses[1], .dtype = wk_float64));
    }
    gan_free(&g);
}

/* ---------------------------------------------------------------- on both devices */

static void test_resnet(void **state) { (void)state, on_both(resnet); }
static void test_denoising(void **state) { (void)state, on_both(denoising); }
static void test_autoencoder(void **state) { (void)state, on_both(autoencoder); }
static void test_adversaries(void **state) { (void)state, on_both(adversaries); }

int main(void)
{
    mirror_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resnet),
        cmocka_unit_test(test_denoising),
        cmocka_unit_test(test_autoencoder),
        cmocka_unit_test(test_adversaries),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
