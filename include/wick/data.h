/* Data sets, and the loader that makes batches of them.  PyTorch: https://pytorch.org/docs/stable/data.html

       wk_dataset *dataset = wk_data_tensor_dataset((images, labels));
       wk_data_loader *loader = wk_data_loader(dataset, .batch_size = 128, .shuffle = true, .seed = 0);
       for (int epoch = 0; epoch < epochs; epoch++)
           wk_for_each_batch (batch, loader, "epoch %d/%d", epoch + 1, epochs) {
               wk_tensor *loss = wk_cross_entropy(wk_forward(model, batch.x), batch.y);
               ...
               wk_batch_show(batch, "loss %.4f", wk_item(loss));
           }
       wk_data_loader_free(loader);
       wk_dataset_free(dataset);

   The order of the items and what random transforms draw depend on the generator alone, never on the number of workers;
   for one seed the order is that of PyTorch's DataLoader with generator=torch.Generator().manual_seed(seed). */
#ifndef WICK_DATA_H
#define WICK_DATA_H
#pragma GCC system_header // see tensor.h

#include <wick/error.h>
#include <wick/memory.h>
#include <wick/progress.h>
#include <wick/random.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define WK_SAMPLE_TENSORS 8

/* One item of a data set, or a batch of items: tensors up to the first NULL.  An item without x is an error. */
typedef union wk_sample {
    __extension__ struct {
        wk_tensor *x, *y;
    };
    wk_tensor *items[WK_SAMPLE_TENSORS];
} wk_sample;

/* ---------------------------------------------------------------- data sets */

/* data.Dataset: functions of the user's.  get_item may run in several threads at once; what it returns belongs to the
   innermost scope as always, and errors (wk_fail) reach the loop that asked.  What it draws in a loop without naming a
   generator comes from one of the batch's. */
typedef struct wk_dataset wk_dataset;
typedef struct wk_dataset_args {
    void *context; // given to each function
    int64_t (*length)(void *context);
    wk_sample (*get_item)(void *context, int64_t index); // 0 <= index < length
    /* may be left out: a whole batch at once, in place of get_item and the default collate */
    wk_sample (*get_items)(void *context, const int64_t *indices, int64_t count);
    void (*release)(void *context); // may be left out: when the last user of the data set goes
} wk_dataset_args;
#define wk_data_dataset(...) wk_data_dataset_with((wk_dataset_args){.context = __VA_ARGS__})

/* data.IterableDataset: a stream, of the user's.  iter begins a walk over it (a new epoch), in a worker over that
   worker's part of it (wk_data_get_worker_info), and returns what next is given: next returns the walk's next item,
   or at its end one without x.  Each walk stays in one thread; batch k comes from worker k % num_workers while that one
   has items.  Not for samplers, subsets and items by number; batch.indices is NULL. */
typedef struct wk_iterable_dataset_args {
    void *context;
    void *(*iter)(void *context);
    wk_sample (*next)(void *iterator);
    void (*close)(void *iterator);    // may be left out: when a walk ends
    int64_t (*length)(void *context); // may be left out: how many items all walks give together
    void (*release)(void *context);   // may be left out
} wk_iterable_dataset_args;
#define wk_data_iterable_dataset(...) wk_data_iterable_dataset_with((wk_iterable_dataset_args){.context = __VA_ARGS__})

