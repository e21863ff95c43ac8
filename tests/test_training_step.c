/* One training step of a whole model (forward, loss, backward, clipping, AdamW): with each of its allocations failing
   in turn, and on one, two and three threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wick.h>

#include "../katas/vit.h"

typedef struct training {
    vit *model;
    wk_optimizer *optimizer;
    wk_tensor *image, *target; // retained
} training;

static training training_new(void)
{
    training t = {0};
    wk_manual_seed(0);
    t.model = vit_new(
        (vit_config){.image = 8, .channels = 1, .patch = 4, .dim = 16, .depth = 2, .heads = 2, .classes = 10});
    t.optimizer = wk_optim_adamw(wk_module_parameters(t.model), .lr = 1e-3);
    wk_scope
    {
        t.image = wk_retain(wk_randn((32, 1, 8, 8)));
        t.target = wk_retain(wk_randint(0, 10, (32)));
    }
    return t;
}

static void training_free(training *t)
{
    wk_release(t->image);
    wk_release(t->target);
    wk_optim_free(t->optimizer);
    wk_module_free(t->model);
}

/* whether all of it was done */
static bool step(training *t)
{
    wk_tensor *loss = wk_cross_entropy(wk_forward(t->model, t->image), t->target); // ()
    wk_optim_zero_grad(t->optimizer);
    return wk_backward(loss) && wk_nn_utils_clip_grad_norm_(wk_module_parameters(t->model), 1.0) &&
           wk_optim_step(t->optimizer);
}

/* FNV-1a over the bits of every parameter */
static uint64_t bits_of(vit *model)
{
    uint64_t hash = 14695981039346656037u;
    const wk_tensors parameters = wk_module_parameters(model);
    for (int64_t i = 0; i < parameters.count; i++) {
        const wk_tensor *p = parameters.items[i];
        const unsigned char *bytes = wk_data_ptr(p);
        for (int64_t k = 0; k < p->numel * wk_element_size(p); k++)
            hash = (hash ^ bytes[k]) * 1099511628211u;
    }
    return hash;
}

static void each_allocation_fails_in_turn(void **state)
{
    (void)state;
    training t = training_new();
    wk_scope assert_true(step(&t)); // what lives from step to step is made now
    int64_t failures = 0;
    for (int64_t n = 0;; n++) {
        wk_optim_zero_grad(t.optimizer);
        const wk_memory_stats before = wk_memory_get_stats();
        const uint64_t bits = bits_of(t.model);
        wk_error error;
        bool fine = false;
        wk_try (&error) {
            wk_scope
            {
                wk_memory_fail_after(n);
                fine = step(&t);
                wk_memory_fail_after(-1);
            }
        }
        if (fine && !error.set)
            break; // the n-th allocation was never asked for
        failures++;
        wk_optim_zero_grad(t.optimizer);
        const wk_memory_stats after = wk_memory_get_stats();
        if (fine || !error.set || !strstr(error.message, "out of memory"))
            fail_msg("allocation %lld failed: %s \"%s\"", (long long)n, fine ? "done all the same," : "",
                     error.message);
        if (after.live_tensors != before.live_tensors || after.live_blocks != before.live_blocks)
            fail_msg("allocation %lld failed: %lld tensors and %lld blocks were lost after \"%s\"", (long long)n,
                     (long long)(after.live_tensors - before.live_tensors),
                     (long long)(after.live_blocks - before.live_blocks), error.message);
        if (bits_of(t.model) != bits)
            fail_msg("allocation %lld failed: the parameters moved after \"%s\"", (long long)n, error.message);
    }
    assert_true(failures > 200);
    training_free(&t);
}

static uint64_t trained_on(int threads)
{
    const int before = wk_get_num_threads();
    wk_set_num_threads(threads);
    training t = training_new();
    for (int i = 0; i < 5; i++)
        wk_scope assert_true(step(&t));
    const uint64_t bits = bits_of(t.model);
    training_free(&t);
    wk_set_num_threads(before);
    return bits;
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    const uint64_t alone = trained_on(1);
    assert_true(trained_on(2) == alone);
    assert_true(trained_on(3) == alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_in_turn),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
