/* Data sets, samplers, the loader and its loop: PyTorch's order for a seed (expected values: torch.utils.data of
   PyTorch 2.15), the same batches for any number of workers, errors of workers, leaving a loop early; nothing leaks. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

#include "leaks.h"

/* x: (n, 2) float32 with rows (i, -i); y: int64 (n,) i */
static wk_dataset *numbered(int64_t n)
{
    wk_dataset *dataset = NULL;
    wk_scope
    {
        wk_tensor *y = wk_arange(n);
        wk_tensor *x = wk_empty((n, 2));
        float *values = wk_data_ptr(x);
        for (int64_t i = 0; i < n; i++) {
            values[2 * i] = (float)i;
            values[2 * i + 1] = (float)-i;
        }
        dataset = wk_data_tensor_dataset((x, y));
    }
    assert_non_null(dataset);
    return dataset;
}

/* the items of an epoch, in order, as text "1 3 5 7|9 4" */
static const char *epoch_text(wk_data_loader *loader)
{
    static char text[4096];
    text[0] = '\0';
    wk_for_each_batch (batch, loader) {
        const int64_t *y = wk_data_ptr(batch.y);
        const float *x = wk_data_ptr(batch.x);
        assert_int_equal(batch.size, wk_size(batch.y, 0));
        for (int64_t i = 0; i < batch.size; i++) {
            assert_int_equal(y[i], batch.indices[i]);
            assert_true(x[2 * i] == (float)y[i] && x[2 * i + 1] == (float)-y[i]);
            sprintf(text + strlen(text), "%s%d", i ? " " : batch.index ? "|" : "", (int)y[i]);
        }
    }
    return text;
}

static void test_order_is_pytorchs(void **state)
{
    (void)state;
    static const char *const seeded[] = {"1 3 5 7|9 4 6 2|8 0", "5 1 6 0|9 7 8 4|3 2", "4 3 2 8|1 0 6 5|9 7"};
    wk_dataset *dataset = numbered(10);
    for (int workers = 0; workers <= 3; workers++) {
        wk_data_loader *loader =
            wk_data_loader(dataset, .batch_size = 4, .shuffle = true, .seed = 7, .num_workers = workers);
        assert_int_equal(wk_data_loader_length(loader), 3);
        for (int epoch = 0; epoch < 3; epoch++)
            assert_string_equal(epoch_text(loader), seeded[epoch]);
        assert_true(wk_data_loader_set_epoch(loader, 1));
        assert_string_equal(epoch_text(loader), seeded[1]);
        assert_string_equal(epoch_text(loader), seeded[2]);
        wk_data_loader_free(loader);
    }
    wk_manual_seed(3);
    wk_data_loader *loader = wk_data_loader(dataset, 4, .shuffle = true);
    assert_string_equal(epoch_text(loader), "6 2 0 1|8 3 5 4|7 9");
    assert_string_equal(epoch_text(loader), "3 4 0 9|6 7 1 2|5 8");
    wk_data_loader_free(loader);
    loader = wk_data_loader(dataset, 4, .drop_last = true, .num_workers = 2);
    assert_int_equal(wk_data_loader_length(loader), 2);
    assert_string_equal(epoch_text(loader), "0 1 2 3|4 5 6 7");
    wk_data_loader_free(loader);
    wk_dataset_free(dataset);
}

static void test_samplers(void **state)
{
    (void)state;
    wk_dataset *dataset = numbered(10);
    wk_sampler *sampler = wk_data_random_sampler(dataset, .replacement = true, .num_samples = 37);
    wk_data_loader *loader = wk_data_loader(dataset, .batch_size = 100, .sampler = sampler, .seed = 7);
    wk_sampler_free(sampler); // the loader keeps it
    assert_string_equal(epoch_text(loader),
                        "1 6 3 7 7 9 8 1 8 1 8 7 2 0 6 2 3 8 6 0 5 1 8 8 3 7 0 8 1 0 6 3 5 6 6 7 5");
    assert_string_equal(epoch_text(loader),
                        "1 4 2 2 1 4 8 2 2 9 9 7 3 0 7 0 5 2 2 0 7 3 2 0 0 3 9 2 9 1 2 1 5 7 2 5 6");
    wk_data_loader_free(loader);
    sampler = wk_data_random_sampler(dataset, .num_samples = 23);
    loader = wk_data_loader(dataset, .batch_size = 100, .sampler = sampler, .seed = 7);
    assert_string_equal(epoch_text(loader), "1 3 5 7 9 4 6 2 8 0 1 9 3 5 8 6 2 7 4 0 6 5 9");
    wk_sampler_free(sampler);
    wk_data_loader_free(loader);
    wk_dataset_free(dataset);
}

