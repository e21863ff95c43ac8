/* Pooling. */
#include "op_table.h"

/* a number, a tuple, or nothing */
static wk_per_dim per_dim(golden_case *c, const char *keyword, wk_per_dim otherwise)
{
    const wk_shape each = sizes(c, keyword);
    return each.ndim > 0 ? wk_per_dim_of(each.ndim, each.sizes) : integer_or(c, keyword, otherwise);
}

/* PyTorch was asked for indices where it gave two results */
#define MAX_POOL(dims)                                                                                                 \
    static wk_tensor *run_max_pool##dims(golden_case *c)                                                               \
    {                                                                                                                  \
        wk_tensor *indices = NULL;                                                                                     \
        const bool both = c->fails || c->results_count == 2;                                                           \
        wk_tensor *y = wk_max_pool##dims(input(c, 0), per_dim(c, "kernel_size", 0),                                    \
                                         .stride = per_dim(c, "stride", WK_NO_STRIDE),                                 \
                                         .padding = per_dim(c, "padding", 0), .dilation = per_dim(c, "dilation", 1),   \
                                         .ceil_mode = integer_or(c, "ceil_mode", 0),                                   \
                                         .return_indices = both ? &indices : NULL);                                    \
        return both ? results(c, y, indices) : y;                                                                      \
    }                                                                                                                  \
    OP(max_pool##dims, run_max_pool##dims)
MAX_POOL(1d)
MAX_POOL(2d)
MAX_POOL(3d)
#define IMAGE wk_zeros((2, 3, 6, 5))
BAD(max_pool2d, wk_max_pool2d(wk_zeros((6, 5)), 2), "x: expected shape (N, C, H, W), or without N, got (6, 5)")
BAD(max_pool2d, wk_max_pool2d(wk_zeros((2, 3, 0, 5)), 2), "x: expected sizes of at least 1 behind N, got (2, 3, 0, 5)")
BAD(max_pool2d, wk_max_pool2d(IMAGE, 3, .padding = 2), "expected at most half of kernel_size 3, got 2 along dim -2")
BAD(max_pool2d, wk_max_pool2d(IMAGE, wk_per_dim(2, 6)), "than the padded input, got 6 (dilation included) of 5")
BAD(max_pool2d, wk_max_pool2d(IMAGE, .stride = 2), "kernel_size: expected at least 1, got 0")
BAD(max_pool2d, wk_max_pool2d(IMAGE, 2, 0), "stride: expected at least 1, got 0")
BAD(max_pool2d, wk_max_pool2d(IMAGE, wk_per_dim(2, 2, 2)), "kernel_size: expected one number for all dims, or 2")
BAD(max_pool2d, wk_max_pool2d(wk_zeros((1, 1, 6, 4)), wk_per_dim(1, 2), 1, wk_per_dim(0, 1), wk_per_dim(1, 5)),
    "a window of dilation 5 would see only padding along dim -1")
BAD(max_pool2d, wk_max_pool2d(wk_ones((1, 4, 4), .dtype = wk_bool), 2), "expected floats or integers, got bool")

#define AVG_POOL(dims)                                                                                                 \
    static wk_tensor *run_avg_pool##dims(golden_case *c)                                                               \
    {                                                                                                                  \
        return wk_avg_pool##dims(                                                                                      \
            input(c, 0), per_dim(c, "kernel_size", 0), .stride = per_dim(c, "stride", WK_NO_STRIDE),                   \
            .padding = per_dim(c, "padding", 0), .ceil_mode = integer_or(c, "ceil_mode", 0),                           \
            .count_include_pad = integer_or(c, "count_include_pad", 1),                                                \
            .divisor_override = integer_or(c, "divisor_override", 0));                                                 \
    }                                                                                                                  \
    OP(avg_pool##dims, run_avg_pool##dims)
AVG_POOL(1d)
AVG_POOL(2d)
AVG_POOL(3d)
BAD(avg_pool2d, wk_avg_pool2d(wk_ones((1, 4, 4), .dtype = wk_int32), 2), "avg_pool2d: expected a floating dtype")
BAD(avg_pool3d, wk_avg_pool3d(IMAGE, 7), "no larger than the padded input, got 7")

#define ADAPTIVE_AVG(dims)                                                                                             \
    static wk_tensor *run_adaptive_avg_pool##dims(golden_case *c)                                                      \
    {                                                                                                                  \
        return wk_adaptive_avg_pool##dims(input(c, 0), per_dim(c, "output_size", 0));                                  \
    }                                                                                                                  \
    OP(adaptive_avg_pool##dims, run_adaptive_avg_pool##dims)
ADAPTIVE_AVG(1d)
ADAPTIVE_AVG(2d)
ADAPTIVE_AVG(3d)
BAD(adaptive_avg_pool2d, wk_adaptive_avg_pool2d(IMAGE, -2), "output_size: expected at least -1, got -2")
BAD(adaptive_avg_pool2d, wk_adaptive_avg_pool2d(wk_ones((1, 4, 4), .dtype = wk_int64), 1),
    "adaptive_avg_pool2d: expected a floating dtype")

#define ADAPTIVE_MAX(dims)                                                                                             \
    static wk_tensor *run_adaptive_max_pool##dims(golden_case *c)                                                      \
    {                                                                                                                  \
        wk_tensor *indices = NULL;                                                                                     \
        wk_tensor *y = wk_adaptive_max_pool##dims(input(c, 0), per_dim(c, "output_size", 0), &indices);                \
        return results(c, y, indices);                                                                                 \
    }                                                                                                                  \
    OP(adaptive_max_pool##dims, run_adaptive_max_pool##dims)
ADAPTIVE_MAX(1d)
ADAPTIVE_MAX(2d)
BAD(adaptive_max_pool2d, wk_adaptive_max_pool2d(wk_zeros((2, 0, 4, 4)), 2), "x: expected sizes of at least 1 behind N")
