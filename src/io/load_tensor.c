/* Tensors of checkpoints, on the storages that they share.

   A storage is bytes of the file: where they stand uncompressed and aligned, tensors lie on the mapping, else on a
   copy.
   What a tensor says of itself is checked against its storage: its last element lies inside. */
#include <stdlib.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/complex.h>
#include <wick/pointwise.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"
#include "load.h"

#define SHOWN(name) wk_shown(name, (wk_shown_text){0})

/* ---------------------------------------------------------------- storages */

static int compare_keys(const void *a, size_t a_length, const void *b, size_t b_length)
{
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int by_key(const void *a_, const void *b_)
{
    const wk_stored *a = a_, *b = b_;
    return compare_keys(a->key, a->key_length, b->key, b->key_length);
}

bool wk_load_sort_stored(wk_loading *l)
{
    if (l->stored_count > 0)
        qsort(l->stored, (size_t)l->stored_count, sizeof *l->stored, by_key);
    for (int64_t i = 1; i < l->stored_count; i++)
        if (by_key(&l->stored[i - 1], &l->stored[i]) == 0)
            return wk_fail(l->op, "%s: has two storages of one key", l->path);
    return true;
}

wk_stored *wk_load_find_stored(const wk_loading *l, const unsigned char *key, size_t length)
{
    for (int64_t low = 0, high = l->stored_count; low < high;) {
        const int64_t middle = (low + high) / 2;
        wk_stored *stored = &l->stored[middle];
        const int order = compare_keys(key, length, stored->key, stored->key_length);
        if (order == 0)
            return stored;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static const struct {
    const char *name;
    wk_dtype dtype;
} storages[] = {
    {"FloatStorage", wk_float32},
    {"HalfStorage", wk_float16},
    {"BFloat16Storage", wk_bfloat16},
    {"DoubleStorage", wk_float64},
    {"LongStorage", wk_int64},
    {"IntStorage", wk_int32},
    {"ShortStorage", wk_int16},
    {"CharStorage", wk_int8},
    {"ByteStorage", wk_uint8},
    {"BoolStorage", wk_bool},
    {"UntypedStorage", wk_uint8},
    {"ComplexFloatStorage", wk_complex64},
    {"ComplexDoubleStorage", wk_complex128},
};

static bool is_whole(wk_pickled value) { return value.kind == WK_PICKLED_INTEGER && value.integer >= 0; }

bool wk_load_storage_id(wk_pickled persistent, wk_storage_id *id)
{
    const wk_pickled tuple = persistent.kind == WK_PICKLED_PERSISTENT ? persistent.box->items[0] : persistent;
    const wk_pickled *items = tuple.kind == WK_PICKLED_TUPLE && tuple.box->count >= 5 ? tuple.box->items : NULL;
    if (!items || !wk_pickled_is_text(items[0], "storage") || items[1].kind != WK_PICKLED_GLOBAL ||
        items[2].kind != WK_PICKLED_TEXT || !is_whole(items[4]))
        return false;
    *id = (wk_storage_id){.type = items[1], .key = items[2], .count = items[4].integer};
    for (size_t i = 0; i < sizeof storages / sizeof *storages; i++)
        if (wk_pickled_is_text(items[1].box->items[1], storages[i].name)) {
            id->dtype = storages[i].dtype;
            id->untyped = strcmp(storages[i].name, "UntypedStorage") == 0;
        }
    if (tuple.box->count == 6 && items[5].kind == WK_PICKLED_TUPLE) { // key, offset, count of a view on it
        const wk_pickled_box *view = items[5].box;
        if (view->count != 3 || !is_whole(view->items[1]) || !is_whole(view->items[2]) ||
            view->items[1].integer > id->count || view->items[2].integer > id->count - view->items[1].integer)
            return false;
        id->offset = view->items[1].integer;
    }
    return true;
}

static void swap_bytes(unsigned char *bytes, uint64_t size, size_t each)
{
    for (uint64_t at = 0; each > 1 && at + each <= size; at += each)
        for (size_t low = 0, high = each - 1; low < high; low++, high--) {
            const unsigned char byte = bytes[at + low];
            bytes[at + low] = bytes[at + high];
            bytes[at + high] = byte;
        }
}

/* a tensor of bytes of its own memory, or of the mapping; of the innermost scope */
static wk_tensor *read_bytes(wk_loading *l, wk_stored *stored, const char *name)
{
    const int64_t size = (int64_t)stored->size;
    unsigned char *inflated = NULL;
    const unsigned char *bytes =
        stored->bytes ? stored->bytes : wk_zip_unpack(&l->zip, &stored->entry, name, &inflated);
    if (!bytes)
        return NULL;
    if (inflated && !wk_zip_crc_fits(&stored->entry, inflated)) {
        wk_free(inflated);
        return wk_fail(l->op, "%s: %s: its bytes have another CRC-32", l->path, name);
    }
    if (inflated)
        return wk_tensor_from_memory(l->op, inflated, 1, &size, NULL, wk_uint8, wk_cpu, wk_free, inflated);
    if (l->args->mmap && !l->big_endian && size > 0 && (uintptr_t)bytes % 8 == 0) {
        wk_file_map_retain(l->map);
        return wk_tensor_from_memory(l->op, (void *)bytes, 1, &size, NULL, wk_uint8, wk_cpu, wk_file_map_release,
                                     l->map);
    }
    wk_tensor *copy = wk_tensor_new(l->op, 1, &size, wk_uint8, wk_cpu);
    if (copy && size > 0)
        memcpy(wk_host(l->op, copy), bytes, (size_t)size);
    return copy;
}

/* all of a storage as bytes, in the machine's order, where the caller wants it; false after an error */
static bool read_storage(wk_loading *l, wk_stored *stored, const wk_storage_id *id, const char *name)
{
    if (stored->memory)
        return true;
    if (l->big_endian && id->untyped)
        return wk_fail(l->op, "%s: %s: is untyped, of a machine that has the high byte first", l->path, name);
    wk_tensor *memory = read_bytes(l, stored, name);
    if (memory && l->big_endian)
        swap_bytes(wk_host(l->op, memory), stored->size,
                   wk_dtype_size(id->dtype) / (wk_dtype_is_complex(id->dtype) ? 2 : 1));
    if (memory && l->args->map_location.type != WK_DEVICE_DEFAULT)
        memory = wk_to_device(memory, l->args->map_location);
    return memory && (stored->memory = wk_retain(memory));
}

/* a C bool that is neither 0 nor 1 would be undefined behaviour in every kernel after */
static bool check_bools(wk_loading *l, wk_stored *stored, const char *name)
{
    const wk_tensor *bytes = wk_on_host(l->op, stored->memory);
    const unsigned char *at = bytes ? wk_host(l->op, bytes) : NULL;
    if (!at)
        return false;
    for (uint64_t i = 0; !stored->checked && i < stored->size; i++)
        if (at[i] > 1)
            return wk_fail(l->op, "%s: %s: expected bools 0 or 1, got %d", l->path, name, at[i]);
    return stored->checked = true;
}

/* ---------------------------------------------------------------- tensors */

/* what a tensor is made of, as its pickle has it */
typedef struct parts {
    wk_pickled storage, offset, size, stride;
    wk_pickled dtype;    // a global; MARK: the storage's
    wk_pickled metadata; // MARK: none
} parts;

enum { REBUILD, REBUILD_V2, REBUILD_V3, OF_FIRST, OF_TYPE, NOT_HERE };
static const struct {
    const char *module, *name;
    int kind, least;  // arguments
    const char *what; // NOT_HERE
} rebuilders[] = {
    {"torch._utils", "_rebuild_tensor", REBUILD, 4, NULL},
    {"torch._utils", "_rebuild_tensor_v2", REBUILD_V2, 4, NULL},
    {"torch._utils", "_rebuild_tensor_v3", REBUILD_V3, 7, NULL},
    {"torch._utils", "_rebuild_parameter", OF_FIRST, 1, NULL},
    {"torch._utils", "_rebuild_parameter_with_state", OF_FIRST, 1, NULL},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", OF_FIRST, 1, NULL},
    {"torch.nn.parameter", "Parameter", OF_FIRST, 1, NULL},
    {"torch.nn.parameter", "Buffer", OF_FIRST, 1, NULL},
    {"torch._tensor", "_rebuild_from_type_v2", OF_TYPE, 3, NULL},
    {"torch.tensor", "_rebuild_from_type_v2", OF_TYPE, 3, NULL},
    {"torch._utils", "_rebuild_sparse_tensor", NOT_HERE, 0, "sparse"},
    {"torch._utils", "_rebuild_qtensor", NOT_HERE, 0, "quantized"},
    {"torch._utils", "_rebuild_nested_tensor", NOT_HERE, 0, "nested"},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", NOT_HERE, 0, "on the meta device, without numbers"},
    {"torch._utils", "_rebuild_wrapper_subclass", NOT_HERE, 0, "of a class of its own"},
    {"torch._utils", "_rebuild_device_tensor_from_numpy", NOT_HERE, 0, "made of a numpy array"},
    {"torch._utils", "_rebuild_xla_tensor", NOT_HERE, 0, "made of a numpy array"},
};
#define REBUILDERS (int)(sizeof rebuilders / sizeof *rebuilders)

/* which of rebuilders a function is; -1: none */
static int rebuilder_of(wk_pickled function)
{
    for (int i = 0; i < REBUILDERS; i++)
        if (wk_load_names(function, rebuilders[i].module, rebuilders[i].name))
            return i;
    return -1;
}

bool wk_load_is_tensor(wk_pickled value)
{
    return value.kind == WK_PICKLED_PERSISTENT ||
           (value.kind == WK_PICKLED_MADE && rebuilder_of(value.box->items[0]) >= 0);
}

static bool wrong_parts(wk_loading *l, const char *name)
{
    return wk_fail(l->op, "%s: %s: is no tensor as torch.save writes it", l->path, name);
}

/* parameters and tensors of subclasses hold the call that makes their tensor */
static bool find_parts(wk_loading *l, wk_pickled value, const char *name, parts *p)
{
    wk_pickled function = value.box->items[0], arguments = value.box->items[1];
    for (int nested = 0; nested < 4; nested++) {
        const int which = rebuilder_of(function);
        const wk_pickled_box *of = arguments.kind == WK_PICKLED_TUPLE ? arguments.box : NULL;
        if (which < 0 || !of || of->count < rebuilders[which].least)
            break;
        const wk_pickled *items = of->items;
        switch (rebuilders[which].kind) {
        case NOT_HERE:
            return wk_fail(l->op,
                           "%s: %s: is a tensor %s, which wick has not\nhint: in Python, save a dense copy of it",
                           l->path, name, rebuilders[which].what);
        case OF_FIRST:
            if (items[0].kind != WK_PICKLED_MADE)
                return wrong_parts(l, name);
            function = items[0].box->items[0];
            arguments = items[0].box->items[1];
            continue;
        case OF_TYPE: // function, type, arguments, state
            function = items[0];
            arguments = items[2];
            continue;
        default:
            *p = (parts){.storage = items[0], .offset = items[1], .size = items[2], .stride = items[3]};
            const int extra = rebuilders[which].kind == REBUILD_V3 ? 7 : 6;
            if (rebuilders[which].kind == REBUILD_V3)
                p->dtype = items[6];
            if (of->count > extra)
                p->metadata = items[extra];
            return true;
        }
    }
    return wrong_parts(l, name);
}

/* what torch.Size holds, too */
static const wk_pickled_box *tuple_of(wk_pickled value)
{
    if (value.kind == WK_PICKLED_MADE && wk_load_names(value.box->items[0], "torch", "Size")) {
        const wk_pickled arguments = value.box->items[1];
        value = arguments.kind == WK_PICKLED_TUPLE && arguments.box->count == 1 ? arguments.box->items[0] : value;
    }
    return value.kind == WK_PICKLED_TUPLE || value.kind == WK_PICKLED_LIST ? value.box : NULL;
}

typedef struct layout {
    int ndim;
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS], offset;
} layout;

/* false after an error: sizes and strides are none, or lead out of a storage of `count` elements */
static bool read_layout(wk_loading *l, const parts *p, const wk_storage_id *id, int64_t count, const char *name,
                        layout *y)
{
    const wk_pickled_box *size = tuple_of(p->size), *stride = tuple_of(p->stride);
    if (!size || !stride || size->count != stride->count || !is_whole(p->offset))
        return wrong_parts(l, name);
    if (size->count > WK_MAX_DIMS)
        return wk_fail(l->op, "%s: %s: expected at most %d dims, got %lld", l->path, name, WK_MAX_DIMS,
                       (long long)size->count);
    y->ndim = (int)size->count;
    bool large = __builtin_add_overflow(p->offset.integer, id->offset, &y->offset), empty = false;
    int64_t last = y->offset;
    for (int dim = 0; dim < y->ndim; dim++) {
        if (!is_whole(size->items[dim]) || !is_whole(stride->items[dim]))
            return wrong_parts(l, name);
        y->shape[dim] = size->items[dim].integer;
        y->strides[dim] = stride->items[dim].integer;
        int64_t reach;
        empty |= y->shape[dim] == 0;
        large |= __builtin_mul_overflow(y->shape[dim] - 1, y->strides[dim], &reach);
        large |= __builtin_add_overflow(last, reach, &last);
        if (y->shape[dim] == 1 && y->strides[dim] > count) // never taken: any will do
            y->strides[dim] = count;
    }
    if (empty) {
        y->offset = 0;
        wk_contiguous_strides(y->ndim, y->shape, y->strides);
    } else if (large || last >= count) {
        return wk_fail(l->op, "%s: %s: %s reaches beyond its storage of %lld elements", l->path, name,
                       wk_shape_text(y->ndim, y->shape, (char[WK_SHAPE_TEXT]){0}), (long long)count);
    }
    return true;
}

/* "torch.float32" */
static wk_dtype dtype_of(wk_pickled global)
{
    for (wk_dtype dtype = wk_bool; dtype < WK_DTYPES; dtype++)
        if (wk_load_names(global, "torch", wk_dtype_name(dtype)))
            return dtype;
    return wk_dtype_default;
}

static wk_tensor *no_dtype(wk_loading *l, wk_pickled global, const char *name)
{
    char type[64] = "";
    if (global.kind == WK_PICKLED_GLOBAL) {
        const wk_pickled text = global.box->items[1];
        const size_t length = text.length < sizeof type - 1 ? text.length : sizeof type - 1;
        memcpy(type, text.bytes, length);
    }
    return wk_fail(l->op, "%s: %s: its numbers are of a kind that wick has not: %s\nhint: in Python, save x.float()",
                   l->path, name, SHOWN(type));
}

/* negative and conjugate ones are views that PyTorch has a mark for; the values here are what they show */
static wk_tensor *apply_marks(wk_pickled metadata, wk_tensor *x)
{
    const wk_pickled *conjugate = wk_pickled_at(metadata, "conj"), *negative = wk_pickled_at(metadata, "neg");
    if (conjugate && conjugate->kind == WK_PICKLED_BOOL && conjugate->integer)
        x = wk_conj(x);
    return negative && negative->kind == WK_PICKLED_BOOL && negative->integer ? wk_neg(x) : x;
}

wk_tensor *wk_load_tensor(wk_loading *l, wk_pickled value, const char *name)
{
    const bool whole = value.kind == WK_PICKLED_PERSISTENT; // a storage by itself: all of it
    parts p = {.storage = value};
    wk_storage_id id;
    if (!whole && !find_parts(l, value, name, &p))
        return NULL;
    if (p.storage.kind != WK_PICKLED_PERSISTENT || !wk_load_storage_id(p.storage, &id)) {
        wrong_parts(l, name);
        return NULL;
    }
    const bool typed = p.dtype.kind == WK_PICKLED_MARK;
    const wk_dtype dtype = typed ? id.dtype : dtype_of(p.dtype);
    if (!id.dtype || !dtype)
        return no_dtype(l, id.dtype ? p.dtype : id.type, name);
    wk_stored *stored = wk_load_find_stored(l, id.key.bytes, id.key.length);
    if (!stored)
        return wk_fail(l->op, "%s: %s: its storage is not in the file", l->path, name);
    if ((uint64_t)id.count > stored->size / wk_dtype_size(id.dtype))
        return wk_fail(l->op, "%s: %s: its storage has %llu bytes, too few for %lld elements", l->path, name,
                       (unsigned long long)stored->size, (long long)id.count);
    const int64_t count = id.count * (int64_t)wk_dtype_size(id.dtype) / (int64_t)wk_dtype_size(dtype);
    layout y = {.ndim = 1, .shape = {count}, .strides = {1}};
    if ((!whole && !read_layout(l, &p, &id, count, name, &y)) || !read_storage(l, stored, &id, name) ||
        (dtype == wk_bool && !check_bools(l, stored, name)))
        return NULL;
    wk_tensor *x = wk_tensor_alias(l->op, stored->memory, y.ndim, y.shape, y.strides, 0);
    if (!x)
        return NULL;
    x->dtype = dtype;
    x->offset = y.offset;
    return apply_marks(p.metadata, x);
}
