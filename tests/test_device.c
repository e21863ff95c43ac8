/* A second device (mirror.h), whose memory the host may not touch and whose work is done later: what goes there, comes
   back, and trains there as on the CPU, bit for bit (the CPU runs its baseline kernels here, as the mirror does). */
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

#include "../katas/vit.h"
#include "fails.h"
#include "mirror.h"

static bool same(wk_tensor *a, wk_tensor *b) { return wk_equal(wk_to(a, wk_cpu), wk_to(b, wk_cpu)); }

/* ---------------------------------------------------------------- names, and devices that are not there */

static void devices_by_name(void **state)
{
    (void)state;
    assert_true(wk_device_equal(wk_device("mirror"), mirror));
    assert_true(wk_device_equal(wk_device("mirror:0"), mirror));
    assert_string_equal(wk_device_name(mirror), "mirror:0");
    assert_true(wk_device_equal(wk_device("cuda:0"), wk_cuda) && wk_device("cuda:1023").index == 1023);
    static const char *const NO_DEVICES[] = {"cuda:1024", "cuda:-1", "cuda:", "cuda:1a", "cuda1", "gpu", ""};
    for (size_t i = 0; i < sizeof NO_DEVICES / sizeof *NO_DEVICES; i++)
        assert_fails((wk_device(NO_DEVICES[i]), NULL), "name: expected \"cpu\", \"cuda\" or \"cuda:1\", got");
    assert_false(wk_cuda_is_available());
    wk_scope
    {
        float numbers[2] = {1, 2};
        wk_tensor *x = wk_ones((2));
        assert_fails(wk_zeros((2), .device = wk_cuda), "device: cuda:0 is not in this build");
        assert_fails(wk_to(x, wk_cuda), "device: cuda:0 is not in this build");
        assert_fails(wk_to(x, wk_device("mirror:1")), "device: mirror:1 is not there; there is 1 of them");
        assert_fails(wk_from_blob(numbers, (2), .device = wk_cuda), "device: cuda:0 is not in this build");
        assert_fails(wk_rand((2), .device = wk_cuda), "device: cuda:0 is not in this build");
        assert_fails(wk_synchronize(wk_cuda), "device: cuda:0 is not in this build");
        wk_module *model = wk_nn_linear(2, 2);
        assert_fails(wk_module_to(model, wk_cuda), "device: cuda:0 is not in this build");
        assert_true(wk_device_equal(((wk_nn_linear *)model)->weight->device, wk_cpu));
        wk_module_free(model);
    }
}

/* ---------------------------------------------------------------- there and back */

static void values_travel(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_randn((3, 4)), *y = wk_to(x, mirror);
        assert_true(wk_device_equal(y->device, mirror));
        assert_true(same(x, y));
        assert_ptr_equal(wk_to(y, mirror), y);
        wk_tensor *turned = wk_to(wk_t(x), mirror); // a permuted tensor keeps its strides, as in PyTorch
        assert_int_equal(turned->strides[0], 1);
        assert_true(same(turned, wk_t(x)));
        wk_tensor *strided = wk_to(wk_index(x, ":, ::2"), mirror);
        assert_true(wk_is_contiguous(strided));
        assert_true(same(strided, wk_index(x, ":, ::2")));
        assert_true(same(wk_to(wk_expand(wk_ones((1, 3)), (2, 3)), mirror), wk_ones((2, 3))));
        assert_true(same(wk_to(wk_zeros((0, 3)), mirror), wk_zeros((0, 3))));
        assert_true(same(wk_to(wk_to(x, wk_float64), wk_to(y, wk_float16)), wk_to(x, wk_float16)));
        assert_float_equal(wk_item(wk_sum(y)), wk_item(wk_sum(x)), 1e-5);
        float numbers[12];
        assert_true(wk_tolist(y, numbers));
        assert_memory_equal(numbers, wk_data_ptr(x), sizeof numbers);
        wk_copy_(y, wk_ones((4)));
        assert_true(same(y, wk_ones((3, 4))));
        assert_fails(wk_add(x, y), "add: expected all tensors on one device, got cpu and mirror:0");
        assert_true(same(wk_add(y, wk_tensor((), ((float[]){2}))), wk_full((3, 4), 3.0))); // a number
    }
}

static void not_waiting_is_asked_for(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_full((1000), 7.0, .device = mirror);
        mirror_pause(true);
        wk_tensor *y = wk_to(wk_add(x, 1), wk_cpu, .non_blocking = true); // returns though nothing has run
        assert_non_null(y);
        mirror_pause(false);
        assert_true(wk_synchronize(mirror));
        assert_true(same(y, wk_full((1000), 8.0)));
        /* what is sent may be changed at once */
        wk_tensor *sent = wk_zeros((1000));
        mirror_pause(true);
        wk_tensor *there = wk_to(sent, mirror, .non_blocking = true);
        wk_fill_(sent, 5);
        mirror_pause(false);
        assert_true(same(there, wk_zeros((1000))));
    }
}

