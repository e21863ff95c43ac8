/* Bringing rows to a common size, and comparing them.
   PyTorch: https://pytorch.org/docs/stable/nn.functional.html#normalization-functions */
#ifndef WICK_NORMALIZATION_H
#define WICK_NORMALIZATION_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* layer_norm(x, (normalized_shape), weight, bias, eps = 1e-5): (x - mean) / sqrt(var + eps) * weight + bias over the
   last dims, of sizes normalized_shape, which weight and bias have too (either may be NULL); the biased variance.
   Floating dtypes; weight and bias have x's, or both float32 where x is float16 or bfloat16.
   https://arxiv.org/abs/1607.06450 */
#define WK_NORMALIZED_BEFORE(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_NORMALIZED_TUPLE, WK_NORMALIZED_PLAIN)()
#define WK_NORMALIZED_TUPLE() .normalized_shape = WK_SHAPE
#define WK_NORMALIZED_PLAIN() .normalized_shape.ndim = WK_PLAIN_LAST, .normalized_shape.sizes[WK_MAX_DIMS - 1] = // 64
typedef struct wk_layer_norm_args {
    wk_tensor *x;
    wk_shape normalized_shape;
    wk_tensor *weight, *bias;
    double eps;
} wk_layer_norm_args;
#define wk_layer_norm(x_, ...)                                                                                         \
    wk_layer_norm_with((wk_layer_norm_args){.eps = 1e-5, .x = x_, WK_NORMALIZED_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_tensor *wk_layer_norm_with(wk_layer_norm_args args);

/* group_norm(x, num_groups, weight, bias, eps = 1e-5): x (N, C, ...) normalized over each group of C / num_groups
   channels; weight and bias (C), dtypes as for layer_norm.  https://arxiv.org/abs/1803.08494 */
typedef struct wk_group_norm_args {
    wk_tensor *x;
    int64_t num_groups;
    wk_tensor *weight, *bias;
    double eps;
} wk_group_norm_args;
#define wk_group_norm(...) wk_group_norm_with((wk_group_norm_args){.eps = 1e-5, .x = __VA_ARGS__})
wk_tensor *wk_group_norm_with(wk_group_norm_args args);

/* batch_norm(x, running_mean, running_var, weight, bias, training = false, momentum = 0.1, eps = 1e-5): x (N, C, ...),
   each channel normalized by running_mean and running_var (C).  In training by its own mean and biased variance over
   the N images, and the running ones (NULL: none) move to them in place: running = (1 - momentum) running + momentum
   new, the variance to the unbiased one.  weight and bias (C) may be NULL; dtypes as for layer_norm, the running ones'
   alike.  A channel of one number has no variance: an error in training.  https://arxiv.org/abs/1502.03167
   https://pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html */
typedef struct wk_batch_norm_args {
    wk_tensor *x, *running_mean, *running_var, *weight, *bias;
    bool training;
    double momentum, eps;
} wk_batch_norm_args;
#define wk_batch_norm(...) wk_batch_norm_with((wk_batch_norm_args){.momentum = 0.1, .eps = 1e-5, .x = __VA_ARGS__})
wk_tensor *wk_batch_norm_with(wk_batch_norm_args args);

/* instance_norm(x, running_mean, running_var, weight, bias, use_input_stats = true, momentum = 0.1, eps = 1e-5): x
   (N, C, ...), each channel of each image normalized over its own numbers; the running ones, where given, move to the
   mean of the images'.  Without use_input_stats, batch_norm by the running ones.  https://arxiv.org/abs/1607.08022
   https://pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html */
typedef struct wk_instance_norm_args {
    wk_tensor *x, *running_mean, *running_var, *weight, *bias;
    bool use_input_stats;
    double momentum, eps;
} wk_instance_norm_args;
#define wk_instance_norm(...)                                                                                          \
    wk_instance_norm_with(                                                                                             \
        (wk_instance_norm_args){.use_input_stats = true, .momentum = 0.1, .eps = 1e-5, .x = __VA_ARGS__})
wk_tensor *wk_instance_norm_with(wk_instance_norm_args args);

/* rms_norm(x, (normalized_shape), weight, eps): y = x / sqrt(mean(x^2) + eps) * weight over the last dims, whose sizes
   are normalized_shape and weight's shape.  No eps given: the dtype's own (2^-23 for float32).  Floating dtypes; y has
   x's.
   https://arxiv.org/abs/1910.07467 */
typedef struct wk_rms_norm_args {
    wk_tensor *x;
    wk_shape normalized_shape;
    wk_tensor *weight; // NULL: ones
    double eps;        // below 0: the dtype's own
} wk_rms_norm_args;
#define wk_rms_norm(x_, ...)                                                                                           \
    wk_rms_norm_with((wk_rms_norm_args){.eps = -1, .x = x_, WK_NORMALIZED_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_tensor *wk_rms_norm_with(wk_rms_norm_args args);

/* normalize(x, p = 2, dim = 1, eps = 1e-12): x / max(norm of p along dim, eps).  Not the last dim unless told. */
typedef struct wk_normalize_args {
    wk_tensor *x;
    double p;
    int64_t dim;
    double eps;
} wk_normalize_args;
#define wk_normalize(...) wk_normalize_with((wk_normalize_args){.p = 2, .dim = 1, .eps = 1e-12, .x = __VA_ARGS__})
wk_tensor *wk_normalize_with(wk_normalize_args args);

/* cosine_similarity(a, b, dim = 1, eps = 1e-8): the cosine of the angle between a and b along dim, which goes; both
   broadcast.  (..., N, ...) and (..., N, ...) -> (..., ...) */
typedef struct wk_cosine_similarity_args {
    wk_tensor *a, *b;
    int64_t dim;
    double eps; // norms below it count as eps
} wk_cosine_similarity_args;
#define wk_cosine_similarity(a_, ...)                                                                                  \
    wk_cosine_similarity_with((wk_cosine_similarity_args){.dim = 1, .eps = 1e-8, .a = a_, .b = __VA_ARGS__})
wk_tensor *wk_cosine_similarity_with(wk_cosine_similarity_args args);

/* pairwise_distance(a, b, p = 2, eps = 1e-6, keepdim = false): the norm of p of a - b + eps along the last dim, which
   goes unless kept; both broadcast.  Not 0 for a equal to b.  (..., N) and (..., N) -> (...) */
typedef struct wk_pairwise_distance_args {
    wk_tensor *a, *b;
    double p, eps;
    bool keepdim;
} wk_pairwise_distance_args;
#define wk_pairwise_distance(a_, ...)                                                                                  \
    wk_pairwise_distance_with((wk_pairwise_distance_args){.p = 2, .eps = 1e-6, .a = a_, .b = __VA_ARGS__})
wk_tensor *wk_pairwise_distance_with(wk_pairwise_distance_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
