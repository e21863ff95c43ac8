/* IDX files: two zero bytes, a byte for the type, a byte for the number of dims, each size as 4 bytes (high byte
   first), then the numbers, row by row, high byte first; gzipped (zlib inflates them) or plain.

   A file is not believed: sizes are multiplied with care, and before memory is asked for, what the header announces is
   held against the file's length (deflate packs at most 1032 to 1).  A gzip file must be whole: its checksum right,
   nothing after it but more of the kind.  zlib's own gzread would take a file that is cut off before its trailer, and
   pass over what follows. */
#include <string.h>
#include <zlib.h>

#include <wick/data.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/host.h"
#include "core/text.h"
#include "io/file.h"

#define MOST_PACKED 1040
#define MOST_AT_ONCE (1u << 30) // zlib counts in unsigned ints

static wk_dtype dtype_of(unsigned char code)
{
    switch (code) {
    case 0x08:
        return wk_uint8;
    case 0x09:
        return wk_int8;
    case 0x0B:
        return wk_int16;
    case 0x0C:
        return wk_int32;
    case 0x0D:
        return wk_float32;
    case 0x0E:
        return wk_float64;
    default:
        return wk_dtype_default;
    }
}

/* ---------------------------------------------------------------- bytes, inflated where they are packed */

typedef struct source {
    const char *op, *file;
    wk_shown_text path;
    const wk_file_map *map;
    size_t at; // of the file, what is read next
    bool packed, ended;
    z_stream stream;
} source;

static voidpf allocate(voidpf context, uInt count, uInt size)
{
    (void)context;
    return wk_alloc_zeroed((size_t)count * size);
}
static void release(voidpf context, voidpf block) { (void)context, wk_free(block); }

static bool begins_gzip(const source *from)
{
    const unsigned char *bytes = from->map->bytes;
    return from->map->size - from->at >= 2 && bytes[from->at] == 0x1f && bytes[from->at + 1] == 0x8b;
}

static bool open_source(source *from)
{
    from->packed = begins_gzip(from);
    if (!from->packed)
        return true;
    from->stream.zalloc = allocate;
    from->stream.zfree = release;
    if (inflateInit2(&from->stream, 15 + 16) != Z_OK) // gzip alone
        return wk_out_of_memory(from->op, 0);
    return true;
}

/* after the end of one gzip member: another, or the end of the file */
static bool next_member(source *from)
{
    from->ended = from->at == from->map->size;
    if (!from->ended && !begins_gzip(from))
        return wk_fail(from->op, "%s: %zu bytes follow the end of its gzip data", from->path,
                       from->map->size - from->at);
    return from->ended || inflateReset(&from->stream) == Z_OK;
}

static bool inflate_some(source *from, unsigned char *to, int64_t rest, int64_t *done)
{
    const size_t left = from->map->size - from->at;
    z_stream *stream = &from->stream;
    stream->next_in = from->map->bytes + from->at;
    stream->avail_in = left < MOST_AT_ONCE ? (uInt)left : MOST_AT_ONCE;
    stream->next_out = to;
    stream->avail_out = rest < MOST_AT_ONCE ? (uInt)rest : MOST_AT_ONCE;
    const uInt in = stream->avail_in, out = stream->avail_out;
    const int code = inflate(stream, Z_NO_FLUSH);
    from->at += in - stream->avail_in;
    *done += out - stream->avail_out;
    if (code == Z_MEM_ERROR)
        return wk_out_of_memory(from->op, 0);
    if (code == Z_STREAM_END)
        return next_member(from);
    if (code == Z_BUF_ERROR || (code == Z_OK && from->at == from->map->size && stream->avail_out > 0))
        return wk_fail(from->op, "%s: its gzip data is cut off", from->path);
    return code == Z_OK || wk_fail(from->op, "%s: its gzip data is broken: %s", from->path,
                                   stream->msg ? stream->msg : "it needs a dictionary");
}

