/* Data sets made of others: some of the items of one, and several one after another. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/text.h"
#include "core/random.h"
#include "core/tensor.h"
#include "dataset.h"

static const wk_sample nothing;

/* ---------------------------------------------------------------- some of one */

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
    if (dataset->stream.next)
        return wk_fail("subset", "dataset: expected one of items by number, got an iterable one");
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

/* how many items each part has; false after an error */
static bool read_parts(const char *op, const wk_parts *parts, int64_t length, int64_t sizes[WK_MAX_DIMS])
{
    double sum = 0;
    bool whole = true, fine = parts->count >= 1 && parts->count <= WK_MAX_DIMS;
    for (int i = 0; fine && i < parts->count; i++) {
        fine = parts->sizes[i] >= 0;
        whole &= parts->sizes[i] == floor(parts->sizes[i]);
        sum += parts->sizes[i];
    }
    if (fine && fabs(sum - 1) <= 1e-9 && sum <= 1) {
        int64_t rest = length;
        for (int i = 0; i < parts->count; i++)
            rest -= sizes[i] = (int64_t)floor((double)length * parts->sizes[i]);
        for (int i = 0; rest > 0; rest--, i = (i + 1) % parts->count)
            sizes[i]++;
        return true;
    }
    for (int i = 0; fine && i < parts->count; i++)
        sizes[i] = parts->sizes[i] <= (double)length ? (int64_t)parts->sizes[i] : 0;
    if (fine && whole && sum == (double)length)
        return true;
    WK_PLAIN_NUMBERS;
    char text[256] = "";
    for (int i = 0; i < parts->count && i < WK_MAX_DIMS; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%g", i ? ", " : "", parts->sizes[i]);
    return wk_fail(op,
                   "lengths: expected 0 or more each, that add up to the data set's %lld, or fractions, to 1, got (%s)",
                   (long long)length, text);
}

bool wk_data_random_split_with(wk_random_split_args args)
{
    const char *const op = "random_split";
    if (!args.dataset)
        return wk_null_input(op, "dataset");
    const int64_t length = wk_dataset_length(args.dataset);
    int64_t sizes[WK_MAX_DIMS];
    if (wk_failing() || !read_parts(op, &args.lengths, length, sizes))
        return false;
    for (int i = 0; i < args.lengths.count; i++)
        if (!args.results[i])
            return wk_fail(op, "results: expected as many places as lengths, %d, got %d", args.lengths.count, i);

    const size_t bytes = (size_t)length * sizeof(int64_t);
    int64_t *order = wk_alloc(bytes), begin = 0;
    bool good = true;
    if (!order)
        return wk_out_of_memory(op, bytes);
    wk_random_permutation(wk_generator_or_default(args.generator), wk_int64, order, length);
    for (int i = 0; i < args.lengths.count; i++)
        *args.results[i] = NULL;
    for (int i = 0; good && i < args.lengths.count; i++) {
        *args.results[i] = wk_data_subset(args.dataset, order + begin, sizes[i]);
        good = *args.results[i] != NULL;
        begin += sizes[i];
    }
    wk_free(order);
    for (int i = 0; !good && i < args.lengths.count; i++) {
        wk_dataset_free(*args.results[i]);
        *args.results[i] = NULL;
    }
    return good;
}

/* ---------------------------------------------------------------- one after another */

typedef struct concat_items {
    int64_t count;
    struct {
        wk_dataset *dataset;
        int64_t end; // the number of its last item, and one
    } parts[];
} concat_items;

static int64_t concat_length(void *context)
{
    const concat_items *self = context;
    return self->parts[self->count - 1].end;
}

static wk_sample concat_item(void *context, int64_t index)
{
    concat_items *self = context;
    int64_t low = 0, high = self->count - 1; // the first part that ends behind index
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (self->parts[middle].end <= index)
            low = middle + 1;
        else
            high = middle;
    }
    const wk_dataset_args *functions = &self->parts[low].dataset->functions;
    return functions->get_item(functions->context, index - (low ? self->parts[low - 1].end : 0));
}

static void concat_release(void *context)
{
    concat_items *self = context;
    for (int64_t i = 0; i < self->count; i++)
        wk_dataset_free(self->parts[i].dataset);
    wk_free(self);
}

wk_dataset *wk_data_concat_dataset_with(wk_datasets datasets)
{
    const char *const op = "concat_dataset";
    if (datasets.count < 1)
        return wk_fail(op, "datasets: expected at least one, got none");
    const size_t bytes = sizeof(concat_items) + (size_t)datasets.count * sizeof(*(concat_items *)0).parts[0];
    concat_items *self = wk_alloc_zeroed(bytes);
    if (!self)
        return wk_out_of_memory(op, bytes);
    int64_t end = 0;
    for (int64_t i = 0; i < datasets.count; i++) {
        wk_dataset *dataset = datasets.items[i];
        if (!dataset || dataset->stream.next) {
            concat_release(self);
            return wk_fail(op, "datasets: expected data sets of items by number, got %s as number %lld",
                           dataset ? "an iterable one" : "NULL", (long long)i);
        }
        end += wk_dataset_length(dataset);
        self->parts[i].dataset = wk_dataset_retain(dataset);
        self->parts[i].end = end;
        self->count++;
    }
    return wk_data_dataset(self, .length = concat_length, .get_item = concat_item, .release = concat_release);
}
