/* Data sets: the user's functions, tensors, subsets; and how items become a batch.

   A batch is made by get_items where the data set has it (tensors copy their rows straight into the batch), else by
   get_item for each item and one copy of each into the stack.  Everything here may run in several threads at once: a
   data set is not changed after it is made. */
#include "dataset.h"

#include <string.h>

#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/index.h>
#include <wick/join.h>
#include <wick/view.h>

#include "autograd/node.h"
#include "core/alloc.h"
#include "core/random.h"
#include "core/host.h"

static const wk_sample nothing;

/* ---------------------------------------------------------------- the user's */

wk_dataset *wk_data_dataset_with(wk_dataset_args args)
{
    wk_dataset *dataset = NULL;
    if (!args.length)
        wk_fail("dataset", "length: expected a function, got NULL");
    else if (!args.get_item)
        wk_fail("dataset", "get_item: expected a function, got NULL");
    else if (!(dataset = wk_alloc(sizeof *dataset)))
        wk_out_of_memory("dataset", sizeof *dataset);
    if (!dataset) {
        if (args.release)
            args.release(args.context);
        return NULL;
    }
    *dataset = (wk_dataset){.references = 1, .functions = args};
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
    return dataset ? dataset->functions.length(dataset->functions.context) : 0;
}

int wk_sample_count(const wk_sample *sample)
{
    int count = 0;
    while (count < WK_SAMPLE_TENSORS && sample->items[count])
        count++;
    return count;
}

/* an item that came without x is an error, unless one waits already */
static bool check_item(const wk_sample *sample, const char *function, int64_t index)
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
    const int64_t length = wk_dataset_length(dataset);
    if (index < -length || index >= length) {
        wk_fail("dataset", "index: expected %lld .. %lld, got %lld", (long long)-length, (long long)length - 1,
                (long long)index);
        return nothing;
    }
    index += index < 0 ? length : 0;
    wk_sample sample = dataset->functions.get_item(dataset->functions.context, index);
    return check_item(&sample, "get_item", index) ? sample : nothing;
}

/* ---------------------------------------------------------------- batches */

/* where the items are on another device: op by op */
static wk_tensor *stack_on_device(const wk_sample *samples, int64_t count, int item)
{
    wk_tensor **items = wk_alloc((size_t)count * sizeof *items);
    if (!items)
        return wk_out_of_memory("collate", (size_t)count * sizeof *items);
    for (int64_t i = 0; i < count; i++)
        items[i] = samples[i].items[item];
    wk_tensor *batch = wk_stack_with((wk_join_args){.tensors = {count, items}});
    wk_free(items);
    return batch;
}

/* item i of every sample, one after another */
static wk_tensor *stack(const wk_sample *samples, const int64_t *indices, int64_t count, int item)
{
    static const char op[] = "collate";
    const wk_tensor *first = samples[0].items[item];
    if (first->device.type != WK_CPU)
        return stack_on_device(samples, count, item);
    int64_t shape[WK_MAX_DIMS] = {count};
    if (first->ndim >= WK_MAX_DIMS)
        return wk_fail("collate", "item %lld: a batch of tensors of %d dims would have too many", (long long)indices[0],
                       first->ndim);
    memcpy(shape + 1, first->shape, (size_t)first->ndim * sizeof *shape);
    wk_tensor *batch = wk_tensor_new("collate", first->ndim + 1, shape, first->dtype, first->device);
    if (!batch)
        return NULL;
    const size_t bytes = (size_t)first->numel * wk_dtype_size(first->dtype);
    for (int64_t i = 0; i < count; i++) {
        wk_tensor *x = samples[i].items[item];
        if (x->dtype != first->dtype || !wk_same_shape(x, first))
            return wk_fail("collate",
                           "items to be stacked: expected %s %s, as item %lld has, got %s %s for item %lld\n"
                           "hint: give a .collate_fn that pads or crops",
                           wk_dtype_name(first->dtype), wk_shape_string(first), (long long)indices[0],
                           wk_dtype_name(x->dtype), wk_shape_string(x), (long long)indices[i]);
        wk_tensor *dense = wk_contiguous(x);
        if (!dense)
            return NULL;
        memcpy((char *)wk_host(op, batch) + (size_t)i * bytes, wk_host(op, dense), bytes);
    }
    return batch;
}

static wk_sample stack_all(const wk_sample *samples, const int64_t *indices, int64_t count)
{
    wk_sample batch = nothing;
    const int tensors = wk_sample_count(&samples[0]);
    for (int64_t i = 1; i < count; i++)
        if (wk_sample_count(&samples[i]) != tensors) {
            wk_fail("collate", "items: expected %d tensors, as item %lld has, got %d for item %lld", tensors,
                    (long long)indices[0], wk_sample_count(&samples[i]), (long long)indices[i]);
            return nothing;
        }
    for (int item = 0; item < tensors; item++)
        if (!(batch.items[item] = stack(samples, indices, count, item)))
            return nothing;
    return batch;
}

