/* Choosing and mixing element by element: where, masked_fill, clamp, lerp, addcmul, addcdiv. */
#include <math.h>

#include "core/element.h"
#include "ops.h"

/* ---------------------------------------------------------------- where: da = dy where cond, db = dy elsewhere */

static void where_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *cond = wk_saved(node, 0);
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_where(cond, dy, 0));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_where(cond, 0, dy));
}

wk_tensor *wk_where_with(wk_operand cond, wk_operand a, wk_operand b)
{
    WK_REQUIRE("where", cond.tensor);
    if (!wk_operands_given("where", a, b))
        return NULL;
    if (cond.tensor->dtype != wk_bool && cond.tensor->dtype != wk_uint8)
        return wk_fail("where", "cond: expected bool, got %s\nhint: masks come from comparisons: wk_gt(x, 0)",
                       wk_dtype_name(cond.tensor->dtype));
    const wk_dtype dtype = wk_result_type((wk_operand[]){a, b}, 2);
    wk_tensor *y = wk_pointwise(&(wk_pointwise_call){.op = "where", .row = WK_ROW(where), .inputs = 3,
                                                     .in = {cond, a, b}, .compute = dtype, .result = dtype});
    return wk_record(y, where_backward, WK_INPUTS(a.tensor, b.tensor), WK_SAVED(cond.tensor));
}

/* ---------------------------------------------------------------- masked_fill: where(mask, value, x) in x's dtype */

static wk_tensor *masked_fill(const char *op, wk_tensor *x, wk_tensor *mask, wk_operand value, wk_tensor *into)
{
    return wk_pointwise(&(wk_pointwise_call){.op = op, .row = WK_ROW(where), .inputs = 3,
                                             .in = {WK_OPERAND(mask), value, WK_OPERAND(x)}, .compute = x->dtype,
                                             .result = x->dtype, .into = into, .contiguous = !into}); // as in PyTorch
}

static bool check_masked_fill(const char *op, wk_tensor *x, wk_tensor *mask, wk_operand value)
{
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, mask);
    WK_REQUIRE_OPERAND(op, value);
    if (mask->dtype != wk_bool)
        return wk_fail(op, "mask: expected bool, got %s\nhint: masks come from comparisons: wk_gt(x, 0)",
                       wk_dtype_name(mask->dtype));
    if (value.tensor && value.tensor->numel != 1)
        return wk_fail(op, "value: expected a number or a tensor of one element, got %s",
                       wk_shape_string(value.tensor));
    return wk_check_value(op, "value", value, x->dtype);
}

/* dx = dy, 0 where mask; dvalue = sum of dy where mask */
static void masked_fill_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *mask = wk_saved(node, 0);
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_masked_fill(dy, mask, 0));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_where(mask, dy, 0));
}

wk_tensor *wk_masked_fill_with(wk_tensor *x, wk_tensor *mask, wk_operand value)
{
    if (!check_masked_fill("masked_fill", x, mask, value))
        return NULL;
    wk_tensor *y = masked_fill("masked_fill", x, mask, value, NULL);
    return wk_record(y, masked_fill_backward, WK_INPUTS(x, value.tensor), WK_SAVED(mask));
}

wk_tensor *wk_masked_fill_in_place_with(wk_tensor *x, wk_tensor *mask, wk_operand value)
{
    if (!check_masked_fill("masked_fill_", x, mask, value) || !wk_check_writable("masked_fill_", x))
        return NULL;
    if (wk_would_record((wk_tensors){2, (wk_tensor *[]){x, value.tensor}}))
        return wk_write("masked_fill_", x, wk_masked_fill_with(x, mask, value));
    return masked_fill("masked_fill_", x, mask, value, x);
}

/* ---------------------------------------------------------------- nan_to_num: dx = dy, 0 where x is not finite */

static void nan_to_num_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0, wk_where(wk_isfinite(wk_saved(node, 0)), dy, 0));
}

static wk_tensor *made_finite(const char *op, const wk_nan_to_num_args *args, wk_tensor *into)
{
    wk_tensor *x = args->x;
    if (!wk_check_floating(op, x))
        return NULL;
    const double most = wk_finfo(x->dtype).max;
    return wk_pointwise(
        &(wk_pointwise_call){.op = op,
                             .row = WK_ROW(nan_to_num),
                             .inputs = 3,
                             .in = {WK_OPERAND(x), WK_OPERAND(isnan(args->posinf) ? most : args->posinf),
                                    WK_OPERAND(isnan(args->neginf) ? -most : args->neginf)},
                             .compute = x->dtype,
                             .result = x->dtype,
                             .p = args->nan,
                             .into = into});
}

