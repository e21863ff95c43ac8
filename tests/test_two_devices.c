/* Operands on two devices: every op of the op table with some of its tensors on the mirror and the others on the CPU.
   An error that names the op and both devices; or the result that the CPU alone gives, where an op takes a tensor of
   another device as PyTorch does (numbers, copies, indices, shapes).  Never a crash, nor another value.

   And devices that are not there, wherever one can be named. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mirror.h"
#include "op_table.h"

#define MAX_ROWS 512

static const op_row *rows[MAX_ROWS];
static int row_count, failures;

void op_table_add(const op_row *row)
{
    if (row_count < MAX_ROWS)
        rows[row_count++] = row;
}
void op_table_add_bad(const bad_row *row) { (void)row; }

__attribute__((format(printf, 3, 4))) static void failed(const golden_case *c, unsigned there, const char *format, ...)
{
    if (++failures > 12)
        return;
    char what[512];
    golden_describe(c, what, sizeof what);
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "  %s, inputs 0x%x on the mirror: ", what, there);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* a call with the inputs in `there` on the mirror */
typedef struct outcome {
    wk_error error;
    wk_tensor *result[GOLDEN_MAX];
    int count;
} outcome;

static void call(const op_row *row, golden_case *c, unsigned there, outcome *o)
{
    memset(c->optional, 0, sizeof c->optional);
    c->made_count = 0;
    *o = (outcome){0};
    wk_try(&o->error)
    {
        for (int i = 0; i < c->inputs; i++) {
            op_device = there >> i & 1 ? mirror : wk_cpu;
            c->given[i] = c->input[i].tensor.dtype ? op_lay_out(&c->input[i].tensor, PLAIN) : NULL;
        }
        op_device = there & 1 ? mirror : wk_cpu; // of what an adapter makes itself
        wk_tensor *y = row->run(c);
        wk_synchronize(mirror);
        o->count = c->made_count > 0 ? c->made_count : 1;
        for (int i = 0; i < o->count && !wk_failing(); i++)
            o->result[i] = c->made_count > 0 ? c->made[i] : y;
    }
}

static bool same_values(wk_tensor *a, wk_tensor *b)
{
    return !a || !b ? a == b
                    : wk_allclose(wk_to(a, wk_cpu), wk_to(b, wk_cpu), .rtol = 1e-3, .atol = 1e-3, .equal_nan = true);
}

static void check(const op_row *row, golden_case *c, unsigned there)
{
    outcome alone, mixed;
    call(row, c, 0, &alone);
    call(row, c, there, &mixed);
    const char *message = mixed.error.message;
    if (mixed.error.set) {
        if (!strstr(message, "mirror:0") || !strstr(message, "cpu"))
            failed(c, there, "the error does not name both devices: %s", message);
        if (strncmp(row->name, mixed.error.op, strlen(mixed.error.op)) != 0)
            failed(c, there, "is another op's error: %s", message);
        return;
    }
    for (int i = 0; i < alone.count; i++)
        if (!same_values(alone.result[i], mixed.result[i]))
            failed(c, there, "result %d is not the CPU's", i);
}

static void test_row(void **state)
{
    const op_row *row = *state;
    static golden_file golden;
    static char family[64];
    if (strcmp(family, row->family) != 0) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s.golden", WICK_GOLDEN, row->family);
        golden_free(&golden);
        assert_true(golden_read(path, &golden));
        snprintf(family, sizeof family, "%s", row->family);
    }
    failures = 0;
    for (int i = 0, cases = 0; i < golden.count && cases < 8; i++) {
        golden_case *c = &golden.cases[i];
        unsigned tensors = 0;
        for (int k = 0; k < c->inputs; k++)
            tensors |= (unsigned)(c->input[k].tensor.dtype != 0) << k;
        if (strcmp(c->op, row->name) != 0 || c->fails || (tensors & (tensors - 1)) == 0)
            continue;
        cases++;
        for (unsigned there = 1; there < tensors; there++)
            if ((there & ~tensors) == 0)
                wk_scope
        check(row, c, there);
    }
    if (failures > 0)
        fail_msg("%s: %d checks failed", row->name, failures);
}