wk_sample wk_dataset_batch(wk_dataset *dataset, const int64_t *indices, int64_t count,
                           wk_sample (*collate_fn)(void *context, const wk_sample *samples, int64_t count),
                           void *context)
{
    const wk_dataset_args *functions = &dataset->functions;
    wk_sample batch = nothing;
    if (functions->get_items && !collate_fn) {
        batch = functions->get_items(functions->context, indices, count);
        return check_item(&batch, "get_items", indices[0]) ? batch : nothing;
    }
    const size_t bytes = (size_t)count * sizeof(wk_sample);
    wk_sample *samples = wk_alloc(bytes);
    if (!samples) {
        wk_out_of_memory("data_loader", bytes);
        return nothing;
    }
    bool good = true;
    for (int64_t i = 0; good && i < count; i++) {
        samples[i] = functions->get_item(functions->context, indices[i]);
        good = check_item(&samples[i], "get_item", indices[i]);
    }
    if (good)
        batch = collate_fn ? collate_fn(context, samples, count) : stack_all(samples, indices, count);
    wk_free(samples);
    if (good && collate_fn && !wk_failing() && !batch.x)
        wk_fail("collate_fn", "expected a batch with at least one tensor (x), got none");
    return batch;
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

/* ---------------------------------------------------------------- subsets */

typedef struct subset_items {
    wk_dataset *whole;
    int64_t count;
    int64_t indices[];
} subset_items;

static int64_t subset_length(void *context) { return ((subset_items *)context)->count; }

static wk_sample subset_item(void *context, int64_t index)
{
    subset_items *self = context;
    return self->whole->functions.get_item(self->whole->functions.context, self->indices[index]);
}

static wk_sample subset_batch(void *context, const int64_t *indices, int64_t count)
{
    subset_items *self = context;
    const size_t bytes = (size_t)count * sizeof *indices;
    int64_t *of_whole = wk_alloc(bytes);
    if (!of_whole) {
        wk_out_of_memory("subset", bytes);
        return nothing;
    }
    for (int64_t i = 0; i < count; i++)
        of_whole[i] = self->indices[indices[i]];
    wk_sample batch = wk_dataset_batch(self->whole, of_whole, count, NULL, NULL);
    wk_free(of_whole);
    return batch;
}

static void subset_release(void *context)
{
    wk_dataset_free(((subset_items *)context)->whole);
    wk_free(context);
}

wk_dataset *wk_data_subset(wk_dataset *dataset, const int64_t *indices, int64_t count)
{
    if (!dataset || (!indices && count > 0))
        return wk_null_input("subset", dataset ? "indices" : "dataset");
    if (count < 0)
        return wk_fail("subset", "count: expected 0 or more, got %lld", (long long)count);
    const int64_t length = wk_dataset_length(dataset);
    const size_t bytes = sizeof(subset_items) + (size_t)count * sizeof *indices;
    subset_items *self = wk_alloc(bytes);
    if (!self)
        return wk_out_of_memory("subset", bytes);
    for (int64_t i = 0; i < count; i++) {
        const int64_t index = indices[i];
        if (index < -length || index >= length) {
            wk_free(self);
            return wk_fail("subset", "indices: expected each in %lld .. %lld, got %lld", (long long)-length,
                           (long long)length - 1, (long long)index);
        }
        self->indices[i] = index < 0 ? index + length : index;
    }
    self->whole = wk_dataset_retain(dataset);
    self->count = count;
    return wk_data_dataset(self, .length = subset_length, .get_item = subset_item, .get_items = subset_batch,
                           .release = subset_release);
}

bool wk_data_random_split_with(wk_random_split_args args)
{
    const char *const op = "random_split";
    if (!args.dataset)
        return wk_null_input(op, "dataset");
    const int64_t length = wk_dataset_length(args.dataset);
    int64_t rest = length;
    bool good = args.lengths.ndim <= WK_MAX_DIMS;
    for (int i = 0; good && i < args.lengths.ndim; i++) {
        good = args.lengths.sizes[i] >= 0 && args.lengths.sizes[i] <= rest;
        rest -= args.lengths.sizes[i];
        if (!args.results[i])
            return wk_fail(op, "results: expected as many places as lengths, %d, got %d", args.lengths.ndim, i);
    }
    if (!good || rest != 0)
        return wk_fail(op, "lengths: expected 0 or more each, that add up to the data set's %lld, got %s",
                       (long long)length,
                       wk_shape_text(args.lengths.ndim, args.lengths.sizes, (char[WK_SHAPE_TEXT]){0}));

    const size_t bytes = (size_t)length * sizeof(int64_t);
    int64_t *order = wk_alloc(bytes), begin = 0;
    if (!order)
        return wk_out_of_memory(op, bytes);
    wk_random_permutation(wk_generator_or_default(args.generator), wk_int64, order, length);
    for (int i = 0; i < args.lengths.ndim; i++)
        *args.results[i] = NULL;
    for (int i = 0; good && i < args.lengths.ndim; i++) {
        *args.results[i] = wk_data_subset(args.dataset, order + begin, args.lengths.sizes[i]);
        good = *args.results[i] != NULL;
        begin += args.lengths.sizes[i];
    }
    wk_free(order);
    for (int i = 0; !good && i < args.lengths.ndim; i++) {
        wk_dataset_free(*args.results[i]);
        *args.results[i] = NULL;
    }
    return good;
}
