/* Drawings, of which tests can only say that the right things are in their places. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

#include "plot/canvas.h"
#include "leaks.h"
#include "plots_from_afar.h"

static int64_t count_pixels(wk_tensor *picture, wk_colour colour)
{
    const int64_t plane = picture->shape[1] * picture->shape[2];
    const uint8_t *pixels = wk_data_ptr(picture);
    int64_t count = 0;
    for (int64_t i = 0; i < plane; i++)
        count += pixels[i] == colour.red && pixels[plane + i] == colour.green && pixels[2 * plane + i] == colour.blue;
    return count;
}

static void test_canvas(void **state)
{
    (void)state;
    const wk_colour white = {255, 255, 255}, black = {0, 0, 0};
    wk_scope
    {
        wk_canvas canvas;
        assert_true(wk_canvas_new(&canvas, "test", 60, 40, white));
        assert_int_equal(count_pixels(canvas.picture, white), 60 * 40);
        wk_canvas_rectangle(&canvas, -5, -5, 15, 10, black);
        wk_canvas_rectangle(&canvas, 55, 38, 100, 100, black);
        assert_int_equal(count_pixels(canvas.picture, black), 10 * 5 + 5 * 2);
        wk_canvas_rectangle(&canvas, 0, 0, 60, 40, white);
        wk_canvas_lines(&canvas, (double[]){-10, 20.5, 100, 20.5}, 2, 1, black);
        assert_int_equal(count_pixels(canvas.picture, black), 60);
        /* far away, not a number, and every character there is */
        wk_canvas_lines(&canvas, (double[]){-1e9, 0, 1e9, 0 / -1.0, (double)NAN, 3, 4, 5}, 4, 3, black);
        char text[300];
        for (int i = 1; i < 256; i++)
            text[i - 1] = (char)i;
        text[255] = '\0';
        wk_canvas_text(&canvas, -500, 20, text, (wk_text_style){.size = 14, .colour = black});
        wk_canvas_text(&canvas, 30, 500, text, (wk_text_style){.size = 14, .colour = black, .upwards = true});
        assert_true(wk_text_width("ii", 14) > 0 && wk_text_width("ii", 14) < wk_text_width("WW", 14));
        assert_true(wk_text_width("", 14) == 0);
    }
}

/* the same words across and turned by a quarter, pixel by pixel */
static void test_text_upwards(void **state)
{
    (void)state;
    const wk_colour white = {255, 255, 255}, black = {0, 0, 0};
    wk_scope
    {
        enum { SIDE = 64, X = 6, Y = 40, UP_X = 44, UP_Y = 60 };
        wk_canvas across, up;
        assert_true(wk_canvas_new(&across, "test", SIDE, SIDE, white) && wk_canvas_new(&up, "test", SIDE, SIDE, white));
        wk_canvas_text(&across, X, Y, "Ly3g", (wk_text_style){.size = 20, .colour = black});
        wk_canvas_text(&up, UP_X, UP_Y, "Ly3g", (wk_text_style){.size = 20, .colour = black, .upwards = true});
        const uint8_t *a = wk_data_ptr(across.picture), *b = wk_data_ptr(up.picture);
        int64_t dark = 0;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const int row = UP_Y + X - x - 1, column = UP_X - Y + y;
                if (row < 0 || row >= SIDE || column < 0 || column >= SIDE)
                    continue;
                assert_true(abs(a[y * SIDE + x] - b[row * SIDE + column]) <= 1);
                dark += a[y * SIDE + x] < 128;
            }
        assert_true(dark > 100);
    }
}

/* A picture seen from afar: the mean light of each cell as one of nine characters.  Drawings come from doubles, which
   compilers round in their own ways: a cell may be one step off. */
