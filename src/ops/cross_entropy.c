/* cross_entropy of logits: fused for classes, composed for probabilities; nll_loss.  kernels/cross_entropy.h has the
   maths. */
#include <wick/activation.h>
#include <wick/loss.h>

#include <string.h>

#include "autocast.h"
#include "core/run.h"
#include "kernels/cross_entropy.h"
#include "loss.h"
#include "ops.h"

typedef enum loss_reduction { BAD, NONE, SUM, MEAN } loss_reduction;

static loss_reduction reduction_of(const char *op, const char *reduction) // BAD after an error
{
    if (!wk_check_reduction(op, reduction, false))
        return BAD;
    return strcmp(reduction, "mean") == 0 ? MEAN : strcmp(reduction, "sum") == 0 ? SUM : NONE;
}

/* x (N, C, d1, ...) as (N, d1, ..., C), with history, and back */
static wk_tensor *classes_last(wk_tensor *x) { return x && x->ndim > 2 ? wk_movedim(x, 1, -1) : x; }
static wk_tensor *classes_second(wk_tensor *x) { return x && x->ndim > 2 ? wk_movedim(x, -1, 1) : x; }
/* as kernels see it: (rows, C), without history */
static wk_tensor *rows_of(wk_tensor *x) { return wk_dense(x->ndim > 2 ? WK_WITHOUT_GRAD(classes_last(x)) : x); }

static bool check_weight(const char *op, const wk_tensor *x, const wk_tensor *weight, int64_t classes)
{
    WK_OPTIONAL(op, weight);
    if (!weight)
        return true;
    if (weight->ndim != 1 || weight->shape[0] != classes)
        return wk_fail(op, "weight: expected shape (%lld,), one a class, got %s", (long long)classes,
                       wk_shape_string(weight));
    return wk_check_same_device(op, "x", x, "weight", weight);
}

/* ---------------------------------------------------------------- of classes */

/* what the kernels see, and what becomes of the losses of rows; without history */
typedef struct class_rows {
    wk_tensor *target;                   // (rows) int64, of the shape of the losses
    wk_tensor *weight;                   // (C) reals, or NULL
    wk_tensor *losses, *weights, *total; // (rows) reals; total: the weights' sum, of a mean
    int64_t classes;
    loss_reduction kind;
} class_rows;

typedef struct class_kept {
    int64_t classes, ignore_index;
    double smoothing;
    bool per_row; // a loss for each row
} class_kept;

/* what a target that does not fit is taken for */
static const char *target_hint(const wk_tensor *x, const wk_tensor *target)
{
    if (x->ndim > 1 && target->ndim == x->ndim && target->shape[target->ndim - 1] == 1)
        return "\nhint: wk_squeeze(target, -1)";
    if (wk_same_shape(x, target))
        return "\nhint: probabilities are floating: wk_to(target, wk_float32); classes of one-hot rows: "
               "wk_argmax(target, 1)";
    if (x->ndim > 2 && target->ndim == x->ndim - 1 &&
        memcmp(x->shape, target->shape, (size_t)target->ndim * sizeof *x->shape) == 0)
        return "\nhint: classes are dim 1 of x: wk_transpose(x, 1, -1), or wk_flatten both to (N, C) and (N,)";
    return "";
}