/* data.TensorDataset: wk_data_tensor_dataset((images, labels)): item i is (images[i], labels[i]) */
#define wk_data_tensor_dataset(...) wk_data_tensor_dataset_with(WK_TUPLE(WK_TENSORS, __VA_ARGS__) __VA_ARGS__)
/* data.Subset: the items at indices (copied) of dataset, in that order */
wk_dataset *wk_data_subset(wk_dataset *dataset, const int64_t *indices, int64_t count);
/* data.ConcatDataset: wk_data_concat_dataset((a, b)): the items of a, then those of b */
#define wk_data_concat_dataset(...) wk_data_concat_dataset_with(WK_TUPLE(WK_DATASETS, __VA_ARGS__) __VA_ARGS__)
#define WK_DATASETS(...) ((wk_datasets){WK_COUNT(wk_dataset *, __VA_ARGS__), (wk_dataset *[]){__VA_ARGS__}})
typedef struct wk_datasets {
    int64_t count;
    wk_dataset **items;
} wk_datasets;
/* data.random_split(dataset, (50000, 10000), (&train, &test), .generator = g): lengths that add up to the whole; or
   fractions that add up to 1, (0.8, 0.2), each rounded down, what is left going to the first ones */
#define wk_data_random_split(dataset_, lengths_, ...)                                                                  \
    wk_data_random_split_with((wk_random_split_args){.dataset = dataset_,                                              \
                                                     .lengths = WK_TUPLE(WK_PARTS, lengths_) lengths_,                 \
                                                     .results = WK_TUPLE(WK_DATASET_PLACES, __VA_ARGS__) __VA_ARGS__})
#define WK_DATASET_PLACES(...) ((wk_dataset **[WK_MAX_DIMS]){__VA_ARGS__})
#define WK_PARTS(...) ((wk_parts){WK_COUNT(double, __VA_ARGS__), {__VA_ARGS__}})
typedef struct wk_parts {
    int count;
    double sizes[WK_MAX_DIMS + 1];
} wk_parts;
typedef struct wk_random_split_args {
    wk_dataset *dataset;
    wk_parts lengths;
    wk_dataset ***results;
    wk_generator *generator;
} wk_random_split_args;
bool wk_data_random_split_with(wk_random_split_args args); // false after an error: then nothing was made

int64_t wk_dataset_length(const wk_dataset *dataset);          // len(dataset); an error where a stream has none
wk_sample wk_dataset_item(wk_dataset *dataset, int64_t index); // dataset[index]; may be negative; x NULL after an error
void wk_dataset_free(wk_dataset *dataset); // the caller's hold on it: loaders and subsets keep theirs

wk_dataset *wk_data_dataset_with(wk_dataset_args args); // NULL after an error; release has then been called
wk_dataset *wk_data_iterable_dataset_with(wk_iterable_dataset_args args);
wk_dataset *wk_data_tensor_dataset_with(wk_tensors tensors);
wk_dataset *wk_data_concat_dataset_with(wk_datasets datasets);

/* data.default_collate: item k of each of count samples stacked, (count, ...); a number is a tensor of 0 dims.  What
   the loader does without .collate_fn; inside of one, for what needs nothing special.  context: not used. */
wk_sample wk_data_default_collate(void *context, const wk_sample *samples, int64_t count);

/* ---------------------------------------------------------------- samplers */

/* The order of an epoch.  Each returns a sampler that the caller frees (loaders keep theirs), NULL after an error.
   .generator is the sampler's own and must outlive it; without it the loader's is used, or the process's. */
typedef struct wk_sampler wk_sampler;
void wk_sampler_free(wk_sampler *sampler);            // NULL is fine
int64_t wk_sampler_length(const wk_sampler *sampler); // len(sampler): indices of an epoch

/* data.Sampler: the user's order.  draw writes an epoch's length indices; false after an error. */
typedef struct wk_sampler_args {
    void *context; // given to each function
    int64_t length;
    bool (*draw)(void *context, int64_t *indices, int64_t length, wk_generator *generator);
    void (*release)(void *context); // may be left out: when the last user of the sampler goes
} wk_sampler_args;
#define wk_data_sampler(...) wk_data_sampler_with((wk_sampler_args){.context = __VA_ARGS__})

