/* numpy's .npz: a zip archive, APPNOTE 6.3 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), whose entries
   are .npy files.  At its end stands the directory, which says of each entry its name, how it is packed (0: as it is,
   8: deflate, which zlib inflates), its sizes, its CRC-32 and where it begins; numbers of 4 GiB and more, and of 65535
   entries and more, are in the records of zip64.

   What an archive announces is not believed: entries lie within the file, together take no more bytes of it than it has
   (so that none is counted twice), and inflate to exactly what they announce, which deflate cannot make more than 1032
   times as large. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <wick/cast.h>
#include <wick/io.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"
#include "npy.h"

#define LOCAL 0x04034b50u
#define CENTRAL 0x02014b50u
#define END 0x06054b50u
#define END_64 0x06064b50u
#define LOCATOR_64 0x07064b50u
#define LOCAL_BYTES 30
#define CENTRAL_BYTES 46
#define END_BYTES 22
#define NAME_BYTES 1024
#define IN_64 0xffffffffu
#define MOST_AT_ONCE (1u << 30) // zlib counts in unsigned ints

static uint64_t number(const unsigned char *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

typedef struct entry {
    char name[NAME_BYTES];
    unsigned flags, method;
    uint32_t crc;
    uint64_t packed, size, begin; // begin: of its local header, then of its bytes
} entry;

typedef struct archive {
    const char *op, *path;
    const unsigned char *bytes;
    uint64_t size, packed; // packed: of the entries so far
} archive;

static void *broken(const archive *zip, const char *what)
{
    return wk_fail(zip->op, "%s: %s", wk_shown(zip->path, (wk_shown_text){0}), what);
}

/* ---------------------------------------------------------------- the directory */

/* where it begins, and how many entries it has; false after an error */
static bool find_directory(const archive *zip, uint64_t *begin, uint64_t *entries)
{
    if (zip->size < END_BYTES)
        return broken(zip, "is cut off");
    const uint64_t last = zip->size - END_BYTES, first = last > 0xffff ? last - 0xffff : 0; // a comment may follow
    uint64_t end = last;
    while (number(zip->bytes + end, 4) != END)
        if (end-- == first)
            return broken(zip, "is cut off: a zip archive's end is not there");
    *entries = number(zip->bytes + end + 10, 2);
    *begin = number(zip->bytes + end + 16, 4);
    if (end >= 20 && number(zip->bytes + end - 20, 4) == LOCATOR_64) {
        const uint64_t at = number(zip->bytes + end - 20 + 8, 8);
        if (at > zip->size || zip->size - at < 56 || number(zip->bytes + at, 4) != END_64)
            return broken(zip, "its zip64 end is not there");
        *entries = number(zip->bytes + at + 32, 8);
        *begin = number(zip->bytes + at + 48, 8);
    }
    return true;
}

/* the numbers of e that did not fit, from the extra field of zip64 */
static bool read_zip64(const unsigned char *extra, uint64_t length, entry *e)
{
    while (length >= 4) {
        const uint64_t field = number(extra + 2, 2);
        if (field > length - 4)
            return false;
        if (number(extra, 2) == 1) {
            uint64_t *const places[] = {&e->size, &e->packed, &e->begin};
            uint64_t at = 0;
            for (int i = 0; i < 3; i++)
                if (*places[i] == IN_64) {
                    if (field - at < 8)
                        return false;
                    *places[i] = number(extra + 4 + at, 8);
                    at += 8;
                }
            return true;
        }
        extra += 4 + field;
        length -= 4 + field;
    }
    return e->size != IN_64 && e->packed != IN_64 && e->begin != IN_64;
}

/* the entry of the directory at *at, which moves on; false after an error */
static bool read_entry(archive *zip, uint64_t *at, entry *e)
{
    const unsigned char *head = zip->bytes + *at;
    if (*at > zip->size || zip->size - *at < CENTRAL_BYTES || number(head, 4) != CENTRAL)
        return broken(zip, "its directory is broken");
    const uint64_t name = number(head + 28, 2), extra = number(head + 30, 2), comment = number(head + 32, 2);
    if (name + extra + comment > zip->size - *at - CENTRAL_BYTES)
        return broken(zip, "its directory is cut off");
    if (name == 0 || name >= NAME_BYTES || memchr(head + CENTRAL_BYTES, 0, (size_t)name))
        return broken(zip, "expected names of 1 to 1023 bytes");
    memcpy(e->name, head + CENTRAL_BYTES, (size_t)name);
    e->name[name] = '\0';
    e->flags = (unsigned)number(head + 8, 2);
    e->method = (unsigned)number(head + 10, 2);
    e->crc = (uint32_t)number(head + 16, 4);
    e->packed = number(head + 20, 4);
    e->size = number(head + 24, 4);
    e->begin = number(head + 42, 4);
    if (!read_zip64(head + CENTRAL_BYTES + name, extra, e))
        return broken(zip, "its zip64 numbers are broken");
    *at += CENTRAL_BYTES + name + extra + comment;

    if (e->begin > zip->size || zip->size - e->begin < LOCAL_BYTES || number(zip->bytes + e->begin, 4) != LOCAL)
        return broken(zip, "an entry is not where its directory says");
    e->begin += LOCAL_BYTES + number(zip->bytes + e->begin + 26, 2) + number(zip->bytes + e->begin + 28, 2);
    if (e->begin > zip->size || e->packed > zip->size - e->begin || e->packed > zip->size - zip->packed)
        return broken(zip, "its entries have more bytes than it");
    zip->packed += e->packed;
    return true;
}

