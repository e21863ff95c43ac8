/* Runs the rows of one family, op_table [--device DEVICE] FAMILY [OP]: every case of golden/FAMILY.golden through its
   row's adapter.  op_table --rows lists the ops that have one.

   For each case: the result is PyTorch's, its dtype and shape too; inputs, and the gaps between their elements, stay as
   they were; the gradient of every subset of the floating inputs is PyTorch's; the same with the inputs (and dy)
   transposed, strided and expanded in memory; in float64 the gradient, and its gradient, agree with finite differences;
   a NULL input is an error inside wk_try, and no more; nothing is left over afterwards, nor where memory runs short. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/host.h"
#include "mirror.h"
#include "op_table.h"

#define MAX_ROWS 1024
static const op_row *rows[MAX_ROWS];
static const bad_row *bad_rows[MAX_ROWS];
static int row_count, bad_count;

static int next_of(int *count)
{
    if (*count == MAX_ROWS) {
        fprintf(stderr, "op_table: more than %d rows: raise MAX_ROWS\n", MAX_ROWS);
        abort();
    }
    return (*count)++;
}

void op_table_add(const op_row *row) { rows[next_of(&row_count)] = row; }
void op_table_add_bad(const bad_row *row) { bad_rows[next_of(&bad_count)] = row; }

static golden_file golden;
static int failures;

__attribute__((format(printf, 2, 3))) static void failed(const golden_case *c, const char *format, ...)
{
    if (++failures > 12)
        return;
    char what[512];
    golden_describe(c, what, sizeof what);
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "  %s: ", what);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static bool on_cpu(void) { return op_device.type == WK_CPU; }
static bool in_place(const op_row *row) { return row->name[strlen(row->name) - 1] == '_'; }

/* ---------------------------------------------------------------- one call */

typedef struct call {
    const op_row *row;
    golden_case *c;
    op_layout layout;
    unsigned mask; // the inputs that require grad
    wk_tensor *leaf[GOLDEN_MAX];
    wk_tensor *result[GOLDEN_MAX];
    int results;
    char name[96]; // of layout and mask, for messages
} call;

/* false where no input can be laid out in this way */
static bool make_inputs(call *k)
{
    bool any = k->layout == PLAIN;
    for (int i = 0; i < k->c->inputs; i++) {
        const golden_tensor *x = &k->c->input[i].tensor;
        k->c->given[i] = k->leaf[i] = NULL;
        if (!x->dtype)
            continue;
        const bool keep = k->layout == EXPANDED && i == 0 && in_place(k->row);
        wk_tensor *laid = keep ? NULL : op_lay_out(x, k->layout);
        any |= laid != NULL;
        k->leaf[i] = laid ? laid : op_lay_out(x, PLAIN);
        if (k->mask >> i & 1)
            wk_requires_grad_(k->leaf[i], true);
        k->c->given[i] = k->leaf[i];
        if (i == 0 && in_place(k->row) && k->mask >> i & 1) { // a leaf cannot be written: a part of what follows it can
            wk_tensor *memory = NULL;
            wk_no_grad memory = op_lay_out(x, laid ? k->layout : PLAIN);
            k->c->given[i] = wk_copy_(memory, k->leaf[i]);
        }
    }
    snprintf(k->name, sizeof k->name, "%s", OP_LAYOUT_NAMES[k->layout]);
    if (k->mask)
        snprintf(k->name + strlen(k->name), 32, ", grad of 0x%x", k->mask);
    return any;
}

static bool run(call *k, wk_error *error)
{
    k->c->made_count = 0;
    memset(k->c->optional, 0, sizeof k->c->optional);
    wk_tensor *y = NULL;
    wk_try(error)
    {
        y = k->row->run(k->c);
        wk_synchronize(op_device); // what a kernel found wrong is told here
    }
    k->results = k->c->made_count > 0 ? k->c->made_count : 1;
    for (int i = 0; i < k->results; i++)
        k->result[i] = k->c->made_count > 0 ? k->c->made[i] : y;
    return !error->set;
}

