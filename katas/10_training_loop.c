/* The loop that all training is: forward, loss, zero_grad, backward, step.  Here a small network learns to tell the
   inside of a ring from the outside.

   New here: wk_for_each_step, which has a scope in each turn, wk_optim_adam, wk_binary_cross_entropy_with_logits,
   wk_item. */
#include <stdio.h>

#include <wick.h>

int main(void)
{
    wk_manual_seed(0);
    wk_module *model = wk_nn_sequential(wk_nn_linear(2, 32), wk_nn_tanh(), wk_nn_linear(32, 1));
    wk_optimizer *optimizer = wk_optim_adam(wk_module_parameters(model), .lr = 0.02);

    wk_for_each_step (step, 0, 301) {
        wk_tensor *x = wk_randn((256, 2));                                         // (B, 2)
        wk_tensor *radius = wk_sum(wk_square(x), (1), .keepdim = true);            // (B, 1)
        wk_tensor *inside = wk_to(wk_lt(radius, 1.4), wk_float32);                 // (B, 1): about half
        wk_tensor *logits = wk_forward(model, x);                                  // (B, 1)
        wk_tensor *loss = wk_binary_cross_entropy_with_logits(logits, inside);     // ()

        wk_optim_zero_grad(optimizer);
        wk_backward(loss);
        wk_optim_step(optimizer);

        if (step % 100 == 0) {
            wk_tensor *right = wk_eq(wk_gt(logits, 0), wk_to(inside, wk_bool)); // (B, 1)
            printf("step %3ld  loss %.4f  accuracy %.2f\n", step, wk_item(loss),
                   wk_item(wk_mean(wk_to(right, wk_float32))));
        }
    }

    wk_optim_free(optimizer);
    wk_module_free(model);
}
