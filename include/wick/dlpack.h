/* Tensors handed to other libraries and taken from them without a copy, by the DLPack standard, which numpy, PyTorch,
   JAX and others speak.  PyTorch: https://pytorch.org/docs/stable/dlpack.html; the standard: dmlc.github.io/dlpack

   A wk_dl_tensor has the layout of the standard's DLManagedTensor: in Python, what a capsule named "dltensor" points
   to. */
#ifndef WICK_DLPACK_H
#define WICK_DLPACK_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_dl_tensor {
    void *data;
    int32_t device_type; // 1: the CPU
    int32_t device_id;
    int32_t ndim;
    uint8_t code;         // of the dtype: 0 signed, 1 unsigned, 2 floating, 4 bfloat, 5 complex, 6 bool
    uint8_t bits;         // of one number; of a complex one, both parts
    uint16_t lanes;       // 1: no vectors
    int64_t *shape;       // ndim sizes
    int64_t *strides;     // in numbers; NULL: row-major
    uint64_t byte_offset; // of the first number from data
    void *context;        // its maker's
    void (*deleter)(struct wk_dl_tensor *self); // called once, by who took it, when it is used no more; NULL: no need
} wk_dl_tensor;

/* to_dlpack(x): x's memory, which stays until deleter is called, whatever becomes of x.  On the CPU; one that requires
   grad is an error: wk_detach(x).  NULL after an error. */
wk_dl_tensor *wk_to_dlpack(wk_tensor *x);
/* from_dlpack(taken): a tensor on taken's memory, writes showing both ways; deleter is called when the last tensor on
   it goes.  Strides below 0, other devices and dtypes that are not wick's are errors; after one, NULL is returned and
   taken remains the caller's. */
wk_tensor *wk_from_dlpack(wk_dl_tensor *taken);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
