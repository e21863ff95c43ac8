/* Two pictures of what a classifier learned: test images with their predictions, and the confusion matrix. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/pointwise.h>
#include <wick/plot.h>

#include "canvas.h"
#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"

static const wk_colour white = {255, 255, 255}, ink = {33, 37, 41}, grey = {134, 142, 150}, faint = {222, 226, 230};
static const wk_colour right = {32, 134, 72}, wrong = {201, 42, 42}, deep_blue = {8, 48, 107}, blue = {49, 110, 182};

/* as much of text as fits into width, cut off with dots; returns buffer */
static const char *fitted(const char *text, double size, double width, char *buffer, size_t bytes)
{
    snprintf(buffer, bytes, "%s", text);
    size_t length = strlen(buffer);
    while (wk_text_width(buffer, size) > width && length > 1) {
        while (length > 0 && ((unsigned char)buffer[--length] & 0xC0) == 0x80)
            ;
        snprintf(buffer + length, bytes - length, "..");
    }
    return buffer;
}

/* 1234567 as 1,234,567 */
static const char *with_commas(int64_t number, char text[32])
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    int used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

/* contiguous int64 (N,) on the CPU, of the innermost scope; NULL after an error */
static const int64_t *labels_of(const char *op, const char *name, wk_tensor *x, int64_t count, int64_t classes)
{
    if (!wk_is_tensor(x))
        return wk_not_a_tensor(op, name, x);
    if (x->ndim != 1 || !wk_dtype_is_integral(x->dtype) || (count >= 0 && x->shape[0] != count))
        return wk_fail(op, "%s: expected integers (%lld,), a class for each, got %s %s", name,
                       (long long)(count >= 0 ? count : x->numel), wk_dtype_name(x->dtype), wk_shape_string(x));
    wk_tensor *dense = wk_contiguous(wk_to(wk_to(x, wk_cpu), wk_int64));
    const int64_t *labels = dense ? wk_host(op, dense) : NULL;
    for (int64_t i = 0; labels && i < x->numel; i++)
        if (labels[i] < 0 || labels[i] >= classes)
            return wk_fail(op, "%s: expected classes 0 .. %lld, got %lld", name, (long long)classes - 1,
                           (long long)labels[i]);
    return labels;
}

static bool check_classes(const char *op, const char *const *classes, int64_t count)
{
    if (!classes || count < 1)
        return wk_fail(op, "classes, class_count: expected the classes' names and how many they are");
    return true;
}

/* ---------------------------------------------------------------- predictions */

typedef struct tile {
    const wk_plot_predictions_args *args;
    const uint8_t *images; // (N, C, H, W)
    int64_t channels, height, width, scale;
} tile;

/* a tick or a cross, size pixels wide, its corner at (x, y) */
static void draw_mark(wk_canvas *canvas, double x, double y, double size, bool good)
{
    const double s = size, line = size * 0.2;
    if (good)
        wk_canvas_lines(canvas, (double[]){x, y + 0.55 * s, x + 0.35 * s, y + 0.9 * s, x + s, y + 0.1 * s}, 3, line,
                        right);
    else {
        wk_canvas_lines(canvas, (double[]){x + 0.1 * s, y + 0.1 * s, x + 0.9 * s, y + 0.9 * s}, 2, line, wrong);
        wk_canvas_lines(canvas, (double[]){x + 0.9 * s, y + 0.1 * s, x + 0.1 * s, y + 0.9 * s}, 2, line, wrong);
    }
}

static void draw_image(wk_canvas *canvas, const tile *t, int64_t n, int64_t left, int64_t top)
{
    const int64_t plane = t->height * t->width;
    const uint8_t *image = t->images + n * t->channels * plane;
    for (int64_t y = 0; y < t->height; y++)
        for (int64_t x = 0; x < t->width; x++) {
            const uint8_t *pixel = image + y * t->width + x;
            const wk_colour colour = {pixel[0], pixel[t->channels == 3 ? plane : 0],
                                      pixel[t->channels == 3 ? 2 * plane : 0]};
            wk_canvas_rectangle(canvas, left + x * t->scale, top + y * t->scale, t->scale, t->scale, colour);
        }
}

