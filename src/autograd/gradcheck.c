/* Gradients against finite differences, in float64.

   J is the matrix of d y_j / d x_i.  For a few outputs each row of J is compared: analytically by a backward from a
   one-hot gradient, numerically by (f(x + eps e_i) - f(x - eps e_i)) / 2 eps.  With more than MAX_ROWS outputs v' J is
   compared instead for MAX_PROJECTIONS random v: a wrong entry of J hides in none of them but by chance, and no sum of
   entries that happens to be 0 can hide one (as with v = 1, under which softmax would have no gradient at all).

   gradgradcheck checks the gradient as a function of x and of the gradient given for y, by the same means. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"
#include "node.h"

#define MAX_ROWS 64
#define MAX_PROJECTIONS 8

__attribute__((format(printf, 2, 3))) static bool differs(const wk_gradcheck_args *args, const char *format, ...)
{
    WK_PLAIN_NUMBERS;
    va_list arguments;
    va_start(arguments, format);
    if (args->text && args->text_size > 0)
        vsnprintf(args->text, args->text_size, format, arguments);
    va_end(arguments);
    return false;
}

/* uniform in -1 .. 1, the same in every run */
static double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-52 - 1;
}

/* where element i (row by row) of a tensor lies, in elements from its first */
static int64_t place_of(const wk_tensor *x, int64_t i)
{
    int64_t place = 0;
    for (int dim = x->ndim - 1; dim >= 0; dim--) {
        place += i % x->shape[dim] * x->strides[dim];
        i /= x->shape[dim];
    }
    return place;
}

/* x's numbers, row by row; false after an error */
static bool read_values(const wk_tensor *x, double *values)
{
    const wk_tensor *here = wk_on_host("gradcheck", x);
    const double *from = here ? wk_host("gradcheck", here) : NULL;
    for (int64_t i = 0; from && i < x->numel; i++)
        values[i] = from[place_of(here, i)];
    return from;
}

/* a tensor like y, of the next `numel` numbers of values */
static wk_tensor *tensor_of(const wk_tensor *y, const double *values)
{
    wk_tensor *here = wk_gradient_zeros(y->ndim, y->shape, wk_float64, wk_cpu);
    if (here)
        memcpy(wk_host("gradcheck", here), values, (size_t)y->numel * sizeof *values);
    return wk_transfer("gradcheck", here, y->device, false);
}

static bool is_float64(const wk_gradcheck_args *args, const wk_tensor *y)
{
    return (y && y->dtype == wk_float64) || differs(args, "gradcheck: the function's result: expected float64, got %s",
                                                    y ? wk_dtype_name(y->dtype) : "NULL");
}

/* y's values, row by row */
static bool evaluate(const wk_gradcheck_args *args, double *values, int64_t count)
{
    bool fine = false;
    wk_scope wk_no_grad
    {
        const wk_tensor *y = args->function(args->inputs, args->context);
        fine = is_float64(args, y) && (y->numel == count || differs(args, "gradcheck: the result's size changes"));
        fine = fine && read_values(y, values);
    }
    return fine;
}

/* the gradients of v . y with respect to every input, in memory of their own: analytic[k] for input k */
static bool analytic_gradients(const wk_gradcheck_args *args, const double *v, double **analytic)
{
    bool fine = false;
    wk_scope wk_enable_grad
    {
        wk_tensor *y = args->function(args->inputs, args->context);
        fine = is_float64(args, y);
        wk_tensor *dy = fine ? tensor_of(y, v) : NULL;
        const int64_t count = args->inputs.count;
        wk_tensor **gradients = dy ? wk_alloc_zeroed((size_t)(count + 1) * sizeof *gradients) : NULL;
        wk_tensor ***places = gradients ? wk_alloc_zeroed((size_t)(count + 1) * sizeof *places) : NULL;
        for (int64_t k = 0; places && k < count; k++)
            places[k] = &gradients[k];
        const bool grows = y && wk_needs_grad(y);
        fine = fine && places &&
               (!grows || wk_autograd_grad_with((wk_autograd_grad_args){.outputs = {1, &y}, .inputs = args->inputs,
                                                                        .results = {count, places},
                                                                        .grad_outputs = {1, &dy},
                                                                        .allow_unused = true}));
        for (int64_t k = 0; fine && k < count; k++) // zeros where there is none
            fine = !gradients[k] || read_values(gradients[k], analytic[k]);
        wk_free(gradients);
        wk_free(places);
    }
    return fine;
}

