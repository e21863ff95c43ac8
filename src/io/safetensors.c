/* safetensors: 8 bytes, the length of the header (low byte first); the header, JSON, padded with spaces to a multiple
   of 8:
       {"__metadata__":{"epoch":"6"},"weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}
   then the data; offsets count from its beginning.  https://github.com/huggingface/safetensors

   Reading takes what Python's reader takes and no more: each tensor's bytes are exactly those of its shape and dtype,
   and the tensors cover the data without a gap or an overlap.  Beyond that, bools must be 0 or 1: any other byte in a C
   bool would be undefined behaviour in every kernel after. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/io.h>

#include "core/alloc.h"
#include "core/host.h"
#include "file.h"

#define LONGEST_HEADER 100000000 // Python's limit

/* in the order in which tensors lie in a file: the reverse of safetensors' enum, widest first */
static const struct {
    wk_dtype dtype;
    const char *name;
} dtypes[] = {{wk_int64, "I64"}, {wk_float64, "F64"},   {wk_complex64, "C64"}, {wk_float32, "F32"},
              {wk_int32, "I32"}, {wk_bfloat16, "BF16"}, {wk_float16, "F16"},   {wk_int16, "I16"},
              {wk_int8, "I8"},   {wk_uint8, "U8"},      {wk_bool, "BOOL"}};
#define DTYPES (int)(sizeof dtypes / sizeof *dtypes)

/* ---------------------------------------------------------------- reading */

typedef struct entry {
    const char *name;
    int ndim;
    int64_t shape[WK_MAX_DIMS];
    wk_dtype dtype;
    int64_t begin, end;
} entry;

typedef struct reader {
    const char *op, *path;
    wk_file_map *map;
    json_t *header;
    unsigned char *data;
    int64_t data_bytes;
    entry *entries; // in the order of the file
    int64_t count;
} reader;

