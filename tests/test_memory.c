/* Who owns tensors, and what happens without memory: scopes and every way out of them, threads, memory of the caller's,
   and a forward and backward in which each allocation fails in turn. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

static int64_t live(void) { return wk_memory_get_stats().live_tensors; }

static int64_t before;
static int open_test(void **state)
{
    (void)state;
    before = live();
    return 0;
}
static int close_test(void **state)
{
    (void)state;
    if (live() != before)
        print_error("left over: %lld tensors\n", (long long)(live() - before));
    return live() != before;
}

/* ---------------------------------------------------------------- scopes */

static wk_tensor *returned_early(bool early)
{
    wk_scope
    {
        wk_tensor *x = wk_ones((2));
        if (early)
            return wk_keep(wk_mul(x, 2));
        wk_ones((3));
    }
    return NULL;
}

static void scopes(void **state)
{
    (void)state;
    wk_scope
    {
        const int64_t outside = live();
        wk_scope
        {
            wk_ones((2));
            wk_mul(wk_ones((2)), 2);
            assert_int_equal(live(), outside + 3);
        }
        assert_int_equal(live(), outside);
        wk_tensor *kept = returned_early(true);
        assert_int_equal(live(), outside + 1);
        assert_true(wk_item(wk_select(kept, 0, 1)) == 2);
        assert_null(returned_early(false));
        for (int i = 0; i < 5; i++)
            wk_scope
            {
                wk_ones((2));
                if (i == 3)
                    break;
                wk_ones((2));
            }
        wk_scope
        {
            wk_ones((2));
            goto out;
        }
    out:
        assert_int_equal(live(), outside + 2); // kept, and what wk_select gave
    }
}

/* up through several scopes, one level at a wk_keep */
static wk_tensor *nested(int levels)
{
    wk_tensor *x = NULL;
    wk_scope
    {
        x = levels > 0 ? nested(levels - 1) : wk_full((3), 7);
        for (int i = 0; i < 3; i++)
            wk_ones((4));
        wk_keep(x);
    }
    return x;
}

static void keep_over_levels(void **state)
{
    (void)state;
    wk_scope
    {
        const int64_t outside = live();
        wk_tensor *x = nested(40); // more scopes than the first table of marks holds
        assert_int_equal(live(), outside + 1);
        assert_true(wk_item_int64(wk_select(x, 0, 2)) == 7);
        wk_tensor *y = NULL;
        wk_scope
        {
            wk_scope
            {
                y = wk_ones((2));
                wk_keep(wk_keep(y));
            }
            wk_keep(wk_keep(x)); // of a scope further out: stays there
        }
        assert_int_equal(live(), outside + 2 + 1); // x, y, and what wk_select gave
        assert_true(wk_item(wk_select(y, 0, 0)) == 1);
    }
}

static wk_tensor *out_of_three(void)
{
    wk_scope wk_scope wk_scope return wk_keep(wk_keep(wk_keep(wk_keep(wk_full((2), 3)))));
    return NULL;
}

/* each wk_keep one scope further out, and no further than the root */
static void keeps_further_out(void **state)
{
    (void)state;
    wk_scope
    {
        const int64_t outside = live();
        wk_tensor *x = NULL;
        wk_scope
        {
            x = out_of_three(); // of this scope's too
            wk_ones((2));
        }
        assert_int_equal(live(), outside + 1);
        assert_true(wk_item(wk_sum(x)) == 6);
    }
}

/* a tensor that two scopes own: each by an entry of its own */
static void keep_after_adopt(void **state)
{
    (void)state;
    wk_scope
    {
        const int64_t outside = live();
        wk_tensor *x = NULL;
        wk_scope
        {
            x = wk_full((2), 5);
            wk_scope wk_scope wk_adopt(wk_retain(x));
            wk_keep(x);
        }
        assert_int_equal(live(), outside + 1);
        assert_true(wk_item(wk_sum(x)) == 10);
        wk_tensor *y = wk_ones((2));
        wk_scope wk_replace(&y, wk_mul(wk_adopt(wk_retain(x)), y));
        assert_true(wk_item(wk_sum(y)) == 10);
    }
}

static int64_t turns(int64_t from, int64_t to, int64_t break_at, int64_t return_at)
{
    int64_t done = 0;
    wk_for_each_step (step, from, to) {
        wk_ones((2));
        if (step == break_at)
            break;
        if (step == return_at)
            return -done;
        if (step % 2)
            continue;
        wk_for_each_step (inner, 0, 3) {
            wk_ones((2));
            wk_for_each_step (step, 0, 2) // a name again
                done += wk_ones((2)) != NULL;
        }
        if (step == 100)
            goto out;
    }
out:
    return done;
}