static wk_tensor *gradient_of(wk_tensors inputs, void *context);

typedef struct check {
    double *above, *below; // y at x +- eps
    double *v;             // the rows' weights, rows times n
    int64_t n, rows;       // outputs; rows compared
} check;

static void set_element(const wk_tensor *x, int64_t i, double value) { wk_put_element(x, place_of(x, i), &value); }

/* one column of J: element i, which is `at`, of input k */
static bool check_column(const wk_gradcheck_args *args, const check *c, double ***analytic, int64_t k, int64_t i,
                         double at)
{
    const wk_tensor *x = args->inputs.items[k];
    set_element(x, i, at + args->eps);
    bool fine = evaluate(args, c->above, c->n);
    set_element(x, i, at - args->eps);
    fine = fine && evaluate(args, c->below, c->n);
    set_element(x, i, at);
    for (int64_t row = 0; fine && row < c->rows; row++) {
        double numeric = 0;
        for (int64_t j = 0; j < c->n; j++)
            numeric += c->v[row * c->n + j] * (c->above[j] - c->below[j]) / (2 * args->eps);
        const double got = analytic[row][k][i];
        if (fabs(got - numeric) <= args->atol + args->rtol * fabs(numeric))
            continue;
        char of[64] = "a random projection of the output";
        if (c->rows == c->n)
            snprintf(of, sizeof of, "output element %lld", (long long)row);
        return differs(args, "%s: d %s / d input %lld, element %lld (at %.6g): gradient %.9g, finite difference %.9g",
                       args->function == gradient_of ? "gradgradcheck" : "gradcheck", of, (long long)k, (long long)i,
                       at, got, numeric);
    }
    return fine;
}

static int64_t elements_of(wk_tensors inputs)
{
    int64_t total = 0;
    for (int64_t k = 0; k < inputs.count; k++)
        total += inputs.items[k]->numel;
    return total;
}

static bool check_args(const char *op, const wk_gradcheck_args *args)
{
    if (!args->function)
        return wk_null_input(op, "function");
    for (int64_t k = 0; k < args->inputs.count; k++) {
        const wk_tensor *x = args->inputs.items[k];
        if (!wk_is_tensor(x))
            return wk_not_a_tensor(op, "inputs", x);
        if (x->dtype != wk_float64 || !x->requires_grad || x->grad_fn)
            return wk_fail(op, "inputs: number %lld: expected a float64 leaf that requires grad, got %s", (long long)k,
                           wk_dtype_name(x->dtype));
    }
    return true;
}