static bool read_header(reader *r)
{
    const size_t size = r->map->size;
    if (size < 8)
        return wk_fail(r->op, "%s: is no safetensors file: it has %zu bytes, fewer than the length of a header takes",
                       r->path, size);
    uint64_t length = 0;
    for (int i = 0; i < 8; i++)
        length |= (uint64_t)r->map->bytes[i] << (8 * i);
    if (length > LONGEST_HEADER)
        return wk_fail(r->op, "%s: is no safetensors file: expected a header of at most %d bytes, got %llu", r->path,
                       LONGEST_HEADER, (unsigned long long)length);
    if (length > size - 8)
        return wk_fail(r->op, "%s: is cut off: its header has %llu bytes, the file %zu", r->path,
                       (unsigned long long)length, size);
    json_error_t error;
    r->header = json_loadb((const char *)r->map->bytes + 8, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (!r->header)
        return wk_fail(r->op, "%s: its header is not JSON: %s", r->path, error.text);
    if (!json_is_object(r->header) || r->map->bytes[8] != '{')
        return wk_fail(r->op, "%s: its header is not a JSON object", r->path);
    r->data = r->map->bytes + 8 + length;
    r->data_bytes = (int64_t)(size - 8 - (size_t)length);
    return true;
}

static bool read_sizes(reader *r, entry *e, const json_t *shape)
{
    if (!json_is_array(shape))
        return wk_fail(r->op, "%s: %s: expected a shape, an array of sizes", r->path, e->name);
    if (json_array_size(shape) > WK_MAX_DIMS)
        return wk_fail(r->op, "%s: %s: expected at most %d dims, got %zu", r->path, e->name, WK_MAX_DIMS,
                       json_array_size(shape));
    e->ndim = (int)json_array_size(shape);
    for (int dim = 0; dim < e->ndim; dim++) {
        const json_t *size = json_array_get(shape, (size_t)dim);
        e->shape[dim] = json_is_integer(size) ? json_integer_value(size) : -1;
        if (e->shape[dim] < 0)
            return wk_fail(r->op, "%s: %s: expected sizes that are whole numbers, 0 or more", r->path, e->name);
    }
    return true;
}

static bool read_entry(reader *r, entry *e, const json_t *value)
{
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    if (!dtype)
        return wk_fail(r->op, "%s: %s: expected an object with dtype, shape and data_offsets", r->path, e->name);
    for (int i = 0; i < DTYPES; i++)
        if (strcmp(dtype, dtypes[i].name) == 0)
            e->dtype = dtypes[i].dtype;
    if (!e->dtype)
        return wk_fail(r->op, "%s: %s: dtype %.20s is not one that wick has", r->path, e->name, dtype);
    if (!read_sizes(r, e, json_object_get(value, "shape")))
        return false;
    const json_t *offsets = json_object_get(value, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return wk_fail(r->op, "%s: %s: expected data_offsets, two whole numbers", r->path, e->name);
    e->begin = json_integer_value(begin);
    e->end = json_integer_value(end);
    if (e->begin < 0 || e->begin > e->end || e->end > r->data_bytes)
        return wk_fail(r->op, "%s: %s: data_offsets [%lld, %lld] are not in the file's %lld bytes of data", r->path,
                       e->name, (long long)e->begin, (long long)e->end, (long long)r->data_bytes);
    int64_t bytes = (int64_t)wk_dtype_size(e->dtype);
    bool large = false, empty = false;
    for (int dim = 0; dim < e->ndim; dim++) {
        empty |= e->shape[dim] == 0;
        large |= __builtin_mul_overflow(bytes, e->shape[dim], &bytes);
    }
    if (empty)
        bytes = 0;
    if ((large && !empty) || bytes != e->end - e->begin)
        return wk_fail(r->op, "%s: %s: %s %s does not fit its %lld bytes", r->path, e->name, dtype,
                       wk_shape_text(e->ndim, e->shape, (char[WK_SHAPE_TEXT]){0}), (long long)(e->end - e->begin));
    for (int64_t i = e->begin; e->dtype == wk_bool && i < e->end; i++)
        if (r->data[i] > 1)
            return wk_fail(r->op, "%s: %s: expected bools 0 or 1, got %d", r->path, e->name, r->data[i]);
    return true;
}

static int by_offset(const void *a_, const void *b_)
{
    const entry *a = a_, *b = b_;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

static bool read_entries(reader *r, wk_dict *dict)
{
    const size_t bytes = (json_object_size(r->header) + 1) * sizeof(entry);
    const char *key;
    json_t *value;
    r->entries = wk_alloc_zeroed(bytes);
    if (!r->entries)
        return wk_out_of_memory(r->op, bytes);
    json_object_foreach(r->header, key, value)
    {
        if (strcmp(key, "__metadata__") != 0) {
            entry *e = &r->entries[r->count++];
            e->name = key;
            if (!read_entry(r, e, value))
                return false;
            continue;
        }
        const char *text_key;
        json_t *text;
        if (!json_is_object(value))
            return wk_fail(r->op, "%s: __metadata__: expected an object of texts", r->path);
        json_object_foreach(value, text_key, text)
        {
            if (!json_is_string(text))
                return wk_fail(r->op, "%s: __metadata__: %.100s: expected a text", r->path, text_key);
            if (!wk_dict_set_text(dict, text_key, json_string_value(text)))
                return false;
        }
    }
    qsort(r->entries, (size_t)r->count, sizeof *r->entries, by_offset);
    int64_t covered = 0;
    for (int64_t i = 0; i < r->count; covered = r->entries[i++].end)
        if (r->entries[i].begin != covered)
            return wk_fail(
                r->op, "%s: %s: expected its data to begin at %lld, where that of the tensor before it ends, got %lld",
                r->path, r->entries[i].name, (long long)covered, (long long)r->entries[i].begin);
    if (covered != r->data_bytes)
        return wk_fail(r->op, "%s: its tensors cover %lld bytes of its %lld bytes of data", r->path, (long long)covered,
                       (long long)r->data_bytes);
    return true;
}

/* the tensor on the mapping; a copy where another writer has left its elements unaligned */
static wk_tensor *tensor_of(reader *r, const entry *e)
{
    unsigned char *data = r->data + e->begin;
    const size_t size = wk_dtype_size(e->dtype);
    if ((uintptr_t)data % (size < 8 ? size : 8) != 0 || e->begin == e->end) {
        wk_tensor *copy = wk_tensor_new(r->op, e->ndim, e->shape, e->dtype, wk_cpu);
        if (copy && e->begin != e->end)
            memcpy(wk_host(r->op, copy), data, (size_t)(e->end - e->begin));
        return copy;
    }
    wk_file_map_retain(r->map);
    return wk_tensor_from_memory(r->op, data, e->ndim, e->shape, NULL, e->dtype, wk_cpu, wk_file_map_release, r->map);
}

static bool read_tensors(reader *r, wk_dict *dict)
{
    for (int64_t i = 0; i < r->count; i++) {
        bool good = false;
        wk_scope
        {
            wk_tensor *x = tensor_of(r, &r->entries[i]);
            good = x && wk_dict_set(dict, r->entries[i].name, x);
        }
        if (!good)
            return false;
    }
    return true;
}

wk_dict *wk_safetensors_load_file(const char *path)
{
    reader r = {.op = "safetensors_load_file", .path = path};
    r.map = wk_file_map_open(r.op, path);
    wk_dict *dict = r.map ? wk_dict_new() : NULL;
    const bool good = dict && read_header(&r) && read_entries(&r, dict) && read_tensors(&r, dict);
    json_decref(r.header);
    wk_free(r.entries);
    wk_file_map_release(r.map);
    if (good)
        return dict;
    wk_dict_free(dict);
    return NULL;
}

/* ---------------------------------------------------------------- writing */

typedef struct item {
    const char *name;
    wk_tensor *value;
    int rank; // of its dtype, the widest first
} item;

static int by_place(const void *a_, const void *b_)
{
    const item *a = a_, *b = b_;
    return a->rank != b->rank ? a->rank - b->rank : strcmp(a->name, b->name);
}

static int64_t bytes_of(const wk_tensor *x) { return x->numel * (int64_t)wk_dtype_size(x->dtype); }

/* the header as text, to be freed by free(); NULL after an error */
static char *header_text(const char *op, const wk_dict *dict, const item *items, int64_t count)
{
    json_t *header = json_object(), *texts = NULL;
    bool good = header != NULL;
    if (wk_dict_text_count(dict) > 0) {
        texts = json_object();
        good = good && json_object_set_new(header, "__metadata__", texts) == 0;
    }
    for (int64_t i = 0; good && i < wk_dict_text_count(dict); i++) {
        good = json_object_set_new(texts, wk_dict_text_key_at(dict, i), json_string(wk_dict_text_at(dict, i))) == 0;
        if (!good)
            wk_fail(op, "text %s: expected UTF-8", wk_dict_text_key_at(dict, i));
    }
    int64_t begin = 0;
    for (int64_t i = 0; good && i < count; i++) {
        const wk_tensor *x = items[i].value;
        json_t *shape = json_array();
        for (int dim = 0; dim < x->ndim; dim++)
            json_array_append_new(shape, json_integer(x->shape[dim]));
        json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[items[i].rank].name, "shape", shape,
                                  "data_offsets", (json_int_t)begin, (json_int_t)(begin + bytes_of(x)));
        good = entry && json_object_set_new(header, items[i].name, entry) == 0;
        if (!good)
            wk_fail(op, "key %s: expected UTF-8", items[i].name);
        begin += bytes_of(x);
    }
    char *text = good ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (!text && !wk_failing())
        return wk_out_of_memory(op, 0);
    return text;
}

static bool write_all(const char *op, const char *path, const char *header, const item *items, int64_t count)
{
    const size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    unsigned char size[8];
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)padded >> (8 * i));
    wk_new_file file;
    bool good = wk_new_file_open(&file, op, path) && wk_new_file_write(&file, size, 8) &&
                wk_new_file_write(&file, header, length) && wk_new_file_write(&file, "        ", padded - length);
    for (int64_t i = 0; good && i < count; i++)
        wk_scope
    {
        wk_tensor *x = wk_contiguous(wk_to(items[i].value, wk_cpu));
        good = x && wk_new_file_write(&file, wk_host(op, x), (size_t)bytes_of(x));
    }
    if (good)
        return wk_new_file_commit(&file);
    wk_new_file_abandon(&file);
    return false;
}

