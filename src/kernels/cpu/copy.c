/* Copies between strided arrays of elements of `size` bytes.

   Most regions go row by row: memcpy where both sides are contiguous along the last dim, else element by element; where
   a short last dim only repeats, by the dim before it.  An x that is contiguous along another dim than y is goes by
   tiles of a cache line each way, through a buffer, so that every line of x and y is touched once (written straight,
   the lines of a power of two's columns push each other out of the cache). */
// compiled for: bytes
#include "../copy.h"
#include "cpu.h"

typedef wk_copy_work region;

/* where row-major element `index` lies in x and y; its coordinate along each dim */
static void place(const region *w, int64_t index, int64_t *coordinate, int64_t *x, int64_t *y)
{
    *x = *y = 0;
    for (int dim = w->ndim - 1; dim >= 0; dim--) {
        coordinate[dim] = index % w->shape[dim];
        index /= w->shape[dim];
        *x += coordinate[dim] * w->x_strides[dim];
        *y += coordinate[dim] * w->y_strides[dim];
    }
}

/* on to the first element of the next row */
static void next_row(const region *w, int64_t *coordinate, int64_t *x, int64_t *y)
{
    for (int dim = w->ndim - 2; dim >= 0; dim--) {
        *x += w->x_strides[dim];
        *y += w->y_strides[dim];
        if (++coordinate[dim] < w->shape[dim])
            return;
        *x -= coordinate[dim] * w->x_strides[dim];
        *y -= coordinate[dim] * w->y_strides[dim];
        coordinate[dim] = 0;
    }
}

#define ROW(type)                                                                                                      \
    static void row_of_##type(const void *x, int64_t x_stride, void *y, int64_t y_stride, int64_t n)                   \
    {                                                                                                                  \
        const type *from = x;                                                                                          \
        type *to = y;                                                                                                  \
        if (y_stride == 1 && x_stride == 0) {                                                                          \
            const type value = *from;                                                                                  \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[i] = value;                                                                                         \
        } else if (y_stride == 1)                                                                                      \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[i] = from[i * x_stride];                                                                            \
        else                                                                                                           \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[i * y_stride] = from[i * x_stride];                                                                 \
    }
ROW(uint8_t)
ROW(uint16_t)
ROW(uint32_t)
ROW(uint64_t)
ROW(uint64_pair)

/* short rows (a head of attention, a patch) spend longer in getting to memcpy than in it */
static inline void copy_short(const char *x, char *y, int64_t bytes)
{
    for (; bytes >= 32; bytes -= 32, x += 32, y += 32)
        memcpy(y, x, 32);
    for (; bytes >= 4; bytes -= 4, x += 4, y += 4)
        memcpy(y, x, 4);
    for (; bytes > 0; bytes--)
        *y++ = *x++;
}

static inline void copy_row(const void *x, int64_t x_stride, void *y, int64_t y_stride, int64_t n, int64_t size)
{
    if (x_stride == 1 && y_stride == 1 && n * size <= 256)
        copy_short(x, y, n * size);
    else if (x_stride == 1 && y_stride == 1)
        memcpy(y, x, (size_t)(n * size));
    else if (size == 4)
        row_of_uint32_t(x, x_stride, y, y_stride, n);
    else if (size == 8)
        row_of_uint64_t(x, x_stride, y, y_stride, n);
    else if (size == 2)
        row_of_uint16_t(x, x_stride, y, y_stride, n);
    else if (size == 16)
        row_of_uint64_pair(x, x_stride, y, y_stride, n);
    else
        row_of_uint8_t(x, x_stride, y, y_stride, n);
}

static void copy_rows(const void *work, int64_t begin, int64_t end)
{
    const region *w = work;
    const int last = w->ndim - 1;
    int64_t coordinate[WK_KERNEL_MAX_DIMS], x, y;
    place(w, begin, coordinate, &x, &y);
    while (begin < end) {
        int64_t n = w->shape[last] - coordinate[last];
        n = n < end - begin ? n : end - begin;
        copy_row((const char *)w->x + x * w->size, w->x_strides[last], (char *)w->y + y * w->size, w->y_strides[last],
                 n, w->size);
        begin += n;
        x -= coordinate[last] * w->x_strides[last];
        y -= coordinate[last] * w->y_strides[last];
        coordinate[last] = 0;
        next_row(w, coordinate, &x, &y);
    }
}

