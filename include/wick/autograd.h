/* Gradients.  PyTorch: torch.autograd, https://pytorch.org/docs/stable/autograd.html

   A tensor that requires_grad makes every result computed from it remember how; wk_backward walks back and adds to the
   grad of each leaf. */
#ifndef WICK_AUTOGRAD_H
#define WICK_AUTOGRAD_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* backward(x, gradient, retain_graph, create_graph): adds d x / d leaf into each leaf's grad.  x has one element unless
   gradient (x's shape) is given.  A leaf's grad grows, in its own memory, as soon as all of the leaf's gradient is
   there: so one that another pointer holds grows too, and create_graph alone makes a new one.  Freed graphs, and saved
   tensors that were changed in place, are errors.  False after an error: then some leaves' grads may have grown, and
   others not. */
typedef struct wk_backward_args {
    wk_tensor *x;
    wk_tensor *gradient;
    bool retain_graph;
    bool create_graph; // gradients have gradients; implies retain_graph
} wk_backward_args;
#define wk_backward(...) wk_backward_with((wk_backward_args){.x = __VA_ARGS__})
bool wk_backward_with(wk_backward_args args);

/* autograd.grad((y), (x1, x2), (&g1, &g2)): gradients of outputs with respect to inputs, leaving x->grad alone.  An
   input that outputs do not depend on is an error, or NULL with .allow_unused. */
typedef struct wk_autograd_grad_args {
    wk_tensors outputs, inputs;
    wk_places results;
    wk_tensors grad_outputs; // as many as outputs; none: ones, for outputs of one element
    bool retain_graph, create_graph, allow_unused;
} wk_autograd_grad_args;
#define wk_autograd_grad(outputs_, inputs_, ...)                                                                       \
    wk_autograd_grad_with((wk_autograd_grad_args){.outputs = WK_TUPLE(WK_TENSORS, outputs_) outputs_,                  \
                                                  .inputs = WK_TUPLE(WK_TENSORS, inputs_) inputs_,                     \
                                                  .results = WK_TUPLE(WK_PLACES, __VA_ARGS__) __VA_ARGS__})
bool wk_autograd_grad_with(wk_autograd_grad_args args);

/* wk_no_grad { ... }, wk_enable_grad { ... }: whether results remember, in this thread, inside the block */
typedef struct wk_grad_guard {
    bool before;
    bool open;
} wk_grad_guard;
#define WK_GRAD_BLOCK(mode)                                                                                            \
    for (wk_grad_guard wk_grad_here __attribute__((cleanup(wk_grad_mode_close))) = wk_grad_mode_open(mode);            \
         wk_grad_here.open; wk_grad_here.open = false)
#define wk_no_grad WK_GRAD_BLOCK(false)
#define wk_enable_grad WK_GRAD_BLOCK(true)
wk_grad_guard wk_grad_mode_open(bool mode);
void wk_grad_mode_close(wk_grad_guard *guard);
bool wk_is_grad_enabled(void);
void wk_set_grad_enabled(bool mode);

/* wk_inference_mode { ... }: as wk_no_grad, and what is made inside stays out of gradients: outside it cannot be saved
   for backward, written in place or required to have a grad, until it is cloned.  wk_enable_grad does nothing in it. */
typedef struct wk_inference_guard {
    bool inference, grad; // of before
    bool open;
} wk_inference_guard;
#define wk_inference_mode                                                                                              \
    for (wk_inference_guard wk_inference_here __attribute__((cleanup(wk_inference_mode_close))) =                      \
             wk_inference_mode_open();                                                                                 \
         wk_inference_here.open; wk_inference_here.open = false)
wk_inference_guard wk_inference_mode_open(void);
void wk_inference_mode_close(wk_inference_guard *guard);

/* wk_detect_anomaly { ... }, or wk_set_detect_anomaly(true): looks, in this thread, for the op that makes NaN, or
   infinity of finite numbers.  Forward, the op is an error, which names the module that runs.  Backward, where a
   gradient is NaN, or infinite though what came was finite, and where a backward fails otherwise, the error shows the
   forward call that recorded the op (of what was recorded while this was on).  Slow: for looking, not for training. */
#define wk_detect_anomaly                                                                                              \
    for (wk_grad_guard wk_anomaly_here __attribute__((cleanup(wk_anomaly_mode_close))) = wk_anomaly_mode_open();       \
         wk_anomaly_here.open; wk_anomaly_here.open = false)
wk_grad_guard wk_anomaly_mode_open(void);
void wk_anomaly_mode_close(wk_grad_guard *guard);
bool wk_is_anomaly_enabled(void);
void wk_set_detect_anomaly(bool mode);

wk_tensor *wk_requires_grad_(wk_tensor *x, bool requires_grad); // of a leaf of floating dtype, true unless told; x
#ifndef __cplusplus
#define wk_requires_grad_(...)                                                                                         \
    __extension__({                                                                                                    \
        const struct {                                                                                                 \
            wk_tensor *x;                                                                                              \
            bool requires_grad;                                                                                        \
        } wk_given = {.requires_grad = true, .x = __VA_ARGS__};                                                        \
        wk_requires_grad_(wk_given.x, wk_given.requires_grad);                                                         \
    })
#endif
wk_tensor *wk_detach(wk_tensor *x);                             // the same memory, no gradient
wk_tensor *wk_detach_(wk_tensor *x);
bool wk_is_leaf(const wk_tensor *x);
wk_tensor *wk_retain_grad(wk_tensor *x); // a non-leaf also gets its grad; returns x

/* hook(gradient, context) runs when backward, or autograd_grad, has x's gradient; what it returns replaces it, NULL
   leaves it.  Hooks may remove and register hooks: those that were there when x's turn came run this time, also where
   one of them was removed meanwhile, so their contexts must last until then.  A hook may run backward, over the same
   graph too.  Where no gradient comes to x, none runs. */
typedef wk_tensor *wk_tensor_hook(wk_tensor *gradient, void *context);
int wk_register_hook(wk_tensor *x, wk_tensor_hook *hook, void *context); // a handle; 0 after an error
/* hook(leaf, context) runs in backward as soon as leaf->grad has all that this backward adds; it may use the grad up,
   as an optimizer inside of backward does, and let it go.  Not in autograd_grad. */
typedef void wk_post_accumulate_grad_hook(wk_tensor *leaf, void *context);
int wk_register_post_accumulate_grad_hook(wk_tensor *leaf, wk_post_accumulate_grad_hook *hook, void *context);
void wk_remove_hook(wk_tensor *x, int handle); // of either kind

/* A function with a backward of the user's own (torch.autograd.Function).  forward computes outputs from inputs,
   without recording; backward gives the gradient of each input from those of the outputs (NULL: none).  Numbers and
   tensors that both need travel in ctx. */
typedef struct wk_autograd_ctx wk_autograd_ctx;
typedef struct wk_autograd_function {
    const char *name;
    void (*forward)(wk_autograd_ctx *ctx, wk_tensors inputs, wk_tensors outputs);
    void (*backward)(wk_autograd_ctx *ctx, wk_tensors grad_outputs, wk_tensors grad_inputs);
} wk_autograd_function;
/* wk_autograd_function_apply(&function, context, (a, b), (&y)) */
#define wk_autograd_function_apply(function, context, inputs, outputs)                                                 \
    wk_autograd_function_apply_with(function, context, WK_TUPLE(WK_TENSORS, inputs) inputs,                            \
                                    WK_TUPLE(WK_PLACES, outputs) outputs)
bool wk_autograd_function_apply_with(const wk_autograd_function *function, void *context, wk_tensors inputs,
                                     wk_places outputs);
void wk_ctx_save_for_backward(wk_autograd_ctx *ctx, wk_tensors saved);
wk_tensors wk_ctx_saved_tensors(wk_autograd_ctx *ctx); // in backward; none after an error: one was changed in place
wk_tensor *wk_ctx_saved_tensor(wk_autograd_ctx *ctx, int i);
void *wk_ctx_context(wk_autograd_ctx *ctx); // what apply was given

/* checkpoint(function, context, (x, mask), preserve_rng_state = true): function(context, x, mask), whose gradient keeps
   the inputs alone and runs the function again (torch.utils.checkpoint with use_reentrant=False).  The function takes
   context and one, two or three tensors, or a wk_tensors of any number, and gives one; of a module:
       x = wk_checkpoint(wk_forward, self->block, (x));
   It must compute the same again, and context must last until backward.  What it draws is the same again, but with
   .preserve_rng_state = false, and so is the autocast that it runs in.  .use_reentrant = true is an error.
   wk_checkpoint_wrapper (wick/module.h) makes a module always do so. */
typedef struct wk_checkpointed {
    int inputs; // 0: any number
    union {
        wk_tensor *(*one)(void *context, wk_tensor *x);
        wk_tensor *(*two)(void *context, wk_tensor *x, wk_tensor *y);
        wk_tensor *(*three)(void *context, wk_tensor *x, wk_tensor *y, wk_tensor *z);
        wk_tensor *(*any)(void *context, wk_tensors inputs);
    } call;
} wk_checkpointed;
typedef struct wk_checkpoint_args {
    wk_checkpointed function;
    void *context;
    wk_tensors inputs;
    bool preserve_rng_state, use_reentrant;
} wk_checkpoint_args;
#define wk_checkpoint(function_, context_, ...)                                                                        \
    wk_checkpoint_with((wk_checkpoint_args){.preserve_rng_state = true,                                                \
                                            .function = WK_CHECKPOINTED(function_),                                    \
                                            .context = context_,                                                       \
                                            .inputs = WK_TENSORS __VA_ARGS__})
wk_tensor *wk_checkpoint_with(wk_checkpoint_args args);
#define WK_CHECKPOINTED(function)                                                                                      \
    _Generic(&*(function),                                                                                             \
        wk_tensor * (*)(void *, wk_tensor *): wk_checkpointed_one,                                                     \
        wk_tensor * (*)(void *, wk_tensor *, wk_tensor *): wk_checkpointed_two,                                        \
        wk_tensor * (*)(void *, wk_tensor *, wk_tensor *, wk_tensor *): wk_checkpointed_three,                         \
        wk_tensor * (*)(void *, wk_tensors): wk_checkpointed_any)(function)
static inline wk_checkpointed wk_checkpointed_one(wk_tensor *(*function)(void *, wk_tensor *))
{
    wk_checkpointed checkpointed;
    checkpointed.inputs = 1;
    checkpointed.call.one = function;
    return checkpointed;
}
static inline wk_checkpointed wk_checkpointed_two(wk_tensor *(*function)(void *, wk_tensor *, wk_tensor *))
{
    wk_checkpointed checkpointed;
    checkpointed.inputs = 2;
    checkpointed.call.two = function;
    return checkpointed;
}
static inline wk_checkpointed wk_checkpointed_three(wk_tensor *(*function)(void *, wk_tensor *, wk_tensor *,
                                                                           wk_tensor *))
{
    wk_checkpointed checkpointed;
    checkpointed.inputs = 3;
    checkpointed.call.three = function;
    return checkpointed;
}
static inline wk_checkpointed wk_checkpointed_any(wk_tensor *(*function)(void *, wk_tensors))
{
    wk_checkpointed checkpointed;
    checkpointed.inputs = 0;
    checkpointed.call.any = function;
    return checkpointed;
}

/* gradcheck: the gradient of function against finite differences, in float64; gradgradcheck: the gradient's gradient.
   False, with the reason in text, where they differ. */
typedef wk_tensor *wk_checked_function(wk_tensors inputs, void *context);
typedef struct wk_gradcheck_args {
    wk_checked_function *function;
    void *context;
    wk_tensors inputs;
    double eps, atol, rtol;
    char *text; // of text_size bytes
    size_t text_size;
} wk_gradcheck_args;
#define wk_autograd_gradcheck(...)                                                                                     \
    wk_autograd_gradcheck_with((wk_gradcheck_args){.eps = 1e-6, .atol = 1e-5, .rtol = 1e-3, .function = __VA_ARGS__})
#define wk_autograd_gradgradcheck(...)                                                                                 \
    wk_autograd_gradgradcheck_with(                                                                                    \
        (wk_gradcheck_args){.eps = 1e-6, .atol = 1e-5, .rtol = 1e-3, .function = __VA_ARGS__})
bool wk_autograd_gradcheck_with(wk_gradcheck_args args);
bool wk_autograd_gradgradcheck_with(wk_gradcheck_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
