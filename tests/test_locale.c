/* A program that has set a locale with a decimal comma: what wick prints, says, keeps and writes is what it is without,
   and the program's own numbers keep their comma. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "data/progress.h"

static char folder[] = "/tmp/wick-locale-XXXXXX";

/* ---------------------------------------------------------------- all that writes or reads numbers, into one text */

static void tell_errors(FILE *to)
{
    wk_error error;
    wk_tensor *x = wk_ones((2));
    wk_try(&error) wk_dropout(x, .p = 1.5);
    fprintf(to, "%s\n", error.message);
    wk_requires_grad_(x, true);
    wk_try(&error) wk_optim_sgd((wk_tensors){1, &x}, .lr = -0.25);
    fprintf(to, "%s\n", error.message);
}

static wk_tensor *forward(wk_tensors inputs, void *context)
{
    return context ? NULL : wk_mul(inputs.items[0], wk_detach(inputs.items[0]));
}

static void tell_gradcheck(FILE *to)
{
    char text[256] = "";
    wk_tensor *x = wk_requires_grad_(wk_full((1), 1.5, .dtype = wk_float64), true);
    assert_false(wk_autograd_gradcheck(forward, .inputs = {1, &x}, .text = text, .text_size = sizeof text));
    fprintf(to, "%s\n", text);
}

static void tell_modules(FILE *to)
{
    wk_module *model = wk_nn_sequential(wk_nn_linear(3, 4), wk_nn_layer_norm((4)), wk_nn_dropout(0.25),
                                        wk_nn_upsample(.scale_factor = 1.5));
    wk_module_print(model, to);
    wk_module_free(model);
    model = wk_nn_linear(300, 40);
    assert_true(wk_summary(model, (1, 300), .file = to));
    wk_module_free(model);
}

static void tell_progress(FILE *to)
{
    char line[256];
    wk_progress progress;
    wk_progress_start(&progress, 10, "lr %g", 0.5);
    wk_progress_show(&progress, "loss %.2f", 0.25);
    progress.done = progress.items = 3;
    wk_progress_line(&progress, 2, 0, line, sizeof line);
    fprintf(to, "%s\n", line);
}

/* the text it is kept as, and the number of it, by way of a file */
static void tell_dict(FILE *to)
{
    char path[64];
    snprintf(path, sizeof path, "%s/numbers.safetensors", folder);
    wk_dict *dict = wk_dict_new();
    assert_true(wk_dict_set_number(dict, "lr", 0.125) && wk_dict_set(dict, "x", wk_full((2, 2), 0.5)));
    assert_true(wk_safetensors_save_file(dict, path));
    wk_dict_free(dict);
    dict = wk_safetensors_load_file(path);
    assert_non_null(dict);
    fprintf(to, "%s %d\n", wk_dict_text(dict, "lr"), (int)(1000 * wk_dict_number(dict, "lr", 0)));
    wk_dict_free(dict);
}

static void tell_picture(FILE *to)
{
    const double x[] = {0, 1, 2}, y[] = {0.25, 0.5, 0.125};
    wk_tensor *picture = wk_plot_curves({.title = "Loss", .curves = {{"training", x, y, 3, .markers = false}}});
    fwrite(wk_data_ptr(picture), 1, (size_t)picture->numel, to);
}

static char *told(size_t *length)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, length);
    wk_scope
    {
        wk_fprint(to, wk_tensor((3), ((float[]){1.5f, -2.25f, 1e10f})));
        tell_errors(to);
        tell_gradcheck(to);
        tell_modules(to);
        tell_progress(to);
        tell_dict(to);
        tell_picture(to);
    }
    fclose(to);
    return text;
}

static void test_comma(void **state)
{
    (void)state;
    size_t plain, comma;
    char *expected = told(&plain);
    assert_non_null(strstr(expected, "p: expected a probability from 0 to 1, got 1.5"));
    assert_non_null(setlocale(LC_NUMERIC, "comma"));
    char *got = told(&comma), own[16];
    snprintf(own, sizeof own, "%.1f", 1.5);
    assert_string_equal(own, "1,5");
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(got, expected);
    assert_int_equal(comma, plain);
    assert_memory_equal(got, expected, plain);
    free(got);
    free(expected);
}

/* a locale of nothing but the comma */
static bool make_locale(void)
{
    char path[64], command[256];
    if (!mkdtemp(folder))
        return false;
    snprintf(path, sizeof path, "%s/source", folder);
    FILE *source = fopen(path, "w");
    if (!source)
        return false;
    fputs("LC_NUMERIC\ndecimal_point \"<U002C>\"\nthousands_sep \"<U002E>\"\ngrouping 3;3\nEND LC_NUMERIC\n", source);
    fclose(source);
    snprintf(command, sizeof command, "localedef -c -i %s/source %s/comma >/dev/null 2>&1", folder, folder);
    const bool made = system(command) >= 0;
    setenv("LOCPATH", folder, 1);
    const bool there = made && setlocale(LC_NUMERIC, "comma") && strcmp(localeconv()->decimal_point, ",") == 0;
    setlocale(LC_NUMERIC, "C");
    return there;
}

int main(void)
{
    const bool there = make_locale();
    if (!there)
        fprintf(stderr, "SKIPPED: no locale with a decimal comma, and localedef makes none\n");
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_comma)};
    const int failed = there ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 || !there ? failed : 1;
}