static void test_subsets(void **state)
{
    (void)state;
    wk_dataset *dataset = numbered(10), *larger, *smaller;
    wk_generator *generator = wk_generator_manual_seed(wk_generator_new(), 7);
    assert_true(wk_data_random_split(dataset, (6, 4), (&larger, &smaller), .generator = generator));
    wk_generator_free(generator);
    wk_dataset_free(dataset); // subsets keep it
    assert_int_equal(wk_dataset_length(larger), 6);
    wk_scope
    {
        static const int64_t first[] = {5, 0, 3, 4, 1, 7}, second[] = {9, 6, 8, 2};
        for (int i = 0; i < 6; i++)
            assert_int_equal(wk_item_int64(wk_dataset_item(larger, i).y), first[i]);
        for (int i = 0; i < 4; i++)
            assert_int_equal(wk_item_int64(wk_dataset_item(smaller, i - 4).y), second[i]);
        wk_dataset *two = wk_data_subset(smaller, (int64_t[]){-1, 0}, 2);
        wk_data_loader *loader = wk_data_loader(two, .batch_size = 2, .num_workers = 1);
        wk_for_each_batch (batch, loader) {
            assert_int_equal(wk_item_int64(wk_select(batch.y, 0, 0)), 2);
            assert_int_equal(wk_item_int64(wk_select(batch.y, 0, 1)), 9);
        }
        wk_data_loader_free(loader);
        wk_dataset_free(two);
    }
    wk_error error;
    wk_try(&error) { wk_data_random_split(larger, (3, 2), (&dataset, &smaller)); }
    assert_true(error.set && strstr(error.message, "add up to the data set's 6, or fractions, to 1, got (3, 2)"));
    wk_try(&error) { wk_data_random_split(larger, (0.5, 0.25), (&dataset, &smaller)); }
    assert_true(error.set && strstr(error.message, "or fractions, to 1, got (0.5, 0.25)"));
    wk_try(&error) { wk_data_random_split(larger, (1.5, -0.5), (&dataset, &smaller)); }
    assert_true(error.set && strstr(error.message, "got (1.5, -0.5)"));
    wk_try(&error) { wk_data_random_split(larger, (3, 3), (&dataset)); }
    assert_true(error.set && strstr(error.message, "as many places as lengths, 2, got 1"));
    wk_try(&error) { wk_data_subset(larger, (int64_t[]){6}, 1); }
    assert_true(error.set && strstr(error.message, "-6 .. 5, got 6"));
    wk_dataset_free(larger);
    wk_dataset_free(smaller);
}

/* ---------------------------------------------------------------- a data set of the user's */

typedef struct squares {
    int64_t length, bad; // item bad fails
    int released;
} squares;

static int64_t squares_length(void *context) { return ((squares *)context)->length; }
static wk_sample squares_item(void *context, int64_t index)
{
    squares *self = context;
    if (index == self->bad)
        return (wk_sample){.x = wk_fail("squares", "item %d: is broken\nhint: leave it out", (int)index)};
    wk_tensor *x = wk_full((2, 3), (double)(index * index));
    return (wk_sample){.x = wk_transpose(x, 0, 1), .y = wk_tensor((), (int64_t[]){index})};
}
static wk_sample squares_ragged(void *context, int64_t index)
{
    (void)context;
    return (wk_sample){.x = wk_zeros((index + 1, 2))};
}
static void squares_release(void *context) { ((squares *)context)->released++; }

static wk_sample only_count(void *context, const wk_sample *samples, int64_t count)
{
    assert_ptr_equal(context, &blocks_before);
    assert_non_null(samples[count - 1].y);
    return (wk_sample){.x = wk_full((count), (double)count)};
}

static void test_own_dataset(void **state)
{
    (void)state;
    squares self = {.length = 11, .bad = -1};
    wk_dataset *dataset =
        wk_data_dataset(&self, .length = squares_length, .get_item = squares_item, .release = squares_release);
    for (int workers = 0; workers <= 2; workers++) {
        wk_data_loader *loader = wk_data_loader(dataset, .batch_size = 3, .num_workers = workers, .prefetch = 1);
        int64_t batches = 0;
        wk_for_each_batch (batch, loader) {
            wk_unpack(batch.x, N, H, W);
            assert_true(N == (batch.index == 3 ? 2 : 3) && H == 3 && W == 2);
            assert_int_equal(wk_item(wk_select(wk_flatten(batch.x), 0, -1)), pow((double)(batch.index * 3 + N - 1), 2));
            assert_int_equal(batch.index, batches++);
        }
        assert_int_equal(batches, 4);
        wk_data_loader_free(loader);
        loader =
            wk_data_loader(dataset, 4, .num_workers = workers, .collate_fn = only_count, .context = &blocks_before);
        wk_for_each_batch (batch, loader) {
            assert_null(batch.y);
            assert_int_equal(wk_size(batch.x, 0), batch.size);
        }
        wk_data_loader_free(loader);
    }
    assert_int_equal(self.released, 0);
    wk_dataset_free(dataset);
    assert_int_equal(self.released, 1);

    wk_error error;
    wk_try(&error) { assert_null(wk_data_dataset(&self, .length = squares_length, .release = squares_release)); }
    assert_true(error.set && strstr(error.message, "get_item: expected a function"));
    assert_int_equal(self.released, 2);
}

