/* Writing in place, and what that does to history.

   An in-place op that must be remembered is computed out of place, and wk_write then puts the values into x's memory
   and gives x the result's history.  Where x is a view, its base gets a node too: the base is now what it was, but for
   the written part (as_strided_scatter); and every view of the base renews its grad_fn, as as_strided of the base, when
   it is next asked for (the storage's graph_version tells).  Rejected: writing straight into x and recording "the old
   x", which needs every gradient formula twice. */
#include <string.h>

#include <wick/complex.h>

#include "copy.h"
#include "kernels/copy.h"
#include "ops.h"
#include "core/run.h"

/* ---------------------------------------------------------------- geometry: a strided view of a base */

typedef struct geometry {
    wk_shape base, base_strides, view, view_strides;
    int64_t offset; // of the view from the base, in elements
    bool base_complex, view_complex; // where the other is real: its numbers are two reals each, in a last dim of 2
} geometry;
#define KEPT_GEOMETRY(g) .kept = (g), .kept_bytes = sizeof(geometry)

/* shape, strides and offset of complex numbers as those of reals */
static void in_reals(wk_shape *shape, wk_shape *strides, int64_t *offset)
{
    for (int dim = 0; dim < shape->ndim; dim++)
        strides->sizes[dim] *= 2;
    shape->sizes[shape->ndim++] = 2;
    strides->sizes[strides->ndim++] = 1;
    *offset *= 2;
}

static geometry geometry_of(const wk_tensor *base, const wk_tensor *view)
{
    geometry g = {.base = wk_shape_of(base->ndim, base->shape),
                  .base_strides = wk_shape_of(base->ndim, base->strides),
                  .view = wk_shape_of(view->ndim, view->shape),
                  .view_strides = wk_shape_of(view->ndim, view->strides)};
    int64_t base_offset = base->offset, view_offset = view->offset;
    const bool differ = base->dtype != view->dtype;
    g.base_complex = differ && wk_dtype_is_complex(base->dtype);
    g.view_complex = differ && !g.base_complex;
    if (g.base_complex)
        in_reals(&g.base, &g.base_strides, &base_offset);
    if (g.view_complex)
        in_reals(&g.view, &g.view_strides, &view_offset);
    g.offset = view_offset - base_offset;
    return g;
}

static wk_tensor *reals(wk_tensor *x, bool are_complex) { return are_complex ? wk_view_as_real(x) : x; }
static wk_tensor *numbers(wk_tensor *x, bool are_complex)
{
    return are_complex ? wk_view_as_complex(wk_contiguous(x)) : x;
}

/* a tensor of the base's layout with base's values (or zeros), in memory of its own */
static wk_tensor *laid_out_as_base(const geometry *g, wk_tensor *values, wk_tensor *like)
{
    int64_t extent = 1;
    for (int dim = 0; dim < g->base.ndim; dim++)
        extent += g->base.sizes[dim] > 0 ? (g->base.sizes[dim] - 1) * g->base_strides.sizes[dim] : 0;
    wk_tensor *memory = wk_gradient_zeros(1, &extent, like->dtype, like->device);
    wk_tensor *laid =
        memory ? wk_tensor_alias("as_strided", memory, g->base.ndim, g->base.sizes, g->base_strides.sizes, 0) : NULL;
    return laid && values ? wk_copy_(laid, values) : laid;
}

static wk_tensor *part_of(wk_tensor *laid, const geometry *g)
{
    return laid ? wk_tensor_alias("as_strided", laid, g->view.ndim, g->view.sizes, g->view_strides.sizes, g->offset)
                : NULL;
}

static wk_tensor *as_strided_of(wk_tensor *base, const geometry *g);

/* ---------------------------------------------------------------- as_strided_backward: zeros with dy in the view's
   place */

static void as_strided_backward_backward(wk_node *node, wk_tensor *g)
{
    wk_accumulate(node, 0, as_strided_of(g, node->kept));
}

/* part += dy; part may show one element of its memory more than once */
static bool add_strided(wk_tensor *part, wk_tensor *dy)
{
    wk_tensor *from = wk_dense(dy);
    wk_add_strided_work work = {.x = wk_data(from), .y = wk_data(part), .ndim = part->ndim, .count = part->numel};
    memcpy(work.shape, part->shape, sizeof work.shape);
    memcpy(work.strides, part->strides, sizeof work.strides);
    return from && wk_run_work("as_strided_backward", part, add_strided, &work);
}

