/* Number types and devices.  PyTorch: torch.dtype, torch.device. */
#ifndef WICK_DTYPE_H
#define WICK_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* In the order of PyTorch's promotion within a kind: bool < integers < floats < complex. */
typedef enum wk_dtype {
    wk_dtype_default = 0, // "the default": float32, or what the input has
    wk_bool,
    wk_uint8,
    wk_int8,
    wk_int16,
    wk_int32,
    wk_int64,
    wk_float16,
    wk_bfloat16,
    wk_float32,
    wk_float64,
    wk_complex64,  // float real, float imaginary
    wk_complex128, // double real, double imaginary
    WK_DTYPES
} wk_dtype;

const char *wk_dtype_name(wk_dtype dtype);         // "float32"
size_t wk_dtype_size(wk_dtype dtype);              // bytes of one element
bool wk_dtype_is_floating(wk_dtype dtype);         // float16, bfloat16, float32, float64
bool wk_dtype_is_complex(wk_dtype dtype);          // complex64, complex128
bool wk_dtype_is_integral(wk_dtype dtype);         // integers and bool
wk_dtype wk_dtype_to_real(wk_dtype dtype);         // dtype.to_real: float32 of complex64, float64 of complex128
wk_dtype wk_promote_types(wk_dtype a, wk_dtype b); // torch.promote_types

/* WK_PRIVATE: one that a program brings itself, under the name it gives it (src/kernels/device.h) */
typedef enum wk_device_type { WK_DEVICE_DEFAULT = 0, WK_CPU, WK_CUDA, WK_PRIVATE, WK_DEVICE_TYPES } wk_device_type;

typedef struct wk_device {
    wk_device_type type;
    int index;
} wk_device;

#ifdef __cplusplus
#define wk_cpu (wk_device{WK_CPU, 0})
#define wk_cuda (wk_device{WK_CUDA, 0})
#else
#define wk_cpu ((wk_device){WK_CPU, 0})
#define wk_cuda ((wk_device){WK_CUDA, 0})
#endif
#define wk_device(name) wk_device_from_name(name)

wk_device wk_device_from_name(const char *name); // "cpu", "cuda", "cuda:1"; an unknown name is an error
const char *wk_device_name(wk_device device);    // "cpu", "cuda:1"
bool wk_device_equal(wk_device a, wk_device b);
/* Waits until all that a device was asked for is done (torch.cuda.synchronize).  False after an error: one that an op
   found on the device, which does not wait for its ops, is told here or when a value is read, whichever comes first. */
bool wk_synchronize(wk_device device);
/* Threads that share the work of an op on the CPU: OMP_NUM_THREADS, or as many as there are cores.  set: of the calling
   thread's ops.  The bits of results do not depend on it. */
int wk_get_num_threads(void);
void wk_set_num_threads(int threads);

bool wk_cuda_is_available(void); // false, never an error, without a driver or in a build without CUDA

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
