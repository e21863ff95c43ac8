/* Activations as modules; identity and flatten, which have no parameters either. */
#include <stdio.h>
#include <string.h>

#include <wick/activation.h>
#include <wick/pointwise.h>
#include <wick/view.h>

#include "core/text.h"
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

wk_module *(wk_nn_identity)(void) { return plain("identity", identity_forward); }
wk_module *wk_nn_tanh(void) { return plain("tanh", tanh_forward); }
wk_module *wk_nn_sigmoid(void) { return plain("sigmoid", sigmoid_forward); }
wk_module *wk_nn_softsign(void) { return plain("softsign", softsign_forward); }

/* ---------------------------------------------------------------- relu, silu: in place where they are told */

typedef struct relu_layer {
    wk_module_base base;
    bool inplace;
} relu_layer;

static wk_tensor *relu_forward(void *module, wk_tensor *x)
{
    return ((const relu_layer *)module)->inplace ? wk_relu_(x) : wk_relu(x);
}

static wk_tensor *silu_forward(void *module, wk_tensor *x)
{
    return ((const relu_layer *)module)->inplace ? wk_silu_(x) : wk_silu(x);
}

static void relu_repr(void *module, char *text, size_t size)
{
    snprintf(text, size, "%s", ((const relu_layer *)module)->inplace ? "inplace=True" : "");
}

static wk_module *perhaps_in_place(const char *type, wk_module_forward *forward, bool inplace)
{
    relu_layer *self = wk_module_new_with(
        (wk_module_args){.size = sizeof *self, .type = type, .forward = forward, .extra_repr = relu_repr});
    if (self)
        self->inplace = inplace;
    return (wk_module *)self;
}

wk_module *wk_nn_relu_with(wk_nn_relu_args args) { return perhaps_in_place("wk_nn_relu", relu_forward, args.inplace); }
wk_module *wk_nn_silu_with(wk_nn_relu_args args) { return perhaps_in_place("wk_nn_silu", silu_forward, args.inplace); }
wk_module *(wk_nn_relu)(void) { return wk_nn_relu(); }
wk_module *(wk_nn_silu)(void) { return wk_nn_silu(); }

/* ---------------------------------------------------------------- gelu, softmax */

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

/* ---------------------------------------------------------------- leaky_relu, elu, softplus, glu, prelu */

typedef struct with_number {
    wk_module_base base;
    double number, threshold;
    bool inplace;
} with_number;

static wk_module *with_numbers(const char *type, wk_module_forward *forward,
                               void (*repr)(void *module, char *text, size_t size), double number, double threshold,
                               bool inplace)
{
    with_number *self = wk_module_new_with(
        (wk_module_args){.size = sizeof *self, .type = type, .forward = forward, .extra_repr = repr});
    if (self) {
        self->number = number;
        self->threshold = threshold;
        self->inplace = inplace;
    }
    return (wk_module *)self;
}

static wk_tensor *leaky_relu_forward(void *module, wk_tensor *x)
{
    const with_number *self = module;
    return wk_leaky_relu(x, self->number, .inplace = self->inplace);
}
static void leaky_relu_repr(void *module, char *text, size_t size)
{
    const with_number *self = module;
    snprintf(text, size, "negative_slope=%g%s", self->number, self->inplace ? ", inplace=True" : "");
}
wk_module *wk_nn_leaky_relu_with(wk_nn_leaky_relu_args args)
{
    return with_numbers("wk_nn_leaky_relu", leaky_relu_forward, leaky_relu_repr, args.negative_slope, 0, args.inplace);
}

static void elu_repr(void *module, char *text, size_t size)
{
    const with_number *self = module;
    snprintf(text, size, "alpha=%s%s", wk_python_float(self->number, (char[WK_PYTHON_FLOAT]){0}),
             self->inplace ? ", inplace=True" : "");
}
static wk_tensor *elu_forward(void *module, wk_tensor *x)
{
    const with_number *self = module;
    return wk_elu(x, self->number, .inplace = self->inplace);
}
wk_module *wk_nn_elu_with(wk_nn_elu_args args)
{
    return with_numbers("wk_nn_elu", elu_forward, elu_repr, args.alpha, 0, args.inplace);
}

static wk_tensor *softplus_forward(void *module, wk_tensor *x)
{
    const with_number *self = module;
    return wk_softplus(x, self->number, self->threshold);
}
static void softplus_repr(void *module, char *text, size_t size)
{
    const with_number *self = module;
    snprintf(text, size, "beta=%s, threshold=%s", wk_python_float(self->number, (char[WK_PYTHON_FLOAT]){0}),
             wk_python_float(self->threshold, (char[WK_PYTHON_FLOAT]){0}));
}
wk_module *wk_nn_softplus_with(wk_nn_softplus_args args)
{
    return with_numbers("wk_nn_softplus", softplus_forward, softplus_repr, args.beta, args.threshold, false);
}

static wk_tensor *glu_forward(void *module, wk_tensor *x) { return wk_glu(x, ((const wk_nn_softmax *)module)->dim); }
wk_module *wk_nn_glu_with(wk_nn_glu_args args)
{
    wk_nn_softmax *self = wk_module_new_with((wk_module_args){
        .size = sizeof *self, .type = "wk_nn_glu", .forward = glu_forward, .extra_repr = softmax_repr});
    if (self)
        self->dim = args.dim;
    return (wk_module *)self;
}

static wk_tensor *prelu_forward(void *module, wk_tensor *x)
{
    return wk_prelu(x, ((const wk_nn_prelu *)module)->weight);
}
static void prelu_repr(void *module, char *text, size_t size)
{
    snprintf(text, size, "num_parameters=%lld", (long long)((const wk_nn_prelu *)module)->weight->numel);
}
wk_module *wk_nn_prelu_with(wk_nn_prelu_args args)
{
    if (args.num_parameters < 1)
        return wk_fail("nn_prelu", "num_parameters: expected 1 or more, got %lld", (long long)args.num_parameters);
    wk_nn_prelu *self = wk_module_new(wk_nn_prelu, prelu_forward, .extra_repr = prelu_repr);
    bool fine = self != NULL;
    if (self)
        wk_scope
    fine =
        wk_add_parameter(self, weight,
                         wk_full((args.num_parameters), args.init, .dtype = args.dtype, .device = args.device)) != NULL;
    return wk_layer_ready(self, fine);
}

/* ---------------------------------------------------------------- flatten */

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
