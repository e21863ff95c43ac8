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
   innermost scope as always, and errors (wk_fail) reach the loop that asked. */
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

/* data.TensorDataset: wk_data_tensor_dataset((images, labels)): item i is (images[i], labels[i]) */
#define wk_data_tensor_dataset(...) wk_data_tensor_dataset_with(WK_TUPLE(WK_TENSORS, __VA_ARGS__) __VA_ARGS__)
/* data.Subset: the items at indices (copied) of dataset, in that order */
wk_dataset *wk_data_subset(wk_dataset *dataset, const int64_t *indices, int64_t count);
/* data.random_split(dataset, (50000, 10000), (&train, &test), .generator = g): lengths that add up to the whole */
#define wk_data_random_split(dataset_, lengths_, ...)                                                                  \
    wk_data_random_split_with((wk_random_split_args){.dataset = dataset_,                                              \
                                                     .lengths = WK_TUPLE(WK_SHAPE, lengths_) lengths_,                 \
                                                     .results = WK_TUPLE(WK_DATASET_PLACES, __VA_ARGS__) __VA_ARGS__})
#define WK_DATASET_PLACES(...) ((wk_dataset **[WK_MAX_DIMS]){__VA_ARGS__})
typedef struct wk_random_split_args {
    wk_dataset *dataset;
    wk_shape lengths;
    wk_dataset ***results;
    wk_generator *generator;
} wk_random_split_args;
bool wk_data_random_split_with(wk_random_split_args args); // false after an error: then nothing was made

int64_t wk_dataset_length(const wk_dataset *dataset);          // len(dataset)
wk_sample wk_dataset_item(wk_dataset *dataset, int64_t index); // dataset[index]; may be negative; x NULL after an error
void wk_dataset_free(wk_dataset *dataset); // the caller's hold on it: loaders and subsets keep theirs

wk_dataset *wk_data_dataset_with(wk_dataset_args args); // NULL after an error; release has then been called
wk_dataset *wk_data_tensor_dataset_with(wk_tensors tensors);

/* ---------------------------------------------------------------- samplers */

/* The order of an epoch: draw writes length indices.  The loader's own, without .sampler, is the sequential or
   (shuffle) the random one. */
typedef struct wk_sampler wk_sampler;
struct wk_sampler {
    int64_t length;
    bool (*draw)(const wk_sampler *sampler, int64_t *indices, wk_generator *generator); // false after an error
    int64_t population;
    bool replacement;
    void *context; // the user's
};
wk_sampler wk_data_sequential_sampler(const wk_dataset *dataset);
/* data.RandomSampler: num_samples of them (0: as many as there are), each time anew with .replacement */
#define wk_data_random_sampler(...) wk_data_random_sampler_with((wk_random_sampler_args){.dataset = __VA_ARGS__})
typedef struct wk_random_sampler_args {
    const wk_dataset *dataset;
    bool replacement;
    int64_t num_samples;
} wk_random_sampler_args;
wk_sampler wk_data_random_sampler_with(wk_random_sampler_args args);

/* ---------------------------------------------------------------- the loader */

typedef struct wk_data_loader wk_data_loader;
typedef struct wk_data_loader_args {
    wk_dataset *dataset;
    int64_t batch_size; // 1
    bool shuffle;
    int64_t seed;              // >= 0: a generator of the loader's own; -1: .generator, or the process's
    wk_generator *generator;   // the caller's; must outlive the loader
    const wk_sampler *sampler; // in place of shuffle; copied
    bool drop_last;            // leave out a last batch that is not full
    int num_workers;           // threads that make batches ahead; 0: made in the loop itself
    int prefetch;              // batches that each worker makes ahead; 2
    /* In place of stacking the items: a batch from count samples. */
    wk_sample (*collate_fn)(void *context, const wk_sample *samples, int64_t count);
    /* Changes a batch (batch->x = ...) before it is handed out, with a generator that is the same for the same batch
       whichever worker makes it. */
    void (*transform)(void *context, wk_sample *batch, wk_generator *generator);
    void *context;    // given to collate_fn and transform
    const char *unit; // what the progress bar counts: "items"; a constant string
} wk_data_loader_args;
#define wk_data_loader(...)                                                                                            \
    wk_data_loader_with(                                                                                               \
        (wk_data_loader_args){.batch_size = 1, .seed = -1, .prefetch = 2, .unit = "items", .dataset = __VA_ARGS__})
wk_data_loader *wk_data_loader_with(wk_data_loader_args args);
void wk_data_loader_free(wk_data_loader *loader); // NULL is fine

int64_t wk_data_loader_length(const wk_data_loader *loader); // batches in an epoch
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
    const int64_t *indices; // which ones
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
