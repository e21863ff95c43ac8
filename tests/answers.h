/* PyTorch's answers by name, from tests/golden/<file>.safetensors, and comparing with them. */
#ifndef WICK_TESTS_ANSWERS_H
#define WICK_TESTS_ANSWERS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick.h>

#include "fails.h"

static wk_dict *answers;

__attribute__((unused)) static int read_answers(const char *file)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.safetensors", WICK_GOLDEN, file);
    answers = wk_safetensors_load_file(path);
    return answers ? 0 : 1;
}

__attribute__((format(printf, 1, 2), unused)) static wk_tensor *find_answer(const char *format, ...)
{
    char name[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    return wk_dict_get(answers, name);
}

/* the same, which must be there */
__attribute__((format(printf, 1, 2), unused)) static wk_tensor *answer(const char *format, ...)
{
    char name[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    wk_tensor *x = wk_dict_get(answers, name);
    if (!x)
        fail_msg("no answer %s", name);
    return x;
}

/* |x - expected| <= tolerance (1 + |expected|) for every element, NaN where NaN; tolerance 0: the same bits */
__attribute__((unused)) static void assert_near(const char *name, wk_tensor *x, wk_tensor *expected, double tolerance)
{
    if (!x || !expected)
        fail_msg("%s: %s is missing", name, x ? "the answer" : "the result");
    assert_int_equal(x->dtype, expected->dtype);
    assert_int_equal(x->ndim, expected->ndim);
    for (int dim = 0; dim < x->ndim; dim++)
        if (x->shape[dim] != expected->shape[dim])
            fail_msg("%s: size %d is %lld, expected %lld", name, dim, (long long)x->shape[dim],
                     (long long)expected->shape[dim]);
    double *a = malloc((size_t)(x->numel + 1) * sizeof *a), *b = malloc((size_t)(x->numel + 1) * sizeof *b);
    wk_no_grad assert_true(wk_tolist(x, a) && wk_tolist(expected, b));
    for (int64_t i = 0; i < x->numel; i++)
        if (!(fabs(a[i] - b[i]) <= tolerance * (1 + fabs(b[i]))) && !(isnan(a[i]) && isnan(b[i])) && a[i] != b[i])
            fail_msg("%s: element %lld is %.9g, expected %.9g", name, (long long)i, a[i], b[i]);
    free(a);
    free(b);
}

#endif
