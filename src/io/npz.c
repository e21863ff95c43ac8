/* numpy's .npz: a zip archive whose entries are .npy files. */
#include <stdio.h>
#include <string.h>

#include <wick/cast.h>
#include <wick/io.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"
#include "npy.h"
#include "zip.h"

/* ---------------------------------------------------------------- load */

/* the array of an entry; shown: what errors call it */
static wk_tensor *unpack(const wk_zip *zip, const wk_zip_entry *e, const char *shown)
{
    unsigned char *inflated;
    const unsigned char *bytes = wk_zip_unpack(zip, e, shown, &inflated);
    if (!bytes)
        return NULL;
    const wk_file_map map = {.references = 1, .bytes = (unsigned char *)bytes, .size = (size_t)e->size};
    wk_tensor *x = wk_zip_crc_fits(e, bytes) ? wk_npy_read(zip->op, shown, &map)
                                             : wk_fail(zip->op, "%s: its bytes have another CRC-32", shown);
    wk_free(inflated);
    return x;
}

static bool add_entry(const wk_zip *zip, const wk_zip_entry *e, wk_dict *dict)
{
    char key[WK_ZIP_NAME], shown[2 * WK_ZIP_NAME + 8];
    const size_t length = e->name_length;
    memcpy(key, e->name, length);
    key[length] = '\0';
    wk_shown_text path, name;
    snprintf(shown, sizeof shown, "%s: %s", wk_shown(zip->path, path), wk_shown(key, name));
    if (length < 5 || strcmp(key + length - 4, ".npy") != 0)
        return wk_fail(zip->op, "%s: is no .npy", shown);
    key[length - 4] = '\0';
    if (wk_dict_get(dict, key))
        return wk_fail(zip->op, "%s: is there twice", shown);
    bool good = false;
    wk_scope
    {
        wk_tensor *x = unpack(zip, e, shown);
        good = x && wk_dict_set(dict, key, x);
    }
    return good;
}

static bool read_all(wk_zip *zip, wk_dict *dict)
{
    for (wk_zip_entry e; zip->left > 0;)
        if (!wk_zip_next(zip, &e) || !add_entry(zip, &e, dict))
            return false;
    return true;
}

wk_dict *wk_numpy_load_npz(const char *path)
{
    const char *const op = "numpy_load_npz";
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return NULL;
    wk_zip zip;
    wk_dict *dict = NULL;
    if (!wk_zip_is(map))
        wk_file_is_no(op, path, ".npz", map);
    else if (wk_zip_open(&zip, op, path, map) && (dict = wk_dict_new()) && !read_all(&zip, dict)) {
        wk_dict_free(dict);
        dict = NULL;
    }
    wk_file_map_release(map);
    return dict;
}

/* ---------------------------------------------------------------- save */

static bool write_entry(wk_zip_writer *zip, const char *key, wk_tensor *x)
{
    const char *const op = zip->file.op;
    const size_t length = strlen(key);
    if (length == 0 || length + 4 >= WK_ZIP_NAME)
        return wk_fail(op, "dict: expected names of 1 to %d bytes, got %s", WK_ZIP_NAME - 5,
                       wk_shown(key, (wk_shown_text){0}));
    char name[WK_ZIP_NAME], head[WK_NPY_HEAD];
    snprintf(name, sizeof name, "%s.npy", key);
    const size_t head_bytes = wk_npy_head(op, x, head);
    wk_tensor *dense = head_bytes ? wk_contiguous(wk_to(x, wk_cpu)) : NULL;
    return dense && wk_zip_add(zip, name, 1,
                               (wk_zip_part[]){{head, head_bytes},
                                               {wk_host(op, dense), (uint64_t)x->numel * wk_dtype_size(x->dtype)}},
                               2);
}

bool wk_numpy_savez(const char *path, const wk_dict *dict)
{
    const char *const op = "numpy_savez";
    if (!dict)
        return wk_null_input(op, "dict");
    wk_zip_writer zip;
    bool good = wk_zip_create(&zip, op, path);
    for (int64_t i = 0; good && i < wk_dict_count(dict); i++)
        wk_scope
    {
        good = write_entry(&zip, wk_dict_key_at(dict, i), wk_dict_value_at(dict, i));
        if (!good)
            wk_zip_abandon(&zip);
    }
    return good && wk_zip_commit(&zip);
}