/* the image in its frame, and under it the mark, the predicted class and, where that is wrong, the true one */
static void draw_tile(wk_canvas *canvas, const tile *t, int64_t n, int64_t left, int64_t top, int64_t target,
                      int64_t predicted)
{
    const bool good = target == predicted;
    const wk_colour colour = good ? right : wrong;
    const int64_t width = t->width * t->scale, height = t->height * t->scale;
    const double size = 14, mark = 10;
    char text[80], caption[96];
    wk_canvas_rectangle(canvas, left - 3, top - 3, width + 6, height + 6, colour);
    draw_image(canvas, t, n, left, top);
    fitted(t->args->classes[predicted], size, (double)width - mark - 5, text, sizeof text);
    const double whole = mark + 5 + wk_text_width(text, size), begin = (double)left + ((double)width - whole) / 2;
    const double line = (double)(top + height) + 20;
    draw_mark(canvas, begin, line - mark, mark, good);
    wk_canvas_text(canvas, begin + mark + 5, line, text, (wk_text_style){.size = size, .colour = colour, .bold = true});
    if (good)
        return;
    snprintf(caption, sizeof caption, "is %s", t->args->classes[target]);
    wk_canvas_text(canvas, (double)left + (double)width / 2, line + 18,
                   fitted(caption, 13, (double)width + 8, text, sizeof text),
                   (wk_text_style){.size = 13, .colour = ink, .align = WK_CENTRE});
}

static wk_tensor *draw_predictions(const char *op, const wk_plot_predictions_args *args)
{
    wk_tensor *images = args->images;
    if (wk_dtype_is_floating(images->dtype))
        images = wk_to(wk_clamp(wk_add(wk_mul(images, 255), 0.5), 0, 255), wk_uint8);
    images = wk_contiguous(wk_to(images, wk_cpu));
    if (!images)
        return NULL;
    const int64_t count = images->shape[0];
    const int64_t *targets = labels_of(op, "targets", args->targets, count, args->class_count);
    const int64_t *predictions =
        targets ? labels_of(op, "predictions", args->predictions, count, args->class_count) : NULL;
    if (!predictions)
        return NULL;
    tile t = {.args = args,
              .images = wk_host(op, images),
              .channels = images->ndim == 4 ? images->shape[1] : 1,
              .height = images->shape[images->ndim - 2],
              .width = images->shape[images->ndim - 1]};
    const int64_t larger = t.height > t.width ? t.height : t.width;
    t.scale = args->scale > 0 ? args->scale : larger < 112 ? 112 / larger : 1;

    const int64_t columns = args->nrow < count ? args->nrow : count, rows = (count + columns - 1) / columns;
    const int64_t gap = 18, margin = 28, caption = 44, head = 56;
    const int64_t step_x = t.width * t.scale + gap, step_y = t.height * t.scale + caption + gap;
    wk_canvas canvas;
    if (!wk_canvas_new(&canvas, op, 2 * margin + columns * step_x - gap, head + margin + rows * step_y - gap, white))
        return NULL;
    int64_t good = 0;
    for (int64_t i = 0; i < count; i++) {
        good += targets[i] == predictions[i];
        draw_tile(&canvas, &t, i, margin + i % columns * step_x, head + i / columns * step_y, targets[i],
                  predictions[i]);
    }
    char summary[64], first[32], second[32];
    snprintf(summary, sizeof summary, "%s of %s right", with_commas(good, first), with_commas(count, second));
    wk_canvas_text(&canvas, (double)margin - 3, 34, args->title ? args->title : "Predictions",
                   (wk_text_style){.size = 20, .colour = ink, .bold = true});
    wk_canvas_text(&canvas, (double)(canvas.width - margin) + 3, 34, summary,
                   (wk_text_style){.size = 17, .colour = grey, .align = WK_RIGHT});
    return canvas.picture;
}