/* each of n elements so many times; by twos and fours, as pictures grow, in vectors */
#define REPEAT(type)                                                                                                   \
    static void repeat_of_##type(const void *x, int64_t x_stride, void *y, int64_t y_stride, int64_t n, int64_t times) \
    {                                                                                                                  \
        const type *from = x;                                                                                          \
        type *to = y;                                                                                                  \
        if (times == 2 && x_stride == 1 && y_stride == 2)                                                              \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[2 * i] = to[2 * i + 1] = from[i];                                                                   \
        else if (times == 4 && x_stride == 1 && y_stride == 4)                                                         \
            for (int64_t i = 0; i < n; i++)                                                                            \
                to[4 * i] = to[4 * i + 1] = to[4 * i + 2] = to[4 * i + 3] = from[i];                                   \
        else                                                                                                           \
            for (int64_t i = 0; i < n; i++)                                                                            \
                for (int64_t k = 0; k < times; k++)                                                                    \
                    to[i * y_stride + k] = from[i * x_stride];                                                         \
    }
REPEAT(uint8_t)
REPEAT(uint16_t)
REPEAT(uint32_t)
REPEAT(uint64_t)
REPEAT(uint64_pair)

/* rows of elements that are each repeated: those of a region without the last dim, along which they are */
typedef struct repeats {
    region rows;
    int64_t times;
} repeats;

static void copy_repeats(const void *work, int64_t begin, int64_t end)
{
    const repeats *repeated = work;
    const region *w = &repeated->rows;
    const int last = w->ndim - 1;
    int64_t coordinate[WK_KERNEL_MAX_DIMS], x, y;
    place(w, begin, coordinate, &x, &y);
    while (begin < end) {
        int64_t n = w->shape[last] - coordinate[last];
        n = n < end - begin ? n : end - begin;
        const char *from = (const char *)w->x + x * w->size;
        char *to = (char *)w->y + y * w->size;
        const int64_t x_stride = w->x_strides[last], y_stride = w->y_strides[last], times = repeated->times;
        if (w->size == 4)
            repeat_of_uint32_t(from, x_stride, to, y_stride, n, times);
        else if (w->size == 8)
            repeat_of_uint64_t(from, x_stride, to, y_stride, n, times);
        else if (w->size == 2)
            repeat_of_uint16_t(from, x_stride, to, y_stride, n, times);
        else if (w->size == 16)
            repeat_of_uint64_pair(from, x_stride, to, y_stride, n, times);
        else
            repeat_of_uint8_t(from, x_stride, to, y_stride, n, times);
        begin += n;
        x -= coordinate[last] * w->x_strides[last];
        y -= coordinate[last] * w->y_strides[last];
        coordinate[last] = 0;
        next_row(w, coordinate, &x, &y);
    }
}

/* y[j * y_stride + i] = x[i * x_stride + j] for i in 0..m, j in 0..n, both at most a line's worth */
#define TILE(type)                                                                                                     \
    static void tile_of_##type(const void *x, int64_t x_stride, void *y, int64_t y_stride, int64_t m, int64_t n)       \
    {                                                                                                                  \
        enum { LINE = 64 / sizeof(type) };                                                                             \
        type buffer[LINE][LINE] __attribute__((aligned(64)));                                                          \
        const type *from = x;                                                                                          \
        type *to = y;                                                                                                  \
        if (m == LINE && n == LINE) {                                                                                  \
            for (int i = 0; i < LINE; i++)                                                                             \
                memcpy(buffer[i], from + i * x_stride, sizeof buffer[i]);                                              \
            for (int j = 0; j < LINE; j++)                                                                             \
                for (int i = 0; i < LINE; i++)                                                                         \
                    to[j * y_stride + i] = buffer[i][j];                                                               \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t i = 0; i < m; i++)                                                                                \
            for (int64_t j = 0; j < n; j++)                                                                            \
                to[j * y_stride + i] = from[i * x_stride + j];                                                         \
    }