static void test_errors_of_workers_reach_the_loop(void **state)
{
    (void)state;
    squares self = {.length = 40, .bad = 17};
    wk_dataset *dataset = wk_data_dataset(&self, .length = squares_length, .get_item = squares_item);
    wk_dataset *ragged = wk_data_dataset(&self, .length = squares_length, .get_item = squares_ragged);
    for (int workers = 0; workers <= 3; workers++) {
        wk_data_loader *loader = wk_data_loader(dataset, .batch_size = 5, .num_workers = workers);
        wk_error error;
        int64_t batches = 0;
        wk_try(&error)
        {
            wk_for_each_batch (batch, loader)
                batches++;
        }
        assert_true(error.set);
        assert_string_equal(error.op, "squares");
        assert_non_null(strstr(error.message, "squares: item 17: is broken\nhint: leave it out"));
        assert_int_equal(batches, 3);
        wk_data_loader_free(loader);

        loader = wk_data_loader(ragged, .batch_size = 5, .num_workers = workers);
        wk_try(&error)
        {
            wk_for_each_batch (batch, loader)
                batches++;
        }
        assert_true(error.set &&
                    strstr(error.message, "expected float32 (1, 2), as item 0 has, got float32 (2, 2) for item 1"));
        assert_int_equal(batches, 3);
        wk_data_loader_free(loader);
    }
    wk_dataset_free(ragged);
    wk_dataset_free(dataset);
}

/* an error in the loop's own body, kept in a wk_try, ends the loop */
static void test_error_in_the_body_ends_the_loop(void **state)
{
    (void)state;
    wk_dataset *dataset = numbered(10);
    wk_data_loader *loader = wk_data_loader(dataset, .num_workers = 1);
    wk_error error;
    int turns = 0;
    wk_try(&error)
    {
        wk_for_each_batch (batch, loader) {
            turns++;
            wk_add(batch.x, wk_zeros((7, 7)));
        }
    }
    assert_true(error.set);
    assert_int_equal(turns, 1);
    wk_data_loader_free(loader);
    wk_dataset_free(dataset);
}

static int64_t leave_by_return(wk_data_loader *loader)
{
    wk_for_each_batch (batch, loader)
        if (batch.index == 1)
            return wk_item_int64(wk_select(batch.y, 0, 0));
    return -1;
}

static void test_leaving_a_loop(void **state)
{
    (void)state;
    wk_dataset *dataset = numbered(20);
    for (int workers = 0; workers <= 2; workers++) {
        wk_data_loader *loader = wk_data_loader(dataset, .batch_size = 3, .num_workers = workers);
        assert_int_equal(leave_by_return(loader), 3);
        int turns = 0;
        wk_for_each_batch (batch, loader) {
            wk_scope
            {
                wk_zeros((100, 100));
                if (batch.index == 2)
                    break; // out of the scope
            }
            if (batch.index == 1)
                continue;
            turns++;
            if (batch.index == 3)
                break; // out of the loop
        }
        assert_int_equal(turns, 3);
        wk_for_each_batch (outer, loader)
            wk_for_each_batch (inner, loader)
                turns += outer.index == inner.index;
        assert_int_equal(turns, 3 + 7);
        wk_data_loader_free(loader);
    }
    wk_dataset_free(dataset);
}

/* ---------------------------------------------------------------- transforms */

static void add_noise(void *context, wk_sample *batch, wk_generator *generator)
{
    (void)context;
    batch->x = wk_add(batch->x, wk_rand_like(batch->x, .generator = generator));
}

