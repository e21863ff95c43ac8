/* Mixed precision.  PyTorch: torch.amp, https://pytorch.org/docs/stable/amp.html

       wk_grad_scaler *scaler = wk_amp_grad_scaler();      for float16, where gradients vanish; bfloat16 needs none
       ...
       wk_optim_zero_grad(opt);
       wk_autocast (wk_cpu, wk_float16) {                  the forward and the loss; not the backward
           loss = wk_cross_entropy(wk_forward(model, x), y);
       }
       wk_backward(wk_grad_scaler_scale(scaler, loss));
       wk_grad_scaler_step(scaler, opt);
       wk_grad_scaler_update(scaler);
       ...
       wk_grad_scaler_free(scaler); */
#ifndef WICK_AMP_H
#define WICK_AMP_H
#pragma GCC system_header // see tensor.h

#include <wick/dict.h>
#include <wick/optim.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* wk_autocast (device, dtype = bfloat16 on the CPU, else float16, enabled = true, cache_enabled = true) { ... }: in
   this thread, inside the block, ops cast their floating operands on devices of that type, but for float64:
     - to dtype, which is bfloat16 or float16: linear, matmul, mm, bmm, addmm, conv1d, conv2d, conv3d, the same
       transposed, prelu, scaled_dot_product_attention, and what is made of these;
     - to float32: the losses, prod, quantile, cdist, Fourier transforms, stft, polar, view_as_complex, inverse,
       linalg_inv, _solve, _eigh and _qr, grid_sample, avg_pool3d, max_pool3d, adaptive_avg_pool3d, and pad where it
       reflects one or two dims or replicates;
     - others take what they get: promotion gives float32 of both.
   These are PyTorch's lists of the CPU, on every device.  Blocks nest; the inner one's settings hold.  The cast of a
   parameter is kept until the outermost block ends, or the parameter changes. */
typedef struct wk_autocast_args {
    wk_device device;
    wk_dtype dtype;
    bool enabled, cache_enabled;
} wk_autocast_args;
typedef struct wk_autocast_guard {
    wk_device_type type;
    wk_dtype dtype; // the three settings of before
    bool enabled, cache_enabled;
    bool open;
} wk_autocast_guard;
#define wk_autocast(...)                                                                                               \
    for (wk_autocast_guard wk_autocast_here __attribute__((cleanup(wk_autocast_close))) =                              \
             wk_autocast_open((wk_autocast_args){.enabled = true, .cache_enabled = true, .device = __VA_ARGS__});      \
         wk_autocast_here.open; wk_autocast_here.open = false)
wk_autocast_guard wk_autocast_open(wk_autocast_args args);
void wk_autocast_close(wk_autocast_guard *guard);
bool wk_is_autocast_enabled(wk_device device); // for tensors on devices of that type, in this thread
wk_dtype wk_get_autocast_gpu_dtype(void);      // what wk_autocast (wk_cuda) casts to, in this thread

/* amp_grad_scaler(device, init_scale = 65536, growth_factor = 2, backoff_factor = 0.5, growth_interval = 2000,
   enabled = true): scales the loss, so that small gradients do not vanish in float16, and skips a step whose gradients
   are infinite or NaN, on any device: the one given is not looked at.  Disabled, scale gives what it gets and step
   steps. */
typedef struct wk_grad_scaler wk_grad_scaler;
typedef struct wk_amp_grad_scaler_args {
    int first;
    wk_device device;
    double init_scale, growth_factor, backoff_factor;
    int64_t growth_interval;
    bool enabled;
} wk_amp_grad_scaler_args;
#define wk_amp_grad_scaler(...)                                                                                        \
    wk_amp_grad_scaler_with((wk_amp_grad_scaler_args){.init_scale = 65536,                                             \
                                                      .growth_factor = 2,                                              \
                                                      .backoff_factor = 0.5,                                           \
                                                      .growth_interval = 2000,                                         \
                                                      .enabled = true,                                                 \
                                                      .first = 0,                                                      \
                                                      __VA_ARGS__})
wk_grad_scaler *wk_amp_grad_scaler_with(wk_amp_grad_scaler_args args); // NULL after an error
void wk_grad_scaler_free(wk_grad_scaler *scaler);                      // NULL is fine
wk_tensor *wk_grad_scaler_scale(wk_grad_scaler *scaler, wk_tensor *loss); // loss * scale
/* divides the optimizer's grads by the scale, before clipping: once between updates.  False after an error. */
bool wk_grad_scaler_unscale_(wk_grad_scaler *scaler, wk_optimizer *optimizer);
/* unscales, where that was not done, and steps the optimizer unless a grad is infinite or NaN; false after an error */
bool wk_grad_scaler_step(wk_grad_scaler *scaler, wk_optimizer *optimizer);
/* after the steps of all optimizers: a skipped one makes the scale smaller, growth_interval good ones make it grow */
bool wk_grad_scaler_update(wk_grad_scaler *scaler);
double wk_grad_scaler_get_scale(const wk_grad_scaler *scaler);
wk_dict *wk_grad_scaler_state_dict(const wk_grad_scaler *scaler); // numbers, as texts; wk_dict_free it
bool wk_grad_scaler_load_state_dict(wk_grad_scaler *scaler, const wk_dict *state);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
