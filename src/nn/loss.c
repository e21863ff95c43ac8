/* Losses as modules: forwards of two inputs, called by wk_nn_loss. */
#include <stdio.h>
#include <string.h>

#include <wick/loss.h>
#include <wick/normalization.h>

#include "layer.h"

typedef struct wk_nn_cross_entropy_loss {
    wk_module_base base;
    wk_tensor *weight;
    int64_t ignore_index;
    const char *reduction;
    double label_smoothing;
} wk_nn_cross_entropy_loss;

/* mse_loss, l1_loss, smooth_l1_loss */
typedef struct plain_loss {
    wk_module_base base;
    const char *reduction;
    double beta;
} plain_loss;

typedef struct wk_nn_bce_with_logits_loss {
    wk_module_base base;
    wk_tensor *weight, *pos_weight;
    const char *reduction;
} wk_nn_bce_with_logits_loss;

typedef struct wk_nn_pairwise_distance {
    wk_module_base base;
    double p, eps;
    bool keepdim;
} wk_nn_pairwise_distance;

/* the text of the library's own that is the same; NULL after an error */
static const char *check_reduction(const char *op, const char *reduction)
{
    static const char *const KNOWN[] = {"mean", "sum", "none"};
    for (int i = 0; reduction && i < 3; i++)
        if (strcmp(reduction, KNOWN[i]) == 0)
            return KNOWN[i];
    return wk_fail(op, "reduction: expected \"mean\", \"sum\" or \"none\", got \"%s\"",
                   reduction ? reduction : "(null)");
}

wk_module *wk_nn_cross_entropy_loss_with(wk_nn_cross_entropy_loss_args args)
{
    const char *reduction = check_reduction("nn_cross_entropy_loss", args.reduction);
    wk_nn_cross_entropy_loss *self = reduction ? wk_module_new(wk_nn_cross_entropy_loss, NULL) : NULL;
    if (!self)
        return NULL;
    self->ignore_index = args.ignore_index;
    self->reduction = reduction;
    self->label_smoothing = args.label_smoothing;
    wk_add_buffer(self, weight, args.weight);
    return wk_layer_ready(self, !args.weight || self->weight);
}

static wk_tensor *cross_entropy_call(const void *module, wk_tensor *input, wk_tensor *target)
{
    const wk_nn_cross_entropy_loss *self = module;
    return wk_cross_entropy(input, target, self->weight, self->ignore_index, self->reduction, self->label_smoothing);
}

/* ---------------------------------------------------------------- mse_loss, l1_loss, smooth_l1_loss */

static wk_module *plain(const char *type, const char *reduction, double beta)
{
    reduction = check_reduction(type + strlen("wk_"), reduction);
    plain_loss *self = reduction ? wk_module_new_with((wk_module_args){.size = sizeof *self, .type = type}) : NULL;
    if (self) {
        self->reduction = reduction;
        self->beta = beta;
    }
    return (wk_module *)self;
}

wk_module *wk_nn_mse_loss_with(wk_nn_mse_loss_args args) { return plain("wk_nn_mse_loss", args.reduction, 0); }
wk_module *wk_nn_l1_loss_with(wk_nn_loss_args args) { return plain("wk_nn_l1_loss", args.reduction, 0); }
wk_module *wk_nn_smooth_l1_loss_with(wk_nn_loss_args args)
{
    return plain("wk_nn_smooth_l1_loss", args.reduction, args.beta);
}

static wk_tensor *mse_call(const void *module, wk_tensor *input, wk_tensor *target)
{
    return wk_mse_loss(input, target, .reduction = ((const plain_loss *)module)->reduction);
}
static wk_tensor *l1_call(const void *module, wk_tensor *input, wk_tensor *target)
{
    return wk_l1_loss(input, target, .reduction = ((const plain_loss *)module)->reduction);
}
static wk_tensor *smooth_l1_call(const void *module, wk_tensor *input, wk_tensor *target)
{
    const plain_loss *self = module;
    return wk_smooth_l1_loss(input, target, .reduction = self->reduction, .beta = self->beta);
}

/* ---------------------------------------------------------------- bce_with_logits_loss, pairwise_distance */

wk_module *wk_nn_bce_with_logits_loss_with(wk_nn_bce_with_logits_loss_args args)
{
    const char *reduction = check_reduction("nn_bce_with_logits_loss", args.reduction);
    wk_nn_bce_with_logits_loss *self = reduction ? wk_module_new(wk_nn_bce_with_logits_loss, NULL) : NULL;
    if (!self)
        return NULL;
    self->reduction = reduction;
    wk_add_buffer(self, weight, args.weight);
    wk_add_buffer(self, pos_weight, args.pos_weight);
    return wk_layer_ready(self, (!args.weight || self->weight) && (!args.pos_weight || self->pos_weight));
}

static wk_tensor *bce_with_logits_call(const void *module, wk_tensor *input, wk_tensor *target)
{
    const wk_nn_bce_with_logits_loss *self = module;
    return wk_binary_cross_entropy_with_logits(input, target, .weight = self->weight, .reduction = self->reduction,
                                               .pos_weight = self->pos_weight);
}

wk_module *wk_nn_pairwise_distance_with(wk_nn_pairwise_distance_args args)
{
    wk_nn_pairwise_distance *self = wk_module_new(wk_nn_pairwise_distance, NULL);
    if (self) {
        self->p = args.p;
        self->eps = args.eps;
        self->keepdim = args.keepdim;
    }
    return (wk_module *)self;
}

static wk_tensor *pairwise_distance_call(const void *module, wk_tensor *a, wk_tensor *b)
{
    const wk_nn_pairwise_distance *self = module;
    return wk_pairwise_distance(a, b, self->p, self->eps, self->keepdim);
}

/* ---------------------------------------------------------------- called */

static const struct {
    const char *type;
    wk_tensor *(*call)(const void *module, wk_tensor *input, wk_tensor *target);
} LOSSES[] = {{"cross_entropy_loss", cross_entropy_call},
              {"mse_loss", mse_call},
              {"l1_loss", l1_call},
              {"smooth_l1_loss", smooth_l1_call},
              {"bce_with_logits_loss", bce_with_logits_call},
              {"pairwise_distance", pairwise_distance_call}};

/* which of them a module is; -1: none */
static int loss_of(const wk_module *module)
{
    for (int i = 0; i < (int)(sizeof LOSSES / sizeof *LOSSES); i++)
        if (wk_module_is_of(module, LOSSES[i].type))
            return i;
    return -1;
}

static wk_tensor *loss_call(void *module, wk_tensor *input, wk_tensor *target)
{
    return LOSSES[loss_of(module)].call(module, input, target);
}

wk_tensor *wk_nn_loss(void *criterion, wk_tensor *input, wk_tensor *target)
{
    wk_module *module = wk_module_check("loss", criterion);
    if (module && loss_of(module) < 0)
        return wk_fail("loss", "criterion: expected a loss, got a %s", module->type);
    return module ? wk_call(loss_call, module, input, target) : NULL;
}
