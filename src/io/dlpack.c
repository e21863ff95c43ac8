/* Tensors to and from other libraries, by DLPack: the same memory under another struct. */
#include <wick/dlpack.h>

#include <string.h>

#include "core/alloc.h"
#include "core/host.h"

#define ON_CPU 1

static const struct {
    wk_dtype dtype;
    uint8_t code, bits;
} dtypes[] = {{wk_bool, 6, 8},     {wk_uint8, 1, 8},    {wk_int8, 0, 8},       {wk_int16, 0, 16},
              {wk_int32, 0, 32},   {wk_int64, 0, 64},   {wk_float16, 2, 16},   {wk_bfloat16, 4, 16},
              {wk_float32, 2, 32}, {wk_float64, 2, 64}, {wk_complex64, 5, 64}, {wk_complex128, 5, 128}};
#define DTYPES (sizeof dtypes / sizeof *dtypes)

/* what deleter lets go at once: the tensor's reference and the sizes, behind the struct itself */
typedef struct handed_out {
    wk_dl_tensor tensor; // first
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS];
} handed_out;

static void take_back(wk_dl_tensor *self)
{
    wk_release(self->context);
    wk_free(self);
}

wk_dl_tensor *wk_to_dlpack(wk_tensor *x)
{
    const char *const op = "to_dlpack";
    WK_REQUIRE(op, x);
    if (x->requires_grad)
        return wk_fail(op, "x: expected a tensor that does not require grad\nhint: wk_detach(x)");
    if (x->device.type != WK_CPU)
        return wk_fail(op, "x: expected a tensor of the CPU, got one of %s", wk_device_name(x->device));
    handed_out *out = wk_alloc(sizeof *out);
    if (!out)
        return wk_out_of_memory(op, sizeof *out);
    memcpy(out->shape, x->shape, sizeof out->shape);
    memcpy(out->strides, x->strides, sizeof out->strides);
    out->tensor = (wk_dl_tensor){.data = wk_host(op, x),
                                 .device_type = ON_CPU,
                                 .ndim = x->ndim,
                                 .lanes = 1,
                                 .shape = out->shape,
                                 .strides = out->strides,
                                 .context = wk_retain(x),
                                 .deleter = take_back};
    for (size_t i = 0; i < DTYPES; i++)
        if (dtypes[i].dtype == x->dtype) {
            out->tensor.code = dtypes[i].code;
            out->tensor.bits = dtypes[i].bits;
        }
    return &out->tensor;
}

static void give_back(void *taken)
{
    wk_dl_tensor *tensor = taken;
    if (tensor->deleter)
        tensor->deleter(tensor);
}

static bool check_dtype(const char *op, const wk_dl_tensor *taken, wk_dtype *dtype)
{
    for (size_t i = 0; i < DTYPES; i++)
        if (dtypes[i].code == taken->code && dtypes[i].bits == taken->bits && taken->lanes == 1) {
            *dtype = dtypes[i].dtype;
            return true;
        }
    return wk_fail(op, "taken: code %d of %d bits in %d lanes is none of wick's dtypes", taken->code, taken->bits,
                   taken->lanes);
}

wk_tensor *wk_from_dlpack(wk_dl_tensor *taken)
{
    const char *const op = "from_dlpack";
    wk_dtype dtype = wk_dtype_default;
    if (!taken)
        return wk_null_input(op, "taken");
    if (taken->device_type != ON_CPU)
        return wk_fail(op, "taken: expected device type 1, the CPU, got %d", (int)taken->device_type);
    if (!check_dtype(op, taken, &dtype))
        return NULL;
    if (taken->ndim < 0 || taken->ndim > WK_MAX_DIMS || (taken->ndim > 0 && !taken->shape))
        return wk_fail(op, "taken: expected 0 to %d dims and their sizes, got %d", WK_MAX_DIMS, (int)taken->ndim);
    int64_t strides[WK_MAX_DIMS], span = 0, numel = 1; // span: to the last number
    for (int dim = 0; dim < taken->ndim; dim++) {
        const int64_t size = taken->shape[dim], stride = taken->strides && size > 1 ? taken->strides[dim] : 1;
        int64_t reach;
        strides[dim] = stride; // where there is one number, whatever its maker left there
        if (size < 0 || stride < 0)
            return wk_fail(op,
                           "taken: expected sizes and strides of 0 or more, got %lld and %lld in dim %d\n"
                           "hint: a copy has such strides (in numpy: x.copy())",
                           (long long)size, (long long)stride, dim);
        if (size > 0 &&
            (__builtin_mul_overflow(size - 1, stride, &reach) || __builtin_add_overflow(span, reach, &span)))
            return wk_fail(op, "taken: its strides reach farther than memory");
        if (__builtin_mul_overflow(numel, size, &numel))
            return wk_fail(op, "taken: its sizes are more than memory");
    }
    char *data = taken->data ? (char *)taken->data + taken->byte_offset : NULL;
    if (!data && numel > 0)
        return wk_fail(op, "taken: expected data, got NULL");
    if ((uintptr_t)data % (wk_dtype_size(dtype) / (wk_dtype_is_complex(dtype) ? 2 : 1)) != 0)
        return wk_fail(op, "taken: expected %s numbers at a multiple of their size", wk_dtype_name(dtype));
    void (*const deleter)(wk_dl_tensor *) = taken->deleter;
    taken->deleter = NULL; // after an error it remains the caller's
    wk_tensor *x = wk_tensor_from_memory(op, data, taken->ndim, taken->shape, taken->strides ? strides : NULL, dtype,
                                         wk_cpu, give_back, taken);
    taken->deleter = deleter;
    return x;
}
