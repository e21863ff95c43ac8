/* Losses as modules: forwards of two inputs, called by wk_nn_loss. */
#include <stdio.h>
#include <string.h>

#include <wick/loss.h>

#include "layer.h"

typedef struct wk_nn_cross_entropy_loss {
    wk_module_base base;
    wk_tensor *weight;
    int64_t ignore_index;
    const char *reduction;
    double label_smoothing;
} wk_nn_cross_entropy_loss;

typedef struct wk_nn_mse_loss {
    wk_module_base base;
    const char *reduction;
} wk_nn_mse_loss;

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

wk_module *wk_nn_mse_loss_with(wk_nn_mse_loss_args args)
{
    const char *reduction = check_reduction("nn_mse_loss", args.reduction);
    wk_nn_mse_loss *self = reduction ? wk_module_new(wk_nn_mse_loss, NULL) : NULL;
    if (self)
        self->reduction = reduction;
    return (wk_module *)self;
}

static wk_tensor *loss_call(void *module, wk_tensor *input, wk_tensor *target)
{
    if (strcmp(((wk_module *)module)->type, "mse_loss") == 0)
        return wk_mse_loss(input, target, .reduction = ((wk_nn_mse_loss *)module)->reduction);
    const wk_nn_cross_entropy_loss *self = module;
    return wk_cross_entropy(input, target, self->weight, self->ignore_index, self->reduction, self->label_smoothing);
}

wk_tensor *wk_nn_loss(void *criterion, wk_tensor *input, wk_tensor *target)
{
    wk_module *module = wk_module_check("loss", criterion);
    if (module && (!module->inside->of_library ||
                   (strcmp(module->type, "mse_loss") != 0 && strcmp(module->type, "cross_entropy_loss") != 0)))
        return wk_fail("loss", "criterion: expected a loss, got a %s", module->type);
    return module ? wk_call(loss_call, module, input, target) : NULL;
}
