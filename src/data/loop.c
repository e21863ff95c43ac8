/* The loop over a loader's batches.

   A loop draws the epoch's order first; then batch i is the items order[i*B .. i*B+B), whoever makes it, and its
   transform draws from a generator seeded with (the epoch's base seed + i).  So nothing depends on the number of
   workers. */
#include <string.h>

#include "core/alloc.h"
#include "core/tensor.h"
#include "kernels/fork.h"
#include "loop.h"
#include "progress.h"

static void loop_free(wk_batch_loop *loop)
{
    wk_end_walk(loop, &loop->walk);
    if (!wk_loop_is_in_child(loop)) {
        wk_stop_workers(loop);
        pthread_cond_destroy(&loop->place_free);
        pthread_cond_destroy(&loop->place_ready);
        pthread_mutex_destroy(&loop->mutex);
    }
    wk_free(loop->worker);
    wk_free(loop->place);
    wk_free(loop->order);
    wk_data_loader_free(loop->loader);
    wk_free(loop);
}

static bool check_order(const wk_batch_loop *loop)
{
    const int64_t length = loop->items ? wk_dataset_length(loop->loader->args.dataset) : 0;
    for (int64_t i = 0; i < loop->items; i++)
        if (loop->order[i] < 0 || loop->order[i] >= length)
            return wk_fail("data_loader", "sampler: expected indices in 0 .. %lld, got %lld", (long long)length - 1,
                           (long long)loop->order[i]);
    return true;
}

static wk_batch_loop *loop_new(wk_data_loader *loader)
{
    if (!loader)
        return wk_null_input("data_loader", "loader");
    wk_batch_loop *loop = wk_alloc_zeroed(sizeof *loop);
    if (!loop)
        return wk_out_of_memory("data_loader", sizeof *loop);
    __atomic_add_fetch(&loader->references, 1, __ATOMIC_RELAXED);
    loop->loader = loader;
    loop->forks = wk_forks;
    loop->items = loader->sampler ? loader->sampler->length : 0;
    loop->batches = loader->sampler ? wk_data_loader_length(loader) : INT64_MAX;
    pthread_mutex_init(&loop->mutex, NULL);
    pthread_cond_init(&loop->place_free, NULL);
    pthread_cond_init(&loop->place_ready, NULL);
    loop->order = wk_loader_new_order(loader);
    if (!loop->order || !wk_loader_draw_epoch(loader, loop->order, &loop->base_seed) || !check_order(loop) ||
        !wk_start_workers(loop)) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

/* for the progress bar; -1: who knows */
static int64_t steps_of(const wk_batch_loop *loop)
{
    const wk_data_loader *loader = loop->loader;
    return loader->sampler || loader->args.dataset->stream.length ? wk_data_loader_length(loader) : -1;
}

wk_batch_loop_guard wk_batch_loop_open_titled(wk_data_loader *loader, const char *title, ...)
{
    wk_batch_loop *loop = loop_new(loader);
    if (loop) {
        va_list arguments;
        va_start(arguments, title);
        wk_progress_start_with(&loop->progress, stdout, steps_of(loop), title, arguments);
        va_end(arguments);
        loop->progress.unit = loader->args.unit;
    }
    return (wk_batch_loop_guard){loop, loop != NULL};
}

wk_batch_loop_guard wk_batch_loop_open_silent(wk_data_loader *loader)
{
    wk_batch_loop *loop = loop_new(loader);
    return (wk_batch_loop_guard){loop, loop != NULL};
}

/* ends the turn of the batch that is out */
static void end_turn(wk_batch_loop *loop)
{
    if (!loop->in_scope)
        return;
    wk_scope_close(&loop->scope);
    loop->in_scope = false;
}

/* the batch that comes next, which is loop->next then; without x where there is none; false after an error */
static bool next_batch(wk_batch_loop *loop, wk_made_batch *made)
{
    *made = (wk_made_batch){.size = 0};
    if (loop->next == loop->batches)
        return true;
    if (!loop->workers)
        return wk_make_batch(loop, &loop->walk, loop->next, made);
    if (wk_loader_is_stream(loop->loader))
        return wk_take_of_stream(loop, &loop->next, made);
    return wk_take_from_place(loop, loop->next, made);
}

bool wk_batch_loop_next(wk_batch_loop *loop, wk_batch *batch)
{
    if (loop->in_scope)
        wk_progress_step(&loop->progress, loop->size);
    end_turn(loop);
    wk_made_batch made;
    if (wk_failing() || !next_batch(loop, &made))
        return false;
    wk_sampler *sampler = loop->loader->sampler;
    if (!made.sample.x) {
        if (sampler)
            wk_sampler_finish(sampler, loop->loader->generator);
        return false;
    }
    const int64_t index = loop->next++;
    loop->scope = wk_scope_open("a turn of wk_for_each_batch", 0);
    loop->in_scope = true;
    const int count = wk_sample_count(&made.sample);
    bool adopted = true;
    for (int i = 0; i < count; i++)
        adopted &= wk_adopt(made.sample.items[i]) != NULL;
    if (!adopted)
        return false;
    loop->size = made.size;
    *batch = (wk_batch){.index = loop->turns++,
                        .size = made.size,
                        .indices = sampler ? loop->order + wk_batch_begin(loop, index) : NULL,
                        .loop = loop};
    batch->sample = made.sample;
    return true;
}

void wk_batch_loop_close(wk_batch_loop_guard *guard)
{
    wk_batch_loop *loop = guard->loop;
    if (!loop)
        return;
    end_turn(loop);
    if (loop->progress.title[0])
        wk_progress_end(&loop->progress);
    loop_free(loop);
    guard->loop = NULL;
}

wk_progress *wk_batch_loop_progress(wk_batch_loop *loop) { return loop ? &loop->progress : NULL; }
