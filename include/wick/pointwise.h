/* Element-wise maths: arithmetic, comparison, functions of each element.
   PyTorch: https://pytorch.org/docs/stable/torch.html#pointwise-ops

   Operands broadcast: sizes are compared from the last dim, each pair equal or one of them 1.  dtypes promote: a tensor
   with dims outranks a 0-d tensor, which outranks a number, within a kind (bool < integer < floating < complex).  Where
   a is a tensor or a number, so is b.  Shapes: (*) and (*) -> broadcast.  f_ is f in place: x keeps its shape and
   dtype.  Functions with a floating result compute integers in float32. */
#ifndef WICK_POINTWISE_H
#define WICK_POINTWISE_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define wk_pi 3.14159265358979323846

/* ---- arithmetic: tensor or number on either side */
typedef struct wk_add_args {
    wk_operand a, b;
    double alpha; // a whole number where both are integers
} wk_add_args;
typedef struct wk_div_args {
    wk_operand a, b;
    const char *rounding_mode; // "trunc", "floor"; NULL: true division
} wk_div_args;
/* a + alpha b, a - alpha b: wk_add(x, y), wk_sub(1, x), wk_add(x, y, .alpha = 2) */
#define wk_add(a_, b_, ...)                                                                                            \
    wk_add_with((wk_add_args){.alpha = 1, .a = WK_OPERAND(a_), .b = WK_OPERAND(b_), __VA_ARGS__})
#define wk_sub(a_, b_, ...)                                                                                            \
    wk_sub_with((wk_add_args){.alpha = 1, .a = WK_OPERAND(a_), .b = WK_OPERAND(b_), __VA_ARGS__})
#define wk_add_(x_, b_, ...)                                                                                           \
    wk_add_in_place_with((wk_add_args){.alpha = 1, .a = WK_OPERAND(x_), .b = WK_OPERAND(b_), __VA_ARGS__})
#define wk_sub_(x_, b_, ...)                                                                                           \
    wk_sub_in_place_with((wk_add_args){.alpha = 1, .a = WK_OPERAND(x_), .b = WK_OPERAND(b_), __VA_ARGS__})
#define wk_mul(a, b) wk_mul_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_mul_(x, b) wk_mul_in_place_with(x, WK_OPERAND(b))
/* a / b; integers divide to floats unless .rounding_mode is given, then a zero in an integer b is an error */
#define wk_div(a_, b_, ...) wk_div_with((wk_div_args){.a = WK_OPERAND(a_), .b = WK_OPERAND(b_), __VA_ARGS__})
#define wk_div_(x_, b_, ...)                                                                                           \
    wk_div_in_place_with((wk_div_args){.a = WK_OPERAND(x_), .b = WK_OPERAND(b_), __VA_ARGS__})
#define wk_floor_divide(a, b) wk_floor_divide_with(WK_OPERAND(a), WK_OPERAND(b)) // towards minus infinity (//)
#define wk_remainder(a, b) wk_remainder_with(WK_OPERAND(a), WK_OPERAND(b))       // of b's sign (%)
#define wk_fmod(a, b) wk_fmod_with(WK_OPERAND(a), WK_OPERAND(b))                 // of a's sign
#define wk_pow(a, b) wk_pow_with(WK_OPERAND(a), WK_OPERAND(b)) // NaN for a negative a and a fractional b
#define wk_pow_(x, b) wk_pow_in_place_with(x, WK_OPERAND(b))
wk_tensor *wk_atan2(wk_tensor *a, wk_tensor *b);   // the angle of (b, a)
wk_tensor *wk_logaddexp(wk_tensor *a, wk_tensor *b); // log(exp(a) + exp(b)), without overflow
wk_tensor *wk_maximum(wk_tensor *a, wk_tensor *b); // NaN wins; the gradient is halved at ties
wk_tensor *wk_minimum(wk_tensor *a, wk_tensor *b);

/* ---- comparison and logic: bool results */
#define wk_eq(a, b) wk_eq_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_ne(a, b) wk_ne_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_lt(a, b) wk_lt_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_le(a, b) wk_le_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_gt(a, b) wk_gt_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_ge(a, b) wk_ge_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_logical_and(a, b) wk_logical_and_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_logical_or(a, b) wk_logical_or_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_logical_xor(a, b) wk_logical_xor_with(WK_OPERAND(a), WK_OPERAND(b))
wk_tensor *wk_logical_not(wk_tensor *x);
wk_tensor *wk_isnan(wk_tensor *x);
wk_tensor *wk_isinf(wk_tensor *x);
wk_tensor *wk_isfinite(wk_tensor *x);
/* integers bit by bit, bool as logic */
#define wk_bitwise_and(a, b) wk_bitwise_and_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_bitwise_or(a, b) wk_bitwise_or_with(WK_OPERAND(a), WK_OPERAND(b))
#define wk_bitwise_xor(a, b) wk_bitwise_xor_with(WK_OPERAND(a), WK_OPERAND(b))
wk_tensor *wk_bitwise_not(wk_tensor *x);
bool wk_equal(wk_tensor *a, wk_tensor *b); // same shape and same values
typedef struct wk_allclose_args {
    wk_tensor *a, *b;
    double rtol, atol;
    bool equal_nan;
} wk_allclose_args;
/* allclose(a, b, rtol = 1e-5, atol = 1e-8, equal_nan = false): |a - b| <= atol + rtol |b| everywhere */
#define wk_allclose(a_, ...) wk_allclose_with((wk_allclose_args){.rtol = 1e-5, .atol = 1e-8, .a = a_, .b = __VA_ARGS__})