wk_tensor *wk_plot_predictions_with(wk_plot_predictions_args args)
{
    const char *const op = "plot_predictions";
    WK_REQUIRE(op, args.images);
    const wk_tensor *images = args.images;
    const int64_t channels = images->ndim == 4 ? images->shape[1] : 1;
    if (images->ndim < 3 || images->ndim > 4 || (channels != 1 && channels != 3) || images->numel == 0 ||
        (images->dtype != wk_uint8 && !wk_dtype_is_floating(images->dtype)))
        return wk_fail(op, "images: expected uint8 or floats (N, H, W) or (N, C, H, W) with 1 or 3 channels, got %s %s",
                       wk_dtype_name(images->dtype), wk_shape_string(images));
    if (!check_classes(op, args.classes, args.class_count))
        return NULL;
    if (args.nrow < 1 || args.scale < 0 || args.scale > 64)
        return wk_fail(op, "nrow, scale: expected 1 or more and 0 to 64, got %lld and %lld", (long long)args.nrow,
                       (long long)args.scale);
    wk_tensor *picture = NULL;
    wk_scope
    {
        picture = wk_keep(draw_predictions(op, &args));
    }
    return picture;
}

/* ---------------------------------------------------------------- confusion matrix */

typedef struct matrix {
    const int64_t *counts; // (classes, classes): true, predicted
    int64_t classes, cell, left, top;
    const char *const *names;
} matrix;

/* white to blue to deep blue */
static wk_colour shade(double part)
{
    return part < 0.5 ? wk_mix(white, blue, 2 * part) : wk_mix(blue, deep_blue, 2 * part - 1);
}

static void draw_cells(wk_canvas *canvas, const matrix *m)
{
    for (int64_t row = 0; row < m->classes; row++) {
        int64_t sum = 0;
        for (int64_t column = 0; column < m->classes; column++)
            sum += m->counts[row * m->classes + column];
        for (int64_t column = 0; column < m->classes; column++) {
            const int64_t count = m->counts[row * m->classes + column];
            const double part = sum > 0 ? (double)count / (double)sum : 0;
            const int64_t x = m->left + column * m->cell, y = m->top + row * m->cell;
            const double shown = sqrt(part); // mistakes are rare: spread them over the lighter half
            wk_canvas_rectangle(canvas, x + 1, y + 1, m->cell - 2, m->cell - 2, shade(shown));
            char text[32];
            if (m->cell >= 34)
                wk_canvas_text(canvas, (double)x + (double)m->cell / 2, (double)y + (double)m->cell / 2 + 5,
                               with_commas(count, text),
                               (wk_text_style){.size = 14,
                                               .align = WK_CENTRE,
                                               .bold = row == column,
                                               .colour = count == 0    ? wk_mix(white, grey, 0.6)
                                                         : shown > 0.4 ? white
                                                                       : ink});
        }
    }
}

static void draw_names(wk_canvas *canvas, const matrix *m, bool upwards)
{
    char text[80];
    for (int64_t i = 0; i < m->classes; i++) {
        const double middle = (double)(i * m->cell) + (double)m->cell / 2;
        wk_text_style style = {.size = 14, .colour = ink, .align = WK_RIGHT};
        wk_canvas_text(canvas, (double)m->left - 10, (double)m->top + middle + 5,
                       fitted(m->names[i], 14, (double)m->left - 50, text, sizeof text), style);
        style.align = upwards ? WK_RIGHT : WK_CENTRE;
        style.upwards = upwards;
        const double under = (double)(m->top + m->classes * m->cell);
        if (upwards)
            wk_canvas_text(canvas, (double)m->left + middle + 5, under + 10, text, style);
        else
            wk_canvas_text(canvas, (double)m->left + middle, under + 22, text, style);
    }
}

/* how a part of a row is shaded, beside the matrix */
static void draw_scale(wk_canvas *canvas, const matrix *m)
{
    const int64_t x = m->left + m->classes * m->cell + 26, width = 18, height = m->classes * m->cell;
    for (int64_t y = 0; y < height; y++)
        wk_canvas_rectangle(canvas, x, m->top + y, width, 1, shade(sqrt(1 - (double)y / (double)(height - 1))));
    wk_canvas_frame(canvas, x, m->top, width, height, 1, faint);
    for (int i = 0; i <= 4; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d%%", 25 * i);
        const double y = (double)m->top + (1 - i / 4.0) * (double)(height - 1);
        wk_canvas_text(canvas, (double)(x + width) + 8,
                       y + (i == 4   ? 10
                            : i == 0 ? 0
                                     : 5),
                       text, (wk_text_style){.size = 13, .colour = grey});
    }
}