/* ---------------------------------------------------------------- modules, gradients */

#define assert_fails(expression, a, b)                                                                                 \
    do {                                                                                                               \
        wk_error error_;                                                                                               \
        wk_try(&error_) { assert_false(expression); }                                                                  \
        if (!error_.set || !strstr(error_.message, a) || !strstr(error_.message, b))                                   \
            fail_msg("%s: expected an error with \"%s\" and \"%s\", got \"%s\"", #expression, a, b, error_.message);   \
    } while (0)

static void modules_of_there(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *image = wk_ones((2, 4, 6, 6)), *row = wk_ones((2, 4)), *steps = wk_ones((2, 3, 4));
        const struct {
            void *module;
            wk_tensor *x;
        } modules[] = {
            {wk_nn_linear(4, 3, .device = mirror), row},
            {wk_nn_conv2d(4, 3, 3, .device = mirror), image},
            {wk_nn_layer_norm((4), .device = mirror), row},
            {wk_nn_group_norm(2, 4, .device = mirror), image},
            {wk_nn_embedding(5, 4, .device = mirror), wk_full((2, 3), 1)},
            {wk_nn_transformer_encoder_layer(4, 2, .device = mirror), steps},
        };
        for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
            assert_non_null(modules[i].module);
            assert_fails(wk_forward(modules[i].module, modules[i].x), "mirror:0", "cpu");
            assert_non_null(wk_forward(modules[i].module, wk_to(modules[i].x, mirror)));
            wk_module_free(modules[i].module);
        }
    }
}

/* the same parameters here and there: the same sequences, packed and padded again, and the same decoder */
static void sequences_of_there(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_randn((3, 5, 4)), *lengths = wk_tensor((3), ((int64_t[]){2, 5, 3})), *y[2], *z[2], *h[2];
        for (int there = 0; there < 2; there++) {
            wk_manual_seed(0);
            wk_module *gru = wk_nn_gru(4, 4, .bidirectional = true);
            wk_module *decoder = wk_nn_transformer_decoder_layer(4, 2, 8, 0, .batch_first = true);
            wk_module_to_device(gru, there ? mirror : wk_cpu);
            wk_module_to_device(decoder, there ? mirror : wk_cpu);
            wk_tensor *in = there ? wk_to(x, mirror) : x;
            wk_nn_packed_sequence packed = wk_nn_utils_rnn_pack_padded_sequence(in, lengths, true, false);
            packed = wk_nn_gru_forward_packed(gru, packed, .h_n = &h[there]);
            y[there] = wk_nn_utils_rnn_pad_packed_sequence(packed, .batch_first = true);
            z[there] = wk_nn_transformer_decoder_layer_forward(decoder, in, in, .tgt_is_causal = true);
            wk_module_free(gru);
            wk_module_free(decoder);
        }
        assert_true(wk_device_equal(y[1]->device, mirror) && wk_device_equal(z[1]->device, mirror));
        assert_true(wk_allclose(wk_to(y[1], wk_cpu), y[0], .atol = 1e-6));
        assert_true(wk_allclose(wk_to(h[1], wk_cpu), h[0], .atol = 1e-6));
        assert_true(wk_allclose(wk_to(z[1], wk_cpu), z[0], .atol = 1e-6));
    }
}

static void gradients_of_there(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_randn((3), .requires_grad = true), *y = wk_mul(x, 2), *g = NULL;
        assert_fails(wk_backward(y, .gradient = wk_ones((3), .device = mirror)), "mirror:0", "cpu");
        assert_fails(
            wk_autograd_grad((y), (x), (&g), .grad_outputs = {1, (wk_tensor *[]){wk_ones((3), .device = mirror)}}),
            "mirror:0", "cpu");
        wk_tensor *z = wk_randn((3), .requires_grad = true, .device = mirror);
        assert_fails(wk_where(wk_gt(x, 0), x, z), "mirror:0", "cpu");
        assert_true(wk_backward(wk_sum(wk_add(wk_to(x, mirror), z))));
        wk_tensor *scale = wk_tensor((), ((float[]){2}), .requires_grad = true); // a number, whose gradient comes back
        assert_true(wk_backward(wk_sum(wk_mul(z, scale))));
        assert_true(wk_device_equal(scale->grad->device, wk_cpu));
        assert_float_equal(wk_item(scale->grad), wk_item(wk_sum(z)), 1e-5);
        assert_true(wk_device_equal(x->grad->device, wk_cpu));
        assert_true(wk_device_equal(z->grad->device, mirror));
    }
}