wk_tensor *wk_nan_to_num_with(wk_nan_to_num_args args)
{
    WK_REQUIRE("nan_to_num", args.x);
    if (wk_dtype_is_integral(args.x->dtype))
        return wk_clone(args.x);
    return wk_record(made_finite("nan_to_num", &args, NULL), nan_to_num_backward, WK_INPUTS(args.x), WK_SAVED(args.x));
}

wk_tensor *wk_nan_to_num_in_place_with(wk_nan_to_num_args args)
{
    WK_REQUIRE("nan_to_num_", args.x);
    if (!wk_check_writable("nan_to_num_", args.x))
        return NULL;
    if (wk_dtype_is_integral(args.x->dtype))
        return args.x;
    return wk_needs_grad(args.x) ? wk_write("nan_to_num_", args.x, wk_nan_to_num_with(args))
                                 : made_finite("nan_to_num_", &args, args.x);
}

/* ---------------------------------------------------------------- clamp by numbers: rows of the table */

/* Bounds of integers that every one of them keeps go, so that none is cut; false after an error: none of them lies
   within. */
static bool fit_bounds(wk_dtype dtype, wk_number *min, wk_number *max)
{
    const double most = wk_largest(dtype), least = dtype == wk_uint8 ? 0 : dtype == wk_int64 ? -most : -most - 1;
    if ((min->kind && min->value > most) || (max->kind && max->value < least))
        return wk_fail("clamp", "%s: expected a number that %s has room for, got %g",
                       min->kind && min->value > most ? "min" : "max", wk_dtype_name(dtype),
                       min->kind && min->value > most ? min->value : max->value);
    if (max->kind && max->value >= most)
        *max = (wk_number){0};
    if ((min->kind && min->value <= least) || !(min->kind || max->kind))
        *min = max->kind ? (wk_number){0} : wk_number_float(least);
    return true;
}

/* a row's parameters are doubles */
static bool fits_double(wk_number bound)
{
    return bound.kind != WK_INT_NUMBER || (bound.integer <= INT64_C(1) << 53 && bound.integer >= -(INT64_C(1) << 53));
}

/* where a bound is NaN everything is, and dx = 0 */
static void clamp_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, wk_zeros_like(dy)); }

static wk_tensor *clamp_by_numbers(wk_tensor *x, wk_number min, wk_number max)
{
    const wk_operand operands[3] = {WK_OPERAND(x), min.kind ? (wk_operand){.number = min} : WK_OPERAND(x),
                                    max.kind ? (wk_operand){.number = max} : WK_OPERAND(x)};
    const wk_dtype dtype = wk_result_type(operands, 3);
    if (isnan(min.value) || isnan(max.value))
        return wk_record(wk_full_like(x, NAN, .dtype = dtype), clamp_backward, WK_INPUTS(x));
    if (dtype == wk_int64 && !(fits_double(min) && fits_double(max)))
        return wk_pointwise(&(wk_pointwise_call){.op = "clamp",
                                                 .row = WK_ROW(clamp_between),
                                                 .inputs = 3,
                                                 .in = {WK_OPERAND(x), WK_OPERAND(min.kind ? min.integer : INT64_MIN),
                                                        WK_OPERAND(max.kind ? max.integer : INT64_MAX)},
                                                 .compute = dtype,
                                                 .result = dtype});
    if (wk_dtype_is_integral(dtype) && !fit_bounds(dtype, &min, &max))
        return NULL;
    const wk_unary_op *const op = !max.kind   ? &WK_UNARY_OP(clamp_min)
                                  : !min.kind ? &WK_UNARY_OP(clamp_max)
                                              : &WK_UNARY_OP(clamp);
    return wk_unary(op, wk_to_dtype(x, dtype), min.kind ? min.value : max.value, max.value);
}

/* ---------------------------------------------------------------- clamp by tensors: the gradient goes to what won,
   half to each where x is at a bound; where the bounds cross, to max */

