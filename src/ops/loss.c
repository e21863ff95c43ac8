/* Losses of x and a target of its shape: compositions. */
#include <wick/loss.h>

#include <string.h>

#include "autocast.h"
#include "core/run.h"
#include "kernels/probabilities.h"
#include "loss.h"

bool wk_check_reduction(const char *op, const char *reduction, bool batchmean)
{
    if (reduction && (strcmp(reduction, "mean") == 0 || strcmp(reduction, "sum") == 0 ||
                      strcmp(reduction, "none") == 0 || (batchmean && strcmp(reduction, "batchmean") == 0)))
        return true;
    return wk_fail(op, "reduction: expected \"mean\", \"sum\" or \"none\", got \"%s\"",
                   reduction ? reduction : "(null)");
}

/* bools become the other's numbers, since they have no difference */
static bool check(const char *op, wk_loss_args *args)
{
    const wk_tensor *x = args->x, *target = args->target;
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, target);
    const wk_dtype dtype = wk_promote_types(x->dtype, target->dtype);
    if (!wk_check_operands_device(op, "x", x, "target", target) ||
        !wk_check_operands_device(op, "x", x, "weight", args->weight) ||
        !wk_check_operands_device(op, "x", x, "pos_weight", args->pos_weight) ||
        !wk_check_reduction(op, args->reduction, strcmp(op, "kl_div") == 0) ||
        !wk_check_floating(op, dtype == target->dtype || wk_dtype_is_complex(target->dtype) ? target : x))
        return false;
    if (x->dtype == wk_bool)
        args->x = wk_to_dtype(args->x, dtype);
    if (target->dtype == wk_bool)
        args->target = wk_to_dtype(args->target, dtype);
    return args->x && args->target;
}

/* as PyTorch warns */
static void warn_of_broadcast(const char *op, const wk_tensor *x, const wk_tensor *target)
{
    if (!wk_same_shape(x, target))
        WK_WARN_ONCE(op, "target: its shape %s is not x's, %s: each broadcasts to the other's, which is hardly meant\n"
                         "hint: wk_squeeze or wk_unsqueeze one of them", wk_shape_string(target), wk_shape_string(x));
}

static wk_tensor *reduced(wk_tensor *losses, const char *reduction)
{
    if (!losses || strcmp(reduction, "none") == 0)
        return losses;
    return strcmp(reduction, "sum") == 0 ? wk_sum(losses) : wk_mean(losses);
}

wk_tensor *wk_mse_loss_with(wk_loss_args args)
{
    WK_NAMES_ERRORS("mse_loss");
    WK_AUTOCAST(FLOAT32, &args.x, &args.target);
    if (!check("mse_loss", &args))
        return NULL;
    warn_of_broadcast("mse_loss", args.x, args.target);
    return reduced(wk_square(wk_sub(args.x, args.target)), args.reduction);
}

wk_tensor *wk_l1_loss_with(wk_loss_args args)
{
    WK_NAMES_ERRORS("l1_loss");
    WK_AUTOCAST(FLOAT32, &args.x, &args.target);
    WK_REQUIRE("l1_loss", args.x);
    WK_REQUIRE("l1_loss", args.target);
    if (!wk_check_reduction("l1_loss", args.reduction, false) ||
        !wk_check_operands_device("l1_loss", "x", args.x, "target", args.target))
        return NULL;
    warn_of_broadcast("l1_loss", args.x, args.target);
    return reduced(wk_abs(wk_sub(args.x, args.target)), args.reduction); // of integers and complex numbers too
}

/* ---------------------------------------------------------------- smooth_l1_loss, huber_loss */

typedef struct rounded_kept {
    double corner, scale;
} rounded_kept;

/* of scale d^2 / 2 below the corner, scale corner (|d| - corner / 2) above it, d = x - target: dx = dy scale d, with d
   held between -corner and corner */
