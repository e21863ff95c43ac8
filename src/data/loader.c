/* The loader, and the loop over its batches.

   A loop draws the epoch's order first; then batch i is the items order[i*B .. i*B+B), whoever makes it, and its
   transform draws from a generator seeded with (the epoch's base seed + i).  So nothing depends on the number of
   workers.

   With workers, batch i goes through place i % places: a worker takes the next batch when its place is free (the loop
   has had batch i - places), makes it, and marks the place ready; the loop waits for its place, in order.  One mutex,
   two conditions.  A worker computes with one thread, keeps its errors in the place, and hands tensors over by a
   retained reference, after its own scope has ended.

   Threads last as long as a loop: starting them costs less than one batch, and nothing runs, or needs to be stopped,
   between loops.  Rejected: processes as PyTorch has them, since Python's threads do not run side by side. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <wick/autograd.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/tensor.h"
#include "dataset.h"
#include "kernels/cpu/parallel.h"
#include "kernels/fork.h"
#include "progress.h"

struct wk_data_loader {
    int references; // atomic: the user's, and each running loop's
    wk_data_loader_args args;
    wk_sampler sampler;
    wk_generator own, *generator; // NULL: the process's
};

typedef struct place {
    bool ready, good;
    wk_sample batch; // retained
    wk_error error;
} place;

typedef struct wk_batch_loop {
    wk_data_loader *loader;
    wk_scope_guard scope; // of the batch that is out
    bool in_scope;
    int64_t *order, items, batches, next;
    uint64_t base_seed;
    wk_progress progress;
    int64_t size; // of the batch that is out, for the progress bar

    unsigned forks; // wk_forks where the workers are
    int workers;
    pthread_t *threads;
    pthread_mutex_t mutex;
    pthread_cond_t place_free, place_ready;
    int64_t places, taken, given; // batches that workers took, that the loop was given
    place *place;
    bool stopping;
} wk_batch_loop;

/* ---------------------------------------------------------------- the loader */

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
    if (args.sampler && args.shuffle)
        return wk_fail(op, "sampler, shuffle: expected one of them, got both");
    if (args.sampler && (!args.sampler->draw || args.sampler->length < 0))
        return wk_fail(op, "sampler: expected a draw function and a length of 0 or more");
    const int64_t length = wk_dataset_length(args.dataset);
    if (length < 0)
        return wk_fail(op, "dataset: expected a length of 0 or more, got %lld", (long long)length);

    wk_data_loader *loader = wk_alloc(sizeof *loader);
    if (!loader)
        return wk_out_of_memory(op, sizeof *loader);
    *loader = (wk_data_loader){.references = 1, .args = args, .generator = args.generator};
    loader->sampler = args.sampler   ? *args.sampler
                      : args.shuffle ? wk_data_random_sampler(args.dataset)
                                     : wk_data_sequential_sampler(args.dataset);
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
    wk_dataset_free(loader->args.dataset);
    pthread_mutex_destroy(&loader->own.mutex);
    wk_free(loader);
}

int64_t wk_data_loader_length(const wk_data_loader *loader)
{
    if (!loader)
        return 0;
    const int64_t whole = loader->sampler.length / loader->args.batch_size;
    return whole + (!loader->args.drop_last && loader->sampler.length % loader->args.batch_size != 0);
}

/* what each epoch takes from the generator, in PyTorch's order: the base seed, then the items' order */
static bool draw_epoch(wk_data_loader *loader, int64_t *order, uint64_t *base_seed)
{
    int64_t seed;
    wk_random_full(wk_generator_or_default(loader->generator), wk_int64, &seed, 1);
    *base_seed = (uint64_t)seed;
    return wk_sampler_draw(&loader->sampler, order, loader->generator);
}

static int64_t *new_order(const wk_data_loader *loader)
{
    const size_t bytes = (size_t)loader->sampler.length * sizeof(int64_t);
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
    int64_t *order = new_order(loader);
    if (!order)
        return false;
    wk_generator_reseed(loader->generator, (uint64_t)loader->args.seed);
    bool good = true;
    for (int64_t i = 0; good && i < epoch; i++) {
        uint64_t base_seed;
        good = draw_epoch(loader, order, &base_seed) && wk_sampler_finish(&loader->sampler, loader->generator);
    }
    wk_free(order);
    return good;
}

