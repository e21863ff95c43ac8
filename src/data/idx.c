/* IDX files: two zero bytes, a byte for the type, a byte for the number of dims, each size as 4 bytes (high byte
   first), then the numbers, row by row, high byte first.  zlib reads them gzipped or plain.

   A file is not believed: sizes are multiplied with care, and before memory is asked for, what the header announces is
   held against the file's length (deflate packs at most 1032 to 1). */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include <wick/data.h>

#include "core/host.h"

#define MOST_PACKED 1040

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

/* bytes read, fewer at the end of the file; -1: broken */
static int64_t read_bytes(gzFile file, void *to, int64_t bytes)
{
    int64_t done = 0;
    while (done < bytes) {
        const int64_t rest = bytes - done;
        const int got = gzread(file, (char *)to + done, rest < (1 << 30) ? (unsigned)rest : 1u << 30);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += got;
    }
    return done;
}

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

static wk_tensor *truncated(const char *op, const char *path, gzFile file)
{
    int code;
    const char *reason = gzerror(file, &code);
    return wk_fail(op, "%s: the file is cut off or broken%s%s", path, code != Z_OK ? ": " : "",
                   code != Z_OK ? reason : "");
}

static wk_tensor *read_idx(const char *op, const char *path, gzFile file, int64_t file_bytes)
{
    unsigned char header[4 + 4 * WK_MAX_DIMS];
    if (read_bytes(file, header, 4) != 4)
        return truncated(op, path, file);
    const wk_dtype dtype = header[0] == 0 && header[1] == 0 ? dtype_of(header[2]) : wk_dtype_default;
    if (!dtype)
        return wk_fail(op, "%s: is no IDX file: expected it to begin with 00 00 and a type, got %02x %02x %02x %02x",
                       path, header[0], header[1], header[2], header[3]);
    const int ndim = header[3];
    if (ndim > WK_MAX_DIMS)
        return wk_fail(op, "%s: expected at most %d dims, got %d", path, WK_MAX_DIMS, ndim);
    if (read_bytes(file, header + 4, 4 * ndim) != 4 * ndim)
        return truncated(op, path, file);

    int64_t shape[WK_MAX_DIMS], bytes = (int64_t)wk_dtype_size(dtype);
    bool large = false;
    for (int dim = 0; dim < ndim; dim++) {
        const unsigned char *size = header + 4 + 4 * dim;
        shape[dim] = (int64_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3];
    }
    for (int dim = 0; dim < ndim; dim++)
        large |= __builtin_mul_overflow(bytes, shape[dim], &bytes);
    if (large || bytes / (gzdirect(file) ? 1 : MOST_PACKED) > file_bytes)
        return wk_fail(op, "%s: its header announces %s %s, more than the file's %lld bytes can hold", path,
                       wk_shape_text(ndim, shape, (char[WK_SHAPE_TEXT]){0}), wk_dtype_name(dtype),
                       (long long)file_bytes);

    wk_tensor *x = wk_tensor_new(op, ndim, shape, dtype, wk_cpu);
    if (!x)
        return NULL;
    if (read_bytes(file, wk_host("idx_read", x), bytes) != bytes)
        return truncated(op, path, file);
    const int64_t more = read_bytes(file, header, 1);
    if (more != 0)
        return more < 0 ? truncated(op, path, file)
                        : wk_fail(op, "%s: holds more than the %s %s that its header announces", path,
                                  wk_shape_string(x), wk_dtype_name(dtype));
    swap_bytes(wk_host("idx_read", x), x->numel, wk_dtype_size(dtype));
    return x;
}

wk_tensor *wk_data_load_idx(const char *path)
{
    const char *const op = "load_idx";
    if (!path)
        return wk_fail(op, "path: expected a path, got NULL");
    struct stat status;
    if (stat(path, &status) != 0)
        return wk_fail(op, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return wk_fail(op, "%s: is not a file", path);
    gzFile file = gzopen(path, "rbe");
    if (!file)
        return wk_fail(op, "%s: %s", path, errno ? strerror(errno) : "out of memory");
    gzbuffer(file, 1 << 17);
    wk_tensor *x = NULL;
    wk_scope
    {
        x = wk_keep(read_idx(op, path, file, (int64_t)status.st_size));
    }
    gzclose(file);
    return x;
}
