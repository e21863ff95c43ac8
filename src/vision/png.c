/* PNG files by libpng, whose memory comes through wk_alloc like all of the library's.

   libpng reports errors by longjmp: each direction has one function that calls setjmp and keeps what must outlive the
   jump in a struct of its caller's.

   A file is not believed: before memory is asked for, the size that its header tells is held against the file's length.
   deflate packs at most 1032 bytes into 1, so rows of more are not there; a pixel of 1 bit may then become 4 bytes.
   Texts and profiles, which nobody here asks for, are passed over where they would take more than a megabyte. */
#include <wick/vision.h>

#include <string.h>

#include "codec.h"
#include "core/host.h"

bool wk_is_png(const wk_encoded *from) { return from->size >= 8 && memcmp(from->bytes, "\x89PNG\r\n\x1a\n", 8) == 0; }

#ifdef WICK_HAVE_PNG

#include <png.h>

#include <wick/cast.h>

#include "core/alloc.h"
#include "core/text.h"
#include "io/file.h"

#define MOST_PACKED 1040
#define MOST_SIDE 1000000    // pixels
#define MOST_CHUNK (1 << 20) // bytes of a chunk that is not the pixels', unpacked
#define MOST_CHUNKS 100      // of those that may be there many times
#define MOST_BLOCK (1 << 24) // bytes: two rows of MOST_SIDE pixels of 8 bytes

typedef struct png_work {
    const char *op;
    png_structp png;
    png_infop info;
    char message[128]; // of libpng's error
    unsigned char *rows;
    /* reading */
    const wk_encoded *from;
    wk_picture_mode mode;
    size_t at;
    /* writing */
    wk_new_file file;
} png_work;

/* libpng asks for as many bytes as a chunk says that it has: no more than the file, or a row in work */
static png_voidp png_alloc(png_structp png, png_alloc_size_t bytes)
{
    const png_work *work = png_get_mem_ptr(png);
    return work->from && bytes > work->from->size + MOST_BLOCK ? NULL : wk_alloc(bytes);
}
static void png_free_block(png_structp png, png_voidp block) { (void)png, wk_free(block); }

static void on_error(png_structp png, png_const_charp message)
{
    png_work *work = png_get_error_ptr(png);
    snprintf(work->message, sizeof work->message, "%s", message);
    png_longjmp(png, 1);
}
static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

/* ---------------------------------------------------------------- writing */

static void write_bytes(png_structp png, png_bytep bytes, size_t count)
{
    png_work *work = png_get_io_ptr(png);
    if (!wk_new_file_write(&work->file, bytes, count))
        png_error(png, "could not be written");
}
static void flush_bytes(png_structp png) { (void)png; }

