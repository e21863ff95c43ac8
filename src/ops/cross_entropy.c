/* cross_entropy and nll_loss: losses with a class for a target.

   The classes are brought to the last dim by a view, so that there are rows of C logits.  Class targets go through one
   kernel, which keeps each row's logsumexp for the backward; targets of probabilities are a composition. */
#include <wick/loss.h>

#include <string.h>

#include "loss.h"

/* ---------------------------------------------------------------- rows of logits and a class each */

/* scale and shift (..., C) of dx = dy * (scale * softmax(x) - shift): with e the smoothing, t the class of the row,
   scale = (1 - e) w[t] + e / C sum(w), shift = (1 - e) w[t] onehot + e / C w; 0 for an ignored row */
static void scale_and_shift(wk_node *node, wk_tensor *x, wk_tensor *target, wk_tensor *weight, wk_tensor **scale,
                            wk_tensor **shift)
{
    const int64_t classes = x->shape[x->ndim - 1];
    const double e = node->number;
    wk_tensor *column = wk_unsqueeze(target, -1);                                     // (..., 1)
    wk_tensor *onehot = wk_to(wk_eq(column, wk_arange(classes)), x->dtype);           // (..., C)
    wk_tensor *w = weight ? weight : wk_full((classes), 1.0, .dtype = x->dtype);      // (C,)
    wk_tensor *counted = wk_to(wk_ne(column, node->n), x->dtype);                     // (..., 1)
    wk_tensor *own = wk_mul(wk_sum(wk_mul(onehot, w), (-1), .keepdim = true), 1 - e); // (..., 1)
    wk_tensor *spread = wk_mul(w, e / (double)classes);                               // (C,)
    *scale = wk_mul(wk_add(own, wk_sum(spread)), counted);
    *shift = wk_mul(wk_add(wk_mul(onehot, own), spread), counted);
}

static void cross_entropy_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *target = wk_saved(node, 1), *weight = wk_saved(node, 2), *lse = wk_saved(node, 3);
    if (!x || !target || !lse)
        return;
    if (wk_is_grad_enabled()) { // the gradient is to have a gradient: composed
        wk_tensor *scale, *shift;
        scale_and_shift(node, x, target, weight, &scale, &shift);
        wk_accumulate(node, 0, wk_mul(wk_unsqueeze(dy, -1), wk_sub(wk_mul(scale, wk_softmax(x)), shift)));
        return;
    }
    const int64_t n = x->shape[x->ndim - 1];
    wk_tensor *dx = wk_empty_like(x), *dy_dense = wk_dense(dy);
    if (!dx || !dy_dense)
        return;
    wk_run(x, cross_entropy_backward, target->numel, 4 * n, .dy = wk_data(dy_dense), .x = wk_data(x),
           .target = wk_data(target), .weight = weight ? wk_data(weight) : NULL, .lse = wk_data(lse), .dx = wk_data(dx),
           .n = n, .ignore = node->n, .smoothing = node->number, .dy_step = 1);
    wk_accumulate(node, 0, dx);
}

/* losses (...) of rows (..., C); what each row weighs in a mean goes to weights (...) */
static wk_tensor *class_losses(const wk_cross_entropy_args *args, wk_tensor *x, wk_tensor **weights)
{
    wk_tensor *rows = wk_contiguous(x), *target = wk_dense(args->target);
    wk_tensor *weight = args->weight ? wk_dense(wk_to(args->weight, x->dtype)) : NULL;
    if (!rows || !target || (args->weight && !weight))
        return NULL;
    const int64_t n = rows->shape[rows->ndim - 1];
    int64_t wrong = -1;
    wk_run(rows, index_check, target->numel, 1, .index = wk_data(target), .low = 0, .high = n, .ignore = args->ignore_index,
           .bad = &wrong);
    for (int64_t i = 0; wrong >= 0 && i < target->numel; i++) {
        const int64_t class = ((const int64_t *)wk_data(target))[i];
        if (class != args->ignore_index && (class < 0 || class >= n))
            return wk_fail("cross_entropy", "target: class %lld at element %lld, expected 0 to %lld (or ignore_index %lld)",
                           (long long)class, (long long)i, (long long)n - 1, (long long)args->ignore_index);
    }
    wk_tensor *losses = wk_tensor_new("cross_entropy", rows->ndim - 1, rows->shape, rows->dtype, rows->device);
    wk_tensor *lse = losses ? wk_empty_like(losses) : NULL;
    *weights = lse ? wk_empty_like(losses) : NULL;
    if (!*weights)
        return NULL;
    wk_run(rows, cross_entropy, target->numel, 4 * n, .x = wk_data(rows), .target = wk_data(target),
           .weight = weight ? wk_data(weight) : NULL, .losses = wk_data(losses), .weights = wk_data(*weights),
           .lse = wk_data(lse), .n = n, .ignore = args->ignore_index, .smoothing = args->label_smoothing);
    return wk_record(losses, cross_entropy_backward, WK_INPUTS(rows), WK_SAVED(rows, target, weight, lse),
                     .n = args->ignore_index, .number = args->label_smoothing);
}

/* ---------------------------------------------------------------- the public ops: shapes, reductions */

/* (N, C, d1, ...) -> (N, d1, ..., C) */
static wk_tensor *classes_last(wk_tensor *x) { return x->ndim < 2 ? x : wk_movedim(x, 1, -1); }

