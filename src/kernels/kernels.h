/* Floor 0: arithmetic on plain arrays.  Knows dtypes and devices, but no tensor and no graph.

   THE list: everything a device must know how to do, a typed line each.  A line makes a struct of what the kernel works
   on (wk_softmax_work) and a slot in the table of kernels.  Every kernel has the one signature
       void kernel(const void *work, int64_t begin, int64_t end)
   and does the items begin..end of its work; what an item is stands beside its line.  Items are independent:
   wk_parallel cuts them among threads.

   KERNEL         compiled for float32 and float64 (`real`), per instruction set
   KERNEL_NUMBER  and for the integers and bool
   KERNEL_BYTES   one for all dtypes: the dtype, or the size of an element, is in its work */
#ifndef WICK_KERNELS_H
#define WICK_KERNELS_H

#include <stdbool.h>

#include <wick/dtype.h>

#include "parallel.h"

#define WK_KERNEL_MAX_DIMS 8
#define WK_INDEX_BLOCK 64    // columns in an item of scatter_rows and index_add
#define WK_ATTENTION_ROWS 128 // query rows in a block

/* What an element-wise kernel works on; an item is an element of the result, counted in row-major order.  Operands are
   read through strides (0: broadcast) and converted from their dtype to the table's on the way. */
typedef struct wk_pointwise_operand {
    void *data;
    wk_dtype dtype;
    int64_t strides[WK_KERNEL_MAX_DIMS];
} wk_pointwise_operand;

typedef struct wk_pointwise_work {
    int inputs; // 0 to 3
    int ndim;
    int64_t shape[WK_KERNEL_MAX_DIMS];
    wk_pointwise_operand in[3];
    wk_pointwise_operand out; // its data is written
    double numbers[2];        // parameters p and q of the expression
} wk_pointwise_work;

/* x (N, C, H, W), weight (O, C / groups, KH, KW), y (N, O, OH, OW), all contiguous; [0] is along H, [1] along W */
typedef struct wk_convolution_shape {
    int64_t N, C, H, W, O, OH, OW, KH, KW, groups;
    int64_t stride[2], dilation[2], padding[2], padding_end[2];
} wk_convolution_shape;

#include "kernels.def"

/* one struct per line */
#define KERNEL(name, ...)                                                                                              \
    typedef struct wk_##name##_work {                                                                                  \
        __VA_ARGS__                                                                                                    \
    } wk_##name##_work;
#define KERNEL_NUMBER(name, ...) KERNEL(name, __VA_ARGS__)
#define KERNEL_BYTES(name, ...) KERNEL(name, __VA_ARGS__)
WK_KERNEL_LIST(KERNEL, KERNEL_NUMBER, KERNEL_BYTES)
#undef KERNEL
#undef KERNEL_NUMBER
#undef KERNEL_BYTES

/* one slot per line, and one per row of pointwise.def */
typedef struct wk_kernels {
    const char *name; // "avx512 float32"
#define KERNEL(name, ...) wk_kernel *name;
    WK_KERNEL_LIST(KERNEL, KERNEL, KERNEL)
#undef KERNEL
#define UNARY(name, saves, value, slope, curvature) wk_kernel *name, *name##_slope, *name##_curvature;
#define UNARY_NUMBER(name, saves, value, slope, curvature) UNARY(name, saves, value, slope, curvature)
#define UNARY_ANY(name, saves, value, slope, curvature) UNARY(name, saves, value, slope, curvature)
#define BINARY(name, value) wk_kernel *name;
#define BINARY_NUMBER(name, value) wk_kernel *name;
#define BINARY_ANY(name, value) wk_kernel *name;
#define BINARY_INTEGER(name, value) wk_kernel *name;
#define TERNARY(name, value) wk_kernel *name;
#define TERNARY_NUMBER(name, value) wk_kernel *name;
#define TERNARY_ANY(name, value) wk_kernel *name;
#include "pointwise.def"
} wk_kernels;

/* The table of a device for a dtype: float16 and bfloat16 have float32's (their values pass through float), complex64
   has one of its own. */
const wk_kernels *wk_cpu_kernels(wk_dtype dtype);
const char *wk_cpu_isa(void); // "baseline", "avx2", "avx512"; WICK_ISA overrides what the processor has

/* In the slot of a kernel that the dtype lacks; ops answer it with an error. */
void wk_kernel_absent(const void *work, int64_t begin, int64_t end);

#endif
