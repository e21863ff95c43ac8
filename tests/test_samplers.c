/* Samplers, and data sets made of others: PyTorch's orders (expected values: torch.utils.data of PyTorch 2.15). */
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

static const char *order(wk_dataset *dataset, wk_sampler *sampler)
{
    wk_data_loader *loader = wk_data_loader(dataset, 1000, .sampler = sampler);
    assert_non_null(loader);
    const char *text = epoch_text(loader);
    wk_data_loader_free(loader);
    return text;
}

/* ---------------------------------------------------------------- samplers */

static void test_distributed(void **state)
{
    (void)state;
    static const struct {
        wk_distributed_sampler_args args;
        const char *first, *third;
    } rows[] = {
        {{.num_replicas = 3, .rank = 0, .shuffle = true}, "4 5 0 2", "8 5 0 3"},
        {{.num_replicas = 3, .rank = 1, .shuffle = true}, "1 3 8 4", "7 6 4 8"},
        {{.num_replicas = 3, .rank = 2, .shuffle = true}, "7 9 6 1", "1 9 2 7"},
        {{.num_replicas = 3, .rank = 1, .shuffle = true, .drop_last = true}, "1 3 8", "7 6 4"},
        {{.num_replicas = 4, .rank = 3}, "3 7 1", "3 7 1"},
        {{.num_replicas = 4, .rank = 1, .drop_last = true}, "1 5", "1 5"},
        {{.num_replicas = 3, .rank = 2, .shuffle = true, .seed = 5}, "9 5 8 4", "3 7 8 0"},
    };
    wk_dataset *dataset = numbers(10);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wk_distributed_sampler_args args = rows[i].args;
        args.dataset = dataset;
        wk_sampler *sampler = wk_data_distributed_sampler_with(args);
        wk_data_loader *loader = wk_data_loader(dataset, 1000, .sampler = sampler);
        assert_string_equal(epoch_text(loader), rows[i].first);
        assert_string_equal(epoch_text(loader), rows[i].first);
        assert_true(wk_sampler_set_epoch(sampler, 2)); // the loader's sees it
        assert_string_equal(epoch_text(loader), rows[i].third);
        wk_data_loader_free(loader);
        wk_sampler_free(sampler);
    }
    wk_manual_seed(3); // takes nothing of the process's generator
    wk_sampler *sampler = wk_data_distributed_sampler(dataset, .num_replicas = 2, .rank = 1);
    order(dataset, sampler);
    wk_scope
    {
        assert_true(wk_item(wk_rand((1))) == 0.2858424782752991);
    }
    wk_sampler_free(sampler);
    assert_fails(wk_data_distributed_sampler(dataset, .num_replicas = 2), "rank: expected 0 .. 1, got -1");
    assert_fails(wk_data_distributed_sampler(dataset, .num_replicas = 2, .rank = 2), "rank: expected 0 .. 1, got 2");
    assert_fails(wk_data_distributed_sampler(dataset, .rank = 0), "num_replicas: expected 1 or more, got 0");
    assert_fails(wk_data_distributed_sampler(NULL, .num_replicas = 1, .rank = 0), "dataset");
    sampler = wk_data_sequential_sampler(dataset);
    assert_fails(wk_sampler_set_epoch(sampler, 1), "expected a distributed sampler");
    wk_sampler_free(sampler);
    wk_dataset_free(dataset);

    dataset = numbers(3); // the padding goes around more than once
    static const char *const all[] = {"0", "1", "2", "0", "1", "2", "0", "1"};
    for (int rank = 0; rank < 8; rank++) {
        sampler = wk_data_distributed_sampler(dataset, 8, rank, .shuffle = false);
        assert_string_equal(order(dataset, sampler), all[rank]);
        wk_sampler_free(sampler);
    }
    wk_dataset_free(dataset);
    dataset = numbers(0);
    sampler = wk_data_distributed_sampler(dataset, .num_replicas = 2, .rank = 0);
    assert_string_equal(order(dataset, sampler), "");
    wk_sampler_free(sampler);
    wk_dataset_free(dataset);
}

