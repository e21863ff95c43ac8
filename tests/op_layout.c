/* Inputs laid out in memory in every way that an op must cope with, and values compared with PyTorch's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/host.h"
#include "op_table.h"

const char *const OP_LAYOUT_NAMES[LAYOUTS] = {"contiguous", "transposed", "strided", "expanded"};

wk_device op_device = {WK_CPU, 0};

#define GAP 0x5A // in every byte between the elements of a strided tensor

/* moves on to the next element, row by row */
static void step(const golden_tensor *x, int64_t *coordinate)
{
    for (int dim = x->ndim - 1; dim >= 0 && ++coordinate[dim] == x->shape[dim]; dim--)
        coordinate[dim] = 0;
}

/* whether all values along dim are equal */
static bool repeats(const golden_tensor *x, int dim)
{
    if (x->shape[dim] <= 1)
        return false;
    int64_t stride = 1;
    for (int inner = dim + 1; inner < x->ndim; inner++)
        stride *= x->shape[inner];
    const size_t size = wk_dtype_size(x->dtype);
    const char *bytes = x->bytes;
    for (int64_t i = 0; i < x->numel; i++) {
        const int64_t first = i - i / stride % x->shape[dim] * stride;
        if (memcmp(bytes + (size_t)i * size, bytes + (size_t)first * size, size) != 0)
            return false;
    }
    return true;
}

/* the strides of a layout; how many elements of memory it needs, 0 where it is the plain one */
static int64_t strides_of(const golden_tensor *x, op_layout layout, int64_t *strides)
{
    int64_t count = 1;
    bool differs = layout == PLAIN || layout == STRIDED;
    for (int back = 0; back < x->ndim; back++) {
        const int dim = layout == TRANSPOSED ? back : x->ndim - 1 - back;
        if (layout == EXPANDED && repeats(x, dim)) {
            strides[dim] = 0;
            differs = true;
            continue;
        }
        strides[dim] = layout == STRIDED ? 2 * count : count;
        count *= x->shape[dim] > 0 ? x->shape[dim] : 1;
    }
    int dims = 0;
    for (int dim = 0; dim < x->ndim; dim++)
        dims += x->shape[dim] > 1;
    differs |= layout == TRANSPOSED && dims > 1;
    return !differs ? 0 : layout == STRIDED ? 2 * count + 1 : count;
}

wk_tensor *op_lay_out(const golden_tensor *x, op_layout layout)
{
    int64_t strides[WK_MAX_DIMS] = {0}, count = strides_of(x, layout, strides);
    if (count == 0)
        return NULL;
    const size_t size = wk_dtype_size(x->dtype);
    const int64_t start = layout == STRIDED ? 1 : 0;
    wk_tensor *memory = wk_tensor_new("test", 1, &count, x->dtype, wk_cpu);
    char *bytes = wk_host("test", memory);
    memset(bytes, GAP, (size_t)count * size);
    int64_t coordinate[WK_MAX_DIMS] = {0};
    for (int64_t i = 0; i < x->numel; i++, step(x, coordinate)) {
        int64_t offset = start;
        for (int dim = 0; dim < x->ndim; dim++)
            offset += coordinate[dim] * strides[dim];
        memcpy(bytes + (size_t)offset * size, (const char *)x->bytes + (size_t)i * size, size);
    }
    memory = wk_transfer("test", memory, op_device, false);
    return wk_tensor_alias("test", memory, x->ndim, x->shape, strides, start);
}

bool op_gaps_untouched(const wk_tensor *x, op_layout layout)
{
    if (layout != STRIDED || x->numel == 0)
        return true;
    const size_t size = wk_dtype_size(x->dtype);
    const int64_t count = 2 * x->numel + 1, one = 1;
    wk_tensor *whole = wk_tensor_alias("test", (wk_tensor *)(uintptr_t)x, 1, &count, &one, -x->offset);
    const unsigned char *bytes = wk_host("test", wk_on_host("test", whole));
    for (int64_t i = 0; i <= 2 * x->numel; i += 2)
        for (size_t k = 0; k < size; k++)
            if (bytes[(size_t)i * size + k] != GAP)
                return false;
    return true;
}

static bool close_enough(double got, double expected, double rtol, double atol)
{
    if (isnan(expected) || isnan(got))
        return isnan(expected) && isnan(got);
    return got == expected || fabs(got - expected) <= atol + rtol * fabs(expected);
}

/* the tolerances of torch.testing.assert_close: about ten roundings of the dtype, one of the halves; 0: take them */
static void tolerances(wk_dtype dtype, double *rtol, double *atol)
{
    if (*rtol == 0)
        *rtol = dtype == wk_float16 ? 1e-3 : dtype == wk_bfloat16 ? 1.6e-2 : dtype == wk_float64 ? 1e-7 : 1.3e-6;
    if (*atol == 0)
        *atol = dtype == wk_float64 ? 1e-7 : 1e-5;
}

static bool same_element(const golden_tensor *got, const golden_tensor *g, int64_t i, double rtol, double atol)
{
    const size_t size = wk_dtype_size(g->dtype), at = (size_t)i * size;
    if (wk_dtype_is_integral(g->dtype))
        return memcmp((const char *)got->bytes + at, (const char *)g->bytes + at, size) == 0;
    bool same = close_enough(golden_element(got, i, 0), golden_element(g, i, 0), rtol, atol);
    if (wk_dtype_is_complex(g->dtype))
        same = same && close_enough(golden_element(got, i, 1), golden_element(g, i, 1), rtol, atol);
    return same;
}

bool op_same(const wk_tensor *x, const golden_tensor *g, double rtol, double atol, char *text, size_t size)
{
    if (!x) {
        snprintf(text, size, "expected a tensor, got NULL");
        return false;
    }
    const wk_shape shape = wk_shape_of(g->ndim, g->shape);
    if (x->dtype != g->dtype || x->ndim != g->ndim || memcmp(x->shape, shape.sizes, (size_t)x->ndim * 8) != 0) {
        snprintf(text, size, "expected %s of %s, got %s of %s",
                 wk_shape_text(g->ndim, g->shape, (char[WK_SHAPE_TEXT]){0}), wk_dtype_name(g->dtype),
                 wk_shape_string(x), wk_dtype_name(x->dtype));
        return false;
    }
    tolerances(g->dtype, &rtol, &atol);
    void *bytes = malloc((size_t)x->numel * wk_dtype_size(x->dtype) + 1);
    const golden_tensor got = golden_of_tensor(x, bytes);
    int64_t differing = 0, coordinate[WK_MAX_DIMS] = {0};
    for (int64_t i = 0; i < g->numel; i++, step(g, coordinate))
        if (!same_element(&got, g, i, rtol, atol) && differing++ == 0)
            snprintf(text, size, "element %s: expected %.9g, got %.9g",
                     wk_shape_text(g->ndim, coordinate, (char[WK_SHAPE_TEXT]){0}), golden_element(g, i, 0),
                     golden_element(&got, i, 0));
    if (differing > 1) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, ", and %lld others of %lld", (long long)differing - 1, (long long)g->numel);
    }
    free(bytes);
    return differing == 0;
}
