/* The end of the process, and fork, while other threads are in the middle of their work: the status is the program's
   own, and a child goes on.  Each is done many times, in children whose alarm is for what hangs. */
#include <pthread.h>
#include <stdlib.h>

#include <wick.h>

#include "child.h"

enum { THREADS = 3, ENDS = 60, FORKS = 60 };
static wk_tensor *shared; // of the main thread's root scope

/* something of each kind that has locks or statics of its own */
static bool work_once(void)
{
    bool fine = true;
    wk_scope
    {
        wk_tensor *x = wk_randn((2, 16, 12, 12)), *weight = wk_randn((16, 16, 3, 3));
        wk_requires_grad_(weight, true);
        wk_tensor *y = wk_conv2d(x, weight, .padding = (1));
        fine &= wk_backward(wk_mean(wk_mul(y, y)));
        wk_tensor *large = wk_randn((200, 220));
        fine &= wk_matmul(large, wk_t(large)) && wk_softmax(wk_matmul(large, wk_t(shared)));
        fine &= wk_add(large, 1) != NULL;
        char *text = wk_to_string(large);
        fine &= text != NULL;
        free(text);
        wk_error error;
        wk_try(&error) wk_matmul(x, large);
        fine &= error.set;
    }
    return fine;
}

static void *work(void *unused)
{
    for (;;)
        work_once();
    return unused;
}

static pthread_t threads[THREADS];
static void start(void)
{
    shared = wk_randn((180, 220));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
}

static int turn;
static void wait_a_little(void) { usleep((useconds_t)(turn * turn % 97) * 100); }

static void exits(void)
{
    start();
    wait_a_little();
    exit(7);
}

static void fails(void)
{
    start();
    wait_a_little();
    wk_add(wk_zeros((2)), wk_zeros((3)));
}

static void *fail_here(void *unused)
{
    wk_add(wk_zeros((2)), wk_zeros((3)));
    return unused;
}

static void thread_fails(void)
{
    start();
    wait_a_little();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fail_here, NULL), 0);
    for (;;)
        work_once();
}

static void ends_with(void (*function)(void), int status)
{
    for (turn = 0; turn < ENDS; turn++) {
        const int got = run(function);
        if (got != status)
            fail_msg("turn %d: expected status %d, got %d\n%s", turn, status, got, output);
    }
}
static void exit_keeps_its_status(void **state) { (void)state, ends_with(exits, 7); }
static void an_error_ends_with_1(void **state) { (void)state, ends_with(fails, 1); }
static void an_error_of_a_thread_ends_with_1(void **state) { (void)state, ends_with(thread_fails, 1); }

/* ---------------------------------------------------------------- fork */

static void child_works(void)
{
    alarm(30);
    pthread_t thread;
    wk_memory_get_stats();
    const bool fine = work_once() && pthread_create(&thread, NULL, fail_here, NULL) == 0; // ends with 1
    if (!fine)
        _exit(2);
    pthread_join(thread, NULL);
}

static void forks(void)
{
    start();
    for (turn = 0; turn < FORKS; turn++) {
        wait_a_little();
        const pid_t child = fork();
        if (child == 0)
            child_works();
        int status = 0;
        waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
            _exit(WIFEXITED(status) ? 3 : 4);
        work_once();
    }
    exit(0);
}
static void a_child_works(void **state)
{
    (void)state;
    SKIP_FORK_OF_THREADS;
    assert_int_equal(run(forks), 0);
}

/* a loop with workers, in a child of its own process: an error, and another loop works */
static void forks_in_a_loop(void)
{
    wk_dataset *dataset = wk_data_tensor_dataset((wk_ones((64, 3))));
    wk_data_loader *loader = wk_data_loader(dataset, .batch_size = 4, .num_workers = 2);
    pid_t child = 1;
    wk_error error;
    wk_try(&error)
    {
        wk_for_each_batch (batch, loader) {
            if (child > 0 && batch.index == 3)
                child = fork();
            if (child > 0)
                continue;
        }
    }
    int status = 0;
    if (child > 0) {
        waitpid(child, &status, 0);
        _exit(!error.set && WIFEXITED(status) && WEXITSTATUS(status) == 9 ? 0 : 5);
    }
    int batches = 0;
    wk_for_each_batch (batch, loader)
        batches++;
    _exit(error.set && strstr(error.message, "num_workers") && batches == 16 ? 9 : 6);
}
static void a_loop_with_workers_stays_behind(void **state)
{
    (void)state;
    SKIP_FORK_OF_THREADS;
    for (turn = 0; turn < 20; turn++)
        assert_int_equal(run(forks_in_a_loop), 0);
}