static void test_weighted(void **state)
{
    (void)state;
    wk_dataset *dataset = numbers(5);
    wk_generator *generator = wk_generator_manual_seed(wk_generator_new(), 7);
    wk_sampler *sampler = NULL;
    wk_scope
    {
        wk_tensor *weights = wk_tensor((5), ((double[]){1, 2, 0, 4, .5}));
        sampler = wk_data_weighted_random_sampler(weights, 12, .generator = generator);
        wk_zero_(weights); // copied
    }
    assert_string_equal(order(dataset, sampler), "1 1 3 3 3 3 1 3 3 3 0 0");
    assert_string_equal(order(dataset, sampler), "1 0 0 3 0 4 0 4 3 3 3 1");
    wk_sampler_free(sampler);
    wk_scope
    {
        wk_tensor *weights = wk_tensor((4), ((int64_t[]){1, 2, 0, 4}));
        sampler = wk_data_weighted_random_sampler(weights, 3, .replacement = false);
        for (int i = 0; i < 5; i++) { // each of those with a weight, once
            int seen = 0;
            wk_data_loader *loader = wk_data_loader(dataset, 3, .sampler = sampler, .seed = i);
            wk_for_each_batch (batch, loader)
                for (int at = 0; at < 3; at++)
                    seen |= 1 << batch.indices[at];
            assert_int_equal(seen, 1 | 2 | 8);
            wk_data_loader_free(loader);
        }
        assert_fails(wk_data_weighted_random_sampler(weights, 5, .replacement = false), ".replacement = true");
        assert_fails(wk_data_weighted_random_sampler(weights, 0), "num_samples: expected 1 or more, got 0");
        assert_fails(wk_data_weighted_random_sampler(wk_ones((2, 2)), 1), "weights: expected a real tensor (n,)");
        assert_fails(wk_data_weighted_random_sampler(NULL, 1), "weights");
        wk_sampler_free(sampler);
        sampler = wk_data_weighted_random_sampler(wk_zeros((4)), 2);
        assert_fails(((void)order(dataset, sampler), false),
                     "weighted_random_sampler: weights: row 0 has no weight above 0");
        wk_sampler_free(sampler);
    }
    wk_generator_free(generator);
    wk_dataset_free(dataset);
}

static void test_generators(void **state)
{
    (void)state;
    wk_dataset *dataset = numbers(10);
    wk_generator *generator = wk_generator_manual_seed(wk_generator_new(), 7);
    wk_sampler *sampler = wk_data_random_sampler(dataset, .generator = generator);
    assert_int_equal(wk_sampler_length(sampler), 10);
    assert_string_equal(order(dataset, sampler), "5 0 3 4 1 7 9 6 8 2");
    assert_string_equal(order(dataset, sampler), "3 7 6 2 9 0 5 4 1 8");
    wk_sampler_free(sampler);
    wk_generator_free(generator);
    assert_fails(wk_data_random_sampler(dataset, .num_samples = -1), "num_samples: expected 0 or more");
    assert_fails(wk_data_random_sampler(NULL), "dataset");
    wk_dataset_free(dataset);
}

static bool draw_backwards(void *context, int64_t *indices, int64_t length, wk_generator *generator)
{
    assert_non_null(generator);
    if (*(int *)context < 0)
        return wk_fail("backwards", "no order today");
    for (int64_t i = 0; i < length; i++)
        indices[i] = length - 1 - i;
    return true;
}
static void count_up(void *context) { ++*(int *)context; }

static void test_own_order(void **state)
{
    (void)state;
    wk_dataset *dataset = numbers(4);
    int released = 0;
    wk_sampler *sampler = wk_data_sampler(&released, 3, .draw = draw_backwards, .release = count_up);
    wk_data_loader *loader = wk_data_loader(dataset, 2, .sampler = sampler);
    wk_sampler_free(sampler);
    assert_string_equal(epoch_text(loader), "2 1|0");
    assert_int_equal(released, 0);
    released = -1;
    assert_fails(((void)epoch_text(loader), false), "backwards: no order today");
    wk_data_loader_free(loader);
    assert_int_equal(released, 0);
    sampler = wk_data_sampler(&released, 5, .draw = draw_backwards);
    assert_fails(((void)order(dataset, sampler), false), "sampler: expected indices in 0 .. 3, got 4");
    wk_sampler_free(sampler);
    assert_fails(wk_data_sampler(&released, 5, .release = count_up), "draw: expected a function, got NULL");
    assert_int_equal(released, 1);
    assert_fails(wk_data_sampler(&released, -1, .draw = draw_backwards), "length: expected 0 or more, got -1");
    wk_dataset_free(dataset);
}