/* ---------------------------------------------------------------- load */

/* exactly size bytes; false where it does not inflate to that */
static bool inflate_to(const unsigned char *from, uint64_t packed, unsigned char *to, uint64_t size)
{
    z_stream stream = {.next_in = (unsigned char *)from, .next_out = to};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    unsigned char one_more;
    int status = Z_OK;
    while (status == Z_OK) {
        if (stream.avail_in == 0) {
            stream.avail_in = packed < MOST_AT_ONCE ? (unsigned)packed : MOST_AT_ONCE;
            packed -= stream.avail_in;
        }
        const bool full = size == 0 && stream.avail_out == 0;
        if (full) { // an end of stream may still follow, but no byte
            stream.next_out = &one_more;
            stream.avail_out = 1;
        } else if (stream.avail_out == 0) {
            stream.avail_out = size < MOST_AT_ONCE ? (unsigned)size : MOST_AT_ONCE;
            size -= stream.avail_out;
        }
        status = inflate(&stream, Z_NO_FLUSH);
        if (full) {
            status = stream.avail_out == 1 ? status : Z_DATA_ERROR;
            stream.avail_out = 0;
        }
    }
    inflateEnd(&stream);
    return status == Z_STREAM_END && size == 0 && stream.avail_out == 0 && packed == 0 && stream.avail_in == 0;
}

static uint32_t crc_of(const void *bytes, uint64_t size)
{
    const unsigned char *at = bytes;
    uLong crc = crc32(0, NULL, 0);
    for (unsigned count; size > 0; at += count, size -= count) {
        count = size < MOST_AT_ONCE ? (unsigned)size : MOST_AT_ONCE;
        crc = crc32(crc, at, count);
    }
    return (uint32_t)crc;
}

/* the array of an entry; shown: what errors call it */
static wk_tensor *unpack(const archive *zip, const entry *e, const char *shown)
{
    if (e->flags & 1)
        return wk_fail(zip->op, "%s: is encrypted", shown);
    if (e->method != 0 && e->method != 8)
        return wk_fail(zip->op, "%s: is packed in a way (%u) that is neither none nor deflate", shown, e->method);
    if (e->method == 0 ? e->size != e->packed : e->size / 1032 > e->packed)
        return wk_fail(zip->op, "%s: announces %llu bytes, and has %llu", shown, (unsigned long long)e->size,
                       (unsigned long long)e->packed);
    wk_file_map map = {.references = 1, .bytes = (unsigned char *)zip->bytes + e->begin, .size = (size_t)e->size};
    unsigned char *inflated = NULL;
    if (e->method == 8) {
        if (!(inflated = wk_alloc(map.size)))
            return wk_out_of_memory(zip->op, map.size);
        map.bytes = inflated;
        if (!inflate_to(zip->bytes + e->begin, e->packed, inflated, e->size)) {
            wk_free(inflated);
            return wk_fail(zip->op, "%s: does not inflate to the %zu bytes that it announces", shown, map.size);
        }
    }
    wk_tensor *x = crc_of(map.bytes, map.size) == e->crc ? wk_npy_read(zip->op, shown, &map)
                                                         : wk_fail(zip->op, "%s: its bytes have another CRC-32", shown);
    wk_free(inflated);
    return x;
}