static double noisy_sum(wk_dataset *dataset, int workers, double *second)
{
    double sums[2] = {0, 0};
    wk_data_loader *loader = wk_data_loader(dataset, .batch_size = 4, .shuffle = true, .seed = 5,
                                            .num_workers = workers, .transform = add_noise);
    for (int epoch = 0; epoch < 2; epoch++)
        wk_for_each_batch (batch, loader)
            sums[epoch] += (double)(batch.index + 1) * wk_item(wk_sum(batch.x));
    wk_data_loader_free(loader);
    *second = sums[1];
    return sums[0];
}

static void test_transform_does_not_depend_on_workers(void **state)
{
    (void)state;
    wk_dataset *dataset = numbered(50);
    double second, second_here;
    const double here = noisy_sum(dataset, 0, &second_here);
    assert_true(here != second_here);
    for (int workers = 1; workers <= 3; workers++) {
        assert_true(noisy_sum(dataset, workers, &second) == here);
        assert_true(second == second_here);
    }
    wk_dataset_free(dataset);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    wk_dataset *dataset = numbered(4);
    static const char *const expected[] = {"batch_size: expected 1 or more, got 0",
                                           "num_workers",
                                           "prefetch",
                                           "seed: expected",
                                           "got both",
                                           "dataset: expected"};
    wk_generator *generator = wk_generator_new();
    for (int i = 0; i < 6; i++) {
        wk_error error;
        wk_try(&error)
        {
            assert_null(i == 0   ? wk_data_loader(dataset, .batch_size = 0)
                        : i == 1 ? wk_data_loader(dataset, .num_workers = -1)
                        : i == 2 ? wk_data_loader(dataset, .prefetch = 0)
                        : i == 3 ? wk_data_loader(dataset, .seed = -3)
                        : i == 4 ? wk_data_loader(dataset, .seed = 1, .generator = generator)
                                 : wk_data_loader(NULL));
        }
        assert_true(error.set);
        assert_non_null(strstr(error.message, expected[i]));
    }
    wk_generator_free(generator);
    wk_dataset_free(dataset);
    wk_error error;
    wk_try(&error)
    {
        wk_scope
        {
            wk_data_tensor_dataset((wk_zeros((3, 2)), wk_zeros((2))));
        }
    }
    assert_true(error.set && strstr(error.message, "expected equal first dims, got (3, 2) and (2,)"));
}

static void test_empty_dataset(void **state)
{
    (void)state;
    wk_dataset *dataset = numbered(0);
    for (int workers = 0; workers <= 1; workers++) {
        wk_data_loader *loader = wk_data_loader(dataset, 4, .shuffle = true, .num_workers = workers);
        wk_for_each_batch (batch, loader)
            fail();
        wk_data_loader_free(loader);
    }
    wk_dataset_free(dataset);
}

/* every allocation of an epoch fails in turn: an error each time, and nothing leaked */
static void test_allocations_that_fail(void **state)
{
    (void)state;
    wk_dataset *dataset = numbered(10);
    for (int64_t n = 0, ended = 0; !ended; n++) {
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_error error;
        wk_memory_fail_after(n);
        wk_try(&error)
        {
            wk_data_loader *loader = wk_data_loader(dataset, 4, .shuffle = true, .transform = add_noise);
            if (loader)
                wk_for_each_batch (batch, loader)
                    assert_non_null(batch.x);
            wk_data_loader_free(loader);
        }
        ended = !error.set;
        assert_true(n < 1000);
        wk_memory_fail_after(-1);
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
    }
    wk_dataset_free(dataset);
}

/* What workers make and the loop lets go must not pile up in the loop's own cache of small blocks: here 70 MB. */
static void *make_many(void *tensors)
{
    for (int i = 0; i < 20000; i++)
        wk_scope
    {
        ((wk_tensor **)tensors)[i] = wk_retain(wk_empty((800)));
    }
    return NULL;
}

static void test_blocks_of_other_threads_do_not_pile_up(void **state)
{
    (void)state;
    wk_tensor **tensors = test_malloc(20000 * sizeof *tensors);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, make_many, tensors), 0);
    pthread_join(thread, NULL);
    for (int i = 0; i < 20000; i++)
        wk_release(tensors[i]);
    test_free(tensors);
    assert_true(wk_memory_get_stats().cached_bytes < 64 << 20);
}

int main(void)
{
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {
        TEST(test_order_is_pytorchs),
        TEST(test_samplers),
        TEST(test_subsets),
        TEST(test_own_dataset),
        TEST(test_errors_of_workers_reach_the_loop),
        TEST(test_error_in_the_body_ends_the_loop),
        TEST(test_leaving_a_loop),
        TEST(test_transform_does_not_depend_on_workers),
        TEST(test_bad_arguments),
        TEST(test_empty_dataset),
        TEST(test_allocations_that_fail),
        TEST(test_blocks_of_other_threads_do_not_pile_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
