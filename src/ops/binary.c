/* Element-wise ops of two and three operands: arithmetic, comparison, where.  Values are rows of pointwise.def;
   gradients are compositions, below.  wk_accumulate sums a gradient over the dims that its operand was broadcast
   along. */
#include <math.h>
#include <string.h>

#include "core/run.h"
#include "kernels/divisors.h"
#include "ops.h"

/* y = kernel(a, b) in dtype, new or into x */
static wk_tensor *binary(const char *op, wk_pointwise_row row, wk_operand a, wk_operand b, wk_dtype dtype, wk_tensor *x)
{
    return wk_pointwise(&(wk_pointwise_call){
        .op = op, .row = row, .inputs = 2, .in = {a, b}, .compute = dtype, .result = dtype, .into = x});
}

static wk_dtype type_of(wk_operand a, wk_operand b) { return wk_result_type((wk_operand[]){a, b}, 2); }

/* what a backward needs of operands that are no tensors */
typedef struct numbers_kept {
    double operand[2];
} numbers_kept;
#define KEPT_NUMBERS(a_, b_) WK_KEPT(numbers_kept, {(a_).number.value, (b_).number.value})

/* an operand that a backward saved: the tensor, or the number it was */
static wk_operand saved_operand(wk_node *node, int i)
{
    const numbers_kept *kept = node->kept;
    return node->saved[i].tensor ? (wk_operand){.tensor = wk_saved(node, i)} : WK_OPERAND(kept->operand[i]);
}

/* its conjugate, which gradients of complex numbers multiply by; a real operand itself */
static wk_operand saved_conj(wk_node *node, int i)
{
    const wk_operand x = saved_operand(node, i);
    return x.tensor ? WK_OPERAND(wk_conj(x.tensor)) : x;
}

/* in place: x takes op's result; without history straight into x's memory */
typedef enum in_place { REFUSED, DIRECTLY, BY_WRITE } in_place;

/* how x takes op's result, which is of *dtype */
static in_place in_place_way(const char *op, wk_tensor *x, wk_operand b, bool floating, wk_dtype *dtype)
{
    if (!wk_operands_given(op, WK_OPERAND(x), b) || !wk_check_writable(op, x))
        return REFUSED;
    *dtype = type_of(WK_OPERAND(x), b);
    *dtype = floating ? wk_float_type(*dtype) : *dtype;
    if (!wk_check_holds(op, x, *dtype))
        return REFUSED;
    /* an operand that shares x's memory another way would be read after it is written */
    const bool overlaps = b.tensor && b.tensor != x && b.tensor->storage == x->storage;
    const bool records = wk_would_record((wk_tensors){2, (wk_tensor *[]){x, b.tensor}});
    return overlaps || records ? BY_WRITE : DIRECTLY;
}

static wk_tensor *binary_into(const char *op, wk_pointwise_row row, wk_tensor *x, wk_operand b, bool floating,
                              wk_tensor *(*form)(wk_operand a, wk_operand b))
{
    WK_REQUIRE(op, x);
    wk_dtype dtype;
    const in_place way = in_place_way(op, x, b, floating, &dtype);
    if (way == BY_WRITE)
        return wk_write(op, x, form(WK_OPERAND(x), b));
    return way == REFUSED ? NULL : binary(op, row, WK_OPERAND(x), b, dtype, x);
}

/* ---------------------------------------------------------------- add, sub of alpha * b: da = dy, db = +-alpha * dy */

typedef struct add_kept {
    double alpha; // sub's is negative
} add_kept;

static void add_backward(wk_node *node, wk_tensor *dy)
{
    const add_kept *kept = node->kept;
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, dy);
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, kept->alpha == 1 ? dy : kept->alpha == -1 ? wk_neg(dy) : wk_mul(dy, kept->alpha));
}

static bool is_bool(wk_operand x)
{
    return x.tensor ? x.tensor->dtype == wk_bool : x.number.kind == WK_BOOL_NUMBER;
}