static void clamp_between_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *x = wk_saved(node, 0), *low = wk_saved(node, 1), *high = wk_saved(node, 2), *half = wk_mul(dy, 0.5);
    wk_tensor *at_low = wk_eq(x, low), *at_high = wk_eq(x, high), *open = wk_lt(low, high);
    if (wk_needs(node, 0)) {
        wk_tensor *outside = wk_logical_or(wk_lt(x, low), wk_gt(x, high));
        wk_tensor *shared = wk_logical_and(wk_logical_or(at_low, at_high), open);
        wk_accumulate(node, 0, wk_masked_fill(wk_where(shared, half, dy), outside, 0));
    }
    if (wk_needs(node, 1)) {
        wk_tensor *wins = wk_logical_and(wk_lt(x, low), wk_le(low, high));
        wk_accumulate(node, 1, wk_where(wins, dy, wk_where(wk_logical_and(at_low, open), half, 0)));
    }
    if (wk_needs(node, 2)) {
        wk_tensor *wins = wk_logical_or(wk_logical_and(wk_gt(x, high), wk_le(low, high)), wk_gt(low, high));
        wk_accumulate(node, 2, wk_where(wins, dy, wk_where(wk_logical_and(at_high, open), half, 0)));
    }
}

static wk_tensor *bound_tensor(wk_tensor *x, wk_operand bound)
{
    return bound.tensor ? bound.tensor : wk_full_like(x, bound.number.value, .dtype = wk_float_type(x->dtype));
}

wk_tensor *wk_clamp_with(wk_tensor *x, wk_operand min, wk_operand max)
{
    WK_REQUIRE("clamp", x);
    if (wk_dtype_is_complex(x->dtype) || (min.tensor && wk_dtype_is_complex(min.tensor->dtype)) ||
        (max.tensor && wk_dtype_is_complex(max.tensor->dtype)))
        return wk_fail("clamp", "complex numbers have no order");
    if (!wk_check_operands_device("clamp", "x", x, "min", min.tensor) ||
        !wk_check_operands_device("clamp", "x", x, "max", max.tensor))
        return NULL;
    const bool has_min = min.tensor || min.number.kind, has_max = max.tensor || max.number.kind;
    if (!has_min && !has_max)
        return wk_fail("clamp", "expected min, max or both\nhint: wk_clamp(x, 0, wk_none) has no upper bound");
    if (!min.tensor && !max.tensor)
        return clamp_by_numbers(x, min.number, max.number);
    if (!has_min || !has_max)
        return has_min ? wk_maximum(x, min.tensor) : wk_minimum(x, max.tensor);
    wk_tensor *low = bound_tensor(x, min), *high = bound_tensor(x, max);
    WK_REQUIRE("clamp", low);
    WK_REQUIRE("clamp", high);
    const wk_operand all[3] = {WK_OPERAND(x), WK_OPERAND(low), WK_OPERAND(high)};
    const wk_dtype dtype = wk_result_type(all, 3);
    wk_tensor *y = wk_pointwise(&(wk_pointwise_call){.op = "clamp",
                                                     .row = WK_ROW(clamp_between),
                                                     .inputs = 3,
                                                     .in = {all[0], all[1], all[2]},
                                                     .compute = dtype,
                                                     .result = dtype});
    return wk_record(y, clamp_between_backward, WK_INPUTS(x, low, high), WK_SAVED(x, low, high));
}

wk_tensor *wk_clamp_in_place_with(wk_tensor *x, wk_operand min, wk_operand max)
{
    WK_NAMES_ERRORS("clamp_");
    WK_REQUIRE("clamp_", x);
    if (!wk_check_writable("clamp_", x))
        return NULL;
    return wk_write("clamp_", x, wk_clamp_with(x, min, max));
}

/* ---------------------------------------------------------------- lerp = a + weight (b - a) */

typedef struct lerp_kept {
    double weight; // where it is no tensor
} lerp_kept;

static void lerp_backward(wk_node *node, wk_tensor *dy)
{
    const lerp_kept *kept = node->kept;
    wk_tensor *weight = wk_saved(node, 0);
    wk_tensor *db = weight ? wk_mul(dy, weight) : wk_mul(dy, kept->weight);
    wk_accumulate(node, 0, wk_sub(dy, db));
    wk_accumulate(node, 1, db);
    if (wk_needs(node, 2))
        wk_accumulate(node, 2, wk_mul(dy, wk_sub(wk_saved(node, 2), wk_saved(node, 1))));
}