wk_sampler *wk_data_sequential_sampler(const wk_dataset *dataset);
/* data.RandomSampler: num_samples of them (0: as many as there are), each time anew with .replacement */
#define wk_data_random_sampler(...) wk_data_random_sampler_with((wk_random_sampler_args){.dataset = __VA_ARGS__})
typedef struct wk_random_sampler_args {
    const wk_dataset *dataset;
    bool replacement;
    int64_t num_samples;
    wk_generator *generator;
} wk_random_sampler_args;
/* data.WeightedRandomSampler(weights, num_samples, replacement=True): item i with probability weights[i] / sum; weights
   (n,), copied */
#define wk_data_weighted_random_sampler(weights_, ...)                                                                 \
    wk_data_weighted_random_sampler_with(                                                                              \
        (wk_weighted_random_sampler_args){.replacement = true, .weights = weights_, .num_samples = __VA_ARGS__})
typedef struct wk_weighted_random_sampler_args {
    wk_tensor *weights;
    int64_t num_samples;
    bool replacement;
    wk_generator *generator;
} wk_weighted_random_sampler_args;
/* data.DistributedSampler(dataset, num_replicas, rank, shuffle=True, seed=0): the part of process rank of num_replicas,
   both to be given: every num_replicas-th item of an order that seed + epoch decides.  Parts are equally long: items of
   the order's beginning come again at its end, or, .drop_last, some of the end are left out.  Without
   wk_sampler_set_epoch every epoch has the same order. */
#define wk_data_distributed_sampler(...)                                                                               \
    wk_data_distributed_sampler_with((wk_distributed_sampler_args){.rank = -1, .shuffle = true, .dataset = __VA_ARGS__})
typedef struct wk_distributed_sampler_args {
    const wk_dataset *dataset;
    int64_t num_replicas, rank;
    bool shuffle;
    int64_t seed;
    bool drop_last;
} wk_distributed_sampler_args;
/* DistributedSampler.set_epoch, for loops that begin later; false after an error */
bool wk_sampler_set_epoch(wk_sampler *sampler, int64_t epoch);
/* data.BatchSampler: batches of sampler's items, for the loader's .batch_sampler */
wk_sampler *wk_data_batch_sampler(wk_sampler *sampler, int64_t batch_size, bool drop_last);

wk_sampler *wk_data_sampler_with(wk_sampler_args args); // release has been called where it returns NULL
wk_sampler *wk_data_random_sampler_with(wk_random_sampler_args args);
wk_sampler *wk_data_weighted_random_sampler_with(wk_weighted_random_sampler_args args);
wk_sampler *wk_data_distributed_sampler_with(wk_distributed_sampler_args args);

/* ---------------------------------------------------------------- the loader */

typedef struct wk_data_loader wk_data_loader;
typedef struct wk_data_loader_args {
    wk_dataset *dataset;
    int64_t batch_size; // 1
    bool shuffle;
    int64_t seed;              // >= 0: a generator of the loader's own; -1: .generator, or the process's
    wk_generator *generator;   // the caller's; must outlive the loader
    wk_sampler *sampler;       // in place of shuffle
    wk_sampler *batch_sampler; // in place of batch_size, shuffle, sampler and drop_last
    bool drop_last;            // leave out a last batch that is not full (of a stream: each worker's last)
    int num_workers;           // threads that make batches ahead; 0: made in the loop itself
    int prefetch;              // batches that each worker makes ahead; 2
    bool pin_memory;           // no effect without CUDA, as in PyTorch
    bool persistent_workers;   // no effect: threads last as long as a loop, and cost less than a batch
    /* called in each worker when a loop begins, with context and 0 .. num_workers - 1; errors reach the loop */
    void (*worker_init_fn)(void *context, int worker_id);
    /* In place of stacking the items: a batch from count samples. */
    wk_sample (*collate_fn)(void *context, const wk_sample *samples, int64_t count);
    /* Changes a batch (batch->x = ...) before it is handed out, with a generator that is the same for the same batch
       whichever worker makes it. */
    void (*transform)(void *context, wk_sample *batch, wk_generator *generator);
    void *context;    // given to collate_fn, transform and worker_init_fn
    const char *unit; // what the progress bar counts: "items"; a constant string
} wk_data_loader_args;
#define wk_data_loader(...)                                                                                            \
    wk_data_loader_with(                                                                                               \
        (wk_data_loader_args){.batch_size = 1, .seed = -1, .prefetch = 2, .unit = "items", .dataset = __VA_ARGS__})
