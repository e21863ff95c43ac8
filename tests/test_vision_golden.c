/* Pictures, transforms and boxes against torchvision's answers in golden/vision.safetensors (golden/vision.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "answers.h"
#include "vision/transform.h"

#ifdef WICK_HAVE_JPEG
#define READS_JPEG true
#else
#define READS_JPEG false
#endif

static int failures;

/* shape and dtype equal, and no element further apart than tolerance */
static void same(const char *name, wk_tensor *x, wk_tensor *expected, double tolerance)
{
    double apart = NAN;
    const bool alike = x && expected && x->dtype == expected->dtype && x->ndim == expected->ndim &&
                       memcmp(x->shape, expected->shape, (size_t)x->ndim * sizeof *x->shape) == 0;
    if (alike) {
        const double *a = wk_data_ptr(wk_contiguous(wk_to(x, wk_float64))),
                     *b = wk_data_ptr(wk_contiguous(wk_to(expected, wk_float64)));
        apart = 0;
        for (int64_t i = 0; i < wk_numel(x); i++)
            if (!(isnan(a[i]) && isnan(b[i])) && !(fabs(a[i] - b[i]) <= apart))
                apart = fabs(a[i] - b[i]);
    }
    if (!(apart <= tolerance)) {
        print_error("%s: %s, furthest apart %g, allowed %g\n", name, alike ? "values" : "shape or dtype", apart,
                    tolerance);
        failures++;
    }
}

static int begin(void **state)
{
    (void)state;
    failures = 0;
    return 0;
}

/* ---------------------------------------------------------------- files */

