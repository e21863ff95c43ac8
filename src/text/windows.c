/* A long row of ids as data for language models, and texts from files. */
#include <stdlib.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/memory.h>
#include <wick/text.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/tensor.h"
#include "core/text.h"
#include "io/file.h"

static void copy_windows(const int64_t *data, const int64_t *starts, int64_t count, int64_t size, int64_t *x,
                         int64_t *y)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < size; k++) {
            x[i * size + k] = data[starts[i] + k];
            y[i * size + k] = data[starts[i] + k + 1];
        }
}

wk_sample wk_text_get_batch_with(wk_text_get_batch_args args)
{
    const char *const op = "get_batch";
    const int64_t count = args.batch_size, size = args.block_size, shape[] = {count, size};
    wk_sample batch = {0};
    if (!wk_is_tensor(args.data)) {
        wk_not_a_tensor(op, "data", args.data);
        return batch;
    }
    if (count < 0 || size < 1) {
        wk_fail(op, "batch_size, block_size: expected 0 or more and 1 or more, got %lld and %lld", (long long)count,
                (long long)size);
        return batch;
    }
    if (args.data->ndim != 1 || args.data->dtype != wk_int64 || args.data->numel <= size) {
        wk_fail(op, "data: expected int64 (N,) of more than block_size %lld numbers, got %s %s", (long long)size,
                wk_dtype_name(args.data->dtype), wk_shape_string(args.data));
        return batch;
    }
    wk_scope
    {
        wk_tensor *data = wk_contiguous(wk_on_host(op, args.data));
        wk_tensor *starts = wk_randint(0, args.data->numel - size, (count), .generator = args.generator);
        wk_tensor *x = data && starts ? wk_tensor_new(op, 2, shape, wk_int64, wk_cpu) : NULL;
        wk_tensor *y = x ? wk_tensor_new(op, 2, shape, wk_int64, wk_cpu) : NULL;
        if (y) {
            copy_windows(wk_host(op, data), wk_host(op, starts), count, size, wk_host(op, x), wk_host(op, y));
            x = wk_to(x, args.data->device);
            y = wk_to(y, args.data->device);
        }
        if (x && y)
            batch = (wk_sample){.x = wk_keep(x), .y = wk_keep(y)};
    }
    return batch;
}

char *wk_text_read_file(const char *path, int64_t *size)
{
    const char *const op = "read_file";
    if (!path)
        return wk_fail(op, "path: is NULL");
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return NULL;
    char *text = malloc(map->size + 1);
    if (!text) {
        wk_out_of_memory(op, map->size + 1);
    } else {
        if (map->size > 0)
            memcpy(text, map->bytes, map->size);
        text[map->size] = '\0';
        if (size)
            *size = (int64_t)map->size;
        else if (memchr(text, '\0', map->size)) {
            wk_fail(op,
                    "%s: holds a NUL, where C's strings end\nhint: ask for its size, wk_text_read_file(path, &size)",
                    wk_shown(path, (wk_shown_text){0}));
            free(text);
            text = NULL;
        }
    }
    wk_file_map_release(map);
    return text;
}
