/* Dims moved to other places; the rest keep their order. */
#include <wick/view.h>

#include "ops.h"

wk_tensor *wk_movedim_with(wk_tensor *x, wk_shape source, wk_shape destination)
{
    static const char OP[] = "movedim";
    WK_NAMES_ERRORS(OP);
    WK_REQUIRE(OP, x);
    if (source.ndim != destination.ndim)
        return wk_fail(OP, "destination: expected %d dims, as many as source has, got %d", source.ndim,
                       destination.ndim);
    wk_shape order = {x->ndim, {0}};
    unsigned moved = 0, taken = 0;
    for (int i = 0; i < source.ndim; i++) {
        const int from = wk_check_dim(OP, x->ndim, source.sizes[i]),
                  to = wk_check_dim(OP, x->ndim, destination.sizes[i]);
        if (from < 0 || to < 0)
            return NULL;
        if ((moved >> from & 1) || (taken >> to & 1))
            return wk_fail(OP, "%s: %d comes twice", moved >> from & 1 ? "source" : "destination",
                           moved >> from & 1 ? from : to);
        moved |= 1u << from;
        taken |= 1u << to;
        order.sizes[to] = from;
    }
    for (int to = 0, from = 0; to < x->ndim; to++) {
        if (taken >> to & 1)
            continue;
        while (moved >> from & 1)
            from++;
        order.sizes[to] = from++;
    }
    return wk_permute_with(x, order);
}

wk_tensor *(wk_movedim)(wk_tensor *x, int64_t source, int64_t destination)
{
    return wk_movedim_with(x, (wk_shape){1, {source}}, (wk_shape){1, {destination}});
}
