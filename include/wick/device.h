/* CUDA devices and the switches of backends, by their names in PyTorch: https://pytorch.org/docs/stable/cuda.html

   A build without CUDA, or a machine without its driver, answers as PyTorch does there: a count of 0, a call without
   effect, or, where a device must be at hand, an error.  So a program that asks wk_cuda_is_available (wick/dtype.h)
   first is written once for both.  Devices themselves are in wick/dtype.h, moving tensors in wick/cast.h. */
#ifndef WICK_DEVICE_NAMES_H
#define WICK_DEVICE_NAMES_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* cuda.device_count, current_device, set_device, synchronize; the current one is the calling thread's, 0 at first */
int wk_cuda_device_count(void);      // 0 without CUDA, never an error
int wk_cuda_current_device(void);    // -1 after an error
bool wk_cuda_set_device(int device); // a negative one changes nothing; false after an error
bool wk_cuda_synchronize(void);      // wk_synchronize of the current device; false after an error

/* cuda.empty_cache, max_memory_allocated, max_memory_reserved (bytes), reset_peak_memory_stats */
void wk_cuda_empty_cache(void);             // no effect without CUDA
int64_t wk_cuda_max_memory_allocated(void); // 0 without CUDA; of the host: wk_memory_get_stats
int64_t wk_cuda_max_memory_reserved(void);  // 0 without CUDA
bool wk_cuda_reset_peak_memory_stats(void); // false after an error

/* cuda.get_device_properties(0): an error without CUDA; name is empty then */
typedef struct wk_cuda_device_properties {
    char name[256];
    int64_t total_memory; // bytes
    int major, minor, multi_processor_count;
} wk_cuda_device_properties;
wk_cuda_device_properties wk_cuda_get_device_properties(int device);

/* cuda.manual_seed, manual_seed_all: no effect without CUDA; wk_manual_seed seeds every device */
void wk_cuda_manual_seed(uint64_t seed);
void wk_cuda_manual_seed_all(uint64_t seed);

/* cuda.Event(enable_timing=False), record, elapsed_time (milliseconds): an error without CUDA; NULL, false, NAN then */
typedef struct wk_cuda_event wk_cuda_event;
typedef struct wk_cuda_event_args {
    bool enable_timing;
} wk_cuda_event_args;
#define wk_cuda_event(...) wk_cuda_event_with((wk_cuda_event_args){__VA_ARGS__})
wk_cuda_event *wk_cuda_event_with(wk_cuda_event_args args);
bool wk_cuda_event_record(wk_cuda_event *event);
double wk_cuda_event_elapsed_time(wk_cuda_event *start, wk_cuda_event *end);

wk_tensor *wk_pin_memory(wk_tensor *x);             // x.pin_memory(): an error without CUDA
bool wk_cuda_set_sync_debug_mode(const char *mode); // "default", "warn", "error": an error without CUDA
/* "highest", "high", "medium": how much precision a product of float32 may lose; here, none with any of them.  False
   after an error. */
bool wk_set_float32_matmul_precision(const char *precision);

/* backends.cudnn.benchmark = enabled, ...: accepted, without effect where there is no CUDA */
void wk_backends_cudnn_benchmark(bool enabled);
void wk_backends_cudnn_deterministic(bool enabled);
void wk_backends_cudnn_allow_tf32(bool enabled);
void wk_backends_cuda_matmul_allow_tf32(bool enabled);

bool wk_backends_mps_is_available(void); // false: no Apple device
bool wk_xpu_is_available(void);          // false: no Intel device

/* compiler.is_compiling(): false, since what runs is compiled; compiler.disable(function): function as it is */
bool wk_compiler_is_compiling(void);
#define wk_compiler_disable(function) (function)

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