/* whether a result lies in memory as PyTorch's does; strides of dims of one element do not matter */
static void check_view(const call *k, int i)
{
    const golden_tensor *g = &k->c->result[i];
    const wk_tensor *y = k->result[i], *x = k->c->given[0];
    if (g->numel == 0 || !k->row->view)
        return;
    if ((g->shares >= 0) != (y->storage == x->storage))
        failed(k->c, "%s: result %d %s", k->name, i, g->shares >= 0 ? "is a copy, PyTorch's is a view" : "is a view");
    for (int dim = 0; dim < y->ndim; dim++)
        if (y->shape[dim] > 1 && y->strides[dim] != g->strides[dim]) {
            failed(k->c, "%s: result %d: strides %s, PyTorch's are %s", k->name, i,
                   wk_shape_text(y->ndim, y->strides, (char[WK_SHAPE_TEXT]){0}),
                   wk_shape_text(y->ndim, g->strides, (char[WK_SHAPE_TEXT]){0}));
            break;
        }
}

static void check_results(const call *k)
{
    char text[512];
    if (k->results != k->c->results_count) {
        failed(k->c, "%s: %d results, PyTorch gives %d", k->name, k->results, k->c->results_count);
        return;
    }
    for (int i = 0; i < k->results; i++) {
        const golden_tensor *g = &k->c->result[i];
        if (!op_same(k->result[i], g, k->row->rtol, k->row->atol, text, sizeof text)) {
            failed(k->c, "%s: result %d: %s", k->name, i, text);
            continue;
        }
        if (k->layout == PLAIN) {
            check_view(k, i);
            /* users take views of results: contiguous where PyTorch's is */
            if (g->numel > 0 && !k->row->any_strides && !wk_is_contiguous(k->result[i]) && golden_contiguous(g))
                failed(k->c, "%s: result %d is not contiguous", k->name, i);
        }
        bool reached = false; // by the gradient of an input that requires grad
        for (int input = 0; input < k->c->inputs; input++)
            reached |= (k->mask >> input & 1) && k->c->gradient[input].dtype;
        const bool should = reached && k->c->dy[i].dtype && k->row->gradient != NONE;
        if (k->result[i]->requires_grad != should && (should || k->mask == 0 || k->row->gradient == NONE))
            failed(k->c, "%s: result %d %s grad", k->name, i, should ? "does not require" : "requires");
    }
    if (in_place(k->row) && k->result[0] != k->c->given[0])
        failed(k->c, "%s: the result is not the tensor written into", k->name);
    for (int i = 0; i < k->c->inputs; i++) {
        const golden_tensor *x = &k->c->input[i].tensor;
        if (!x->dtype)
            continue;
        if ((i > 0 || !in_place(k->row)) && !op_same(k->leaf[i], x, 1e-300, 1e-300, text, sizeof text))
            failed(k->c, "%s: input %d has changed: %s", k->name, i, text);
        const op_layout layout = k->c->given[i]->strides[k->c->given[i]->ndim - 1 > 0 ? k->c->given[i]->ndim - 1 : 0] ==
                                         0 ? PLAIN : k->layout;
        if (!op_gaps_untouched(k->c->given[i], layout))
            failed(k->c, "%s: input %d: memory between its elements was written", k->name, i);
    }
}

/* PyTorch rounds what it saves for backward to the halves' 11 or 8 bits, wick may save it in float32: terms that cancel
   in a gradient then differ by a rounding of the largest, not of the element */
static double gradient_atol(const op_row *row, const golden_tensor *g)
{
    if (row->rtol > 0 || row->atol > 0 || !wk_is_half(g->dtype))
        return row->atol;
    double largest = 0;
    for (int64_t i = 0; i < g->numel; i++)
        largest = fmax(largest, fabs(golden_element(g, i, 0)));
    return 1e-5 + (g->dtype == wk_float16 ? 0x1p-10 : 0x1p-7) * largest;
}