/* ---------------------------------------------------------------- devices that are not there */

#define CUDA "device: cuda:0 is not in this build"
#define SECOND "device: mirror:1 is not there"

static void not_there(void **state)
{
    (void)state;
    wk_scope
    {
        const wk_device none[] = {wk_cuda, {WK_PRIVATE, 1}, {WK_PRIVATE, -1}, {WK_CPU, 1}, {(wk_device_type)9, 0}};
        wk_tensor *x = wk_ones((2, 3));
        float values[2] = {1, 2};
        for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
            const wk_device d = none[i];
            assert_fails(wk_empty((2), .device = d), "empty: device: ", "");
            assert_fails(wk_zeros((2), .device = d), "device: ", "");
            assert_fails(wk_ones((0), .device = d), "device: ", "");
            assert_fails(wk_zeros_like(x, .device = d), "device: ", "");
            assert_fails(wk_empty_like(x, .device = d), "device: ", "");
            assert_fails(wk_new_full(x, (2), 3, .device = d), "device: ", "");
            assert_fails(wk_tensor((2), values, .device = d), "device: ", "");
            assert_fails(wk_from_blob(values, (2), .device = d), "device: ", "");
            assert_fails(wk_arange_with(WK_NUMBER(0), WK_NUMBER(5), WK_NUMBER(1), (wk_range_args){.device = d}),
                         "device: ", "");
            assert_fails(wk_linspace(0, 1, 3, .device = d), "device: ", "");
            assert_fails(wk_eye(3, .device = d), "device: ", "");
            assert_fails(wk_rand((2), .device = d), "device: ", "");
            assert_fails(wk_randn((2), .device = d), "device: ", "");
            assert_fails(wk_rand_like(x, .device = d), "device: ", "");
            assert_fails(wk_randint(0, 5, (2), .device = d), "device: ", "");
            assert_fails(wk_randperm(5, .device = d), "device: ", "");
            assert_fails(wk_to(x, d), "to: device: ", "");
            assert_fails(wk_synchronize(d), "synchronize: device: ", "");
            assert_fails(wk_nn_linear(2, 3, .device = d), "device: ", "");
            assert_fails(wk_nn_conv2d(2, 3, 1, .device = d), "device: ", "");
            assert_fails(wk_nn_embedding(2, 3, .device = d), "device: ", "");
            wk_module *model = wk_nn_linear(2, 2);
            assert_fails(wk_module_to(model, d), "device: ", "");
            assert_non_null(wk_forward(model, wk_ones((1, 2)))); // where it was
            wk_module_free(model);
        }
        assert_fails(wk_zeros((2), .device = none[0]), CUDA, "wk_cpu");
        assert_fails(wk_zeros((2), .device = none[1]), SECOND, "there is 1 of them");
        wk_error error;
        wk_try(&error) wk_device("tpu");
        assert_non_null(strstr(error.message, "got \"tpu\""));
        wk_try(&error) wk_device(NULL);
        assert_true(error.set);
        wk_try(&error) wk_device("mirror:x");
        assert_true(error.set);
    }
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[MAX_ROWS + 4];
    setenv("WICK_TRACEBACK", "off", 0); // hundreds of errors are expected
    mirror_start();
    size_t count = 0;
    for (int i = 0; i < row_count; i++)
        if (argc < 2 || strcmp(argv[1], rows[i]->name) == 0)
            tests[count++] = (struct CMUnitTest){
                .name = rows[i]->name, .test_func = test_row, .initial_state = (void *)(uintptr_t)rows[i]};
    if (argc < 2) {
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(modules_of_there);
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(sequences_of_there);
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(gradients_of_there);
        tests[count++] = (struct CMUnitTest)cmocka_unit_test(not_there);
    }
    return _cmocka_run_group_tests("two devices", tests, count, NULL, NULL);
}
