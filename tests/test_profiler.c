/* Profiles: what is in table and trace, and that nothing is noted outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "check.h"
#include "core/profile.h"

static char text[20000];

static const char *read_all(FILE *file)
{
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    return text;
}

/* how often a row says that it ran; 0: there is none */
static int calls_of(const char *table, const char *name)
{
    char line[256];
    for (const char *at = table; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        double share, self, total, mean;
        int calls;
        char which[64];
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        if (sscanf(line, "%63s %lf%% %lf %lf %lf %d", which, &share, &self, &total, &mean, &calls) == 6 &&
            strcmp(which, name) == 0) {
            assert_true(self >= 0 && total >= self - 1e-9 && mean >= 0);
            return calls;
        }
    }
    return 0;
}

TEST(table_and_trace)
{
    char path[] = "/tmp/wick_profile_XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    FILE *table = tmpfile();
    wk_module *model = wk_nn_sequential(wk_nn_linear(4, 8), wk_nn_relu(), wk_nn_linear(8, 2));
    wk_tensor *x = wk_randn((3, 4));
    wk_profiler_record_function ("before")
        wk_forward(model, x);
    wk_profiler_profile (.table = table, .trace = path) {
        for (int i = 0; i < 2; i++)
            wk_profiler_record_function ("the \"step\"") {
                wk_tensor *loss = wk_mean(wk_forward(model, x));
                if (i == 1)
                    continue; // leaves the block
                wk_backward(loss);
            }
    }
    wk_forward(model, x);
    assert_null(wk_profiling);
    const char *rows = read_all(table);
    fclose(table);
    assert_int_equal(calls_of(rows, "linear"), 10); // 4 modules, 4 products, 2 sums for biases
    assert_int_equal(calls_of(rows, "sequential"), 2);
    assert_int_equal(calls_of(rows, "addmm_backward"), 2);
    assert_int_equal(calls_of(rows, "mean_backward"), 1);
    assert_true(calls_of(rows, "mean") >= 2);
    assert_int_equal(calls_of(rows, "before"), 0);
    assert_non_null(strstr(rows, "the \"step\""));
    FILE *trace = fopen(path, "r");
    const char *json = read_all(trace);
    fclose(trace);
    unlink(path);
    assert_int_equal(strncmp(json, "{\"traceEvents\": [\n{\"name\": \"the \\\"step\\\"\", \"ph\": \"X\"", 48), 0);
    assert_string_equal(json + strlen(json) - 5, "}\n]}\n");
    wk_module_free(model);
}

static void returns_early(FILE *table)
{
    wk_profiler_profile (.table = table)
        wk_profiler_record_function ("early")
            return;
}

TEST(blocks)
{
    FILE *table = tmpfile();
    returns_early(table);
    assert_null(wk_profiling);
    assert_int_equal(calls_of(read_all(table), "early"), 1);
    wk_error error;
    wk_profiler_profile (.table = NULL) {
        wk_try (&error)
            wk_profiler_profile (.table = NULL)
                fail();
        assert_message(error, "already");
        assert_non_null(wk_profiling);
    }
    wk_try (&error)
        wk_profiler_profile (.table = NULL, .trace = "/nowhere/at/all")
            wk_ones((2));
    assert_true(error.set);
    assert_null(wk_profiling);
    fclose(table);
}

TEST(without_memory)
{
    wk_error error;
    for (int64_t n = 0; n < 12; n++)
        wk_try (&error)
        {
            wk_tensor *x = wk_ones((2));
            wk_memory_fail_after(n);
            wk_profiler_profile (.table = NULL)
                wk_profiler_record_function ("here")
                    wk_add(x, x);
            wk_memory_fail_after(-1);
        }
    assert_null(wk_profiling);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(table_and_trace), UNIT(blocks), UNIT(without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
