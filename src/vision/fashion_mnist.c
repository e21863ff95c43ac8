/* Fashion-MNIST: 70,000 grey pictures of clothes, 28 x 28, of ten classes (https://arxiv.org/abs/1708.07747), as
   Debian's package dataset-fashion-mnist installs them: gzipped IDX files. */
#include <stdio.h>
#include <unistd.h>

#include <wick/vision.h>
#include <wick/cast.h>
#include <wick/view.h>

#include "core/host.h"
#include "core/text.h"

static const char *const class_names[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                          "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
#define CLASSES 10
#define DEBIAN_FOLDER "/usr/share/datasets/fashion-mnist"

/* where the file may lie under root: as Debian has it, and as torchvision does; false where it is nowhere */
static bool find_file(const char *root, const char *name, char *path, size_t size)
{
    static const char *const folders[] = {"", "/fashion-mnist", "/FashionMNIST/raw"};
    static const char *const endings[] = {".gz", ""};
    for (int folder = 0; folder < 3; folder++)
        for (int ending = 0; ending < 2; ending++) {
            const int length = snprintf(path, size, "%s%s/%s%s", root, folders[folder], name, endings[ending]);
            if (length > 0 && (size_t)length < size && access(path, R_OK) == 0)
                return true;
        }
    return false;
}

static bool load(wk_vision_dataset *set, const char *root, bool train)
{
    const char *const op = "fashion_mnist", *const part = train ? "train" : "t10k";
    char name[64], images[4096], labels[4096];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", part);
    bool found = find_file(root, name, images, sizeof images);
    if (found) {
        snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part);
        found = find_file(root, name, labels, sizeof labels);
    }
    if (!found)
        return wk_fail(op, "root: %s.gz is not in %s\nhint: sudo apt-get install dataset-fashion-mnist", name,
                       wk_shown(root, (wk_shown_text){0}));

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
    const uint8_t *label = wk_host("fashion_mnist", small);
    for (int64_t i = 0; i < small->numel; i++)
        if (label[i] >= CLASSES)
            return wk_fail(op, "%s: expected labels 0 .. %d, got %d", wk_shown(labels, (wk_shown_text){0}), CLASSES - 1,
                           label[i]);

    wk_tensor *targets = wk_to(small, wk_int64);
    wk_dataset *dataset = targets ? wk_data_tensor_dataset((wk_unsqueeze(data, 1), targets)) : NULL;
    if (!dataset)
        return false;
    *set = (wk_vision_dataset){.dataset = dataset,
                               .data = wk_keep(data),
                               .targets = wk_keep(targets),
                               .classes = class_names,
                               .class_count = CLASSES};
    return true;
}

wk_vision_dataset wk_vision_fashion_mnist_with(wk_vision_fashion_mnist_args args)
{
    wk_vision_dataset set = {0};
    wk_scope
    {
        load(&set, args.root ? args.root : DEBIAN_FOLDER, args.train);
    }
    return set;
}