/* gradients of the inputs in mask against PyTorch's */
static void check_gradients(const call *k)
{
    wk_tensor *outputs[GOLDEN_MAX], *dys[GOLDEN_MAX], *inputs[GOLDEN_MAX], *gradients[GOLDEN_MAX] = {0};
    wk_tensor **places[GOLDEN_MAX];
    int output_count = 0, input_count = 0, which[GOLDEN_MAX];
    char text[512];
    for (int i = 0; i < k->results; i++) {
        if (!k->c->dy[i].dtype || !k->result[i] || !k->result[i]->requires_grad)
            continue;
        wk_tensor *dy = op_lay_out(&k->c->dy[i], k->layout);
        dys[output_count] = dy ? dy : op_lay_out(&k->c->dy[i], PLAIN);
        outputs[output_count++] = k->result[i];
    }
    for (int i = 0; i < k->c->inputs; i++)
        if (k->mask >> i & 1) {
            which[input_count] = i;
            inputs[input_count] = k->leaf[i];
            places[input_count] = &gradients[input_count];
            input_count++;
        }
    if (output_count == 0)
        return;
    wk_error error;
    wk_try(&error) wk_autograd_grad_with((wk_autograd_grad_args){
        .outputs = {output_count, outputs}, .inputs = {input_count, inputs}, .results = {input_count, places},
        .grad_outputs = {output_count, dys}, .allow_unused = true});
    if (error.set) {
        failed(k->c, "%s: gradient: %s", k->name, error.message);
        return;
    }
    for (int i = 0; i < input_count; i++) {
        const golden_tensor *g = &k->c->gradient[which[i]];
        if (!g->dtype) { // none in PyTorch: none or zeros here
            const bool zero = !gradients[i] || wk_equal(gradients[i], wk_zeros_like(gradients[i]));
            if (!zero)
                failed(k->c, "%s: gradient of input %d: PyTorch gives none", k->name, which[i]);
        } else if (!op_same(gradients[i], g, k->row->rtol, gradient_atol(k->row, g), text, sizeof text))
            failed(k->c, "%s: gradient of input %d: %s", k->name, which[i], text);
    }
}

static void check_call(const op_row *row, golden_case *c, op_layout layout, unsigned mask)
{
    wk_scope
    {
        call k = {.row = row, .c = c, .layout = layout, .mask = mask};
        wk_error error;
        if (make_inputs(&k)) {
            if (run(&k, &error)) {
                check_results(&k);
                check_gradients(&k);
            } else
                failed(c, "%s: %s", k.name, error.message);
        }
    }
}

/* ---------------------------------------------------------------- finite differences */

typedef struct checked_call {
    const op_row *row;
    golden_case *c;
    int which[GOLDEN_MAX], result;
} checked_call;

static wk_tensor *checked(wk_tensors inputs, void *context)
{
    checked_call *k = context;
    for (int64_t i = 0; i < inputs.count; i++) {
        wk_tensor *x = inputs.items[i];
        k->c->given[k->which[i]] = in_place(k->row) && k->which[i] == 0 ? wk_clone(x) : x;
    }
    k->c->made_count = 0;
    wk_tensor *y = k->row->run(k->c);
    return k->c->made_count > 0 ? k->c->made[k->result] : y;
}

static void check_differences(const op_row *row, golden_case *c, unsigned mask)
{
    for (int result = 0; result < c->results_count; result++) {
        if (!c->dy[result].dtype)
            continue;
        wk_scope
        {
            call k = {.row = row, .c = c, .layout = PLAIN, .mask = mask};
            make_inputs(&k);
            checked_call context = {.row = row, .c = c, .result = result};
            wk_tensor *inputs[GOLDEN_MAX];
            int count = 0;
            for (int i = 0; i < c->inputs; i++)
                if (mask >> i & 1) {
                    context.which[count] = i;
                    inputs[count++] = k.leaf[i];
                }
            char text[512] = "";
            wk_error error;
            bool first = false, second = true;
            wk_try(&error)
            {
                first =
                    wk_autograd_gradcheck(checked, &context, {count, inputs}, .text = text, .text_size = sizeof text);
                if (first && row->gradient != FIRST)
                    second = wk_autograd_gradgradcheck(checked, &context, {count, inputs}, .text = text,
                                                       .text_size = sizeof text);
            }
            if (error.set)
                failed(c, "finite differences: %s", error.message);
            else if (!first || !second)
                failed(c, "%s", text);
        }
    }
}