static void test_batches(void **state)
{
    (void)state;
    wk_dataset *dataset = numbers(10);
    wk_manual_seed(3);
    wk_sampler *sampler = wk_data_random_sampler(dataset), *batches = wk_data_batch_sampler(sampler, 3, true);
    wk_data_loader *loader = wk_data_loader(dataset, .batch_sampler = batches);
    assert_int_equal(wk_data_loader_length(loader), 3);
    assert_string_equal(epoch_text(loader), "6 2 0|1 8 3|5 4 7");
    assert_string_equal(epoch_text(loader), "3 4 0|9 6 7|1 2 5");
    wk_data_loader_free(loader);
    assert_fails(wk_data_loader(dataset, 4, .batch_sampler = batches), "batch_sampler: expected neither batch_size");
    assert_fails(wk_data_loader(dataset, .shuffle = true, .batch_sampler = batches), "batch_sampler: expected neither");
    assert_fails(wk_data_loader(dataset, .drop_last = true, .batch_sampler = batches), "nor drop_last");
    assert_fails(wk_data_loader(dataset, .sampler = batches), "hint: .batch_sampler");
    assert_fails(wk_data_loader(dataset, .batch_sampler = sampler), "hint: .sampler");
    assert_fails(wk_data_loader(dataset, .sampler = sampler, .shuffle = true), "got both");
    assert_fails(wk_data_batch_sampler(sampler, 0, false), "batch_size: expected 1 or more, got 0");
    assert_fails(wk_data_batch_sampler(batches, 2, false), "sampler: expected one of items");
    assert_fails(wk_data_batch_sampler(NULL, 2, false), "sampler");
    wk_sampler_free(sampler);
    wk_sampler_free(batches);
    wk_dataset_free(dataset);
}

/* ---------------------------------------------------------------- data sets made of others */

static void test_concat(void **state)
{
    (void)state;
    wk_dataset *parts[] = {numbers(3), numbers(0), numbers(4)};
    wk_dataset *dataset = wk_data_concat_dataset((parts[0], parts[1], parts[2]));
    for (int i = 0; i < 3; i++)
        wk_dataset_free(parts[i]); // kept
    assert_int_equal(wk_dataset_length(dataset), 7);
    for (int workers = 0; workers < 3; workers++) {
        wk_data_loader *loader = wk_data_loader(dataset, 3, .num_workers = workers);
        assert_string_equal(epoch_text(loader), "0 1 2|0 1 2|3");
        wk_data_loader_free(loader);
    }
    wk_scope
    {
        assert_int_equal(wk_item_int64(wk_dataset_item(dataset, -1).x), 3);
        assert_int_equal(wk_item_int64(wk_dataset_item(dataset, -7).x), 0);
        assert_fails(wk_dataset_item(dataset, -8).x, "index: expected -7 .. 6, got -8");
        assert_fails(wk_dataset_item(dataset, 7).x, "index: expected -7 .. 6, got 7");
        assert_int_equal(wk_item_int64(wk_dataset_item(dataset, 2).x), 2);
    }
    wk_dataset *some = wk_data_subset(dataset, (int64_t[]){6, 0, -5}, 3);
    wk_dataset *both = wk_data_concat_dataset((some, dataset));
    wk_data_loader *loader = wk_data_loader(both, 20);
    assert_string_equal(epoch_text(loader), "3 0 2 0 1 2 0 1 2 3");
    wk_data_loader_free(loader);
    wk_dataset_free(both);
    wk_dataset_free(some);
    assert_fails(wk_data_concat_dataset((dataset, NULL)), "got NULL as number 1");
    assert_fails(wk_data_concat_dataset_with((wk_datasets){0, NULL}), "datasets: expected at least one, got none");
    wk_dataset_free(dataset);
}

