/* The inside of data sets: what the loader needs of them. */
#ifndef WICK_DATASET_H
#define WICK_DATASET_H

#include <wick/data.h>

struct wk_dataset {
    int references; // atomic
    wk_dataset_args functions;
};

wk_dataset *wk_dataset_retain(wk_dataset *dataset);
/* items at indices, each 0 <= i < length, as one batch, made by collate_fn (NULL: stacked); x NULL after an error */
wk_sample wk_dataset_batch(wk_dataset *dataset, const int64_t *indices, int64_t count,
                           wk_sample (*collate_fn)(void *context, const wk_sample *samples, int64_t count),
                           void *context);
int wk_sample_count(const wk_sample *sample); // tensors in it

/* the epoch's indices by sampler, as PyTorch draws them from generator; NULL: from the process's */
bool wk_sampler_draw(const wk_sampler *sampler, int64_t *indices, wk_generator *generator);
/* what PyTorch's random sampler draws once more when an epoch is used up */
bool wk_sampler_finish(const wk_sampler *sampler, wk_generator *generator);

#endif
