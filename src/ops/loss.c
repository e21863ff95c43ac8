/* Losses of x and a target of its shape: compositions. */
#include <wick/loss.h>

#include <string.h>

#include "loss.h"

bool wk_check_reduction(const char *op, const char *reduction, bool batchmean)
{
    if (reduction && (strcmp(reduction, "mean") == 0 || strcmp(reduction, "sum") == 0 ||
                      strcmp(reduction, "none") == 0 || (batchmean && strcmp(reduction, "batchmean") == 0)))
        return true;
    return wk_fail(op, "reduction: expected \"mean\", \"sum\" or \"none\", got \"%s\"",
                   reduction ? reduction : "(null)");
}

static bool check(const char *op, const wk_loss_args *args)
{
    if (!args->x || !args->target)
        return wk_null_input(op, args->x ? "target" : "x");
    return wk_check_reduction(op, args->reduction, strcmp(op, "kl_div") == 0);
}

static wk_tensor *reduced(wk_tensor *losses, const char *reduction)
{
    if (!losses || strcmp(reduction, "none") == 0)
        return losses;
    return strcmp(reduction, "sum") == 0 ? wk_sum(losses) : wk_mean(losses);
}

wk_tensor *wk_mse_loss_with(wk_loss_args args)
{
    return check("mse_loss", &args) ? reduced(wk_square(wk_sub(args.x, args.target)), args.reduction) : NULL;
}

wk_tensor *wk_l1_loss_with(wk_loss_args args)
{
    return check("l1_loss", &args) ? reduced(wk_abs(wk_sub(args.x, args.target)), args.reduction) : NULL;
}

/* quadratic below the corner, linear above it */
static wk_tensor *rounded(wk_loss_args args, double corner, double scale)
{
    wk_tensor *d = wk_abs(wk_sub(args.x, args.target));
    wk_tensor *below = wk_mul(wk_square(d), 0.5 * scale), *above = wk_mul(wk_sub(d, 0.5 * corner), corner * scale);
    return reduced(wk_where(wk_lt(d, corner), below, above), args.reduction);
}

wk_tensor *wk_smooth_l1_loss_with(wk_loss_args args)
{
    if (!check("smooth_l1_loss", &args))
        return NULL;
    if (args.beta < 0)
        return wk_fail("smooth_l1_loss", "beta: must not be negative, got %g", args.beta);
    return args.beta == 0 ? wk_l1_loss_with(args) : rounded(args, args.beta, 1 / args.beta);
}

wk_tensor *wk_huber_loss_with(wk_loss_args args)
{
    if (!check("huber_loss", &args))
        return NULL;
    if (args.delta <= 0)
        return wk_fail("huber_loss", "delta: must be positive, got %g", args.delta);
    return rounded(args, args.delta, 1);
}

/* logs are held above -100, as in PyTorch */
wk_tensor *wk_binary_cross_entropy_with(wk_loss_args args)
{
    if (!check("binary_cross_entropy", &args))
        return NULL;
    if (!wk_same_shape(args.x, args.target))
        return wk_fail("binary_cross_entropy", "target: expected x's shape %s, got %s", wk_shape_string(args.x),
                       wk_shape_string(args.target));
    wk_tensor *yes = wk_mul(args.target, wk_clamp(wk_log(args.x), -100, wk_none));
    wk_tensor *no = wk_mul(wk_sub(1, args.target), wk_clamp(wk_log1p(wk_neg(args.x)), -100, wk_none));
    wk_tensor *losses = wk_neg(wk_add(yes, no));
    return reduced(args.weight ? wk_mul(losses, args.weight) : losses, args.reduction);
}

/* (1 - t) x - (1 + (pos_weight - 1) t) log sigmoid(x) */
wk_tensor *wk_binary_cross_entropy_with_logits_with(wk_loss_args args)
{
    const char *op = "binary_cross_entropy_with_logits";
    if (!check(op, &args))
        return NULL;
    if (!wk_same_shape(args.x, args.target))
        return wk_fail(op, "target: expected x's shape %s, got %s", wk_shape_string(args.x),
                       wk_shape_string(args.target));
    wk_tensor *log_yes = wk_logsigmoid(args.x);
    if (args.pos_weight)
        log_yes = wk_mul(log_yes, wk_add(wk_mul(wk_sub(args.pos_weight, 1), args.target), 1));
    wk_tensor *losses = wk_sub(wk_mul(wk_sub(1, args.target), args.x), log_yes);
    return reduced(args.weight ? wk_mul(losses, args.weight) : losses, args.reduction);
}

wk_tensor *wk_kl_div_with(wk_loss_args args)
{
    if (!check("kl_div", &args))
        return NULL;
    wk_tensor *losses;
    if (args.log_target)
        losses = wk_mul(wk_exp(args.target), wk_sub(args.target, args.x));
    else { // 0 log 0 is 0
        wk_tensor *entropy = wk_where(wk_eq(args.target, 0), 0, wk_mul(args.target, wk_log(args.target)));
        losses = wk_sub(entropy, wk_mul(args.target, args.x));
    }
    if (losses && strcmp(args.reduction, "batchmean") == 0)
        return wk_div(wk_sum(losses), losses->ndim ? losses->shape[0] : 1);
    return reduced(losses, args.reduction);
}
