/* A project of someone else's: a line fitted to points by hand, with an installed wick. */
#include <stdio.h>

#include <wick.h>

int main(void)
{
    wk_scope
    {
        wk_manual_seed(0);
        wk_tensor *x = wk_randn((64)), *w = wk_zeros((1), .requires_grad = true); // (64,), (1,)
        for (int step = 0; step < 100; step++) {
            wk_backward(wk_sum(wk_square(wk_sub(wk_mul(x, w), wk_mul(x, 3)))));
            wk_no_grad { wk_sub_(w, wk_mul(w->grad, 0.002)); }
            wk_sub_(w->grad, wk_clone(w->grad));
        }
        wk_print("w", w); // near 3
    }
}
