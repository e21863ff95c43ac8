/* Floor 3, element-wise: one engine for every row of pointwise.def. */
#ifndef WICK_OPS_POINTWISE_H
#define WICK_OPS_POINTWISE_H

#include <wick/pointwise.h>

#include "autograd/node.h"
#include "kernels/pointwise.h"

/* One call of an element-wise kernel: y = kernel(in...), broadcast, with parameters p and q. */
typedef struct wk_pointwise_call {
    const char *op;
    wk_pointwise_row row; // of pointwise.def: WK_ROW_add
    int inputs;
    wk_operand in[3]; // tensors or numbers
    wk_dtype compute; // the type computed in
    wk_dtype result;  // of y
    double p, q;
    wk_tensor *into; // where y goes, through its strides; NULL: a new tensor
    bool contiguous; // the new tensor is, however the operands lie
} wk_pointwise_call;
wk_tensor *wk_pointwise(const wk_pointwise_call *call);
bool wk_anomaly_check_pointwise(const wk_pointwise_call *call, wk_tensor *y); // false after an error (anomaly.c)
bool wk_operands_given(const char *op, wk_operand a, wk_operand b); // false after an error: one is neither

/* A row UNARY of pointwise.def, unless it is a VALUE alone. */
typedef struct wk_unary_op {
    const char *name, *in_place_name, *backward_name, *backward_backward_name;
    wk_pointwise_row value, slope, curvature;
    enum { WK_SAVES_NOTHING, WK_SAVES_INPUT, WK_SAVES_RESULT } saves;
    enum { WK_STEP, WK_LINEAR, WK_CURVED } curve;
    bool any_number; // integers stay integers
} wk_unary_op;
#define WK_UNARY_OP(name) wk_unary_##name
#define UNARY(name, ...) extern const wk_unary_op WK_UNARY_OP(name);
#define UNARY_NUMBER UNARY
#define UNARY_ANY UNARY
#include "kernels/pointwise.def"
wk_tensor *wk_unary(const wk_unary_op *op, wk_tensor *x, double p, double q);
wk_tensor *wk_unary_(const wk_unary_op *op, wk_tensor *x, double p, double q); // in place

/* promotion (torch.result_type): tensors with dims outrank 0-d tensors, which outrank numbers, within a kind of
   number */
wk_dtype wk_result_type(const wk_operand *operands, int count);
static inline wk_dtype wk_float_type(wk_dtype dtype) // what a floating function of integers computes in
{
    return wk_dtype_is_integral(dtype) ? wk_get_default_dtype() : dtype;
}

/* ends an in-place op: x takes y's values, and y's history where there is one to take; returns x */
wk_tensor *wk_write(const char *op, wk_tensor *x, wk_tensor *y);
/* whether a result of dtype may be written into x: within its kind of number, or a lower one; false after an error */
bool wk_check_holds(const char *op, const wk_tensor *x, wk_dtype dtype);
/* whether op may write into x now: false after an error (a leaf that requires grad, overlapping elements) */
bool wk_check_writable(const char *op, wk_tensor *x);
/* the first of these alone: one value may be written to shared elements */
bool wk_check_leaf(const char *op, wk_tensor *x);

#endif
