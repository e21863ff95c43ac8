/* Every op of the op table in every dtype, on the CPU and on the mirror: a result or an error that names the op, and
   never memory that nobody wrote.

   The inputs of a few golden cases of each op, all of them or some, are converted to each dtype.  A call is made twice,
   with fresh memory filled with one byte and with another (wk_memory_poison): whatever differs between the two was
   never written.  So for the results, their gradients, and the gradients of those.  The mirror's values are the CPU's.

   test_every_dtype [--device DEVICE] [FAMILY [OP]] */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/alloc.h"
#include "core/element.h"
#include "family.h"
#include "mirror.h"
#include "op_table.h"

#define MAX_ROWS 512
#define CASES 24      // of an op; a quarter of them on the mirror, which is slow
#define LARGEST 256   // elements of an input
#define MAX_VALUES 32 // results and gradients of a call

static const op_row *rows[MAX_ROWS];
static int row_count, failures;

void op_table_add(const op_row *row)
{
    if (row_count < MAX_ROWS)
        rows[row_count++] = row;
}
void op_table_add_bad(const bad_row *row) { (void)row; }

/* what is converted, and to what */
typedef struct variant {
    golden_case *c; // its inputs are the converted ones
    unsigned mask;  // the inputs that are
    wk_dtype dtype; // to this
    char name[256]; // for messages
} variant;

__attribute__((format(printf, 2, 3))) static void failed(const variant *v, const char *format, ...)
{
    if (++failures > 12 && !getenv("WICK_EVERY_DTYPE_ALL"))
        return;
    char what[512];
    golden_describe(v->c, what, sizeof what);
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "  %s on %s: ", what, wk_device_name(op_device));
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static bool in_place(const op_row *row) { return row->name[strlen(row->name) - 1] == '_'; }
static bool inexact(wk_dtype dtype) { return wk_dtype_is_floating(dtype) || wk_dtype_is_complex(dtype); }

/* ---------------------------------------------------------------- inputs */

static int64_t saturated(double value, int64_t low, int64_t high)
{
    return isnan(value) ? 0 : value <= (double)low ? low : value >= (double)high ? high : (int64_t)value;
}

static void put(wk_dtype dtype, void *bytes, int64_t i, double value, double imaginary)
{
    switch (dtype) {
    case wk_bool:
        ((unsigned char *)bytes)[i] = value != 0;
        break;
    case wk_uint8:
        ((uint8_t *)bytes)[i] = (uint8_t)saturated(value, 0, UINT8_MAX);
        break;
    case wk_int8:
        ((int8_t *)bytes)[i] = (int8_t)saturated(value, INT8_MIN, INT8_MAX);
        break;
    case wk_int16:
        ((int16_t *)bytes)[i] = (int16_t)saturated(value, INT16_MIN, INT16_MAX);
        break;
    case wk_int32:
        ((int32_t *)bytes)[i] = (int32_t)saturated(value, INT32_MIN, INT32_MAX);
        break;
    case wk_int64:
        ((int64_t *)bytes)[i] = saturated(value, -(1LL << 62), 1LL << 62);
        break;
    case wk_complex64:
        ((float *)bytes)[2 * i] = (float)value;
        ((float *)bytes)[2 * i + 1] = (float)imaginary;
        break;
    case wk_complex128:
        ((double *)bytes)[2 * i] = value;
        ((double *)bytes)[2 * i + 1] = imaginary;
        break;
    default:
        wk_store_floating(dtype, bytes, i, value);
    }
}

/* x's values in another dtype, in memory to be freed */
static golden_tensor converted(const golden_tensor *x, wk_dtype dtype)
{
    golden_tensor y = *x;
    void *bytes = calloc((size_t)x->numel + 1, wk_dtype_size(dtype));
    for (int64_t i = 0; i < x->numel; i++) {
        const double value = golden_element(x, i, 0);
        put(dtype, bytes, i, value, wk_dtype_is_complex(x->dtype) ? golden_element(x, i, 1) : value / 2 + 0.25);
    }
    y.dtype = dtype;
    y.bytes = bytes;
    return y;
}

/* a gradient for y, the same each time */
static wk_tensor *gradient_for(const wk_tensor *y)
{
    golden_tensor dy = {.dtype = y->dtype, .ndim = y->ndim, .numel = y->numel};
    memcpy(dy.shape, y->shape, sizeof dy.shape);
    char *bytes = calloc((size_t)y->numel + 1, wk_dtype_size(y->dtype));
    for (int64_t i = 0; i < y->numel; i++)
        put(y->dtype, bytes, i, (double)(i * 7 % 11 - 5) / 4, (double)(i * 5 % 7 - 3) / 4);
    dy.bytes = bytes;
    wk_tensor *made = op_lay_out(&dy, PLAIN);
    free(bytes);
    return made;
}

