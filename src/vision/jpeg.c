/* JPEG files by libjpeg-turbo's TurboJPEG, loaded at the first one.

   A file is not believed: its markers are walked before libjpeg sees it.  What has no end is cut off (libjpeg would
   fill it up with grey); the size that its header tells is held against its length: of 64 pixels at least one component
   has a bit, and of subsampled ones no more than every sixteenth pixel, so more than 1024 pixels are not in a byte; and
   a picture of very many scans, each of which costs as much time as the whole, is refused. */
#include <wick/vision.h>

#include <stdio.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/view.h>

#include "codec.h"
#include "core/alloc.h"
#include "core/host.h"
#include "core/library.h"
#include "io/file.h"

bool wk_is_jpeg(const wk_encoded *from) { return from->size >= 3 && memcmp(from->bytes, "\xff\xd8\xff", 3) == 0; }

#ifdef WICK_HAVE_JPEG

#include <turbojpeg.h>

#define MOST_PACKED 1040
#define MOST_SIDE 65500
#define MOST_SCANS 100

static tjhandle (*init_decompress)(void);
static tjhandle (*init_compress)(void);
static int (*decompress_header)(tjhandle, const unsigned char *, unsigned long, int *, int *, int *, int *);
static int (*decompress)(tjhandle, const unsigned char *, unsigned long, unsigned char *, int, int, int, int, int);
static int (*compress)(tjhandle, const unsigned char *, int, int, int, int, unsigned char **, unsigned long *, int, int,
                       int);
static int (*destroy)(tjhandle);
static void (*free_buffer)(unsigned char *);
static char *(*error_text)(tjhandle);
static int (*error_code)(tjhandle);

static wk_library turbojpeg = {.file = "libturbojpeg.so.0",
                               .package = "libturbojpeg0",
                               .functions = {{"tjInitDecompress", &init_decompress},
                                             {"tjInitCompress", &init_compress},
                                             {"tjDecompressHeader3", &decompress_header},
                                             {"tjDecompress2", &decompress},
                                             {"tjCompress2", &compress},
                                             {"tjDestroy", &destroy},
                                             {"tjFree", &free_buffer},
                                             {"tjGetErrorStr2", &error_text},
                                             {"tjGetErrorCode", &error_code}}};

/* ---------------------------------------------------------------- the walk over a file's markers */

typedef struct jpeg_header {
    int64_t height, width;
    int components, scans, orientation;
} jpeg_header;

static unsigned in_order(const unsigned char *bytes, int count, bool low_first)
{
    unsigned value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[low_first ? count - 1 - i : i];
    return value;
}

