/* requires_grad, detach: what a user says to a tensor about gradients. */
#include "node.h"

wk_tensor *wk_requires_grad_(wk_tensor *x, bool requires_grad)
{
    WK_REQUIRE("requires_grad_", x);
    if (requires_grad && !wk_dtype_is_floating(x->dtype) && !wk_dtype_is_complex(x->dtype))
        return wk_fail("requires_grad_", "x: expected a floating or complex dtype, got %s", wk_dtype_name(x->dtype));
    if (!requires_grad && wk_grad_fn(x))
        return wk_fail("requires_grad_", "x: only a leaf can stop requiring grad, and this is the result of %s\n"
                                         "hint: use wk_detach", x->grad_fn->name);
    x->requires_grad = requires_grad;
    return x;
}

wk_tensor *wk_detach(wk_tensor *x)
{
    WK_REQUIRE("detach", x);
    return wk_tensor_alias("detach", x, x->ndim, x->shape, x->strides, 0);
}

wk_tensor *wk_detach_(wk_tensor *x)
{
    WK_REQUIRE("detach_", x);
    if (x->view)
        return wk_fail("detach_", "x: is a view, which cannot be detached in place\nhint: use wk_detach");
    wk_object_release((wk_object *)x->grad_fn);
    x->grad_fn = NULL;
    x->requires_grad = false;
    return x;
}

bool wk_is_leaf(const wk_tensor *x)
{
    WK_OPTIONAL("is_leaf", x);
    return x && !x->grad_fn;
}