/* a + alpha * b in dtype; sub's alpha is negative */
static wk_tensor *add_scaled(const char *op, const wk_add_args *args, double alpha, wk_dtype dtype, wk_tensor *into)
{
    if (alpha != 1 && wk_dtype_is_integral(dtype) && alpha != floor(alpha))
        return wk_fail(op, "alpha: expected an integer for %s operands, got %g", wk_dtype_name(dtype), args->alpha);
    const bool minus = alpha == -1 && dtype != wk_bool; // as a bool -1 is true
    return wk_pointwise(&(wk_pointwise_call){
        .op = op,
        .row = alpha == 1 ? WK_ROW(add) : minus ? WK_ROW(sub) : WK_ROW(add_scaled),
        .inputs = 2,
        .in = {args->a, args->b},
        .compute = dtype,
        .result = dtype,
        .p = alpha,
        .into = into});
}

static wk_tensor *add(const char *op, const char *backward_name, const wk_add_args *args, double alpha)
{
    if (!wk_operands_given(op, args->a, args->b))
        return NULL;
    wk_tensor *y = add_scaled(op, args, alpha, type_of(args->a, args->b), NULL);
    return wk_record(y, add_backward, WK_INPUTS(args->a.tensor, args->b.tensor), WK_KEPT(add_kept, alpha),
                     .name = backward_name);
}

static wk_tensor *add_in_place(const char *op, const char *backward_name, const wk_add_args *args, double alpha)
{
    wk_tensor *x = args->a.tensor;
    WK_REQUIRE(op, x);
    wk_dtype dtype;
    const in_place way = in_place_way(op, x, args->b, false, &dtype);
    if (way == REFUSED)
        return NULL;
    return way == DIRECTLY ? add_scaled(op, args, alpha, dtype, x)
                           : wk_write(op, x, add(op, backward_name, args, alpha));
}

/* PyTorch has no difference with a bool in it */
static bool check_no_bool(const char *op, const wk_add_args *args)
{
    if (!wk_operands_given(op, args->a, args->b))
        return false;
    if (is_bool(args->a) || is_bool(args->b))
        return wk_fail(op, "is not defined for bools\nhint: use wk_logical_xor, or wk_logical_not for 1 - x");
    return true;
}

wk_tensor *wk_add_with(wk_add_args args) { return add("add", "add_backward", &args, args.alpha); }
wk_tensor *wk_add_in_place_with(wk_add_args args) { return add_in_place("add_", "add_backward", &args, args.alpha); }
wk_tensor *wk_sub_with(wk_add_args args)
{
    return check_no_bool("sub", &args) ? add("sub", "sub_backward", &args, -args.alpha) : NULL;
}
wk_tensor *wk_sub_in_place_with(wk_add_args args)
{
    return check_no_bool("sub_", &args) ? add_in_place("sub_", "sub_backward", &args, -args.alpha) : NULL;
}

/* ---------------------------------------------------------------- mul: da = dy * conj(b), db = dy * conj(a) */

static void mul_backward(wk_node *node, wk_tensor *dy)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_mul_with(WK_OPERAND(dy), saved_conj(node, 1)));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_mul_with(WK_OPERAND(dy), saved_conj(node, 0)));
}

wk_tensor *wk_mul_with(wk_operand a, wk_operand b)
{
    if (!wk_operands_given("mul", a, b))
        return NULL;
    wk_tensor *y = binary("mul", WK_ROW(mul), a, b, type_of(a, b), NULL);
    return wk_record(y, mul_backward, WK_INPUTS(a.tensor, b.tensor),
                     WK_SAVED(wk_needs_grad(b.tensor) ? a.tensor : NULL, wk_needs_grad(a.tensor) ? b.tensor : NULL),
                     KEPT_NUMBERS(a, b));
}

wk_tensor *wk_mul_in_place_with(wk_tensor *x, wk_operand b)
{
    return binary_into("mul_", WK_ROW(mul), x, b, false, wk_mul_with);
}

/* ---------------------------------------------------------------- div, with a and b conjugated: da = dy / b,
   db = -da * a / b */

static void div_backward(wk_node *node, wk_tensor *dy)
{
    const wk_operand b = saved_conj(node, 1);
    wk_tensor *da = wk_div_with((wk_div_args){.a = WK_OPERAND(dy), .b = b});
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, da);
    if (wk_needs(node, 1)) {
        wk_tensor *ratio = wk_div_with((wk_div_args){.a = saved_conj(node, 0), .b = b}); // a / b
        wk_accumulate(node, 1, wk_neg(wk_mul(da, ratio)));
    }
}