/* ---------------------------------------------------------------- a call, and what came of it */

typedef struct outcome {
    wk_error error;
    bool computed; // the op itself went well: the error is of a gradient
    bool recorded; // a result remembers where it came from
    int count;
    golden_tensor value[MAX_VALUES];
    char what[MAX_VALUES][32];
} outcome;

static void outcome_free(outcome *o)
{
    for (int i = 0; i < o->count; i++)
        free((void *)(uintptr_t)o->value[i].bytes);
}

__attribute__((format(printf, 3, 4))) static void note(outcome *o, const wk_tensor *x, const char *format, ...)
{
    if (!x || o->count == MAX_VALUES)
        return;
    void *bytes = calloc((size_t)x->numel + 1, wk_dtype_size(x->dtype));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(o->what[o->count], sizeof o->what[0], format, arguments);
    va_end(arguments);
    o->value[o->count++] = golden_of_tensor(x, bytes);
}

/* gradients of outputs, and of those; what comes is noted */
static void differentiate(outcome *o, wk_tensors outputs, wk_tensors inputs, int order)
{
    wk_tensor *dys[MAX_VALUES], *gradients[GOLDEN_MAX] = {0};
    wk_tensor **places[GOLDEN_MAX];
    for (int64_t i = 0; i < outputs.count; i++)
        dys[i] = gradient_for(outputs.items[i]);
    for (int64_t i = 0; i < inputs.count; i++)
        places[i] = &gradients[i];
    if (!wk_autograd_grad_with((wk_autograd_grad_args){.outputs = outputs,
                                                       .inputs = inputs,
                                                       .results = {inputs.count, places},
                                                       .grad_outputs = {outputs.count, dys},
                                                       .create_graph = order == 1,
                                                       .allow_unused = true}))
        return;
    wk_tensor *again[GOLDEN_MAX];
    int count = 0;
    for (int64_t i = 0; i < inputs.count; i++) {
        note(o, gradients[i], "gradient %lld, order %d", (long long)i, order);
        if (gradients[i] && gradients[i]->requires_grad)
            again[count++] = gradients[i];
    }
    if (order == 1 && count > 0)
        differentiate(o, (wk_tensors){count, again}, inputs, 2);
}

static void call(const op_row *row, const variant *v, bool grad, outcome *o)
{
    golden_case *c = v->c;
    wk_tensor *leaves[GOLDEN_MAX], *outputs[GOLDEN_MAX];
    int leaf_count = 0, output_count = 0;
    for (int i = 0; i < c->inputs; i++) {
        c->given[i] = NULL;
        if (!c->input[i].tensor.dtype)
            continue;
        wk_tensor *x = c->given[i] = op_lay_out(&c->input[i].tensor, PLAIN);
        if (!grad || !inexact(x->dtype))
            continue;
        leaves[leaf_count++] = wk_requires_grad_(x, true);
        if (i == 0 && in_place(row)) // a leaf cannot be written: a copy that follows it can
            c->given[i] = wk_clone(x);
    }
    c->made_count = 0;
    wk_tensor *y = row->run(c);
    wk_synchronize(op_device);
    if (wk_failing())
        return;
    o->computed = true;
    const int count = c->made_count > 0 ? c->made_count : 1;
    for (int i = 0; i < count; i++) {
        const wk_tensor *result = c->made_count > 0 ? c->made[i] : y;
        note(o, result, "result %d", i);
        if (result && result->requires_grad)
            outputs[output_count++] = (wk_tensor *)(uintptr_t)result;
    }
    o->recorded = output_count > 0;
    if (output_count > 0)
        differentiate(o, (wk_tensors){output_count, outputs}, (wk_tensors){leaf_count, leaves}, 1);
    wk_synchronize(op_device);
}

static void attempt(const op_row *row, const variant *v, bool grad, int byte, outcome *o)
{
    memset(o, 0, offsetof(outcome, value));
    wk_memory_poison(byte);
    wk_scope
    {
        wk_manual_seed(0);
        wk_try(&o->error) call(row, v, grad, o);
    }
    wk_memory_poison(-1);
}

/* ---------------------------------------------------------------- what must hold */

static bool same_bytes(const golden_tensor *a, const golden_tensor *b)
{
    return a->dtype == b->dtype && a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * 8) == 0 &&
           memcmp(a->bytes, b->bytes, (size_t)a->numel * wk_dtype_size(a->dtype)) == 0;
}

