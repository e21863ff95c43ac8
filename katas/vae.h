/* A variational autoencoder: a picture becomes a few numbers z, and z a picture again.

   The encoder says where z may lie, as a mean and a variance of each number; the decoder rebuilds the picture from one
   z drawn there.  What is lost has two parts: how badly it is rebuilt, and how far the encoder strays from the prior, a
   normal of mean 0 and variance 1; so that, at the end, a z drawn from the prior becomes a picture as well.

   "Auto-Encoding Variational Bayes", https://arxiv.org/abs/1312.6114. */
#ifndef KATAS_VAE_H
#define KATAS_VAE_H

#include <wick.h>

typedef struct vae {
    wk_module_base base;
    wk_module *encoder, *mean, *log_variance, *decode, *decoder;
    int64_t low, width; // H and W of the smallest maps, channels of the first
} vae;

/* z: (B, Z) -> logits of the pixels (B, 1, H, W) */
static wk_tensor *vae_decode(void *module, wk_tensor *z)
{
    vae *self = module;
    wk_tensor *h = wk_forward(self->decode, z);                  // (B, 2*width*H/4*W/4)
    h = wk_view(h, (-1, 2 * self->width, self->low, self->low)); // (B, 2*width, H/4, W/4)
    return wk_forward(self->decoder, h);                         // (B, 1, H, W)
}

/* x: (B, 1, H, W) -> where its z lies: mean and log of the variance, (B, Z) each */
static wk_tensor *vae_encode(void *module, wk_tensor *x, wk_tensor **log_variance)
{
    vae *self = module;
    wk_tensor *h = wk_forward(self->encoder, x);                // (B, 2*width*H/4*W/4)
    *log_variance = wk_keep(wk_forward(self->log_variance, h)); // (B, Z)
    return wk_forward(self->mean, h);                           // (B, Z)
}

/* x: (B, 1, H, W) from 0 to 1 -> logits of what it is rebuilt as; *kl: how far from the prior, summed, () */
static wk_tensor *vae_forward(void *module, wk_tensor *x, wk_tensor **kl)
{
    vae *self = module;
    wk_tensor *log_variance = NULL, *mean = wk_call(vae_encode, self, x, &log_variance);               // (B, Z)
    wk_tensor *noise = wk_to(wk_randn((wk_size(mean, 0), wk_size(mean, 1))), mean->device);            // (B, Z)
    wk_tensor *z = wk_add(mean, wk_mul(noise, wk_exp(wk_mul(0.5, log_variance))));                     // (B, Z)
    wk_tensor *terms = wk_sub(wk_sub(wk_add(1, log_variance), wk_pow(mean, 2)), wk_exp(log_variance)); // (B, Z)
    *kl = wk_keep(wk_mul(-0.5, wk_sum(terms)));                                                        // ()
    return wk_call(vae_decode, self, z);                                                               // (B, 1, H, W)
}

/* what is lost for each picture of the batch: () */
static wk_tensor *vae_loss(void *module, wk_tensor *x)
{
    wk_tensor *kl = NULL, *y = wk_call(vae_forward, module, x, &kl);                    // (B, 1, H, W)
    wk_tensor *rebuilt = wk_binary_cross_entropy_with_logits(y, x, .reduction = "sum"); // ()
    return wk_div(wk_add(rebuilt, kl), wk_size(x, 0));                                  // ()
}

/* pictures of image x image, a multiple of 4; latent: Z */
static vae *vae_new(int64_t image, int64_t width, int64_t latent)
{
    const int64_t low = image / 4, flat = 2 * width * low * low;
    vae *self = wk_module_new(vae, NULL);
    self->low = low, self->width = width;
    wk_add_module(self, encoder,
                  wk_nn_sequential(wk_nn_conv2d(1, width, 3, .stride = 2, .padding = 1), wk_nn_relu(),
                                   wk_nn_conv2d(width, 2 * width, 3, .stride = 2, .padding = 1), wk_nn_relu(),
                                   wk_nn_flatten()));
    wk_add_module(self, mean, wk_nn_linear(flat, latent));
    wk_add_module(self, log_variance, wk_nn_linear(flat, latent));
    wk_add_module(self, decode, wk_nn_linear(latent, flat));
    wk_add_module(self, decoder,
                  wk_nn_sequential(wk_nn_conv_transpose2d(2 * width, width, 4, .stride = 2, .padding = 1), wk_nn_relu(),
                                   wk_nn_conv_transpose2d(width, 1, 4, .stride = 2, .padding = 1)));
    return self;
}

#endif