static void steps(void **state)
{
    (void)state;
    wk_error error;
    wk_scope
    {
        const int64_t outside = live();
        assert_int_equal(turns(0, 4, -1, -1), 12);
        assert_int_equal(turns(0, 4, 2, -1), 6);
        assert_int_equal(turns(0, 1000, -1, 3), -12);
        assert_int_equal(turns(100, 1000, -1, -1), 6);
        assert_int_equal(turns(3, 3, -1, -1), 0);
        assert_int_equal(turns(3, -3, -1, -1), 0);
        assert_int_equal(live(), outside);
        int64_t begun = 0;
        wk_try (&error) {
            wk_for_each_step (step, 0, 10) {
                begun++;
                assert_int_equal(live(), outside);
                wk_ones((2));
                if (step == 3)
                    wk_add(wk_ones((2)), wk_ones((3)));
            }
        }
        assert_true(error.set && begun == 4);
        wk_tensor *last = NULL;
        wk_for_each_step (step, 0, 10)
            last = wk_keep(wk_full((1), step));
        assert_int_equal(live(), outside + 10);
        assert_true(wk_item(last) == 9);
    }
}

static void replaces(void **state)
{
    (void)state;
    wk_error error;
    wk_scope
    {
        const int64_t outside = live();
        wk_tensor *x = wk_zeros((2));
        for (int i = 0; i < 100; i++)
            wk_scope
            {
                wk_tensor *y = wk_add(x, 1);
                wk_replace(&x, y);
                wk_replace(&x, x);
            }
        assert_int_equal(live(), outside + 1);
        assert_true(wk_item(wk_select(x, 0, 0)) == 100);
        wk_try(&error) wk_replace(&x, NULL);
        assert_true(error.set);
        wk_tensor *nowhere = wk_retain(wk_ones(()));
        wk_scope wk_replace(&x, nowhere);
        wk_release(nowhere);
        assert_true(wk_item(x) == 1);
    }
}

static void retains(void **state)
{
    (void)state;
    wk_tensor *x = NULL;
    wk_scope x = wk_retain(wk_full((2), 3.0));
    assert_int_equal(live(), before + 1);
    wk_scope
    {
        wk_adopt(x); // the reference of wk_retain goes with this scope
        assert_true(wk_item(wk_sum(x)) == 6);
    }
    wk_retain(NULL);
    wk_release(NULL);
    wk_keep(NULL);
}

/* a view, a graph and a grad keep what they need, and no more */
static void what_holds_what(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *view = NULL, *y = NULL;
        wk_scope view = wk_keep(wk_select(wk_full((3, 2), 5.0), 0, 1));
        assert_true(wk_item(wk_sum(view)) == 10);
        wk_tensor *x = wk_full((2), 3.0, .requires_grad = true);
        wk_scope y = wk_keep(wk_sum(wk_exp(wk_mul(x, x))));
        assert_true(wk_backward(y));
        assert_non_null(x->grad);
    }
}

/* ---------------------------------------------------------------- memory of the caller's, devices */

static void count_release(void *context) { ++*(int *)context; }

static void from_blob_and_arrays(void **state)
{
    (void)state;
    wk_error error;
    int released = 0;
    float memory[6] = {1, 2, 3, 4, 5, 6};
    wk_scope
    {
        wk_tensor *x = wk_from_blob(memory, (2, 3), .release = count_release, .context = &released);
        assert_ptr_equal(wk_data_ptr(x), memory);
        wk_mul_(x, 2);
        assert_true(memory[5] == 12);
        wk_tensor *turned = wk_from_blob(memory, (3, 2), .strides = {2, {1, 3}});
        assert_true(wk_item(wk_select(wk_select(turned, 0, 2), 0, 1)) == 12);
        wk_select(x, 0, 1);
        wk_try(&error) assert_null(wk_from_blob(memory, (2, 3), .strides = {1, {1}}));
        assert_non_null(strstr(error.message, "strides: expected 2"));
        assert_int_equal(released, 0);

        const int64_t big[2] = {(1LL << 53) + 1, -1};
        assert_true(wk_item_int64(wk_select(wk_tensor((2), big), 0, 0)) == big[0]);
        assert_int_equal(wk_tensor((2), ((bool[]){true, false}))->dtype, wk_bool);
        assert_int_equal(wk_tensor((2), ((double[]){1, 2}))->dtype, wk_float64);
        assert_int_equal(wk_tensor((2), ((int8_t[]){1, 2}), .dtype = wk_float16)->dtype, wk_float16);
        assert_true(wk_tensor((), (float[]){1}, .requires_grad = true)->requires_grad);
        wk_tensor *own = wk_ones((2), .requires_grad = true), *copied = wk_to(own, wk_float32, .copy = true);
        assert_true(wk_to(own, wk_float32) == own && copied != own && wk_data_ptr(copied) != wk_data_ptr(own));
        assert_true(copied->requires_grad && wk_equal(copied, own));
        assert_int_equal(wk_to(own, wk_int32, .copy = true)->dtype, wk_int32);
        wk_tensor *half = wk_new_tensor(wk_ones((1), .dtype = wk_float16), (2), ((float[]){1, 2}));
        assert_true(half->dtype == wk_float16 && wk_item(wk_sum(half)) == 3 && !half->requires_grad);
        assert_int_equal(wk_new_tensor(half, (2), ((float[]){1, 2}), .dtype = wk_int32)->dtype, wk_int32);
        const float *none = NULL;
        wk_try(&error) assert_null(wk_tensor((2), none));
        assert_true(error.set);
        assert_ptr_equal(wk_to(x, wk_cpu), x);
        wk_try(&error) assert_null(wk_to(x, wk_device("cuda:1")));
        assert_non_null(strstr(error.message, "is not in this build"));
        wk_try(&error) assert_null(wk_zeros((2), .device = wk_cuda));
        assert_non_null(strstr(error.message, "is not in this build"));
    }
    assert_int_equal(released, 1);
}