static void check_written(const variant *v, const outcome *a, const outcome *b)
{
    if (strcmp(a->error.message, b->error.message) != 0 || a->count != b->count) {
        failed(v, "depends on memory that nobody wrote: \"%s\" and %d values, or \"%s\" and %d", a->error.message,
               a->count, b->error.message, b->count);
        return;
    }
    for (int i = 0; i < a->count; i++) {
        if (!same_bytes(&a->value[i], &b->value[i]))
            failed(v, "%s has memory that nobody wrote", a->what[i]);
        for (int64_t k = 0; a->value[i].dtype == wk_bool && k < a->value[i].numel; k++)
            if (((const unsigned char *)a->value[i].bytes)[k] > 1) {
                failed(v, "%s is bool, and holds a %d", a->what[i], ((const unsigned char *)a->value[i].bytes)[k]);
                break;
            }
    }
}

/* what the message says is wrong: a dtype, or what the values became */
static bool says_what(const char *text)
{
    static const char *const values[] = {"complex numbers have no order",
                                         "division by zero",
                                         "bools",
                                         "expected classes",
                                         "target: ",
                                         "the mask of shape"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strstr(text, values[i]))
            return true;
    for (wk_dtype dtype = wk_bool; dtype < WK_DTYPES; dtype++)
        if (strstr(text, wk_dtype_name(dtype)))
            return true;
    return false;
}

/* whether an error of this op may be the row's: a row of x_ has errors of x, one of x_weighted those of x, and a
   composition may leave a dtype to the op that computes in it */
