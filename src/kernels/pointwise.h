/* Element-wise kernels: y = f(a, b, c) for each row of pointwise.def, with operands of any strides and dtype. */
#ifndef WICK_KERNELS_POINTWISE_H
#define WICK_KERNELS_POINTWISE_H

#include "queue.h"

/* The rows by number; a function of one tensor has one more for each derivative, of which a STEP's are absent. */
typedef enum wk_pointwise_row {
#define UNARY(name, ...) WK_ROW_##name, WK_ROW_##name##_slope, WK_ROW_##name##_curvature,
#define UNARY_NUMBER UNARY
#define UNARY_ANY UNARY
#define BINARY(name, value) WK_ROW_##name,
#define BINARY_NUMBER BINARY
#define BINARY_ANY BINARY
#define BINARY_INTEGER BINARY
#define TERNARY BINARY
#define TERNARY_NUMBER BINARY
#define TERNARY_ANY BINARY
#include "pointwise.def"
    WK_ROWS
} wk_pointwise_row;
#define WK_ROW(name) WK_ROW_##name

/* Operands are read through strides (0: broadcast) and converted from their dtype to the table's on the way.  A number
   travels by value: data is NULL, and the element, of the operand's dtype, stands in `number`. */
typedef struct wk_pointwise_operand {
    void *data;
    wk_dtype dtype;
    union {
        int64_t integer;
        double floating;
        double parts[2]; // of a complex number
    } number;
    int64_t strides[WK_KERNEL_MAX_DIMS];
} wk_pointwise_operand;

typedef struct wk_pointwise_work {
    int inputs; // 0 to 3
    int ndim;
    int64_t count; // elements of the result
    int64_t shape[WK_KERNEL_MAX_DIMS];
    wk_pointwise_operand in[3];
    wk_pointwise_operand out; // its data is written
    double numbers[2];        // parameters p and q of the expression
} wk_pointwise_work;

typedef void wk_pointwise_kernel(wk_queue *queue, const struct wk_pointwise_work *work);

#endif