static void check_items(wk_dataset *part, int64_t count, const int64_t *items)
{
    assert_int_equal(wk_dataset_length(part), count);
    wk_scope
    {
        for (int64_t i = 0; i < count; i++)
            assert_int_equal(wk_item_int64(wk_dataset_item(part, i).x), items[i]);
    }
    wk_dataset_free(part);
}

static void test_fractions(void **state)
{
    (void)state;
    wk_dataset *dataset = numbers(11), *half, *quarter, *rest;
    wk_generator *generator = wk_generator_manual_seed(wk_generator_new(), 7);
    assert_true(wk_data_random_split(dataset, (0.5, 0.25, 0.25), (&half, &quarter, &rest), .generator = generator));
    check_items(half, 6, (const int64_t[]){3, 0, 9, 2, 5, 8});
    check_items(quarter, 3, (const int64_t[]){4, 10, 1});
    check_items(rest, 2, (const int64_t[]){7, 6});
    wk_generator_free(generator);
    wk_dataset_free(dataset);
}

static wk_sample collate_twice(void *context, const wk_sample *samples, int64_t count)
{
    wk_sample batch = wk_data_default_collate(context, samples, count);
    batch.x = wk_mul(batch.x, 2);
    return batch;
}

static void test_default_collate(void **state)
{
    (void)state;
    wk_scope
    {
        const wk_sample samples[] = {{.x = wk_ones((2, 3)), .y = wk_tensor((), (int64_t[]){4})},
                                     {.x = wk_zeros((2, 3)), .y = wk_tensor((), (int64_t[]){5})}};
        const wk_sample batch = wk_data_default_collate(NULL, samples, 2);
        assert_true(wk_equal(batch.x, wk_stack((samples[0].x, samples[1].x))));
        assert_true(wk_equal(batch.y, wk_tensor((2), ((int64_t[]){4, 5}))));
        assert_null(batch.items[2]);
        const wk_sample odd[] = {samples[0], {.x = wk_zeros((2, 4)), .y = samples[0].y}};
        assert_fails(wk_data_default_collate(NULL, odd, 2).x, "got float32 (2, 4) for item 1");
        assert_fails(wk_data_default_collate(NULL, samples, 0).x, "samples: expected at least one, got none");
    }
    wk_dataset *dataset = numbers(3);
    wk_data_loader *loader = wk_data_loader(dataset, 3, .collate_fn = collate_twice);
    assert_string_equal(epoch_text(loader), "0 2 4");
    wk_data_loader_free(loader);
    loader = wk_data_loader(dataset, 3, .collate_fn = wk_data_default_collate);
    assert_string_equal(epoch_text(loader), "0 1 2");
    wk_data_loader_free(loader);
    wk_dataset_free(dataset);
}

/* every allocation fails in turn: an error each time, and nothing leaked */
static void test_allocations_that_fail(void **state)
{
    (void)state;
    wk_dataset *dataset = numbers(10);
    for (int64_t n = 0, ended = 0; !ended; n++) {
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_error error;
        wk_memory_fail_after(n);
        wk_try(&error)
        {
            wk_scope
            {
                wk_dataset *both = wk_data_concat_dataset((dataset, dataset));
                wk_sampler *sampler =
                    n % 2 ? wk_data_distributed_sampler(both, 2, 0) : wk_data_weighted_random_sampler(wk_ones((20)), 9);
                wk_sampler *batches = sampler ? wk_data_batch_sampler(sampler, 4, false) : NULL;
                wk_data_loader *loader = both && batches ? wk_data_loader(both, .batch_sampler = batches) : NULL;
                wk_sampler_free(batches);
                wk_sampler_free(sampler);
                if (loader)
                    wk_for_each_batch (batch, loader)
                        assert_non_null(batch.x);
                wk_data_loader_free(loader);
                wk_dataset_free(both);
            }
        }
        ended = !error.set;
        assert_true(n < 1000);
        wk_memory_fail_after(-1);
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
    }
    wk_dataset_free(dataset);
}

int main(void)
{
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {
        TEST(test_distributed), TEST(test_weighted),        TEST(test_generators),
        TEST(test_own_order),   TEST(test_batches),         TEST(test_concat),
        TEST(test_fractions),   TEST(test_default_collate), TEST(test_allocations_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
