/* einops' rearrange and reduce as layers: a pattern read once, when the layer is made. */
#include <stdio.h>
#include <string.h>

#include "layer.h"
#include "ops/einops.h"

typedef struct pattern_layer {
    wk_module_base base;
    wk_einops_pattern pattern;
    char reduction[8]; // "" of rearrange
} pattern_layer;

static wk_tensor *forward(void *module, wk_tensor *x)
{
    const pattern_layer *self = module;
    WK_NAMES_ERRORS(self->pattern.op);
    return wk_einops_apply(&self->pattern, x);
}

/* 'b (h d) -> b h d', h=8        and        'b (h d) -> b h', 'max', h=8 */
static void repr(void *module, char *text, size_t size)
{
    const pattern_layer *self = module;
    const char *all = self->pattern.text;
    const int pattern = (int)strcspn(all, ",");
    snprintf(text, size, "'%.*s'%s%s%s%s", pattern, all, *self->reduction ? ", '" : "", self->reduction,
             *self->reduction ? "'" : "", all + pattern);
}

static wk_module *make(const char *type, const char *op, const char *pattern, const char *reduction, va_list *values)
{
    wk_einops_pattern read;
    wk_einops_read(&read, op, reduction, pattern, values);
    pattern_layer *self =
        read.failed ? NULL
                    : wk_module_new_with(
                          (wk_module_args){.size = sizeof *self, .type = type, .forward = forward, .extra_repr = repr});
    if (!self)
        return NULL;
    snprintf(self->reduction, sizeof self->reduction, "%s", reduction ? reduction : "");
    self->pattern = read;
    self->pattern.reduction = reduction ? self->reduction : NULL;
    return (wk_module *)self;
}

wk_module *wk_einops_layers_rearrange(const char *pattern, ...)
{
    va_list values;
    va_start(values, pattern);
    wk_module *self = make("wk_nn_rearrange", "einops_rearrange", pattern, NULL, &values);
    va_end(values);
    return self;
}

wk_module *wk_einops_layers_reduce(const char *pattern, const char *reduction, ...)
{
    va_list values;
    va_start(values, reduction);
    wk_module *self = NULL;
    if (wk_einops_check_reduction("einops_reduce", reduction))
        self = make("wk_nn_reduce", "einops_reduce", pattern, reduction, &values);
    va_end(values);
    return self;
}
