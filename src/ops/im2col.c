/* im2col, which is torch.nn.functional.unfold, and fold: each other's gradients. */
#include <wick/convolution.h>

#include <string.h>

#include "core/run.h"
#include "kernels/im2col.h"
#include "ops.h"
#include "spatial.h"

typedef struct im2col_kept {
    wk_spatial_shape shape;
    bool lone; // without N
} im2col_kept;

static wk_tensor *columns_of(wk_tensor *x, const im2col_kept *kept);
static wk_tensor *image_of(wk_tensor *columns, const im2col_kept *kept);

static void im2col_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, image_of(dy, node->kept)); }
static void col2im_backward(wk_node *node, wk_tensor *dy) { wk_accumulate(node, 0, columns_of(dy, node->kept)); }

static wk_tensor *columns_of(wk_tensor *x, const im2col_kept *kept)
{
    const wk_spatial_shape *s = &kept->shape;
    const int64_t sizes[] = {s->N, s->C * wk_spatial_size(s->kernel), wk_spatial_size(s->out)};
    WK_REQUIRE("im2col", x);
    wk_tensor *dense = wk_dense(x);
    wk_tensor *y = wk_tensor_new("im2col", kept->lone ? 2 : 3, sizes + kept->lone, x->dtype, x->device);
    if (!dense || !y || !wk_run("im2col", y, im2col, .shape = *s, .x = wk_data(dense), .columns = wk_data(y)))
        return NULL;
    return wk_record(y, im2col_backward, WK_INPUTS(x), .kept = kept, .kept_bytes = sizeof *kept);
}

static wk_tensor *image_of(wk_tensor *columns, const im2col_kept *kept)
{
    const wk_spatial_shape *s = &kept->shape;
    const int64_t sizes[] = {s->N, s->C, s->in[1], s->in[2]};
    WK_REQUIRE("fold", columns);
    wk_tensor *dense = wk_dense(columns);
    wk_tensor *y = wk_tensor_new("fold", kept->lone ? 3 : 4, sizes + kept->lone, columns->dtype, columns->device);
    if (!dense || !y || !wk_run("fold", y, fold, .shape = *s, .x = wk_data(y), .columns = wk_data(dense)))
        return NULL;
    return wk_record(y, col2im_backward, WK_INPUTS(columns), .kept = kept, .kept_bytes = sizeof *kept);
}

/* false after an error: a size but N is 0 */
static bool check_sizes(const char *op, const wk_tensor *x, bool lone)
{
    for (int dim = lone ? 0 : 1; dim < x->ndim; dim++)
        if (x->shape[dim] == 0)
            return wk_fail(op, "x: expected sizes of at least 1 behind N, got %s", wk_shape_string(x));
    return wk_check_floating(op, x);
}

wk_tensor *wk_im2col_with(wk_im2col_args args)
{
    wk_tensor *x = args.x;
    WK_REQUIRE("im2col", x);
    im2col_kept kept = {.lone = x->ndim == 3};
    return wk_spatial_input("im2col", x, 2, &kept.shape) && check_sizes("im2col", x, kept.lone) &&
                   wk_per_dim_read("im2col", "kernel_size", args.kernel_size, 2, 1, kept.shape.kernel) &&
                   wk_spatial_slide("im2col", x, "kernel_size",
                                    (wk_spatial_options){args.stride, args.padding, args.dilation}, &kept.shape)
               ? columns_of(x, &kept)
               : NULL;
}

wk_tensor *wk_fold_with(wk_fold_args args)
{
    wk_tensor *x = args.x;
    WK_REQUIRE("fold", x);
    im2col_kept kept = {.lone = x->ndim == 2};
    wk_spatial_shape *s = &kept.shape;
    if (x->ndim != 2 && x->ndim != 3)
        return wk_fail("fold", "x: expected shape (N, C * kernel, L), or without N, got %s", wk_shape_string(x));
    *s = (wk_spatial_shape){.dims = 2,
                            .N = kept.lone ? 1 : x->shape[0],
                            .C = x->shape[x->ndim - 2],
                            .groups = 1,
                            .in = {1, 1, 1},
                            .out = {1, 1, 1},
                            .kernel = {1, 1, 1},
                            .stride = {1, 1, 1},
                            .dilation = {1, 1, 1}};
    if (!check_sizes("fold", x, kept.lone) || !wk_per_dim_read("fold", "output_size", args.output_size, 2, 1, s->in) ||
        !wk_per_dim_read("fold", "kernel_size", args.kernel_size, 2, 1, s->kernel) ||
        !wk_spatial_slide("fold", x, "kernel_size", (wk_spatial_options){args.stride, args.padding, args.dilation}, s))
        return NULL;
    const int64_t taps = wk_spatial_size(s->kernel), places = wk_spatial_size(s->out);
    if (s->C % taps != 0 || x->shape[x->ndim - 1] != places)
        return wk_fail("fold",
                       "x: expected a multiple of %lld rows, as many as the kernel has places, of %lld, as often as it "
                       "fits into output_size, got %s",
                       (long long)taps, (long long)places, wk_shape_string(x));
    s->C /= taps;
    return image_of(x, &kept);
}
