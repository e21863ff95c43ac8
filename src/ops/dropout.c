/* dropout: x times noise, which is 0 or 1 / (1 - p).  The noise is drawn as PyTorch draws it: bernoulli_(1 - p). */
#include <wick/dropout.h>

#include "ops.h"

static bool check(const char *op, const wk_dropout_args *args)
{
    wk_tensor *const x = args->x;
    WK_REQUIRE(op, x);
    if (!(args->p >= 0 && args->p <= 1))
        return wk_fail(op, "p: expected a probability from 0 to 1, got %g", args->p);
    return wk_check_inexact(op, x) && (!args->inplace || wk_check_writable(op, x));
}

/* noise of a shape that broadcasts to x's; real where x is complex */
static wk_tensor *times_noise(const wk_dropout_args *args, wk_shape shape)
{
    wk_tensor *x = args->x;
    if (args->p == 1)
        return args->inplace ? wk_mul_(x, wk_zeros_like(x)) : wk_mul(x, wk_zeros_like(x));
    wk_tensor *noise = wk_new_empty_with(x, (wk_factory_args){.size = shape, .dtype = wk_dtype_to_real(x->dtype)});
    noise = wk_bernoulli_(noise, 1 - args->p, .generator = args->generator);
    noise = wk_div_(noise, 1 - args->p);
    return args->inplace ? wk_mul_(x, noise) : wk_mul(x, noise);
}

wk_tensor *wk_dropout_with(wk_dropout_args args)
{
    if (!check("dropout", &args))
        return NULL;
    if (!args.training || args.p == 0 || args.x->numel == 0)
        return args.x;
    return times_noise(&args, wk_shape_of(args.x->ndim, args.x->shape));
}

wk_tensor *wk_dropout_channels(const char *op, int ndim, wk_dropout_args args)
{
    if (!check(op, &args))
        return NULL;
    if (args.x->ndim != ndim && args.x->ndim != ndim - 1)
        return wk_fail(op, "x: expected %d dims (N, C, ...), or %d, got %s", ndim, ndim - 1, wk_shape_string(args.x));
    if (!args.training || args.p == 0 || args.x->numel == 0)
        return args.x;
    const bool unbatched = args.x->ndim < ndim && ndim != 4;
    wk_shape shape = {args.x->ndim, {args.x->shape[0], unbatched ? 1 : args.x->shape[1], 1, 1, 1}};
    return times_noise(&args, shape);
}