static void rounded_backward(wk_node *node, wk_tensor *dy)
{
    const rounded_kept *kept = node->kept;
    wk_tensor *d = wk_clamp(wk_sub(wk_saved(node, 0), wk_saved(node, 1)), -kept->corner, kept->corner);
    wk_tensor *dx = wk_mul(wk_mul(d, kept->scale), dy);
    wk_accumulate(node, 0, dx);
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_neg(dx));
}

static wk_tensor *rounded_losses(const wk_loss_args *args, double corner, double scale)
{
    wk_tensor *d = wk_abs(wk_sub(args->x, args->target));
    wk_tensor *below = wk_mul(wk_square(d), 0.5 * scale), *above = wk_mul(wk_sub(d, 0.5 * corner), corner * scale);
    return wk_where(wk_lt(d, corner), below, above);
}

static wk_tensor *rounded(const char *name, wk_loss_args args, double corner, double scale)
{
    wk_tensor *losses = WK_WITHOUT_GRAD(rounded_losses(&args, corner, scale));
    losses = wk_record(losses, rounded_backward, .name = name, WK_INPUTS(args.x, args.target),
                       WK_SAVED(args.x, args.target), WK_KEPT(rounded_kept, corner, scale));
    return reduced(losses, args.reduction);
}

wk_tensor *wk_smooth_l1_loss_with(wk_loss_args args)
{
    WK_NAMES_ERRORS("smooth_l1_loss");
    WK_AUTOCAST(FLOAT32, &args.x, &args.target);
    if (!check("smooth_l1_loss", &args))
        return NULL;
    if (args.beta < 0)
        return wk_fail("smooth_l1_loss", "beta: must not be negative, got %g", args.beta);
    warn_of_broadcast("smooth_l1_loss", args.x, args.target);
    return args.beta == 0 ? wk_l1_loss_with(args) : rounded("smooth_l1_loss_backward", args, args.beta, 1 / args.beta);
}

wk_tensor *wk_huber_loss_with(wk_loss_args args)
{
    WK_NAMES_ERRORS("huber_loss");
    WK_AUTOCAST(FLOAT32, &args.x, &args.target);
    if (!check("huber_loss", &args))
        return NULL;
    if (args.delta <= 0)
        return wk_fail("huber_loss", "delta: must be positive, got %g", args.delta);
    warn_of_broadcast("huber_loss", args.x, args.target);
    return rounded("huber_loss_backward", args, args.delta, 1);
}

/* ---------------------------------------------------------------- binary_cross_entropy

   -(t log x + (1 - t) log(1 - x)).  Logs are held above -100, and x (1 - x) above 1e-12 in the gradient, as in PyTorch:
   x is 0 or 1 where a sigmoid saturates, and the gradient must not be NaN there. */

static void *other_shape(const char *op, const wk_tensor *x, const wk_tensor *target)
{
    return wk_fail(op, "target: expected x's shape %s, got %s%s", wk_shape_string(x), wk_shape_string(target),
                   x->numel == target->numel ? "\nhint: wk_view_as(target, x)" : "");
}

/* dx = dy (x - t) / (x (1 - x)), dt = dy (log(1 - x) - log x) */
static void binary_cross_entropy_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *target = wk_saved(node, 1);
    if (wk_needs(node, 0)) {
        wk_tensor *slope = wk_clamp(wk_mul(wk_sub(1, x), x), 1e-12, wk_none);
        wk_accumulate(node, 0, wk_div(wk_mul(dy, wk_sub(x, target)), slope));
    }
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_mul(dy, wk_sub(wk_log1p(wk_neg(x)), wk_log(x))));
}

/* as in PyTorch; NaN is no probability either */
static bool are_probabilities(const char *op, wk_tensor *x, const char *fault)
{
    wk_tensor *dense = wk_dense(x);
    return dense &&
           wk_run(op, dense, probabilities, .x = wk_data(dense), .count = dense->numel, .fault = fault);
}

