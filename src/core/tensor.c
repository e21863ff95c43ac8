/* Tensor headers and the storage they share. */
#include "tensor.h"

#include <string.h>

#include "alloc.h"
#include "host.h"

/* header and data in one block, on the CPU: a small tensor costs two allocations */
_Thread_local bool wk_inference;

static wk_storage *storage_new(const char *op, int64_t bytes, wk_device device)
{
    const size_t header = 64;
    _Static_assert(sizeof(wk_storage) <= 64, "the data starts 64 bytes in, aligned");
    const bool here = device.type == WK_CPU;
    wk_storage *storage = wk_alloc(here ? header + (size_t)bytes : sizeof *storage);
    void *data = here || !storage ? (char *)storage + header : wk_device_alloc(device, (size_t)bytes);
    if (!storage || !data) {
        wk_free(storage);
        return wk_out_of_memory(op, (size_t)bytes);
    }
    *storage = (wk_storage){
        .references = 1, .device = device, .inference = wk_inference, .bytes = bytes, .data = data};
    return storage;
}

static void storage_release(wk_storage *storage)
{
    if (!storage || __atomic_sub_fetch(&storage->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (storage->release)
        storage->release(storage->context);
    else if (storage->device.type != WK_CPU)
        wk_device_free(storage->device, storage->data);
    wk_free(storage);
}

wk_tensor *wk_tensor_header(void)
{
    wk_tensor *x = wk_header_alloc(sizeof *x);
    if (x) {
        x->magic = WK_LIVE_TENSOR;
        x->references = 1;
    }
    return x;
}

/* the caller has checked the shape */
static wk_tensor *header_new(const char *op, int ndim, const int64_t *shape, wk_dtype dtype, wk_device device)
{
    wk_tensor *x = wk_tensor_header();
    if (!x)
        return wk_out_of_memory(op, sizeof *x);
    x->ndim = ndim;
    x->dtype = dtype;
    x->device = device;
    x->numel = 1;
    for (int dim = 0; dim < ndim; dim++) {
        x->shape[dim] = shape[dim];
        x->numel *= shape[dim];
    }
    return x;
}

void wk_tensor_destroy(wk_tensor *x)
{
    wk_object_release((wk_object *)x->grad_fn);
    wk_object_release((wk_object *)x->view);
    if (x->hooks)
        ((wk_hooks_head *)x->hooks)->retain_grad = NULL; // nodes may hold the hooks longer
    wk_object_release(x->hooks);
    wk_release(x->grad);
    storage_release(x->storage);
    x->magic = WK_DEAD_TENSOR;
    wk_header_free(x, wk_scope_closing.file, wk_scope_closing.line);
}

/* Memory that holds no tensor may hold anything, and be nobody's: of it only the word is read (wk_is_tensor). */
void *wk_not_a_tensor(const char *op, const char *argument, const wk_tensor *x)
{
    if (!x)
        return wk_null_input(op, argument);
    if (strncmp(argument, "args.", 5) == 0) // as the caller wrote it
        argument += 5;
    if ((uintptr_t)x <= 4095 || (uintptr_t)x % WK_HEADER_ALIGNMENT != 0 || x->magic != WK_DEAD_TENSOR)
        return wk_fail(op,
                       "%s: expected a tensor, got an address that is none (%p)\nhint: a number or x + 1 in a "
                       "tensor's place, a pointer that was never set, or a tensor of long ago",
                       argument, (const void *)x);
    static const char hint[] = "hint: wk_keep(x) takes it one scope out";
    wk_scope_place place;
    wk_header_place(x, &place.file, &place.line);
    if (!place.file)
        return wk_fail(op, "%s: a tensor that was let go\nhint: wk_retain(x) holds it until wk_release(x)", argument);
    if (!place.line)
        return wk_fail(op, "%s: a tensor of %s, which has ended\n%s", argument, place.file, hint);
    return wk_fail(op, "%s: a tensor of the scope at %s:%d, which has closed\n%s", argument, place.file, place.line,
                   hint);
}

/* false after an error: a negative size, too many dims or elements */
static bool check_shape(const char *op, int ndim, const int64_t *shape, wk_dtype dtype, int64_t *bytes)
{
    if (ndim > WK_MAX_DIMS)
        return wk_fail(op, "expected at most %d dims, got %d", WK_MAX_DIMS, ndim);
    int64_t total = (int64_t)wk_dtype_size(dtype);
    bool empty = false;
    for (int dim = 0; dim < ndim; dim++) {
        if (shape[dim] < 0)
            return wk_fail(op, "sizes must not be negative: got %s",
                           wk_shape_text(ndim, shape, (char[WK_SHAPE_TEXT]){0}));
        empty |= shape[dim] == 0;
        /* of an empty one too: its strides */
        if (__builtin_mul_overflow(total, shape[dim] > 0 ? shape[dim] : 1, &total) || total > INT64_MAX / 2)
            return wk_fail(op, "%s is larger than memory can be", wk_shape_text(ndim, shape, (char[WK_SHAPE_TEXT]){0}));
    }
    *bytes = empty ? 0 : total;
    return true;
}

void wk_tensor_set_memory(wk_tensor *x, const wk_tensor *from)
{
    storage_release(x->storage);
    x->storage = NULL;
    if (!from)
        return;
    x->storage = from->storage;
    __atomic_add_fetch(&x->storage->references, 1, __ATOMIC_RELAXED);
    x->offset = from->offset;
    for (int dim = 0; dim < x->ndim; dim++)
        x->strides[dim] = from->strides[dim];
}

wk_tensor *wk_tensor_new(const char *op, int ndim, const int64_t *shape, wk_dtype dtype, wk_device device)
{
    int64_t bytes;
    if (!check_shape(op, ndim, shape, dtype, &bytes))
        return NULL;
    if ((device.type != WK_CPU || device.index != 0) && !wk_check_device(op, device))
        return NULL;
    wk_tensor *x = header_new(op, ndim, shape, dtype, device);
    if (!x)
        return NULL;
    wk_contiguous_strides(ndim, shape, x->strides);
    x->storage = storage_new(op, bytes, device);
    if (!x->storage) {
        wk_tensor_destroy(x);
        return NULL;
    }
    return wk_adopt(x);
}

wk_tensor *wk_tensor_new_ordered(const char *op, int ndim, const int64_t *shape, const int *order, wk_dtype dtype,
                                 wk_device device)
{
    wk_tensor *x = wk_tensor_new(op, ndim, shape, dtype, device);
    int64_t stride = 1;
    for (int i = ndim - 1; x && i >= 0; i--) {
        x->strides[order[i]] = stride;
        stride *= shape[order[i]] > 1 ? shape[order[i]] : 1;
    }
    return x;
}

wk_tensor *wk_tensor_alias(const char *op, wk_tensor *of, int ndim, const int64_t *shape, const int64_t *strides,
                           int64_t offset)
{
    int64_t numel;
    wk_tensor *x = wk_check_numel(op, ndim, shape, &numel) ? header_new(op, ndim, shape, of->dtype, of->device) : NULL;
    if (!x)
        return NULL;
    for (int dim = 0; dim < ndim; dim++)
        x->strides[dim] = strides[dim];
    x->offset = of->offset + offset;
    x->storage = of->storage;
    __atomic_add_fetch(&x->storage->references, 1, __ATOMIC_RELAXED);
    return wk_adopt(x);
}

wk_tensor *wk_tensor_from_memory(const char *op, void *data, int ndim, const int64_t *shape, const int64_t *strides,
                                 wk_dtype dtype, wk_device device, void (*release)(void *context), void *context)
{
    int64_t bytes;
    wk_tensor *x = wk_check_device(op, device) && check_shape(op, ndim, shape, dtype, &bytes)
                       ? header_new(op, ndim, shape, dtype, device)
                       : NULL;
    wk_storage *storage = x ? wk_alloc(sizeof *storage) : NULL;
    if (x && !storage)
        wk_out_of_memory(op, sizeof *storage);
    if (!storage) {
        if (x)
            wk_tensor_destroy(x);
        if (release)
            release(context);
        return NULL;
    }
    *storage = (wk_storage){.references = 1, .device = device, .inference = wk_inference, .bytes = bytes, .data = data,
                            .release = release,
                            .context = context};
    x->storage = storage;
    if (strides)
        memcpy(x->strides, strides, (size_t)ndim * sizeof *strides);
    else
        wk_contiguous_strides(ndim, shape, x->strides);
    return wk_adopt(x);
}

wk_tensor *wk_retain(wk_tensor *x)
{
    WK_OPTIONAL("retain", x);
    if (x)
        __atomic_add_fetch(&x->references, 1, __ATOMIC_RELAXED);
    return x;
}

void wk_release(wk_tensor *x)
{
    if (x && !wk_is_tensor(x)) {
        wk_not_a_tensor("release", "x", x);
        return;
    }
    /* the last owner needs no atomic decrement: nobody is left to race with */
    if (x && (__atomic_load_n(&x->references, __ATOMIC_ACQUIRE) == 1 ||
              __atomic_sub_fetch(&x->references, 1, __ATOMIC_ACQ_REL) == 0))
        wk_tensor_destroy(x);
}

/* of what has sizes and a dtype: false after an error, and quietly for NULL, which an error has left */
static bool known(const char *op, const wk_tensor *x)
{
    if (x && !wk_is_tensor(x))
        wk_not_a_tensor(op, "x", x);
    return x && wk_is_tensor(x);
}

int64_t wk_size(const wk_tensor *x, int dim)
{
    if (!known("size", x))
        return 1;
    dim = wk_check_dim("size", x->ndim, dim);
    return dim < 0 || x->ndim == 0 ? 1 : x->shape[dim];
}

int64_t wk_stride(const wk_tensor *x, int dim)
{
    if (!known("stride", x))
        return 0;
    dim = wk_check_dim("stride", x->ndim, dim);
    return dim < 0 || x->ndim == 0 ? 0 : x->strides[dim];
}

int64_t wk_numel(const wk_tensor *x) { return known("numel", x) ? x->numel : 0; }
int64_t wk_element_size(const wk_tensor *x) { return known("element_size", x) ? (int64_t)wk_dtype_size(x->dtype) : 0; }
bool wk_is_floating_point(const wk_tensor *x)
{
    return known("is_floating_point", x) && wk_dtype_is_floating(x->dtype);
}
bool wk_is_complex(const wk_tensor *x) { return known("is_complex", x) && wk_dtype_is_complex(x->dtype); }
void *wk_data_ptr(const wk_tensor *x) { return known("data_ptr", x) ? wk_data(x) : NULL; }
