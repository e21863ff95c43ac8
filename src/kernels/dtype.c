/* Names, sizes, kinds and promotion of dtypes: a row each. */
#include <wick/dtype.h>

typedef enum kind { NO_KIND, INTEGRAL, FLOATING, COMPLEX } kind;

/* clang-format off */
static const struct {
    const char *name;
    size_t size;
    kind kind;
} DTYPES[WK_DTYPES] = {
    [wk_dtype_default] = {"default", 0, NO_KIND},
    [wk_bool] = {"bool", 1, INTEGRAL},
    [wk_uint8] = {"uint8", 1, INTEGRAL},
    [wk_int8] = {"int8", 1, INTEGRAL},
    [wk_int16] = {"int16", 2, INTEGRAL},
    [wk_int32] = {"int32", 4, INTEGRAL},
    [wk_int64] = {"int64", 8, INTEGRAL},
    [wk_float16] = {"float16", 2, FLOATING},
    [wk_bfloat16] = {"bfloat16", 2, FLOATING},
    [wk_float32] = {"float32", 4, FLOATING},
    [wk_float64] = {"float64", 8, FLOATING},
    [wk_complex64] = {"complex64", 8, COMPLEX},
    [wk_complex128] = {"complex128", 16, COMPLEX},
};
/* clang-format on */

static bool exists(wk_dtype dtype) { return (unsigned)dtype < WK_DTYPES; }

const char *wk_dtype_name(wk_dtype dtype) { return exists(dtype) ? DTYPES[dtype].name : "unknown"; }
size_t wk_dtype_size(wk_dtype dtype) { return DTYPES[dtype].size; }
bool wk_dtype_is_floating(wk_dtype dtype) { return exists(dtype) && DTYPES[dtype].kind == FLOATING; }
bool wk_dtype_is_complex(wk_dtype dtype) { return exists(dtype) && DTYPES[dtype].kind == COMPLEX; }
bool wk_dtype_is_integral(wk_dtype dtype) { return exists(dtype) && DTYPES[dtype].kind == INTEGRAL; }

wk_dtype wk_dtype_to_real(wk_dtype dtype)
{
    return dtype == wk_complex64 ? wk_float32 : dtype == wk_complex128 ? wk_float64 : dtype;
}

/* torch.promote_types, held to its answers by tests/test_dtype.c.  The names are short to make the table readable: b1
   bool, u1 uint8, i2 int16, bf bfloat16, f4 float32, c8 complex64, c16 complex128. */
/* clang-format off */
enum {
    no = wk_dtype_default, b1 = wk_bool, u1 = wk_uint8, i1 = wk_int8, i2 = wk_int16, i4 = wk_int32, i8 = wk_int64,
    f2 = wk_float16, bf = wk_bfloat16, f4 = wk_float32, f8 = wk_float64, c8 = wk_complex64, c16 = wk_complex128,
};
static const uint8_t PROMOTED[WK_DTYPES][WK_DTYPES] = {
    /*         no   b1   u1   i1   i2   i4   i8   f2   bf   f4   f8   c8   c16 */
    [no]  =  { no,  b1,  u1,  i1,  i2,  i4,  i8,  f2,  bf,  f4,  f8,  c8,  c16},
    [b1]  =  { b1,  b1,  u1,  i1,  i2,  i4,  i8,  f2,  bf,  f4,  f8,  c8,  c16},
    [u1]  =  { u1,  u1,  u1,  i2,  i2,  i4,  i8,  f2,  bf,  f4,  f8,  c8,  c16},
    [i1]  =  { i1,  i1,  i2,  i1,  i2,  i4,  i8,  f2,  bf,  f4,  f8,  c8,  c16},
    [i2]  =  { i2,  i2,  i2,  i2,  i2,  i4,  i8,  f2,  bf,  f4,  f8,  c8,  c16},
    [i4]  =  { i4,  i4,  i4,  i4,  i4,  i4,  i8,  f2,  bf,  f4,  f8,  c8,  c16},
    [i8]  =  { i8,  i8,  i8,  i8,  i8,  i8,  i8,  f2,  bf,  f4,  f8,  c8,  c16},
    [f2]  =  { f2,  f2,  f2,  f2,  f2,  f2,  f2,  f2,  f4,  f4,  f8,  c8,  c16},
    [bf]  =  { bf,  bf,  bf,  bf,  bf,  bf,  bf,  f4,  bf,  f4,  f8,  c8,  c16},
    [f4]  =  { f4,  f4,  f4,  f4,  f4,  f4,  f4,  f4,  f4,  f4,  f8,  c8,  c16},
    [f8]  =  { f8,  f8,  f8,  f8,  f8,  f8,  f8,  f8,  f8,  f8,  f8,  c16, c16},
    [c8]  =  { c8,  c8,  c8,  c8,  c8,  c8,  c8,  c8,  c8,  c8,  c16, c8,  c16},
    [c16] =  {c16, c16, c16, c16, c16, c16, c16, c16, c16, c16, c16, c16, c16},
};
/* clang-format on */

wk_dtype wk_promote_types(wk_dtype a, wk_dtype b) { return PROMOTED[a][b]; }
