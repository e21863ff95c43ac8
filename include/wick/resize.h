/* Pictures, sounds and volumes (N, C, ...) of other sizes.
   PyTorch: https://pytorch.org/docs/stable/nn.functional.html#vision-functions */
#ifndef WICK_RESIZE_H
#define WICK_RESIZE_H
#pragma GCC system_header // see tensor.h

#include <wick/spatial.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* interpolate(x, size or scale_factor, mode = "nearest", align_corners = false, recompute_scale_factor = false,
   antialias = false): x (N, C, L), (N, C, H, W) or (N, C, D, H, W), floating, and uint8 where said.
       wk_interpolate(x, .size = wk_per_dim(64, 48))              or one number for all dims
       wk_interpolate(x, .scale_factor = 2, .mode = "bilinear")   sizes rounded down
       wk_interpolate(x, .scale_factors = {2, 1.5})               one for each dim
   mode: "nearest", "nearest-exact" (both of uint8 too), "area" (adaptive_avg_pool), "linear" (N, C, L), "bilinear",
   "bicubic" (N, C, H, W; of uint8 too), "trilinear" (N, C, D, H, W).
   align_corners (the linear ones, bicubic): the centers of the outermost places are each other's, else the edges are.
   antialias ("bilinear", "bicubic"): made smaller, the neighbours are those of the coarser grid.
   recompute_scale_factor: places are found from the sizes, as where size is given, and not from scale_factor. */
typedef struct wk_interpolate_args {
    wk_tensor *x;
    wk_per_dim size; // 0: none
    double scale_factor;
    const char *mode;
    bool align_corners, recompute_scale_factor, antialias;
    double scale_factors[3];
} wk_interpolate_args;
#define wk_interpolate(...) wk_interpolate_with((wk_interpolate_args){.mode = "nearest", .x = __VA_ARGS__})
wk_tensor *wk_interpolate_with(wk_interpolate_args args);

/* grid_sample(x, grid, mode = "bilinear", padding_mode = "zeros", align_corners = false): x at the coordinates of grid,
   which has x's floating dtype:
       (N, C, H, W), (N, OH, OW, 2) -> (N, C, OH, OW)
       (N, C, D, H, W), (N, OD, OH, OW, 3) -> (N, C, OD, OH, OW)
   grid's last dim is (x, y) or (x, y, z): along W first.  -1 and 1 are the outer edges of x, or, with align_corners,
   the centers of its outermost places.  mode: "bilinear" (of three dims too), "nearest", "bicubic".  padding_mode, for
   what is seen outside: "zeros", "border" (the edge), "reflection" (in the edge).  Gradients to x and to grid. */
typedef struct wk_grid_sample_args {
    wk_tensor *x, *grid;
    const char *mode, *padding_mode;
    bool align_corners;
} wk_grid_sample_args;
#define wk_grid_sample(x_, ...)                                                                                        \
    wk_grid_sample_with((wk_grid_sample_args){.mode = "bilinear", .padding_mode = "zeros", .x = x_, __VA_ARGS__})
wk_tensor *wk_grid_sample_with(wk_grid_sample_args args);

/* pixel_shuffle(x, r): (*, C r r, H, W) -> (*, C, H r, W r): y[c, h r + i, w r + j] = x[c r r + i r + j, h, w].
   pixel_unshuffle undoes it: (*, C, H r, W r) -> (*, C r r, H, W).  Of every dtype. */
wk_tensor *wk_pixel_shuffle(wk_tensor *x, int64_t upscale_factor);
wk_tensor *wk_pixel_unshuffle(wk_tensor *x, int64_t downscale_factor);
#ifndef __cplusplus
#define wk_pixel_shuffle(x_, factor_)                                                                                  \
    WK_NAMED(int64_t upscale_factor;, wk_pixel_shuffle(wk_given.x, wk_given.upscale_factor), x_, factor_)
#define wk_pixel_unshuffle(x_, factor_)                                                                                \
    WK_NAMED(int64_t downscale_factor;, wk_pixel_unshuffle(wk_given.x, wk_given.downscale_factor), x_, factor_)
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