bool wk_safetensors_save_file(const wk_dict *dict, const char *path)
{
    const char *const op = "safetensors_save_file";
    if (!dict)
        return wk_null_input(op, "dict");
    const int64_t count = wk_dict_count(dict);
    const size_t bytes = (size_t)(count + 1) * sizeof(item);
    item *items = wk_alloc_zeroed(bytes);
    if (!items)
        return wk_out_of_memory(op, bytes);
    bool good = true;
    for (int64_t i = 0; good && i < count; i++) {
        items[i] = (item){.name = wk_dict_key_at(dict, i), .value = wk_dict_value_at(dict, i)};
        while (items[i].rank < DTYPES - 1 && dtypes[items[i].rank].dtype != items[i].value->dtype)
            items[i].rank++;
        if (dtypes[items[i].rank].dtype != items[i].value->dtype)
            good = wk_fail(op, "%s: safetensors has no %s\nhint: wk_to(x, wk_complex64)", items[i].name,
                           wk_dtype_name(items[i].value->dtype));
        else if (strcmp(items[i].name, "__metadata__") == 0)
            good = wk_fail(op, "key __metadata__: is the place of the texts\nhint: name the tensor otherwise");
    }
    qsort(items, (size_t)count, sizeof *items, by_place);
    char *header = good ? header_text(op, dict, items, count) : NULL;
    good = header && write_all(op, path, header, items, count);
    free(header);
    wk_free(items);
    return good;
}
