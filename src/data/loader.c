/* Loaders: what a loop over them is made by, and their part of the generator's numbers. */
#include "core/alloc.h"
#include "core/tensor.h"
#include "loop.h"

bool wk_loader_is_stream(const wk_data_loader *loader) { return loader->args.dataset->stream.next != NULL; }

/* what says which items make a batch: one way, and none of a stream */
static bool check_order_given(const wk_data_loader_args *args)
{
    const char *const op = "data_loader";
    if (args->sampler && args->shuffle)
        return wk_fail(op, "sampler, shuffle: expected one of them, got both");
    if (args->sampler && args->sampler->of)
        return wk_fail(op, "sampler: expected one of items, got a batch sampler\nhint: .batch_sampler");
    if (args->batch_sampler && !args->batch_sampler->of)
        return wk_fail(op, "batch_sampler: expected wk_data_batch_sampler, got a sampler of items\nhint: .sampler");
    if (args->batch_sampler && (args->batch_size != 1 || args->shuffle || args->sampler || args->drop_last))
        return wk_fail(op, "batch_sampler: expected neither batch_size, shuffle, sampler nor drop_last beside it");
    if (args->dataset->stream.next && (args->shuffle || args->sampler || args->batch_sampler))
        return wk_fail(op, "shuffle, sampler, batch_sampler: expected none of them for an iterable data set");
    return true;
}

/* the one that decides, with a reference of the loader's; NULL after an error */
static wk_sampler *sampler_of(const wk_data_loader_args *args)
{
    if (args->batch_sampler)
        return wk_sampler_retain(args->batch_sampler);
    if (args->sampler)
        return wk_sampler_retain(args->sampler);
    return args->shuffle ? wk_data_random_sampler(args->dataset) : wk_data_sequential_sampler(args->dataset);
}

wk_data_loader *wk_data_loader_with(wk_data_loader_args args)
{
    const char *const op = "data_loader";
    if (!args.dataset)
        return wk_null_input(op, "dataset");
    if (args.batch_size < 1)
        return wk_fail(op, "batch_size: expected 1 or more, got %lld", (long long)args.batch_size);
    if (args.num_workers < 0 || args.num_workers > 1024)
        return wk_fail(op, "num_workers: expected 0 to 1024, got %d", args.num_workers);
    if (args.prefetch < 1 || args.prefetch > 4096)
        return wk_fail(op, "prefetch: expected 1 to 4096, got %d", args.prefetch);
    if (args.seed < -1)
        return wk_fail(op, "seed: expected 0 or more, or -1 for none, got %lld", (long long)args.seed);
    if (args.seed >= 0 && args.generator)
        return wk_fail(op, "seed, generator: expected one of them, got both");
    if (args.persistent_workers && args.num_workers == 0)
        return wk_fail(op, "persistent_workers: expected num_workers above 0, got 0");
    if (!check_order_given(&args))
        return NULL;
    if (args.batch_sampler) {
        args.batch_size = args.batch_sampler->batch_size;
        args.drop_last = args.batch_sampler->drop_last;
    }
    const bool stream = args.dataset->stream.next;
    const int64_t length = stream ? 0 : wk_dataset_length(args.dataset);
    if (length < 0)
        return wk_fail(op, "dataset: expected a length of 0 or more, got %lld", (long long)length);

    wk_data_loader *loader = wk_alloc(sizeof *loader);
    if (!loader)
        return wk_out_of_memory(op, sizeof *loader);
    *loader = (wk_data_loader){.references = 1, .args = args, .generator = args.generator};
    if (!stream && !(loader->sampler = sampler_of(&args))) {
        wk_free(loader);
        return NULL;
    }
    wk_generator_init(&loader->own, args.seed >= 0 ? (uint64_t)args.seed : 0);
    if (args.seed >= 0)
        loader->generator = &loader->own;
    wk_dataset_retain(args.dataset);
    return loader;
}

void wk_data_loader_free(wk_data_loader *loader)
{
    if (!loader || __atomic_sub_fetch(&loader->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    wk_sampler_free(loader->sampler);
    wk_dataset_free(loader->args.dataset);
    pthread_mutex_destroy(&loader->own.mutex);
    wk_free(loader);
}

int64_t wk_data_loader_length(const wk_data_loader *loader)
{
    if (!loader)
        return 0;
    const int64_t items = loader->sampler ? loader->sampler->length : wk_dataset_length(loader->args.dataset);
    return items / loader->args.batch_size + (!loader->args.drop_last && items % loader->args.batch_size != 0);
}

bool wk_loader_draw_epoch(wk_data_loader *loader, int64_t *order, uint64_t *base_seed)
{
    int64_t seed;
    wk_random_full(wk_generator_or_default(loader->generator), wk_int64, &seed, 1);
    *base_seed = (uint64_t)seed;
    return !loader->sampler || wk_sampler_draw(loader->sampler, order, loader->generator);
}

int64_t *wk_loader_new_order(const wk_data_loader *loader)
{
    const size_t bytes = (size_t)(loader->sampler ? loader->sampler->length : 0) * sizeof(int64_t);
    int64_t *order = wk_alloc(bytes);
    return order ? order : wk_out_of_memory("data_loader", bytes);
}

bool wk_data_loader_set_epoch(wk_data_loader *loader, int64_t epoch)
{
    const char *const op = "set_epoch";
    if (!loader)
        return wk_null_input(op, "loader");
    if (loader->args.seed < 0)
        return wk_fail(op, "loader: expected one with a seed of its own\nhint: wk_data_loader(dataset, .seed = 0)");
    if (epoch < 0)
        return wk_fail(op, "epoch: expected 0 or more, got %lld", (long long)epoch);
    int64_t *order = wk_loader_new_order(loader);
    if (!order)
        return false;
    wk_generator_reseed(loader->generator, (uint64_t)loader->args.seed);
    bool good = true;
    for (int64_t i = 0; good && i < epoch; i++) {
        uint64_t base_seed;
        good = wk_loader_draw_epoch(loader, order, &base_seed) &&
               (!loader->sampler || wk_sampler_finish(loader->sampler, loader->generator));
    }
    wk_free(order);
    return good;
}