/* ---- choosing and mixing */
/* where(cond, a, b): a where cond (bool), b elsewhere.  where(cond): where it is not 0, a list of an int64 (count) for
   each dim; wk_nonzero(cond, (&rows, &columns)) puts them in places. */
#define wk_where(...) WK_WHERE_(__VA_ARGS__, WK_WHERE_3, WK_WHERE_3, wk_where_true, 0)(__VA_ARGS__)
#define WK_WHERE_(cond, a, b, which, ...) which
#define WK_WHERE_3(cond, a, b) wk_where_with(wk_operand_tensor(cond), WK_OPERAND(a), WK_OPERAND(b))
wk_tensors wk_where_true(wk_tensor *cond);
#define wk_masked_fill(x, mask, value) wk_masked_fill_with(x, mask, WK_OPERAND(value)) // value where mask; x's dtype
#define wk_masked_fill_(x, mask, value) wk_masked_fill_in_place_with(x, mask, WK_OPERAND(value))
/* clamp(x, min, max), numbers or tensors, wk_none for no bound: NaN stays; where min > max, max; the gradient is
   0 at a bound that is a number, shared with one that is a tensor */
#define wk_clamp(x, min, max) wk_clamp_with(x, WK_OPERAND(min), WK_OPERAND(max))
#define wk_clamp_(x, min, max) wk_clamp_in_place_with(x, WK_OPERAND(min), WK_OPERAND(max))
#define wk_lerp(a, b, weight) wk_lerp_with(a, b, WK_OPERAND(weight)) // a + weight (b - a)
#define wk_lerp_(a, b, weight) wk_lerp_in_place_with(a, b, WK_OPERAND(weight))
/* nan_to_num(x, nan = 0, posinf, neginf): x with numbers for NaN, infinity and minus infinity; where the latter are not
   given, the dtype's largest and lowest; gradient 0 there.  Integers stay. */
typedef struct wk_nan_to_num_args {
    wk_tensor *x;
    double nan, posinf, neginf; // NaN: not given
} wk_nan_to_num_args;
#define wk_nan_to_num(...)                                                                                             \
    wk_nan_to_num_with((wk_nan_to_num_args){                                                                           \
        .posinf = __builtin_nan(""), .neginf = __builtin_nan(""), .x = __VA_ARGS__})
#define wk_nan_to_num_(...)                                                                                            \
    wk_nan_to_num_in_place_with((wk_nan_to_num_args){                                                                  \
        .posinf = __builtin_nan(""), .neginf = __builtin_nan(""), .x = __VA_ARGS__})
wk_tensor *wk_nan_to_num_with(wk_nan_to_num_args args);
wk_tensor *wk_nan_to_num_in_place_with(wk_nan_to_num_args args);
typedef struct wk_addcmul_args {
    wk_tensor *x, *a, *b;
    double value;
} wk_addcmul_args;
/* x + value a b, x + value a / b: wk_addcmul(x, a, b, .value = 2) */
#define wk_addcmul(x_, a_, ...) wk_addcmul_with((wk_addcmul_args){.value = 1, .x = x_, .a = a_, .b = __VA_ARGS__})
#define wk_addcdiv(x_, a_, ...) wk_addcdiv_with((wk_addcmul_args){.value = 1, .x = x_, .a = a_, .b = __VA_ARGS__})
#define wk_addcmul_(x_, a_, ...)                                                                                       \
    wk_addcmul_in_place_with((wk_addcmul_args){.value = 1, .x = x_, .a = a_, .b = __VA_ARGS__})
#define wk_addcdiv_(x_, a_, ...)                                                                                       \
    wk_addcdiv_in_place_with((wk_addcmul_args){.value = 1, .x = x_, .a = a_, .b = __VA_ARGS__})

/* ---- functions of each element, each also in place */
#define WK_EACH(name)                                                                                                  \
    wk_tensor *wk_##name(wk_tensor *x);                                                                                \
    wk_tensor *wk_##name##_(wk_tensor *x)
