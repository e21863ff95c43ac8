/* How far drawn pictures are from real ones: the Frechet distance between what a small classifier sees in the ones and
   in the others, taken for two normal distributions.  FID is the same of a large classifier's features
   (https://arxiv.org/abs/1706.08500); its numbers are not to be compared with these.

   |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)), m the mean of the features, C their covariance. */
#ifndef KATAS_FRECHET_H
#define KATAS_FRECHET_H

#include <math.h>

#include <wick.h>

enum { FRECHET_FEATURES = 64 };

typedef struct judge {
    wk_module_base base;
    wk_module *features, *head;
} judge;

/* x: (B, 1, 28, 28) from -1 to 1 -> logits (B, 10) */
static wk_tensor *judge_forward(void *module, wk_tensor *x)
{
    judge *self = module;
    return wk_forward(self->head, wk_forward(self->features, x)); // (B, 10)
}

static inline judge *judge_new(void)
{
    judge *self = wk_module_new(judge, judge_forward);
    wk_add_module(self, features,
                  wk_nn_sequential(wk_nn_conv2d(1, 16, 3, .stride = 2, .padding = 1), wk_nn_relu(),
                                   wk_nn_conv2d(16, 32, 3, .stride = 2, .padding = 1), wk_nn_relu(), wk_nn_flatten(),
                                   wk_nn_linear(32 * 7 * 7, FRECHET_FEATURES), wk_nn_relu()));
    wk_add_module(self, head, wk_nn_linear(FRECHET_FEATURES, 10));
    return self;
}

/* f: (N, F) -> mean (F,) and covariance (F, F) */
static void frechet_moments(wk_tensor *f, wk_tensor **mean, wk_tensor **covariance)
{
    f = wk_to(f, wk_float64);                                               // (N, F)
    *mean = wk_mean(f, (0));                                                // (F,)
    wk_tensor *apart = wk_sub(f, *mean);                                    // (N, F)
    *covariance = wk_div(wk_matmul(wk_t(apart), apart), wk_size(f, 0) - 1); // (F, F)
}

/* the square root of a symmetric matrix without negative eigenvalues */
static wk_tensor *frechet_root(wk_tensor *c)
{
    wk_tensor *values, *vectors; // (F,), (F, F)
    wk_linalg_eigh(c, (&values, &vectors));
    wk_tensor *scaled = wk_mul(vectors, wk_sqrt(wk_clamp(values, 0, wk_none))); // (F, F)
    return wk_matmul(scaled, wk_t(vectors));                                    // (F, F)
}

/* a: (N, F), b: (M, F) features */
static double frechet_distance(wk_tensor *a, wk_tensor *b)
{
    double distance = 0;
    wk_scope
    {
        wk_tensor *mean_a, *mean_b, *cov_a, *cov_b;
        frechet_moments(a, &mean_a, &cov_a);
        frechet_moments(b, &mean_b, &cov_b);
        wk_tensor *apart = wk_sub(mean_a, mean_b);                                              // (F,)
        wk_tensor *root = frechet_root(cov_a);                                                  // (F, F)
        wk_tensor *both = frechet_root(wk_matmul(wk_matmul(root, cov_b), root));                // (F, F)
        wk_tensor *spread = wk_sum(wk_diagonal(wk_sub(wk_add(cov_a, cov_b), wk_mul(both, 2)))); // ()
        distance = wk_item(wk_add(wk_sum(wk_mul(apart, apart)), spread));
    }
    return distance;
}

#endif