wk_tensor *wk_lerp_with(wk_tensor *a, wk_tensor *b, wk_operand weight)
{
    WK_REQUIRE("lerp", a);
    WK_REQUIRE("lerp", b);
    WK_REQUIRE_OPERAND("lerp", weight);
    if (a->dtype != b->dtype)
        return wk_fail("lerp", "expected operands of one dtype, got %s and %s", wk_dtype_name(a->dtype),
                       wk_dtype_name(b->dtype));
    if (!wk_check_inexact("lerp", a))
        return NULL;
    if (weight.tensor && weight.tensor->ndim > 0 && weight.tensor->dtype != a->dtype)
        return wk_fail("lerp", "weight: expected the operands' dtype %s, got %s", wk_dtype_name(a->dtype),
                       wk_dtype_name(weight.tensor->dtype));
    const wk_dtype dtype = wk_result_type((wk_operand[]){WK_OPERAND(a), weight}, 2);
    wk_tensor *y = wk_pointwise(&(wk_pointwise_call){.op = "lerp", .row = WK_ROW(lerp), .inputs = 3,
                                                     .in = {WK_OPERAND(a), WK_OPERAND(b), weight}, .compute = dtype,
                                                     .result = dtype});
    const bool needs = wk_needs_grad(weight.tensor); // a and b, for the gradient of weight
    return wk_record(y, lerp_backward, WK_INPUTS(a, b, weight.tensor),
                     WK_SAVED(weight.tensor, needs ? a : NULL, needs ? b : NULL),
                     WK_KEPT(lerp_kept, weight.number.value));
}

wk_tensor *wk_lerp_in_place_with(wk_tensor *a, wk_tensor *b, wk_operand weight)
{
    WK_NAMES_ERRORS("lerp_");
    WK_REQUIRE("lerp_", a);
    return wk_check_writable("lerp_", a) ? wk_write("lerp_", a, wk_lerp_with(a, b, weight)) : NULL;
}

/* ---------------------------------------------------------------- addcmul = x + value a b
   addcdiv = x + value a / b */

typedef struct addc_kept {
    double value;
} addc_kept;

static void addcmul_backward(wk_node *node, wk_tensor *dy)
{
    const addc_kept *kept = node->kept;
    wk_tensor *a = wk_saved(node, 0), *b = wk_saved(node, 1), *scaled = wk_mul(dy, kept->value);
    wk_accumulate(node, 0, dy);
    wk_accumulate(node, 1, wk_mul(scaled, wk_conj(b)));
    wk_accumulate(node, 2, wk_mul(scaled, wk_conj(a)));
}

static void addcdiv_backward(wk_node *node, wk_tensor *dy)
{
    const addc_kept *kept = node->kept;
    wk_tensor *a = wk_saved(node, 0), *b = wk_saved(node, 1), *da = wk_div(wk_mul(dy, kept->value), b);
    wk_accumulate(node, 0, dy);
    wk_accumulate(node, 1, da);
    wk_accumulate(node, 2, wk_neg(wk_mul(da, wk_div(a, b))));
}

static wk_tensor *addc(const char *op, wk_pointwise_row row, wk_addcmul_args args, bool floating)
{
    WK_REQUIRE(op, args.x);
    WK_REQUIRE(op, args.a);
    WK_REQUIRE(op, args.b);
    const wk_operand in[3] = {WK_OPERAND(args.x), WK_OPERAND(args.a), WK_OPERAND(args.b)};
    const wk_dtype dtype = wk_result_type(in, 3);
    if (floating && wk_dtype_is_integral(dtype))
        return wk_fail(op, "expected floating tensors, got %s\nhint: wk_to(x, wk_float32)", wk_dtype_name(dtype));
    return wk_pointwise(&(wk_pointwise_call){.op = op, .row = row, .inputs = 3, .in = {in[0], in[1], in[2]},
                                             .compute = dtype, .result = dtype, .p = args.value});
}

wk_tensor *wk_addcmul_with(wk_addcmul_args args)
{
    return wk_record(addc("addcmul", WK_ROW(addcmul), args, false), addcmul_backward, WK_INPUTS(args.x, args.a, args.b),
                     WK_SAVED(args.a, args.b), WK_KEPT(addc_kept, args.value));
}

wk_tensor *wk_addcdiv_with(wk_addcmul_args args)
{
    return wk_record(addc("addcdiv", WK_ROW(addcdiv), args, true), addcdiv_backward, WK_INPUTS(args.x, args.a, args.b),
                     WK_SAVED(args.a, args.b), WK_KEPT(addc_kept, args.value));
}

wk_tensor *wk_addcmul_in_place_with(wk_addcmul_args args)
{
    WK_NAMES_ERRORS("addcmul_");
    WK_REQUIRE("addcmul_", args.x);
    return wk_check_writable("addcmul_", args.x) ? wk_write("addcmul_", args.x, wk_addcmul_with(args)) : NULL;
}

wk_tensor *wk_addcdiv_in_place_with(wk_addcmul_args args)
{
    WK_NAMES_ERRORS("addcdiv_");
    WK_REQUIRE("addcdiv_", args.x);
    return wk_check_writable("addcdiv_", args.x) ? wk_write("addcdiv_", args.x, wk_addcdiv_with(args)) : NULL;
}