static wk_tensor *draw_matrix(const char *op, const wk_plot_confusion_matrix_args *args, const int64_t *counts)
{
    const int64_t classes = args->class_count;
    double widest = 0;
    int64_t good = 0, all = 0;
    for (int64_t i = 0; i < classes * classes; i++) {
        all += counts[i];
        good += i % classes == i / classes ? counts[i] : 0;
    }
    for (int64_t i = 0; i < classes; i++)
        widest = fmax(widest, wk_text_width(args->classes[i], 14));
    widest = fmin(widest, 220);
    const int64_t named = widest < 52 ? 62 : widest < 84 ? (int64_t)widest + 10 : 62; // names stand under their columns
    const int64_t cell = classes <= 12 ? named : classes <= 24 ? 44 : classes <= 60 ? 20 : 10;
    const bool upwards = widest + 6 > (double)cell;
    matrix m = {.counts = counts,
                .classes = classes,
                .cell = cell,
                .left = 62 + (int64_t)widest,
                .top = 64,
                .names = args->classes};
    const int64_t side = classes * cell, under = upwards ? (int64_t)widest + 20 : 32;
    const int64_t height = m.top + side + under + 44, width = m.left + side + 110;
    wk_canvas canvas;
    if (!wk_canvas_new(&canvas, op, width < 420 ? 420 : width, height, white))
        return NULL;
    wk_canvas_rectangle(&canvas, m.left, m.top, side, side, faint);
    draw_cells(&canvas, &m);
    draw_names(&canvas, &m, upwards);
    draw_scale(&canvas, &m);

    WK_PLAIN_NUMBERS;
    char summary[96], first[32], second[32];
    snprintf(summary, sizeof summary, "%s of %s right, %.1f%%", with_commas(good, first), with_commas(all, second),
             all > 0 ? 100.0 * (double)good / (double)all : 0);
    wk_canvas_text(&canvas, (double)m.left, 30, args->title ? args->title : "Confusion matrix",
                   (wk_text_style){.size = 20, .colour = ink, .bold = true});
    wk_canvas_text(&canvas, (double)m.left, 53, summary, (wk_text_style){.size = 15, .colour = grey});
    const wk_text_style axis = {.size = 15, .colour = grey, .align = WK_CENTRE};
    wk_text_style up = axis;
    up.upwards = true;
    wk_canvas_text(&canvas, (double)m.left + (double)side / 2, (double)(m.top + side + under) + 26, "predicted class",
                   axis);
    wk_canvas_text(&canvas, 26, (double)m.top + (double)side / 2, "true class", up);
    return canvas.picture;
}

wk_tensor *wk_plot_confusion_matrix_with(wk_plot_confusion_matrix_args args)
{
    const char *const op = "plot_confusion_matrix";
    if (!check_classes(op, args.classes, args.class_count))
        return NULL;
    if (args.class_count > 400)
        return wk_fail(op, "class_count: expected at most 400, got %lld", (long long)args.class_count);
    wk_tensor *picture = NULL;
    wk_scope
    {
        const int64_t *targets = labels_of(op, "targets", args.targets, -1, args.class_count);
        const int64_t *predictions =
            targets ? labels_of(op, "predictions", args.predictions, args.targets->numel, args.class_count) : NULL;
        const size_t bytes = (size_t)(args.class_count * args.class_count) * sizeof(int64_t);
        int64_t *counts = predictions ? wk_alloc_zeroed(bytes) : NULL;
        if (predictions && !counts)
            wk_out_of_memory(op, bytes);
        for (int64_t i = 0; counts && i < args.targets->numel; i++)
            counts[targets[i] * args.class_count + predictions[i]]++;
        picture = counts ? wk_keep(draw_matrix(op, &args, counts)) : NULL;
        wk_free(counts);
    }
    return picture;
}
