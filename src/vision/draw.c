/* Boxes drawn into pictures: torchvision.utils.draw_bounding_boxes, pixel for pixel but for the letters. */
#include <wick/vision.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <wick/cast.h>
#include <wick/pointwise.h>
#include <wick/view.h>

#include "core/error_internal.h"
#include "core/host.h"
#include "core/text.h"
#include "plot/canvas.h"

static const char OP[] = "draw_bounding_boxes";
#define MOST 1000000000 // far outside is outside: the sums of corners and widths do not overflow

static const struct {
    const char *name;
    wk_colour colour;
} named[] = {
    {"black", {0, 0, 0}},        {"white", {255, 255, 255}}, {"gray", {128, 128, 128}},  {"grey", {128, 128, 128}},
    {"silver", {192, 192, 192}}, {"red", {255, 0, 0}},       {"maroon", {128, 0, 0}},    {"orange", {255, 165, 0}},
    {"yellow", {255, 255, 0}},   {"olive", {128, 128, 0}},   {"lime", {0, 255, 0}},      {"green", {0, 128, 0}},
    {"cyan", {0, 255, 255}},     {"aqua", {0, 255, 255}},    {"teal", {0, 128, 128}},    {"blue", {0, 0, 255}},
    {"navy", {0, 0, 128}},       {"magenta", {255, 0, 255}}, {"fuchsia", {255, 0, 255}}, {"purple", {128, 0, 128}}};

static bool find_colour(const char *text, wk_colour *colour)
{
    for (size_t i = 0; text && i < sizeof named / sizeof *named; i++)
        if (strcasecmp(text, named[i].name) == 0) {
            *colour = named[i].colour;
            return true;
        }
    unsigned red, green, blue;
    if (text && strlen(text) == 7 && strspn(text + 1, "0123456789abcdefABCDEF") == 6 &&
        sscanf(text, "#%2x%2x%2x", &red, &green, &blue) == 3) {
        *colour = (wk_colour){(uint8_t)red, (uint8_t)green, (uint8_t)blue};
        return true;
    }
    return wk_fail(OP, "color: expected a name, \"red\", or \"#rrggbb\", got \"%s\"",
                   text ? wk_shown(text, (wk_shown_text){0}) : "NULL");
}

/* of box i, where the caller gives none */
static wk_colour of_palette(int64_t i)
{
    return (wk_colour){(uint8_t)(i % 255 * ((1 << 25) - 1) % 255), (uint8_t)(i % 255 * ((1 << 15) - 1) % 255),
                       (uint8_t)(i % 255 * ((1 << 21) - 1) % 255)};
}

/* a column of pixels from y to end, which is not one of them; end may be above */
static void upright_line(wk_canvas *canvas, int64_t x, int64_t y, int64_t end, wk_colour colour)
{
    wk_canvas_rectangle(canvas, x, y < end ? y : end + 1, 1, y < end ? end - y : y - end, colour);
}

static uint8_t over(uint8_t below, uint8_t above, int alpha)
{
    const int sum = below * (255 - alpha) + above * alpha + 128;
    return (uint8_t)((sum / 256 + sum) / 256);
}

static void tint(wk_canvas *canvas, const int64_t *box, wk_colour colour)
{
    const int64_t plane = canvas->width * canvas->height;
    for (int64_t y = box[1] > 0 ? box[1] : 0; y <= box[3] && y < canvas->height; y++)
        for (int64_t x = box[0] > 0 ? box[0] : 0; x <= box[2] && x < canvas->width; x++) {
            uint8_t *pixel = canvas->pixels + y * canvas->width + x;
            pixel[0] = over(pixel[0], colour.red, 100);
            pixel[plane] = over(pixel[plane], colour.green, 100);
            pixel[2 * plane] = over(pixel[2 * plane], colour.blue, 100);
        }
}

