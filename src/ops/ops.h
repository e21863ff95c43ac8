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

void wk_number_bytes(wk_number number, wk_dtype dtype, void *bytes); // as one element
bool wk_has_zero(wk_tensor *x);

/* false after an error that names op: x is not floating (or complex) */
bool wk_check_floating(const char *op, const wk_tensor *x);

/* A kernel along one dim sees rows: wk_rows_last gives the same values with dim last and contiguous (x itself where it
   is so already), without history; wk_rows_back turns a result of that layout to x's order of dims. */
wk_tensor *wk_rows_last(wk_tensor *x, int dim);
wk_tensor *wk_rows_back(wk_tensor *y, int dim);

/* x in contiguous memory, without history: what kernels read */
wk_tensor *wk_dense(wk_tensor *x);

/* the gradients of slices and strided views: zeros, with dy in its place (ops of their own, with gradients) */
wk_tensor *wk_slice_backward(wk_tensor *dy, wk_shape shape, int dim, int64_t start, int64_t step, bool lacks_dim);

#endif
