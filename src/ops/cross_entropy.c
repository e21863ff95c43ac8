/* cross_entropy of logits: fused for classes, composed for probabilities; nll_loss.

   For rows x of C logits with class t, class weights w and label smoothing e (kernels/cpu/cross_entropy.c has the
   maths): loss = (1 - e) w[t] (lse - x[t]) + e / C (W lse - sum(w x)),   W = sum(w) dx = dy (((1 - e) w[t] + e / C W)
   softmax(x) - (1 - e) w[t] onehot(t) - e / C w) Under create_graph the backward is composed of ops. */
#include <wick/activation.h>
#include <wick/loss.h>

#include <string.h>

#include "loss.h"
#include "ops.h"
#include "core/run.h"

typedef enum loss_reduction { BAD, NONE, SUM, MEAN } loss_reduction;

static loss_reduction reduction_of(const char *op, const char *reduction) // BAD after an error
{
    if (!wk_check_reduction(op, reduction, false))
        return BAD;
    return strcmp(reduction, "mean") == 0 ? MEAN : strcmp(reduction, "sum") == 0 ? SUM : NONE;
}

static wk_tensor *reduced(wk_tensor *losses, loss_reduction kind)
{
    return kind == NONE ? losses : kind == SUM ? wk_sum(losses) : wk_mean(losses);
}

typedef struct rows_of_classes {
    wk_tensor *x;      // (rows, C): the classes last and dense, without history
    wk_tensor *target; // (rows) int64
    wk_tensor *weight; // (C) or NULL
    int64_t classes;
    int dim; // of the classes in x
} rows_of_classes;

/* x (N, C, d1, ...) as (N, d1, ..., C), with history */
static wk_tensor *classes_last(wk_tensor *input) { return input && input->ndim > 2 ? wk_movedim(input, 1, -1) : input; }

static bool check_weight(const char *op, const wk_tensor *weight, int64_t classes)
{
    if (!weight || (weight->ndim == 1 && weight->shape[0] == classes))
        return true;
    return wk_fail(op, "weight: expected shape (%lld,), one a class, got %s", (long long)classes,
                   wk_shape_string(weight));
}

/* false after an error */
static bool check_classes(const char *op, const wk_cross_entropy_args *args, rows_of_classes *rows)
{
    wk_tensor *input = args->x, *target = args->target;
    rows->dim = input->ndim == 1 ? 0 : 1;
    bool fits = input->ndim > 0 && target->ndim == (input->ndim == 1 ? 0 : input->ndim - 1);
    for (int dim = 0; fits && dim < target->ndim; dim++)
        fits = target->shape[dim] == input->shape[dim < 1 ? dim : dim + 1];
    if (!fits)
        return wk_fail(op, "target: expected a class for each row of x (N, C, ...), got x %s and target %s",
                       wk_shape_string(input), wk_shape_string(target));
    if (target->dtype != wk_int64 && target->dtype != wk_uint8)
        return wk_fail(op, "target: expected classes as int64, got %s\nhint: wk_to(target, wk_int64)",
                       wk_dtype_name(target->dtype));
    rows->classes = input->shape[rows->dim];
    if (!check_weight(op, args->weight, rows->classes))
        return false;
    wk_no_grad
    {
        rows->x = wk_dense(classes_last(input));
        rows->target = wk_dense(wk_to(target, wk_int64));
        rows->weight = args->weight ? wk_dense(wk_to(args->weight, input->dtype)) : NULL;
    }
    if (!rows->x || !rows->target || (args->weight && !rows->weight))
        return false;
    int64_t bad = args->ignore_index;
    wk_run_range(target, index_check, rows->target->numel, 1, .index = wk_data(rows->target), .low = 0,
                 .high = rows->classes, .ignore = args->ignore_index, .bad = &bad);
    if (bad != args->ignore_index)
        return wk_fail(op, "target: expected classes from 0 to %lld (or ignore_index %lld), got %lld",
                       (long long)rows->classes - 1, (long long)args->ignore_index, (long long)bad);
    return true;
}

