/* What of a device is not its kernels: queues, waiting, transfers, the address that the host may touch, memory. */
#ifndef WICK_CORE_HOST_H
#define WICK_CORE_HOST_H

#include "kernels/device.h"
#include "tensor.h"

wk_queue *wk_queue_of(wk_device device); // the calling thread's
bool wk_wait(wk_device device);          // until it is empty; false after an error that a kernel found
/* the calling thread's CPU queue, for a backend that runs CPU kernels in a thread of its own; the end of such a run */
wk_queue *wk_host_queue(void);
void wk_host_queue_ends(void);

/* The one address that the host may touch.  NULL after an error: x is not on the CPU (take wk_on_host first). */
void *wk_host(const char *op, const wk_tensor *x);
/* x itself where it is on the CPU, else a copy there, of x's shape and strides; waits.  NULL after an error. */
wk_tensor *wk_on_host(const char *op, const wk_tensor *x);
/* one element of x, `offset` elements from its first, whatever the device */
void wk_put_element(const wk_tensor *x, int64_t offset, const void *element);
/* x's values on another device, of x's strides, without history; x itself where it is there already.  Coming to the CPU
   it waits, unless non_blocking: then the values are there after wk_wait(x's device). */
wk_tensor *wk_transfer(const char *op, wk_tensor *x, wk_device device, bool non_blocking);

/* false after an error: no such device here */
bool wk_check_device(const char *op, wk_device device);
/* false after an error that names both: the two are on different devices */
bool wk_check_same_device(const char *op, const char *a_name, const wk_tensor *a, const char *b_name,
                          const wk_tensor *b);

/* a device's memory; NULL where there is none */
void *wk_device_alloc(wk_device device, size_t bytes);
void wk_device_free(wk_device device, void *memory);
void wk_device_empty_cache(void);

struct wk_pointwise_work;
/* runs a row of pointwise.def (wk_pointwise_row) of the device's table for dtype; false after an error.  No work: looks
   whether there is one. */
bool wk_run_row(const char *op, wk_device device, wk_dtype dtype, int row, const struct wk_pointwise_work *work);

#endif
