/* What torch.save wrote before version 1.6, and writes with _use_new_zipfile_serialization=False: pickles one after
   another, of a number that marks the format, its version, sizes of C types, the object, and a list of keys; then for
   each key, in that order, a storage: the number of its elements (int64), and the elements.  The low byte is always
   first. */
#include <string.h>

#include "core/alloc.h"
#include "load.h"

#define VERSION 1001

/* 0x1950a86a20f9469cfc6c */
static bool is_magic(wk_pickled value)
{
    static const unsigned char magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
    return value.kind == WK_PICKLED_LARGE && value.length == sizeof magic &&
           memcmp(value.bytes, magic, sizeof magic) == 0;
}

/* l->stored: each key, without its bytes so far; false after an error */
static bool list_keys(wk_loading *l, wk_pickled keys)
{
    int64_t count = 0;
    const wk_pickled *items = keys.kind == WK_PICKLED_LIST ? wk_pickled_items(keys, &count) : NULL;
    if (!items)
        return wk_fail(l->op, "%s: has no list of storages", l->path);
    l->stored = wk_alloc_zeroed((size_t)count * sizeof *l->stored);
    if (!l->stored)
        return wk_out_of_memory(l->op, (size_t)count * sizeof *l->stored);
    for (int64_t i = 0; i < count; i++) {
        if (items[i].kind != WK_PICKLED_TEXT)
            return wk_fail(l->op, "%s: the key of a storage is no text", l->path);
        l->stored[l->stored_count++] = (wk_stored){.key = (const char *)items[i].bytes, .key_length = items[i].length};
    }
    return wk_load_sort_stored(l);
}

/* how large elements are stands only where the pickle names a storage */
static bool find_element_sizes(wk_loading *l)
{
    for (const wk_pickled_box *box = l->pickle.boxes; box; box = box->before) {
        wk_storage_id id;
        if (box->kind != WK_PICKLED_PERSISTENT || !wk_load_storage_id(box->items[0], &id) || !id.dtype)
            continue;
        wk_stored *stored = wk_load_find_stored(l, id.key.bytes, id.key.length);
        const int size = (int)wk_dtype_size(id.dtype);
        if (stored && stored->element_size > 0 && stored->element_size != size)
            return wk_fail(l->op, "%s: a storage has elements of %d and of %d bytes", l->path, stored->element_size,
                           size);
        if (stored)
            stored->element_size = size;
    }
    return true;
}

static bool find_bytes(wk_loading *l, wk_pickled keys)
{
    const unsigned char *at = l->pickle.at, *const end = l->map->bytes + l->map->size;
    int64_t count;
    const wk_pickled *items = wk_pickled_items(keys, &count);
    for (int64_t i = 0; i < count; i++) {
        wk_stored *stored = wk_load_find_stored(l, items[i].bytes, items[i].length);
        if (stored->element_size == 0)
            return wk_fail(l->op, "%s: has a storage whose kind of numbers wick has not, or nothing tells", l->path);
        if (end - at < 8)
            return wk_fail(l->op, "%s: is cut off", l->path);
        uint64_t elements = 0;
        for (int byte = 7; byte >= 0; byte--)
            elements = elements << 8 | at[byte];
        at += 8;
        if (elements > (uint64_t)(end - at) / (uint64_t)stored->element_size)
            return wk_fail(l->op, "%s: is cut off: a storage of %llu elements has %lld bytes", l->path,
                           (unsigned long long)elements, (long long)(end - at));
        stored->bytes = at;
        stored->size = elements * (uint64_t)stored->element_size;
        at += stored->size;
    }
    return true;
}

bool wk_load_legacy(wk_loading *l, wk_pickled *value)
{
    wk_pickled magic, version, sizes, keys;
    wk_pickle *const pickle = &l->pickle;
    if (!wk_pickle_read(pickle, &magic))
        return false;
    if (!is_magic(magic))
        return wk_file_is_no(l->op, l->file, ".pt", l->map);
    if (!wk_pickle_read(pickle, &version))
        return false;
    if (version.kind != WK_PICKLED_INTEGER || version.integer != VERSION)
        return wk_fail(l->op, "%s: expected version %d of the format, got another", l->path, VERSION);
    return wk_pickle_read(pickle, &sizes) && wk_pickle_read(pickle, value) && wk_pickle_read(pickle, &keys) &&
           list_keys(l, keys) && find_element_sizes(l) && find_bytes(l, keys);
}