/* 1 at each row's class, in the dtype of like: (..., C); nothing where it is ignored */
static wk_tensor *one_hot(wk_tensor *target, int64_t classes, int64_t ignore, wk_tensor *like)
{
    wk_tensor *column = wk_unsqueeze(target, -1);
    wk_tensor *hot = wk_logical_and(wk_eq(column, wk_arange(classes)), wk_ne(column, ignore));
    return like ? wk_to(hot, like->dtype) : NULL;
}

/* w[t] for each row, or 1; 0 where it is ignored */
static wk_tensor *own_weights(wk_tensor *hot, wk_tensor *weight)
{
    return wk_sum(weight ? wk_mul(hot, weight) : hot, -1);
}

/* ---------------------------------------------------------------- of classes */

/* dx of ops; dy has one a row, or is one number */
static wk_tensor *composed_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = classes_last(wk_saved(node, 0)), *target = wk_saved(node, 1), *weight = wk_saved(node, 2);
    wk_tensor *hot = one_hot(target, node->n, node->dim, x);
    const double spread = node->number / (double)node->n;
    wk_tensor *counts = wk_unsqueeze(wk_to(wk_ne(target, node->dim), x ? x->dtype : wk_float32), -1);
    wk_tensor *own = wk_mul(wk_unsqueeze(own_weights(hot, weight), -1), 1 - node->number);
    wk_tensor *all_counted = wk_mul(counts, wk_mul(weight ? weight : wk_ones_like(hot), spread));
    wk_tensor *scale = wk_add(own, wk_sum(all_counted, -1, .keepdim = true));
    wk_tensor *dx = wk_sub(wk_sub(wk_mul(scale, wk_softmax(x)), wk_mul(own, hot)), all_counted);
    return wk_mul(dy && dy->ndim > 0 ? wk_unsqueeze(dy, -1) : dy, dx);
}

static void cross_entropy_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *input = wk_saved(node, 0), *dx = NULL;
    if (node->saves > 4) // the mean
        dy = wk_div(dy, wk_saved(node, 4));
    if (wk_is_grad_enabled()) {
        dx = composed_backward(node, dy);
    } else {
        wk_tensor *x = wk_dense(classes_last(input)), *target = wk_saved(node, 1), *weight = wk_saved(node, 2);
        wk_tensor *lse = wk_saved(node, 3);
        dy = wk_dense(dy);
        dx = x ? wk_empty_like(x) : NULL;
        if (!dx || !dy || !lse || !target)
            return;
        if (dx->numel > 0)
            wk_run_range(x, cross_entropy_backward, lse->numel, 4 * node->n, .dy = wk_data(dy), .x = wk_data(x),
                   .target = wk_data(target), .weight = weight ? wk_data(weight) : NULL, .lse = wk_data(lse),
                   .dx = wk_data(dx), .n = node->n, .ignore = node->dim, .smoothing = node->number,
                   .dy_step = node->flag);
    }
    wk_accumulate(node, 0, dx && input && input->ndim > 2 ? wk_movedim(dx, -1, 1) : dx);
}

static wk_tensor *of_classes(wk_cross_entropy_args *args, loss_reduction kind)
{
    rows_of_classes rows;
    wk_tensor *input = args->x;
    if (!check_classes("cross_entropy", args, &rows))
        return NULL;
    wk_tensor *target = rows.target, *y = NULL, *total = NULL;
    wk_tensor *losses = wk_tensor_new("cross_entropy", target->ndim, target->shape, input->dtype, input->device);
    wk_tensor *lse = losses ? wk_empty_like(losses) : NULL, *weights = lse ? wk_empty_like(losses) : NULL;
    if (!weights)
        return NULL;
    if (rows.x->numel > 0)
        wk_run_range(input, cross_entropy, losses->numel, 4 * rows.classes, .x = wk_data(rows.x),
                     .target = wk_data(target), .weight = rows.weight ? wk_data(rows.weight) : NULL,
                     .losses = wk_data(losses), .weights = wk_data(weights), .lse = wk_data(lse), .n = rows.classes,
                     .ignore = args->ignore_index, .smoothing = args->label_smoothing);
    wk_no_grad
    {
        y = kind == NONE ? losses : wk_sum(losses);
        if (kind == MEAN) {
            total = wk_sum(weights);
            y = wk_div(y, total);
        }
    }
    /* flag: dy has one a row */
    return wk_record_one(
        y, &(wk_record_args){.name = "cross_entropy_backward",
                             .backward = cross_entropy_backward,
                             WK_INPUTS(input),
                             .saved = {total ? 5 : 4, (wk_tensor *[]){input, target, rows.weight, lse, total}},
                             .dim = args->ignore_index,
                             .n = rows.classes,
                             .number = args->label_smoothing,
                             .flag = kind == NONE});
}

