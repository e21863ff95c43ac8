/* Twins of whole models of images (tests/golden/twins.py), line for line: a ResNet-18, and those of katas/: a U-Net
   that learns to denoise, a DiT that matches flows, a VAE, a GAN, and a CLIP, of images and text.  Seeded alike they
   start from the same weights, draw the same data, and lose the same in 20 steps, here and on a second device. */
#include "../katas/clip.h"
#include "../katas/diffusion.h"
#include "../katas/dit.h"
#include "../katas/frechet.h"
#include "../katas/gan.h"
#include "../katas/unet.h"
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

static void learn_to_denoise(const char *name, diffusion *d, int64_t size, double lr)
{
    assert_begins_alike(name, d->model);
    wk_tensor *x = wk_to(wk_sub(wk_mul(wk_rand((4, 1, size, size)), 2), 1), device); // (B, 1, size, size)
    wk_tensor *y = wk_to(wk_randint(0, d->classes, (4)), device);                    // (B,)
    wk_module_to(d->model, device);
    d->signal = wk_to(d->signal, device);
    wk_optimizer *opt = wk_optim_adam(wk_module_parameters(d->model), .lr = lr);
    wk_for_each_step (step, 0, 20) {
        wk_tensor *loss = diffusion_loss(d, x, y);
        wk_optim_zero_grad(opt);
        wk_backward(loss);
        wk_optim_step(opt);
        assert_loses_alike(name, step, loss);
    }
    d->guidance = 2;
    x = wk_to(wk_randn((4, 1, size, size)), device);
    wk_no_grad for (int i = 0; i < 3; i++)
        x = diffusion_step(d, x, y, i, 3);
    assert_near("drawn", x, answer("%s/drawn", name), 1e-3);
    wk_optim_free(opt);
    wk_module_free(d->model);
}

static void denoising(void)
{
    wk_manual_seed(51);
    diffusion d = diffusion_new(unet_new(1, 2, 8, 3), unet_forward, false, 3);
    learn_to_denoise("unet", &d, 16, 2e-3);
}

static void flowing(void)
{
    wk_manual_seed(56);
    const dit_config config = {8, .channels = 1, .patch = 2, .dim = 16, .depth = 2, .heads = 2, .classes = 3};
    diffusion d = diffusion_new(dit_new(config), dit_forward, true, 3);
    learn_to_denoise("dit", &d, 8, 1e-2);
}

static void scoring(void)
{
    wk_manual_seed(58);
    wk_tensor *a = wk_randn((40, 6)), *b = wk_add(wk_mul(wk_randn((50, 6)), 1.5), 0.3); // (N, F)
    const double distance = frechet_distance(wk_to(a, device), wk_to(b, device));
    assert_near("frechet", wk_full((), distance, .dtype = wk_float64), answer("frechet"), 1e-9);
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

/* ---------------------------------------------------------------- CLIP */

static void pairing(void)
{
    wk_manual_seed(57);
    const clip_config config = {
        8, .width = 4, .words = 12, .length = 5, .dim = 8, .depth = 2, .heads = 2, .shared = 8};
    clip *model = clip_new(config);
    assert_begins_alike("clip", model);
    wk_tensor *x = wk_to(wk_rand((6, 1, 8, 8)), device), *tokens = wk_to(wk_randint(0, 12, (6, 5)), device);
    wk_module_to(model, device);
    wk_optimizer *opt = wk_optim_adamw(wk_module_parameters(model), .lr = 1e-2);
    wk_for_each_step (step, 0, 20) {
        wk_tensor *loss = clip_loss(model, x, tokens);
        wk_optim_zero_grad(opt);
        wk_backward(loss);
        wk_optim_step(opt);
        assert_loses_alike("clip", step, loss);
    }
    wk_optim_free(opt);
    wk_module_free(model);
}

/* ---------------------------------------------------------------- on both devices */

static void test_resnet(void **state) { (void)state, on_both(resnet); }
static void test_denoising(void **state) { (void)state, on_both(denoising); }
static void test_flowing(void **state) { (void)state, on_both(flowing); }
static void test_scoring(void **state) { (void)state, on_both(scoring); }
static void test_autoencoder(void **state) { (void)state, on_both(autoencoder); }
static void test_adversaries(void **state) { (void)state, on_both(adversaries); }
static void test_pairing(void **state) { (void)state, on_both(pairing); }

int main(void)
{
    mirror_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resnet),
        cmocka_unit_test(test_denoising),
        cmocka_unit_test(test_flowing),
        cmocka_unit_test(test_scoring),
        cmocka_unit_test(test_autoencoder),
        cmocka_unit_test(test_adversaries),
        cmocka_unit_test(test_pairing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