bool wk_autograd_gradcheck_with(wk_gradcheck_args args)
{
    const char *op = "autograd_gradcheck";
    if (!check_args(op, &args))
        return false;
    check c = {.n = 0};
    wk_scope wk_no_grad
    {
        const wk_tensor *y = args.function(args.inputs, args.context);
        c.n = is_float64(&args, y) ? y->numel : -1;
    }
    if (c.n < 0)
        return false;
    const bool whole = c.n <= MAX_ROWS;
    c.rows = whole ? c.n : MAX_PROJECTIONS;
    const int64_t columns = elements_of(args.inputs), inputs = args.inputs.count;
    double *memory = wk_alloc_zeroed((size_t)(2 * c.n + c.rows * c.n + (c.rows + 1) * columns + 1) * sizeof *memory);
    double ***analytic = wk_alloc_zeroed((size_t)(c.rows + c.rows * inputs + 1) * sizeof(void *));
    bool fine = memory && analytic;
    if (!fine)
        wk_out_of_memory(op, (size_t)(c.rows * columns) * sizeof *memory);
    c.above = memory;
    c.below = memory + c.n;
    c.v = memory + 2 * c.n;
    double *next = c.v + c.rows * c.n;
    uint64_t random = 1;
    for (int64_t row = 0; fine && row < c.rows; row++) {
        analytic[row] = (double **)(analytic + c.rows) + row * inputs;
        for (int64_t k = 0; k < inputs; k++) {
            analytic[row][k] = next;
            next += args.inputs.items[k]->numel;
        }
        for (int64_t j = 0; j < c.n; j++)
            c.v[row * c.n + j] = whole ? j == row : uniform(&random);
        fine = analytic_gradients(&args, c.v + row * c.n, analytic[row]);
    }
    double *values = next; // of an input
    for (int64_t k = 0; fine && k < inputs; k++) {
        wk_scope fine = read_values(args.inputs.items[k], values);
        for (int64_t i = 0; fine && i < args.inputs.items[k]->numel; i++)
            fine = check_column(&args, &c, analytic, k, i, values[i]);
    }
    wk_free(memory);
    wk_free(analytic);
    return fine;
}

/* ---------------------------------------------------------------- the gradient as a function */

typedef struct gradient_function {
    const wk_gradcheck_args *args; // of the function itself
    int64_t which;                 // input, whose gradient is the result
} gradient_function;

/* inputs and dy -> the gradient of one input */
static wk_tensor *gradient_of(wk_tensors inputs, void *context)
{
    const gradient_function *f = context;
    const int64_t count = inputs.count - 1;
    wk_tensor *x = inputs.items[f->which], *dy = inputs.items[count], *dx = NULL;
    wk_enable_grad
    {
        wk_tensor *y = f->args->function((wk_tensors){count, inputs.items}, f->args->context);
        if (y && y->requires_grad)
            wk_autograd_grad_with((wk_autograd_grad_args){.outputs = {1, &y}, .inputs = {1, &x},
                                                          .results = {1, (wk_tensor **[]){&dx}},
                                                          .grad_outputs = {1, &dy}, .create_graph = true,
                                                          .allow_unused = true});
    }
    return dx || wk_failing() ? dx : wk_gradient_zeros(x->ndim, x->shape, wk_float64, x->device);
}

bool wk_autograd_gradgradcheck_with(wk_gradcheck_args args)
{
    if (!check_args("autograd_gradgradcheck", &args))
        return false;
    const int64_t count = args.inputs.count;
    wk_tensor **inputs = wk_alloc((size_t)(count + 1) * sizeof *inputs);
    if (!inputs)
        return wk_out_of_memory("autograd_gradgradcheck", (size_t)(count + 1) * sizeof *inputs);
    memcpy(inputs, args.inputs.items, (size_t)count * sizeof *inputs);
    bool fine = false;
    wk_scope
    {
        wk_tensor *y = WK_WITHOUT_GRAD(args.function(args.inputs, args.context));
        double *numbers = is_float64(&args, y) ? wk_alloc((size_t)(y->numel + 1) * sizeof *numbers) : NULL;
        uint64_t random = 2;
        for (int64_t i = 0; numbers && i < y->numel; i++)
            numbers[i] = uniform(&random);
        wk_tensor *dy = numbers ? tensor_of(y, numbers) : NULL;
        wk_free(numbers);
        inputs[count] = dy ? wk_requires_grad_(dy, true) : NULL;
        fine = dy != NULL;
        for (int64_t k = 0; fine && k < count; k++) {
            wk_gradcheck_args of_gradient = args;
            of_gradient.function = gradient_of;
            of_gradient.context = &(gradient_function){.args = &args, .which = k};
            of_gradient.inputs = (wk_tensors){count + 1, inputs};
            fine = wk_autograd_gradcheck_with(of_gradient);
        }
    }
    wk_free(inputs);
    return fine;
}
