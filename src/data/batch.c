/* One batch: of the items at a part of the epoch's order, or of the next ones of a stream. */
#include <wick/autograd.h>

#include "core/alloc.h"
#include "core/tensor.h"
#include "loop.h"

/* parts the seeds of what items draw and of what the loader's transform draws */
#define OF_ITEMS UINT64_C(0x9e3779b97f4a7c15)

int64_t wk_batch_begin(const wk_batch_loop *loop, int64_t index) { return index * loop->loader->args.batch_size; }

static bool transform(wk_batch_loop *loop, int64_t index, wk_sample *batch, wk_generator *generator)
{
    const wk_data_loader_args *args = &loop->loader->args;
    if (!args->transform)
        return true;
    wk_generator_reseed(generator, loop->base_seed + (uint64_t)index);
    args->transform(args->context, batch, generator);
    if (!batch->x && !wk_failing())
        wk_fail("transform", "batch->x: expected a tensor, got NULL");
    return !wk_failing();
}

static bool of_order(wk_batch_loop *loop, int64_t index, wk_made_batch *made)
{
    const wk_data_loader_args *args = &loop->loader->args;
    const int64_t rest = loop->items - wk_batch_begin(loop, index);
    made->size = rest < args->batch_size ? rest : args->batch_size;
    made->sample = wk_dataset_batch(args->dataset, loop->order + wk_batch_begin(loop, index), made->size,
                                    args->collate_fn, args->context);
    return made->sample.x != NULL;
}

/* up to batch_size items; the walk is over where there are fewer */
static bool of_stream(const wk_data_loader_args *args, wk_walk *walk, wk_made_batch *made)
{
    const wk_iterable_dataset_args *stream = &args->dataset->stream;
    if (!walk->begun) {
        walk->iterator = stream->iter(stream->context);
        walk->begun = !wk_failing();
    }
    if (!walk->begun || walk->ended)
        return walk->begun;
    const size_t bytes = (size_t)args->batch_size * sizeof(wk_sample);
    wk_sample *samples = wk_alloc(bytes);
    if (!samples)
        return wk_out_of_memory("data_loader", bytes);
    while (made->size < args->batch_size && !walk->ended) {
        samples[made->size] = stream->next(walk->iterator);
        walk->ended = wk_failing() || !samples[made->size].x;
        made->size += !walk->ended;
    }
    const bool leave_out = args->drop_last && made->size < args->batch_size;
    if (made->size > 0 && !leave_out && !wk_failing())
        made->sample = wk_collate(samples, NULL, made->size, args->collate_fn, args->context);
    wk_free(samples);
    return !wk_failing();
}

bool wk_make_batch(wk_batch_loop *loop, wk_walk *walk, int64_t index, wk_made_batch *made)
{
    const wk_data_loader_args *args = &loop->loader->args;
    bool good = false;
    *made = (wk_made_batch){.size = 0};
    /* what data sets and transforms draw without naming a generator comes from the batch's, too */
    wk_generator generator, *before = wk_generator_of_thread(&generator);
    wk_generator_init(&generator, (loop->base_seed + (uint64_t)index) ^ OF_ITEMS);
    wk_scope
    {
        wk_no_grad
        {
            good = wk_loader_is_stream(loop->loader) ? of_stream(args, walk, made) : of_order(loop, index, made);
            if (good && made->sample.x)
                good = transform(loop, index, &made->sample, &generator);
            const int count = good ? wk_sample_count(&made->sample) : 0;
            for (int i = 0; i < count; i++)
                wk_retain(made->sample.items[i]);
        }
    }
    wk_generator_of_thread(before);
    pthread_mutex_destroy(&generator.mutex);
    return good;
}

void wk_release_batch(wk_made_batch *made)
{
    const int count = wk_sample_count(&made->sample);
    for (int i = 0; i < count; i++)
        wk_release(made->sample.items[i]);
}

void wk_end_walk(const wk_batch_loop *loop, wk_walk *walk)
{
    const wk_iterable_dataset_args *stream = &loop->loader->args.dataset->stream;
    if (walk->begun && stream->close)
        stream->close(walk->iterator);
    walk->begun = false;
}
