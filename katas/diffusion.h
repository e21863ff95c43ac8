/* Two ways to make pictures of noise, each a loss to learn by and a way from noise to picture.

   ddpm  A picture is drowned in noise over 1,000 times, from which the model learns to tell the noise; then the way
         goes back, a little noise less at each step.  "Denoising Diffusion Probabilistic Models",
         https://arxiv.org/abs/2006.11239.
   flow  A straight line leads from noise (time 0) to a picture (time 1), along which the model learns the direction;
         then a step after the other follows it.  "Flow Matching", https://arxiv.org/abs/2210.02747.

   Classes are left out now and then, so that the model also knows what any picture looks like: away from that, and
   towards the class, makes clearer ones ("Classifier-Free Diffusion Guidance", https://arxiv.org/abs/2207.12598). */
#ifndef KATAS_DIFFUSION_H
#define KATAS_DIFFUSION_H

#include <math.h>

#include <wick.h>

enum { DIFFUSION_TIMES = 1000 };

/* what a model must be able to do: (x (B, C, H, W), times (B,), classes (B,)) -> (B, C, H, W) */
typedef struct diffusion {
    void *model;
    wk_tensor *(*forward)(void *model, wk_tensor *x, wk_tensor *t, wk_tensor *y);
    bool flow;         // else ddpm
    int64_t classes;   // the class of this number is any
    double guidance;   // 1: none
    wk_tensor *signal; // (1000,): how much of the picture is left at each time, squared
} diffusion;

static diffusion diffusion_new(void *model, wk_tensor *(*forward)(void *, wk_tensor *, wk_tensor *, wk_tensor *),
                               bool flow, int64_t classes)
{
    wk_tensor *noise_added = wk_linspace(1e-4, 0.02, DIFFUSION_TIMES); // (1000,)
    return (diffusion){model, forward, flow, classes, 1, wk_cumprod(wk_sub(1, noise_added), 0)};
}

/* (B,) -> (B, 1, 1, 1) */
static wk_tensor *diffusion_column(wk_tensor *t) { return wk_view(t, (-1, 1, 1, 1)); }

/* ---------------------------------------------------------------- learning */

/* x: pictures (B, C, H, W) from -1 to 1, y: their classes (B,) -> () */
static wk_tensor *diffusion_loss(const diffusion *d, wk_tensor *x, wk_tensor *y)
{
    const int64_t B = wk_size(x, 0);
    wk_tensor *left_out = wk_lt(wk_rand((B), .device = x->device), 0.1); // (B,)
    y = wk_masked_fill(y, left_out, d->classes);                         // (B,)
    wk_tensor *noise = wk_randn_like(x);                                 // (B, C, H, W): the prior
    if (d->flow) {
        wk_tensor *t = wk_rand((B), .device = x->device);               // (B,)
        wk_tensor *on_the_way = wk_lerp(noise, x, diffusion_column(t)); // (B, C, H, W)
        wk_tensor *direction = wk_sub(x, noise);                        // (B, C, H, W)
        return wk_mse_loss(wk_call(d->forward, d->model, on_the_way, t, y), direction);
    }
    wk_tensor *t = wk_randint(0, DIFFUSION_TIMES, (B), .device = x->device);                            // (B,)
    wk_tensor *signal = diffusion_column(wk_index_select(d->signal, 0, t));                             // (B, 1, 1, 1)
    wk_tensor *drowned = wk_add(wk_mul(wk_sqrt(signal), x), wk_mul(wk_sqrt(wk_sub(1, signal)), noise)); // (B, C, H, W)
    wk_tensor *times = wk_div(t, (double)DIFFUSION_TIMES);                                              // (B,)
    return wk_mse_loss(wk_call(d->forward, d->model, drowned, times, y), noise);
}

/* ---------------------------------------------------------------- drawing */

/* what the model says at one time, guided to the class: (B, C, H, W) */
static wk_tensor *diffusion_says(const diffusion *d, wk_tensor *x, double time, wk_tensor *y)
{
    wk_tensor *t = wk_full((wk_size(x, 0)), time, .dtype = wk_float32, .device = x->device); // (B,)
    wk_tensor *towards = wk_call(d->forward, d->model, x, t, y);                             // (B, C, H, W)
    if (d->guidance == 1)
        return towards;
    wk_tensor *any = wk_call(d->forward, d->model, x, t, wk_full_like(y, d->classes)); // (B, C, H, W)
    return wk_lerp(any, towards, d->guidance);                                         // (B, C, H, W)
}

/* from `time` of the 1,000 back to `earlier` (-1: the picture): what lies between is drawn as it may have been */
static wk_tensor *diffusion_step_back(const diffusion *d, wk_tensor *x, wk_tensor *y, int64_t time, int64_t earlier)
{
    const double now = wk_item(wk_select(d->signal, 0, time)); // of the picture, squared
    const double then = earlier < 0 ? 1 : wk_item(wk_select(d->signal, 0, earlier)), kept = now / then;
    wk_tensor *noise = diffusion_says(d, x, (double)time / DIFFUSION_TIMES, y);      // (B, C, H, W)
    wk_tensor *picture = wk_div(wk_sub(x, wk_mul(noise, sqrt(1 - now))), sqrt(now)); // (B, C, H, W)
    picture = wk_clamp(picture, -1, 1);                                              // (B, C, H, W)
    wk_tensor *mean = wk_add(wk_mul(picture, sqrt(then) * (1 - kept) / (1 - now)),
                             wk_mul(x, sqrt(kept) * (1 - then) / (1 - now))); // (B, C, H, W)
    const double deviation = sqrt((1 - kept) * (1 - then) / (1 - now));
    return wk_add(mean, wk_mul(wk_randn_like(x), deviation)); // (B, C, H, W)
}

/* One step of `steps`, i of them done: x (B, C, H, W), y (B,) -> (B, C, H, W).  The first x is wk_randn. */
static wk_tensor *diffusion_step(const diffusion *d, wk_tensor *x, wk_tensor *y, int64_t i, int64_t steps)
{
    if (d->flow) {
        wk_tensor *direction = diffusion_says(d, x, (double)i / (double)steps, y); // (B, C, H, W)
        return wk_add(x, direction, .alpha = 1 / (double)steps);                   // (B, C, H, W)
    }
    const int64_t time = DIFFUSION_TIMES * (steps - i) / steps - 1;
    return diffusion_step_back(d, x, y, time, DIFFUSION_TIMES * (steps - i - 1) / steps - 1);
}

#endif