static void test_files(void **state)
{
    (void)state;
    static const char *const files[] = {"420",      "444",         "422",       "progressive",   "restarts", "grey",
                                        "inks",     "rgb",         "one",       "turned",        "broken",   "png",
                                        "png_grey", "png_palette", "png_alpha", "png_grey_alpha"};
    static const char *const modes[] = {"unchanged", "gray", "rgb"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (int mode = !READS_JPEG && strncmp(files[i], "png", 3) != 0 ? 3
                        : strcmp(files[i], "png_palette") == 0          ? 1
                                                                        : 0;
             mode < 3; mode++)
            wk_scope
    {
        char name[64];
        snprintf(name, sizeof name, "%s as %s", files[i], modes[mode]);
        wk_tensor *x = wk_vision_decode_image(answer("file.%s", files[i]), .mode = modes[mode]);
        same(name, x, answer("decoded.%s.%s", files[i], modes[mode]), 0);
    }
    for (int orientation = 1; READS_JPEG && orientation <= 8; orientation++)
        wk_scope
    {
        char name[64];
        snprintf(name, sizeof name, "orientation %d", orientation);
        wk_tensor *x = wk_vision_decode_image(answer("file.exif%d", orientation), .apply_exif_orientation = true);
        same(name, x, answer("decoded.exif%d.upright", orientation), 0);
    }
    assert_int_equal(failures, 0);
}

/* ---------------------------------------------------------------- transforms */

static const char *const KINDS[] = {"bytes", "floats"};

/* of bytes to the byte; tolerance is the floats' */
static void check_transform(const char *name, wk_module *transform, double tolerance, int first)
{
    assert_non_null(transform);
    for (int kind = first; kind < 2; kind++)
        wk_scope
    {
        char full[96];
        snprintf(full, sizeof full, "%s.%s", name, KINDS[kind]);
        wk_manual_seed(7);
        wk_tensor *y = wk_forward(transform, answer(kind == 0 ? "picture" : "floats"));
        same(full, y, answer("%s", full), y && y->dtype == wk_uint8 ? 0 : tolerance);
    }
    wk_module_free(transform);
}

static void test_sizes(void **state)
{
    (void)state;
    check_transform("resize_12", wk_vision_resize(12), 1e-6, 0);
    check_transform("resize_30_max_40", wk_vision_resize(30, .max_size = 40), 1e-6, 0);
    check_transform("resize_20_29", wk_vision_resize((20, 29)), 1e-6, 0);
    check_transform("resize_plain", wk_vision_resize((9, 50), .antialias = false), 1e-6, 0);
    check_transform("resize_bicubic", wk_vision_resize(15, .interpolation = "bicubic"), 1e-6, 0);
    check_transform("resize_nearest", wk_vision_resize(15, .interpolation = "nearest"), 0, 0);
    check_transform("resize_nearest_exact", wk_vision_resize(15, .interpolation = "nearest-exact"), 0, 0);
    check_transform("center_crop_10_15", wk_vision_center_crop((10, 15)), 0, 0);
    check_transform("center_crop_30", wk_vision_center_crop(30), 0, 0);
    wk_scope
    {
        for (int kind = 0; kind < 2; kind++)
            same("crop_outside", wk_vision_functional_crop(answer(kind == 0 ? "picture" : "floats"), -3, 20, 12, 9),
                 answer("crop_outside.%s", KINDS[kind]), 0);
        for (int kind = 0; kind < 2; kind++)
            same("resize_column",
                 wk_vision_functional_resize(wk_narrow(answer(kind == 0 ? "picture" : "floats"), -1, 0, 1), (9, 5)),
                 answer("resize_column.%s", KINDS[kind]), 1e-6);
        wk_tensor *x = answer("picture"), *batch = wk_stack((x, wk_flip(x, (-1))));
        wk_tensor *y = wk_vision_functional_resize(batch, 12);
        assert_true(y->ndim == 4 && y->shape[0] == 2 && y->shape[2] == 12 && y->shape[3] == 18);
        same("resize of a batch", wk_select(y, 0, 0), answer("resize_12.bytes"), 0);
        assert_ptr_equal(wk_vision_functional_resize(x, 17), x); // it has that size
        same("functional center_crop", wk_vision_functional_center_crop(x, (10, 15)), answer("center_crop_10_15.bytes"),
             0);
    }
    assert_int_equal(failures, 0);
}

static void test_values(void **state)
{
    (void)state;
    check_transform("to_tensor", wk_vision_to_tensor(), 0, 0);
    check_transform("normalize", wk_vision_normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), 0, 1);
    check_transform("normalize_one", wk_vision_normalize((0.5), (0.25)), 0, 1);
    wk_scope
    {
        wk_tensor *x = wk_clone(answer("floats"));
        assert_ptr_equal(wk_data_ptr(wk_vision_functional_normalize(x, (0.5), (0.25), .inplace = true)),
                         wk_data_ptr(x));
        same("normalize in place", x, answer("normalize_one.floats"), 0);
        wk_module *all =
            wk_vision_compose(wk_vision_resize(12), wk_vision_to_tensor(), wk_vision_normalize((0.5), (1)));
        wk_tensor *expected = wk_sub(wk_div(answer("resize_12.bytes"), 255), 0.5);
        same("compose", wk_forward(all, answer("picture")), expected, 0);
        wk_module_free(all);
    }
    assert_int_equal(failures, 0);
}

/* ---------------------------------------------------------------- functions of a small picture */