/* ---------------------------------------------------------------- NULL, errors, leaks */

static void check_null(const op_row *row, golden_case *c)
{
    for (int i = 0; i < c->inputs; i++) {
        if (!c->input[i].tensor.dtype)
            continue;
        wk_scope
        {
            call k = {.row = row, .c = c, .layout = PLAIN};
            make_inputs(&k);
            c->given[i] = NULL;
            wk_error error;
            const bool fine = run(&k, &error);
            if (fine && !c->optional[i])
                failed(c, "input %d is NULL: no error", i);
            const bool is_truth = c->result[0].dtype == wk_bool && c->result[0].ndim == 0;
            if (!fine && on_cpu() && k.result[0] && !is_truth)
                failed(c, "input %d is NULL: the result is not", i);
        }
    }
}

/* the call and its gradient, with one allocation after another failing: an error, and nothing left over */
static void check_short_memory(const op_row *row, golden_case *c)
{
    unsigned mask = 0;
    for (int i = 0; i < c->inputs && row->gradient != NONE; i++)
        mask |= (unsigned)(c->gradient[i].dtype != 0) << i;
    bool fine = false;
    for (int64_t n = 0; n < 1000 && !fine; n++) {
        const wk_memory_stats before = wk_memory_get_stats();
        wk_error error;
        wk_scope
        {
            call k = {.row = row, .c = c, .layout = PLAIN, .mask = mask};
            make_inputs(&k);
            wk_memory_fail_after(n);
            fine = run(&k, &error);
            if (fine && k.result[0]->requires_grad)
                wk_try(&error) wk_backward(k.result[0], .gradient = k.result[0]);
            wk_memory_fail_after(-1);
            fine = fine && !error.set;
        }
        const wk_memory_stats after = wk_memory_get_stats();
        if (error.set && !strstr(error.message, "out of memory"))
            failed(c, "allocation %lld failed: %s", (long long)n, error.message);
        else if (!fine && (after.live_tensors != before.live_tensors || after.live_blocks != before.live_blocks))
            failed(c, "allocation %lld failed: left over: %lld tensors, %lld blocks", (long long)n,
                   (long long)(after.live_tensors - before.live_tensors),
                   (long long)(after.live_blocks - before.live_blocks));
    }
}

static void check_failure(const op_row *row, golden_case *c)
{
    wk_scope
    {
        call k = {.row = row, .c = c, .layout = PLAIN};
        make_inputs(&k);
        wk_error error;
        if (run(&k, &error))
            failed(c, "PyTorch refuses this call");
        else if (on_cpu() && k.result[0] && !(k.result[0]->dtype == wk_bool && k.result[0]->ndim == 0))
            failed(c, "a result beside an error");
    }
}

static void check_case(const op_row *row, golden_case *c)
{
    if (c->fails) {
        check_failure(row, c);
        return;
    }
    unsigned all = 0;
    int differentiable = 0;
    for (int i = 0; i < c->inputs && row->gradient != NONE; i++)
        if (c->gradient[i].dtype || c->no_gradient[i]) {
            all |= 1u << i;
            differentiable++;
        }
    for (op_layout layout = PLAIN; layout < (row->plain ? PLAIN + 1 : LAYOUTS); layout++)
        check_call(row, c, layout, all);
    check_call(row, c, PLAIN, 0);
    for (unsigned mask = 1; mask < all; mask++)
        if ((mask & ~all) == 0 && (differentiable <= 3 || (mask & (mask - 1)) == 0))
            check_call(row, c, PLAIN, mask);
    if (all && c->smooth)
        check_differences(row, c, all);
}

