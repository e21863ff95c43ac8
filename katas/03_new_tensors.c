/* Tensors from nothing.  rand is uniform in [0, 1): a batch of timesteps.  randn is standard normal: the prior that a
   generative model starts from.  ones and zeros: masks and accumulators.

   New here: wk_manual_seed, wk_rand, wk_randn, wk_ones, wk_zeros, and how numbers spread over a batch. */
#include <wick.h>

int main(void)
{
    wk_scope
    {
        wk_manual_seed(0);
        const int64_t B = 4, C = 3, H = 8, W = 8;

        wk_tensor *image = wk_rand((B, C, H, W));  // (B, C, H, W), a stand-in for data
        wk_tensor *prior = wk_randn((B, C, H, W)); // (B, C, H, W)
        wk_tensor *t = wk_rand((B));               // (B,), a time in [0, 1) for each image
        wk_print("t", t);

        /* on the straight path from prior to image, at time t: (1 - t) * prior + t * image */
        wk_tensor *t_ = wk_reshape(t, (B, 1, 1, 1));                              // (B, 1, 1, 1)
        wk_tensor *x_t = wk_add(wk_mul(wk_sub(1, t_), prior), wk_mul(t_, image)); // (B, C, H, W)
        wk_print("mean of each x_t", wk_mean(x_t, (1, 2, 3)));                    // (B,)

        wk_tensor *mask = wk_ones((B, 6), .dtype = wk_bool); // (B, 6): every token may be seen
        wk_tensor *total = wk_zeros((6));                    // (6,)
        wk_print("mask", mask);
        wk_print("total", wk_add(total, wk_sum(mask, (0)))); // (6,)
    }
}
