/* Floor 3: what ops share. */
#ifndef WICK_OPS_H
#define WICK_OPS_H

#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>
#include <wick/view.h>

#include "autograd/node.h"
#include "core/alloc.h"
#include "pointwise.h"

/* false after an error that names op: x is not floating; not floating or complex */
bool wk_check_floating(const char *op, const wk_tensor *x);
bool wk_check_inexact(const char *op, const wk_tensor *x);

/* false after an error that names both: two operands of element-wise ops on different devices, no 0-d one on the CPU,
   which is a number, among them */
bool wk_check_operands_device(const char *op, const char *a_name, const wk_tensor *a, const char *b_name,
                              const wk_tensor *b);

/* false after an error: a tensor of dtype cannot hold the number (300 in uint8), or the tensor (complex in real) */
bool wk_check_value(const char *op, const char *name, wk_operand value, wk_dtype dtype);

/* a copy in contiguous memory, which a clone's need not be */
wk_tensor *wk_clone_contiguous(wk_tensor *x);

/* x in contiguous memory, without history: what kernels read */
wk_tensor *wk_dense(wk_tensor *x);

/* a result that an op has just made, before it is recorded, in the format that its input had: y itself, or a copy */
wk_tensor *wk_kept_format(wk_tensor *y, wk_memory_format format);

/* x seen as contiguous rows along one dim, without history: what kernels along a dim read */
typedef struct wk_dense_rows {
    wk_tensor *x;    // x's values with dim last, in contiguous memory; NULL after an error
    int dim;         // in x, not negative
    int64_t rows, n; // no rows where there are no elements
} wk_dense_rows;
wk_dense_rows wk_rows_last(const char *op, wk_tensor *x, int64_t dim);
wk_tensor *wk_rows_back(wk_tensor *y, int dim); // a result of that layout in x's order of dims

/* false after an error: dy is no gradient of y */
bool wk_check_gradient_of(const char *op, const wk_tensor *dy, const wk_tensor *y);

/* the gradients of slices and strided views: zeros, with dy in its place (ops of their own, with gradients) */
wk_tensor *wk_slice_backward(wk_tensor *dy, wk_shape shape, int dim, int64_t start, int64_t step, bool lacks_dim);

#endif