/* false after an error */
static bool make_rows(const char *op, const wk_cross_entropy_args *args, loss_reduction kind, class_rows *rows)
{
    wk_tensor *x = args->x, *target = args->target;
    bool fits = x->ndim > 0 && target->ndim == (x->ndim == 1 ? 0 : x->ndim - 1);
    for (int dim = 0; fits && dim < target->ndim; dim++)
        fits = target->shape[dim] == x->shape[dim < 1 ? dim : dim + 1];
    if (!fits)
        return wk_fail(op, "target: expected a class for each row of x (N, C, ...), got x %s and target %s%s",
                       wk_shape_string(x), wk_shape_string(target), target_hint(x, target));
    if (target->dtype != wk_int64 && target->dtype != wk_uint8)
        return wk_fail(op, "target: expected classes as int64, got %s\nhint: wk_to(target, wk_int64)",
                       wk_dtype_name(target->dtype));
    const wk_dtype compute = wk_real_dtype(x->dtype);
    *rows = (class_rows){.classes = x->shape[x->ndim == 1 ? 0 : 1], .kind = kind};
    if (!wk_check_same_device(op, "x", x, "target", target) || !check_weight(op, x, args->weight, rows->classes))
        return false;
    rows->target = wk_dense(wk_to(target, wk_int64));
    if (args->weight && !(rows->weight = wk_dense(WK_WITHOUT_GRAD(wk_to(args->weight, compute)))))
        return false;
    rows->losses = wk_tensor_new(op, target->ndim, target->shape, compute, x->device);
    rows->weights = wk_empty_like(rows->losses);
    return rows->target && rows->weights;
}

static wk_tensor *reduced_rows(class_rows *rows, wk_dtype dtype)
{
    wk_tensor *y = rows->kind == NONE ? rows->losses : wk_sum(rows->losses);
    if (rows->kind == MEAN)
        y = wk_div(y, rows->total = wk_sum(rows->weights));
    return wk_is_half(dtype) ? wk_to(y, dtype) : y;
}

/* in a backward: what a row's loss gets, in reals; total is NULL but of a mean */
static wk_tensor *dy_of_rows(wk_node *node, wk_tensor *dy, wk_tensor *total)
{
    dy = wk_to(dy, wk_real_dtype(node->output->dtype));
    return total ? wk_div(dy, total) : dy;
}

/* 1 at each row's class, in this dtype: (..., C); nothing where it is ignored */
static wk_tensor *one_hot(wk_tensor *target, const class_kept *kept, wk_dtype dtype)
{
    if (!target)
        return NULL;
    wk_tensor *column = wk_unsqueeze(target, -1);
    wk_tensor *classes =
        wk_arange_with(WK_NUMBER(0), WK_NUMBER(kept->classes), WK_NUMBER(1), (wk_range_args){.device = target->device});
    return wk_to(wk_logical_and(wk_eq(column, classes), wk_ne(column, kept->ignore_index)), dtype);
}

static void cross_entropy_in_ops(wk_node *node, wk_tensor *dy)
{
    const class_kept *kept = node->kept;
    const wk_dtype compute = wk_real_dtype(node->output->dtype);
    wk_tensor *x = classes_last(wk_to(wk_saved(node, 0), compute)), *target = wk_saved(node, 1);
    wk_tensor *weight = wk_saved(node, 2), *hot = one_hot(target, kept, compute);
    dy = dy_of_rows(node, dy, wk_saved(node, 4));
    wk_tensor *counts = wk_unsqueeze(wk_to(wk_ne(target, kept->ignore_index), compute), -1);
    wk_tensor *own = wk_sum(weight ? wk_mul(hot, weight) : hot, -1, .keepdim = true); // w[t], or 1; 0 where ignored
    own = wk_mul(own, 1 - kept->smoothing);
    wk_tensor *each = wk_mul(weight ? weight : wk_ones_like(hot), kept->smoothing / (double)kept->classes);
    each = wk_mul(counts, each);
    wk_tensor *scale = wk_add(own, wk_sum(each, -1, .keepdim = true));
    wk_tensor *dx = wk_sub(wk_sub(wk_mul(scale, wk_softmax(x)), wk_mul(own, hot)), each);
    dx = wk_mul(kept->per_row && dy ? wk_unsqueeze(dy, -1) : dy, dx);
    wk_accumulate(node, 0, classes_second(dx));
}

