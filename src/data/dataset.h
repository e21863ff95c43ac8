/* The inside of data sets and samplers: what the loader needs of them. */
#ifndef WICK_DATASET_H
#define WICK_DATASET_H

#include <wick/data.h>

struct wk_dataset {
    int references; // atomic
    wk_dataset_args functions;
    wk_iterable_dataset_args stream; // has .next where items have no numbers
};

wk_dataset *wk_dataset_retain(wk_dataset *dataset);
/* false where an error waits, or the item that function made came without x, which is one */
bool wk_check_item(const wk_sample *sample, const char *function, int64_t index);
/* items at indices, each 0 <= i < length, as one batch, made by collate_fn (NULL: stacked); x NULL after an error */
wk_sample wk_dataset_batch(wk_dataset *dataset, const int64_t *indices, int64_t count,
                           wk_sample (*collate_fn)(void *context, const wk_sample *samples, int64_t count),
                           void *context);
/* the same of items that are there; indices: what errors call them, or NULL */
wk_sample wk_collate(const wk_sample *samples, const int64_t *indices, int64_t count,
                     wk_sample (*collate_fn)(void *context, const wk_sample *samples, int64_t count), void *context);
int wk_sample_count(const wk_sample *sample); // tensors in it

struct wk_sampler {
    int references; // atomic
    int64_t length;
    bool (*draw)(const wk_sampler *sampler, int64_t *indices, wk_generator *generator); // generator may be NULL
    wk_generator *generator; // the sampler's own, or NULL: the loader's
    int64_t population;
    bool replacement;
    wk_tensor *weights; // float64, retained
    wk_distributed_sampler_args distributed;
    int64_t epoch;             // atomic
    wk_sampler_args functions; // the user's
    wk_sampler *of;            // of a batch sampler: whose items it makes batches of
    int64_t batch_size;
    bool drop_last;
};

wk_sampler *wk_sampler_retain(wk_sampler *sampler);
/* the epoch's indices by sampler, as PyTorch draws them from generator; NULL: from the process's */
bool wk_sampler_draw(const wk_sampler *sampler, int64_t *indices, wk_generator *generator);
/* what PyTorch's random sampler draws once more when an epoch is used up */
bool wk_sampler_finish(const wk_sampler *sampler, wk_generator *generator);

#endif