/* ---------------------------------------------------------------- the same leaf */

enum { TURNS = 500 };
static void *add_to_grad(void *weight)
{
    for (int i = 0; i < TURNS; i++)
        wk_scope
    wk_backward(wk_sum(wk_mul((wk_tensor *)weight, 2)));
    return NULL;
}

static void threads_add_to_one_grad(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *weight = wk_ones((3), .requires_grad = true);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, add_to_grad, weight), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        assert_true(wk_item(wk_min(weight->grad)) == 2.0 * TURNS * THREADS);
        assert_true(wk_item(wk_max(weight->grad)) == 2.0 * TURNS * THREADS);
    }
}

static wk_optimizer *optimizer;
static void step_again(wk_tensor *leaf, void *error)
{
    (void)leaf;
    wk_try(error) wk_optim_step(optimizer);
}

static void an_optimizer_at_work_refuses(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *weight = wk_ones((3), .requires_grad = true);
        optimizer = wk_optim_sgd(WK_TENSORS(weight), .lr = 0.5);
        wk_error error;
        optimizer->busy = 1; // as while another thread is in it
        wk_backward(wk_sum(weight));
        step_again(weight, &error);
        assert_true(error.set && strstr(error.message, "another thread"));
        optimizer->busy = 0;
        step_again(weight, &error);
        assert_true(!error.set && wk_item(wk_max(weight)) == 0.5);
        wk_optim_free(optimizer);
    }
}

/* ---------------------------------------------------------------- how many threads */

static void count_threads(void)
{
    const int threads = wk_get_num_threads();
    wk_tensor *x = wk_randn((300, 300));
    _exit(threads >= 1 && threads <= 64 && wk_allclose(wk_matmul(x, x), wk_matmul(x, wk_clone(x))) ? 0 : 1);
}

static const char *count;
static void with_another_count(void)
{
    setenv("OMP_NUM_THREADS", count, 1); // read at load
    execl("/proc/self/exe", "test_process", "--count", (char *)NULL);
}

static void any_count_of_threads(void **state)
{
    (void)state;
    const char *const counts[] = {"0", "-1", "abc", "100000", "1", "3", "", "99999999999999999999"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        count = counts[i];
        if (run(with_another_count) != 0)
            fail_msg("OMP_NUM_THREADS=%s\n%s", count, output);
    }
    wk_set_num_threads(-3);
    assert_int_equal(wk_get_num_threads(), 1);
    wk_set_num_threads(1000000);
    assert_int_equal(wk_get_num_threads(), 64);
}

/* ---------------------------------------------------------------- no stdout, no stderr, no HOME */

static bool saved; // atomic
static void *print_on(void *unused)
{
    while (!__atomic_load_n(&saved, __ATOMIC_ACQUIRE)) {
        printf("step\n");
        fflush(stdout);
        dprintf(STDERR_FILENO, "step\n");
    }
    return unused;
}

/* what is printed while a file is written goes nowhere, and not into it */
static void saves_without_stdout(void)
{
    char path[] = "/tmp/wick-process-XXXXXX";
    const int file = mkstemp(path);
    bool fine = file >= 0 && unsetenv("HOME") == 0;
    close(file);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    wk_tensor *x = wk_randn((500, 400));
    wk_dict *dict = wk_dict_new();
    fine &= dict && wk_dict_set(dict, "x", x);
    pthread_t thread;
    fine &= pthread_create(&thread, NULL, print_on, NULL) == 0;
    for (int i = 0; fine && i < 20; i++) {
        fine &= wk_safetensors_save_file(dict, path);
        wk_dict *loaded = wk_safetensors_load_file(path);
        fine &= loaded && wk_equal(wk_dict_get(loaded, "x"), x);
        wk_dict_free(loaded);
    }
    __atomic_store_n(&saved, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    wk_dict_free(dict);
    wk_print("x", x);
    unlink(path);
    _exit(fine ? 0 : 1);
}

static void no_stdout(void **state)
{
    (void)state;
    assert_int_equal(run(saves_without_stdout), 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        count_threads();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_keeps_its_status),
        cmocka_unit_test(an_error_ends_with_1),
        cmocka_unit_test(an_error_of_a_thread_ends_with_1),
        cmocka_unit_test(a_child_works),
        cmocka_unit_test(threads_add_to_one_grad),
        cmocka_unit_test(an_optimizer_at_work_refuses),
        cmocka_unit_test(a_loop_with_workers_stays_behind),
        cmocka_unit_test(any_count_of_threads),
        cmocka_unit_test(no_stdout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