static void cross_entropy_backward(wk_node *node, wk_tensor *dy)
{
    static const char BACKWARD[] = "cross_entropy_backward";
    const class_kept *kept = node->kept;
    wk_tensor *x = wk_dense(classes_last(wk_saved(node, 0))), *dx = wk_empty_like(x);
    wk_tensor *statistics = wk_saved(node, 3);
    dy = wk_dense(dy_of_rows(node, dy, wk_saved(node, 4)));
    if (dx && dy && statistics &&
        wk_run(BACKWARD, x, cross_entropy_backward, .dy = wk_data(dy), .x = wk_data(x),
               .target = wk_data(wk_saved(node, 1)), .weight = wk_data(wk_saved(node, 2)),
               .statistics = wk_data(statistics), .dx = wk_data(dx), .rows = statistics->shape[1], .n = kept->classes,
               .ignore = kept->ignore_index, .smoothing = kept->smoothing, .per_row = kept->per_row))
        wk_accumulate(node, 0, classes_second(dx));
}

static wk_tensor *of_classes(const wk_cross_entropy_args *args, loss_reduction kind)
{
    static const char OP[] = "cross_entropy";
    class_rows rows;
    if (!make_rows(OP, args, kind, &rows))
        return NULL;
    const int64_t count = rows.losses->numel;
    wk_tensor *x = rows_of(args->x);
    wk_tensor *statistics = wk_tensor_new(OP, 2, (const int64_t[]){2, count}, rows.losses->dtype, args->x->device);
    if (!x || !statistics ||
        !wk_run(OP, x, cross_entropy, .x = wk_data(x), .target = wk_data(rows.target), .weight = wk_data(rows.weight),
                .losses = wk_data(rows.losses), .weights = wk_data(rows.weights), .statistics = wk_data(statistics),
                .rows = count, .n = rows.classes, .ignore = args->ignore_index, .smoothing = args->label_smoothing))
        return NULL;
    wk_tensor *y = WK_WITHOUT_GRAD(reduced_rows(&rows, x->dtype));
    return wk_record(
        y, cross_entropy_backward, WK_INPUTS(args->x),
        WK_SAVED(args->x, rows.target, rows.weight, statistics, rows.total),
        WK_KEPT(class_kept, rows.classes, args->ignore_index, args->label_smoothing, .per_row = kind == NONE),
        .composed = cross_entropy_in_ops);
}

/* ---------------------------------------------------------------- of probabilities: -sum(w t log softmax(x)) */

static wk_tensor *of_probabilities(const wk_cross_entropy_args *args, loss_reduction kind)
{
    const wk_dtype result = wk_promote_types(args->x->dtype, args->target->dtype);
    if (!wk_same_shape(args->x, args->target) || args->x->ndim == 0)
        return wk_fail("cross_entropy", "target: probabilities have x's shape %s, got %s\nhint: classes are integers: "
                       "wk_to(target, wk_int64)",
                       wk_shape_string(args->x), wk_shape_string(args->target));
    const int64_t classes = args->x->shape[args->x->ndim == 1 ? 0 : 1];
    if (!wk_check_same_device("cross_entropy", "x", args->x, "target", args->target) ||
        !check_weight("cross_entropy", args->x, args->weight, classes))
        return NULL;
    wk_tensor *x = wk_to(args->x, wk_real_dtype(args->x->dtype)); // halves are computed in float32
    wk_tensor *target = wk_to(args->target, wk_real_dtype(args->target->dtype));
    if (args->label_smoothing > 0)
        target = wk_add(wk_mul(target, 1 - args->label_smoothing), args->label_smoothing / (double)classes);
    wk_tensor *terms = wk_mul(wk_log_softmax(classes_last(x)), classes_last(target));
    wk_tensor *losses = wk_neg(wk_sum(args->weight ? wk_mul(terms, args->weight) : terms, -1));
    return wk_to(kind == NONE ? losses : kind == SUM ? wk_sum(losses) : wk_mean(losses), result);
}

