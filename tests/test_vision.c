/* Pictures: PNG and JPEG written and read back, broken files, grids as torchvision lays them out, flips. */
#define _GNU_SOURCE // memmem
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "vision.h"

static char path[64];
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
    wk_try(&error) wk_scope assert_null(wk_vision_functional_resize(wk_zeros((0, 4, 4)), 2));
    assert_true(error.set && strstr(error.message, "resize: x: expected sizes of 1 or more, got (0, 4, 4)"));
    wk_try(&error) wk_scope assert_null(wk_vision_make_grid(wk_zeros((2, 3, 4, 4)), .padding = INT64_MAX / 2));
    assert_true(error.set && strstr(error.message, "make_grid: nrow, padding: expected 1 or more and 0 to"));
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

static size_t bytes_of(const char *name, char *bytes, size_t room)
{
    FILE *file = fopen(name, "rb");
    const size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

static bool is_error(const char *words)
{
    wk_error error;
    wk_try(&error)
    {
        wk_scope
        {
            assert_null(wk_vision_read_image(path));
        }
    }
    if (!strstr(error.message, words))
        print_error("%s\n", error.message);
    return error.set && strstr(error.message, words);
}

static void test_jpeg(void **state)
{
    (void)state;
    SKIP_WITHOUT_JPEG();
    char good[4096], bytes[4096];
    wk_scope
    {
        wk_tensor *x = wk_to(wk_add(wk_mul(wk_ones((3, 9, 21)), 100), wk_arange(21)), wk_uint8);
        assert_true(wk_vision_write_jpeg(x, path, .quality = 90));
        wk_tensor *y = wk_vision_read_image(path);
        assert_true(y->ndim == 3 && y->shape[0] == 3 && y->shape[1] == 9 && y->shape[2] == 21);
        assert_true(wk_item(wk_max(wk_abs(wk_sub(wk_to(x, wk_float32), wk_to(y, wk_float32))))) < 5);
        const size_t size = bytes_of(path, good, sizeof good);
        for (size_t cut = 3; cut < size; cut++) {
            write_bytes(path, good, cut);
            assert_true(is_error("the file is cut off"));
        }
        write_bytes(path, good, 2);
        assert_true(is_error("is no PNG or JPEG file"));
        const char *frame = memmem(good, size, "\xff\xc0", 2);
        memcpy(bytes, good, size);
        memset(bytes + (frame - good) + 5, 0xF0, 4); // 61680 x 61680
        write_bytes(path, bytes, size);
        assert_true(is_error("more pixels than the file can hold"));
        /* a scan's header a thousand times */
        const char *scan = memmem(good, size, "\xff\xda", 2);
        size_t end = (size_t)(scan - good);
        memcpy(bytes, good, end);
        for (int i = 0; i < 101; i++, end += 14)
            memcpy(bytes + end, scan, 14);
        memcpy(bytes + end, "\xff\xd9", 2);
        write_bytes(path, bytes, end + 2);
        assert_true(is_error("at most 100 scans, got 101"));

        assert_true(wk_vision_write_jpeg(wk_select(x, 0, 0), path)); // (H, W)
        assert_int_equal(wk_vision_read_image(path)->shape[0], 1);
        assert_int_equal(wk_vision_read_image(path, .mode = "RGB")->shape[0], 3);
    }
    wk_error error;
    wk_try(&error)
    {
        wk_scope
        {
            assert_false(wk_vision_write_jpeg(wk_zeros((4, 2, 2), .dtype = wk_uint8), path));
        }
    }
    assert_true(error.set && strstr(error.message, "of 1 or 3 channels, got uint8 (4, 2, 2)"));
    wk_try(&error) { assert_null(wk_vision_read_image(path, .mode = "lab")); }
    assert_true(error.set && strstr(error.message, "mode: expected \"unchanged\", \"gray\" or \"rgb\", got \"lab\""));
    wk_try(&error)
    {
        wk_scope
        {
            assert_null(wk_vision_decode_image(wk_zeros((5), .dtype = wk_uint8)));
        }
    }
    assert_true(error.set && strstr(error.message, "the bytes of a PNG or JPEG file, got 5 others"));
    wk_try(&error) { assert_null(wk_vision_read_image(WICK_GOLDEN "/../fuzz/corpus/jpeg/error_behind_a_warning")); }
    assert_true(error.set && strstr(error.message, "Quantization table 0xff was not defined"));
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
        wk_module *always = wk_vision_random_horizontal_flip(1), *never = wk_vision_random_horizontal_flip(.p = 0);
        wk_module *over = wk_vision_random_vertical_flip(1);
        for (int dtype = 0; dtype < 2; dtype++) {
            wk_tensor *typed = wk_to(x, dtype == 0 ? wk_float32 : wk_uint8);
            wk_tensor *y = wk_to(wk_forward(always, typed), wk_int64);
            for (int i = 0; i < 24; i++)
                assert_int_equal(((int64_t *)wk_data_ptr(y))[i], i / 3 * 3 + 2 - i % 3);
            y = wk_to(wk_forward(over, typed), wk_int64);
            for (int i = 0; i < 24; i++)
                assert_int_equal(((int64_t *)wk_data_ptr(y))[i], i % 6 < 3 ? i + 3 : i - 3);
            y = wk_to(wk_forward(never, typed), wk_int64);
            assert_memory_equal(wk_data_ptr(x), wk_data_ptr(y), 24 * 8);
        }
        wk_manual_seed(1);
        x = wk_expand(wk_to(wk_arange(4), wk_float32), (1000, 1, 1, 4));
        wk_module *each = wk_vision_each(wk_vision_random_horizontal_flip());
        wk_tensor *first = wk_select(wk_forward(each, x), -1, 0);
        const double flipped = wk_item(wk_sum(wk_eq(first, 3)));
        assert_true(flipped > 430 && flipped < 570);
        wk_module_free(always);
        wk_module_free(never);
        wk_module_free(over);
        wk_module_free(each);
    }
}

