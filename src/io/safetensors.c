/* safetensors: 8 bytes, the length of the header (low byte first); the header, JSON, padded with spaces to a multiple
   of 8:
       {"__metadata__":{"epoch":"6"},"weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}
   then the data; offsets count from its beginning.  https://github.com/huggingface/safetensors

   Reading takes what Python's reader takes and no more: each tensor's bytes are exactly those of its shape and dtype,
   and the tensors cover the data without a gap or an overlap.  Beyond that, bools must be 0 or 1: any other byte in a C
   bool would be undefined behaviour in every kernel after; and a name is there once, and holds no NUL.

   The header is read in one pass, in which each tensor is made on the mapping; what is kept of a tensor until all are
   in order is 32 bytes. */
#include <stdlib.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/io.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"
#include "file.h"
#include "json.h"
#include "sharded.h"

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
    wk_tensor *value; // held
    int64_t begin, end;
} entry;

typedef struct reader {
    const char *op;
    wk_shown_text path;
    wk_file_map *map;
    wk_json header;
    unsigned char *data;
    int64_t data_bytes;
    entry *entries;
    int64_t count, capacity;
} reader;

/* what the header says of one tensor */
typedef struct description {
    const char *name;
    const char *dtype_name;
    wk_dtype dtype;
    int ndim;
    int64_t shape[WK_MAX_DIMS], offsets[2];
    bool has_shape, has_offsets;
} description;

static bool read_length(reader *r, const char *path)
{
    const size_t size = r->map->size;
    uint64_t length = 0;
    for (size_t i = 0; i < 8 && i < size; i++)
        length |= (uint64_t)r->map->bytes[i] << (8 * i);
    if (size < 8 || (size > 8 && r->map->bytes[8] != '{') || length < 2)
        return wk_file_is_no(r->op, path, "safetensors", r->map);
    if (length > LONGEST_HEADER)
        return wk_fail(r->op, "%s: is no safetensors file: expected a header of at most %d bytes, got %llu", r->path,
                       LONGEST_HEADER, (unsigned long long)length);
    if (length > size - 8)
        return wk_fail(r->op, "%s: is cut off: its header has %llu bytes, the file %zu", r->path,
                       (unsigned long long)length, size);
    char *begin = (char *)r->map->bytes + 8;
    r->header = (wk_json){.begin = begin, .at = begin, .end = begin + length};
    r->data = r->map->bytes + 8 + length;
    r->data_bytes = (int64_t)(size - 8 - (size_t)length);
    return true;
}

#define SHOWN(name) wk_shown(name, (wk_shown_text){0})

/* The header's text is wrong: what, and at which byte.  About a tensor, where one is being read. */
static bool not_json(const reader *r, const char *name)
{
    return wk_fail(r->op, "%s: its header is not JSON as safetensors writes it: %s%s%s, at byte %lld of it", r->path,
                   name ? SHOWN(name) : "", name ? ": " : "", r->header.wrong,
                   (long long)(r->header.at - r->header.begin));
}

static bool read_shape(reader *r, description *d)
{
    wk_json *header = &r->header;
    int64_t size;
    if (!wk_json_expect(header, '['))
        return false;
    for (bool first = true; wk_json_more(header, ']', &first); d->ndim++) {
        if (!wk_json_size(header, &size))
            return false;
        if (d->ndim == WK_MAX_DIMS)
            return wk_fail(r->op, "%s: %s: expected at most %d dims, got more", r->path, SHOWN(d->name), WK_MAX_DIMS);
        d->shape[d->ndim] = size;
    }
    return d->has_shape = !header->wrong;
}

static bool read_offsets(wk_json *header, description *d)
{
    return d->has_offsets = wk_json_expect(header, '[') && wk_json_size(header, &d->offsets[0]) &&
                            wk_json_expect(header, ',') && wk_json_size(header, &d->offsets[1]) &&
                            wk_json_expect(header, ']');
}

