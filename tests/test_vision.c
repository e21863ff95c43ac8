/* Pictures: PNG written and read back, broken files, grids as torchvision lays them out, flips, the data set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

static char path[64];
static int64_t blocks_before;
static int remember_blocks(void **state)
{
    (void)state;
    blocks_before = wk_memory_get_stats().live_blocks;
    return 0;
}
static int nothing_leaked(void **state)
{
    (void)state;
    const int64_t now = wk_memory_get_stats().live_blocks;
    if (now != blocks_before)
        print_error("%lld blocks before, %lld after\n", (long long)blocks_before, (long long)now);
    return now != blocks_before;
}

static wk_tensor *numbered_bytes(int64_t channels, int64_t height, int64_t width)
{
    wk_tensor *x = wk_empty((channels, height, width), .dtype = wk_uint8);
    for (int64_t i = 0; i < wk_numel(x); i++)
        ((uint8_t *)wk_data_ptr(x))[i] = (uint8_t)(i * 7);
    return x;
}

static void test_png_round_trip(void **state)
{
    (void)state;
    static const int64_t channels[] = {1, 3, 4};
    for (int i = 0; i < 3; i++)
        wk_scope
    {
        wk_tensor *x = numbered_bytes(channels[i], 5, 9);
        assert_true(wk_vision_write_png(x, path));
        wk_tensor *y = wk_vision_read_image(path);
        assert_true(y->ndim == 3 && y->shape[0] == channels[i] && y->shape[1] == 5 && y->shape[2] == 9);
        assert_memory_equal(wk_data_ptr(x), wk_data_ptr(y), (size_t)wk_numel(x));
    }
    wk_scope
    {
        wk_tensor *x = wk_t(wk_select(numbered_bytes(1, 4, 6), 0, 0)); // (H, W), not contiguous
        assert_true(wk_vision_write_png(x, path));
        wk_tensor *y = wk_vision_read_image(path), *dense = wk_contiguous(x);
        assert_true(y->shape[0] == 1 && y->shape[1] == 6 && y->shape[2] == 4);
        assert_memory_equal(wk_data_ptr(dense), wk_data_ptr(y), 24);
    }
    wk_error error;
    wk_try(&error)
    {
        wk_scope
        {
            assert_false(wk_vision_write_png(wk_zeros((3, 4, 4)), path));
        }
    }
    assert_true(error.set && strstr(error.message, "got float32 (3, 4, 4)\nhint: wk_vision_save_image"));
    wk_try(&error)
    {
        wk_scope
        {
            assert_false(wk_vision_write_png(numbered_bytes(1, 2, 2), "/nowhere/x.png"));
        }
    }
    assert_true(error.set && strstr(error.message, "/nowhere/x.png: could not be created"));
}

static void test_broken_png(void **state)
{
    (void)state;
    char good[4096], bytes[4096];
    wk_scope
    {
        assert_true(wk_vision_write_png(numbered_bytes(3, 20, 20), path));
    }
    FILE *file = fopen(path, "rb");
    const size_t size = fread(good, 1, sizeof good, file);
    fclose(file);
    int broken = 0;
    uint64_t random = 1;
    for (int turn = 0; turn < 1500; turn++) {
        memcpy(bytes, good, size);
        random = random * 6364136223846793005u + 1442695040888963407u;
        const size_t at = (size_t)(random >> 33) % size;
        size_t left = size;
        if (turn % 3 == 0)
            left = at;
        else
            bytes[turn % 3 == 1 ? at : at % 40] ^= (char)(1 << (random >> 60) % 8);
        file = fopen(path, "wb");
        fwrite(bytes, 1, left, file);
        fclose(file);
        wk_error error;
        wk_try(&error)
        {
            wk_scope
            {
                wk_vision_read_image(path);
            }
        }
        broken += error.set;
    }
    assert_true(broken > 1000);
    wk_error error;
    wk_try(&error) { assert_null(wk_vision_read_image("/nowhere/x.png")); }
    assert_true(error.set && strstr(error.message, "No such file"));
}

static void test_make_grid(void **state)
{
    (void)state;
    wk_scope
    {
        /* three pictures of one channel, 2 x 3, two in a row, a gap of 1 */
        wk_tensor *x = wk_add(wk_reshape(wk_arange(3), (3, 1, 1, 1)), wk_ones((3, 1, 2, 3)));
        wk_tensor *grid = wk_vision_make_grid(x, .nrow = 2, .padding = 1, .pad_value = 9);
        assert_true(grid->ndim == 3 && grid->shape[0] == 3 && grid->shape[1] == 7 && grid->shape[2] == 9);
        static const char *const rows[] = {"999999999", "911192229", "911192229", "999999999",
                                           "933399999", "933399999", "999999999"};
        for (int i = 0; i < 3 * 63; i++)
            assert_true(((float *)wk_data_ptr(grid))[i] == (float)(rows[i % 63 / 9][i % 9] - '0'));
        grid = wk_vision_make_grid(x, .normalize = true);
        assert_true(grid->shape[1] == 6 && grid->shape[2] == 17);
        assert_true(wk_item(wk_max(grid)) == 1);
        assert_true(wk_item(wk_select(wk_select(wk_select(grid, 0, 0), 0, 2), 0, 7)) == 0.5);
        grid = wk_vision_make_grid(wk_narrow(x, 0, 0, 1)); // one alone has no border
        assert_true(grid->ndim == 3 && grid->shape[1] == 2 && grid->shape[2] == 3);
        assert_true(wk_vision_save_image(wk_div(x, 3), path, .grid.nrow = 2, .grid.padding = 1));
        wk_tensor *picture = wk_vision_read_image(path);
        assert_int_equal(((uint8_t *)wk_data_ptr(picture))[10], 85);
        assert_int_equal(((uint8_t *)wk_data_ptr(picture))[14], 170);
        assert_int_equal(((uint8_t *)wk_data_ptr(picture))[0], 0);
    }
}

