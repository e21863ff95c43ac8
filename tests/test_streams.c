/* Streams, and what workers know of themselves: PyTorch's batches (expected values: PyTorch 2.15). */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

#include "epochs.h"
#include "fails.h"

/* ---------------------------------------------------------------- streams */

/* a part of 0 .. 10 for each worker, that of worker 1 being shorter */
typedef struct walk {
    int64_t next, end, step;
} walk;
static int64_t fails_at = -1, open_walks, stream_released;

static void *begin(void *context)
{
    const wk_worker_info *info = wk_data_get_worker_info();
    walk *self = malloc(sizeof *self);
    assert_true(info == NULL || (info->id < info->num_workers && info->dataset));
    *self = (walk){info ? info->id : 0, info && info->id == 1 ? 5 : 11, info ? info->num_workers : 1};
    assert_string_equal(context, "stream");
    __atomic_add_fetch(&open_walks, 1, __ATOMIC_RELAXED);
    return self;
}
static wk_sample next(void *iterator)
{
    walk *self = iterator;
    const int64_t value = self->next;
    if (value == fails_at)
        return (wk_sample){.x = wk_fail("stream", "broken at %d", (int)value)};
    self->next += self->step;
    return (wk_sample){.x = value < self->end ? wk_tensor((), (const int64_t[]){value}) : NULL};
}
static void end(void *iterator)
{
    __atomic_sub_fetch(&open_walks, 1, __ATOMIC_RELAXED);
    free(iterator);
}
static int64_t eleven(void *context)
{
    (void)context;
    return 11;
}
static void release_stream(void *context)
{
    (void)context;
    stream_released++;
}

static void test_stream(void **state)
{
    (void)state;
    static const char *const whole[] = {"0 1|2 3|4 5|6 7|8 9|10", "0 1|2 3|4 5|6 7|8 9|10", "0 2|1 3|4 6|8 10",
                                        "0 3|1 4|2 5|6 9|8"};
    static const char *const full[] = {"0 1|2 3|4 5|6 7|8 9", "0 1|2 3|4 5|6 7|8 9", "0 2|1 3|4 6|8 10",
                                       "0 3|1 4|2 5|6 9"};
    char name[] = "stream";
    stream_released = 0;
    wk_dataset *dataset =
        wk_data_iterable_dataset(name, .iter = begin, .next = next, .close = end, .release = release_stream);
    wk_dataset *measured = wk_data_iterable_dataset(name, .iter = begin, .next = next, .close = end, .length = eleven);
    assert_null(wk_data_get_worker_info());
    for (int workers = 0; workers < 4; workers++)
        for (int prefetch = 1; prefetch < 4; prefetch++) {
            wk_data_loader *loader = wk_data_loader(dataset, 2, .num_workers = workers, .prefetch = prefetch);
            assert_string_equal(epoch_text(loader), whole[workers]);
            assert_string_equal(epoch_text(loader), whole[workers]);
            wk_for_each_batch (batch, loader) { // left early
                assert_null(batch.indices);
                break;
            }
            assert_int_equal(open_walks, 0);
            assert_fails(wk_data_loader_length(loader), "length: expected a data set that has one");
            fails_at = 4;
            assert_fails(((void)epoch_text(loader), false), "stream: broken at 4");
            fails_at = -1;
            assert_int_equal(open_walks, 0);
            wk_data_loader_free(loader);
            loader = wk_data_loader(measured, 2, .num_workers = workers, .prefetch = prefetch, .drop_last = true);
            assert_string_equal(epoch_text(loader), full[workers]);
            assert_int_equal(wk_data_loader_length(loader), 5);
            wk_data_loader_free(loader);
        }
    assert_fails(wk_data_loader(dataset, .shuffle = true), "expected none of them for an iterable data set");
    assert_fails(wk_dataset_item(dataset, 0).x, "got an iterable one");
    assert_fails(wk_dataset_length(dataset), "got an iterable one");
    assert_fails(wk_data_subset(dataset, NULL, 0), "got an iterable one");
    assert_fails(wk_data_concat_dataset((dataset)), "got an iterable one");
    assert_fails(wk_data_random_sampler(dataset), "random_sampler: length: expected a data set that has one");
    assert_fails(wk_data_iterable_dataset(name, .iter = begin), "next: expected a function, got NULL");
    assert_fails(wk_data_iterable_dataset(name, .next = next), "iter: expected a function, got NULL");
    wk_dataset_free(dataset);
    wk_dataset_free(measured);
    assert_int_equal(stream_released, 1);
}

/* ---------------------------------------------------------------- workers */

static int started[3];
static void note_start(void *context, int worker_id)
{
    const wk_worker_info *info = wk_data_get_worker_info();
    assert_int_equal(info->id, worker_id);
    assert_int_equal(info->num_workers, 3);
    __atomic_add_fetch(&started[worker_id], 1, __ATOMIC_RELAXED);
    if (context)
        wk_fail("initial", "worker %d cannot", worker_id);
}

static void test_worker_init(void **state)
{
    (void)state;
    wk_dataset *dataset = numbers(10);
    wk_data_loader *loader = wk_data_loader(dataset, 2, .num_workers = 3, .worker_init_fn = note_start,
                                            .pin_memory = true, .persistent_workers = true);
    assert_string_equal(epoch_text(loader), "0 1|2 3|4 5|6 7|8 9");
    for (int i = 0; i < 3; i++)
        assert_int_equal(started[i], 1);
    wk_data_loader_free(loader);
    loader = wk_data_loader(dataset, 2, .num_workers = 3, .worker_init_fn = note_start, .context = dataset);
    assert_fails(((void)epoch_text(loader), false), "cannot");
    wk_data_loader_free(loader);
    assert_fails(wk_data_loader(dataset, .persistent_workers = true), "persistent_workers: expected num_workers above");
    wk_dataset_free(dataset);
}

int main(void)
{
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {TEST(test_stream), TEST(test_worker_init)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
