/* Data sets: the user's functions, by number or as a stream, and tensors.  Everything here may run in several threads
   at once: a data set is not changed after it is made. */
#include "dataset.h"

#include <string.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/index.h>
#include <wick/view.h>

#include "core/alloc.h"
#include "core/host.h"

static const wk_sample nothing;

/* ---------------------------------------------------------------- the user's */

/* holds the user's context from now on; after an error it has been released */
static wk_dataset *dataset_new(const char *op, const char *missing, wk_dataset_args functions)
{
    wk_dataset *dataset = NULL;
    if (missing)
        wk_fail(op, "%s: expected a function, got NULL", missing);
    else if (!(dataset = wk_alloc_zeroed(sizeof *dataset)))
        wk_out_of_memory(op, sizeof *dataset);
    else
        *dataset = (wk_dataset){.references = 1, .functions = functions};
    if (!dataset && functions.release)
        functions.release(functions.context);
    return dataset;
}

wk_dataset *wk_data_dataset_with(wk_dataset_args args)
{
    return dataset_new("dataset", !args.length ? "length" : !args.get_item ? "get_item" : NULL, args);
}

wk_dataset *wk_data_iterable_dataset_with(wk_iterable_dataset_args args)
{
    wk_dataset *dataset =
        dataset_new("iterable_dataset",
                    !args.iter   ? "iter"
                    : !args.next ? "next"
                                 : NULL,
                    (wk_dataset_args){.context = args.context, .length = args.length, .release = args.release});
    if (dataset)
        dataset->stream = args;
    return dataset;
}

wk_dataset *wk_dataset_retain(wk_dataset *dataset)
{
    __atomic_add_fetch(&dataset->references, 1, __ATOMIC_RELAXED);
    return dataset;
}

void wk_dataset_free(wk_dataset *dataset)
{
    if (!dataset || __atomic_sub_fetch(&dataset->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (dataset->functions.release)
        dataset->functions.release(dataset->functions.context);
    wk_free(dataset);
}

int64_t wk_dataset_length(const wk_dataset *dataset)
{
    if (!dataset)
        return 0;
    if (!dataset->functions.length) {
        wk_fail("dataset", "length: expected a data set that has one, got an iterable one");
        return 0;
    }
    return dataset->functions.length(dataset->functions.context);
}

/* an item that came without x is an error, unless one waits already */
bool wk_check_item(const wk_sample *sample, const char *function, int64_t index)
{
    if (wk_failing())
        return false;
    if (!sample->x)
        return wk_fail("dataset", "%s: expected at least one tensor (x) for item %lld, got none", function,
                       (long long)index);
    return true;
}

wk_sample wk_dataset_item(wk_dataset *dataset, int64_t index)
{
    if (!dataset) {
        wk_null_input("dataset", "dataset");
        return nothing;
    }
    if (dataset->stream.next) {
        wk_fail("dataset", "index: expected a data set of items by number, got an iterable one");
        return nothing;
    }
    const int64_t length = wk_dataset_length(dataset);
    if (index < -length || index >= length) {
        wk_fail("dataset", "index: expected %lld .. %lld, got %lld", (long long)-length, (long long)length - 1,
                (long long)index);
        return nothing;
    }
    index += index < 0 ? length : 0;
    wk_sample sample = dataset->functions.get_item(dataset->functions.context, index);
    return wk_check_item(&sample, "get_item", index) ? sample : nothing;
}

/* ---------------------------------------------------------------- tensors */

typedef struct tensor_items {
    int64_t length;
    int count;
    wk_tensor *tensors[WK_SAMPLE_TENSORS]; // contiguous, retained
} tensor_items;

static int64_t tensor_length(void *context) { return ((tensor_items *)context)->length; }

static wk_sample tensor_item(void *context, int64_t index)
{
    tensor_items *self = context;
    wk_sample sample = nothing;
    for (int i = 0; i < self->count; i++)
        if (!(sample.items[i] = wk_select(self->tensors[i], 0, index)))
            return nothing;
    return sample;
}

static wk_sample tensor_batch(void *context, const int64_t *indices, int64_t count)
{
    tensor_items *self = context;
    wk_sample batch = nothing;
    for (int item = 0; item < self->count; item++) {
        wk_tensor *x = self->tensors[item];
        if (x->device.type != WK_CPU) {
            wk_tensor *rows = wk_tensor((count), indices, .device = x->device);
            batch.items[item] = wk_index_select(x, 0, rows);
            if (!batch.items[item])
                return nothing;
            continue;
        }
        int64_t shape[WK_MAX_DIMS] = {count};
        memcpy(shape + 1, x->shape + 1, (size_t)(x->ndim - 1) * sizeof *shape);
        wk_tensor *rows = wk_tensor_new("data_loader", x->ndim, shape, x->dtype, x->device);
        if (!rows)
            return nothing;
        const size_t bytes = (size_t)(x->numel / self->length) * wk_dtype_size(x->dtype);
        const char *from = wk_host("data_loader", x);
        char *to = wk_host("data_loader", rows);
        for (int64_t i = 0; i < count; i++)
            memcpy(to + (size_t)i * bytes, from + (size_t)indices[i] * bytes, bytes);
        batch.items[item] = rows;
    }
    return batch;
}

static void tensor_release(void *context)
{
    tensor_items *self = context;
    for (int i = 0; i < self->count; i++)
        wk_release(self->tensors[i]);
    wk_free(self);
}

wk_dataset *wk_data_tensor_dataset_with(wk_tensors tensors)
{
    const char *const op = "tensor_dataset";
    if (tensors.count < 1 || tensors.count > WK_SAMPLE_TENSORS)
        return wk_fail(op, "tensors: expected 1 to %d, got %lld", WK_SAMPLE_TENSORS, (long long)tensors.count);
    for (int64_t i = 0; i < tensors.count; i++) {
        const wk_tensor *x = tensors.items[i];
        WK_REQUIRE(op, x);
        if (x->ndim < 1)
            return wk_fail(op, "tensors: expected each to have a first dim, its items, got a tensor of 0 dims");
        if (x->shape[0] != tensors.items[0]->shape[0])
            return wk_fail(op, "tensors: expected equal first dims, got %s and %s", wk_shape_string(tensors.items[0]),
                           wk_shape_string(x));
    }
    tensor_items *self = wk_alloc_zeroed(sizeof *self);
    if (!self)
        return wk_out_of_memory(op, sizeof *self);
    self->length = tensors.items[0]->shape[0];
    for (int64_t i = 0; i < tensors.count; i++) {
        wk_scope
        {
            self->tensors[i] = wk_retain(wk_contiguous(wk_detach(tensors.items[i])));
        }
        if (!self->tensors[i]) {
            tensor_release(self);
            return NULL;
        }
        self->count++;
    }
    return wk_data_dataset(self, .length = tensor_length, .get_item = tensor_item, .get_items = tensor_batch,
                           .release = tensor_release);
}
