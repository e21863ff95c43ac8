/* How items become a batch.  A batch is made by get_items where the data set has it (tensors copy their rows straight
   into the batch), else by get_item for each item and one copy of each into the stack. */
#include <string.h>

#include <wick/cast.h>
#include <wick/join.h>
#include <wick/view.h>

#include "core/alloc.h"
#include "core/host.h"
#include "dataset.h"

static const wk_sample nothing;

int wk_sample_count(const wk_sample *sample)
{
    int count = 0;
    while (count < WK_SAMPLE_TENSORS && sample->items[count])
        count++;
    return count;
}

/* which item an error is about: its number in the data set, or, without indices, in the batch */
static long long number_of(const int64_t *indices, int64_t i) { return (long long)(indices ? indices[i] : i); }

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
        return wk_fail("collate", "item %lld: a batch of tensors of %d dims would have too many", number_of(indices, 0),
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
                           wk_dtype_name(first->dtype), wk_shape_string(first), number_of(indices, 0),
                           wk_dtype_name(x->dtype), wk_shape_string(x), number_of(indices, i));
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
                    number_of(indices, 0), wk_sample_count(&samples[i]), number_of(indices, i));
            return nothing;
        }
    for (int item = 0; item < tensors; item++)
        if (!(batch.items[item] = stack(samples, indices, count, item)))
            return nothing;
    return batch;
}

wk_sample wk_data_default_collate(void *context, const wk_sample *samples, int64_t count)
{
    (void)context;
    if (!samples || count < 1) {
        wk_fail("collate", "samples: expected at least one, got none");
        return nothing;
    }
    return stack_all(samples, NULL, count);
}

wk_sample wk_collate(const wk_sample *samples, const int64_t *indices, int64_t count,
                     wk_sample (*collate_fn)(void *context, const wk_sample *samples, int64_t count), void *context)
{
    if (!collate_fn)
        return stack_all(samples, indices, count);
    const wk_sample batch = collate_fn(context, samples, count);
    if (!wk_failing() && !batch.x)
        wk_fail("collate_fn", "expected a batch with at least one tensor (x), got none");
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
        return wk_check_item(&batch, "get_items", indices[0]) ? batch : nothing;
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
        good = wk_check_item(&samples[i], "get_item", indices[i]);
    }
    if (good)
        batch = wk_collate(samples, indices, count, collate_fn, context);
    wk_free(samples);
    return batch;
}
