/* A training that is saved, ended and resumed: every parameter, moment and random number has the bits that it would
   have had without the break. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

static char path[] = "/tmp/wick_test_resume_XXXXXX";

/* all that a training is made of; dropout draws from the process's generator, noise from one of its own */
typedef struct training {
    wk_module *model;
    wk_optimizer *optimizer;
    wk_lr_scheduler *schedule;
    wk_generator *noise;
    wk_dataset *dataset;
    wk_data_loader *loader;
} training;

static training start(uint64_t seed, wk_tensor *x, wk_tensor *y, int64_t shuffle_seed)
{
    wk_manual_seed(seed);
    training t = {0};
    t.model = wk_nn_sequential(wk_nn_linear(5, 16), wk_nn_gelu(), wk_nn_dropout(0.3), wk_nn_linear(16, 3));
    t.optimizer = wk_optim_adamw(wk_module_parameters(t.model), .lr = 1e-2);
    t.schedule = wk_optim_cosine_annealing_lr(t.optimizer, 40);
    t.noise = wk_generator_manual_seed(wk_generator_new(), seed + 1);
    t.dataset = wk_data_tensor_dataset((x, y));
    t.loader = wk_data_loader(t.dataset, 7, .shuffle = true, .seed = shuffle_seed, .num_workers = 2);
    return t;
}

static void end(training *t)
{
    wk_data_loader_free(t->loader);
    wk_dataset_free(t->dataset);
    wk_generator_free(t->noise);
    wk_lr_scheduler_free(t->schedule);
    wk_optim_free(t->optimizer);
    wk_module_free(t->model);
}

static void train(training *t, int epochs)
{
    for (int epoch = 0; epoch < epochs; epoch++)
        wk_for_each_batch (batch, t->loader) {
            wk_tensor *x = wk_add(batch.x, wk_mul(wk_randn_like(batch.x, .generator = t->noise), 0.1));
            wk_tensor *loss = wk_cross_entropy(wk_forward(t->model, x), batch.y);
            wk_optim_zero_grad(t->optimizer);
            wk_backward(loss);
            wk_optim_step(t->optimizer);
            wk_lr_scheduler_step(t->schedule);
        }
}

/* the state of every part in one dictionary; NULL: none */
static wk_dict *state_of(training *t)
{
    wk_dict *all = wk_dict_new();
    wk_dict *parts[] = {wk_module_state_dict(t->model), wk_optim_state_dict(t->optimizer),
                        wk_lr_scheduler_state_dict(t->schedule)};
    static const char *const NAMES[] = {"model.", "optimizer.", "schedule."};
    for (int i = 0; i < 3; i++) {
        assert_true(wk_dict_update(all, parts[i], NAMES[i]));
        wk_dict_free(parts[i]);
    }
    assert_true(wk_dict_set(all, "rng", wk_get_rng_state()));
    assert_true(wk_dict_set(all, "noise", wk_generator_get_state(t->noise)));
    return all;
}

static void load(training *t, const wk_dict *all)
{
    wk_dict *model = wk_dict_part(all, "model."), *optimizer = wk_dict_part(all, "optimizer.");
    wk_dict *schedule = wk_dict_part(all, "schedule.");
    assert_true(wk_module_load_state_dict(t->model, model));
    assert_true(wk_optim_load_state_dict(t->optimizer, optimizer));
    assert_true(wk_lr_scheduler_load_state_dict(t->schedule, schedule));
    assert_true(wk_set_rng_state(wk_dict_get(all, "rng")));
    assert_true(wk_generator_set_state(t->noise, wk_dict_get(all, "noise")));
    wk_dict_free(model), wk_dict_free(optimizer), wk_dict_free(schedule);
}

static void assert_same(const wk_dict *a, const wk_dict *b)
{
    assert_int_equal(wk_dict_count(a), wk_dict_count(b));
    assert_int_equal(wk_dict_text_count(a), wk_dict_text_count(b));
    for (int64_t i = 0; i < wk_dict_text_count(a); i++)
        assert_string_equal(wk_dict_text_at(a, i), wk_dict_text(b, wk_dict_text_key_at(a, i)));
    for (int64_t i = 0; i < wk_dict_count(a); i++) {
        const wk_tensor *x = wk_dict_value_at(a, i), *y = wk_dict_get(b, wk_dict_key_at(a, i));
        assert_non_null(y);
        const size_t bytes = (size_t)(wk_numel(x) * wk_element_size(x));
        if (wk_numel(x) != wk_numel(y) || memcmp(wk_data_ptr(x), wk_data_ptr(y), bytes) != 0)
            fail_msg("%s has other bits", wk_dict_key_at(a, i));
    }
}

/* shuffled by the process's generator (-1), whose state says all, or by a seed of the loader's, which counts epochs */
static void goes_on_bit_for_bit(void **state)
{
    (void)state;
    for (int64_t shuffle_seed = -1; shuffle_seed < 6; shuffle_seed += 6)
        wk_scope
    {
        wk_manual_seed(1);
        wk_tensor *x = wk_randn((31, 5)), *y = wk_randint(0, 3, (31));
        training whole = start(2, x, y, shuffle_seed);
        train(&whole, 2);
        wk_dict *saved = state_of(&whole);
        assert_true(wk_safetensors_save_file(saved, path));
        wk_dict_free(saved);
        train(&whole, 3);
        wk_dict *expected = state_of(&whole);

        training resumed = start(99, x, y, shuffle_seed); // other weights, other random numbers
        wk_dict *loaded = wk_safetensors_load_file(path);
        load(&resumed, loaded);
        wk_dict_free(loaded);
        if (shuffle_seed >= 0)
            assert_true(wk_data_loader_set_epoch(resumed.loader, 2));
        train(&resumed, 3);
        wk_dict *got = state_of(&resumed);
        assert_same(got, expected);
        wk_dict_free(got);
        wk_dict_free(expected);
        end(&whole);
        end(&resumed);
    }
}

int main(void)
{
    const int file = mkstemp(path);
    if (file < 0)
        return 1;
    close(file);
    const struct CMUnitTest tests[] = {cmocka_unit_test(goes_on_bit_for_bit)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
