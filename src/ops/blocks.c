/* The functions of blocks that models write themselves: compositions. */
#include <math.h>

#include <wick/join.h>
#include <wick/nn_blocks.h>
#include <wick/random.h>
#include <wick/rearrange.h>

#include "ops.h"

wk_tensor *wk_drop_path_with(wk_drop_path_args args)
{
    WK_NAMES_ERRORS("drop_path");
    wk_tensor *x = args.x;
    WK_REQUIRE("drop_path", x);
    if (!(args.drop_prob >= 0 && args.drop_prob <= 1))
        return wk_fail("drop_path", "drop_prob: expected a probability from 0 to 1, got %g", args.drop_prob);
    if (!wk_check_floating("drop_path", x))
        return NULL;
    if (x->ndim < 1)
        return wk_fail("drop_path", "x: expected (N, ...), got %s", wk_shape_string(x));
    if (!args.training || args.drop_prob == 0)
        return x;
    wk_shape each = {x->ndim, {x->shape[0]}};
    for (int i = 1; i < x->ndim; i++)
        each.sizes[i] = 1;
    const double keep = 1 - args.drop_prob;
    wk_tensor *noise = wk_bernoulli_(wk_new_empty_with(x, (wk_factory_args){.size = each}), keep);
    return wk_mul(x, keep > 0 && args.scale_by_keep ? wk_div_(noise, keep) : noise);
}

wk_tensor *wk_modulate(wk_tensor *x, wk_tensor *shift, wk_tensor *scale)
{
    WK_NAMES_ERRORS("modulate");
    WK_REQUIRE("modulate", x);
    WK_REQUIRE("modulate", shift);
    WK_REQUIRE("modulate", scale);
    if (x->ndim != 3 || shift->ndim != 2 || scale->ndim != 2)
        return wk_fail("modulate", "x: expected (B, N, D), and shift and scale (B, D), got %s, %s and %s",
                       wk_shape_string(x), wk_shape_string(shift), wk_shape_string(scale));
    return wk_add(wk_mul(x, wk_add(wk_unsqueeze(scale, 1), 1)), wk_unsqueeze(shift, 1));
}

wk_tensor *wk_unpatchify(wk_tensor *x, int64_t patch_size, int64_t h, int64_t w)
{
    WK_NAMES_ERRORS("unpatchify");
    WK_REQUIRE("unpatchify", x);
    const int64_t p = patch_size;
    if (p < 1 || h < 0 || w < 0 || x->ndim != 3 || x->shape[1] != h * w || x->shape[2] % (p * p) != 0)
        return wk_fail("unpatchify", "x: expected (B, %lld * %lld, %lld * %lld * C), got %s", (long long)h,
                       (long long)w, (long long)p, (long long)p, wk_shape_string(x));
    const int64_t C = x->shape[2] / (p * p);
    x = wk_permute(wk_reshape(x, (x->shape[0], h, w, p, p, C)), (0, 5, 1, 3, 2, 4)); // (B, C, h, p, w, p)
    return x ? wk_reshape(x, (x->shape[0], C, h * p, w * p)) : NULL;
}

wk_tensor *wk_timestep_embedding_with(wk_timestep_embedding_args args)
{
    WK_NAMES_ERRORS("timestep_embedding");
    wk_tensor *t = args.t;
    WK_REQUIRE("timestep_embedding", t);
    if (wk_dtype_is_complex(t->dtype))
        return wk_fail("timestep_embedding", "t: expected a real dtype, got %s", wk_dtype_name(t->dtype));
    if (t->ndim != 1 || args.dim < 2)
        return wk_fail("timestep_embedding", "t: expected (B) numbers, and a dim of 2 or more, got %s and %lld",
                       wk_shape_string(t), (long long)args.dim);
    const int64_t half = args.dim / 2;
    wk_tensor *steps = wk_to(wk_arange(half), wk_float32);
    wk_tensor *rates = wk_to(wk_exp(wk_div(wk_mul(steps, -log(args.max_period)), half)), t->device);
    wk_tensor *angles = wk_mul(wk_unsqueeze(wk_to(t, wk_float32), 1), rates);
    wk_tensor *sin = wk_sin(angles), *cos = wk_cos(angles);
    wk_tensor *y = args.flip ? wk_cat((sin, cos), .dim = 1) : wk_cat((cos, sin), .dim = 1);
    return args.dim % 2 ? wk_pad(y, (0, 1)) : y;
}

/* sin and cos of positions (M) at D / 2 rates */
static wk_tensor *axis(wk_tensor *positions, int64_t D)
{
    wk_tensor *powers = wk_div(wk_to(wk_arange(D / 2), wk_float64), (double)D / 2);
    wk_tensor *rates = wk_reciprocal(wk_pow(10000.0, powers));
    wk_tensor *angles = wk_mul(wk_unsqueeze(positions, 1), rates);
    return wk_cat((wk_sin(angles), wk_cos(angles)), .dim = 1);
}

wk_tensor *wk_get_2d_sincos_pos_embed(int64_t embed_dim, int64_t grid_size)
{
    WK_NAMES_ERRORS("get_2d_sincos_pos_embed");
    if (embed_dim < 4 || embed_dim % 4 != 0 || grid_size < 1)
        return wk_fail("get_2d_sincos_pos_embed",
                       "embed_dim: expected a multiple of 4, and a grid_size of 1 or more, got "
                       "%lld and %lld",
                       (long long)embed_dim, (long long)grid_size);
    wk_tensor *y = NULL;
    wk_scope
    {
        wk_tensor *each = wk_to(wk_arange(grid_size), wk_float64);
        wk_tensor *columns = wk_reshape(wk_expand(wk_unsqueeze(each, 0), (grid_size, grid_size)), (-1));
        wk_tensor *rows = wk_reshape(wk_expand(wk_unsqueeze(each, 1), (grid_size, grid_size)), (-1));
        y = wk_keep(wk_to(wk_cat((axis(columns, embed_dim / 2), axis(rows, embed_dim / 2)), .dim = 1), wk_float32));
    }
    return y;
}