TILE(uint8_t)
TILE(uint16_t)
TILE(uint32_t)
TILE(uint64_t)
TILE(uint64_pair)

/* the two last dims of the region: j, along which x is contiguous, and i, along which y is */
static void copy_tiles(const void *work, int64_t begin, int64_t end)
{
    const region *w = work;
    const int64_t line = 64 / w->size, rows = w->shape[w->ndim - 2], columns = w->shape[w->ndim - 1];
    const int64_t row_tiles = (rows + line - 1) / line, column_tiles = (columns + line - 1) / line;
    const int64_t x_stride = w->x_strides[w->ndim - 1], y_stride = w->y_strides[w->ndim - 2];
    for (int64_t item = begin; item < end; item++) {
        const int64_t i = item % column_tiles * line, j = item / column_tiles % row_tiles * line;
        const int64_t m = columns - i < line ? columns - i : line, n = rows - j < line ? rows - j : line;
        int64_t coordinate[WK_KERNEL_MAX_DIMS], x, y;
        place(w, (item / column_tiles / row_tiles * rows + j) * columns + i, coordinate, &x, &y);
        const char *from = (const char *)w->x + x * w->size;
        char *to = (char *)w->y + y * w->size;
        if (w->size == 4)
            tile_of_uint32_t(from, x_stride, to, y_stride, m, n);
        else if (w->size == 8)
            tile_of_uint64_t(from, x_stride, to, y_stride, m, n);
        else if (w->size == 2)
            tile_of_uint16_t(from, x_stride, to, y_stride, m, n);
        else if (w->size == 16)
            tile_of_uint64_pair(from, x_stride, to, y_stride, m, n);
        else
            tile_of_uint8_t(from, x_stride, to, y_stride, m, n);
    }
}

/* dim `from` becomes the last but `behind` */
static void move_dim(region *w, int from, int behind)
{
    const int to = w->ndim - 1 - behind;
    const int64_t size = w->shape[from], x_stride = w->x_strides[from], y_stride = w->y_strides[from];
    for (int dim = from; dim < to; dim++) {
        w->shape[dim] = w->shape[dim + 1];
        w->x_strides[dim] = w->x_strides[dim + 1];
        w->y_strides[dim] = w->y_strides[dim + 1];
    }
    w->shape[to] = size;
    w->x_strides[to] = x_stride;
    w->y_strides[to] = y_stride;
}

/* A plane to transpose: the dim along which x is contiguous is moved next to the last, along which y is.  False where
   there is none, or one so narrow (channels of an image) that a loop along its long side is faster: that side is then
   last. */
static bool transposed_plane(region *w)
{
    const int last = w->ndim - 1;
    int across = -1;
    for (int dim = 0; dim < last; dim++)
        if (w->x_strides[dim] == 1)
            across = dim;
    if (across < 0 || w->y_strides[last] != 1 || w->x_strides[last] == 0)
        return false;
    const int64_t narrow = 32 / w->size;
    const bool plane = w->shape[across] >= narrow && w->shape[last] >= narrow;
    if (plane || w->shape[last] < w->shape[across])
        move_dim(w, across, plane ? 1 : 0);
    return plane;
}

WK_KERNEL(copy, wk_copy_work)
{
    region ordered = *w;
    int64_t count = 1;
    for (int dim = 0; dim < w->ndim; dim++)
        count *= w->shape[dim];
    if (w->x_strides[w->ndim - 1] != 1 && transposed_plane(&ordered)) {
        const int64_t line = 64 / w->size, rows = ordered.shape[w->ndim - 2], columns = ordered.shape[w->ndim - 1];
        const int64_t tiles = (rows + line - 1) / line * ((columns + line - 1) / line);
        wk_parallel(copy_tiles, &ordered, count / rows / columns * tiles, line * line);
        return;
    }
    const int last = w->ndim - 1;
    if (last > 0 && w->x_strides[last] == 0 && w->y_strides[last] == 1 && w->shape[last] <= 64) {
        repeats repeated = {.rows = *w, .times = w->shape[last]};
        repeated.rows.ndim--;
        wk_parallel(copy_repeats, &repeated, count / repeated.times, repeated.times);
        return;
    }
    wk_parallel(copy_rows, &ordered, count, 1);
}
