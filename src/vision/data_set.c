/* Data sets that lie in memory: items are parts of tensors, which a transform may change. */
#include "data_set.h"

#include <wick/view.h>

#include "core/alloc.h"

typedef struct transformed {
    void *transform;
    wk_tensor *pictures, *targets; // retained
} transformed;

static int64_t length(void *context) { return ((const transformed *)context)->targets->shape[0]; }

static wk_sample item(void *context, int64_t index)
{
    const transformed *self = context;
    wk_tensor *x = wk_forward(self->transform, wk_select(self->pictures, 0, index));
    return (wk_sample){.x = x, .y = x ? wk_select(self->targets, 0, index) : NULL};
}

static void release(void *context)
{
    transformed *self = context;
    wk_release(self->pictures);
    wk_release(self->targets);
    wk_free(self);
}

static wk_dataset *transformed_dataset(void *transform, wk_tensor *pictures, wk_tensor *targets)
{
    transformed *self = wk_alloc_zeroed(sizeof *self);
    if (!self)
        return wk_out_of_memory("dataset", sizeof *self);
    *self = (transformed){transform, wk_retain(pictures), wk_retain(targets)};
    return wk_data_dataset(self, .length = length, .get_item = item, .release = release);
}

bool wk_vision_dataset_of(wk_vision_dataset *set, wk_tensor *data, wk_tensor *pictures, wk_tensor *targets,
                          const char *const *classes, int64_t class_count, void *transform)
{
    wk_dataset *dataset = !pictures || !targets ? NULL
                          : transform           ? transformed_dataset(transform, pictures, targets)
                                                : wk_data_tensor_dataset((pictures, targets));
    if (dataset)
        *set = (wk_vision_dataset){.dataset = dataset,
                                   .data = wk_keep(data),
                                   .targets = wk_keep(targets),
                                   .classes = classes,
                                   .class_count = class_count};
    return dataset;
}