static wk_tensor *function_of(const char *name, wk_tensor *x)
{
    const bool bytes = x->dtype == wk_uint8;
#define IS(word) (strcmp(name, word) == 0)
    return IS("hflip")               ? wk_vision_functional_hflip(x)
           : IS("vflip")             ? wk_vision_functional_vflip(x)
           : IS("pad")               ? wk_vision_functional_pad(x, (3, 1, 2, 4), .fill = 0.25)
           : IS("pad_fills")         ? wk_vision_functional_pad(x, (2, 3), .fills = {3, {1, 0.5, 0}})
           : IS("pad_edge")          ? wk_vision_functional_pad(x, 2, .padding_mode = "edge")
           : IS("pad_reflect")       ? wk_vision_functional_pad(x, (2, 3, 0, 1), .padding_mode = "reflect")
           : IS("pad_symmetric")     ? wk_vision_functional_pad(x, (2, 3, 0, 1), .padding_mode = "symmetric")
           : IS("gray")              ? wk_vision_functional_rgb_to_grayscale(x, 1)
           : IS("gray_3")            ? wk_vision_functional_rgb_to_grayscale(x, 3)
           : IS("brightness")        ? wk_vision_functional_adjust_brightness(x, 1.3)
           : IS("contrast")          ? wk_vision_functional_adjust_contrast(x, 0.6)
           : IS("contrast_gray")     ? wk_vision_functional_adjust_contrast(wk_narrow(x, 0, 0, 1), 1.6)
           : IS("saturation")        ? wk_vision_functional_adjust_saturation(x, 1.7)
           : IS("hue")               ? wk_vision_functional_adjust_hue(x, 0.2)
           : IS("hue_back")          ? wk_vision_functional_adjust_hue(x, -0.45)
           : IS("blur")              ? wk_vision_functional_gaussian_blur(x, 5)
           : IS("blur_3_7")          ? wk_vision_functional_gaussian_blur(x, (3, 7), .sigma = {0.8, 1.5})
           : IS("rotate_30")         ? wk_vision_functional_rotate(x, 30)
           : IS("rotate_90")         ? wk_vision_functional_rotate(x, 90)
           : IS("rotate_expand")     ? wk_vision_functional_rotate(x, -70, .interpolation = "bilinear", .expand = true)
           : IS("rotate_270_expand") ? wk_vision_functional_rotate(x, 270, .expand = true)
           : IS("rotate_fill")       ? wk_vision_functional_rotate(x, 20, .fill = {3, {0.5, 1, 0}})
           : IS("rotate_center")     ? wk_vision_functional_rotate(x, 45, .interpolation = "bilinear",
                                                                   .center = (double[]){2, 3}, .fill = {1, {0.5}})
           : IS("sharpness")         ? wk_adjust_sharpness(x, 1.9)
           : IS("posterize")         ? wk_posterize(x, 3)
           : IS("solarize")          ? wk_solarize(x, bytes ? 128 : 0.5)
           : IS("autocontrast")      ? wk_autocontrast(x)
           : IS("equalize")          ? wk_equalize(x)
                                     : NULL;
#undef IS
}

static void test_functions(void **state)
{
    (void)state;
    static const char *const names[] = {
        "hflip",     "vflip",     "pad",        "pad_fills",    "pad_edge",   "pad_reflect",   "pad_symmetric",
        "gray",      "gray_3",    "brightness", "contrast",     "saturation", "contrast_gray", "hue",
        "hue_back",  "blur",      "blur_3_7",   "rotate_30",    "rotate_90",  "rotate_fill",   "rotate_expand",
        "sharpness", "posterize", "solarize",   "autocontrast", "equalize",   "rotate_center", "rotate_270_expand"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int kind = 0; kind < 2; kind++)
            wk_scope
    {
        char full[96];
        snprintf(full, sizeof full, "function.%s.%s", names[i], KINDS[kind]);
        wk_tensor *x = answer("small");
        same(full, function_of(names[i], kind == 0 ? x : wk_div(x, 255)), answer("%s", full), kind == 0 ? 0 : 2e-6);
    }
    wk_scope
    {
        wk_module *pad = wk_vision_pad((3, 1, 2, 4), .fill = 0.25), *grey = wk_vision_grayscale(3);
        same("pad", wk_forward(pad, answer("small")), answer("function.pad.bytes"), 0);
        same("grayscale", wk_forward(grey, answer("small")), answer("function.gray_3.bytes"), 0);
        wk_module_free(pad);
        wk_module_free(grey);
    }
    assert_int_equal(failures, 0);
}

/* ---------------------------------------------------------------- by chance */

/* five draws in a row, from first (0: of bytes too) to last */
static void check_chance(const char *name, wk_module *transform, int first, int last)
{
    assert_non_null(transform);
    for (int kind = first; kind <= last; kind++) {
        wk_manual_seed(7);
        for (int i = 0; i < 5; i++)
            wk_scope
        {
            char full[96];
            snprintf(full, sizeof full, "chance.%s.%s.%d", name, KINDS[kind], i);
            wk_tensor *x = answer("small");
            same(full, wk_forward(transform, kind == 0 ? x : wk_div(x, 255)), answer("%s", full), kind == 0 ? 0 : 2e-6);
        }
    }
    wk_module_free(transform);
}

