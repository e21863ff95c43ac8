/* Data sets of pictures: folders, MNIST, Fashion-MNIST, CIFAR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "vision.h"

/* root/name, its folders made */
static const char *inside(const char *root, const char *name)
{
    static char full[256];
    snprintf(full, sizeof full, "%s/%s", root, name);
    for (char *slash = full + strlen(root); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    return full;
}

static void test_image_folder(void **state)
{
    (void)state;
    SKIP_WITHOUT_JPEG();
    char root[] = "/tmp/wick_test_folder_XXXXXX", command[64];
    assert_non_null(mkdtemp(root));
    wk_error error;
    wk_try(&error) { assert_null(wk_vision_image_folder(root).dataset); }
    assert_true(error.set && strstr(error.message, "one for each class"));
    wk_scope
    {
        wk_tensor *colours = numbered_bytes(3, 6, 5), *grey = numbered_bytes(1, 4, 8);
        assert_true(wk_vision_write_png(colours, inside(root, "zebra/b.png")));
        assert_true(wk_vision_write_png(grey, inside(root, "zebra/a.PNG")));
        assert_true(wk_vision_write_jpeg(grey, inside(root, "ant/deep/c.jpg")));
        assert_true(wk_vision_write_png(grey, inside(root, "ant/d.png")));
        write_bytes(inside(root, "ant/notes.txt"), "no", 2);
        wk_module *transform = wk_vision_compose(wk_vision_resize((4, 4)), wk_vision_random_horizontal_flip());
        wk_vision_dataset set = wk_vision_image_folder(root, .transform = transform);
        assert_int_equal(wk_dataset_length(set.dataset), 4);
        assert_int_equal(set.class_count, 2);
        assert_string_equal(set.classes[0], "ant");
        assert_string_equal(set.classes[1], "zebra");
        static const char *const ends[] = {"/ant/d.png", "/ant/deep/c.jpg", "/zebra/a.PNG", "/zebra/b.png"};
        for (int i = 0; i < 4; i++) {
            assert_string_equal(set.paths[i] + strlen(root), ends[i]);
            wk_sample item = wk_dataset_item(set.dataset, i);
            assert_true(item.x->shape[0] == 3 && item.x->shape[1] == 4 && item.x->shape[2] == 4);
            assert_int_equal(wk_item_int64(item.y), i / 2);
        }
        assert_int_equal(wk_item_int64(wk_sum(set.targets)), 2);
        /* what is drawn depends on the seed, not on the workers */
        wk_tensor *first = NULL;
        for (int workers = 0; workers < 3; workers++) {
            wk_data_loader *loader = wk_data_loader(set.dataset, 2, .shuffle = true, .seed = 3, .num_workers = workers);
            wk_tensor *all = wk_zeros((0, 3, 4, 4), .dtype = wk_uint8);
            for (int epoch = 0; epoch < 8; epoch++)
                wk_for_each_batch (batch, loader)
                    wk_replace(&all, wk_cat((all, batch.x)));
            if (first)
                assert_memory_equal(wk_data_ptr(first), wk_data_ptr(all), (size_t)wk_numel(all));
            first = all;
            wk_data_loader_free(loader);
        }
        assert_int_equal(first->shape[0], 32);
        wk_dataset_free(set.dataset);
        wk_module_free(transform);
        set = wk_vision_image_folder(root);
        write_bytes(inside(root, "zebra/b.png"), "\x89PNG\r\n\x1a\n", 8);
        wk_try(&error) { assert_null(wk_dataset_item(set.dataset, 3).x); }
        assert_true(error.set && strstr(error.message, "b.png: "));
        wk_dataset_free(set.dataset);
        inside(root, "empty/x");
        wk_try(&error) { assert_null(wk_vision_image_folder(root).dataset); }
        assert_true(error.set && strstr(error.message, "no .png, .jpg or .jpeg is in"));
    }
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
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

/* n records of labels bytes, then pixels, of which record r has r first */
static void write_records(const char *name, int n, int labels, int greatest)
{
    FILE *file = fopen(name, "wb");
    for (int r = 0; r < n; r++) {
        for (int label = 0; label < labels; label++)
            fputc((r * 7 + label) % greatest, file);
        for (int i = 0; i < 3072; i++)
            fputc(i == 0 ? r : i / 1024, file);
    }
    fclose(file);
}

#define ASSERT_FAILS(call, words)                                                                                      \
    do {                                                                                                               \
        wk_error error_;                                                                                               \
        wk_try(&error_) { assert_null((call).dataset); }                                                               \
        assert_true(error_.set &&strstr(error_.message, words));                                                       \
    } while (0)

static void test_cifar(void **state)
{
    (void)state;
    char root[] = "/tmp/wick_test_cifar_XXXXXX", command[64], name[64];
    assert_non_null(mkdtemp(root));
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof name, "cifar-10-batches-bin/data_batch_%d.bin", i);
        write_records(inside(root, name), i, 1, 10);
    }
    write_records(inside(root, "cifar-10-batches-bin/test_batch.bin"), 3, 1, 10);
    write_records(inside(root, "test.bin"), 4, 2, 100);
    wk_scope
    {
        wk_module *transform = wk_vision_to_tensor();
        wk_vision_dataset train = wk_vision_cifar10(root, .transform = transform),
                          test = wk_vision_cifar10(root, .train = false),
                          fine = wk_vision_cifar100(root, .train = false);
        assert_int_equal(wk_dataset_length(train.dataset), 15);
        assert_int_equal(wk_dataset_length(test.dataset), 3);
        wk_sample item = wk_dataset_item(train.dataset, 5); // the third file's last
        assert_int_equal(item.x->dtype, wk_float32);
        assert_true(item.x->ndim == 3 && item.x->shape[0] == 3 && item.x->shape[2] == 32);
        assert_true(((float *)wk_data_ptr(item.x))[0] == 2.0f / 255 && wk_item_int64(item.y) == 4);
        assert_int_equal(wk_item(wk_select(wk_select(wk_select(wk_select(test.data, 0, 1), 0, 2), 0, 5), 0, 6)), 2);
        assert_int_equal(wk_item_int64(wk_dataset_item(fine.dataset, 3).y), 22);
        assert_string_equal(fine.classes[22], "clock");
        assert_true(fine.class_count == 100 && train.class_count == 10);
        assert_string_equal(train.classes[9], "truck");
        wk_dataset_free(train.dataset);
        wk_dataset_free(test.dataset);
        wk_dataset_free(fine.dataset);
        wk_module_free(transform);
    }
    ASSERT_FAILS(wk_vision_cifar100(root), "train.bin is not in");
    write_records(inside(root, "test.bin"), 1, 1, 10); // a byte too few
    ASSERT_FAILS(wk_vision_cifar100(root, false), "records of 3074 bytes, got 3073");
    write_records(inside(root, "test_batch.bin"), 20, 1, 11);
    snprintf(command, sizeof command, "rm -r %s/cifar-10-batches-bin", root);
    assert_int_equal(system(command), 0);
    ASSERT_FAILS(wk_vision_cifar10(root, false), "labels 0 .. 9, got 10");
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

static void test_mnist(void **state)
{
    (void)state;
    char root[] = "/tmp/wick_test_mnist_XXXXXX", command[64];
    assert_non_null(mkdtemp(root));
    write_bytes(inside(root, "MNIST/raw/t10k-images-idx3-ubyte"), "\0\0\x08\3\0\0\0\2\0\0\0\1\0\0\0\2abcd", 20);
    write_bytes(inside(root, "MNIST/raw/t10k-labels-idx1-ubyte"), "\0\0\x08\1\0\0\0\2\7\3", 10);
    wk_scope
    {
        wk_module *flip = wk_vision_random_horizontal_flip(1);
        wk_vision_dataset set = wk_vision_mnist(root, .train = false, .transform = flip);
        assert_int_equal(wk_dataset_length(set.dataset), 2);
        wk_sample item = wk_dataset_item(set.dataset, 1);
        assert_true(item.x->ndim == 3 && item.x->shape[0] == 1 && item.x->shape[2] == 2);
        assert_memory_equal(wk_data_ptr(wk_contiguous(item.x)), "dc", 2);
        assert_string_equal(set.classes[wk_item_int64(item.y)], "3 - three");
        wk_dataset_free(set.dataset);
        wk_module_free(flip);
    }
    ASSERT_FAILS(wk_vision_mnist(root), "train-images-idx3-ubyte.gz is not in");
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    wk_scope
    {
        wk_rand((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {TEST(test_image_folder), TEST(test_fashion_mnist), TEST(test_cifar),
                                       TEST(test_mnist)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
