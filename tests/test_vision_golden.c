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

static wk_dict *golden;
static int failures;

static wk_tensor *answer(const char *format, ...)
{
    char name[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    wk_tensor *x = wk_dict_get(golden, name);
    if (!x)
        fail_msg("no %s in the golden file", name);
    return x;
}

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
        for (int mode = strcmp(files[i], "png_palette") == 0 ? 1 : 0; mode < 3; mode++)
            wk_scope
    {
        char name[64];
        snprintf(name, sizeof name, "%s as %s", files[i], modes[mode]);
        wk_tensor *x = wk_vision_decode_image(answer("file.%s", files[i]), .mode = modes[mode]);
        same(name, x, answer("decoded.%s.%s", files[i], modes[mode]), 0);
    }
    for (int orientation = 1; orientation <= 8; orientation++)
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
    golden = wk_safetensors_load_file(WICK_GOLDEN "/vision.safetensors");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_files, begin),   cmocka_unit_test_setup(test_sizes, begin),
        cmocka_unit_test_setup(test_values, begin),  cmocka_unit_test_setup(test_boxes, begin),
        cmocka_unit_test_setup(test_drawing, begin),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wk_dict_free(golden);
    return failed;
}
