/* pad_sequence: sequences of unequal lengths, side by side. */
#include <string.h>

#include <wick/join.h>
#include <wick/nn_recurrent.h>
#include <wick/rearrange.h>

#include "core/alloc.h"
#include "core/tensor.h"

/* x (L_i, ...) as (L, ...) */
static wk_tensor *filled_up(wk_tensor *x, int64_t L, const wk_nn_pad_sequence_args *args)
{
    if (x->shape[0] == L)
        return x;
    int64_t pad[2 * WK_MAX_DIMS] = {0};
    const bool left = strcmp(args->padding_side, "left") == 0;
    pad[2 * (x->ndim - 1) + !left] = L - x->shape[0];
    return wk_pad_with(
        (wk_pad_args){.x = x, .pad = {2 * x->ndim, pad}, .mode = "constant", .value = args->padding_value});
}

wk_tensor *wk_nn_utils_rnn_pad_sequence_with(wk_nn_pad_sequence_args args)
{
    static const char OP[] = "pad_sequence";
    WK_NAMES_ERRORS("pad_sequence");
    if (!args.padding_side || (strcmp(args.padding_side, "left") != 0 && strcmp(args.padding_side, "right") != 0))
        return wk_fail(OP, "padding_side: expected \"right\" or \"left\", got \"%s\"",
                       args.padding_side ? args.padding_side : "(null)");
    if (args.sequences.count < 1)
        return wk_fail(OP, "sequences: expected one or more");
    int64_t L = 0;
    for (int64_t i = 0; i < args.sequences.count; i++) {
        wk_tensor *x = args.sequences.items[i], *first = args.sequences.items[0];
        WK_REQUIRE(OP, x);
        if (x->ndim < 1 || x->ndim != first->ndim ||
            memcmp(x->shape + 1, first->shape + 1, (size_t)(x->ndim - 1) * sizeof *x->shape) != 0)
            return wk_fail(OP, "sequences: expected the same sizes but for the first, got %s and %s",
                           wk_shape_string(first), wk_shape_string(x));
        L = x->shape[0] > L ? x->shape[0] : L;
    }
    const size_t bytes = (size_t)args.sequences.count * sizeof(wk_tensor *);
    wk_tensor **all = wk_alloc(bytes);
    if (!all)
        return wk_out_of_memory(OP, bytes);
    for (int64_t i = 0; i < args.sequences.count; i++)
        all[i] = filled_up(args.sequences.items[i], L, &args);
    wk_tensor *y = wk_stack(.tensors = {args.sequences.count, all}, .dim = args.batch_first ? 0 : 1);
    wk_free(all);
    return y;
}
