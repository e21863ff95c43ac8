/* What autograd (floor 2) asks of ops (floor 3): all calls up the stairs, in one place, so that nothing else goes up.
   A gradient is made of ops, and to walk back one must add gradients, reduce them to their inputs' shapes and make new
   ones; under create_graph these ops record like any other.  ops/ defines the functions, most in ops/gradient.c;
   tests/floors.sh holds every object file against this list. */
#ifndef WICK_FROM_OPS_H
#define WICK_FROM_OPS_H

#include <wick/tensor.h>

wk_tensor *wk_gradient_add(wk_tensor *a, wk_tensor *b);       // a + b
wk_tensor *wk_gradient_add_(wk_tensor *a, wk_tensor *b);      // a += b, in a's memory
/* summed over the dims that shape was broadcast along, and cast; one number is also sent to the device */
wk_tensor *wk_gradient_fit(wk_tensor *gradient, int ndim, const int64_t *shape, wk_dtype dtype, wk_device device);
wk_tensor *wk_gradient_zeros(int ndim, const int64_t *shape, wk_dtype dtype, wk_device device);
wk_tensor *wk_gradient_ones_like(wk_tensor *x);
wk_tensor *wk_gradient_clone(wk_tensor *x); // contiguous
/* under wk_detect_anomaly: false after an error that names the op (of "exp_backward"), where a result is NaN, or
   infinite and no input is; the same of a gradient that node gives, dy being what it got */
bool wk_anomaly_check_results(const char *name, wk_tensor *const *results, int count, wk_tensors inputs);
void wk_anomaly_forget(void); // what it remembers of the last op
bool wk_anomaly_check_gradient(const char *name, int input, wk_tensor *gradient, wk_tensor *const *dy, int count);
bool wk_view_renew(wk_tensor *view);        // gives a view of a base written into its new grad_fn (ops/inplace.c)

#endif
