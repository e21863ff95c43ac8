/* numpy's .npy: the bytes 93 "NUMPY", version (1.0: the header's length in 2 bytes; 2.0 and 3.0: in 4), the header, a
   Python dict as text that ends the first multiple of 64 bytes with a line break,
       {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
   then the numbers.  https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

   The header is read by a parser of its own for just that dict, its keys in any order.  descr: the byte order (< low
   byte first, > high byte first, | none), the kind, the bytes of one number. */
#include <stdio.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/io.h>
#include <wick/view.h>

#include "core/host.h"
#include "core/text.h"
#include "file.h"
#include "npy.h"

static const struct {
    wk_dtype dtype;
    const char *name;
} dtypes[] = {{wk_bool, "b1"},    {wk_uint8, "u1"},     {wk_int8, "i1"},       {wk_int16, "i2"},
              {wk_int32, "i4"},   {wk_int64, "i8"},     {wk_float16, "f2"},    {wk_float32, "f4"},
              {wk_float64, "f8"}, {wk_complex64, "c8"}, {wk_complex128, "c16"}};
#define DTYPES (int)(sizeof dtypes / sizeof *dtypes)
#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6

typedef struct npy_header {
    char descr[16];
    bool fortran_order, has_descr, has_order, has_shape;
    int ndim;
    int64_t shape[WK_MAX_DIMS];
} npy_header;

/* ---------------------------------------------------------------- the header's text */

typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t'))
        c->at++;
}

static bool take(cursor *c, const char *text)
{
    skip_blanks(c);
    const size_t length = strlen(text);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, text, length) != 0)
        return false;
    c->at += length;
    return true;
}

static bool take_string(cursor *c, char *text, size_t size)
{
    skip_blanks(c);
    const char quote = c->at < c->end ? *c->at : 0;
    if (quote != '\'' && quote != '"')
        return false;
    size_t length = 0;
    for (c->at++; c->at < c->end && *c->at != quote; c->at++) {
        if (length + 1 >= size || *c->at == '\\' || *c->at < ' ')
            return false;
        text[length++] = *c->at;
    }
    text[length] = '\0';
    return c->at < c->end && *c->at++ == quote;
}

static bool take_size(cursor *c, int64_t *size)
{
    skip_blanks(c);
    const char *first = c->at;
    *size = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(*size, 10, size) || __builtin_add_overflow(*size, *c->at - '0', size))
            return false;
    return c->at > first;
}

static bool take_shape(cursor *c, npy_header *header)
{
    if (!take(c, "("))
        return false;
    while (!take(c, ")")) {
        if (header->ndim == WK_MAX_DIMS || !take_size(c, &header->shape[header->ndim++]))
            return false;
        if (!take(c, ",")) {
            skip_blanks(c);
            if (c->at == c->end || *c->at != ')' || header->ndim == 1)
                return false;
        }
    }
    return true;
}

static bool read_dict(cursor *c, npy_header *header)
{
    char key[16];
    if (!take(c, "{"))
        return false;
    while (!take(c, "}")) {
        if (!take_string(c, key, sizeof key) || !take(c, ":"))
            return false;
        if (strcmp(key, "descr") == 0 && !header->has_descr)
            header->has_descr = take_string(c, header->descr, sizeof header->descr);
        else if (strcmp(key, "fortran_order") == 0 && !header->has_order)
            header->has_order = (header->fortran_order = take(c, "True")) || take(c, "False");
        else if (strcmp(key, "shape") == 0 && !header->has_shape)
            header->has_shape = take_shape(c, header);
        else
            return false;
        if (!take(c, ",") && (skip_blanks(c), c->at == c->end || *c->at != '}'))
            return false;
    }
    skip_blanks(c);
    return c->at == c->end && header->has_descr && header->has_order && header->has_shape;
}

/* ---------------------------------------------------------------- load */

static void swap_bytes(unsigned char *x, int64_t count, size_t size)
{
    for (; count > 0; count--, x += size)
        for (size_t low = 0, high = size - 1; low < high; low++, high--) {
            const unsigned char byte = x[low];
            x[low] = x[high];
            x[high] = byte;
        }
}