/* ---------------------------------------------------------------- of probabilities: -sum(w t log softmax(x)) */

static wk_tensor *of_probabilities(const wk_cross_entropy_args *args, loss_reduction kind)
{
    wk_tensor *x = args->x, *target = args->target;
    if (!wk_same_shape(x, target) || x->ndim == 0)
        return wk_fail("cross_entropy", "target: probabilities have x's shape %s, got %s\nhint: classes are integers",
                       wk_shape_string(x), wk_shape_string(target));
    const int64_t classes = x->shape[x->ndim == 1 ? 0 : 1];
    if (!check_weight("cross_entropy", args->weight, classes))
        return NULL;
    if (args->label_smoothing > 0)
        target = wk_add(wk_mul(target, 1 - args->label_smoothing), args->label_smoothing / (double)classes);
    wk_tensor *terms = wk_mul(wk_log_softmax(classes_last(x)), classes_last(target));
    wk_tensor *losses = wk_neg(wk_sum(args->weight ? wk_mul(terms, args->weight) : terms, -1));
    return reduced(losses, kind);
}

wk_tensor *wk_cross_entropy_with(wk_cross_entropy_args args)
{
    const char *op = "cross_entropy";
    WK_REQUIRE(op, args.x);
    WK_REQUIRE(op, args.target);
    const loss_reduction kind = reduction_of(op, args.reduction);
    if (!kind || !wk_check_floating(op, args.x))
        return NULL;
    if (!(args.label_smoothing >= 0 && args.label_smoothing <= 1))
        return wk_fail(op, "label_smoothing: expected 0 to 1, got %g", args.label_smoothing);
    const wk_dtype dtype = args.x->dtype;
    if (wk_is_half(dtype)) {
        args.x = wk_to(args.x, wk_float32);
        if (wk_is_half(args.target->dtype))
            args.target = wk_to(args.target, wk_float32);
        return wk_to(args.x && args.target ? wk_cross_entropy_with(args) : NULL, dtype);
    }
    return wk_dtype_is_floating(args.target->dtype) ? of_probabilities(&args, kind) : of_classes(&args, kind);
}

/* ---------------------------------------------------------------- nll_loss: -w[t] x[t] */

wk_tensor *wk_nll_loss_with(wk_cross_entropy_args args)
{
    const char *op = "nll_loss";
    WK_REQUIRE(op, args.x);
    WK_REQUIRE(op, args.target);
    const loss_reduction kind = reduction_of(op, args.reduction);
    rows_of_classes rows;
    if (!kind || !wk_check_floating(op, args.x) || !check_classes(op, &args, &rows))
        return NULL;
    wk_tensor *x = classes_last(args.x), *hot = one_hot(rows.target, rows.classes, args.ignore_index, x);
    wk_tensor *chosen = wk_where(wk_ne(hot, 0), x, 0); // not hot * x: infinities elsewhere do not count
    wk_tensor *losses = wk_neg(wk_sum(rows.weight ? wk_mul(chosen, rows.weight) : chosen, -1));
    if (kind != MEAN)
        return reduced(losses, kind);
    return wk_div(wk_sum(losses), wk_sum(own_weights(hot, rows.weight)));
}
