/* MNIST and Fashion-MNIST: 70,000 grey pictures each, 28 x 28, of ten classes: digits
   (http://yann.lecun.com/exdb/mnist) and clothes (https://arxiv.org/abs/1708.07747, Debian's package
   dataset-fashion-mnist).  IDX files, gzipped or not. */
#include "data_set.h"

#include <stdio.h>
#include <unistd.h>

#include <wick/cast.h>
#include <wick/view.h>

#include "core/host.h"
#include "core/text.h"

#define CLASSES 10

typedef struct mnist {
    const char *op, *folders[3], *hint;
    const char *classes[CLASSES];
} mnist;

/* where the file may lie under root: as Debian has it, and as torchvision does; false where it is nowhere */
static bool find_file(const mnist *about, const char *root, const char *name, char *path, size_t size)
{
    static const char *const endings[] = {".gz", ""};
    for (int folder = 0; folder < 3; folder++)
        for (int ending = 0; ending < 2; ending++) {
            const int length = snprintf(path, size, "%s%s/%s%s", root, about->folders[folder], name, endings[ending]);
            if (length > 0 && (size_t)length < size && access(path, R_OK) == 0)
                return true;
        }
    return false;
}

static bool load(wk_vision_dataset *set, const mnist *about, const char *root, bool train, void *transform)
{
    const char *const op = about->op, *const part = train ? "train" : "t10k";
    char name[64], images[4096], labels[4096];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    bool found = find_file(about, root, name, images, sizeof images);
    if (found) {
        snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
        found = find_file(about, root, name, labels, sizeof labels);
    }
    if (!found)
        return wk_fail(op, "root: %s.gz is not in %s\nhint: %s", name, wk_shown(root, (wk_shown_text){0}), about->hint);

    wk_tensor *data = wk_data_load_idx(images), *small = data ? wk_data_load_idx(labels) : NULL;
    if (!small)
        return false;
    if (data->dtype != wk_uint8 || data->ndim != 3)
        return wk_fail(op, "%s: expected uint8 (N, H, W), got %s %s", wk_shown(images, (wk_shown_text){0}),
                       wk_dtype_name(data->dtype), wk_shape_string(data));
    if (small->dtype != wk_uint8 || small->ndim != 1 || small->shape[0] != data->shape[0])
        return wk_fail(op, "%s: expected uint8 (%lld,), one label for each picture, got %s %s",
                       wk_shown(labels, (wk_shown_text){0}), (long long)data->shape[0], wk_dtype_name(small->dtype),
                       wk_shape_string(small));
    const uint8_t *label = wk_host(op, small);
    for (int64_t i = 0; i < small->numel; i++)
        if (label[i] >= CLASSES)
            return wk_fail(op, "%s: expected labels 0 .. %d, got %d", wk_shown(labels, (wk_shown_text){0}), CLASSES - 1,
                           label[i]);
    return wk_vision_dataset_of(set, data, wk_unsqueeze(data, 1), wk_to(small, wk_int64), about->classes, CLASSES,
                                transform);
}

static wk_vision_dataset open_set(const mnist *about, const char *root, bool train, void *transform)
{
    wk_vision_dataset set = {0};
    if (!root)
        wk_fail(about->op, "root: expected a folder, got NULL");
    else if (!transform || wk_module_check(about->op, transform))
        wk_scope
    {
        load(&set, about, root, train, transform);
    }
    return set;
}

wk_vision_dataset wk_vision_fashion_mnist_with(wk_vision_mnist_args args)
{
    static const mnist about = {
        "fashion_mnist",
        {"", "/fashion-mnist", "/FashionMNIST/raw"},
        "sudo apt-get install dataset-fashion-mnist",
        {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}};
    return open_set(&about, args.root ? args.root : "/usr/share/datasets/fashion-mnist", args.train, args.transform);
}

wk_vision_dataset wk_vision_mnist_with(wk_vision_mnist_args args)
{
    static const mnist about = {"mnist",
                                {"", "/mnist", "/MNIST/raw"},
                                "put the four files of http://yann.lecun.com/exdb/mnist there",
                                {"0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six",
                                 "7 - seven", "8 - eight", "9 - nine"}};
    return open_set(&about, args.root, args.train, args.transform);
}