static void check_leaks(const op_row *row, golden_case *c)
{
    wk_memory_stats before = wk_memory_get_stats(), after;
    for (int attempt = 0; attempt < 2; attempt++) { // the first may grow tables that stay
        before = wk_memory_get_stats();
        wk_scope check_case(row, c);
        after = wk_memory_get_stats();
        if (!wk_is_grad_enabled()) {
            failed(c, "grad mode is left off");
            wk_set_grad_enabled(true);
        }
        if (after.live_tensors == before.live_tensors && after.live_blocks == before.live_blocks)
            return;
        if (failures > 0)
            return;
    }
    failed(c, "left over: %lld tensors, %lld blocks", (long long)(after.live_tensors - before.live_tensors),
           (long long)(after.live_blocks - before.live_blocks));
}

/* ---------------------------------------------------------------- rows */

static void test_row(void **state)
{
    const op_row *row = *state;
    failures = 0;
    int cases = 0;
    bool null_checked = false;
    for (int i = 0; i < golden.count; i++) {
        golden_case *c = &golden.cases[i];
        if (strcmp(c->op, row->name) != 0)
            continue;
        cases++;
        check_leaks(row, c);
        if (!c->fails && !null_checked) {
            check_null(row, c);
            if (on_cpu()) // elsewhere kernels allocate when they run
                check_short_memory(row, c);
        }
        null_checked |= !c->fails;
    }
    if (cases == 0)
        fail_msg("%s: no case in golden/%s.golden", row->name, row->family);
    if (failures > 0)
        fail_msg("%s: %d checks failed", row->name, failures);
}

static void test_bad_row(void **state)
{
    const bad_row *row = *state;
    wk_error error;
    wk_tensor *y = NULL;
    wk_scope wk_try(&error) y = row->run();
    if (!error.set || y)
        fail_msg("%s: no error", row->call);
    if (!strstr(error.message, row->message))
        fail_msg("%s: expected \"%s\" in the message, got \"%s\"", row->call, row->message, error.message);
}

static void test_cases_have_rows(void **state)
{
    (void)state;
    for (int i = 0; i < golden.count; i++) {
        bool found = false;
        for (int k = 0; k < row_count; k++)
            found |= strcmp(rows[k]->name, golden.cases[i].op) == 0;
        if (!found)
            fail_msg("golden/ has cases of %s, which has no row", golden.cases[i].op);
    }
}

int main(int argc, char **argv)
{
    setenv("WICK_TRACEBACK", "off", 0); // thousands of errors are expected
    if (argc > 2 && strcmp(argv[1], "--device") == 0) {
        mirror_start();
        op_device = wk_device(argv[2]);
        argc -= 2;
        argv += 2;
    }
    const char *family = argc > 1 ? argv[1] : "";
    const char *only = argc > 2 ? argv[2] : NULL;
    if (strcmp(family, "--rows") == 0) {
        for (int i = 0; i < row_count; i++)
            puts(rows[i]->name);
        return 0;
    }
    static struct CMUnitTest tests[2 * MAX_ROWS + 1];
    static char names[MAX_ROWS][64];
    size_t count = 0;
    char path[512];
    snprintf(path, sizeof path, "%s/%s.golden", WICK_GOLDEN, family);
    if (!golden_read(path, &golden))
        return 1;
    if (!only)
        tests[count++] = (struct CMUnitTest){.name = "every case has a row", .test_func = test_cases_have_rows};
    for (int i = 0; i < row_count; i++)
        if (strcmp(rows[i]->family, family) == 0 && (!only || strcmp(only, rows[i]->name) == 0))
            tests[count++] = (struct CMUnitTest){.name = rows[i]->name, .test_func = test_row,
                                                 .initial_state = (void *)(uintptr_t)rows[i]};
    for (int i = 0; i < bad_count; i++)
        if (strcmp(bad_rows[i]->family, family) == 0 && (!only || strcmp(only, bad_rows[i]->name) == 0)) {
            snprintf(names[i], sizeof names[i], "bad %s", bad_rows[i]->call);
            tests[count++] = (struct CMUnitTest){.name = names[i], .test_func = test_bad_row,
                                                 .initial_state = (void *)(uintptr_t)bad_rows[i]};
        }
    const int result = _cmocka_run_group_tests(family, tests, count, NULL, NULL);
    golden_free(&golden);
    return result;
}
