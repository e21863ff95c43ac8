/* Solving dx/dt = f(t, x), as samplers of diffusion and flow models do.  After torchdiffeq's odeint,
   https://github.com/rtqichen/torchdiffeq, on the grid that is given. */
#ifndef WICK_ODE_H
#define WICK_ODE_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* odeint(f, x, t, method = "euler", context = NULL): the states at the times t (T), rising or falling, from x at t[0]:
   (T, shape of x), x first.  f(t, x, context) gives the slope, of x's shape; its t is a tensor of no dims.  A step from
   t[i] to t[i + 1] by "euler", "midpoint", "heun" (the mean of the slopes at both ends), or "rk4" (the classical one,
   with weights 1, 2, 2, 1).  Differentiable, to x, t and what f uses; a sampler writes wk_no_grad around it. */
typedef wk_tensor *wk_ode_slope(wk_tensor *t, wk_tensor *x, void *context);
typedef struct wk_odeint_args {
    wk_ode_slope *f;
    wk_tensor *x, *t;
    const char *method;
    void *context;
} wk_odeint_args;
#define wk_odeint(f_, x_, ...)                                                                                         \
    wk_odeint_with((wk_odeint_args){.method = "euler", .f = f_, .x = x_, .t = __VA_ARGS__})
wk_tensor *wk_odeint_with(wk_odeint_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