/* how many bytes were read, fewer at the end of the file; -1 after an error */
static int64_t read_bytes(source *from, void *to, int64_t bytes)
{
    int64_t done = 0;
    if (!from->packed) {
        const size_t left = from->map->size - from->at;
        done = (size_t)bytes < left ? bytes : (int64_t)left;
        if (done > 0)
            memcpy(to, from->map->bytes + from->at, (size_t)done);
        from->at += (size_t)done;
        return done;
    }
    while (done < bytes && !from->ended)
        if (!inflate_some(from, (unsigned char *)to + done, bytes - done, &done))
            return -1;
    return done;
}

/* ---------------------------------------------------------------- IDX */

static void swap_bytes(unsigned char *x, int64_t count, size_t size)
{
    const uint16_t one = 1;
    if (size == 1 || *(const unsigned char *)&one == 0)
        return;
    for (int64_t i = 0; i < count; i++, x += size)
        for (size_t low = 0, high = size - 1; low < high; low++, high--) {
            const unsigned char byte = x[low];
            x[low] = x[high];
            x[high] = byte;
        }
}

/* false after an error: fewer bytes were there than wanted */
static bool read_all(source *from, void *to, int64_t bytes)
{
    const int64_t got = read_bytes(from, to, bytes);
    return got == bytes || (got >= 0 && wk_fail(from->op, "%s: is cut off", from->path));
}

static wk_tensor *read_idx(source *from)
{
    const char *const op = from->op, *const path = from->path;
    unsigned char header[4 + 4 * WK_MAX_DIMS];
    const int64_t got = read_bytes(from, header, 4);
    if (got < 0)
        return NULL;
    const wk_dtype dtype = got == 4 && header[0] == 0 && header[1] == 0 ? dtype_of(header[2]) : wk_dtype_default;
    if (!dtype && from->packed)
        return wk_fail(op, "%s: holds no IDX file: expected 00 00 and a type behind its gzip header", path);
    if (!dtype)
        return wk_file_is_no(op, from->file, "IDX", from->map);
    const int ndim = header[3];
    if (ndim > WK_MAX_DIMS)
        return wk_fail(op, "%s: expected at most %d dims, got %d", path, WK_MAX_DIMS, ndim);
    if (!read_all(from, header + 4, 4 * ndim))
        return NULL;

    int64_t shape[WK_MAX_DIMS], bytes = (int64_t)wk_dtype_size(dtype);
    bool large = false;
    for (int dim = 0; dim < ndim; dim++) {
        const unsigned char *size = header + 4 + 4 * dim;
        shape[dim] = (int64_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3];
        large |= __builtin_mul_overflow(bytes, shape[dim], &bytes);
    }
    if (large || (size_t)bytes / (from->packed ? MOST_PACKED : 1) > from->map->size)
        return wk_fail(op, "%s: its header announces %s %s, more than the file's %zu bytes can hold", path,
                       wk_shape_text(ndim, shape, (char[WK_SHAPE_TEXT]){0}), wk_dtype_name(dtype), from->map->size);

    wk_tensor *x = wk_tensor_new(op, ndim, shape, dtype, wk_cpu);
    if (!x || !read_all(from, wk_host(op, x), bytes))
        return NULL;
    const int64_t more = read_bytes(from, header, 1);
    if (more != 0)
        return more < 0 ? NULL
                        : wk_fail(op, "%s: holds more than the %s %s that its header announces", path,
                                  wk_shape_string(x), wk_dtype_name(dtype));
    swap_bytes(wk_host(op, x), x->numel, wk_dtype_size(dtype));
    return x;
}

wk_tensor *wk_data_load_idx(const char *path)
{
    const char *const op = "load_idx";
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return NULL;
    source from = {.op = op, .file = path, .map = map};
    wk_shown(path, from.path);
    wk_tensor *x = NULL;
    if (open_source(&from))
        wk_scope
    {
        x = wk_keep(read_idx(&from));
    }
    inflateEnd(&from.stream); // of one that was not begun: nothing
    wk_file_map_release(map);
    return x;
}
