/* From one device to another: the span of memory that a tensor shows goes over as it is, strides and gaps included, so
   that no kernel is needed. */
#include <string.h>

#include "host.h"

/* elements from the first that x shows to the last; strides are not negative */
static int64_t span_of(const wk_tensor *x)
{
    int64_t span = 1;
    for (int dim = 0; dim < x->ndim; dim++)
        span += (x->shape[dim] - 1) * x->strides[dim];
    return x->numel > 0 ? span : 0;
}

static void copy_between(const wk_tensor *x, const wk_tensor *y, size_t bytes)
{
    const bool out = x->device.type != WK_CPU, in = y->device.type != WK_CPU;
    const wk_device device = out ? x->device : y->device;
    wk_backends[device.type]->copy(wk_queue_of(device), wk_data(y), wk_data(x), bytes,
                                   out && in ? WK_COPY_WITHIN : out ? WK_COPY_OUT : WK_COPY_IN);
}

wk_tensor *wk_transfer(const char *op, wk_tensor *x, wk_device device, bool non_blocking)
{
    WK_REQUIRE(op, x);
    if (!wk_check_device(op, device))
        return NULL;
    if (wk_device_equal(x->device, device))
        return x;
    if (x->device.type != WK_CPU && device.type != WK_CPU) // by way of the host
        return wk_transfer(op, wk_transfer(op, x, wk_cpu, false), device, non_blocking);
    const int64_t span = span_of(x);
    wk_tensor *memory = wk_tensor_new(op, 1, &span, x->dtype, device);
    wk_tensor *y = memory ? wk_tensor_alias(op, memory, x->ndim, x->shape, x->strides, 0) : NULL;
    if (!y)
        return NULL;
    if (span > 0)
        copy_between(x, memory, (size_t)span * wk_dtype_size(x->dtype));
    wk_scope_release(memory);
    const bool waits = x->device.type != WK_CPU && !non_blocking;
    return !waits || wk_wait(x->device) ? y : NULL;
}

void wk_put_element(const wk_tensor *x, int64_t offset, const void *element)
{
    const size_t size = wk_dtype_size(x->dtype);
    void *at = (char *)wk_data(x) + offset * (int64_t)size;
    if (x->device.type == WK_CPU)
        memcpy(at, element, size);
    else
        wk_backends[x->device.type]->copy(wk_queue_of(x->device), at, element, size, WK_COPY_IN);
}

wk_tensor *wk_on_host(const char *op, const wk_tensor *x)
{
    return wk_transfer(op, (wk_tensor *)(uintptr_t)x, wk_cpu, false);
}
