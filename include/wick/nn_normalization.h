/* Layers that normalize by statistics of the data, and weights by their norm.  What each computes stands with the
   function of its name (wick/normalization.h).  Part of wick/nn.h. */
#ifndef WICK_NN_NORMALIZATION_H
#define WICK_NN_NORMALIZATION_H
#pragma GCC system_header // see tensor.h

#include <wick/module.h>
#include <wick/normalization.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- batch_norm1d(num_features, eps = 1e-5, momentum = 0.1, affine = true, track_running_stats = true): weight, bias,
   running_mean, running_var (C), num_batches_tracked ().  In training by the batch, whose statistics the running ones
   follow (momentum WK_CUMULATIVE: as their mean so far); in eval by the running ones, or by the batch where none are
   tracked.  1d: (N, C) or (N, C, L); 2d: (N, C, H, W); 3d: (N, C, D, H, W).
   https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
   instance_norm1d(num_features, eps = 1e-5, momentum = 0.1, affine = false, track_running_stats = false): by each image
   alone, which may come without N: (C, L) or (N, C, L), and so on.
   sync_batch_norm: batch_norm of any number of dims.  Statistics over all ranks: there is one, the process. */
#define WK_CUMULATIVE (-1.0)
typedef struct wk_nn_batch_norm {
    wk_module_base base;
    int64_t num_features;
    double eps, momentum;
    bool affine, track_running_stats;
    int dims;                                                                    // after N and C; 0: any
    wk_tensor *weight, *bias, *running_mean, *running_var, *num_batches_tracked; // NULL without
} wk_nn_batch_norm;
typedef wk_nn_batch_norm wk_nn_batch_norm1d, wk_nn_batch_norm2d, wk_nn_batch_norm3d, wk_nn_sync_batch_norm;
typedef wk_nn_batch_norm wk_nn_instance_norm1d, wk_nn_instance_norm2d, wk_nn_instance_norm3d;
typedef struct wk_nn_batch_norm_args {
    int64_t num_features;
    double eps, momentum;
    bool affine, track_running_stats;
    wk_device device;
    wk_dtype dtype;
} wk_nn_batch_norm_args;
#define WK_NN_BATCH_NORM(...)                                                                                          \
    ((wk_nn_batch_norm_args){                                                                                          \
        .eps = 1e-5, .momentum = 0.1, .affine = true, .track_running_stats = true, .num_features = __VA_ARGS__})
#define WK_NN_INSTANCE_NORM(...) ((wk_nn_batch_norm_args){.eps = 1e-5, .momentum = 0.1, .num_features = __VA_ARGS__})
#define wk_nn_batch_norm1d(...) wk_nn_batch_norm1d_with(WK_NN_BATCH_NORM(__VA_ARGS__))
#define wk_nn_batch_norm2d(...) wk_nn_batch_norm2d_with(WK_NN_BATCH_NORM(__VA_ARGS__))
#define wk_nn_batch_norm3d(...) wk_nn_batch_norm3d_with(WK_NN_BATCH_NORM(__VA_ARGS__))
#define wk_nn_sync_batch_norm(...) wk_nn_sync_batch_norm_with(WK_NN_BATCH_NORM(__VA_ARGS__))
#define wk_nn_instance_norm1d(...) wk_nn_instance_norm1d_with(WK_NN_INSTANCE_NORM(__VA_ARGS__))
#define wk_nn_instance_norm2d(...) wk_nn_instance_norm2d_with(WK_NN_INSTANCE_NORM(__VA_ARGS__))
#define wk_nn_instance_norm3d(...) wk_nn_instance_norm3d_with(WK_NN_INSTANCE_NORM(__VA_ARGS__))
wk_module *wk_nn_batch_norm1d_with(wk_nn_batch_norm_args args);
wk_module *wk_nn_batch_norm2d_with(wk_nn_batch_norm_args args);
wk_module *wk_nn_batch_norm3d_with(wk_nn_batch_norm_args args);
wk_module *wk_nn_sync_batch_norm_with(wk_nn_batch_norm_args args);
wk_module *wk_nn_instance_norm1d_with(wk_nn_batch_norm_args args);
wk_module *wk_nn_instance_norm2d_with(wk_nn_batch_norm_args args);
wk_module *wk_nn_instance_norm3d_with(wk_nn_batch_norm_args args);
/* every batch_norm in the tree becomes a sync_batch_norm, in place: the same module, weights and statistics */
wk_module *wk_nn_sync_batch_norm_convert_sync_batchnorm(void *module);

/* ---- weight_norm(module, name = "weight", dim = 0): the parameter becomes name_g, its norms over all dims but dim
   (WK_NO_DIM: over all), and name_v; before each wk_forward the module's field is name_g * name_v / norm(name_v).
   remove_weight_norm(module, name) makes it a parameter again.  Both return the module.
   https://arxiv.org/abs/1602.07868  https://pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html */
typedef struct wk_nn_weight_norm_args {
    void *module;
    const char *name;
    int64_t dim;
} wk_nn_weight_norm_args;
#define wk_nn_utils_weight_norm(...)                                                                                   \
    wk_nn_utils_weight_norm_with((wk_nn_weight_norm_args){.name = "weight", .module = __VA_ARGS__})
#define wk_nn_utils_remove_weight_norm(...)                                                                            \
    wk_nn_utils_remove_weight_norm_with((wk_nn_weight_norm_args){.name = "weight", .module = __VA_ARGS__})
wk_module *wk_nn_utils_weight_norm_with(wk_nn_weight_norm_args args);
wk_module *wk_nn_utils_remove_weight_norm_with(wk_nn_weight_norm_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