/* ---------------------------------------------------------------- threads */

static void *in_a_thread(void *argument)
{
    wk_tensor *shared = argument;
    wk_error error;
    for (int i = 0; i < 200; i++)
        wk_scope
        {
            wk_tensor *x = wk_full((8, 8), (double)i, .requires_grad = true);
            wk_tensor *y = wk_sum(wk_mul(wk_tanh(x), shared));
            if (!wk_backward(y))
                return NULL;
            wk_no_grad if (wk_mul(x, 2)->requires_grad) return NULL;
            wk_try(&error) wk_add(x, wk_ones((3)));
            if (!error.set)
                return NULL;
        }
    wk_ones((2)); // the thread's root scope lets it go
    return shared;
}

static void threads(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *shared = wk_ones((8));
        pthread_t thread[4];
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, in_a_thread, shared), 0);
        for (int i = 0; i < 4; i++) {
            void *result;
            pthread_join(thread[i], &result);
            assert_ptr_equal(result, shared);
        }
        assert_true(wk_is_grad_enabled());
        wk_memory_stats stats = wk_memory_get_stats();
        assert_true(stats.cached_bytes >= 0 && stats.live_bytes > 0);
    }
}

/* ---------------------------------------------------------------- each allocation fails in turn */

static wk_tensor *ten_times(wk_tensor *gradient, void *context)
{
    (void)context;
    return wk_mul(gradient, 10);
}

/* a little of everything that allocates: leaves, ops, views, writes into them, hooks, backward, gradients of
   gradients */
static bool a_training_step(double *result)
{
    wk_tensor *x = wk_full((4, 3), 0.5, .requires_grad = true), *w = wk_ones((3), .requires_grad = true);
    wk_tensor *h = wk_mul(wk_transpose(x, 0, 1), 2);
    wk_add_(wk_select(h, 0, 1), w ? wk_sum(w) : NULL);
    h = wk_softmax(wk_clamp(wk_tanh(h), -0.9, 0.95), 0);
    if (h)
        wk_register_hook(h, ten_times, NULL);
    wk_tensor *loss = wk_sum(wk_square(wk_reshape(wk_div(h, wk_to(wk_arange(1, 5), wk_float32)), (2, -1))));
    wk_tensor *gx = NULL, *gg = NULL;
    if (!wk_autograd_grad((loss), (x), (&gx), .create_graph = true))
        return false;
    if (!wk_autograd_grad((wk_sum(wk_exp(gx))), (w), (&gg), .retain_graph = true) || !wk_backward(loss))
        return false;
    *result = wk_item(wk_sum(x->grad)) + wk_item(wk_sum(w->grad)) + wk_item(wk_sum(gg));
    return !isnan(*result);
}

static void fails_in_turn(void **state)
{
    (void)state;
    wk_error error;
    double expected = 0;
    wk_scope assert_true(a_training_step(&expected));
    int failures = 0;
    for (int64_t n = 0;; n++) {
        assert_true(n < 5000);
        const wk_memory_stats start = wk_memory_get_stats();
        double result = 0;
        bool fine = false;
        wk_try(&error)
        {
            wk_scope
            {
                wk_memory_fail_after(n);
                fine = a_training_step(&result);
                wk_memory_fail_after(-1);
            }
        }
        const wk_memory_stats end = wk_memory_get_stats();
        if (fine && !error.set) { // the n-th allocation was never asked for
            assert_true(result == expected);
            break;
        }
        failures++;
        if (!error.set || fine)
            fail_msg("allocation %lld failed: %s, %s", (long long)n, fine ? "the step answered" : "the step stopped",
                     error.set ? error.message : "no error");
        if (!strstr(error.message, "out of memory"))
            fail_msg("allocation %lld failed: \"%s\"", (long long)n, error.message);
        if (end.live_tensors != start.live_tensors || end.live_blocks != start.live_blocks)
            fail_msg("allocation %lld failed: %lld tensors, %lld blocks left over after \"%s\"", (long long)n,
                     (long long)(end.live_tensors - start.live_tensors),
                     (long long)(end.live_blocks - start.live_blocks), error.message);
        assert_true(wk_is_grad_enabled());
        if (n % 10 == 0) { // and the library works as before
            wk_scope assert_true(a_training_step(&result));
            assert_true(result == expected);
        }
    }
    assert_in_range(failures, 100, 5000);
}

#define UNIT(name) cmocka_unit_test_setup_teardown(name, open_test, close_test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(scopes), UNIT(keep_over_levels), UNIT(keeps_further_out), UNIT(keep_after_adopt), UNIT(steps),
        UNIT(replaces), UNIT(retains), UNIT(what_holds_what),
        UNIT(from_blob_and_arrays), UNIT(threads), UNIT(fails_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
