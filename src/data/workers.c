/* The worker threads of a loop.

   Batch i goes through place i % places: a worker takes the next batch when its place is free (the loop has had batch
   i - places), makes it, and marks the place ready; the loop waits for its place, in order.  One mutex, two conditions.
   A worker computes with one thread, keeps its errors in the place, and hands tensors over by a retained reference,
   after its own scope has ended.  Of a stream, which has an order in each worker only, worker w makes batches w,
   w + workers, ..., and where its part ends, the loop goes on with the others.

   Threads last as long as a loop: starting them costs less than one batch, and nothing runs, or needs to be stopped,
   between loops.  Rejected: processes as PyTorch has them, since Python's threads do not run side by side. */
#include <signal.h>
#include <string.h>

#include "core/alloc.h"
#include "kernels/cpu/parallel.h"
#include "kernels/fork.h"
#include "loop.h"

static _Thread_local const wk_worker_info *worker_info;

const wk_worker_info *wk_data_get_worker_info(void) { return worker_info; }

/* the next batch that this worker is to make, when its place is free, or -1; the mutex is held */
static int64_t take(wk_batch_loop *loop, const wk_worker *worker, int64_t before)
{
    const bool stream = wk_loader_is_stream(loop->loader);
    for (;;) {
        const int64_t index = !stream ? loop->taken : before < 0 ? worker->info.id : before + loop->workers;
        if (loop->stopping || index >= loop->batches)
            return -1;
        if (index - loop->given < loop->places) {
            loop->taken += !stream;
            return index;
        }
        pthread_cond_wait(&loop->place_free, &loop->mutex);
    }
}

static void make_batches(wk_batch_loop *loop, wk_worker *worker, const wk_error *initial)
{
    wk_walk walk = {.begun = false};
    bool over = false;
    pthread_mutex_lock(&loop->mutex);
    for (int64_t index = -1; !over && (index = take(loop, worker, index)) >= 0;) {
        wk_place *place = &loop->place[index % loop->places];
        pthread_mutex_unlock(&loop->mutex);

        bool good = false;
        if (initial->set)
            place->error = *initial;
        else
            wk_try(&place->error) { good = wk_make_batch(loop, &walk, index, &place->made); }

        pthread_mutex_lock(&loop->mutex);
        place->good = good && !place->error.set;
        place->ready = true;
        /* the loop learns of a stream's end from a batch without x */
        over = wk_loader_is_stream(loop->loader) && (!place->good || !place->made.sample.x);
        pthread_cond_signal(&loop->place_ready);
    }
    pthread_mutex_unlock(&loop->mutex);
    wk_error ignored;
    wk_try(&ignored) { wk_end_walk(loop, &walk); }
}

static void *work(void *argument)
{
    wk_worker *worker = argument;
    wk_batch_loop *loop = worker->loop;
    const wk_data_loader_args *args = &loop->loader->args;
    wk_set_num_threads(1); // of this thread: the loop needs the others
    worker_info = &worker->info;
    wk_error initial = {.set = false};
    if (args->worker_init_fn)
        wk_try(&initial) { args->worker_init_fn(args->context, worker->info.id); }
    make_batches(loop, worker, &initial);
    return NULL;
}

bool wk_start_workers(wk_batch_loop *loop)
{
    const wk_data_loader_args *args = &loop->loader->args;
    const int wanted = args->num_workers < loop->batches ? args->num_workers : (int)loop->batches;
    if (wanted == 0)
        return true;
    const int64_t ahead = (int64_t)wanted * args->prefetch;
    const int64_t places = ahead < loop->batches ? ahead : loop->batches;
    const size_t bytes = (size_t)places * sizeof *loop->place, thread_bytes = (size_t)wanted * sizeof *loop->worker;
    loop->places = places;
    loop->place = wk_alloc_zeroed(bytes);
    loop->worker = wk_alloc_zeroed(thread_bytes);
    if (!loop->place || !loop->worker)
        return wk_out_of_memory("data_loader", bytes + thread_bytes);

    sigset_t all, before; // signals are the program's, not the workers'
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0, started = 0;
    pthread_mutex_lock(&loop->mutex); // workers begin when it is known how many they are
    while (started < wanted && !failed) {
        wk_worker *worker = &loop->worker[started];
        worker->loop = loop;
        worker->info = (wk_worker_info){started, args->num_workers, loop->base_seed + (uint64_t)started, args->dataset};
        failed = pthread_create(&worker->thread, NULL, work, worker);
        started += !failed;
    }
    loop->workers = started;
    pthread_mutex_unlock(&loop->mutex);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return wk_fail("data_loader", "num_workers: thread %d of %d could not start: %s", started + 1, wanted,
                       strerror(failed));
    return true;
}

bool wk_loop_is_in_child(const wk_batch_loop *loop) { return loop->forks != wk_forks; }

void wk_stop_workers(wk_batch_loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    loop->stopping = true;
    pthread_cond_broadcast(&loop->place_free);
    pthread_mutex_unlock(&loop->mutex);
    for (int i = 0; i < loop->workers; i++)
        pthread_join(loop->worker[i].thread, NULL);
    for (int64_t i = 0; loop->place && i < loop->places; i++)
        if (loop->place[i].ready && loop->place[i].good)
            wk_release_batch(&loop->place[i].made);
}

/* the place of a batch that the loop has had, or goes without, is free; the mutex is held */
static void free_place(wk_batch_loop *loop)
{
    loop->given++;
    if (wk_loader_is_stream(loop->loader))
        pthread_cond_broadcast(&loop->place_free); // one certain worker waits for it
    else
        pthread_cond_signal(&loop->place_free);
}

bool wk_take_from_place(wk_batch_loop *loop, int64_t index, wk_made_batch *made)
{
    if (wk_loop_is_in_child(loop))
        return wk_fail("data_loader", "num_workers: the worker threads of this loop are in the process that forked\n"
                                      "hint: fork before the loop, or begin another one in the child");
    wk_place *place = &loop->place[index % loop->places];
    pthread_mutex_lock(&loop->mutex);
    while (!place->ready)
        pthread_cond_wait(&loop->place_ready, &loop->mutex);
    const bool good = place->good;
    if (good) {
        *made = place->made;
        place->made = (wk_made_batch){.size = 0};
        place->ready = false;
        free_place(loop);
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

bool wk_take_of_stream(wk_batch_loop *loop, int64_t *index, wk_made_batch *made)
{
    for (int idle = 0; idle < loop->workers; ++*index) {
        wk_worker *worker = &loop->worker[*index % loop->workers];
        if (worker->ended) {
            idle++;
            pthread_mutex_lock(&loop->mutex);
            free_place(loop);
            pthread_mutex_unlock(&loop->mutex);
            continue;
        }
        if (!wk_take_from_place(loop, *index, made))
            return false;
        if (made->sample.x)
            return true;
        worker->ended = true;
        idle++;
    }
    *made = (wk_made_batch){.size = 0};
    return true;
}
