/* pixel_shuffle, pixel_unshuffle: channels become places and back; each other's gradient. */
#include <wick/resize.h>

#include "copy.h"
#include "core/layout.h"
#include "ops.h"

typedef struct shuffle_kept {
    int64_t factor;
} shuffle_kept;

/* false after an error: x has no picture's dims, or a factor that is no factor */
static bool check(const char *op, const wk_tensor *x, const char *name, int64_t factor)
{
    if (x->ndim < 3)
        return wk_fail(op, "x: expected shape (*, C, H, W), got %s", wk_shape_string(x));
    if (factor < 1 || factor > INT32_MAX)
        return wk_fail(op, "%s: expected 1 to %d, got %lld", name, INT32_MAX, (long long)factor);
    return true;
}

static void pixel_shuffle_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0, wk_pixel_unshuffle(dy, ((const shuffle_kept *)node->kept)->factor));
}

static void pixel_unshuffle_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0, wk_pixel_shuffle(dy, ((const shuffle_kept *)node->kept)->factor));
}

/* A picture of C channels, H x W places of r x r pixels: shuffled it is (C, H, r, W, r) in memory, unshuffled
   (C, r, r, H, W).  x's pictures, of one layout, in a result of the other, (*, channels, height, width). */
static wk_tensor *rearranged(const char *op, wk_tensor *x, int64_t C, int64_t H, int64_t W, int64_t r, bool shuffle)
{
    wk_tensor *dense = wk_dense(x);
    wk_shape shape = wk_shape_of(x->ndim, x->shape);
    int64_t *last = &shape.sizes[x->ndim - 3];
    last[0] = shuffle ? C : C * r * r;
    last[1] = shuffle ? H * r : H;
    last[2] = shuffle ? W * r : W;
    wk_tensor *y = wk_tensor_new(op, shape.ndim, shape.sizes, x->dtype, x->device);
    if (!dense || !y)
        return NULL;
    const int64_t outer = wk_shape_numel(x->ndim - 3, x->shape), picture = C * H * W * r * r;
    const wk_copy_side shuffled = {.tensor = shuffle ? y : dense,
                                   .strides = {picture, H * W * r * r, W * r * r, W * r, r, 1}};
    const wk_copy_side unshuffled = {.tensor = shuffle ? dense : y,
                                     .strides = {picture, H * W * r * r, W, H * W * r, 1, H * W}};
    const int64_t sizes[] = {outer, C, H, r, W, r};
    const bool copied = wk_copy_region(6, sizes, shuffle ? &unshuffled : &shuffled, shuffle ? &shuffled : &unshuffled);
    return copied ? wk_kept_format(y, wk_format_of(x)) : NULL;
}

wk_tensor *(wk_pixel_shuffle)(wk_tensor *x, int64_t upscale_factor)
{
    static const char OP[] = "pixel_shuffle";
    const int64_t r = upscale_factor;
    WK_REQUIRE(OP, x);
    if (!check(OP, x, "upscale_factor", r))
        return NULL;
    const int64_t *last = &x->shape[x->ndim - 3];
    if (last[0] % (r * r) != 0)
        return wk_fail(OP, "x: expected a multiple of %lld, upscale_factor's square, channels, got %s",
                       (long long)(r * r), wk_shape_string(x));
    return wk_record(rearranged(OP, x, last[0] / (r * r), last[1], last[2], r, true), pixel_shuffle_backward,
                     WK_INPUTS(x), WK_KEPT(shuffle_kept, r));
}

wk_tensor *(wk_pixel_unshuffle)(wk_tensor *x, int64_t downscale_factor)
{
    static const char OP[] = "pixel_unshuffle";
    const int64_t r = downscale_factor;
    WK_REQUIRE(OP, x);
    if (!check(OP, x, "downscale_factor", r))
        return NULL;
    const int64_t *last = &x->shape[x->ndim - 3];
    if (last[1] % r != 0 || last[2] % r != 0)
        return wk_fail(OP, "x: expected height and width that are multiples of downscale_factor %lld, got %s",
                       (long long)r, wk_shape_string(x));
    return wk_record(rearranged(OP, x, last[0], last[1] / r, last[2] / r, r, false), pixel_unshuffle_backward,
                     WK_INPUTS(x), WK_KEPT(shuffle_kept, r));
}
