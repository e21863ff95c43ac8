/* Muon (https://pytorch.org/docs/stable/generated/torch.optim.Muon.html): for matrices; made of ops, since products of
   matrices take the time. */
#include <math.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/matmul.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>
#include <wick/view.h>

#include "optimizer.h"

static bool has_tensor(const wk_param_group *group, int tensor)
{
    (void)group;
    return tensor == 0;
}

static bool check(const char *op, const wk_param_group *group)
{
    static const char *const NAMES[] = {"original", "match_rms_adamw", "spectral_unclamped"};
    const wk_muon_options *o = group->muon;
    if (o->ns_steps != floor(o->ns_steps))
        return wk_fail(op, "ns_steps: expected a whole number, got %g", o->ns_steps);
    for (int i = 0; i < 3; i++)
        if (o->adjust_lr_fn && strcmp(o->adjust_lr_fn, NAMES[i]) == 0)
            return true;
    return wk_fail(op, "adjust_lr_fn: expected \"original\", \"match_rms_adamw\" or \"spectral_unclamped\", got \"%s\"",
                   o->adjust_lr_fn ? o->adjust_lr_fn : "(null)");
}

static bool check_param(const char *op, const wk_tensor *param)
{
    return param->ndim == 2 || wk_fail(op,
                                       "params: expected matrices, got one of shape %s\n"
                                       "hint: wk_module_parameters_where chooses among a model's parameters; "
                                       "wk_optim_adamw takes the others",
                                       wk_shape_string(param));
}

/* alpha a b + beta c, rounded to bfloat16 once */
static wk_tensor *product_and_sum(wk_tensor *a, wk_tensor *b, double alpha, wk_tensor *c, double beta)
{
    return wk_to(
        wk_addmm(wk_to(c, wk_float32), wk_to(a, wk_float32), wk_to(b, wk_float32), .beta = beta, .alpha = alpha),
        wk_bfloat16);
}

/* (A, B) -> (A, B) in bfloat16, of the same singular vectors */
static wk_tensor *orthogonal(wk_tensor *x, const wk_muon_options *o)
{
    const double *c = o->ns_coefficients;
    const bool tall = x->shape[0] > x->shape[1];
    wk_tensor *y = wk_to(x, wk_bfloat16);
    y = tall ? wk_t(y) : y;
    y = wk_div(y, wk_clamp(wk_norm(y), o->eps, wk_none));
    for (int i = 0; y && i < (int)o->ns_steps; i++) {
        wk_tensor *gram = wk_mm(y, wk_t(y));
        y = product_and_sum(product_and_sum(gram, gram, c[2], gram, c[1]), y, 1, y, c[0]);
    }
    return y && tall ? wk_t(y) : y;
}

static double adjustment(const char *how, double A, double B)
{
    return strcmp(how, "match_rms_adamw") == 0      ? 0.2 * sqrt(fmax(A, B))
           : strcmp(how, "spectral_unclamped") == 0 ? sqrt(A / B)
                                                    : sqrt(fmax(1, A / B));
}

static bool update(const wk_param_group *group, wk_param_state *state)
{
    const wk_muon_options *o = group->muon;
    wk_tensor *p = state->values, *grad = state->grad;
    const double A = (double)p->shape[0], B = (double)p->shape[1];
    if (p->numel == 0)
        return true;
    wk_tensor *buffer = wk_lerp(state->tensors[0], grad, 1 - o->momentum);
    wk_tensor *u = orthogonal(o->nesterov ? wk_lerp(grad, buffer, o->momentum) : buffer, o);
    return u && wk_copy_(state->tensors[0], buffer) && wk_mul_(p, 1 - group->lr * group->weight_decay) &&
           wk_add_(p, u, .alpha = -group->lr * adjustment(o->adjust_lr_fn, A, B));
}

static const wk_option OPTIONS[] = {
    WK_OPTION(muon, momentum, 0, INFINITY),
    WK_OPTION(muon, nesterov),
    WK_OPTION(muon, ns_coefficients[0], -INFINITY, INFINITY),
    WK_OPTION(muon, ns_coefficients[1], -INFINITY, INFINITY),
    WK_OPTION(muon, ns_coefficients[2], -INFINITY, INFINITY),
    WK_OPTION(muon, eps, 0, INFINITY),
    WK_OPTION(muon, ns_steps, 0, 100),
    {0},
};
static const wk_optimizer_class MUON = {.type = "muon",
                                        WK_OPTIONS(muon, OPTIONS),
                                        .tensors = {"momentum_buffer"},
                                        .has_tensor = has_tensor,
                                        .check = check,
                                        .check_param = check_param,
                                        .update = update};

wk_optimizer *wk_optim_muon_with(wk_optim_muon_args args)
{
    const wk_muon_options options = {
        .momentum = args.momentum,
        .ns_coefficients = {args.ns_coefficients[0], args.ns_coefficients[1], args.ns_coefficients[2]},
        .eps = args.eps,
        .ns_steps = (double)args.ns_steps,
        .nesterov = args.nesterov,
        .adjust_lr_fn = args.adjust_lr_fn};
    return wk_optimizer_new(&MUON, args.params, args.lr, args.weight_decay, &options);
}
