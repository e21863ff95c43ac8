/* Test a module the day it is written: make a tensor of the right shape with wk_rand, push it through, look at the
   shape that comes out.  Then step through it in the debugger, line by line:
   make debug && gdb build-debug/katas/08_dummy_tensors

   New here: wk_nn_conv2d with a stride (each halves height and width), wk_nn_sequential, wk_summary, wk_module_eval. */
#include <stdio.h>

#include <wick.h>

/* (B, 3, 32, 32) -> (B, 10) */
static wk_module *classifier_new(void)
{
    return wk_nn_sequential(wk_nn_conv2d(3, 16, 3, .stride = 2, .padding = 1),  // (B, 16, 16, 16)
                            wk_nn_relu(),                                      // (B, 16, 16, 16)
                            wk_nn_conv2d(16, 32, 3, .stride = 2, .padding = 1), // (B, 32, 8, 8)
                            wk_nn_relu(),                                      // (B, 32, 8, 8)
                            wk_nn_flatten(),                                   // (B, 32*8*8)
                            wk_nn_linear(32 * 8 * 8, 10));                     // (B, 10)
}

int main(void)
{
    wk_manual_seed(0);
    wk_module *model = classifier_new();
    wk_module_eval(model);
    wk_summary(model, (1, 3, 32, 32));
    wk_scope
    {
        wk_tensor *image = wk_rand((4, 3, 32, 32));     // (B, C, H, W)
        wk_tensor *logits = wk_forward(model, image);   // (B, 10)
        wk_unpack(logits, B, classes);
        printf("logits: (%lld, %lld)\n", (long long)B, (long long)classes);
    }
    wk_module_free(model);
}
