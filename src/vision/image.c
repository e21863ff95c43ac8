/* Pictures out of files and memory, whatever they are encoded as: torchvision.io.read_image, decode_image. */
#include <wick/vision.h>

#include <string.h>
#include <strings.h>

#include <wick/cast.h>
#include <wick/rearrange.h>
#include <wick/view.h>

#include "codec.h"
#include "core/host.h"
#include "core/text.h"
#include "io/file.h"

/* Red, green, blue of 16 pixels at a time: four times, the halves of 48 bytes are woven into each other, after which
   each byte is with its kind.  A loop byte by byte took a tenth of a photograph's time. */
typedef unsigned char sixteen __attribute__((vector_size(16)));
#define LOW_WITH_HIGH(a, b)                                                                                            \
    __builtin_shufflevector(a, b, 0, 24, 1, 25, 2, 26, 3, 27, 4, 28, 5, 29, 6, 30, 7, 31)
#define HIGH_WITH_LOW(a, b)                                                                                            \
    __builtin_shufflevector(a, b, 8, 16, 9, 17, 10, 18, 11, 19, 12, 20, 13, 21, 14, 22, 15, 23)

static void sixteen_pixels(const unsigned char *pixels, unsigned char *red, unsigned char *green, unsigned char *blue)
{
    sixteen a, b, c;
    memcpy(&a, pixels, 16);
    memcpy(&b, pixels + 16, 16);
    memcpy(&c, pixels + 32, 16);
    for (int round = 0; round < 4; round++) {
        const sixteen first = LOW_WITH_HIGH(a, b), second = HIGH_WITH_LOW(a, c), third = LOW_WITH_HIGH(b, c);
        a = first, b = second, c = third;
    }
    memcpy(red, &a, 16);
    memcpy(green, &b, 16);
    memcpy(blue, &c, 16);
}

void wk_planes_of_pixels(const unsigned char *pixels, unsigned char *planes, int64_t count, int64_t channels)
{
    int64_t done = 0;
    for (; channels == 3 && done + 16 <= count; done += 16)
        sixteen_pixels(pixels + 3 * done, planes + done, planes + count + done, planes + 2 * count + done);
    for (int64_t channel = 0; channel < channels; channel++)
        for (int64_t i = done; i < count; i++)
            planes[channel * count + i] = pixels[i * channels + channel];
}

static bool find_mode(const char *op, const char *name, wk_picture_mode *mode)
{
    static const struct {
        const char *name;
        wk_picture_mode mode;
    } modes[] = {{"unchanged", WK_PICTURE_UNCHANGED},
                 {"gray", WK_PICTURE_GREY},
                 {"grey", WK_PICTURE_GREY},
                 {"rgb", WK_PICTURE_RGB}};
    for (size_t i = 0; name && i < sizeof modes / sizeof *modes; i++)
        if (strcasecmp(name, modes[i].name) == 0) {
            *mode = modes[i].mode;
            return true;
        }
    return wk_fail(op, "mode: expected \"unchanged\", \"gray\" or \"rgb\", got \"%s\"",
                   name ? wk_shown(name, (wk_shown_text){0}) : "NULL");
}

/* as a camera held that way would have seen it upright */
static wk_tensor *upright(wk_tensor *x, int orientation)
{
    if (orientation >= 5)
        x = wk_transpose(x, -1, -2);
    const bool mirrored = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    const bool upside_down = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    if (mirrored && upside_down)
        return wk_flip(x, (-1, -2));
    return mirrored ? wk_flip(x, (-1)) : upside_down ? wk_flip(x, (-2)) : wk_contiguous(x);
}

static wk_tensor *decode(const wk_encoded *from, wk_picture_mode mode, bool turn)
{
    int orientation = 1;
    if (wk_is_png(from))
        return wk_png_decode(from, mode);
    wk_tensor *x = NULL;
    wk_scope
    {
        x = wk_jpeg_decode(from, mode, &orientation);
        x = wk_keep(x && turn && orientation > 1 ? upright(x, orientation) : x);
    }
    return x;
}

wk_tensor *wk_vision_read_image_with(wk_vision_read_image_args args)
{
    const char *const op = "read_image";
    wk_picture_mode mode;
    wk_file_map *map = find_mode(op, args.mode, &mode) ? wk_file_map_open(op, args.path) : NULL;
    if (!map)
        return NULL;
    wk_shown_text shown;
    const wk_encoded from = {.op = op, .name = wk_shown(args.path, shown), .bytes = map->bytes, .size = map->size};
    wk_tensor *x = wk_is_png(&from) || wk_is_jpeg(&from) ? decode(&from, mode, args.apply_exif_orientation)
                                                         : wk_file_is_no(op, args.path, "PNG or JPEG", map);
    wk_file_map_release(map);
    return x;
}

wk_tensor *wk_vision_decode_image_with(wk_vision_decode_image_args args)
{
    const char *const op = "decode_image";
    wk_picture_mode mode;
    WK_REQUIRE(op, args.input);
    if (args.input->dtype != wk_uint8 || args.input->ndim != 1)
        return wk_fail(op, "input: expected the bytes of a PNG or JPEG file, uint8 (n,), got %s %s",
                       wk_dtype_name(args.input->dtype), wk_shape_string(args.input));
    if (!find_mode(op, args.mode, &mode))
        return NULL;
    wk_tensor *x = NULL;
    wk_scope
    {
        wk_tensor *bytes = wk_contiguous(wk_to(args.input, wk_cpu));
        const wk_encoded from = {
            .op = op, .name = "input", .bytes = bytes ? wk_host(op, bytes) : NULL, .size = (size_t)args.input->numel};
        if (bytes && !wk_is_png(&from) && !wk_is_jpeg(&from))
            wk_fail(op, "input: expected the bytes of a PNG or JPEG file, got %zu others", from.size);
        else if (bytes)
            x = wk_keep(decode(&from, mode, args.apply_exif_orientation));
    }
    return x;
}