static wk_tensor *read_numbers(const char *op, const char *path, const npy_header *header, const unsigned char *data,
                               size_t data_bytes)
{
    wk_dtype dtype = wk_dtype_default;
    for (int i = 0; i < DTYPES; i++)
        if (strchr("<>|=", header->descr[0]) && strcmp(header->descr + 1, dtypes[i].name) == 0)
            dtype = dtypes[i].dtype;
    if (!dtype)
        return wk_fail(op, "%s: numbers of the kind %s are not among wick's dtypes", path,
                       wk_shown(header->descr, (wk_shown_text){0}));
    int64_t shape[WK_MAX_DIMS], order[WK_MAX_DIMS], bytes = (int64_t)wk_dtype_size(dtype);
    bool large = false, empty = false;
    for (int dim = 0; dim < header->ndim; dim++) {
        const int from = header->fortran_order ? header->ndim - 1 - dim : dim;
        shape[dim] = header->shape[from];
        order[from] = dim;
        empty |= shape[dim] == 0;
        large |= __builtin_mul_overflow(bytes, shape[dim], &bytes);
    }
    if ((large && !empty) || (size_t)(empty ? 0 : bytes) != data_bytes)
        return wk_fail(op, "%s: its header announces %s %s, but %zu bytes follow", path, wk_dtype_name(dtype),
                       wk_shape_text(header->ndim, header->shape, (char[WK_SHAPE_TEXT]){0}), data_bytes);
    for (size_t i = 0; dtype == wk_bool && i < data_bytes; i++)
        if (data[i] > 1)
            return wk_fail(op, "%s: expected bools 0 or 1, got %d", path, data[i]);
    wk_tensor *x = wk_tensor_new(op, header->ndim, shape, dtype, wk_cpu);
    if (!x)
        return NULL;
    if (data_bytes > 0)
        memcpy(wk_host(op, x), data, data_bytes);
    const int64_t parts = wk_dtype_is_complex(dtype) ? 2 : 1;
    if (header->descr[0] == '>')
        swap_bytes(wk_host(op, x), parts * x->numel, wk_dtype_size(dtype) / (size_t)parts);
    return header->fortran_order && header->ndim > 1 ? wk_permute_with(x, wk_shape_of(header->ndim, order)) : x;
}

wk_tensor *wk_npy_read(const char *op, const char *file, const wk_file_map *map)
{
    const unsigned char *bytes = map->bytes;
    const char *path = wk_shown(file, (wk_shown_text){0});
    if (map->size < 10 || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0)
        return wk_file_is_no(op, file, ".npy", map);
    const int version = bytes[6];
    if (version < 1 || version > 3)
        return wk_fail(op, "%s: expected version 1 to 3 of the format, got %d", path, version);
    const size_t begin = version == 1 ? 10 : 12;
    size_t length = bytes[8] | (size_t)bytes[9] << 8;
    if (version > 1 && map->size >= begin)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (map->size < begin || length > map->size - begin)
        return wk_fail(op, "%s: is cut off", path);
    npy_header header = {0};
    cursor c = {(const char *)bytes + begin, (const char *)bytes + begin + length};
    if (!read_dict(&c, &header))
        return wk_fail(op, "%s: its header is not {'descr': ..., 'fortran_order': ..., 'shape': (at most %d sizes)}",
                       path, WK_MAX_DIMS);
    return read_numbers(op, path, &header, bytes + begin + length, map->size - begin - length);
}

wk_tensor *wk_numpy_load(const char *path)
{
    const char *const op = "numpy_load";
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return NULL;
    wk_tensor *x = NULL;
    wk_scope
    {
        x = wk_keep(wk_npy_read(op, path, map));
    }
    wk_file_map_release(map);
    return x;
}

/* ---------------------------------------------------------------- save */

/* numpy leaves room in the header for the first size to grow to 21 digits, and ends it at a multiple of 64 bytes */
#define GROWTH 21

static int header_text(const wk_tensor *x, const char *name, char *text, size_t size)
{
    char shape[WK_SHAPE_TEXT];
    const char order = x->dtype == wk_bool || wk_dtype_size(x->dtype) == 1 ? '|' : '<';
    int used = snprintf(text, size, "{'descr': '%c%s', 'fortran_order': False, 'shape': %s, }", order, name,
                        wk_shape_text(x->ndim, x->shape, shape));
    if (x->ndim > 0)
        used += GROWTH - snprintf(NULL, 0, "%lld", (long long)x->shape[0]);
    return used;
}

static const char *name_of(wk_dtype dtype)
{
    for (int i = 0; i < DTYPES; i++)
        if (dtypes[i].dtype == dtype)
            return dtypes[i].name;
    return NULL;
}

size_t wk_npy_head(const char *op, const wk_tensor *x, char head[WK_NPY_HEAD])
{
    const char *name = name_of(x->dtype);
    if (!name) {
        wk_fail(op, "x: numpy has no %s\nhint: wk_to(x, wk_float32)", wk_dtype_name(x->dtype));
        return 0;
    }
    memset(head, ' ', WK_NPY_HEAD);
    memcpy(head, MAGIC "\1\0", 8);
    const int used = header_text(x, name, head + 10, WK_NPY_HEAD - 10);
    const size_t total = (10 + (size_t)used + 1 + 63) / 64 * 64;
    head[10 + strlen(head + 10)] = ' ';
    head[total - 1] = '\n';
    head[8] = (char)((total - 10) & 255);
    head[9] = (char)((total - 10) >> 8);
    return total;
}

bool wk_numpy_save(const char *path, wk_tensor *x)
{
    const char *const op = "numpy_save";
    WK_REQUIRE(op, x);
    char head[WK_NPY_HEAD];
    const size_t head_bytes = wk_npy_head(op, x, head);
    bool good = false;
    wk_scope
    {
        const wk_tensor *dense = head_bytes ? wk_contiguous(wk_to(x, wk_cpu)) : NULL;
        wk_new_file file;
        if (dense && wk_new_file_open(&file, op, path) && wk_new_file_write(&file, head, head_bytes) &&
            wk_new_file_write(&file, wk_host(op, dense), (size_t)x->numel * wk_dtype_size(x->dtype)))
            good = wk_new_file_commit(&file);
    }
    return good;
}
