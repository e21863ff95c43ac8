/* From a tensor to its device's kernels: the one way to run one (host.h waits for it, and looks at what it left). */
#ifndef WICK_CORE_RUN_H
#define WICK_CORE_RUN_H

#include "host.h"
#include "kernels/kernels.h"

/* Runs the kernel of like's device and dtype on a work:
       wk_run("softmax", x, softmax, .x = wk_data(x), .y = wk_data(y), .rows = rows, .n = n)
   False after an error: like is NULL, the kernel is absent ("softmax: is not defined for complex64 on cpu"), or it
   found a fault.  Work with nothing to do is fine. */
#define wk_run(op, like, kernel, ...) wk_run_work(op, like, kernel, &(wk_##kernel##_work){__VA_ARGS__})
/* the same with the address of a work */
#define wk_run_work(op, like, kernel, ...)                                                                             \
    ({                                                                                                                 \
        const wk_tensor *const like_ = (like);                                                                         \
        like_ ? wk_run_on(op, like_->device, like_->dtype, kernel, __VA_ARGS__)                                        \
              : (wk_null_input(op, #like), false);                                                                     \
    })
/* and for a device and a dtype */
#define wk_run_on(op_, device_, dtype_, kernel_, ...)                                                                  \
    ({                                                                                                                 \
        const wk_device on_ = (device_);                                                                               \
        const wk_dtype as_ = (dtype_);                                                                                 \
        const wk_kernels *const table_ = wk_backends[on_.type]->kernels[as_];                                          \
        wk_queue *const queue_ = wk_queue_for(op_, on_, as_, table_ && table_->kernel_);                               \
        if (queue_)                                                                                                    \
            table_->kernel_(queue_, __VA_ARGS__);                                                                      \
        queue_ && wk_run_ends(queue_);                                                                                 \
    })
/* the calling thread's queue, to run a kernel of op's; NULL after an error: the device has none */
wk_queue *wk_queue_for(const char *op, wk_device device, wk_dtype dtype, bool has_kernel);
bool wk_run_ends(wk_queue *queue); // false after an error: what a kernel found wrong

static inline const wk_kernels *wk_kernels_of(wk_device device, wk_dtype dtype)
{
    return wk_backends[device.type]->kernels[dtype];
}

#endif