static wk_tensor *true_div(wk_operand a, wk_operand b)
{
    const wk_dtype dtype = wk_float_type(type_of(a, b));
    wk_tensor *y = binary("div", WK_ROW(div), a, b, dtype, NULL);
    return wk_record(y, div_backward, WK_INPUTS(a.tensor, b.tensor),
                     WK_SAVED(wk_needs_grad(b.tensor) ? a.tensor : NULL, b.tensor), KEPT_NUMBERS(a, b));
}

/* steps: the gradient is 0 */
static void step_backward(wk_node *node, wk_tensor *dy)
{
    for (int i = 0; i < node->inputs; i++)
        if (wk_needs(node, i))
            wk_accumulate(node, i, wk_zeros_like(dy));
}

/* false after an error: integers would be divided by 0 */
static bool check_divisors(const char *op, wk_dtype dtype, wk_operand b)
{
    if (!wk_dtype_is_integral(dtype))
        return true;
    if (!b.tensor)
        return b.number.integer != 0 || wk_fail(op, "b: integer division by zero");
    wk_tensor *dense = wk_dense(b.tensor);
    return dense && wk_run(op, dense, divisors, .b = wk_data(dense), .size = (int64_t)wk_dtype_size(dense->dtype),
                           .count = dense->numel);
}

static wk_tensor *rounded_div(const char *op, wk_pointwise_row row, wk_operand a, wk_operand b)
{
    const wk_dtype dtype = type_of(a, b);
    if (dtype == wk_bool)
        return wk_fail(op, "is not defined for bool tensors");
    if (!check_divisors(op, dtype, b))
        return NULL;
    wk_tensor *y = binary(op, row, a, b, dtype, NULL);
    return wk_record(y, step_backward, WK_INPUTS(a.tensor, b.tensor));
}

wk_tensor *wk_div_with(wk_div_args args)
{
    if (!wk_operands_given("div", args.a, args.b))
        return NULL;
    if (!args.rounding_mode)
        return true_div(args.a, args.b);
    if (strcmp(args.rounding_mode, "trunc") == 0)
        return rounded_div("div", WK_ROW(div_trunc), args.a, args.b);
    if (strcmp(args.rounding_mode, "floor") == 0)
        return rounded_div("div", WK_ROW(floor_divide), args.a, args.b);
    return wk_fail("div", "rounding_mode: expected \"trunc\" or \"floor\", got \"%s\"", args.rounding_mode);
}

static wk_tensor *div_form(wk_operand a, wk_operand b) { return wk_div_with((wk_div_args){.a = a, .b = b}); }
wk_tensor *wk_div_in_place_with(wk_div_args args)
{
    WK_NAMES_ERRORS("div_");
    if (!args.rounding_mode)
        return binary_into("div_", WK_ROW(div), args.a.tensor, args.b, true, div_form);
    WK_REQUIRE("div_", args.a.tensor);
    return wk_check_writable("div_", args.a.tensor) ? wk_write("div_", args.a.tensor, wk_div_with(args)) : NULL;
}

wk_tensor *wk_floor_divide_with(wk_operand a, wk_operand b)
{
    return wk_operands_given("floor_divide", a, b) ? rounded_div("floor_divide", WK_ROW(floor_divide), a, b) : NULL;
}

/* ---------------------------------------------------------------- remainder = a - b * floor(a / b): da = dy,
   db = -dy * floor(a / b); fmod the same with trunc */

static void rest_backward(wk_node *node, wk_tensor *dy, const char *rounding_mode)
{
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, dy);
    if (wk_needs(node, 1)) {
        wk_tensor *whole = wk_div_with((wk_div_args){
            .a = saved_operand(node, 0), .b = saved_operand(node, 1), .rounding_mode = rounding_mode});
        wk_accumulate(node, 1, wk_neg(wk_mul(dy, whole)));
    }
}
static void remainder_backward(wk_node *node, wk_tensor *dy) { rest_backward(node, dy, "floor"); }
static void fmod_backward(wk_node *node, wk_tensor *dy) { rest_backward(node, dy, "trunc"); }

static wk_tensor *rest(const char *op, wk_pointwise_row row, wk_operand a, wk_operand b)
{
    if (!wk_operands_given(op, a, b) || !check_divisors(op, type_of(a, b), b))
        return NULL;
    return binary(op, row, a, b, type_of(a, b), NULL);
}

