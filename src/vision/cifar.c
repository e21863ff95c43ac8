/* CIFAR-10 and CIFAR-100: 60,000 small pictures each, 32 x 32, in the binary version of
   https://www.cs.toronto.edu/~kriz/cifar.html: records of a label (of 100 classes: the coarse one, then the fine one)
   and three planes of 1024 bytes. */
#include "data_set.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <wick/cast.h>

#include "core/host.h"
#include "core/text.h"
#include "io/file.h"

#define PIXELS (3 * 32 * 32)
#define MOST_FILES 5

typedef struct cifar {
    const char *op, *folder;
    int64_t labels; // bytes before the pixels; the last one counts
    const char *const *classes;
    int64_t class_count;
    const char *train[MOST_FILES + 1], *test[2];
} cifar;

static const char *const ten[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                  "dog",      "frog",       "horse", "ship", "truck"};
static const char *const hundred[] = {
    "apple",      "aquarium_fish", "baby",         "bear",       "beaver",      "bed",         "bee",
    "beetle",     "bicycle",       "bottle",       "bowl",       "boy",         "bridge",      "bus",
    "butterfly",  "camel",         "can",          "castle",     "caterpillar", "cattle",      "chair",
    "chimpanzee", "clock",         "cloud",        "cockroach",  "couch",       "crab",        "crocodile",
    "cup",        "dinosaur",      "dolphin",      "elephant",   "flatfish",    "forest",      "fox",
    "girl",       "hamster",       "house",        "kangaroo",   "keyboard",    "lamp",        "lawn_mower",
    "leopard",    "lion",          "lizard",       "lobster",    "man",         "maple_tree",  "motorcycle",
    "mountain",   "mouse",         "mushroom",     "oak_tree",   "orange",      "orchid",      "otter",
    "palm_tree",  "pear",          "pickup_truck", "pine_tree",  "plain",       "plate",       "poppy",
    "porcupine",  "possum",        "rabbit",       "raccoon",    "ray",         "road",        "rocket",
    "rose",       "sea",           "seal",         "shark",      "shrew",       "skunk",       "skyscraper",
    "snail",      "snake",         "spider",       "squirrel",   "streetcar",   "sunflower",   "sweet_pepper",
    "table",      "tank",          "telephone",    "television", "tiger",       "tractor",     "train",
    "trout",      "tulip",         "turtle",       "wardrobe",   "whale",       "willow_tree", "wolf",
    "woman",      "worm"};
_Static_assert(sizeof hundred / sizeof *hundred == 100, "CIFAR-100 has as many classes");

static const cifar of_ten = {
    "cifar10",
    "cifar-10-batches-bin",
    1,
    ten,
    10,
    {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
    {"test_batch.bin"}};
static const cifar of_hundred = {"cifar100", "cifar-100-binary", 2, hundred, 100, {"train.bin"}, {"test.bin"}};

/* root/folder/name or root/name */
static wk_file_map *open_file(const cifar *about, const char *root, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s/%s", root, about->folder, name);
    if (access(path, R_OK) != 0)
        snprintf(path, size, "%s/%s", root, name);
    if (access(path, R_OK) == 0)
        return wk_file_map_open(about->op, path);
    return wk_fail(about->op,
                   "root: %s is not in %s\nhint: the binary version of https://www.cs.toronto.edu/~kriz/cifar.html",
                   name, wk_shown(root, (wk_shown_text){0}));
}

typedef struct cifar_file {
    wk_file_map *map;
    char path[4096];
} cifar_file;

static bool load_records(const cifar *about, const cifar_file *file, uint8_t *pictures, int64_t *targets)
{
    const size_t record = (size_t)about->labels + PIXELS;
    for (size_t at = 0; at < file->map->size; at += record, pictures += PIXELS, targets++) {
        const unsigned char *bytes = file->map->bytes + at;
        *targets = bytes[about->labels - 1];
        if (*targets >= about->class_count)
            return wk_fail(about->op, "%s: expected labels 0 .. %lld, got %lld",
                           wk_shown(file->path, (wk_shown_text){0}), (long long)about->class_count - 1,
                           (long long)*targets);
        memcpy(pictures, bytes + about->labels, PIXELS);
    }
    return true;
}

static bool load(wk_vision_dataset *set, const cifar *about, const char *root, const char *const *names,
                 void *transform)
{
    cifar_file files[MOST_FILES] = {0};
    const size_t record = (size_t)about->labels + PIXELS;
    int64_t count = 0;
    int opened = 0;
    bool good = true;
    for (; good && opened < MOST_FILES && names[opened]; opened++) {
        cifar_file *file = &files[opened];
        file->map = open_file(about, root, names[opened], file->path, sizeof file->path);
        good = file->map && (file->map->size % record == 0 ||
                             wk_fail(about->op, "%s: expected records of %zu bytes, got %zu bytes in all",
                                     wk_shown(file->path, (wk_shown_text){0}), record, file->map->size));
        count += good ? (int64_t)(file->map->size / record) : 0;
    }
    wk_tensor *data = good ? wk_tensor_new(about->op, 4, (int64_t[]){count, 3, 32, 32}, wk_uint8, wk_cpu) : NULL;
    wk_tensor *targets = data ? wk_tensor_new(about->op, 1, &count, wk_int64, wk_cpu) : NULL;
    good = targets;
    for (int64_t i = 0, done = 0; good && i < opened; done += (int64_t)(files[i++].map->size / record))
        good = load_records(about, &files[i], (uint8_t *)wk_host(about->op, data) + done * PIXELS,
                            (int64_t *)wk_host(about->op, targets) + done);
    for (int i = 0; i < opened; i++)
        if (files[i].map)
            wk_file_map_release(files[i].map);
    return good && wk_vision_dataset_of(set, data, data, targets, about->classes, about->class_count, transform);
}

static wk_vision_dataset open_set(const cifar *about, wk_vision_mnist_args args)
{
    wk_vision_dataset set = {0};
    if (!args.root)
        wk_fail(about->op, "root: expected a folder, got NULL");
    else if (!args.transform || wk_module_check(about->op, args.transform))
        wk_scope
    {
        load(&set, about, args.root, args.train ? about->train : about->test, args.transform);
    }
    return set;
}

wk_vision_dataset wk_vision_cifar10_with(wk_vision_mnist_args args) { return open_set(&of_ten, args); }
wk_vision_dataset wk_vision_cifar100_with(wk_vision_mnist_args args) { return open_set(&of_hundred, args); }
