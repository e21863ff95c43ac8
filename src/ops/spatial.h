/* Floor 3: what ops that slide along 1 to 3 dims share: their options are read, and the sizes that follow from them
   found, here alone.  Kernels see the result, a wk_spatial_shape. */
#ifndef WICK_OPS_SPATIAL_H
#define WICK_OPS_SPATIAL_H

#include <wick/spatial.h>

#include "core/tensor.h"
#include "kernels/spatial.h"

/* "(N, C, H, W)" */
const char *wk_spatial_layout(int dims);

/* An option's numbers, one for each of the last `dims` of numbers[3]; false after an error: one is less than `least` or
   too large, or there are more or fewer than dims */
bool wk_per_dim_read(const char *op, const char *name, wk_per_dim given, int dims, int64_t least, int64_t numbers[3]);

/* what was given, as PyTorch prints it: "2", "(2, 1)"; -1 as "None".  Returns text */
char *wk_per_dim_text(wk_per_dim given, char text[WK_SHAPE_TEXT]);

/* interpolate's name of a mode, as it may be kept; NULL after an error: there is none of this name */
const char *wk_interpolate_mode(const char *op, const char *name);

/* A shape with what x says: dims, N (1 where x lacks it), C and in; all else is 1, or padding of 0.  False after an
   error: x has neither dims + 2 nor dims + 1 dims. */
bool wk_spatial_input(const char *op, const wk_tensor *x, int dims, wk_spatial_shape *shape);

typedef struct wk_spatial_options {
    wk_per_dim stride, padding, dilation; // padding: at both ends, or WK_SAME
} wk_spatial_options;

/* Reads options into a shape that x began and whose kernel is known, and finds out.  False after an error: an option is
   wrong, or the kernel, of the argument kernel_name, is larger than the padded x. */
bool wk_spatial_slide(const char *op, const wk_tensor *x, const char *kernel_name, wk_spatial_options options,
                      wk_spatial_shape *shape);

/* x of a shape's N and C (or O) and sizes, uninitialised, of like's dtype and device */
wk_tensor *wk_spatial_new(const char *op, const wk_spatial_shape *shape, int64_t channels, const int64_t size[3],
                          const wk_tensor *like);

#endif