static void gradients_travel(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_requires_grad_(wk_randn((3, 4)), true),
                  *plain = wk_requires_grad_(wk_clone(wk_detach(x)), true);
        wk_backward(wk_sum(wk_square(wk_to(x, mirror))));
        wk_backward(wk_sum(wk_square(plain)));
        assert_true(wk_device_equal(x->grad->device, wk_cpu));
        assert_true(same(x->grad, plain->grad));
        wk_tensor *there = wk_requires_grad_(wk_to(wk_detach(x), mirror), true);
        wk_backward(wk_sum(wk_square(wk_to(there, wk_cpu))));
        assert_true(wk_device_equal(there->grad->device, mirror));
        assert_true(same(there->grad, plain->grad));
    }
}

static void faults_come_at_the_next_wait(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_to(wk_arange(12), mirror), *far = wk_to(wk_tensor((2), ((int64_t[]){3, 12})), mirror);
        wk_error err;
        wk_tensor *y = NULL;
        wk_try (&err) y = wk_index_select(x, 0, far);
        assert_non_null(y); // nobody knows yet
        assert_false(err.set);
        assert_fails(wk_synchronize(mirror),
                     "index_select: index: 12 is out of range for dim 0 of (12,), which has size 12");
        assert_true(wk_synchronize(mirror)); // and goes on
        assert_true(same(wk_add(x, 0), wk_arange(12)));
        assert_fails(wk_index_select(wk_arange(12), 0, wk_to(far, wk_cpu)), "index: 12 is out of range for dim 0");
    }
}

/* ---------------------------------------------------------------- draws */

/* one of each that writes in place, and of those made like another */
static wk_tensor *written(wk_device device, wk_dtype dtype, int way)
{
    wk_tensor *x = wk_t(wk_zeros((5, 7), .device = device, .dtype = dtype));
    wk_tensor *p = wk_full((5), 0.3, .device = device);
    switch (way) {
    case 0: return wk_uniform_(x, -1, 2);
    case 1: return wk_normal_(x, 1, 2);
    case 2: return wk_bernoulli_(x, 0.3);
    case 3: return wk_bernoulli_(x, p);
    case 4: return wk_random_(x, 0, 9);
    case 5: return wk_random_(x);
    case 6: return wk_exponential_(x, 2);
    case 7: return wk_rand_like(x);
    case 8: return wk_randn_like(x);
    default: return wk_randint_like(x, 0, 9);
    }
}

static void writes_are_the_cpus(void **state)
{
    (void)state;
    static const wk_dtype DTYPES[] = {wk_float32, wk_float64, wk_bfloat16};
    for (int i = 0; i < 30; i++)
        wk_scope
        {
            wk_manual_seed(i);
            wk_tensor *here = written(wk_cpu, DTYPES[i % 3], i / 3);
            wk_manual_seed(i);
            assert_true(same(here, written(mirror, DTYPES[i % 3], i / 3)));
        }
}

static void draws_are_the_cpus(void **state)
{
    (void)state;
    wk_scope
    {
        wk_manual_seed(3);
        wk_tensor *a[4] = {wk_rand((5, 7)), wk_randn((40)), wk_randint(0, 9, (6)), wk_randperm(11)};
        wk_tensor *kept = wk_dropout(wk_ones((50)), 0.5);
        wk_manual_seed(3);
        wk_tensor *b[4] = {wk_rand((5, 7), .device = mirror), wk_randn((40), .device = mirror),
                           wk_randint(0, 9, (6), .device = mirror), wk_randperm(11, .device = mirror)};
        wk_tensor *kept_there = wk_dropout(wk_ones((50), .device = mirror), 0.5);
        for (int i = 0; i < 4; i++) {
            assert_true(wk_device_equal(b[i]->device, mirror));
            assert_true(same(a[i], b[i]));
        }
        assert_true(same(kept, kept_there));
        wk_tensor *drawn = wk_multinomial(wk_ones((8), .device = mirror), 3);
        assert_true(wk_device_equal(drawn->device, mirror));
        assert_fails(wk_bernoulli(wk_full((3), 2.0)), "p: expected probabilities in [0, 1], got 2");
    }
}

/* ---------------------------------------------------------------- training */

typedef struct training {
    vit *model;
    wk_optimizer *optimizer;
} training;

static training training_new(wk_device device, wk_dtype dtype)
{
    wk_manual_seed(0);
    training t = {.model = vit_new((vit_config){
                      .image = 8, .channels = 1, .patch = 4, .dim = 16, .depth = 2, .heads = 2, .classes = 10})};
    wk_module_to(t.model, dtype);
    assert_ptr_equal(wk_module_to(t.model, device), t.model);
    /* squares of small gradients are 0 in float16, and so is 1e-8: PyTorch's AdamW divides by it all the same */
    t.optimizer = wk_optim_adamw(wk_module_parameters(t.model), .lr = 1e-3, .eps = dtype == wk_float16 ? 1e-4 : 1e-8);
    return t;
}

