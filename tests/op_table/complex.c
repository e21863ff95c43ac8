/* Complex numbers: views, parts, polar form. */
#include <string.h>

#include "core/error_internal.h"
#include "op_table.h"

#define OF_ONE(name, ...)                                                                                              \
    static wk_tensor *run_##name(golden_case *c) { return wk_##name(input(c, 0)); }                                    \
    OP(name, run_##name, ##__VA_ARGS__)
OF_ONE(view_as_real, .view = true)
OF_ONE(view_as_complex, .view = true, .plain = true) // other strides are refused: below
OF_ONE(real, .view = true)
OF_ONE(imag, .view = true)
OF_ONE(angle)
static wk_tensor *run_complex_abs(golden_case *c) { return wk_abs(input(c, 0)); }
OP(complex_abs, run_complex_abs)

static wk_tensor *run_polar(golden_case *c) { return wk_polar(input(c, 0), input(c, 1)); }
OP(polar, run_polar)

/* rotary embeddings, as codebases write them: pairs times e^(i m theta) */
static wk_tensor *run_rotated_pairs(golden_case *c)
{
    WK_NAMES_ERRORS("rotated_pairs");
    wk_tensor *x = wk_contiguous(input(c, 0)), *pairs = wk_reshape(x, (wk_size(x, 0), wk_size(x, 1), -1, 2));
    return wk_flatten(wk_view_as_real(wk_mul(wk_view_as_complex(pairs), input(c, 1))), 2);
}
OP(rotated_pairs, run_rotated_pairs)

/* a write into the parts reaches what they are parts of */
static wk_tensor *run_parts_mul_(golden_case *c)
{
    WK_NAMES_ERRORS("parts_mul_");
    wk_tensor *x = input(c, 0);
    const bool fine = wk_mul_(wk_real(x), input(c, 1)) && wk_mul_(wk_select(wk_view_as_real(x), 0, 0), 3);
    return fine ? x : NULL;
}
OP(parts_mul_, run_parts_mul_)
static wk_tensor *run_pairs_mul_(golden_case *c)
{
    WK_NAMES_ERRORS("pairs_mul_");
    wk_tensor *x = input(c, 0);
    return wk_mul_(wk_view_as_complex(x), input(c, 1)) ? x : NULL;
}
OP(pairs_mul_, run_pairs_mul_, .plain = true)

/* a function of complex numbers as one of pairs of reals, whose gradients and theirs finite differences can check */
static wk_tensor *run_of_pairs(golden_case *c)
{
    WK_NAMES_ERRORS("of_pairs");
    wk_tensor *x = wk_view_as_complex(input(c, 0)), *w = wk_view_as_complex(input(c, 1)), *y = NULL; // (2, 3), (3, 2)
    const char *which = text(c, "which");
#define IS(name) (strcmp(which, name) == 0)
    if (IS("abs"))
        return wk_add(wk_abs(x), wk_abs(wk_t(w)));
    if (IS("angle"))
        return wk_mul(wk_angle(x), wk_angle(wk_t(w)));
    if (IS("norm"))
        return wk_mul(wk_norm(x, 2, 1), wk_norm(wk_t(w), 3, 1));
    if (IS("matmul"))
        y = wk_matmul(x, w);
    else if (IS("div"))
        y = wk_div(wk_conj(x), wk_t(w));
    else if (IS("prod"))
        y = wk_mul(wk_prod(x, 1), wk_prod(w, 0));
    else if (IS("mean"))
        y = wk_mul(wk_mean(x, 0), wk_cumsum(wk_sum(w, 1), 0));
    else if (IS("polar"))
        y = wk_mul(wk_polar(wk_square(wk_real(x)), wk_imag(x)), wk_t(w));
    else if (IS("parts"))
        y = wk_where(wk_gt(wk_real(x), 0), wk_mul(x, wk_imag(x)), wk_index(wk_cat((x, wk_t(w))), "1:3"));
#undef IS
    return wk_view_as_real(y);
}
OP(of_pairs, run_of_pairs, .plain = true)

BAD(view_as_real, wk_view_as_real(wk_zeros((2))), "x: expected a complex tensor, got float32")
BAD(view_as_real, wk_view_as_real(wk_zeros((1, 1, 1, 1, 1, 1, 1, 1), .dtype = wk_complex64)), "expected at most 7 dims")
BAD(view_as_complex, wk_view_as_complex(wk_zeros((2), .dtype = wk_float16)), "expected float32 or float64, got float16")
BAD(view_as_complex, wk_view_as_complex(wk_zeros((2, 3))), "expected a last dim of size 2, got (2, 3)")
BAD(view_as_complex, wk_view_as_complex(wk_t(wk_zeros((2, 3)))), "got strides (1, 3)")
BAD(view_as_complex, wk_view_as_complex(wk_slice(wk_zeros((3)), 0, 1, 3, 1)), "an even offset")
BAD(view_as_complex, wk_view_as_complex(wk_slice(wk_zeros((2, 3)), 1, 0, 2, 1)), "even ones in the others")
BAD(imag, wk_imag(wk_zeros((2))), "x: expected a complex tensor, got float32")
BAD(polar, wk_polar(wk_zeros((2)), wk_zeros((2), .dtype = wk_float64)), "got float32 and float64")
BAD(polar, wk_polar(wk_zeros((2), .dtype = wk_float16), wk_zeros((2), .dtype = wk_float16)), "got float16")