/* zeros laid out like the base, with dy in the view's place */
static wk_tensor *as_strided_backward_of(wk_tensor *dy, const geometry *g)
{
    WK_REQUIRE("as_strided_backward", dy);
    wk_tensor *dx = NULL;
    wk_no_grad
    {
        wk_tensor *laid = laid_out_as_base(g, NULL, dy), *part = part_of(laid, g);
        if (part && add_strided(part, dy))
            dx = wk_dense(laid);
    }
    return wk_record(dx, as_strided_backward_backward, WK_INPUTS(dy), KEPT_GEOMETRY(g));
}

static void as_strided_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0, as_strided_backward_of(dy, node->kept));
}

/* as_strided of a tensor of the base's shape; its memory may be laid out in another way than the base's was */
static wk_tensor *as_strided_of(wk_tensor *base, const geometry *g)
{
    WK_REQUIRE("as_strided", base);
    wk_tensor *laid = base;
    bool same = true;
    for (int dim = 0; dim < base->ndim; dim++)
        same &= base->shape[dim] <= 1 || base->strides[dim] == g->base_strides.sizes[dim];
    if (!same)
        laid = WK_WITHOUT_GRAD(laid_out_as_base(g, base, base));
    return wk_record(part_of(laid, g), as_strided_backward, WK_INPUTS(base), KEPT_GEOMETRY(g));
}

wk_tensor *wk_as_strided_with(wk_tensor *x, wk_shape size, wk_shape stride, int64_t offset)
{
    WK_REQUIRE("as_strided", x);
    if (size.ndim != stride.ndim || size.ndim > WK_MAX_DIMS)
        return wk_fail("as_strided", "stride: expected %d, one for each dim of size, got %d", size.ndim, stride.ndim);
    const int64_t held = x->storage->bytes / (int64_t)wk_dtype_size(x->dtype);
    int64_t last = offset, reach = 0;
    bool empty = false, far = offset < 0 || offset > held;
    for (int dim = 0; dim < size.ndim; dim++) {
        if (size.sizes[dim] < 0 || stride.sizes[dim] < 0)
            return wk_fail("as_strided", "sizes and strides must not be negative");
        empty |= size.sizes[dim] == 0;
        far = far || (size.sizes[dim] > 0 && (__builtin_mul_overflow(size.sizes[dim] - 1, stride.sizes[dim], &reach) ||
                                              __builtin_add_overflow(last, reach, &last)));
    }
    if (far || (!empty && last >= held))
        return wk_fail("as_strided", "size, stride and offset reach %selement %lld of a storage of %lld",
                       far && offset >= 0 ? "beyond " : "", (long long)last, (long long)held);
    wk_tensor *y = wk_tensor_alias("as_strided", x, size.ndim, size.sizes, stride.sizes, offset - x->offset);
    if (!wk_mark_view(y, x))
        return NULL;
    const geometry g = geometry_of(x, y);
    return wk_record(y, as_strided_backward, WK_INPUTS(x), KEPT_GEOMETRY(&g));
}

/* ---------------------------------------------------------------- a write into a view, seen from the base */

/* as_strided_scatter of zeros: x but 0 in the view's place; its own gradient */
static wk_tensor *scatter_zeros(wk_tensor *x, const geometry *g);

static void scatter_zeros_backward(wk_node *node, wk_tensor *dy)
{
    wk_accumulate(node, 0, scatter_zeros(dy, node->kept));
}

static wk_tensor *scatter_zeros(wk_tensor *x, const geometry *g)
{
    WK_REQUIRE("as_strided_scatter", x);
    wk_tensor *dense = NULL;
    wk_no_grad
    {
        wk_tensor *laid = laid_out_as_base(g, x, x);
        if (wk_zero_(part_of(laid, g)))
            dense = wk_dense(laid);
    }
    return wk_record(dense, scatter_zeros_backward, WK_INPUTS(x), KEPT_GEOMETRY(g));
}

/* base = as_strided_scatter(base, values): d base = dy but 0 in the view's place, d values = dy in the view's place */
static void as_strided_scatter_backward(wk_node *node, wk_tensor *dy)
{
    const geometry *g = node->kept;
    dy = reals(dy, g->base_complex);
    if (wk_needs(node, 0))
        wk_accumulate(node, 0, numbers(scatter_zeros(dy, g), g->base_complex));
    if (wk_needs(node, 1))
        wk_accumulate(node, 1, numbers(as_strided_of(dy, g), g->view_complex));
}