wk_tensor *wk_remainder_with(wk_operand a, wk_operand b)
{
    return wk_record(rest("remainder", WK_ROW(remainder), a, b), remainder_backward, WK_INPUTS(a.tensor, b.tensor),
                     WK_SAVED(a.tensor, b.tensor), KEPT_NUMBERS(a, b));
}

wk_tensor *wk_fmod_with(wk_operand a, wk_operand b)
{
    return wk_record(rest("fmod", WK_ROW(fmod), a, b), fmod_backward, WK_INPUTS(a.tensor, b.tensor),
                     WK_SAVED(a.tensor, b.tensor), KEPT_NUMBERS(a, b));
}

/* ---------------------------------------------------------------- pow: da = dy * b * a^(b-1), 0 where b is 0;
   db = dy * y * log(a), 0 where a is 0 and b >= 0 */

static void pow_backward(wk_node *node, wk_tensor *dy)
{
    const wk_operand a = saved_operand(node, 0), b = saved_operand(node, 1);
    if (wk_needs(node, 0)) {
        wk_tensor *lower = wk_pow_with(a, (wk_operand){.tensor = b.tensor ? wk_sub(b.tensor, 1) : NULL,
                                                       .number = wk_number_float(b.number.value - 1)});
        wk_tensor *slope = wk_mul_with(b, WK_OPERAND(lower));
        if (b.tensor)
            slope = wk_where_with(WK_OPERAND(wk_eq(b.tensor, 0)), WK_OPERAND(0.0), WK_OPERAND(slope));
        wk_accumulate(node, 0, !b.tensor && b.number.value == 0 ? wk_zeros_like(dy) : wk_mul(dy, slope));
    }
    if (wk_needs(node, 1)) {
        wk_tensor *at_zero =
            wk_logical_and_with(WK_OPERAND(wk_eq_with(a, WK_OPERAND(0))), WK_OPERAND(wk_ge_with(b, WK_OPERAND(0))));
        /* 1 stands in for what is not used, so that its derivatives are no NaN */
        wk_tensor *y = wk_where(at_zero, 1.0, wk_saved(node, 2));
        wk_tensor *rate =
            a.tensor ? wk_mul(y, wk_log(wk_where(at_zero, 1.0, a.tensor))) : wk_mul(y, log(a.number.value));
        wk_accumulate(node, 1, wk_mul(dy, wk_where_with(WK_OPERAND(at_zero), WK_OPERAND(0.0), WK_OPERAND(rate))));
    }
}

wk_tensor *wk_pow_with(wk_operand a, wk_operand b)
{
    if (!wk_operands_given("pow", a, b))
        return NULL;
    const wk_dtype dtype = type_of(a, b);
    if (wk_dtype_is_integral(dtype) && !b.tensor && b.number.value < 0)
        return wk_fail("pow",
                       "b: integers to a negative integer power are not defined, got %lld\n"
                       "hint: make the base floating: wk_to(x, wk_float32)",
                       (long long)b.number.integer);
    if (wk_dtype_is_complex(dtype)) // squares alone
        return !b.tensor && b.number.value == 2 ? wk_square(a.tensor)
                                                : wk_fail("pow", "is not defined for %s", wk_dtype_name(dtype));
    if (b.tensor && b.tensor->dtype == wk_bool && dtype != wk_bool) // the gradient subtracts from it
        b.tensor = wk_to_dtype(b.tensor, dtype);
    if (!wk_operands_given("pow", a, b))
        return NULL;
    wk_tensor *y = NULL;
    if (!b.tensor && b.number.value == 2 && a.tensor && a.tensor->dtype == dtype)
        y = binary("pow", WK_ROW(mul), a, a, dtype, NULL);
    else if (!b.tensor && fabs(b.number.value) == 0.5 && !wk_dtype_is_integral(dtype)) // unlike pow, NaN at -inf
        y = wk_pointwise(&(wk_pointwise_call){.op = "pow",
                                              .row = b.number.value > 0 ? WK_ROW(sqrt) : WK_ROW(rsqrt),
                                              .inputs = 1,
                                              .in = {a},
                                              .compute = dtype,
                                              .result = dtype});
    else
        y = binary("pow", WK_ROW(pow), a, b, dtype, NULL);
    return wk_record(y, pow_backward, WK_INPUTS(a.tensor, b.tensor),
                     WK_SAVED(a.tensor, b.tensor, wk_needs_grad(b.tensor) ? y : NULL),
                     KEPT_NUMBERS(a, b));
}