static bool read_description(reader *r, description *d)
{
    wk_json *header = &r->header;
    if (!wk_json_expect(header, '{'))
        return false;
    for (bool first = true; wk_json_more(header, '}', &first);) {
        const char *field = wk_json_string(header);
        if (!field || !wk_json_expect(header, ':'))
            return false;
        const bool is_dtype = strcmp(field, "dtype") == 0, is_shape = strcmp(field, "shape") == 0,
                   is_offsets = strcmp(field, "data_offsets") == 0;
        if ((is_dtype && d->dtype_name) || (is_shape && d->has_shape) || (is_offsets && d->has_offsets))
            return wk_fail(r->op, "%s: %s: has two of %s", r->path, SHOWN(d->name), field);
        if (is_dtype     ? !(d->dtype_name = wk_json_string(header))
            : is_shape   ? !read_shape(r, d)
            : is_offsets ? !read_offsets(header, d)
                         : !wk_json_skip(header))
            return false;
    }
    return !header->wrong;
}

/* false after an error: the tensor does not lie in the file as its description says */
static bool check_description(const reader *r, description *d)
{
    const char *name = SHOWN(d->name);
    if (!d->dtype_name || !d->has_shape || !d->has_offsets)
        return wk_fail(r->op, "%s: %s: expected an object with dtype, shape and data_offsets", r->path, name);
    for (int i = 0; i < DTYPES; i++)
        if (strcmp(d->dtype_name, dtypes[i].name) == 0)
            d->dtype = dtypes[i].dtype;
    if (!d->dtype)
        return wk_fail(r->op, "%s: %s: dtype %.20s is not one that wick has", r->path, name, SHOWN(d->dtype_name));
    const int64_t begin = d->offsets[0], end = d->offsets[1];
    if (begin > end || end > r->data_bytes)
        return wk_fail(r->op, "%s: %s: data_offsets [%lld, %lld] are not in the file's %lld bytes of data", r->path,
                       name, (long long)begin, (long long)end, (long long)r->data_bytes);
    int64_t bytes = (int64_t)wk_dtype_size(d->dtype);
    bool large = false, empty = false;
    for (int dim = 0; dim < d->ndim; dim++) {
        empty |= d->shape[dim] == 0;
        large |= __builtin_mul_overflow(bytes, d->shape[dim], &bytes);
    }
    if (empty)
        bytes = 0;
    if ((large && !empty) || bytes != end - begin)
        return wk_fail(r->op, "%s: %s: %s %s does not fit its %lld bytes", r->path, name, d->dtype_name,
                       wk_shape_text(d->ndim, d->shape, (char[WK_SHAPE_TEXT]){0}), (long long)(end - begin));
    for (int64_t i = begin; d->dtype == wk_bool && i < end; i++)
        if (r->data[i] > 1)
            return wk_fail(r->op, "%s: %s: expected bools 0 or 1, got %d", r->path, name, r->data[i]);
    return true;
}

/* the tensor on the mapping; a copy where another writer has left its elements unaligned */
static wk_tensor *tensor_of(const reader *r, const description *d)
{
    const int64_t begin = d->offsets[0], bytes = d->offsets[1] - begin;
    unsigned char *data = r->data + begin;
    const size_t size = wk_dtype_size(d->dtype);
    if ((uintptr_t)data % (size < 8 ? size : 8) != 0 || bytes == 0) {
        wk_tensor *copy = wk_tensor_new(r->op, d->ndim, d->shape, d->dtype, wk_cpu);
        if (copy && bytes > 0)
            memcpy(wk_host(r->op, copy), data, (size_t)bytes);
        return copy;
    }
    wk_file_map_retain(r->map);
    return wk_tensor_from_memory(r->op, data, d->ndim, d->shape, NULL, d->dtype, wk_cpu, wk_file_map_release, r->map);
}

