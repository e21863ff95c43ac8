/* Losses. */
#include "op_table.h"

static wk_cross_entropy_args of_classes(golden_case *c)
{
    return (wk_cross_entropy_args){.x = input(c, 0),
                                   .target = input(c, 1),
                                   .weight = c->inputs > 2 ? optional(c, 2) : NULL,
                                   .ignore_index = integer_or(c, "ignore_index", -100),
                                   .reduction = has(c, "reduction") ? text(c, "reduction") : "mean",
                                   .label_smoothing = real_or(c, "label_smoothing", 0)};
}
static wk_tensor *run_cross_entropy(golden_case *c) { return wk_cross_entropy_with(of_classes(c)); }
static wk_tensor *run_nll_loss(golden_case *c) { return wk_nll_loss_with(of_classes(c)); }
OP(cross_entropy, run_cross_entropy)
OP(nll_loss, run_nll_loss)
BAD(cross_entropy, wk_cross_entropy(wk_zeros((2, 3)), wk_full((2), 3)),
    "expected classes from 0 to 2 (or ignore_index -100), got 3")
BAD(cross_entropy, wk_cross_entropy(wk_zeros((2, 3)), wk_full((3), 1)), "expected a class for each row")
BAD(cross_entropy, wk_cross_entropy(wk_zeros((2, 3)), wk_full((2), 1), wk_zeros((2))), "weight: expected shape (3,)")
BAD(cross_entropy, wk_cross_entropy(wk_zeros((2, 3)), wk_full((2), 1), .reduction = "avg"), "reduction: expected")
BAD(cross_entropy, wk_cross_entropy(wk_zeros((2, 3)), wk_zeros((2, 4))), "probabilities have x's shape (2, 3)")
BAD(nll_loss, wk_nll_loss(wk_zeros((2, 3)), wk_full((2), 3)), "got 3")
BAD(nll_loss, wk_nll_loss(wk_zeros((2, 3)), wk_full((2), -1)), "got -1")
BAD(cross_entropy, wk_cross_entropy(wk_zeros((2, 3), .dtype = wk_complex64), wk_full((2), 1)), "got complex64")

/* class weights, which the gradient treats as constants */
static wk_cross_entropy_args with_weights(golden_case *c)
{
    wk_cross_entropy_args args = of_classes(c);
    const float weight[] = {0.5f, 2.0f, 1.25f};
    args.weight = wk_tensor((3), weight, .dtype = c->input[0].tensor.dtype, .device = op_device);
    return args;
}
static wk_tensor *run_cross_entropy_weighted(golden_case *c) { return wk_cross_entropy_with(with_weights(c)); }
static wk_tensor *run_nll_loss_weighted(golden_case *c) { return wk_nll_loss_with(with_weights(c)); }
OP(cross_entropy_weighted, run_cross_entropy_weighted)
OP(nll_loss_weighted, run_nll_loss_weighted)

#define LOSS(name)                                                                                                     \
    static wk_tensor *run_##name(golden_case *c)                                                                       \
    {                                                                                                                  \
        return wk_##name(input(c, 0), input(c, 1), .reduction = has(c, "reduction") ? text(c, "reduction") : "mean",   \
                         .beta = real_or(c, "beta", 1), .delta = real_or(c, "delta", 1),                               \
                         .log_target = integer_or(c, "log_target", 0));                                                \
    }                                                                                                                  \
    OP(name, run_##name)
LOSS(mse_loss)
LOSS(l1_loss)
LOSS(smooth_l1_loss)
LOSS(kl_div)
LOSS(huber_loss)
BAD(mse_loss, wk_mse_loss(wk_zeros((2)), wk_zeros((3))), "(2,)")
BAD(mse_loss, wk_mse_loss(wk_zeros((2)), wk_zeros((2)), .reduction = "max"), "reduction: expected")
BAD(mse_loss, wk_mse_loss(wk_zeros((2), .dtype = wk_complex64), wk_zeros((2))), "floating dtype, got complex64")
BAD(smooth_l1_loss, wk_smooth_l1_loss(wk_zeros((2)), wk_zeros((2)), .beta = -1), "beta: must not be negative")
BAD(kl_div, wk_kl_div(wk_zeros((2)), wk_zeros((2)), .reduction = "max"), "reduction: expected")

/* PyTorch has no gradient for these */
static wk_tensor *constant(golden_case *c, int i)
{
    wk_tensor *x = optional(c, i);
    return x ? wk_detach(x) : NULL;
}
#define BINARY_LOSS(name)                                                                                              \
    static wk_tensor *run_##name(golden_case *c)                                                                       \
    {                                                                                                                  \
        return wk_##name(input(c, 0), input(c, 1), has(c, "reduction") ? text(c, "reduction") : "mean",                \
                         .weight = constant(c, 2), .pos_weight = c->inputs > 3 ? constant(c, 3) : NULL);               \
    }                                                                                                                  \
    OP(name, run_##name)
BINARY_LOSS(binary_cross_entropy_with_logits)
BINARY_LOSS(binary_cross_entropy)
BAD(binary_cross_entropy_with_logits, wk_binary_cross_entropy_with_logits(wk_zeros((2)), wk_zeros((3))),
    "expected x's shape (2,)")
