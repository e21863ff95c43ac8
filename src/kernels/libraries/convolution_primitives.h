/* oneDNN's primitives of one convolution, for one thread: the convolution itself, in layouts of oneDNN's choice, and
   reorders between those and plain ones.  convolution_onednn.c says what is convolved; nothing else includes this. */
#ifndef WICK_CONVOLUTION_PRIMITIVES_H
#define WICK_CONVOLUTION_PRIMITIVES_H

#include <oneapi/dnnl/dnnl.h>

#include "convolution_onednn.h"

enum { WK_X, WK_WEIGHT, WK_Y, WK_ROLES };

typedef struct wk_convolution_layout {
    dnnl_memory_desc_t plain, any;
    const dnnl_memory_desc_t *own; // of oneDNN's choice
    dnnl_primitive_t reorder;      // between plain and own; NULL: they are the same
    size_t bytes;                  // of own
    int64_t numbers;               // in plain
    bool converted;                // halves in the tensor, floats in plain
} wk_convolution_layout;

typedef struct wk_convolution_primitives {
    wk_convolution_direction direction;
    int out;                 // the role that is written
    dnnl_data_type_t number; // that oneDNN multiplies
    wk_convolution_layout role[WK_ROLES];
    dnnl_memory_desc_t bias; // floats
    const dnnl_memory_desc_t *scratchpad;
    size_t scratchpad_bytes;
    dnnl_engine_t engine;
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive;
} wk_convolution_primitives;

/* For x, weight and y of this shape, in a dtype.  weight_row: numbers from one row of weight to the next, where it is
   some columns of a wider one; else 0.  has_bias: one is added, by the primitive (forward) or later to x, which is then
   floats.  False where oneDNN cannot; free either way. */
bool wk_convolution_primitives_make(wk_convolution_primitives *p, wk_convolution_direction direction, wk_dtype dtype,
                                    const wk_spatial_shape *shape, int64_t weight_row, bool has_bias);
void wk_convolution_primitives_free(wk_convolution_primitives *p);

/* In the calling thread; false where oneDNN fails.  reorder: from plain into own, of what is written from own into
   plain; nothing to do where the two are the same.  bias: NULL, or floats that are added (forward). */
bool wk_convolution_reorder(const wk_convolution_primitives *p, dnnl_stream_t stream, int role, const void *plain,
                            void *own);
bool wk_convolution_execute(const wk_convolution_primitives *p, dnnl_stream_t stream, void *const own[WK_ROLES],
                            const float *bias, void *scratchpad);

#endif