static bool add_entry(const archive *zip, const entry *e, wk_dict *dict)
{
    const size_t length = strlen(e->name);
    char shown[2 * NAME_BYTES + 8];
    wk_shown_text path, name;
    snprintf(shown, sizeof shown, "%s: %s", wk_shown(zip->path, path), wk_shown(e->name, name));
    if (length < 5 || strcmp(e->name + length - 4, ".npy") != 0)
        return wk_fail(zip->op, "%s: is no .npy", shown);
    char key[NAME_BYTES];
    memcpy(key, e->name, length - 4);
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

static bool read_all(archive *zip, wk_dict *dict)
{
    uint64_t at = 0, entries = 0;
    if (!find_directory(zip, &at, &entries))
        return false;
    for (entry e; entries > 0; entries--)
        if (!read_entry(zip, &at, &e) || !add_entry(zip, &e, dict))
            return false;
    return true;
}

wk_dict *wk_numpy_load_npz(const char *path)
{
    const char *const op = "numpy_load_npz";
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return NULL;
    archive zip = {.op = op, .path = path, .bytes = map->bytes, .size = map->size};
    wk_dict *dict = NULL;
    const bool is_zip = map->size >= 4 && (number(map->bytes, 4) == LOCAL || number(map->bytes, 4) == END);
    if (!is_zip)
        wk_file_is_no(op, path, ".npz", map);
    else if ((dict = wk_dict_new()) && !read_all(&zip, dict)) {
        wk_dict_free(dict);
        dict = NULL;
    }
    wk_file_map_release(map);
    return dict;
}

/* ---------------------------------------------------------------- save */

static void put(unsigned char **at, uint64_t value, int count)
{
    for (int i = 0; i < count; i++)
        *(*at)++ = (unsigned char)(value >> (8 * i));
}

/* what local header and directory say alike, from "version needed" to the length of the extra field */
static void put_common(unsigned char **at, const entry *e)
{
    put(at, 20, 2);
    put(at, e->flags, 2);
    put(at, e->method, 2);
    put(at, 0, 2);      // time: midnight
    put(at, 0x0021, 2); // date: 1 January 1980, as numpy writes it, so that the same tensors give the same bytes
    put(at, e->crc, 4);
    put(at, e->packed, 4);
    put(at, e->size, 4);
    put(at, strlen(e->name), 2);
    put(at, 0, 2);
}

static bool name_entry(const char *op, const char *key, entry *e)
{
    const size_t length = strlen(key);
    if (length == 0 || length + 4 >= NAME_BYTES)
        return wk_fail(op, "dict: expected names of 1 to %d bytes, got %s", NAME_BYTES - 5,
                       wk_shown(key, (wk_shown_text){0}));
    *e = (entry){.flags = 1 << 11}; // its name is UTF-8
    memcpy(e->name, key, length);
    memcpy(e->name + length, ".npy", 5);
    return true;
}

/* the local header and the numbers of x; e: what the directory will say of it */
static bool write_entry(const char *op, wk_new_file *file, wk_tensor *x, uint64_t *written, entry *e)
{
    char head[WK_NPY_HEAD];
    unsigned char local[LOCAL_BYTES], *at = local;
    const size_t head_bytes = wk_npy_head(op, x, head), bytes = (size_t)x->numel * wk_dtype_size(x->dtype);
    wk_tensor *dense = head_bytes ? wk_contiguous(wk_to(x, wk_cpu)) : NULL;
    if (!dense)
        return false;
    e->begin = *written;
    e->size = e->packed = head_bytes + bytes;
    if (e->size >= IN_64 || e->begin + e->size >= IN_64)
        return wk_fail(op, "dict: expected less than 4 GiB in all\nhint: wk_safetensors_save_file");
    e->crc = (uint32_t)crc32_combine(crc_of(head, head_bytes), crc_of(wk_host(op, dense), bytes), (z_off_t)bytes);
    put(&at, LOCAL, 4);
    put_common(&at, e);
    *written += LOCAL_BYTES + strlen(e->name) + e->size;
    return wk_new_file_write(file, local, LOCAL_BYTES) && wk_new_file_write(file, e->name, strlen(e->name)) &&
           wk_new_file_write(file, head, head_bytes) && wk_new_file_write(file, wk_host(op, dense), bytes);
}

static bool write_directory(wk_new_file *file, const entry *entries, int64_t count, uint64_t begin)
{
    uint64_t bytes = 0;
    for (int64_t i = 0; i < count; i++) {
        unsigned char central[CENTRAL_BYTES] = {0}, *at = central;
        put(&at, CENTRAL, 4);
        put(&at, 20, 2); // made by version 2.0, as on MS-DOS: no rights of Unix
        put_common(&at, &entries[i]);
        at = central + 42; // no comment, disk 0, no attributes
        put(&at, entries[i].begin, 4);
        if (!wk_new_file_write(file, central, CENTRAL_BYTES) ||
            !wk_new_file_write(file, entries[i].name, strlen(entries[i].name)))
            return false;
        bytes += CENTRAL_BYTES + strlen(entries[i].name);
    }
    unsigned char end[END_BYTES] = {0}, *at = end;
    put(&at, END, 4);
    at = end + 8;
    put(&at, (uint64_t)count, 2);
    put(&at, (uint64_t)count, 2);
    put(&at, bytes, 4);
    put(&at, begin, 4);
    return wk_new_file_write(file, end, END_BYTES);
}

bool wk_numpy_savez(const char *path, const wk_dict *dict)
{
    const char *const op = "numpy_savez";
    if (!dict)
        return wk_null_input(op, "dict");
    const int64_t count = wk_dict_count(dict);
    if (count >= 0xffff)
        return wk_fail(op, "dict: expected less than 65535 tensors, got %lld", (long long)count);
    entry *entries = wk_alloc((size_t)count * sizeof *entries);
    if (!entries)
        return wk_out_of_memory(op, (size_t)count * sizeof *entries);
    wk_new_file file;
    uint64_t written = 0;
    bool good = wk_new_file_open(&file, op, path);
    for (int64_t i = 0; good && i < count; i++)
        wk_scope
    {
        good = name_entry(op, wk_dict_key_at(dict, i), &entries[i]) &&
               write_entry(op, &file, wk_dict_value_at(dict, i), &written, &entries[i]);
        if (!good)
            wk_new_file_abandon(&file);
    }
    good = good && write_directory(&file, entries, count, written) && wk_new_file_commit(&file);
    wk_free(entries);
    return good;
}