static wk_tensor *twice(void *context, wk_tensor *x) { return wk_mul(x, *(const double *)context); }

static void test_chance(void **state)
{
    (void)state;
    check_chance("horizontal_flip", wk_vision_random_horizontal_flip(), 0, 1);
    check_chance("vertical_flip", wk_vision_random_vertical_flip(0.3), 0, 1);
    check_chance("grayscale", wk_vision_random_grayscale(0.4), 0, 1);
    check_chance("crop", wk_vision_random_crop((7, 9)), 0, 0);
    check_chance("crop_padded", wk_vision_random_crop(10, .paddings = {2, {1, 3}}, .fill = 9), 0, 0);
    check_chance("crop_needed", wk_vision_random_crop((14, 10), .pad_if_needed = true, .padding_mode = "edge"), 0, 0);
    check_chance("resized_crop", wk_vision_random_resized_crop(8), 0, 1);
    check_chance("resized_crop_narrow", wk_vision_random_resized_crop((6, 9), .scale = {0.9, 1}, .ratio = {3, 4}), 0,
                 0);
    check_chance("jitter", wk_vision_color_jitter(0.4, 0.4, 0.4, 0.1), 0, 1);
    check_chance("jitter_some", wk_vision_color_jitter(.brightness_range = {0.5, 0.9}, .hue = 0.3), 0, 0);
    check_chance("blur", wk_vision_gaussian_blur(3), 0, 1);
    check_chance("rotation", wk_vision_random_rotation(40), 0, 1);
    check_chance("rotation_range",
                 wk_vision_random_rotation(.range = {10, 80}, .interpolation = "bilinear", .fill = {1, {100}}), 0, 0);
    check_chance("erasing", wk_vision_random_erasing(0.7), 0, 1);
    check_chance("erasing_value", wk_vision_random_erasing(1, .scale = {0.1, 0.4}, .value = {3, {0.1, 0.2, 0.3}}), 1,
                 1);
    check_chance("erasing_random", wk_vision_random_erasing(.p = 1, .random = true), 1, 1);
    check_chance("apply",
                 wk_vision_random_apply((wk_vision_random_horizontal_flip(), wk_vision_color_jitter(0.5)), .p = 0.6), 0,
                 0);
    wk_scope
    {
        wk_module *lambda = wk_vision_lambda(twice, &(double){2});
        same("lambda", wk_forward(lambda, answer("floats")), wk_mul(answer("floats"), 2), 0);
        wk_module_free(lambda);
    }
    assert_int_equal(failures, 0);
}

/* torchvision's answers come from kernels with fused products: without them a place between two bytes may be rounded to
   the other one */
static double rounding_of_bytes(void)
{
#ifdef __x86_64__
    const char *isa = getenv("WICK_ISA");
    if (__builtin_cpu_supports("fma") && !(isa && strcmp(isa, "baseline") == 0))
        return 0;
#endif
    return 1;
}

static void test_rand_augment(void **state)
{
    (void)state;
    const double bytes = rounding_of_bytes();
    wk_module *augment = wk_vision_rand_augment(3, 13);
    for (int kind = 0; kind < 2; kind++)
        for (int i = 0; i < (kind == 0 ? 40 : 12); i++)
            wk_scope
    {
        char full[96];
        snprintf(full, sizeof full, "rand_augment.%s.%d", KINDS[kind], i);
        wk_manual_seed((uint64_t)i);
        wk_tensor *x = answer("small");
        same(full, wk_forward(augment, kind == 0 ? x : wk_div(x, 255)), answer("%s", full),
             kind == 0 ? bytes : 2e-6);
    }
    wk_module_free(augment);
    assert_int_equal(failures, 0);
}