/* of an APP1 segment: "Exif", then TIFF: 42, where the first directory is, its entries of 12 bytes each */
static int orientation_of(const unsigned char *bytes, size_t size)
{
    if (size < 14 || memcmp(bytes, "Exif\0\0", 6) != 0)
        return 1;
    const unsigned char *tiff = bytes + 6;
    size -= 6;
    const bool low_first = tiff[0] == 'I';
    const size_t directory = in_order(tiff + 4, 4, low_first);
    if (in_order(tiff + 2, 2, low_first) != 42 || directory > size - 2)
        return 1;
    const size_t entries = in_order(tiff + directory, 2, low_first);
    for (size_t i = 0; i < entries && directory + 2 + 12 * (i + 1) <= size; i++) {
        const unsigned char *entry = tiff + directory + 2 + 12 * i;
        const unsigned value = in_order(entry + 8, 2, low_first);
        if (in_order(entry, 2, low_first) == 0x112)
            return in_order(entry + 2, 2, low_first) == 3 && value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

static bool is_frame(int marker)
{
    return (marker & 0xF0) == 0xC0 && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* the next marker at or behind `at`, which ends up behind it; 0: there is none.  Behind a scan, what is stuffed into
   its data and its restarts are passed over. */
static int next_marker(const wk_encoded *from, size_t *at, bool in_scan)
{
    while (*at < from->size) {
        const unsigned char *found = memchr(from->bytes + *at, 0xFF, from->size - *at);
        if (!found)
            break;
        *at = (size_t)(found - from->bytes);
        while (*at < from->size && from->bytes[*at] == 0xFF)
            (*at)++;
        const int marker = *at < from->size ? from->bytes[(*at)++] : 0;
        if (marker != 0 && !(in_scan && marker >= 0xD0 && marker <= 0xD7))
            return marker;
    }
    return 0;
}

static bool walk(const wk_encoded *from, jpeg_header *header)
{
    *header = (jpeg_header){.orientation = 1};
    bool in_scan = false;
    for (size_t at = 2;;) {
        const int marker = next_marker(from, &at, in_scan);
        if (marker == 0xD9)
            return true;
        const size_t length = from->size - at >= 2 ? in_order(from->bytes + at, 2, false) : 0;
        const bool alone = marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
        if (marker == 0 || (!alone && (length < 2 || length > from->size - at)))
            return wk_fail(from->op, "%s: the file is cut off", from->name);
        if (alone)
            continue;
        const unsigned char *segment = from->bytes + at + 2;
        if (is_frame(marker) && length >= 8 && header->components == 0) {
            header->height = in_order(segment + 1, 2, false);
            header->width = in_order(segment + 3, 2, false);
            header->components = segment[5];
        } else if (marker == 0xE1 && header->orientation == 1)
            header->orientation = orientation_of(segment, length - 2);
        in_scan = marker == 0xDA;
        header->scans += in_scan;
        at += length;
    }
}

static bool check_header(const wk_encoded *from, const jpeg_header *header)
{
    if (header->components == 0 || header->scans == 0)
        return wk_fail(from->op, "%s: there is no picture in this JPEG file", from->name);
    if (header->height == 0 || header->width == 0 || header->height > MOST_SIDE || header->width > MOST_SIDE)
        return wk_fail(from->op, "%s: expected 1 to %d pixels a side, got %lld x %lld", from->name, MOST_SIDE,
                       (long long)header->width, (long long)header->height);
    if ((size_t)(header->height * header->width) / MOST_PACKED > from->size)
        return wk_fail(from->op, "%s: its header tells of more pixels than the file can hold", from->name);
    if (header->scans > MOST_SCANS)
        return wk_fail(from->op, "%s: expected at most %d scans, got %d", from->name, MOST_SCANS, header->scans);
    if (header->components != 1 && header->components != 3 && header->components != 4)
        return wk_fail(from->op, "%s: expected 1, 3 or 4 components, got %d", from->name, header->components);
    return true;
}

/* ---------------------------------------------------------------- reading */

/* k (255 - c) / 255 less than k, rounded, as Pillow and torchvision have it: inks are stored as light, 255 is none */
static unsigned char of_ink(unsigned char k, unsigned char ink)
{
    const int product = k * (255 - ink) + 128;
    return (unsigned char)(k - ((product / 256 + product) / 256));
}

/* cyan, magenta, yellow, black of each pixel to planes of red, green, blue, or to one of grey */
static void planes_of_inks(const unsigned char *inks, unsigned char *planes, int64_t count, int64_t channels)
{
    for (int64_t i = 0; i < count; i++, inks += 4) {
        const unsigned char red = of_ink(inks[3], inks[0]), green = of_ink(inks[3], inks[1]),
                            blue = of_ink(inks[3], inks[2]);
        if (channels == 1)
            planes[i] = (unsigned char)((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
        else {
            planes[i] = red;
            planes[count + i] = green;
            planes[2 * count + i] = blue;
        }
    }
}

/* TurboJPEG calls an error that follows a warning one, too: the text tells */
static bool is_warning(const char *text)
{
    static const char *const begins[] = {"Corrupt JPEG data", "Inconsistent progression", "Invalid SOS parameters",
                                         "Unknown Adobe color transform", "Warning: unknown JFIF revision"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (strncmp(text, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

/* false after an error.  Of what libjpeg only warns of (a broken stretch of data becomes grey) the want of data alone
   is one, as in torchvision. */
static bool decode_into(const wk_encoded *from, const jpeg_header *header, unsigned char *pixels, int format)
{
    tjhandle handle = init_decompress();
    if (!handle)
        return wk_out_of_memory(from->op, 0);
    int width = 0, height = 0, sampling, colours;
    decompress_header(handle, from->bytes, from->size, &width, &height, &sampling, &colours); // odd samplings fail here
    bool good = width == header->width && height == header->height;
    if (!good)
        wk_fail(from->op, "%s: %s", from->name, error_text(handle));
    else if (decompress(handle, from->bytes, from->size, pixels, width, 0, height, format, 0) != 0) {
        const char *text = error_text(handle);
        good = error_code(handle) == TJERR_WARNING && is_warning(text);
        if (!good)
            wk_fail(from->op, "%s: %s", from->name, text);
    }
    destroy(handle);
    return good;
}

wk_tensor *wk_jpeg_decode(const wk_encoded *from, wk_picture_mode mode, int *orientation)
{
    jpeg_header header;
    if (!wk_library_load(from->op, &turbojpeg) || !walk(from, &header) || !check_header(from, &header))
        return NULL;
    *orientation = header.orientation;
    const int64_t stored = header.components == 4 || (header.components == 3 && mode != WK_PICTURE_GREY)
                               ? header.components
                           : mode == WK_PICTURE_RGB ? 3
                                                    : 1; // bytes of a pixel, as decoded
    const int64_t channels = mode == WK_PICTURE_GREY ? 1 : mode == WK_PICTURE_RGB ? 3 : header.components;
    const int64_t count = header.height * header.width;
    wk_tensor *x = wk_tensor_new(from->op, 3, (int64_t[]){channels, header.height, header.width}, wk_uint8, wk_cpu);
    if (!x)
        return NULL;
    unsigned char *planes = wk_host(from->op, x), *pixels = stored == 1 ? planes : wk_alloc((size_t)(stored * count));
    if (!pixels)
        return wk_out_of_memory(from->op, (size_t)(stored * count));
    const bool good = decode_into(from, &header, pixels, stored == 1 ? TJPF_GRAY : stored == 3 ? TJPF_RGB : TJPF_CMYK);
    if (good && stored == 4 && channels != 4)
        planes_of_inks(pixels, planes, count, channels);
    else if (good && stored > 1)
        wk_planes_of_pixels(pixels, planes, count, channels);
    if (stored > 1)
        wk_free(pixels);
    return good ? x : NULL;
}

/* ---------------------------------------------------------------- writing */

static bool write_pixels(wk_tensor *dense, const char *path, int quality)
{
    const char *const op = "write_jpeg";
    const int64_t channels = dense->ndim == 3 ? dense->shape[0] : 1, height = dense->shape[dense->ndim - 2],
                  width = dense->shape[dense->ndim - 1], count = height * width;
    unsigned char *planes = wk_host(op, dense), *pixels = channels == 1 ? planes : wk_alloc((size_t)(channels * count));
    if (!pixels)
        return wk_out_of_memory(op, (size_t)(channels * count));
    for (int64_t i = 0; channels > 1 && i < count; i++)
        for (int64_t channel = 0; channel < channels; channel++)
            pixels[i * channels + channel] = planes[channel * count + i];
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    tjhandle handle = init_compress();
    bool good = handle && compress(handle, pixels, (int)width, 0, (int)height, channels == 1 ? TJPF_GRAY : TJPF_RGB,
                                   &bytes, &size, channels == 1 ? TJSAMP_GRAY : TJSAMP_420, quality, 0) == 0;
    if (!handle)
        wk_out_of_memory(op, 0);
    else if (!good)
        wk_fail(op, "picture: %s", error_text(handle));
    wk_new_file file;
    good =
        good && wk_new_file_open(&file, op, path) && wk_new_file_write(&file, bytes, size) && wk_new_file_commit(&file);
    if (bytes)
        free_buffer(bytes);
    if (handle)
        destroy(handle);
    if (channels > 1)
        wk_free(pixels);
    return good;
}

bool wk_vision_write_jpeg_with(wk_vision_write_jpeg_args args)
{
    const char *const op = "write_jpeg";
    WK_REQUIRE(op, args.picture);
    const int ndim = args.picture->ndim;
    const int64_t channels = ndim == 3 ? args.picture->shape[0] : 1;
    if (args.picture->dtype != wk_uint8 || ndim < 2 || ndim > 3 || (channels != 1 && channels != 3))
        return wk_fail(op, "picture: expected uint8 (H, W) or (C, H, W) of 1 or 3 channels, got %s %s",
                       wk_dtype_name(args.picture->dtype), wk_shape_string(args.picture));
    if (args.picture->numel == 0 || args.picture->shape[ndim - 1] > MOST_SIDE ||
        args.picture->shape[ndim - 2] > MOST_SIDE)
        return wk_fail(op, "picture: expected 1 to %d pixels in a row and rows, got %s", MOST_SIDE,
                       wk_shape_string(args.picture));
    if (args.quality < 1 || args.quality > 100)
        return wk_fail(op, "quality: expected 1 to 100, got %d", args.quality);
    bool good = false;
    if (wk_library_load(op, &turbojpeg))
        wk_scope
    {
        wk_tensor *dense = wk_contiguous(wk_to(args.picture, wk_cpu));
        good = dense && write_pixels(dense, args.path, args.quality);
    }
    return good;
}

#else

wk_tensor *wk_jpeg_decode(const wk_encoded *from, wk_picture_mode mode, int *orientation)
{
    (void)mode;
    *orientation = 1;
    wk_library_missing(from->op, "JPEG", "libturbojpeg0-dev");
    return NULL;
}

bool wk_vision_write_jpeg_with(wk_vision_write_jpeg_args args)
{
    (void)args;
    wk_library_missing("write_jpeg", "JPEG", "libturbojpeg0-dev");
    return false;
}

#endif