static bool add_entry(reader *r, const description *d)
{
    if (r->count == r->capacity) {
        const int64_t capacity = r->capacity ? r->capacity + r->capacity / 2 : 64;
        entry *grown = wk_realloc(r->entries, (size_t)capacity * sizeof *grown);
        if (!grown)
            return wk_out_of_memory(r->op, (size_t)capacity * sizeof *grown);
        r->entries = grown;
        r->capacity = capacity;
    }
    wk_tensor *x = NULL;
    wk_scope
    {
        x = wk_retain(tensor_of(r, d));
    }
    if (x)
        r->entries[r->count++] = (entry){d->name, x, d->offsets[0], d->offsets[1]};
    return x != NULL;
}

static bool read_texts(reader *r, wk_dict *dict)
{
    wk_json *header = &r->header;
    if (!wk_json_expect(header, '{'))
        return false;
    for (bool first = true; wk_json_more(header, '}', &first);) {
        const char *key = wk_json_string(header);
        const char *text = key && wk_json_expect(header, ':') ? wk_json_string(header) : NULL;
        if (!text)
            return false;
        if (wk_dict_text(dict, key))
            return wk_fail(r->op, "%s: __metadata__: %s: is there twice", r->path, SHOWN(key));
        if (!wk_dict_set_text(dict, key, text))
            return false;
    }
    return !header->wrong;
}

static bool read_header(reader *r, wk_dict *dict)
{
    wk_json *header = &r->header;
    const char *name = NULL;
    bool good = wk_json_expect(header, '{'), texts = false;
    for (bool first = true; good && wk_json_more(header, '}', &first);) {
        name = wk_json_string(header);
        good = name && wk_json_expect(header, ':');
        if (!good)
            break;
        description d = {.name = name};
        if (strcmp(name, "__metadata__") != 0) {
            good = read_description(r, &d) && check_description(r, &d) && add_entry(r, &d);
        } else if (texts) {
            good = wk_fail(r->op, "%s: __metadata__: is there twice", r->path);
        } else {
            texts = true;
            good = read_texts(r, dict);
        }
    }
    good = good && wk_json_ends(header);
    return header->wrong && !wk_failing() ? not_json(r, name) : good;
}

