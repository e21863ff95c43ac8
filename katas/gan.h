/* Two adversaries: a generator makes pictures of noise, a critic tells them from real ones, and each learns from what
   the other does.  Convolutions, batch norms and slopes as in "Unsupervised Representation Learning with Deep
   Convolutional Generative Adversarial Networks", https://arxiv.org/abs/1511.06434. */
#ifndef KATAS_GAN_H
#define KATAS_GAN_H

#include <wick.h>

/* noise (B, Z, 1, 1) -> pictures (B, 1, image, image) from -1 to 1 */
static wk_module *gan_generator_new(int64_t latent, int64_t width, int64_t image)
{
    return wk_nn_sequential(wk_nn_conv_transpose2d(latent, 2 * width, image / 4), wk_nn_batch_norm2d(2 * width),
                            wk_nn_relu(), wk_nn_conv_transpose2d(2 * width, width, 4, .stride = 2, .padding = 1),
                            wk_nn_batch_norm2d(width), wk_nn_relu(),
                            wk_nn_conv_transpose2d(width, 1, 4, .stride = 2, .padding = 1), wk_nn_tanh());
}

/* pictures (B, 1, image, image) -> how real each looks, a logit (B, 1) */
static wk_module *gan_critic_new(int64_t width, int64_t image)
{
    return wk_nn_sequential(wk_nn_conv2d(1, width, 4, .stride = 2, .padding = 1), wk_nn_leaky_relu(0.2),
                            wk_nn_conv2d(width, 2 * width, 4, .stride = 2, .padding = 1), wk_nn_batch_norm2d(2 * width),
                            wk_nn_leaky_relu(0.2), wk_nn_conv2d(2 * width, 1, image / 4), wk_nn_flatten());
}

typedef struct gan {
    wk_module *generator, *critic;
    wk_optimizer *generators, *critics; // the optimizer of each
} gan;

static gan gan_new(int64_t image, int64_t width, int64_t latent, double lr)
{
    gan g;
    g.generator = gan_generator_new(latent, width, image);
    g.critic = gan_critic_new(width, image);
    g.generators = wk_optim_adam(wk_module_parameters(g.generator), .lr = lr, .betas = {0.5, 0.999});
    g.critics = wk_optim_adam(wk_module_parameters(g.critic), .lr = lr, .betas = {0.5, 0.999});
    return g;
}

static void gan_free(gan *g)
{
    wk_optim_free(g->generators);
    wk_optim_free(g->critics);
    wk_module_free(g->generator);
    wk_module_free(g->critic);
}

/* A step of both.  real: (B, 1, H, W) from -1 to 1; noise: (B, Z, 1, 1); losses: the critic's, the generator's */
static void gan_step(gan *g, wk_tensor *real, wk_tensor *noise, double losses[2])
{
    const int64_t B = wk_size(real, 0);
    wk_tensor *ones = wk_ones((B, 1), .device = real->device);   // (B, 1)
    wk_tensor *zeros = wk_zeros((B, 1), .device = real->device); // (B, 1)
    wk_tensor *fake = wk_forward(g->generator, noise);           // (B, 1, H, W)

    // the critic: real ones are real, and those of the generator, which learns nothing from this, are not
    wk_tensor *loss_real = wk_binary_cross_entropy_with_logits(wk_forward(g->critic, real), ones);             // ()
    wk_tensor *loss_fake = wk_binary_cross_entropy_with_logits(wk_forward(g->critic, wk_detach(fake)), zeros); // ()
    wk_tensor *loss_critic = wk_add(loss_real, loss_fake);                                                     // ()
    wk_optim_zero_grad(g->critics);
    wk_backward(loss_critic);
    wk_optim_step(g->critics);

    // the generator: what it makes shall be taken for real
    wk_tensor *loss_generator = wk_binary_cross_entropy_with_logits(wk_forward(g->critic, fake), ones); // ()
    wk_optim_zero_grad(g->generators);
    wk_backward(loss_generator);
    wk_optim_step(g->generators);
    losses[0] = wk_item(loss_critic), losses[1] = wk_item(loss_generator);
}

#endif