static void test_mixup(void **state)
{
    (void)state;
    static const char *const names[] = {"mixup", "mixup_small", "cutmix"};
    for (int kind = 0; kind < 3; kind++) {
        wk_manual_seed(11);
        for (int i = 0; i < 3; i++)
            wk_scope
        {
            char full[96];
            wk_sample batch = {.x = answer("batch"), .y = answer("batch_classes")};
            assert_true(kind == 2 ? wk_vision_cutmix(&batch, .num_classes = 5)
                                  : wk_vision_mixup(&batch, kind == 0 ? 1 : 0.3, .num_classes = 5));
            snprintf(full, sizeof full, "%s.%d", names[kind], i);
            same(full, batch.x, answer("%s.x", full), 1e-6);
            same(full, batch.y, answer("%s.y", full), 1e-6);
        }
    }
    assert_int_equal(failures, 0);
}

/* ---------------------------------------------------------------- boxes */

static void test_boxes(void **state)
{
    (void)state;
    static const char *const formats[] = {"xyxy", "xywh", "cxcywh"};
    wk_scope
    {
        wk_tensor *boxes = answer("boxes"), *whole = answer("whole_boxes"), *scores = answer("scores");
        for (int i = 0; i < 9; i++) {
            char name[64];
            snprintf(name, sizeof name, "box_convert.%s.%s", formats[i / 3], formats[i % 3]);
            same(name, wk_vision_box_convert(boxes, formats[i / 3], formats[i % 3]), answer("%s", name), 0);
        }
        same("box_area", wk_vision_box_area(boxes), answer("box_area"), 0);
        same("box_area.whole", wk_vision_box_area(whole), answer("box_area.whole"), 0);
        same("box_iou", wk_vision_box_iou(boxes, wk_narrow(boxes, 0, 0, 7)), answer("box_iou"), 0);
        same("box_iou.whole", wk_vision_box_iou(whole, wk_narrow(whole, 0, 0, 7)), answer("box_iou.whole"), 0);
        same("nms", wk_vision_nms(boxes, scores, 0.3), answer("nms"), 0);
        same("batched_nms", wk_vision_batched_nms(boxes, scores, answer("classes"), 0.3), answer("batched_nms"), 0);
        assert_int_equal(wk_numel(wk_vision_nms(wk_zeros((0, 4)), wk_zeros((0)), 0.5)), 0);
    }
    assert_int_equal(failures, 0);
}

static void test_drawing(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = answer("picture"), *some = answer("some_boxes");
        same("drawn", wk_vision_draw_bounding_boxes(x, some), answer("drawn"), 0);
        same("drawn_red_3", wk_vision_draw_bounding_boxes(x, some, .color = "red", .width = 3), answer("drawn_red_3"),
             0);
        same("drawn_filled",
             wk_vision_draw_bounding_boxes(x, some, .colors = (const char *[]){"red", "#00ff80", "orange", "blue"},
                                           .fill = true),
             answer("drawn_filled"), 0);
        same("drawn_floats",
             wk_vision_draw_bounding_boxes(wk_narrow(answer("floats"), 0, 0, 1), some, .color = "yellow"),
             answer("drawn_floats"), 1e-7);
        wk_tensor *labelled =
            wk_vision_draw_bounding_boxes(x, some, .labels = (const char *[]){"a", NULL, "b", "cat"}, .font_size = 8);
        assert_true(wk_item(wk_sum(wk_ne(labelled, answer("drawn")))) > 0);
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    if (read_answers("vision") != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_files, begin),   cmocka_unit_test_setup(test_sizes, begin),
        cmocka_unit_test_setup(test_values, begin),  cmocka_unit_test_setup(test_boxes, begin),
        cmocka_unit_test_setup(test_drawing, begin), cmocka_unit_test_setup(test_functions, begin),
        cmocka_unit_test_setup(test_chance, begin),  cmocka_unit_test_setup(test_rand_augment, begin),
        cmocka_unit_test_setup(test_mixup, begin),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wk_dict_free(answers);
    return failed;
}