static bool owns(const op_row *row, const char *op)
{
    static const char *const parts[][2] = {
        {"linalg_vector_norm", "norm"}, {"l1_loss", "sub"}, {"l1_loss", "abs"}, {"l1_loss", "mean"},
        {"pairwise_distance", "sub"}, {"pairwise_distance", "norm"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(row->name, parts[i][0]) == 0 && strcmp(op, parts[i][1]) == 0)
            return true;
    return strncmp(row->name, op, strlen(op)) == 0;
}

/* an error where the own dtypes of the case give none: the op names itself and what is wrong */
static void check_error(const op_row *row, const variant *v, const outcome *o)
{
    const char *message = o->error.message;
    const size_t length = strlen(o->error.op);
    if (length == 0 || strncmp(message, o->error.op, length) != 0 || message[length] != ':')
        failed(v, "the message does not start with the op: %s", message);
    if (o->computed && o->recorded)
        failed(v, "recorded, but has no gradient: %s", message);
    else if (!owns(row, o->error.op))
        failed(v, "is another op's error (%s): %s", o->error.op, message);
    if (strstr(message, "(null)"))
        failed(v, "%s", message);
    if (!says_what(message))
        failed(v, "does not say which dtype: %s", message);
}

/* run on the mirror as on the CPU */
static void check_mirrored(const variant *v, const outcome *here, const outcome *there)
{
    if (here->error.set || there->error.set) {
        if (here->error.set != there->error.set)
            failed(v, "on the CPU \"%s\", here \"%s\"", here->error.message, there->error.message);
        return;
    }
    if (here->count != there->count) {
        failed(v, "%d values, on the CPU %d", there->count, here->count);
        return;
    }
    for (int i = 0; i < here->count; i++) {
        const golden_tensor *a = &here->value[i], *b = &there->value[i];
        bool same = a->dtype == b->dtype && a->numel == b->numel;
        for (int64_t k = 0; same && k < a->numel; k++)
            for (int part = 0; part <= wk_dtype_is_complex(a->dtype); part++) {
                const double x = golden_element(a, k, part), y = golden_element(b, k, part);
                same &= x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= 1e-4 + 2e-2 * fabs(x);
            }
        if (!same)
            failed(v, "%s is not the CPU's", here->what[i]);
    }
}

static wk_device device_of_test = {WK_CPU, 0};

static void check_variant(const op_row *row, const variant *v, bool own_dtypes)
{
    static outcome a, b, here;
    for (int grad = 0; grad <= (row->gradient != NONE); grad++) {
        const bool on_cpu = device_of_test.type == WK_CPU;
        if (!on_cpu) {
            op_device = wk_cpu;
            attempt(row, v, grad, 0xFF, &here);
        }
        op_device = device_of_test;
        attempt(row, v, grad, 0xFF, &a);
        attempt(row, v, grad, 0x5A, &b);
        check_written(v, &a, &b);
        if (!on_cpu)
            check_mirrored(v, &here, &a);
        if (a.error.set && !own_dtypes && !(a.computed && !grad))
            check_error(row, v, &a);
        if (a.error.set && own_dtypes)
            failed(v, "%s", a.error.message);
        outcome_free(&a);
        outcome_free(&b);
        if (!on_cpu)
            outcome_free(&here);
        if (grad == 0 && a.error.set)
            break;
    }
}

/* ---------------------------------------------------------------- cases and their variants */

static bool small(const golden_case *c)
{
    bool any = false;
    for (int i = 0; i < c->inputs; i++) {
        any |= c->input[i].tensor.dtype != 0;
        if (c->input[i].tensor.dtype && c->input[i].tensor.numel > LARGEST)
            return false;
    }
    for (int dim = 0; dim < c->result[0].ndim; dim++) // of nothing, but with sizes beyond all memory
        if (c->result[0].shape[dim] > 1 << 20)
            return false;
    return any && !c->fails;
}

/* whether two cases differ in more than dtypes and values */
static bool alike(const golden_case *a, const golden_case *b)
{
    if (a->inputs != b->inputs || a->keywords != b->keywords)
        return false;
    for (int i = 0; i < a->keywords; i++)
        if (strcmp(a->keyword[i].name, b->keyword[i].name) != 0 || strcmp(a->keyword[i].text, b->keyword[i].text) != 0)
            return false;
    for (int i = 0; i < a->inputs; i++) {
        const golden_input *x = &a->input[i], *y = &b->input[i];
        if (!x->tensor.dtype != !y->tensor.dtype || x->number.kind != y->number.kind ||
            x->number.value != y->number.value || x->tensor.ndim != y->tensor.ndim ||
            (x->tensor.numel == 0) != (y->tensor.numel == 0))
            return false;
    }
    return true;
}

/* the case with the inputs in mask converted */
static void check_converted(const op_row *row, const golden_case *original, unsigned mask, wk_dtype dtype)
{
    golden_case c = *original;
    bool own = true;
    for (int i = 0; i < c.inputs; i++)
        if (mask >> i & 1) {
            own &= c.input[i].tensor.dtype == dtype;
            c.input[i].tensor = converted(&original->input[i].tensor, dtype);
        }
    const variant v = {.c = &c, .mask = mask, .dtype = dtype};
    check_variant(row, &v, own);
    for (int i = 0; i < c.inputs; i++)
        if (mask >> i & 1)
            free((void *)(uintptr_t)c.input[i].tensor.bytes);
}

static void check_case(const op_row *row, const golden_case *c)
{
    unsigned tensors = 0, like_first = 0;
    wk_dtype first = 0;
    for (int i = 0; i < c->inputs; i++) {
        const wk_dtype dtype = c->input[i].tensor.dtype;
        first = first ? first : dtype;
        tensors |= (unsigned)(dtype != 0) << i;
        like_first |= (unsigned)(dtype && dtype == first) << i;
    }
    for (unsigned mask = 1; mask <= tensors; mask++) {
        const bool single = (mask & (mask - 1)) == 0;
        if ((mask & ~tensors) != 0 || (!single && mask != tensors && mask != like_first))
            continue;
        for (wk_dtype dtype = wk_bool; dtype < WK_DTYPES; dtype++)
            check_converted(row, c, mask, dtype);
    }
}

static void test_row(void **state)
{
    const op_row *row = *state;
    const golden_case *chosen[CASES];
    const int most = device_of_test.type == WK_CPU ? CASES : CASES / 4;
    int count = 0;
    if (strcmp(row->family, "index_mixtures") == 0) // integers for masks are another index; the ops have other rows
        return;
    failures = 0;
    read_family(row->family);
    for (int i = 0; i < golden.count && count < most; i++) {
        const golden_case *c = &golden.cases[i];
        bool fresh = strcmp(c->op, row->name) == 0 && small(c);
        for (int k = 0; fresh && k < count; k++)
            fresh = !alike(c, chosen[k]);
        if (fresh)
            chosen[count++] = c;
    }
    for (int i = 0; i < count; i++)
        check_case(row, chosen[i]);
    if (failures > 0)
        fail_msg("%s: %d checks failed", row->name, failures);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[MAX_ROWS];
    setenv("WICK_TRACEBACK", "off", 0); // thousands of errors are expected
    if (argc > 2 && strcmp(argv[1], "--device") == 0) {
        mirror_start();
        device_of_test = wk_device(argv[2]);
        argc -= 2;
        argv += 2;
    }
    size_t count = 0;
    for (int i = 0; i < row_count; i++)
        if ((argc < 2 || strcmp(rows[i]->family, argv[1]) == 0) && (argc < 3 || strcmp(rows[i]->name, argv[2]) == 0))
            tests[count++] = (struct CMUnitTest){
                .name = rows[i]->name, .test_func = test_row, .initial_state = (void *)(uintptr_t)rows[i]};
    return _cmocka_run_group_tests("every dtype", tests, count, NULL, NULL);
}