wk_tensor *wk_cross_entropy_with(wk_cross_entropy_args args)
{
    WK_AUTOCAST(FLOAT32, &args.x, &args.target, &args.weight);
    const char *op = "cross_entropy";
    WK_REQUIRE(op, args.x);
    WK_REQUIRE(op, args.target);
    const loss_reduction kind = reduction_of(op, args.reduction);
    if (kind && wk_dtype_is_integral(args.x->dtype) && wk_dtype_is_floating(args.target->dtype))
        return wk_fail(op, "x: expected floating logits, got %s\nhint: the logits come first, then the target",
                       wk_dtype_name(args.x->dtype));
    if (!kind || !wk_check_floating(op, args.x))
        return NULL;
    if (!(args.label_smoothing >= 0 && args.label_smoothing <= 1))
        return wk_fail(op, "label_smoothing: expected 0 to 1, got %g", args.label_smoothing);
    return wk_dtype_is_floating(args.target->dtype) ? of_probabilities(&args, kind) : of_classes(&args, kind);
}

/* ---------------------------------------------------------------- nll_loss: -w[t] x[t]; dx = -dy w[t] onehot(t) */

static void nll_loss_in_ops(wk_node *node, wk_tensor *dy)
{
    const class_kept *kept = node->kept;
    wk_tensor *weight = wk_saved(node, 1);
    wk_tensor *hot = one_hot(wk_saved(node, 0), kept, wk_real_dtype(node->output->dtype));
    dy = dy_of_rows(node, dy, wk_saved(node, 2));
    wk_tensor *dx = wk_mul(wk_neg(kept->per_row && dy ? wk_unsqueeze(dy, -1) : dy), weight ? wk_mul(hot, weight) : hot);
    wk_accumulate(node, 0, classes_second(dx));
}

static void nll_loss_backward(wk_node *node, wk_tensor *dy)
{
    static const char BACKWARD[] = "nll_loss_backward";
    const class_kept *kept = node->kept;
    wk_tensor *target = wk_saved(node, 0);
    dy = wk_dense(dy_of_rows(node, dy, wk_saved(node, 2)));
    if (!target || !dy)
        return;
    wk_shape shape = wk_shape_of(target->ndim, target->shape);
    shape.sizes[shape.ndim++] = kept->classes;
    wk_tensor *dx = wk_tensor_new(BACKWARD, shape.ndim, shape.sizes, node->output->dtype, dy->device);
    if (wk_run(BACKWARD, dx, nll_loss_backward, .dy = wk_data(dy), .target = wk_data(target),
               .weight = wk_data(wk_saved(node, 1)), .dx = wk_data(dx), .rows = target->numel, .n = kept->classes,
               .ignore = kept->ignore_index, .per_row = kept->per_row))
        wk_accumulate(node, 0, classes_second(dx));
}

wk_tensor *wk_nll_loss_with(wk_cross_entropy_args args)
{
    WK_AUTOCAST(FLOAT32, &args.x, &args.target, &args.weight);
    static const char OP[] = "nll_loss";
    WK_REQUIRE(OP, args.x);
    WK_REQUIRE(OP, args.target);
    const loss_reduction kind = reduction_of(OP, args.reduction);
    class_rows rows;
    if (!kind || !wk_check_floating(OP, args.x) || !make_rows(OP, &args, kind, &rows))
        return NULL;
    wk_tensor *x = rows_of(args.x);
    if (!wk_run(OP, x, nll_loss, .x = wk_data(x), .target = wk_data(rows.target), .weight = wk_data(rows.weight),
                .losses = wk_data(rows.losses), .weights = wk_data(rows.weights), .rows = rows.losses->numel,
                .n = rows.classes, .ignore = args.ignore_index))
        return NULL;
    wk_tensor *y = WK_WITHOUT_GRAD(reduced_rows(&rows, x->dtype));
    return wk_record(y, nll_loss_backward, WK_INPUTS(args.x), WK_SAVED(rows.target, rows.weight, rows.total),
                     WK_KEPT(class_kept, rows.classes, args.ignore_index, .per_row = kind == NONE),
                     .composed = nll_loss_in_ops);
}
