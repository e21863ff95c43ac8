/* The inside of loaders and their loops, for the files that share it: loader.c, batch.c, workers.c, loop.c. */
#ifndef WICK_DATA_LOOP_H
#define WICK_DATA_LOOP_H

#include <pthread.h>

#include "core/random.h"
#include "dataset.h"

struct wk_data_loader {
    int references; // atomic: the user's, and each running loop's
    wk_data_loader_args args;
    wk_sampler *sampler;          // held; NULL of a stream
    wk_generator own, *generator; // NULL: the process's
};

bool wk_loader_is_stream(const wk_data_loader *loader);
/* what each epoch takes from the generator, in PyTorch's order: the base seed, then the items' order */
bool wk_loader_draw_epoch(wk_data_loader *loader, int64_t *order, uint64_t *base_seed);
int64_t *wk_loader_new_order(const wk_data_loader *loader); // room for an epoch's; NULL after an error

/* a walk over a stream, by one thread */
typedef struct wk_walk {
    void *iterator;
    bool begun, ended;
} wk_walk;

/* what was made: each tensor with a reference of the holder's; no x: the stream was at its end */
typedef struct wk_made_batch {
    wk_sample sample;
    int64_t size;
} wk_made_batch;

typedef struct wk_place {
    bool ready, good;
    wk_made_batch made;
    wk_error error;
} wk_place;

typedef struct wk_worker {
    struct wk_batch_loop *loop;
    wk_worker_info info;
    pthread_t thread;
    bool ended; // as the loop knows: its part of the stream has been handed out
} wk_worker;

typedef struct wk_batch_loop {
    wk_data_loader *loader;
    wk_scope_guard scope; // of the batch that is out
    bool in_scope;
    int64_t *order, items, batches, next; // of a stream: batches INT64_MAX, no order
    uint64_t base_seed;
    wk_walk walk; // of a stream without workers
    wk_progress progress;
    int64_t size;  // of the batch that is out, for the progress bar
    int64_t turns; // batches that were handed out: next, but for parts of a stream that ended early

    unsigned forks; // wk_forks where the workers are
    int workers;
    wk_worker *worker;
    pthread_mutex_t mutex;
    pthread_cond_t place_free, place_ready;
    int64_t places, taken, given; // batches that workers took, that the loop was given
    wk_place *place;
    bool stopping;
} wk_batch_loop;

/* Batch index, by the calling thread; walk: of a stream, its own.  False after an error. */
bool wk_make_batch(wk_batch_loop *loop, wk_walk *walk, int64_t index, wk_made_batch *made);
void wk_release_batch(wk_made_batch *made);
void wk_end_walk(const wk_batch_loop *loop, wk_walk *walk);
int64_t wk_batch_begin(const wk_batch_loop *loop, int64_t index); // where its items begin in the order

bool wk_start_workers(wk_batch_loop *loop);
void wk_stop_workers(wk_batch_loop *loop);
/* what the place of batch index holds, the place being free after that; false after an error */
bool wk_take_from_place(wk_batch_loop *loop, int64_t index, wk_made_batch *made);
/* the same of a stream: index moves over the workers whose parts are at their end; no x: all are */
bool wk_take_of_stream(wk_batch_loop *loop, int64_t *index, wk_made_batch *made);
bool wk_loop_is_in_child(const wk_batch_loop *loop); // of a process that forked, which has no workers

#endif
