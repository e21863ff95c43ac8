/* What docs/threads.md says of threads that share tensors, graphs, modules, hooks, generators and loaders: each line in
   several threads at once, and the numbers are right.  Under the thread sanitizer (make tsan) races show, too. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "check.h"

enum { THREADS = 4, TURNS = 40 };

/* all threads run work(context), each with its own number */
typedef struct worker {
    void (*work)(int number, void *context);
    void *context;
    int number;
} worker;
static pthread_barrier_t barrier; // no thread is done before the next begins
static void *run_worker(void *of_)
{
    const worker *of = of_;
    for (int turn = 0; turn < TURNS; turn++) {
        pthread_barrier_wait(&barrier);
        wk_scope of->work(of->number, of->context);
    }
    return NULL;
}
static void in_threads(void (*work)(int number, void *context), void *context)
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){work, context, i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_worker, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
}

/* cmocka's asserts belong to the main thread */
static void check(bool fine)
{
    if (!fine)
        abort();
}

/* ---------------------------------------------------------------- the same tensors, read */

static void read_all(int number, void *x_)
{
    (void)number;
    wk_tensor *x = x_, *part = wk_narrow(x, 0, 1, 2);
    check(wk_item(wk_sum(part)) == 2.0 * 300);
    check(wk_item(wk_sum(wk_matmul(x, wk_t(x)))) == 300.0 * 300 * 300);
    wk_retain(x);
    wk_release(x);
    char *text = wk_to_string(part);
    check(text);
    free(text);
    check(wk_memory_get_stats().live_bytes > 0);
    wk_memory_empty_cache();
}

TEST(test_readers) { in_threads(read_all, wk_ones((300, 300))); }

/* saved for the backward by one thread while others hold and let go */
static void save_shared(int number, void *x_)
{
    (void)number;
    wk_tensor *x = x_, *w = wk_full((4), 3.0, .requires_grad = true);
    wk_retain(x);
    wk_tensor *y = wk_mul(w, x);
    wk_release(x);
    check(wk_backward(wk_sum(y)) && wk_item(wk_sum(w->grad)) == 8);
}

TEST(test_savers) { in_threads(save_shared, wk_full((4), 2.0)); }

/* ---------------------------------------------------------------- writes into places of one tensor */

static void write_row(int number, void *x_)
{
    wk_tensor *row = wk_select(x_, 0, number);
    check(wk_add_(row, 1) && wk_mul_(row, 1) && wk_fill_(wk_narrow(row, 0, 0, 1), number));
}

TEST(test_writers)
{
    wk_tensor *x = wk_zeros((THREADS, 33));
    in_threads(write_row, x);
    for (int i = 0; i < THREADS; i++)
        assert_true(wk_item(wk_index(x, "%d, 0", i)) == i && wk_item(wk_index(x, "%d, 32", i)) == TURNS);
}

/* not one of the writes goes uncounted, for whoever saved the tensor */
TEST(test_writers_are_seen)
{
    wk_tensor *x = wk_zeros((THREADS, 33)), *w = wk_full((THREADS, 33), 2.0, .requires_grad = true);
    wk_tensor *y = wk_sum(wk_mul(w, x));
    in_threads(write_row, x);
    wk_error error;
    wk_try(&error) wk_backward(y);
    char expected[40];
    snprintf(expected, sizeof expected, "it is at version %d", 3 * THREADS * TURNS);
    assert_message(error, expected);
}

/* ---------------------------------------------------------------- one graph, and its leaves */

static void walk_back(int number, void *loss)
{
    (void)number;
    check(wk_backward(loss, .retain_graph = true));
}

TEST(test_one_graph)
{
    wk_tensor *x = wk_ones((3), .requires_grad = true), *h = wk_retain_grad(wk_mul(x, 2));
    in_threads(walk_back, wk_sum(wk_mul(h, h)));
    assert_close(wk_item(wk_sum(x->grad)), 3.0 * 8 * THREADS * TURNS);
    assert_close(wk_item(wk_sum(h->grad)), 3.0 * 4 * THREADS * TURNS);
}

static int calls;
static wk_tensor *count_call(wk_tensor *gradient, void *context)
{
    (void)gradient, (void)context;
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void hook_and_unhook(int number, void *x_)
{
    (void)number;
    wk_tensor *x = x_;
    const int handle = wk_register_hook(x, count_call, NULL);
    check(handle && wk_backward(wk_sum(wk_mul(x, 2))));
    wk_remove_hook(x, handle);
}

TEST(test_hooks)
{
    wk_tensor *x = wk_ones((3), .requires_grad = true);
    in_threads(hook_and_unhook, x);
    assert_true(calls >= THREADS * TURNS); // each its own at least
    calls = 0;
    assert_true(wk_backward(wk_sum(x)));
    assert_int_equal(calls, 0); // all are gone
    assert_close(wk_item(wk_sum(x->grad)), 3.0 * (2 * THREADS * TURNS + 1));
}

/* ---------------------------------------------------------------- modules, generators, loaders, settings */

static void forward(int number, void *model)
{
    (void)number;
    wk_tensor *x = wk_ones((2, 3, 6, 6)), *y = NULL;
    if (number % 2)
        wk_no_grad y = wk_forward(model, x);
    else
        y = wk_forward(model, x);
    check(y && (number % 2 || wk_backward(wk_sum(y))));
    wk_error error;
    wk_try(&error) wk_forward(model, wk_ones((2, 4, 6, 6)));
    check(error.set);
}

TEST(test_one_model)
{
    wk_module *model = wk_nn_sequential(wk_nn_conv2d(3, 4, 3), wk_nn_relu(), wk_nn_flatten(), wk_nn_linear(64, 5));
    in_threads(forward, model);
    wk_module_free(model);
}

static void draw(int number, void *generator)
{
    (void)number;
    check(wk_randn((10), .generator = generator) && wk_rand((5)));
}

TEST(test_one_generator)
{
    wk_generator *generator = wk_generator_new();
    in_threads(draw, generator);
    wk_tensor *next = wk_rand((1), .generator = generator);
    wk_generator_free(generator);
    /* as many words were drawn as one thread draws */
    generator = wk_generator_new();
    for (int i = 0; i < THREADS * TURNS; i++)
        wk_randn((10), .generator = generator);
    assert_true(wk_equal(next, wk_rand((1), .generator = generator)));
    wk_generator_free(generator);
}

static void loop(int number, void *loader)
{
    (void)number;
    int64_t rows = 0;
    wk_for_each_batch (batch, loader)
        rows += batch.items[0]->shape[0];
    check(rows == 20);
}

TEST(test_one_loader)
{
    wk_dataset *dataset = wk_data_tensor_dataset((wk_ones((20, 3))));
    wk_data_loader *loader = wk_data_loader(dataset, .batch_size = 8, .shuffle = true, .num_workers = 2);
    in_threads(loop, loader);
    wk_data_loader_free(loader);
    wk_dataset_free(dataset);
}

static void set_threads(int number, void *x_)
{
    wk_tensor *x = x_;
    wk_set_num_threads(1 + number);
    check(wk_item(wk_sum(wk_add(x, 1))) == 2.0 * 300 * 300);
}

TEST(test_settings) { in_threads(set_threads, wk_ones((300, 300))); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(test_readers),    UNIT(test_savers),   UNIT(test_writers),   UNIT(test_writers_are_seen),
        UNIT(test_one_graph),  UNIT(test_hooks),    UNIT(test_one_model), UNIT(test_one_generator),
        UNIT(test_one_loader), UNIT(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