static wk_tensor *binary_losses(wk_tensor *x, wk_tensor *target)
{
    wk_tensor *yes = wk_mul(target, wk_clamp(wk_log(x), -100, wk_none));
    wk_tensor *no = wk_mul(wk_sub(1, target), wk_clamp(wk_log1p(wk_neg(x)), -100, wk_none));
    return wk_neg(wk_add(yes, no));
}

wk_tensor *wk_binary_cross_entropy_with(wk_loss_args args)
{
    WK_NAMES_ERRORS("binary_cross_entropy");
    WK_AUTOCAST(FLOAT32, &args.x, &args.target, &args.weight);
    static const char OP[] = "binary_cross_entropy";
    if (!check(OP, &args))
        return NULL;
    if (!wk_same_shape(args.x, args.target))
        return other_shape(OP, args.x, args.target);
    if (args.target->dtype != args.x->dtype)
        return wk_fail(OP, "target: expected x's dtype %s, got %s\nhint: wk_to(target, wk_%s)",
                       wk_dtype_name(args.x->dtype), wk_dtype_name(args.target->dtype), wk_dtype_name(args.x->dtype));
    if (!are_probabilities(OP, args.x, "x: expected probabilities from 0 to 1 "
                                       "(binary_cross_entropy_with_logits takes any number, and needs no sigmoid)") ||
        !are_probabilities(OP, args.target, "target: expected probabilities from 0 to 1"))
        return NULL;
    wk_tensor *losses = WK_UNWATCHED(WK_WITHOUT_GRAD(binary_losses(args.x, args.target)));
    losses =
        wk_record(losses, binary_cross_entropy_backward, WK_INPUTS(args.x, args.target), WK_SAVED(args.x, args.target));
    return reduced(args.weight ? wk_mul(losses, args.weight) : losses, args.reduction);
}

/* (1 - t) x - (1 + (pos_weight - 1) t) log sigmoid(x) */
wk_tensor *wk_binary_cross_entropy_with_logits_with(wk_loss_args args)
{
    WK_NAMES_ERRORS("binary_cross_entropy_with_logits");
    WK_AUTOCAST(FLOAT32, &args.x, &args.target, &args.weight, &args.pos_weight);
    const char *op = "binary_cross_entropy_with_logits";
    if (!check(op, &args))
        return NULL;
    if (!wk_same_shape(args.x, args.target))
        return other_shape(op, args.x, args.target);
    wk_tensor *log_yes = wk_logsigmoid(args.x);
    if (args.pos_weight && wk_dtype_is_integral(args.pos_weight->dtype)) // 0 - 1 is not 255
        args.pos_weight = wk_to_dtype(args.pos_weight, wk_promote_types(args.x->dtype, args.target->dtype));
    if (args.pos_weight)
        log_yes = wk_mul(log_yes, wk_add(wk_mul(wk_sub(args.pos_weight, 1), args.target), 1));
    wk_tensor *losses = wk_sub(wk_mul(wk_sub(1, args.target), args.x), log_yes);
    return reduced(args.weight ? wk_mul(losses, args.weight) : losses, args.reduction);
}

wk_tensor *wk_kl_div_with(wk_loss_args args)
{
    WK_NAMES_ERRORS("kl_div");
    WK_AUTOCAST(FLOAT32, &args.x, &args.target);
    if (!check("kl_div", &args))
        return NULL;
    wk_tensor *losses;
    if (args.log_target)
        losses = wk_mul(wk_exp(args.target), wk_sub(args.target, args.x));
    else { // 0 log 0 is 0
        wk_tensor *entropy =
            WK_UNWATCHED(wk_where(wk_eq(args.target, 0), 0, wk_mul(args.target, wk_log(args.target))));
        losses = wk_sub(entropy, wk_mul(args.target, args.x));
    }
    if (losses && strcmp(args.reduction, "batchmean") == 0)
        return wk_div(wk_sum(losses), losses->ndim ? losses->shape[0] : 1);
    return reduced(losses, args.reduction);
}
