/* Activations as modules; identity and flatten, which have no parameters either. */
#include <stdio.h>
#include <string.h>

#include <wick/activation.h>
#include <wick/pointwise.h>
#include <wick/view.h>

#include "layer.h"

/* ---------------------------------------------------------------- without arguments */

static wk_module *plain(const char *type, wk_module_forward *forward)
{
    return wk_module_new_with((wk_module_args){.size = sizeof(wk_module), .type = type, .forward = forward});
}

static wk_tensor *identity_forward(void *module, wk_tensor *x)
{
    (void)module;
    return x;
}

static wk_tensor *relu_forward(void *module, wk_tensor *x)
{
    (void)module;
    return wk_relu(x);
}

static wk_tensor *silu_forward(void *module, wk_tensor *x)
{
    (void)module;
    return wk_silu(x);
}

static wk_tensor *tanh_forward(void *module, wk_tensor *x)
{
    (void)module;
    return wk_tanh(x);
}

static wk_tensor *sigmoid_forward(void *module, wk_tensor *x)
{
    (void)module;
    return wk_sigmoid(x);
}

static wk_tensor *softsign_forward(void *module, wk_tensor *x)
{
    (void)module;
    return wk_softsign(x);
}

wk_module *wk_nn_identity(void) { return plain("identity", identity_forward); }
wk_module *wk_nn_relu(void) { return plain("relu", relu_forward); }
wk_module *wk_nn_silu(void) { return plain("silu", silu_forward); }
wk_module *wk_nn_tanh(void) { return plain("tanh", tanh_forward); }
wk_module *wk_nn_sigmoid(void) { return plain("sigmoid", sigmoid_forward); }
wk_module *wk_nn_softsign(void) { return plain("softsign", softsign_forward); }

/* ---------------------------------------------------------------- gelu, softmax, flatten */

typedef struct wk_nn_gelu {
    wk_module_base base;
    bool by_tanh;
} wk_nn_gelu;

static wk_tensor *gelu_forward(void *module, wk_tensor *x)
{
    const wk_nn_gelu *self = module;
    return wk_gelu(x, .approximate = self->by_tanh ? "tanh" : "none");
}

static void gelu_repr(void *module, char *text, size_t size)
{
    const wk_nn_gelu *self = module;
    snprintf(text, size, "approximate='%s'", self->by_tanh ? "tanh" : "none");
}

wk_module *wk_nn_gelu_with(wk_nn_gelu_args args)
{
    const bool by_tanh = args.approximate && strcmp(args.approximate, "tanh") == 0;
    if (!by_tanh && !(args.approximate && strcmp(args.approximate, "none") == 0))
        return wk_fail("nn_gelu", "approximate: expected \"none\" or \"tanh\", got \"%s\"",
                       args.approximate ? args.approximate : "(null)");
    wk_nn_gelu *self = wk_module_new(wk_nn_gelu, gelu_forward, .extra_repr = gelu_repr);
    if (self)
        self->by_tanh = by_tanh;
    return (wk_module *)self;
}

typedef struct wk_nn_softmax {
    wk_module_base base;
    int64_t dim;
} wk_nn_softmax;

static wk_tensor *softmax_forward(void *module, wk_tensor *x)
{
    const wk_nn_softmax *self = module;
    return wk_softmax(x, self->dim);
}

static void softmax_repr(void *module, char *text, size_t size)
{
    snprintf(text, size, "dim=%lld", (long long)((const wk_nn_softmax *)module)->dim);
}

wk_module *wk_nn_softmax_with(wk_nn_softmax_args args)
{
    wk_nn_softmax *self = wk_module_new(wk_nn_softmax, softmax_forward, .extra_repr = softmax_repr);
    if (self)
        self->dim = args.dim;
    return (wk_module *)self;
}

typedef struct wk_nn_flatten {
    wk_module_base base;
    int64_t start_dim, end_dim;
} wk_nn_flatten;

static wk_tensor *flatten_forward(void *module, wk_tensor *x)
{
    const wk_nn_flatten *self = module;
    return wk_flatten(x, self->start_dim, self->end_dim);
}

static void flatten_repr(void *module, char *text, size_t size)
{
    const wk_nn_flatten *self = module;
    snprintf(text, size, "start_dim=%lld, end_dim=%lld", (long long)self->start_dim, (long long)self->end_dim);
}

wk_module *wk_nn_flatten_with(wk_nn_flatten_args args)
{
    wk_nn_flatten *self = wk_module_new(wk_nn_flatten, flatten_forward, .extra_repr = flatten_repr);
    if (self) {
        self->start_dim = args.start_dim;
        self->end_dim = args.end_dim;
    }
    return (wk_module *)self;
}
