/* Many tensors as one vector, and back. */
#include <wick/join.h>

#include "ops.h"
#include "tensors.h"

wk_tensor *wk_flatten_dense_tensors_with(wk_tensors tensors)
{
    static const char OP[] = "flatten_dense_tensors";
    WK_NAMES_ERRORS(OP);
    if (tensors.count < 1)
        return wk_fail(OP, "tensors: expected at least one");
    wk_tensors flat = wk_tensors_room(OP, tensors.count);
    for (int64_t i = 0; i < flat.count; i++) {
        WK_REQUIRE(OP, tensors.items[i]);
        flat.items[i] = wk_reshape(tensors.items[i], (-1));
    }
    return flat.items ? wk_cat(flat) : NULL;
}

wk_tensors wk_unflatten_dense_tensors_with(wk_tensor *flat, wk_tensors tensors)
{
    static const char OP[] = "unflatten_dense_tensors";
    const wk_tensors none = {0, NULL};
    WK_NAMES_ERRORS(OP);
    wk_tensors parts = wk_is_tensor(flat) ? wk_tensors_room(OP, tensors.count) : none;
    if (!wk_is_tensor(flat))
        wk_not_a_tensor(OP, "flat", flat);
    else if (flat->ndim != 1)
        wk_fail(OP, "flat: expected 1 dim, got %s", wk_shape_string(flat));
    else {
        int64_t at = 0;
        for (int64_t i = 0; i < parts.count; i++) {
            const wk_tensor *like = tensors.items[i];
            if (!wk_is_tensor(like)) {
                wk_not_a_tensor(OP, "tensors", like);
                return none;
            }
            parts.items[i] = wk_reshape_with(wk_narrow(flat, 0, at, like->numel), wk_shape_of(like->ndim, like->shape));
            if (!parts.items[i])
                return none;
            at += like->numel;
        }
        if (parts.items && at != flat->shape[0])
            wk_fail(OP, "flat: expected %lld elements, as many as tensors have, got %lld", (long long)at,
                    (long long)flat->shape[0]);
        else
            return parts;
    }
    return none;
}