static const char LIGHT[] = "@#*+=-:. ";
static void check_seen_from_afar(wk_tensor *picture, int columns, const char *expected)
{
    const int64_t height = picture->shape[1], width = picture->shape[2], plane = height * width;
    const int64_t cell = (width + columns - 1) / columns, tall = 2 * cell, rows = (height + tall - 1) / tall;
    const uint8_t *pixels = wk_data_ptr(picture);
    char got[8192] = "";
    int64_t used = 0, off = 0;
    for (int64_t row = 0; row < rows; row++, got[used++] = '\n')
        for (int64_t column = 0; column < columns; column++) {
            int64_t sum = 0, count = 0;
            for (int64_t y = row * tall; y < height && y < (row + 1) * tall; y++)
                for (int64_t x = column * cell; x < width && x < (column + 1) * cell; x++, count++)
                    for (int64_t colour = 0; colour < 3; colour++) // each has a weight of its own
                        sum += (2 + colour * colour) * pixels[colour * plane + y * width + x];
            const double dark = count ? 1 - (double)sum / ((double)count * 11 * 255) : 0;
            const int64_t light = 8 - (int64_t)(8 * sqrt(dark)); // a thin line counts
            const char *there = *expected ? strchr(LIGHT, expected[used]) : NULL;
            off += !there || labs((there - LIGHT) - light) > 1;
            got[used++] = LIGHT[light];
        }
    if (off || expected[used]) {
        fprintf(stderr, "%s", got);
        fail_msg("%lld cells are off", (long long)off);
    }
}

static const char *const names[] = {"T-shirt/top", "Trouser", "a very long name of a class that must be cut off"};

static void test_plot_predictions(void **state)
{
    (void)state;
    const wk_colour right = {32, 134, 72}, wrong = {201, 42, 42};
    static const int64_t targets[] = {0, 1, 2, 0, 1}, predictions[] = {0, 1, 2, 0, 1}, mistaken[] = {1, 2, 0, 1, 2};
    wk_scope
    {
        wk_tensor *images = wk_rand((5, 1, 28, 28)), *y = wk_tensor((5), targets);
        wk_tensor *picture = wk_plot_predictions(images, y, wk_tensor((5), predictions), names, 3, .nrow = 3);
        assert_true(count_pixels(picture, right) > 5 * 1000 && count_pixels(picture, wrong) == 0);
        picture = wk_plot_predictions(wk_to(wk_mul(images, 255), wk_uint8), y, wk_tensor((5), mistaken), names, 3);
        assert_true(count_pixels(picture, wrong) > 5 * 1000 && count_pixels(picture, right) == 0);
        wk_error error;
        wk_try(&error) { assert_null(wk_plot_predictions(images, y, y, names, 2)); }
        assert_true(error.set && strstr(error.message, "targets: expected classes 0 .. 1, got 2"));
    }
}

static void test_plot_confusion_matrix(void **state)
{
    (void)state;
    static const int64_t targets[] = {0, 1, 2, 0, 1}, predictions[] = {0, 1, 2, 0, 0};
    wk_scope
    {
        wk_tensor *y = wk_tensor((5), targets), *p = wk_tensor((5), predictions);
        wk_tensor *picture = wk_plot_confusion_matrix(y, p, names, 3, .title = "Matrix");
        /* two full rows are as deep as it gets */
        assert_true(count_pixels(picture, (wk_colour){8, 48, 107}) > 2 * 50 * 50);
        wk_error error;
        wk_try(&error) { assert_null(wk_plot_confusion_matrix(y, wk_narrow(p, 0, 0, 4), names, 3)); }
        assert_true(error.set && strstr(error.message, "predictions: expected integers (5,)"));
        wk_try(&error) { assert_null(wk_plot_confusion_matrix(y, p)); }
        assert_true(error.set && strstr(error.message, "classes"));
    }
}