/* the view's grad_fn: as_strided of the base as it is now */
bool wk_view_renew(wk_tensor *view)
{
    wk_tensor *base = view->view->base;
    view->view->graph_version = view->storage->graph_version;
    if (!base->requires_grad)
        return true;
    bool fine = false;
    wk_enable_grad wk_scope
    {
        const geometry g = geometry_of(base, view);
        wk_tensor *renewed = numbers(as_strided_of(reals(base, g.base_complex), &g), g.view_complex);
        fine = renewed && wk_set_grad_fn(view, renewed->grad_fn, renewed->output_nr);
    }
    return fine;
}

static wk_tensor *write_through_view(wk_tensor *x, wk_tensor *y)
{
    wk_tensor *base = x->view->base;
    const geometry g = geometry_of(base, x);
    wk_tensor *stand_in = wk_tensor_alias("copy_", base, base->ndim, base->shape, base->strides, 0);
    if (!wk_record(stand_in, as_strided_scatter_backward, WK_INPUTS(base, y), KEPT_GEOMETRY(&g)))
        return NULL;
    if (!wk_set_grad_fn(base, stand_in->grad_fn, stand_in->output_nr))
        return NULL;
    base->storage->graph_version++;
    if (base->view)
        base->view->graph_version = base->storage->graph_version;
    return wk_view_renew(x) ? x : NULL;
}

wk_tensor *wk_write(const char *op, wk_tensor *x, wk_tensor *y)
{
    WK_REQUIRE(op, x);
    WK_REQUIRE(op, y);
    if (!wk_same_shape(x, y))
        return wk_fail(op, "x: of shape %s cannot hold the result in place, which has shape %s", wk_shape_string(x),
                       wk_shape_string(y));
    if (!wk_check_holds(op, x, y->dtype) || !wk_check_same_device(op, "x", x, "the result", y))
        return NULL;
    if (!wk_save_copy_of(y->grad_fn, x))
        return NULL;
    wk_tensor *values = y->storage == x->storage ? WK_WITHOUT_GRAD(wk_clone(y)) : y;
    if (!values || !wk_copy_values(values, x))
        return NULL;
    wk_count_write(x);
    if (!wk_is_grad_enabled() || (!y->requires_grad && !wk_needs_grad(x)))
        return x;
    if (x->view)
        return write_through_view(x, y);
    x->storage->graph_version++;
    return wk_set_grad_fn(x, y->requires_grad ? wk_grad_fn(y) : NULL, y->output_nr) ? x : NULL;
}

bool wk_check_holds(const char *op, const wk_tensor *x, wk_dtype dtype)
{
    if ((wk_dtype_is_integral(x->dtype) && !wk_dtype_is_integral(dtype)) || (x->dtype == wk_bool && dtype != wk_bool) ||
        (wk_dtype_is_complex(dtype) && !wk_dtype_is_complex(x->dtype)))
        return wk_fail(op, "x: a result of %s cannot be written into a tensor of %s", wk_dtype_name(dtype),
                       wk_dtype_name(x->dtype));
    return true;
}

bool wk_check_leaf(const char *op, wk_tensor *x)
{
    if (x->storage->inference && !wk_inference)
        return wk_fail(op, "x: a tensor made inside wk_inference_mode cannot be written in place outside\n"
                           "hint: wk_clone it first, or make it inside wk_no_grad");
    if (x->view && x->view->untracked && wk_needs_grad(x->view->base))
        return wk_fail(op, "x: a view made inside wk_no_grad cannot be written outside it: its base would not know\n"
                           "hint: make the view and write it both inside wk_no_grad { }, or both outside");
    if (wk_needs_grad(x)) {
        const wk_tensor *leaf = x->view ? x->view->base : x;
        if (!leaf->grad_fn && leaf->requires_grad)
            return wk_fail(op,
                           "x: a leaf that requires grad%s cannot be written in place\n"
                           "hint: write inside wk_no_grad { }, or into a wk_clone",
                           x->view ? " (seen through a view)" : "");
    }
    return true;
}

bool wk_check_writable(const char *op, wk_tensor *x)
{
    if (!wk_check_leaf(op, x))
        return false;
    for (int dim = 0; dim < x->ndim; dim++)
        if (x->shape[dim] > 1 && x->strides[dim] == 0)
            return wk_fail(op, "x: elements of an expanded tensor share memory: they cannot be written one by one\n"
                               "hint: wk_clone it first");
    return true;
}
