/* Random numbers written into a tensor that is there: uniform_, normal_, bernoulli_, random_, exponential_.

   Each draws a tensor like x and writes it over x, so that versions, views and gradient history are those of any
   in-place op: no gradient flows back through what was overwritten.  Draws follow x's memory (wk_tensor_new_like). */
#include "random.h"

#include <float.h>
#include <math.h>

#include "core/random.h"
#include "core/run.h"
#include "ops.h"

/* a line of the table into `drawn`, for args' generator; false after an error */
#define DRAW(line, ...)                                                                                                \
    (drawn && wk_run(op, drawn, line, .generator = wk_generator_or_default(args.generator), .y = wk_data(drawn),       \
                     .dtype = drawn->dtype, .count = drawn->numel, __VA_ARGS__))

static wk_tensor *drawn_like(const char *op, wk_tensor *x)
{
    return wk_check_writable(op, x) ? wk_tensor_new_like(op, x, x->dtype, x->device) : NULL;
}

static bool check_real(const char *op, const wk_tensor *x)
{
    if (wk_dtype_is_complex(x->dtype))
        return wk_fail(op, "x: expected a real dtype, got %s", wk_dtype_name(x->dtype));
    return true;
}

/* uniform_: in [from, to) */
wk_tensor *wk_uniform_in_place_with(wk_uniform_in_place_args args)
{
    const char *const op = "uniform_";
    WK_REQUIRE(op, args.x);
    if (!wk_check_floating(op, args.x))
        return NULL;
    const wk_dtype dtype = args.x->dtype;
    const double greatest = dtype == wk_float64   ? DBL_MAX
                            : dtype == wk_float16 ? 65504
                            : dtype == wk_float32 ? (double)FLT_MAX
                                                  : 0x1.fep127;
    if (!(fabs(args.from) <= greatest && fabs(args.to) <= greatest))
        return wk_fail(op, "from, to: %g and %g are out of bounds for %s", args.from, args.to, wk_dtype_name(dtype));
    if (!(args.from <= args.to && args.to - args.from <= greatest))
        return wk_fail(op, "from: expected to - from between 0 and %g, got from %g and to %g", greatest, args.from,
                       args.to);
    wk_tensor *drawn = drawn_like(op, args.x);
    const bool fine = DRAW(uniform, .from = args.from, .to = args.to);
    return fine ? wk_write(op, args.x, drawn) : NULL;
}

/* normal_: mean + std * normal */
wk_tensor *wk_normal_in_place_with(wk_normal_in_place_args args)
{
    const char *const op = "normal_";
    WK_REQUIRE(op, args.x);
    if (!wk_check_inexact(op, args.x))
        return NULL;
    if (!(args.std >= 0))
        return wk_fail(op, "std: expected 0 or more, got %g", args.std);
    wk_tensor *drawn = drawn_like(op, args.x);
    drawn = wk_normal_into(op, args.generator, drawn, args.mean, args.std, !wk_is_contiguous(args.x));
    return wk_write(op, args.x, drawn);
}

/* p of float32 or float64, broadcast to x and laid out as draws go */
static wk_tensor *probabilities(const char *op, wk_tensor *p, wk_tensor *like)
{
    if (!wk_check_floating(op, p))
        return NULL;
    int ndim;
    int64_t shape[WK_MAX_DIMS];
    if (!wk_broadcast_shapes(op, like->ndim, like->shape, p->ndim, p->shape, &ndim, shape))
        return NULL;
    if (ndim != like->ndim || wk_shape_numel(ndim, shape) != like->numel)
        return wk_fail(op, "p: expected a shape that broadcasts to %s, got %s", wk_shape_string(like),
                       wk_shape_string(p));
    wk_tensor *laid = wk_tensor_new_like(op, like, p->dtype == wk_float64 ? wk_float64 : wk_float32, like->device);
    return wk_copy_(laid, wk_detach(p));
}

static wk_tensor *draw_bernoulli(const char *op, wk_tensor *drawn, wk_tensor *p, wk_generator *generator)
{
    wk_tensor *laid = drawn ? probabilities(op, p, drawn) : NULL;
    if (!laid)
        return NULL;
    return wk_run(op, drawn, bernoulli, .generator = wk_generator_or_default(generator), .y = wk_data(drawn),
                  .dtype = drawn->dtype, .count = drawn->numel, .p = wk_data(laid), .p_dtype = laid->dtype)
               ? drawn
               : NULL;
}

/* bernoulli_: 1 with probability p, else 0 */
wk_tensor *wk_bernoulli_in_place_with(wk_bernoulli_in_place_args args)
{
    const char *const op = "bernoulli_";
    WK_REQUIRE(op, args.x);
    if (!check_real(op, args.x))
        return NULL;
    if (args.p.number.kind == WK_NO_NUMBER) {
        WK_REQUIRE(op, args.p.tensor);
        wk_tensor *drawn = drawn_like(op, args.x);
        return wk_write(op, args.x, draw_bernoulli(op, drawn, args.p.tensor, args.generator));
    }
    const double p = args.p.number.value;
    if (!(p >= 0 && p <= 1))
        return wk_fail(op, "p: expected a probability in [0, 1], got %g", p);
    wk_tensor *drawn = drawn_like(op, args.x);
    const bool fine = DRAW(bernoulli, .from = p);
    return fine ? wk_write(op, args.x, drawn) : NULL;
}

/* dp = 0, as in PyTorch: the draw says nothing of the slope */
static void bernoulli_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0, wk_gradient_zeros(dy->ndim, dy->shape, dy->dtype, dy->device));
}

/* bernoulli: the same, new, of p's shape and dtype */
wk_tensor *wk_bernoulli_with(wk_bernoulli_args args)
{
    const char *const op = "bernoulli";
    WK_REQUIRE(op, args.p);
    if (!wk_check_floating(op, args.p))
        return NULL;
    wk_tensor *drawn = wk_tensor_new(op, args.p->ndim, args.p->shape, args.p->dtype, args.p->device);
    drawn = draw_bernoulli(op, drawn, args.p, args.generator);
    return wk_record(drawn, bernoulli_backward, WK_INPUTS(args.p));
}

/* random_: whole numbers */
wk_tensor *wk_random_in_place_with(wk_random_in_place_args args)
{
    const char *const op = "random_";
    WK_REQUIRE(op, args.x);
    const bool full = args.low == 0 && args.high == 0;
    if (!check_real(op, args.x) || (!full && !wk_check_random_limits(op, args.x->dtype, args.low, args.high)))
        return NULL;
    wk_tensor *drawn = drawn_like(op, args.x);
    const uint64_t range = (uint64_t)args.high - (uint64_t)args.low;
    const bool fine = full ? DRAW(random_full, ) : DRAW(integers, .low = args.low, .range = range);
    return fine ? wk_write(op, args.x, drawn) : NULL;
}

/* exponential_: density lambd exp(-lambd x) */
wk_tensor *wk_exponential_in_place_with(wk_exponential_in_place_args args)
{
    const char *const op = "exponential_";
    WK_REQUIRE(op, args.x);
    if (!wk_check_floating(op, args.x))
        return NULL;
    if (!(args.lambd > 0))
        return wk_fail(op, "lambd: expected more than 0, got %g", args.lambd);
    wk_tensor *drawn = drawn_like(op, args.x);
    const bool fine = DRAW(exponential, .from = args.lambd);
    return fine ? wk_write(op, args.x, drawn) : NULL;
}