static void test_plot_curves(void **state)
{
    (void)state;
    static double x[200], y[200], flat[200];
    for (int i = 0; i < 200; i++) {
        x[i] = i;
        y[i] = i % 17 == 3 ? (double)NAN : 1.0 / (1 + i);
    }
    wk_scope
    {
        wk_tensor *picture =
            wk_plot_curves({.title = "loss",
                            .x_label = "step",
                            .y_label = "nats",
                            .curves = {{"training", x, y, 200, .smooth = true}}},
                           {.title = "accuracy", .percent = true, .curves = {{"test", x, flat, 3, .markers = true}}});
        assert_true(picture->shape[0] == 3 && picture->shape[2] == 1240);
        assert_true(count_pixels(picture, (wk_colour){28, 126, 214}) > 500);
        assert_non_null(wk_plot_curves({.title = "nothing yet"}));
        assert_non_null(
            wk_plot_curves({.curves = {{"one", x, y, 1, .markers = true}, {"large", x, x, 2, .smooth = true}}}));
        wk_error error;
        wk_try(&error) { assert_null(wk_plot_curves({.curves = {{.name = "none", .count = 3}}})); }
        assert_true(error.set && strstr(error.message, "expected x and y for each point of none"));
    }
}

static void test_all_seen_from_afar(void **state)
{
    (void)state;
    static const int64_t targets[] = {0, 1, 2, 0, 1}, predictions[] = {0, 1, 2, 0, 0};
    static int64_t many[1500], guesses[1500];
    for (int i = 0; i < 1500; i++)
        many[i] = i < 1250 ? 0 : 1, guesses[i] = i % 20 == 0 ? 2 : many[i];
    static double x[40], y[40], z[40];
    for (int i = 0; i < 40; i++) {
        x[i] = i;
        y[i] = i == 20 ? (double)NAN : 2.0 / (1 + 0.3 * i);
        z[i] = i / 50.0;
    }
    wk_scope
    {
        wk_tensor *images = wk_div(wk_reshape(wk_arange(5 * 28 * 28), (5, 1, 28, 28)), 5 * 28 * 28.0);
        wk_tensor *t = wk_tensor((5), targets), *p = wk_tensor((5), predictions);
        check_seen_from_afar(wk_plot_predictions(images, t, p, names, 3, .nrow = 3), 60, PREDICTIONS_AFAR);
        wk_tensor *rows = wk_tensor((1500), many), *columns = wk_tensor((1500), guesses);
        check_seen_from_afar(wk_plot_confusion_matrix(rows, columns, names, 3, .title = "Matrix"), 110, MATRIX_AFAR);
        check_seen_from_afar(
            wk_plot_curves({.title = "loss",
                            .x_label = "step",
                            .y_label = "nats",
                            .curves = {{"training", x, y, 40, .smooth = true}, {"test", x, z, 40, .markers = true}}},
                           {.title = "accuracy", .percent = true, .curves = {{"test", x, z, 40, .smooth = false}}}),
            100, CURVES_AFAR);
    }
}

/* every allocation fails in turn */
static void test_allocations_that_fail(void **state)
{
    (void)state;
    static const int64_t targets[] = {0, 1, 2, 0, 1};
    static double x[] = {1, 2, 3};
    for (int64_t n = 0, ended = 0; !ended; n++) {
        wk_error error;
        const int64_t before = wk_memory_get_stats().live_blocks;
        wk_memory_fail_after(n);
        wk_try(&error)
        {
            wk_scope
            {
                wk_tensor *y = wk_tensor((5), targets);
                wk_plot_predictions(wk_zeros((5, 2, 2)), y, y, names, 3, .scale = 4);
                wk_plot_confusion_matrix(y, y, names, 3);
                wk_plot_curves({.curves = {{"a", x, x, 3, .markers = true}}});
            }
        }
        ended = !error.set;
        wk_memory_fail_after(-1);
        assert_true(n < 5000);
        assert_int_equal(wk_memory_get_stats().live_blocks, before);
    }
}

int main(void)
{
    wk_scope
    {
        wk_rand((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {
        TEST(test_canvas),      TEST(test_text_upwards),      TEST(test_all_seen_from_afar),
        TEST(test_plot_predictions),      TEST(test_plot_confusion_matrix),
        TEST(test_plot_curves), TEST(test_allocations_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