static void test_flips(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_reshape(wk_arange(24), (2, 2, 2, 3));
        for (int dtype = 0; dtype < 3; dtype++) {
            wk_tensor *typed = wk_to(x, dtype == 0 ? wk_float32 : dtype == 1 ? wk_uint8 : wk_int64);
            wk_tensor *y = wk_to(wk_vision_random_horizontal_flip(typed, 1), wk_int64);
            for (int i = 0; i < 24; i++)
                assert_int_equal(((int64_t *)wk_data_ptr(y))[i], i / 3 * 3 + 2 - i % 3);
            y = wk_to(wk_vision_random_horizontal_flip(typed, 0), wk_int64);
            assert_memory_equal(wk_data_ptr(x), wk_data_ptr(y), 24 * 8);
        }
        wk_generator *generator = wk_generator_manual_seed(wk_generator_new(), 1);
        x = wk_expand(wk_arange(4), (1000, 1, 1, 4));
        wk_tensor *first = wk_select(wk_vision_random_horizontal_flip(x, .generator = generator), -1, 0);
        const double flipped = wk_item(wk_sum(wk_eq(first, 3)));
        assert_true(flipped > 430 && flipped < 570);
        wk_generator_free(generator);
    }
}

static void test_fashion_mnist(void **state)
{
    (void)state;
    wk_error error;
    wk_try(&error) { assert_null(wk_vision_fashion_mnist("/nowhere").dataset); }
    assert_true(error.set);
    assert_non_null(strstr(error.message, "train-images-idx3-ubyte.gz is not in /nowhere\n"
                                          "hint: sudo apt-get install dataset-fashion-mnist"));
    if (access("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", R_OK) != 0) {
        print_message("SKIPPED: the data set is not there (sudo apt-get install dataset-fashion-mnist)\n");
        skip();
    }
    wk_scope
    {
        wk_vision_dataset train = wk_vision_fashion_mnist(NULL), test = wk_vision_fashion_mnist(NULL, .train = false);
        assert_int_equal(wk_dataset_length(train.dataset), 60000);
        assert_int_equal(wk_dataset_length(test.dataset), 10000);
        assert_true(train.data->shape[1] == 28 && train.data->shape[2] == 28);
        assert_true(wk_item(wk_mean(wk_to(train.data, wk_float64))) > 72.9);
        assert_true(wk_item(wk_mean(wk_to(train.data, wk_float64))) < 73.0); // 0.2860 * 255
        for (int64_t class = 0; class < 10; class ++) {
            assert_int_equal(wk_item_int64(wk_sum(wk_eq(train.targets, class))), 6000);
            assert_int_equal(wk_item_int64(wk_sum(wk_eq(test.targets, class))), 1000);
        }
        assert_string_equal(train.classes[wk_item_int64(wk_dataset_item(train.dataset, 0).y)], "Ankle boot");
        wk_tensor *image = wk_dataset_item(test.dataset, -1).x;
        assert_true(image->ndim == 3 && image->shape[0] == 1 && image->dtype == wk_uint8);
        wk_dataset_free(train.dataset);
        wk_dataset_free(test.dataset);
    }
}

/* every allocation fails in turn */
static void test_allocations_that_fail(void **state)
{
    (void)state;
    for (int64_t n = 0, ended = 0; !ended; n++) {
        wk_error error;
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_memory_fail_after(n);
        wk_try(&error)
        {
            wk_scope
            {
                wk_tensor *picture = wk_zeros((3, 4, 4), .dtype = wk_uint8);
                if (picture && wk_vision_write_png(picture, path))
                    wk_vision_read_image(path);
                wk_vision_make_grid(wk_vision_random_horizontal_flip(wk_zeros((5, 1, 2, 2))), .normalize = true);
            }
        }
        ended = !error.set;
        wk_memory_fail_after(-1);
        assert_true(n < 5000);
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_blocks, nothing_leaked)

int main(void)
{
    wk_scope
    {
        wk_rand((1));
    } // the thread's scopes are there
    strcpy(path, "/tmp/wick_test_vision_XXXXXX");
    close(mkstemp(path));
    const struct CMUnitTest tests[] = {
        TEST(test_png_round_trip), TEST(test_broken_png),    TEST(test_make_grid),
        TEST(test_flips),          TEST(test_fashion_mnist), TEST(test_allocations_that_fail),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