static bool draw(wk_canvas *canvas, const wk_vision_draw_bounding_boxes_args *args, const int64_t *boxes, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const int64_t *box = boxes + 4 * i, width = args->width;
        const char *name = args->colors ? args->colors[i] : args->color;
        wk_colour colour = of_palette(i);
        if ((args->colors || args->color) && !find_colour(name, &colour))
            return false;
        if (args->fill)
            tint(canvas, box, colour);
        wk_canvas_rectangle(canvas, box[0], box[1], box[2] - box[0] + 1, width, colour);
        wk_canvas_rectangle(canvas, box[0], box[3] - width + 1, box[2] - box[0] + 1, width, colour);
        for (int64_t line = 0; line < width; line++) { // as Pillow draws them: of a small box they stick out
            upright_line(canvas, box[2] - line, box[1] + width, box[3] - width + 1, colour);
            upright_line(canvas, box[0] + line, box[1] + width, box[3] - width + 1, colour);
        }
        if (args->labels && args->labels[i])
            wk_canvas_text(canvas, (double)(box[0] + width + 2), (double)(box[1] + width + 1) + 0.8 * args->font_size,
                           args->labels[i], (wk_text_style){.size = args->font_size, .colour = colour});
    }
    return true;
}

static bool check(const wk_vision_draw_bounding_boxes_args *args)
{
    const wk_tensor *image = args->image, *boxes = args->boxes;
    WK_REQUIRE(OP, image);
    WK_REQUIRE(OP, boxes);
    if ((image->dtype != wk_uint8 && !wk_dtype_is_floating(image->dtype)) || image->ndim != 3 ||
        (image->shape[0] != 1 && image->shape[0] != 3))
        return wk_fail(OP, "image: expected uint8 or floating (3, H, W) or (1, H, W), got %s %s",
                       wk_dtype_name(image->dtype), wk_shape_string(image));
    if (boxes->ndim != 2 || boxes->shape[1] != 4 || wk_is_complex(boxes))
        return wk_fail(OP, "boxes: expected (N, 4), got %s %s", wk_dtype_name(boxes->dtype), wk_shape_string(boxes));
    if (args->width < 1 || args->width > 1 << 20 || !(args->font_size > 0 && args->font_size < 1e6))
        return wk_fail(OP, "width, font_size: expected 1 or more and more than 0, got %lld and %g",
                       (long long)args->width, args->font_size);
    return true;
}

static bool check_corners(const int64_t *boxes, int64_t count)
{
    for (int64_t i = 0; i < count; i++, boxes += 4)
        if (boxes[0] > boxes[2] || boxes[1] > boxes[3] || boxes[0] < -MOST || boxes[1] < -MOST) // of NaN: the least
            return wk_fail(OP,
                           "boxes: expected xmin, ymin, xmax, ymax, got %lld, %lld, %lld, %lld of box %lld\nhint: "
                           "wk_vision_box_convert(boxes, \"xywh\", \"xyxy\")",
                           (long long)boxes[0], (long long)boxes[1], (long long)boxes[2], (long long)boxes[3],
                           (long long)i);
    return true;
}

wk_tensor *wk_vision_draw_bounding_boxes_with(wk_vision_draw_bounding_boxes_args args)
{
    WK_NAMES_ERRORS("draw_bounding_boxes");
    if (!check(&args))
        return NULL;
    wk_tensor *y = NULL;
    const bool floats = args.image->dtype != wk_uint8;
    wk_scope
    {
        wk_tensor *image = wk_to(args.image, wk_cpu);
        image = wk_expand(floats ? wk_to(wk_mul(image, 255 + 1.0 - 1e-3), wk_uint8) : image, (3, -1, -1));
        image = wk_contiguous(wk_clone(image));
        wk_tensor *boxes = wk_contiguous(wk_to(wk_clamp(wk_to(args.boxes, wk_cpu), -MOST, MOST), wk_int64));
        if (image && boxes && check_corners(wk_host(OP, boxes), boxes->shape[0])) {
            wk_canvas canvas = {
                .picture = image, .pixels = wk_host(OP, image), .width = image->shape[2], .height = image->shape[1]};
            if (draw(&canvas, &args, wk_host(OP, boxes), boxes->shape[0]))
                y = floats ? wk_mul(wk_to(image, args.image->dtype), 1.0 / 255) : image;
        }
        y = wk_keep(y ? wk_to(y, args.image->device) : NULL);
    }
    return y;
}
