/* The progress bar: its lines for a time and a width, and the one that wk_for_each_batch has built in. */
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
#include "leaks.h"

static void test_progress_lines(void **state)
{
    (void)state;
    char line[512];
    wk_progress progress = {
        .title = "epoch 2/6", .text = "loss 0.4123", .unit = "images", .steps = 469, .done = 192, .items = 192 * 128};
    wk_progress_line(&progress, 10.5, 100, line, sizeof line);
    assert_string_equal(line, "epoch 2/6  40% |########............| 192/469  loss 0.4123  2341 images/s  0:15 left");
    wk_progress_line(&progress, 10.5, 50, line, sizeof line);
    assert_string_equal(line, "epoch 2/6  40% 192/469  loss 0.4123  0:15 left");
    wk_progress_line(&progress, 10.5, 0, line, sizeof line);
    assert_string_equal(line, "epoch 2/6  40% 192/469  loss 0.4123  2341 images/s  0:15 left");
    progress.done = 469;
    progress.items = 60000;
    wk_progress_line(&progress, 4000, 0, line, sizeof line);
    assert_string_equal(line, "epoch 2/6 100% 469/469  loss 0.4123  15 images/s  1:06:40");
    progress.steps = -1; // of a stream
    wk_progress_line(&progress, 4000, 100, line, sizeof line);
    assert_string_equal(line, "epoch 2/6 469  loss 0.4123  15 images/s  1:06:40");
}

static void test_progress_of_a_loop(void **state)
{
    (void)state;
    /* into a file: only the last line of a short loop */
    fflush(stdout);
    const int before = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    dup2(fileno(file), STDOUT_FILENO);
    wk_dataset *dataset = NULL;
    wk_scope
    {
        dataset = wk_data_tensor_dataset((wk_arange(10)));
    }
    wk_data_loader *loader = wk_data_loader(dataset, 4);
    wk_for_each_batch (batch, loader, "epoch %d/%d", 1, 2)
        wk_batch_show(batch, "loss %.1f", 0.5 * (double)batch.index);
    wk_data_loader_free(loader);
    wk_dataset_free(dataset);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    rewind(file);
    char text[512] = "";
    assert_non_null(fgets(text, sizeof text, file));
    assert_ptr_equal(strstr(text, "epoch 1/2 100% 3/3  loss 1.0  "), text);
    assert_null(fgets(text, sizeof text, file));
    fclose(file);
}

static void test_progress_by_hand(void **state)
{
    (void)state;
    wk_progress progress;
    wk_progress_start(&progress, 3, "%s %d", "", 1);
    progress.title[0] = '\0'; // shows nothing at all
    for (int i = 0; i < 2; i++)
        wk_progress_step(&progress, 5);
    assert_true(progress.done == 2 && progress.items == 10 && progress.steps == 3);
    wk_progress_end(&progress);
    assert_null(progress.file);
    wk_progress_end(&progress); // again: nothing
    wk_progress_step(NULL, 1);
}

int main(void)
{
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {
        TEST(test_progress_lines),
        TEST(test_progress_of_a_loop),
        TEST(test_progress_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
