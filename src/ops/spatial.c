/* The options and sizes of ops that slide along 1 to 3 dims. */
#include "spatial.h"

#include <stdio.h>
#include <string.h>

/* Several numbers in one word: how many, less one, from bit 60 on (a word of one number is that number, which is less
   than 2^60), and 20 bits for each, the first lowest: the number + 2^19, clamped, so that one that does not fit is seen
   when it is read. */
enum { BITS = 20, MIDDLE = 1 << (BITS - 1), BEYOND = MIDDLE - 1, WORD_BITS = 60 };

wk_per_dim wk_per_dim_of(int count, const int64_t *numbers)
{
    if (count == 1)
        return numbers[0];
    uint64_t word = (uint64_t)(count > 3 ? 3 : count - 1) << WORD_BITS;
    for (int i = 0; i < count && i < 3; i++) {
        const int64_t number = numbers[i] < -BEYOND ? -BEYOND : numbers[i] > BEYOND ? BEYOND : numbers[i];
        word |= (uint64_t)(number + MIDDLE) << (BITS * i);
    }
    return (wk_per_dim)word;
}

bool wk_per_dim_read(const char *op, const char *name, wk_per_dim given, int dims, int64_t least, int64_t numbers[3])
{
    const bool single = given < (int64_t)1 << WORD_BITS;
    const int count = single ? 1 : (int)(given >> WORD_BITS) + 1;
    if (given == WK_SAME)
        return wk_fail(op, "%s: expected numbers, got WK_SAME", name);
    if (!single && count != dims)
        return wk_fail(op, "%s: expected one number for all dims, or %d, one for each, got %s%d", name, dims,
                       count > 3 ? "more than " : "", count > 3 ? 3 : count);
    for (int i = 0; i < dims; i++) {
        const int64_t number = single ? given : (given >> (BITS * i) & ((1 << BITS) - 1)) - MIDDLE;
        const int64_t most = single ? INT32_MAX : BEYOND - 1;
        if (number < least)
            return wk_fail(op, "%s: expected at least %lld, got %lld", name, (long long)least, (long long)number);
        if (number > most)
            return wk_fail(op, "%s: expected at most %lld, got %s%lld", name, (long long)most,
                           single ? "" : "more than ", (long long)(single ? number : most));
        numbers[3 - dims + i] = number;
    }
    return true;
}

char *wk_per_dim_text(wk_per_dim given, char text[WK_SHAPE_TEXT])
{
    const bool single = given < (int64_t)1 << WORD_BITS;
    const int count = single ? 1 : (int)(given >> WORD_BITS) + 1;
    int64_t numbers[3] = {0};
    size_t used = 0;
    wk_per_dim_read("repr", "option", given, count < 3 ? count : 3, -BEYOND, numbers);
    for (int i = 0; i < count && i < 3; i++) {
        const char *before = single ? "" : i == 0 ? "(" : ", ", *after = !single && i == count - 1 ? ")" : "";
        const long long number = numbers[3 - count + i];
        used += (size_t)(number == -1 ? snprintf(text + used, WK_SHAPE_TEXT - used, "%sNone%s", before, after)
                                      : snprintf(text + used, WK_SHAPE_TEXT - used, "%s%lld%s", before, number, after));
    }
    return text;
}

const char *wk_spatial_layout(int dims)
{
    static const char *const LAYOUTS[] = {"", "(N, C, L)", "(N, C, H, W)", "(N, C, D, H, W)"};
    return LAYOUTS[dims];
}

bool wk_spatial_input(const char *op, const wk_tensor *x, int dims, wk_spatial_shape *shape)
{
    if (x->ndim != dims + 2 && x->ndim != dims + 1)
        return wk_fail(op, "x: expected shape %s, or without N, got %s%s", wk_spatial_layout(dims), wk_shape_string(x),
                       x->ndim == dims ? "\nhint: one sample of one channel: wk_unsqueeze(x, 0)" : "");
    *shape = (wk_spatial_shape){.dims = dims,
                                .N = x->ndim == dims + 2 ? x->shape[0] : 1,
                                .C = x->shape[x->ndim - dims - 1],
                                .O = 1,
                                .groups = 1,
                                .in = {1, 1, 1},
                                .out = {1, 1, 1},
                                .kernel = {1, 1, 1},
                                .stride = {1, 1, 1},
                                .dilation = {1, 1, 1}};
    memcpy(&shape->in[3 - dims], &x->shape[x->ndim - dims], (size_t)dims * sizeof *shape->in);
    return true;
}

bool wk_spatial_slide(const char *op, const wk_tensor *x, const char *kernel_name, wk_spatial_options options,
                      wk_spatial_shape *shape)
{
    const int dims = shape->dims;
    const bool same = options.padding == WK_SAME;
    if (!wk_per_dim_read(op, "stride", options.stride, dims, 1, shape->stride) ||
        !wk_per_dim_read(op, "dilation", options.dilation, dims, 1, shape->dilation) ||
        (!same && !wk_per_dim_read(op, "padding", options.padding, dims, 0, shape->before)))
        return false;
    for (int dim = 3 - dims; dim < 3; dim++) {
        const int64_t window = shape->dilation[dim] * (shape->kernel[dim] - 1) + 1;
        if (same && shape->stride[dim] != 1)
            return wk_fail(op, "padding: WK_SAME needs stride 1, got %lld", (long long)shape->stride[dim]);
        const int64_t both = same ? window - 1 : 2 * shape->before[dim];
        shape->before[dim] = both / 2;
        shape->after[dim] = both - both / 2;                    // an odd one goes behind, as in PyTorch
        if (shape->in[dim] < 1 && shape->N > 0 && shape->C > 0) // as PyTorch: only a lack of images or channels
            return wk_fail(op, "x: expected sizes of at least 1 along the last %d dims, got %s", dims,
                           wk_shape_string(x));
        if (shape->kernel[dim] < 1 || shape->in[dim] + both < window)
            return wk_fail(op,
                           "%s: expected a kernel no larger than the padded input, got %lld (dilation included) of "
                           "%lld along dim %d of x %s",
                           kernel_name, (long long)window, (long long)(shape->in[dim] + both), dim - 3,
                           wk_shape_string(x));
        shape->out[dim] = (shape->in[dim] + both - window) / shape->stride[dim] + 1;
    }
    return true;
}

wk_tensor *wk_spatial_new(const char *op, const wk_spatial_shape *shape, int64_t channels, const int64_t size[3],
                          const wk_tensor *like)
{
    int64_t sizes[5] = {shape->N, channels};
    memcpy(&sizes[2], &size[3 - shape->dims], (size_t)shape->dims * sizeof *sizes);
    return wk_tensor_new(op, shape->dims + 2, sizes, like->dtype, like->device);
}