wk_data_loader *wk_data_loader_with(wk_data_loader_args args);
void wk_data_loader_free(wk_data_loader *loader); // NULL is fine

int64_t
wk_data_loader_length(const wk_data_loader *loader); // batches in an epoch; an error where a stream has no length

/* data.get_worker_info(): which worker this thread is; NULL outside of a worker */
typedef struct wk_worker_info {
    int id, num_workers;
    uint64_t seed; // another one for each worker and each loop
    wk_dataset *dataset;
} wk_worker_info;
const wk_worker_info *wk_data_get_worker_info(void);

/* The next loop is this epoch (0: the first) of the loader's seed, as after a resume; only for a loader with .seed. */
bool wk_data_loader_set_epoch(wk_data_loader *loader, int64_t epoch);

/* ---------------------------------------------------------------- the loop */

typedef struct wk_batch {
    __extension__ union {
        __extension__ struct {
            wk_tensor *x, *y;
        };
        wk_tensor *items[WK_SAMPLE_TENSORS];
        wk_sample sample;
    };
    int64_t index;          // 0, 1, ... within the loop
    int64_t size;           // how many items it holds
    const int64_t *indices; // which ones; NULL of a stream
    struct wk_batch_loop *loop;
} wk_batch;

/* wk_for_each_batch (batch, loader) { ... } is one epoch; each turn is a wk_scope.  With a title, as printf takes it,
   each turn is also a step of a progress bar: wk_for_each_batch (batch, loader, "epoch %d", epoch).  One may break,
   continue and return out of it, and loop inside a loop.  An error that waits in a wk_try, or in host mode, ends the
   loop. */
#define wk_for_each_batch(batch, ...)                                                                                  \
    for (wk_batch_loop_guard wk_loop_here                                                                              \
         __attribute__((cleanup(wk_batch_loop_close))) = WK_BATCH_LOOP_OPEN(__VA_ARGS__);                              \
         wk_loop_here.open; wk_loop_here.open = false)                                                                 \
        for (wk_batch batch; wk_batch_loop_next(wk_loop_here.loop, &(batch));)
/* wk_batch_show(batch, "loss %.4f", loss): what the progress bar says beside it, until it is said anew */
#define wk_batch_show(batch, ...) wk_progress_show(wk_batch_loop_progress((batch).loop), __VA_ARGS__)

typedef struct wk_batch_loop_guard {
    struct wk_batch_loop *loop;
    bool open;
} wk_batch_loop_guard;
#define WK_BATCH_LOOP_OPEN(...)                                                                                        \
    WK_BATCH_LOOP_OPEN_(__VA_ARGS__, titled, titled, titled, titled, titled, titled, silent, 0)(__VA_ARGS__)
#define WK_BATCH_LOOP_OPEN_(a, b, c, d, e, f, g, which, ...) wk_batch_loop_open_##which
wk_batch_loop_guard wk_batch_loop_open_silent(wk_data_loader *loader);
wk_batch_loop_guard wk_batch_loop_open_titled(wk_data_loader *loader, const char *title, ...)
    __attribute__((format(printf, 2, 3)));
bool wk_batch_loop_next(struct wk_batch_loop *loop, wk_batch *batch);
void wk_batch_loop_close(wk_batch_loop_guard *guard);
wk_progress *wk_batch_loop_progress(struct wk_batch_loop *loop);

/* ---------------------------------------------------------------- files */

/* An IDX file (http://yann.lecun.com/exdb/mnist), gzipped or plain: uint8, int8, int16, int32, float32 or float64, of
   the shape that it tells.  Anything else is an error, whatever the file holds. */
wk_tensor *wk_data_load_idx(const char *path);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