static void through_files(void)
{
    wk_tensor *picture = wk_zeros((3, 4, 4), .dtype = wk_uint8);
    if (picture && wk_vision_write_png(picture, path))
        wk_vision_read_image(path);
#ifdef WICK_HAVE_JPEG
    if (picture && wk_vision_write_jpeg(picture, path))
        wk_vision_read_image(path, .mode = "rgb");
#endif
}

static void through_transforms(void)
{
    wk_tensor *picture = wk_zeros((3, 4, 4), .dtype = wk_uint8), *boxes = wk_tensor((1, 4), ((float[]){0, 0, 2, 2}));
    wk_module *transform = wk_vision_compose(wk_vision_resize(3), wk_vision_center_crop(2), wk_vision_to_tensor(),
                                             wk_vision_normalize((0.5), (0.5)), wk_vision_random_horizontal_flip(1));
    if (transform && picture)
        wk_forward(transform, picture);
    wk_module_free(transform);
    transform = wk_vision_compose(
        wk_vision_random_resized_crop(3), wk_vision_random_crop(4, .pad_if_needed = true, .fills = {3, {1, 2, 3}}),
        wk_vision_color_jitter(0.4, 0.4, 0.4, 0.1), wk_vision_gaussian_blur(3), wk_vision_random_rotation(40),
        wk_vision_random_erasing(1), wk_vision_random_apply((wk_vision_random_grayscale(1)), .p = 1),
        wk_vision_rand_augment(), wk_vision_random_vertical_flip(1), wk_vision_pad(1, .padding_mode = "symmetric"));
    wk_manual_seed(2);
    for (int i = 0; transform && picture && i < 3; i++)
        wk_forward(transform, picture);
    wk_module_free(transform);
    wk_sample batch = {.x = wk_zeros((2, 1, 3, 3)), .y = wk_zeros((2), .dtype = wk_int64)};
    if (batch.x && batch.y && wk_vision_mixup(&batch, .num_classes = 2))
        wk_vision_cutmix(&batch);
    wk_vision_draw_bounding_boxes(picture, boxes, .color = "red");
    wk_vision_nms(boxes, wk_zeros((1)), 0.5);
    wk_vision_make_grid(wk_zeros((5, 1, 2, 2)), .normalize = true);
}

/* every allocation fails in turn */
static void fail_each(void (*function)(void))
{
    for (int64_t n = 0, ended = 0; !ended; n++) {
        wk_error error;
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_memory_fail_after(n);
        wk_try(&error)
        {
            wk_scope
            {
                function();
            }
        }
        ended = !error.set;
        wk_memory_fail_after(-1);
        assert_true(n < 5000);
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
    }
}

static void test_allocations_that_fail(void **state)
{
    (void)state;
    fail_each(through_files);
    fail_each(through_transforms);
}

int main(void)
{
    wk_scope
    {
        wk_rand((1));
    } // the thread's scopes are there
    strcpy(path, "/tmp/wick_test_vision_XXXXXX");
    close(mkstemp(path));
    const struct CMUnitTest tests[] = {
        TEST(test_png_round_trip), TEST(test_broken_png), TEST(test_jpeg),
        TEST(test_make_grid),      TEST(test_flips),      TEST(test_allocations_that_fail),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