/* target of classes must have the shape of x without its class dim; false after an error */
static bool check_classes(const char *op, const wk_cross_entropy_args *args)
{
    const wk_tensor *x = args->x, *target = args->target;
    bool fits = target->ndim == x->ndim - 1;
    for (int dim = 0; fits && dim < target->ndim; dim++)
        fits = target->shape[dim] == x->shape[x->ndim == 1 ? 0 : dim + (dim >= 1)];
    if (!fits)
        return wk_fail(op, "target: expected the shape of x %s without its class dim, got %s", wk_shape_string(x),
                       wk_shape_string(target));
    return true;
}

static bool check(const char *op, const wk_cross_entropy_args *args)
{
    const wk_tensor *x = args->x, *weight = args->weight;
    if (!x || !args->target)
        return wk_null_input(op, x ? "target" : "x");
    if (x->ndim == 0)
        return wk_fail(op, "x: expected (N, C) logits, got a 0-d tensor");
    if (!wk_check_floating(op, x) || !wk_check_reduction(op, args->reduction, false))
        return false;
    const int64_t classes = x->shape[x->ndim < 2 ? 0 : 1];
    if (weight && (weight->ndim != 1 || weight->shape[0] != classes))
        return wk_fail(op, "weight: expected (%lld,), one for each class, got %s", (long long)classes,
                       wk_shape_string(weight));
    if (args->label_smoothing < 0 || args->label_smoothing > 1)
        return wk_fail(op, "label_smoothing: expected 0 to 1, got %g", args->label_smoothing);
    if (!wk_dtype_is_floating(args->target->dtype) && args->target->dtype != wk_int64)
        return wk_fail(op, "target: expected int64 classes, or floating probabilities, got %s\nhint: wk_to(target, wk_int64)",
                       wk_dtype_name(args->target->dtype));
    return true;
}

/* "mean" divides by what the rows weigh */
static wk_tensor *weighed(wk_tensor *losses, wk_tensor *weights, const char *reduction)
{
    if (!losses || strcmp(reduction, "none") == 0)
        return losses;
    wk_tensor *sum = wk_sum(losses);
    return strcmp(reduction, "sum") == 0 ? sum : wk_div(sum, wk_sum(weights));
}

/* -sum over classes of w t log_softmax(x); a mean is over N */
static wk_tensor *probability_losses(const wk_cross_entropy_args *args)
{
    if (!wk_same_shape(args->x, args->target))
        return wk_fail("cross_entropy", "target: probabilities must have the shape of x %s, got %s", wk_shape_string(args->x),
                       wk_shape_string(args->target));
    wk_tensor *x = classes_last(args->x), *target = classes_last(args->target);
    const int64_t classes = x ? x->shape[x->ndim - 1] : 1;
    const double e = args->label_smoothing;
    if (e > 0)
        target = wk_add(wk_mul(target, 1 - e), e / (double)classes);
    wk_tensor *terms = wk_mul(wk_sub(x, wk_logsumexp(x, (-1), .keepdim = true)), target);
    if (args->weight)
        terms = wk_mul(terms, args->weight);
    wk_tensor *losses = wk_neg(wk_sum(terms, (-1)));
    if (!losses || strcmp(args->reduction, "none") == 0)
        return losses;
    wk_tensor *sum = wk_sum(losses);
    return strcmp(args->reduction, "sum") == 0 ? sum : wk_div(sum, (double)losses->numel);
}

wk_tensor *wk_cross_entropy_with(wk_cross_entropy_args args)
{
    if (!check("cross_entropy", &args))
        return NULL;
    if (wk_is_half(args.x->dtype)) { // computed in float32
        const wk_dtype dtype = args.x->dtype;
        args.x = wk_to(args.x, wk_float32);
        args.target = wk_dtype_is_floating(args.target->dtype) ? wk_to(args.target, wk_float32) : args.target;
        args.weight = args.weight ? wk_to(args.weight, wk_float32) : NULL;
        return wk_to(wk_cross_entropy_with(args), dtype);
    }
    if (wk_dtype_is_floating(args.target->dtype))
        return probability_losses(&args);
    if (!check_classes("cross_entropy", &args))
        return NULL;
    wk_tensor *weights = NULL, *x = classes_last(args.x);
    wk_tensor *losses = x ? class_losses(&args, x, &weights) : NULL;
    return weighed(losses, weights, args.reduction);
}

wk_tensor *wk_nll_loss_with(wk_cross_entropy_args args)
{
    if (!check("nll_loss", &args))
        return NULL;
    if (args.target->dtype != wk_int64)
        return wk_fail("nll_loss", "target: expected int64 classes, got %s", wk_dtype_name(args.target->dtype));
    if (!check_classes("nll_loss", &args))
        return NULL;
    wk_tensor *x = classes_last(args.x), *column = wk_unsqueeze(args.target, -1); // (..., C), (..., 1)
    if (!x || !column)
        return NULL;
    const int64_t classes = x->shape[x->ndim - 1];
    wk_tensor *own = wk_eq(column, wk_arange(classes));                    // (..., C)
    wk_tensor *counted = wk_ne(args.target, args.ignore_index);            // (...)
    wk_tensor *known = wk_logical_or(wk_any(own, (-1)), wk_logical_not(counted));
    if (!known || !wk_equal(known, wk_ones_like(known)))
        return wk_fail("nll_loss", "target: a class is out of range, expected 0 to %lld (or ignore_index)",
                       (long long)classes - 1);
    own = wk_logical_and(own, wk_unsqueeze(counted, -1));
    wk_tensor *w = args.weight ? wk_to(args.weight, x->dtype) : wk_full((classes), 1.0, .dtype = x->dtype);
    wk_tensor *losses = wk_neg(wk_sum(wk_where(own, wk_mul(x, w), 0), (-1)));
    return weighed(losses, wk_sum(wk_where(own, w, 0), (-1)), args.reduction);
}