/* false after an error of libpng's, or of the file's */
static bool encode(png_work *work, const uint8_t *pixels, int64_t channels, int64_t height, int64_t width)
{
    static const int kinds[] = {0, PNG_COLOR_TYPE_GRAY, 0, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    if (setjmp(png_jmpbuf(work->png)))
        return false;
    png_set_write_fn(work->png, work, write_bytes, flush_bytes);
    png_set_IHDR(work->png, work->info, (png_uint_32)width, (png_uint_32)height, 8, kinds[channels], PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(work->png, 6);
    png_write_info(work->png, work->info);
    for (int64_t y = 0; y < height; y++) {
        for (int64_t channel = 0; channel < channels; channel++)
            for (int64_t x = 0; x < width; x++)
                work->rows[x * channels + channel] = pixels[(channel * height + y) * width + x];
        png_write_row(work->png, work->rows);
    }
    png_write_end(work->png, NULL);
    return true;
}

static bool write_picture(png_work *work, const wk_tensor *x, const char *path)
{
    const int64_t channels = x->ndim == 3 ? x->shape[0] : 1, height = x->shape[x->ndim - 2],
                  width = x->shape[x->ndim - 1];
    work->png =
        png_create_write_struct_2(PNG_LIBPNG_VER_STRING, work, on_error, on_warning, work, png_alloc, png_free_block);
    work->info = work->png ? png_create_info_struct(work->png) : NULL;
    work->rows = work->info ? wk_alloc((size_t)(width * channels)) : NULL;
    bool good = false;
    if (!work->rows)
        wk_out_of_memory(work->op, (size_t)(width * channels));
    else if (wk_new_file_open(&work->file, work->op, path)) {
        good = encode(work, wk_host("png", x), channels, height, width);
        if (!good && work->file.target) { // not an error of the file's, which has told
            wk_new_file_abandon(&work->file);
            wk_fail(work->op, "%s: %s", wk_shown(path, (wk_shown_text){0}), work->message);
        }
        good = good && wk_new_file_commit(&work->file);
    }
    wk_free(work->rows);
    png_destroy_write_struct(&work->png, &work->info);
    return good;
}

bool wk_vision_write_png(wk_tensor *picture, const char *path)
{
    const char *const op = "write_png";
    WK_REQUIRE(op, picture);
    const int ndim = picture->ndim;
    const int64_t channels = ndim == 3 ? picture->shape[0] : 1;
    if (picture->dtype != wk_uint8 || ndim < 2 || ndim > 3 || (channels != 1 && channels != 3 && channels != 4))
        return wk_fail(op, "picture: expected uint8 (H, W) or (C, H, W) of 1, 3 or 4 channels, got %s %s%s",
                       wk_dtype_name(picture->dtype), wk_shape_string(picture),
                       wk_dtype_is_floating(picture->dtype) ? "\nhint: wk_vision_save_image takes floats from 0 to 1"
                                                            : "");
    if (picture->numel == 0 || picture->shape[ndim - 1] > MOST_SIDE || picture->shape[ndim - 2] > MOST_SIDE)
        return wk_fail(op, "picture: expected 1 to %d pixels in a row and rows, got %s", MOST_SIDE,
                       wk_shape_string(picture));
    bool good = false;
    wk_scope
    {
        wk_tensor *dense = wk_contiguous(wk_to(picture, wk_cpu));
        png_work work = {.op = op};
        good = dense && write_picture(&work, dense, path);
    }
    return good;
}

/* ---------------------------------------------------------------- reading */

static void read_bytes(png_structp png, png_bytep bytes, size_t count)
{
    png_work *work = png_get_io_ptr(png);
    if (count > work->from->size - work->at)
        png_error(png, "the file is cut off");
    memcpy(bytes, work->from->bytes + work->at, count);
    work->at += count;
}

typedef struct png_size {
    int64_t channels, height, width;
    bool memory;
} png_size;

/* to red, green and blue, or to grey by torchvision's weights; without alpha */
static void change_colours(png_work *work)
{
    const bool coloured = png_get_color_type(work->png, work->info) & PNG_COLOR_MASK_COLOR;
    png_set_strip_alpha(work->png);
    if (work->mode == WK_PICTURE_RGB && !coloured)
        png_set_gray_to_rgb(work->png);
    if (work->mode == WK_PICTURE_GREY && coloured)
        png_set_rgb_to_gray(work->png, PNG_ERROR_ACTION_NONE, 0.2989, 0.587);
}

/* false after an error of libpng's */
static bool decode(png_work *work, png_size *size)
{
    if (setjmp(png_jmpbuf(work->png)))
        return false;
    png_set_read_fn(work->png, work, read_bytes);
    png_set_user_limits(work->png, MOST_SIDE, MOST_SIDE);
    png_set_chunk_cache_max(work->png, MOST_CHUNKS);
    png_set_chunk_malloc_max(work->png, MOST_CHUNK);
    png_read_info(work->png, work->info);
    size->width = png_get_image_width(work->png, work->info);
    size->height = png_get_image_height(work->png, work->info);
    if ((png_get_rowbytes(work->png, work->info) + 1) * (size_t)size->height / MOST_PACKED > work->from->size)
        png_error(work->png, "its header tells of more pixels than the file can hold");
    png_set_expand(work->png); // palettes to colours, few bits to 8, a transparent colour to alpha
    png_set_scale_16(work->png);
    if (work->mode != WK_PICTURE_UNCHANGED)
        change_colours(work);
    const int passes = png_set_interlace_handling(work->png);
    png_read_update_info(work->png, work->info);
    size->channels = png_get_channels(work->png, work->info);
    const size_t row_bytes = png_get_rowbytes(work->png, work->info);
    if (row_bytes != (size_t)(size->width * size->channels))
        png_error(work->png, "its rows are not of 8 bits");
    work->rows = wk_alloc(row_bytes * (size_t)size->height);
    if (!work->rows) {
        size->memory = true;
        return false;
    }
    for (int pass = 0; pass < passes; pass++)
        for (int64_t y = 0; y < size->height; y++)
            png_read_row(work->png, work->rows + (size_t)y * row_bytes, NULL);
    png_read_end(work->png, NULL);
    return true;
}

wk_tensor *wk_png_decode(const wk_encoded *from, wk_picture_mode mode)
{
    png_work work = {.op = from->op, .from = from, .mode = mode};
    png_size size = {0};
    wk_tensor *x = NULL;
    work.png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &work, on_error, on_warning, &work, png_alloc, png_free_block);
    work.info = work.png ? png_create_info_struct(work.png) : NULL;
    if (!work.info || (!decode(&work, &size) && (size.memory || !work.message[0])))
        wk_out_of_memory(work.op, (size_t)(size.width * size.channels * size.height));
    else if (work.message[0])
        wk_fail(work.op, "%s: %s", from->name, work.message);
    else
        x = wk_tensor_new(work.op, 3, (int64_t[]){size.channels, size.height, size.width}, wk_uint8, wk_cpu);
    if (x)
        wk_planes_of_pixels(work.rows, wk_host("png", x), size.height * size.width, size.channels);
    wk_free(work.rows);
    png_destroy_read_struct(&work.png, &work.info, NULL);
    return x;
}

#else

bool wk_vision_write_png(wk_tensor *picture, const char *path)
{
    (void)picture;
    (void)path;
    return wk_fail("write_png", "this build has no PNG\nhint: cmake -DWICK_PNG=ON") != NULL;
}

wk_tensor *wk_png_decode(const wk_encoded *from, wk_picture_mode mode)
{
    (void)mode;
    return wk_fail(from->op, "this build has no PNG\nhint: cmake -DWICK_PNG=ON");
}

#endif