static void training_free(training *t)
{
    wk_optim_free(t->optimizer);
    wk_module_free(t->model);
}

static double train(training *t, wk_tensor *image, wk_tensor *target, int steps)
{
    double last = 0;
    for (int i = 0; i < steps; i++)
        wk_scope
        {
            wk_tensor *loss = wk_cross_entropy(wk_forward(t->model, image), target);
            wk_optim_zero_grad(t->optimizer);
            assert_true(wk_backward(loss));
            assert_non_null(wk_nn_utils_clip_grad_norm_(wk_module_parameters(t->model), 1.0));
            assert_true(wk_optim_step(t->optimizer));
            last = wk_item(loss);
        }
    return last;
}

static void assert_same_parameters(const training *a, const training *b)
{
    const wk_tensors x = wk_module_parameters(a->model), y = wk_module_parameters(b->model);
    assert_int_equal(x.count, y.count);
    for (int64_t i = 0; i < x.count; i++)
        assert_true(same(x.items[i], y.items[i]));
}

/* the same bits as on the CPU, in every floating dtype; halves learn too */
static void a_model_trains_there_as_here(void **state)
{
    (void)state;
    static const wk_dtype DTYPES[] = {wk_float32, wk_float64, wk_float16, wk_bfloat16};
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++)
        wk_scope
        {
            training here = training_new(wk_cpu, DTYPES[i]), there = training_new(mirror, DTYPES[i]);
            wk_tensor *image = wk_to(wk_randn((32, 1, 8, 8)), DTYPES[i]), *target = wk_randint(0, 10, (32));
            const double first = train(&here, image, target, 1), last = train(&here, image, target, 9);
            train(&there, wk_to(image, mirror), wk_to(target, mirror), 10);
            if (!(last < first))
                fail_msg("%s: the loss goes from %g to %g", wk_dtype_name(DTYPES[i]), first, last);
            assert_same_parameters(&here, &there);
            training_free(&here);
            training_free(&there);
        }
}

/* saved there, gone on here: the file knows no device */
static void checkpoints_travel(void **state)
{
    (void)state;
    char path[] = "/tmp/wick_device_XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    wk_scope
    {
        training there = training_new(mirror, wk_float32), here = training_new(wk_cpu, wk_float32);
        wk_tensor *image = wk_randn((32, 1, 8, 8)), *target = wk_randint(0, 10, (32));
        train(&there, wk_to(image, mirror), wk_to(target, mirror), 2);
        wk_dict *weights = wk_module_state_dict(there.model), *steps = wk_optim_state_dict(there.optimizer);
        assert_true(wk_safetensors_save_file(weights, path));
        wk_dict *read = wk_safetensors_load_file(path);
        assert_non_null(read);
        assert_true(wk_module_load_state_dict(here.model, read));
        assert_true(wk_optim_load_state_dict(here.optimizer, steps));
        assert_same_parameters(&here, &there);
        train(&there, wk_to(image, mirror), wk_to(target, mirror), 2);
        train(&here, image, target, 2);
        assert_same_parameters(&here, &there);
        wk_dict_free(weights);
        wk_dict_free(steps);
        wk_dict_free(read);
        training_free(&there);
        training_free(&here);
    }
    unlink(path);
}

static void batches_of_there(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *y = wk_arange(10), *x = wk_to(y, wk_float32);
        wk_dataset *dataset = wk_data_tensor_dataset((wk_to(x, mirror), wk_to(y, mirror)));
        wk_data_loader *loader = wk_data_loader(dataset, .batch_size = 4);
        int64_t seen = 0;
        wk_for_each_batch (batch, loader) {
            assert_true(wk_device_equal(batch.x->device, mirror));
            assert_true(same(batch.y, wk_arange(seen, seen + wk_size(batch.y, 0))));
            seen += wk_size(batch.y, 0);
        }
        assert_int_equal(seen, 10);
        wk_data_loader_free(loader);
        wk_dataset_free(dataset);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    const char *isa = getenv("WICK_ISA"); // as the mirror computes; the choice was made before main
    if (!isa || strcmp(isa, "baseline") != 0) {
        setenv("WICK_ISA", "baseline", 1);
        execv("/proc/self/exe", argv);
    }
    setenv("WICK_TRACEBACK", "off", 0);
    mirror_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_by_name),
        cmocka_unit_test(values_travel),
        cmocka_unit_test(not_waiting_is_asked_for),
        cmocka_unit_test(gradients_travel),
        cmocka_unit_test(faults_come_at_the_next_wait),
        cmocka_unit_test(draws_are_the_cpus),
        cmocka_unit_test(writes_are_the_cpus),
        cmocka_unit_test(a_model_trains_there_as_here),
        cmocka_unit_test(checkpoints_travel),
        cmocka_unit_test(batches_of_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
