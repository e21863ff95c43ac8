/* A tensor that requires grad makes all that is computed from it remember how.  wk_backward walks back from a result
   and leaves in each leaf's grad how the result would change with it.

   New here: requires_grad, wk_backward, x->grad, wk_no_grad, wk_autograd_grad with create_graph. */
#include <stdio.h>

#include <wick.h>

int main(void)
{
    wk_scope
    {
        wk_tensor *x = wk_tensor((3), ((float[]){1, 2, 3}), .requires_grad = true); // (3,)
        wk_tensor *y = wk_sum(wk_pow(x, 3));                                       // (): sum of x^3
        wk_print("y", y);
        wk_backward(y);
        wk_print("x->grad, 3 x^2", x->grad); // (3,)

        /* no graph is made in here: for evaluation, and for changing parameters in place */
        wk_no_grad { wk_sub_(x, wk_mul(x->grad, 0.1)); } // a step downhill
        wk_print("x after a step", x);

        /* the gradient of a gradient: the slope of 3 x^2 is 6 x */
        wk_tensor *dx, *ddx;
        wk_autograd_grad((wk_sum(wk_pow(x, 3))), (x), (&dx), .create_graph = true); // (3,)
        wk_autograd_grad((wk_sum(dx)), (x), (&ddx));                                // (3,)
        wk_print("second derivative, 6 x", ddx);
    }
}
