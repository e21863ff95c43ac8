/* Moving a module to another dtype or device: each tensor keeps its identity and gets new memory, so that optimizers,
   fields and tied names go on working. */
#include <string.h>

#include <wick/autograd.h>
#include <wick/cast.h>

#include "autograd/node.h"
#include "core/layout.h"
#include "module.h"

typedef struct target {
    wk_dtype dtype;          // of floating tensors; default: as they are
    wk_device device;        // default: where they are
    wk_memory_format format; // of tensors that it is for; preserve: as they are
    bool empty;              // no values go along
} target;

static wk_tensor *converted(wk_tensor *x, const target *to)
{
    if (to->empty)
        return wk_tensor_new_like("module_to_empty", x, x->dtype, to->device);
    wk_tensor *y = wk_detach(x);
    if (y && to->dtype && wk_dtype_is_floating(x->dtype))
        y = wk_to(y, to->dtype);
    if (y && to->device.type != WK_DEVICE_DEFAULT)
        y = wk_to(y, to->device);
    const int dims = to->format == wk_channels_last ? 4 : 5;
    if (y && (to->format == wk_contiguous_format || (to->format != wk_preserve_format && y->ndim == dims)))
        y = wk_contiguous(y, to->format);
    return y;
}

/* x becomes what y is, memory and all; y becomes what x was */
static void exchange(wk_tensor *x, wk_tensor *y)
{
    const wk_tensor before = *x;
    x->dtype = y->dtype;
    x->device = y->device;
    x->storage = y->storage;
    x->offset = y->offset;
    memcpy(x->strides, y->strides, sizeof x->strides);
    y->dtype = before.dtype;
    y->device = before.device;
    y->storage = before.storage;
    y->offset = before.offset;
    memcpy(y->strides, before.strides, sizeof y->strides);
}

static bool convert(wk_tensors of, const target *to, bool with_grads)
{
    for (int64_t i = 0; i < of.count; i++) {
        wk_tensor *x = of.items[i];
        wk_tensor *y = converted(x, to), *grad = y && with_grads && x->grad ? converted(x->grad, to) : NULL;
        if (!y || (with_grads && x->grad && !grad))
            return false;
        exchange(x, y);
        if (grad)
            exchange(x->grad, grad);
    }
    return true;
}

static void *module_to(void *module, target to)
{
    const wk_tensors parameters = wk_module_parameters_for(to.empty ? "module_to_empty" : "module_to", module);
    if (!parameters.items)
        return NULL;
    bool fine = false;
    wk_no_grad wk_scope fine = convert(parameters, &to, true) && convert(wk_module_buffers(module), &to, false);
    return fine ? module : NULL;
}

void *wk_module_to_with(wk_module_to_args args)
{
    WK_OPTIONAL("module_to", args.to.like);
    if (args.to.wants_like && !args.to.like)
        return wk_null_input("module_to", "other");
    target to = {.dtype = args.to.dtype, .device = args.to.device, .format = args.memory_format};
    if (args.to.like)
        to = (target){.dtype = args.to.like->dtype, .device = args.to.like->device, .format = args.memory_format};
    if (args.dtype)
        to.dtype = args.dtype;
    if (to.dtype && !wk_dtype_is_floating(to.dtype) && !wk_dtype_is_complex(to.dtype))
        return wk_fail("module_to", "dtype: expected a floating or complex dtype, got %s", wk_dtype_name(to.dtype));
    if (to.format < wk_preserve_format || to.format > wk_channels_last_3d)
        return wk_fail("module_to", "memory_format: expected wk_contiguous_format, wk_channels_last or "
                                    "wk_channels_last_3d");
    return module_to(args.module, to);
}

void *wk_module_to_dtype(void *module, wk_dtype dtype)
{
    if (!wk_dtype_is_floating(dtype) && !wk_dtype_is_complex(dtype))
        return wk_fail("module_to", "dtype: expected a floating or complex dtype, got %s", wk_dtype_name(dtype));
    return module_to(module, (target){.dtype = dtype});
}

void *wk_module_to_device(void *module, wk_device device) { return module_to(module, (target){.device = device}); }

void *wk_module_to_empty(void *module, wk_device device)
{
    return wk_module_zero_grad(module) ? module_to(module, (target){.device = device, .empty = true}) : NULL;
}

void *wk_module_to_like(void *module, wk_tensor *like)
{
    WK_REQUIRE("module_to", like);
    return module_to(module, (target){.dtype = like->dtype, .device = like->device});
}

void *wk_module_to_memory_format(void *module, wk_memory_format format)
{
    if (format < wk_contiguous_format || format > wk_channels_last_3d)
        return wk_fail("module_to", "memory_format: expected wk_contiguous_format, wk_channels_last or "
                                    "wk_channels_last_3d");
    return module_to(module, (target){.format = format});
}
