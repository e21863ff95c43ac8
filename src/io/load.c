/* PyTorch's checkpoints, .pt and .pth: which kind of file it is, and what of it is read first.

   Since version 1.6 torch.save writes a zip archive, whose entries have one folder before their names:
       archive/data.pkl      the pickle, in which storages stand as ("storage", type, key, location, count)
       archive/byteorder     "little" or "big"
       archive/data/KEY      the bytes of a storage
   Older ones are legacy files (load_legacy.c). */
#include <string.h>

#include <wick/error.h>
#include <wick/memory.h>

#include "core/alloc.h"
#include "core/text.h"
#include "load.h"
#include "sharded.h"

#define OP "load"

/* ---------------------------------------------------------------- zip archives */

/* the name of an entry without the folder before it, which all of an archive have */
static const char *inner_name(const wk_zip_entry *e, size_t *length)
{
    const char *slash = memchr(e->name, '/', e->name_length);
    const char *name = slash ? slash + 1 : e->name;
    *length = e->name_length - (size_t)(name - e->name);
    return name;
}

static bool is_name(const wk_zip_entry *e, const char *name)
{
    size_t length;
    const char *inner = inner_name(e, &length);
    return length == strlen(name) && memcmp(inner, name, length) == 0;
}

static bool add_stored(wk_loading *l, int64_t *capacity, const wk_zip_entry *e)
{
    if (l->stored_count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 64;
        wk_stored *grown = wk_realloc(l->stored, (size_t)*capacity * sizeof *grown);
        if (!grown)
            return wk_out_of_memory(l->op, (size_t)*capacity * sizeof *grown);
        l->stored = grown;
    }
    size_t length;
    const char *name = inner_name(e, &length);
    l->stored[l->stored_count++] = (wk_stored){.key = name + 5, .key_length = length - 5, .entry = *e, .size = e->size};
    return true;
}

/* what an archive has that is read here */
typedef struct contents {
    wk_zip_entry pickle, byte_order, constants;
} contents;

static bool read_directory(wk_loading *l, contents *has)
{
    int64_t capacity = 0;
    for (wk_zip_entry e; l->zip.left > 0;) {
        if (!wk_zip_next(&l->zip, &e))
            return false;
        size_t length;
        const char *name = inner_name(&e, &length);
        if (is_name(&e, "data.pkl"))
            has->pickle = e;
        else if (is_name(&e, "byteorder"))
            has->byte_order = e;
        else if (is_name(&e, "constants.pkl"))
            has->constants = e;
        else if (length > 5 && memcmp(name, "data/", 5) == 0 && !add_stored(l, &capacity, &e))
            return false;
    }
    return wk_load_sort_stored(l);
}

static bool read_byte_order(wk_loading *l, const wk_zip_entry *e)
{
    unsigned char *inflated;
    const unsigned char *bytes = e->name ? wk_zip_unpack(&l->zip, e, l->path, &inflated) : NULL;
    if (!bytes)
        return !e->name;
    l->big_endian = e->size == 3 && memcmp(bytes, "big", 3) == 0;
    const bool known = l->big_endian || (e->size == 6 && memcmp(bytes, "little", 6) == 0);
    wk_free(inflated);
    return known || wk_fail(l->op, "%s: its order of bytes is neither little nor big", l->path);
}

#define MOST_PACKED 100 // times: a pickle deflated more than this is none of a checkpoint

static bool read_zip(wk_loading *l, wk_pickled *value)
{
    contents has = {.pickle.name = NULL};
    if (!wk_zip_open(&l->zip, l->op, l->file, l->map) || !read_directory(l, &has))
        return false;
    if (!has.pickle.name)
        return wk_file_is_no(l->op, l->file, ".pt", l->map);
    if (has.constants.name)
        return wk_fail(l->op,
                       "%s: is a TorchScript archive, a program with its weights\nhint: in Python: "
                       "torch.save(torch.jit.load(path).state_dict(), \"weights.pt\")",
                       l->path);
    if (has.pickle.size / MOST_PACKED > has.pickle.packed)
        return wk_fail(l->op, "%s: its pickle is packed more than %d times", l->path, MOST_PACKED);
    const unsigned char *bytes = wk_zip_unpack(&l->zip, &has.pickle, l->path, &l->inflated);
    if (!bytes)
        return false;
    wk_pickle_open(&l->pickle, l->op, l->path, bytes, (size_t)has.pickle.size);
    return read_byte_order(l, &has.byte_order) && wk_pickle_read(&l->pickle, value);
}

/* ---------------------------------------------------------------- all kinds */

static bool read_file(wk_loading *l, wk_pickled *value)
{
    const unsigned char *bytes = l->map->bytes;
    if (wk_zip_is(l->map))
        return read_zip(l, value);
    if (l->map->size < 2 || bytes[0] != 0x80 || bytes[1] < 2 || bytes[1] > 5) // no pickle
        return wk_file_is_no(l->op, l->file, ".pt", l->map);
    wk_pickle_open(&l->pickle, l->op, l->path, bytes, l->map->size);
    return wk_load_legacy(l, value);
}

static wk_dict *load_one(const char *path, const void *args_)
{
    const wk_load_args *args = args_;
    wk_loading l = {.op = OP, .args = args, .file = path};
    l.map = wk_file_map_open(l.op, path);
    if (!l.map)
        return NULL;
    wk_shown(path, l.path);
    wk_pickled value;
    const bool good = read_file(&l, &value) && (l.dict = wk_dict_new()) && wk_load_values(&l, value);
    wk_pickle_close(&l.pickle);
    for (int64_t i = 0; i < l.stored_count; i++)
        wk_release(l.stored[i].memory);
    wk_free(l.stored);
    wk_free(l.inflated);
    wk_file_map_release(l.map);
    if (good)
        return l.dict;
    wk_dict_free(l.dict);
    return NULL;
}

wk_dict *wk_load_with(wk_load_args args)
{
    return wk_sharded_is(args.path) ? wk_sharded_load(OP, args.path, load_one, &args) : load_one(args.path, &args);
}