/* ---------------------------------------------------------------- one batch */

static int64_t batch_begin(const wk_batch_loop *loop, int64_t index) { return index * loop->loader->args.batch_size; }

static int64_t batch_size(const wk_batch_loop *loop, int64_t index)
{
    const int64_t rest = loop->items - batch_begin(loop, index);
    return rest < loop->loader->args.batch_size ? rest : loop->loader->args.batch_size;
}

static bool transform(wk_batch_loop *loop, int64_t index, wk_sample *batch)
{
    const wk_data_loader_args *args = &loop->loader->args;
    if (!args->transform)
        return true;
    wk_generator generator;
    wk_generator_init(&generator, loop->base_seed + (uint64_t)index);
    args->transform(args->context, batch, &generator);
    pthread_mutex_destroy(&generator.mutex);
    if (!batch->x && !wk_failing())
        wk_fail("transform", "batch->x: expected a tensor, got NULL");
    return !wk_failing();
}

/* the batch's tensors, each with a reference of the caller's */
static bool make_batch(wk_batch_loop *loop, int64_t index, wk_sample *batch)
{
    const wk_data_loader_args *args = &loop->loader->args;
    bool good = false;
    *batch = (wk_sample){{NULL, NULL}};
    wk_scope
    {
        wk_no_grad
        {
            wk_sample made = wk_dataset_batch(args->dataset, loop->order + batch_begin(loop, index),
                                              batch_size(loop, index), args->collate_fn, args->context);
            if (made.x && transform(loop, index, &made)) {
                const int count = wk_sample_count(&made);
                for (int i = 0; i < count; i++)
                    batch->items[i] = wk_retain(made.items[i]);
                good = true;
            }
        }
    }
    return good;
}

static void release_batch(wk_sample *batch)
{
    const int count = wk_sample_count(batch);
    for (int i = 0; i < count; i++)
        wk_release(batch->items[i]);
}

/* ---------------------------------------------------------------- workers */

static void *work(void *argument)
{
    wk_batch_loop *loop = argument;
    wk_set_num_threads(1); // of this thread: the loop needs the others
    pthread_mutex_lock(&loop->mutex);
    for (;;) {
        while (!loop->stopping && loop->taken < loop->batches && loop->taken - loop->given >= loop->places)
            pthread_cond_wait(&loop->place_free, &loop->mutex);
        if (loop->stopping || loop->taken == loop->batches)
            break;
        const int64_t index = loop->taken++;
        place *place = &loop->place[index % loop->places];
        pthread_mutex_unlock(&loop->mutex);

        bool good = false;
        wk_try(&place->error) { good = make_batch(loop, index, &place->batch); }

        pthread_mutex_lock(&loop->mutex);
        place->good = good && !place->error.set;
        place->ready = true;
        pthread_cond_signal(&loop->place_ready);
    }
    pthread_mutex_unlock(&loop->mutex);
    return NULL;
}