WK_EACH(neg);        // -x
wk_tensor *wk_conj(wk_tensor *x); // a complex x with -imaginary parts, in new memory; a real x itself
WK_EACH(abs);        // |x|, of complex x the modulus; gradient 0 at 0
WK_EACH(sign);       // -1, 0, 1
WK_EACH(square);     // x^2
WK_EACH(reciprocal); // 1 / x
WK_EACH(sqrt);       // gradient inf at 0
WK_EACH(rsqrt);      // 1 / sqrt(x)
WK_EACH(exp);
WK_EACH(exp2);
WK_EACH(expm1); // exp(x) - 1, accurate near 0
WK_EACH(log);
WK_EACH(log2);
WK_EACH(log10);
WK_EACH(log1p); // log(1 + x), accurate near 0
WK_EACH(sin);
WK_EACH(cos);
WK_EACH(tan);
WK_EACH(asin);
WK_EACH(acos);
WK_EACH(atan);
WK_EACH(sinh);
WK_EACH(cosh);
WK_EACH(tanh);
WK_EACH(asinh);
WK_EACH(acosh);
WK_EACH(atanh);
WK_EACH(erf);
WK_EACH(erfc);
WK_EACH(erfinv);
WK_EACH(floor);
WK_EACH(ceil);
WK_EACH(round); // half to even
WK_EACH(trunc);
WK_EACH(sigmoid);    // 1 / (1 + exp(-x))
WK_EACH(logsigmoid); // log(sigmoid(x)), no overflow
WK_EACH(relu);       // max(x, 0); gradient 0 at 0; NaN passes
WK_EACH(silu);       // x sigmoid(x)
WK_EACH(mish);       // x tanh(log(1 + exp(x)))
WK_EACH(softsign);   // x / (1 + |x|)
#undef WK_EACH
/* round(x, decimals = 0): to tens, hundreds, ... where negative */
typedef struct wk_round_args {
    wk_tensor *x;
    int decimals;
} wk_round_args;
#ifndef __cplusplus
#define wk_round(...) wk_round_with((wk_round_args){.x = __VA_ARGS__})
#define wk_round_(...) wk_round_in_place_with((wk_round_args){.x = __VA_ARGS__})
#endif
wk_tensor *wk_round_with(wk_round_args args);
wk_tensor *wk_round_in_place_with(wk_round_args args);

/* what the macros call; other languages and C++ call these */
wk_tensor *wk_add_with(wk_add_args args);
wk_tensor *wk_sub_with(wk_add_args args);
wk_tensor *wk_add_in_place_with(wk_add_args args);
wk_tensor *wk_sub_in_place_with(wk_add_args args);
wk_tensor *wk_mul_with(wk_operand a, wk_operand b);
wk_tensor *wk_mul_in_place_with(wk_tensor *x, wk_operand b);
wk_tensor *wk_div_with(wk_div_args args);
wk_tensor *wk_div_in_place_with(wk_div_args args);
wk_tensor *wk_floor_divide_with(wk_operand a, wk_operand b);
wk_tensor *wk_remainder_with(wk_operand a, wk_operand b);
wk_tensor *wk_fmod_with(wk_operand a, wk_operand b);
wk_tensor *wk_pow_with(wk_operand a, wk_operand b);
wk_tensor *wk_pow_in_place_with(wk_tensor *x, wk_operand b);
wk_tensor *wk_eq_with(wk_operand a, wk_operand b);
wk_tensor *wk_ne_with(wk_operand a, wk_operand b);
wk_tensor *wk_lt_with(wk_operand a, wk_operand b);
wk_tensor *wk_le_with(wk_operand a, wk_operand b);
wk_tensor *wk_gt_with(wk_operand a, wk_operand b);
wk_tensor *wk_ge_with(wk_operand a, wk_operand b);
wk_tensor *wk_logical_and_with(wk_operand a, wk_operand b);
wk_tensor *wk_logical_or_with(wk_operand a, wk_operand b);
wk_tensor *wk_logical_xor_with(wk_operand a, wk_operand b);
wk_tensor *wk_bitwise_and_with(wk_operand a, wk_operand b);
wk_tensor *wk_bitwise_or_with(wk_operand a, wk_operand b);
wk_tensor *wk_bitwise_xor_with(wk_operand a, wk_operand b);
bool wk_allclose_with(wk_allclose_args args);
wk_tensor *wk_where_with(wk_operand cond, wk_operand a, wk_operand b);
wk_tensor *wk_masked_fill_with(wk_tensor *x, wk_tensor *mask, wk_operand value);
wk_tensor *wk_masked_fill_in_place_with(wk_tensor *x, wk_tensor *mask, wk_operand value);
wk_tensor *wk_clamp_with(wk_tensor *x, wk_operand min, wk_operand max);
wk_tensor *wk_clamp_in_place_with(wk_tensor *x, wk_operand min, wk_operand max);
wk_tensor *wk_lerp_with(wk_tensor *a, wk_tensor *b, wk_operand weight);
wk_tensor *wk_lerp_in_place_with(wk_tensor *a, wk_tensor *b, wk_operand weight);
wk_tensor *wk_addcmul_with(wk_addcmul_args args);
wk_tensor *wk_addcdiv_with(wk_addcmul_args args);
wk_tensor *wk_addcmul_in_place_with(wk_addcmul_args args);
wk_tensor *wk_addcdiv_in_place_with(wk_addcmul_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