static int by_offset(const void *a_, const void *b_)
{
    const entry *a = a_, *b = b_;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

static bool put_tensors(reader *r, wk_dict *dict)
{
    int64_t covered = 0;
    if (r->count > 0)
        qsort(r->entries, (size_t)r->count, sizeof *r->entries, by_offset);
    for (int64_t i = 0; i < r->count; covered = r->entries[i++].end) {
        const entry *e = &r->entries[i];
        if (wk_dict_get(dict, e->name))
            return wk_fail(r->op, "%s: %s: is there twice", r->path, SHOWN(e->name));
        if (e->begin != covered)
            return wk_fail(
                r->op, "%s: %s: expected its data to begin at %lld, where that of the tensor before it ends, got %lld",
                r->path, SHOWN(e->name), (long long)covered, (long long)e->begin);
        if (!wk_dict_set(dict, e->name, e->value))
            return false;
    }
    if (covered != r->data_bytes)
        return wk_fail(r->op, "%s: its tensors cover %lld bytes of its %lld bytes of data", r->path, (long long)covered,
                       (long long)r->data_bytes);
    return true;
}

static wk_dict *load_one(const char *path, const void *unused)
{
    (void)unused;
    reader r = {.op = "safetensors_load_file"};
    r.map = wk_file_map_open(r.op, path);
    wk_dict *dict = r.map ? wk_dict_new() : NULL;
    if (dict)
        wk_shown(path, r.path);
    const bool good = dict && read_length(&r, path) && read_header(&r, dict) && put_tensors(&r, dict);
    for (int64_t i = 0; i < r.count; i++)
        wk_release(r.entries[i].value);
    wk_free(r.entries);
    wk_file_map_release(r.map);
    if (good)
        return dict;
    wk_dict_free(dict);
    return NULL;
}

wk_dict *wk_safetensors_load_file(const char *path)
{
    return wk_sharded_is(path) ? wk_sharded_load("safetensors_load_file", path, load_one, NULL) : load_one(path, NULL);
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

/* false after an error: a name is no UTF-8 */
static bool put_name(const char *op, wk_json_text *text, const char *what, const char *name)
{
    return wk_json_put_string(text, name) || wk_fail(op, "%s %s: expected UTF-8", what, SHOWN(name));
}

static bool put_texts(const char *op, wk_json_text *text, const wk_dict *dict)
{
    wk_json_put(text, "\"__metadata__\":{", 16);
    for (int64_t i = 0; i < wk_dict_text_count(dict); i++) {
        const char *key = wk_dict_text_key_at(dict, i);
        if (i > 0)
            wk_json_put(text, ",", 1);
        if (!put_name(op, text, "key", key))
            return false;
        wk_json_put(text, ":", 1);
        if (!wk_json_put_string(text, wk_dict_text_at(dict, i)))
            return wk_fail(op, "text %s: expected UTF-8", SHOWN(key));
    }
    wk_json_put(text, "}", 1);
    return true;
}

static bool put_tensor(const char *op, wk_json_text *text, const item *of, int64_t begin)
{
    if (!put_name(op, text, "key", of->name))
        return false;
    const char *dtype = dtypes[of->rank].name;
    wk_json_put(text, ":{\"dtype\":\"", 11);
    wk_json_put(text, dtype, strlen(dtype));
    wk_json_put(text, "\",\"shape\":[", 11);
    for (int dim = 0; dim < of->value->ndim; dim++) {
        if (dim > 0)
            wk_json_put(text, ",", 1);
        wk_json_put_number(text, of->value->shape[dim]);
    }
    wk_json_put(text, "],\"data_offsets\":[", 18);
    wk_json_put_number(text, begin);
    wk_json_put(text, ",", 1);
    wk_json_put_number(text, begin + bytes_of(of->value));
    wk_json_put(text, "]}", 2);
    return true;
}

/* the header, padded; false after an error */
static bool put_header(const char *op, wk_json_text *text, const wk_dict *dict, const item *items, int64_t count)
{
    const bool texts = wk_dict_text_count(dict) > 0;
    int64_t begin = 0;
    wk_json_put(text, "{", 1);
    if (texts && !put_texts(op, text, dict))
        return false;
    for (int64_t i = 0; i < count; begin += bytes_of(items[i++].value)) {
        if (i > 0 || texts)
            wk_json_put(text, ",", 1);
        if (!put_tensor(op, text, &items[i], begin))
            return false;
    }
    wk_json_put(text, "}", 1);
    wk_json_put(text, "        ", (8 - text->used % 8) % 8);
    if (text->failed)
        return wk_out_of_memory(op, 2 * text->capacity);
    return text->used <= LONGEST_HEADER ||
           wk_fail(op, "dict: its names take a header of %zu bytes, of which readers take %d", text->used,
                   LONGEST_HEADER);
}

static bool write_all(const char *op, const char *path, const wk_json_text *header, const item *items, int64_t count)
{
    unsigned char size[8];
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)header->used >> (8 * i));
    wk_new_file file;
    bool good = wk_new_file_open(&file, op, path) && wk_new_file_write(&file, size, 8) &&
                wk_new_file_write(&file, header->bytes, header->used);
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
        return wk_failing() ? false : wk_fail(op, "dict: expected a dict, got NULL") != NULL;
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
            good = wk_fail(op, "%s: safetensors has no %s\nhint: wk_to(x, wk_complex64)", SHOWN(items[i].name),
                           wk_dtype_name(items[i].value->dtype));
        else if (strcmp(items[i].name, "__metadata__") == 0)
            good = wk_fail(op, "key __metadata__: is the place of the texts\nhint: name the tensor otherwise");
    }
    if (good) // else the rest of them have no names
        qsort(items, (size_t)count, sizeof *items, by_place);
    wk_json_text header = {0};
    good = good && put_header(op, &header, dict, items, count) && write_all(op, path, &header, items, count);
    wk_free(header.bytes);
    wk_free(items);
    return good;
}