static bool start_workers(wk_batch_loop *loop)
{
    const wk_data_loader_args *args = &loop->loader->args;
    const int64_t wanted = args->num_workers < loop->batches ? args->num_workers : loop->batches;
    if (wanted == 0)
        return true;
    const int64_t places = wanted * args->prefetch < loop->batches ? wanted * args->prefetch : loop->batches;
    const size_t bytes = (size_t)places * sizeof *loop->place, thread_bytes = (size_t)wanted * sizeof *loop->threads;
    loop->places = places;
    loop->place = wk_alloc_zeroed(bytes);
    loop->threads = wk_alloc(thread_bytes);
    if (!loop->place || !loop->threads)
        return wk_out_of_memory("data_loader", bytes + thread_bytes);

    sigset_t all, before; // signals are the program's, not the workers'
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    while (loop->workers < wanted && !failed) {
        failed = pthread_create(&loop->threads[loop->workers], NULL, work, loop);
        loop->workers += !failed;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return wk_fail("data_loader", "num_workers: thread %d of %lld could not start: %s", loop->workers + 1,
                       (long long)wanted, strerror(failed));
    return true;
}

static bool is_child(const wk_batch_loop *loop) { return loop->forks != wk_forks; } // who has no workers

static void stop_workers(wk_batch_loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    loop->stopping = true;
    pthread_cond_broadcast(&loop->place_free);
    pthread_mutex_unlock(&loop->mutex);
    for (int i = 0; i < loop->workers; i++)
        pthread_join(loop->threads[i], NULL);
    for (int64_t i = 0; loop->place && i < loop->places; i++)
        if (loop->place[i].ready)
            release_batch(&loop->place[i].batch);
}

/* what the place of batch index holds, the place being free after that; false after an error */
static bool take_from_place(wk_batch_loop *loop, int64_t index, wk_sample *batch)
{
    if (is_child(loop))
        return wk_fail("data_loader", "num_workers: the worker threads of this loop are in the process that forked\n"
                                      "hint: fork before the loop, or begin another one in the child");
    place *place = &loop->place[index % loop->places];
    pthread_mutex_lock(&loop->mutex);
    while (!place->ready)
        pthread_cond_wait(&loop->place_ready, &loop->mutex);
    const bool good = place->good;
    if (good) {
        *batch = place->batch;
        place->batch = (wk_sample){{NULL, NULL}};
        place->ready = false;
        loop->given++;
        pthread_cond_signal(&loop->place_free);
    }
    pthread_mutex_unlock(&loop->mutex);
    if (good)
        return true;
    const wk_error *error = &place->error; // no worker touches a place that was not freed
    const size_t name = strlen(error->op);
    const bool named =
        name && strncmp(error->message, error->op, name) == 0 && strncmp(error->message + name, ": ", 2) == 0;
    return wk_fail(error->set ? error->op : "data_loader",
                   "%s\nhint: this happened in a worker thread; with "
                   ".num_workers = 0 the traceback shows where",
                   error->set ? error->message + (named ? name + 2 : 0) : "a worker made no batch");
}

/* ---------------------------------------------------------------- the loop */

static void loop_free(wk_batch_loop *loop)
{
    if (!is_child(loop)) {
        stop_workers(loop);
        pthread_cond_destroy(&loop->place_free);
        pthread_cond_destroy(&loop->place_ready);
        pthread_mutex_destroy(&loop->mutex);
    }
    wk_free(loop->threads);
    wk_free(loop->place);
    wk_free(loop->order);
    wk_data_loader_free(loop->loader);
    wk_free(loop);
}

static bool check_order(const wk_batch_loop *loop)
{
    const int64_t length = wk_dataset_length(loop->loader->args.dataset);
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
    loop->items = loader->sampler.length;
    loop->batches = wk_data_loader_length(loader);
    pthread_mutex_init(&loop->mutex, NULL);
    pthread_cond_init(&loop->place_free, NULL);
    pthread_cond_init(&loop->place_ready, NULL);
    loop->order = new_order(loader);
    if (!loop->order || !draw_epoch(loader, loop->order, &loop->base_seed) || !check_order(loop) ||
        !start_workers(loop)) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

wk_batch_loop_guard wk_batch_loop_open_titled(wk_data_loader *loader, const char *title, ...)
{
    wk_batch_loop *loop = loop_new(loader);
    if (loop) {
        va_list arguments;
        va_start(arguments, title);
        wk_progress_start_with(&loop->progress, stdout, loop->batches, title, arguments);
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

bool wk_batch_loop_next(wk_batch_loop *loop, wk_batch *batch)
{
    if (loop->in_scope)
        wk_progress_step(&loop->progress, loop->size);
    end_turn(loop);
    if (wk_failing())
        return false;
    if (loop->next == loop->batches) {
        wk_sampler_finish(&loop->loader->sampler, loop->loader->generator);
        return false;
    }
    const int64_t index = loop->next++;
    wk_sample made;
    const bool good = loop->workers ? take_from_place(loop, index, &made) : make_batch(loop, index, &made);
    if (!good)
        return false;
    loop->scope = wk_scope_open("a turn of wk_for_each_batch", 0);
    loop->in_scope = true;
    const int count = wk_sample_count(&made);
    bool adopted = true;
    for (int i = 0; i < count; i++)
        adopted &= wk_adopt(made.items[i]) != NULL;
    if (!adopted)
        return false;
    loop->size = batch_size(loop, index);
    *batch =
        (wk_batch){.index = index, .size = loop->size, .indices = loop->order + batch_begin(loop, index), .loop = loop};
    batch->sample = made;
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