wk_tensor *wk_pow_in_place_with(wk_tensor *x, wk_operand b)
{
    return binary_into("pow_", WK_ROW(pow), x, b, false, wk_pow_with);
}

/* ---------------------------------------------------------------- atan2: with r = dy / (a^2 + b^2), da = r * b,
   db = -r * a */

static void atan2_backward(wk_node *node, wk_tensor *dy)
{
    /* squares of small integers would wrap around */
    wk_tensor *a = wk_type_as(wk_saved(node, 0), dy), *b = wk_type_as(wk_saved(node, 1), dy);
    wk_tensor *scaled = wk_div(dy, wk_add(wk_mul(a, a), wk_mul(b, b)));
    wk_accumulate(node, 0, wk_mul(scaled, b));
    wk_accumulate(node, 1, wk_neg(wk_mul(scaled, a)));
}

wk_tensor *wk_atan2(wk_tensor *a, wk_tensor *b)
{
    WK_REQUIRE("atan2", a);
    WK_REQUIRE("atan2", b);
    wk_tensor *y = binary("atan2", WK_ROW(atan2), WK_OPERAND(a), WK_OPERAND(b),
                          wk_float_type(type_of(WK_OPERAND(a), WK_OPERAND(b))), NULL);
    return wk_record(y, atan2_backward, WK_INPUTS(a, b), WK_SAVED(a, b));
}

/* ---------------------------------------------------------------- logaddexp: da = dy exp(a - y), db = dy exp(b - y) */

/* by what a and b differ, which is right where both are infinite too */
static void logaddexp_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *a = wk_type_as(wk_saved(node, 0), dy), *b = wk_type_as(wk_saved(node, 1), dy);
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, wk_div(dy, wk_add(wk_exp(wk_sub(b, a)), 1)));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, wk_div(dy, wk_add(wk_exp(wk_sub(a, b)), 1)));
}

wk_tensor *wk_logaddexp(wk_tensor *a, wk_tensor *b)
{
    WK_REQUIRE("logaddexp", a);
    WK_REQUIRE("logaddexp", b);
    wk_tensor *y = binary("logaddexp", WK_ROW(logaddexp), WK_OPERAND(a), WK_OPERAND(b),
                          wk_float_type(type_of(WK_OPERAND(a), WK_OPERAND(b))), NULL);
    return wk_record(y, logaddexp_backward, WK_INPUTS(a, b), WK_SAVED(a, b));
}

/* ---------------------------------------------------------------- maximum, minimum: to the winner; halves at a tie */

static void extremum_backward(wk_node *node, wk_tensor *dy, wk_tensor *a_loses, wk_tensor *b_loses)
{
    wk_tensor *tie = wk_where(wk_eq(wk_saved(node, 0), wk_saved(node, 1)), wk_mul(dy, 0.5), dy);
    wk_accumulate(node, 0, wk_masked_fill(tie, a_loses, 0));
    wk_accumulate(node, 1, wk_masked_fill(tie, b_loses, 0));
}

static void maximum_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *a = wk_saved(node, 0), *b = wk_saved(node, 1);
    extremum_backward(node, dy, wk_lt(a, b), wk_gt(a, b));
}

static void minimum_backward(wk_node *node, wk_tensor *dy)
{
    wk_tensor *a = wk_saved(node, 0), *b = wk_saved(node, 1);
    extremum_backward(node, dy, wk_gt(a, b), wk_lt(a, b));
}

static wk_tensor *extremum(const char *op, wk_pointwise_row row, wk_tensor *a, wk_tensor *b)
{
    WK_REQUIRE(op, a);
    WK_REQUIRE(op, b);
    return binary(op, row, WK_OPERAND(a), WK_OPERAND(b), type_of(WK_OPERAND(a), WK_OPERAND(b)), NULL);
}

wk_tensor *wk_maximum(wk_tensor *a, wk_tensor *b)
{
    return wk_record(extremum("maximum", WK_ROW(maximum), a, b), maximum_backward, WK_INPUTS(a, b), WK_SAVED(a, b));
}

wk_tensor *wk_minimum(wk_tensor *a, wk_tensor *b)
{
    return wk_record(extremum("minimum", WK_ROW(minimum), a, b), minimum_backward, WK_INPUTS(a, b), WK_SAVED(a, b));
}
