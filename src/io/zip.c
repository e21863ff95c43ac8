/* Zip archives, APPNOTE 6.3 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).  At an archive's end stands
   the directory, which says of each entry its name, how it is packed (0: as it is, 8: deflate, which zlib inflates),
   its sizes, its CRC-32 and where it begins; numbers of 4 GiB and more, and of 65535 entries and more, are in the
   records of zip64.

   What an archive announces is not believed: entries lie within the file, together take no more bytes of it than it has
   (so that none is counted twice), and inflate to exactly what they announce, which deflate cannot make more than 1032
   times as large. */
#include "zip.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/text.h"

#define LOCAL 0x04034b50u
#define CENTRAL 0x02014b50u
#define END 0x06054b50u
#define END_64 0x06064b50u
#define LOCATOR_64 0x07064b50u
#define LOCAL_BYTES 30
#define CENTRAL_BYTES 46
#define END_BYTES 22
#define IN_64 0xffffffffu
#define MOST_AT_ONCE (1u << 30) // zlib counts in unsigned ints

static uint64_t number(const unsigned char *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void *broken(const wk_zip *zip, const char *what)
{
    return wk_fail(zip->op, "%s: %s", wk_shown(zip->path, (wk_shown_text){0}), what);
}

/* ---------------------------------------------------------------- the directory */

bool wk_zip_is(const wk_file_map *map)
{
    return map->size >= 4 && (number(map->bytes, 4) == LOCAL || number(map->bytes, 4) == END);
}

bool wk_zip_open(wk_zip *zip, const char *op, const char *path, const wk_file_map *map)
{
    *zip = (wk_zip){.op = op, .path = path, .bytes = map->bytes, .size = map->size};
    if (zip->size < END_BYTES)
        return broken(zip, "is cut off");
    const uint64_t last = zip->size - END_BYTES, first = last > 0xffff ? last - 0xffff : 0; // a comment may follow
    uint64_t end = last;
    while (number(zip->bytes + end, 4) != END)
        if (end-- == first)
            return broken(zip, "is cut off: a zip archive's end is not there");
    zip->left = number(zip->bytes + end + 10, 2);
    zip->at = number(zip->bytes + end + 16, 4);
    if (end >= 20 && number(zip->bytes + end - 20, 4) == LOCATOR_64) {
        const uint64_t at = number(zip->bytes + end - 20 + 8, 8);
        if (at > zip->size || zip->size - at < 56 || number(zip->bytes + at, 4) != END_64)
            return broken(zip, "its zip64 end is not there");
        zip->left = number(zip->bytes + at + 32, 8);
        zip->at = number(zip->bytes + at + 48, 8);
    }
    return true;
}

/* the numbers of e that did not fit, from the extra field of zip64 */
static bool read_zip64(const unsigned char *extra, uint64_t length, wk_zip_entry *e)
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

bool wk_zip_next(wk_zip *zip, wk_zip_entry *e)
{
    if (zip->at > zip->size || zip->size - zip->at < CENTRAL_BYTES || number(zip->bytes + zip->at, 4) != CENTRAL)
        return broken(zip, "its directory is broken");
    const unsigned char *head = zip->bytes + zip->at;
    const uint64_t name = number(head + 28, 2), extra = number(head + 30, 2), comment = number(head + 32, 2);
    if (name + extra + comment > zip->size - zip->at - CENTRAL_BYTES)
        return broken(zip, "its directory is cut off");
    if (name == 0 || name >= WK_ZIP_NAME || memchr(head + CENTRAL_BYTES, 0, (size_t)name))
        return broken(zip, "expected names of 1 to 1023 bytes");
    *e = (wk_zip_entry){
        .name = (const char *)head + CENTRAL_BYTES,
        .name_length = (size_t)name,
        .flags = (unsigned)number(head + 8, 2),
        .method = (unsigned)number(head + 10, 2),
        .crc = (uint32_t)number(head + 16, 4),
        .packed = number(head + 20, 4),
        .size = number(head + 24, 4),
        .begin = number(head + 42, 4), // of its local header
    };
    if (!read_zip64(head + CENTRAL_BYTES + name, extra, e))
        return broken(zip, "its zip64 numbers are broken");
    zip->at += CENTRAL_BYTES + name + extra + comment;
    zip->left--;

    if (e->begin > zip->size || zip->size - e->begin < LOCAL_BYTES || number(zip->bytes + e->begin, 4) != LOCAL)
        return broken(zip, "an entry is not where its directory says");
    e->begin += LOCAL_BYTES + number(zip->bytes + e->begin + 26, 2) + number(zip->bytes + e->begin + 28, 2);
    if (e->begin > zip->size || e->packed > zip->size - e->begin || e->packed > zip->size - zip->packed)
        return broken(zip, "its entries have more bytes than it");
    zip->packed += e->packed;
    return true;
}

/* ---------------------------------------------------------------- bytes of an entry */

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

/* of what has the crc before, and these bytes */
static uint32_t crc_of(uint32_t before, const void *bytes, uint64_t size)
{
    const unsigned char *at = bytes;
    uLong crc = before;
    for (unsigned count; size > 0; at += count, size -= count) {
        count = size < MOST_AT_ONCE ? (unsigned)size : MOST_AT_ONCE;
        crc = crc32(crc, at, count);
    }
    return (uint32_t)crc;
}

bool wk_zip_crc_fits(const wk_zip_entry *e, const unsigned char *bytes) { return crc_of(0, bytes, e->size) == e->crc; }

const unsigned char *wk_zip_unpack(const wk_zip *zip, const wk_zip_entry *e, const char *shown,
                                   unsigned char **inflated)
{
    *inflated = NULL;
    if (e->flags & 1)
        return wk_fail(zip->op, "%s: is encrypted", shown);
    if (e->method != 0 && e->method != 8)
        return wk_fail(zip->op, "%s: is packed in a way (%u) that is neither none nor deflate", shown, e->method);
    if (e->method == 0 ? e->size != e->packed : e->size / 1032 > e->packed)
        return wk_fail(zip->op, "%s: announces %llu bytes, and has %llu", shown, (unsigned long long)e->size,
                       (unsigned long long)e->packed);
    if (e->method == 0)
        return zip->bytes + e->begin;
    unsigned char *bytes = wk_alloc((size_t)e->size);
    if (!bytes)
        return wk_out_of_memory(zip->op, (size_t)e->size);
    if (!inflate_to(zip->bytes + e->begin, e->packed, bytes, e->size)) {
        wk_free(bytes);
        return wk_fail(zip->op, "%s: does not inflate to the %llu bytes that it announces", shown,
                       (unsigned long long)e->size);
    }
    return *inflated = bytes;
}

/* ---------------------------------------------------------------- writing */

struct wk_zip_written {
    char *name;
    uint32_t crc;
    uint64_t size, begin; // begin: of its local header
};

static void put(unsigned char **at, uint64_t value, int count)
{
    for (int i = 0; i < count; i++)
        *(*at)++ = (unsigned char)(value >> (8 * i));
}

static uint64_t up_to_64(uint64_t value) { return value < IN_64 ? value : IN_64; }

/* what local header and directory say alike, from "version needed" to the length of the extra field */
static void put_common(unsigned char **at, const struct wk_zip_written *e, size_t extra)
{
    put(at, e->size >= IN_64 || e->begin >= IN_64 ? 45 : 20, 2);
    put(at, 1 << 11, 2); // its name is UTF-8
    put(at, 0, 2);       // as it is
    put(at, 0, 2);       // time: midnight
    put(at, 0x0021, 2);  // date: 1 January 1980, as numpy writes it, so that the same tensors give the same bytes
    put(at, e->crc, 4);
    put(at, up_to_64(e->size), 4);
    put(at, up_to_64(e->size), 4);
    put(at, strlen(e->name), 2);
    put(at, extra, 2);
}

/* the extra field of zip64: what did not fit; how many bytes it has */
static size_t put_zip64(unsigned char *extra, const struct wk_zip_written *e, bool with_begin)
{
    const bool large = e->size >= IN_64, far = with_begin && e->begin >= IN_64;
    if (!large && !far)
        return 0;
    unsigned char *at = extra;
    put(&at, 1, 2);
    put(&at, large * 16 + far * 8, 2);
    if (large) {
        put(&at, e->size, 8);
        put(&at, e->size, 8);
    }
    if (far)
        put(&at, e->begin, 8);
    return (size_t)(at - extra);
}

bool wk_zip_create(wk_zip_writer *zip, const char *op, const char *path)
{
    *zip = (wk_zip_writer){.count = 0};
    return wk_new_file_open(&zip->file, op, path);
}

void wk_zip_abandon(wk_zip_writer *zip)
{
    for (int64_t i = 0; i < zip->count; i++)
        wk_free(zip->entries[i].name);
    wk_free(zip->entries);
    zip->entries = NULL;
    zip->count = zip->capacity = 0;
    wk_new_file_abandon(&zip->file);
}

/* room for the next entry, with its name; NULL after an error */
static struct wk_zip_written *new_entry(wk_zip_writer *zip, const char *name)
{
    if (zip->count == zip->capacity) {
        const int64_t capacity = zip->capacity ? 2 * zip->capacity : 64;
        struct wk_zip_written *grown = wk_realloc(zip->entries, (size_t)capacity * sizeof *grown);
        if (!grown)
            return wk_out_of_memory(zip->file.op, (size_t)capacity * sizeof *grown);
        zip->entries = grown;
        zip->capacity = capacity;
    }
    struct wk_zip_written *e = &zip->entries[zip->count];
    *e = (struct wk_zip_written){.name = wk_strdup(name), .begin = zip->written};
    if (!e->name)
        return wk_out_of_memory(zip->file.op, strlen(name) + 1);
    zip->count++;
    return e;
}

static bool write_bytes(wk_zip_writer *zip, const void *bytes, size_t count)
{
    zip->written += count;
    return wk_new_file_write(&zip->file, bytes, count);
}

/* the padding is an extra field as PyTorch writes it, of a kind that nobody reads */
#define PADDING_HEAD 4
#define MOST_PADDING (PADDING_HEAD + 64)

bool wk_zip_add(wk_zip_writer *zip, const char *name, int alignment, const wk_zip_part *parts, int count)
{
    struct wk_zip_written *e = new_entry(zip, name);
    bool good = e != NULL;
    for (int i = 0; good && i < count; i++) {
        e->crc = crc_of(e->crc, parts[i].bytes, parts[i].size);
        e->size += parts[i].size;
    }
    if (good) {
        unsigned char local[LOCAL_BYTES], extra[20 + MOST_PADDING], *at = local;
        size_t bytes = put_zip64(extra, e, false);
        if (alignment > 1) {
            const uint64_t begin = e->begin + LOCAL_BYTES + strlen(name) + bytes + PADDING_HEAD;
            const size_t padding = (size_t)(-begin % (uint64_t)alignment);
            unsigned char *field = extra + bytes;
            put(&field, 0x4246, 2); // "FB"
            put(&field, padding, 2);
            memset(field, 'Z', padding);
            bytes += PADDING_HEAD + padding;
        }
        put(&at, LOCAL, 4);
        put_common(&at, e, bytes);
        good = write_bytes(zip, local, LOCAL_BYTES) && write_bytes(zip, name, strlen(name)) &&
               write_bytes(zip, extra, bytes);
    }
    for (int i = 0; good && i < count; i++)
        good = write_bytes(zip, parts[i].bytes, (size_t)parts[i].size);
    if (!good)
        wk_zip_abandon(zip);
    return good;
}

/* the two records of zip64 that stand before the end where its numbers do not fit */
static bool write_end_64(wk_zip_writer *zip, uint64_t begin, uint64_t bytes)
{
    unsigned char end[56 + 20] = {0}, *at = end;
    put(&at, END_64, 4);
    put(&at, 44, 8); // what follows of this record
    put(&at, 45, 2);
    put(&at, 45, 2);
    at += 8; // disk 0
    put(&at, (uint64_t)zip->count, 8);
    put(&at, (uint64_t)zip->count, 8);
    put(&at, bytes, 8);
    put(&at, begin, 8);
    put(&at, LOCATOR_64, 4);
    put(&at, 0, 4);
    put(&at, begin + bytes, 8);
    put(&at, 1, 4); // disk
    return write_bytes(zip, end, sizeof end);
}

static bool write_directory(wk_zip_writer *zip)
{
    const uint64_t begin = zip->written;
    for (int64_t i = 0; i < zip->count; i++) {
        const struct wk_zip_written *e = &zip->entries[i];
        unsigned char central[CENTRAL_BYTES] = {0}, extra[32], *at = central;
        const size_t bytes = put_zip64(extra, e, true);
        put(&at, CENTRAL, 4);
        put(&at, 20, 2); // made by version 2.0, as on MS-DOS: no rights of Unix
        put_common(&at, e, bytes);
        at = central + 42; // no comment, disk 0, no attributes
        put(&at, up_to_64(e->begin), 4);
        if (!write_bytes(zip, central, CENTRAL_BYTES) || !write_bytes(zip, e->name, strlen(e->name)) ||
            !write_bytes(zip, extra, bytes))
            return false;
    }
    const uint64_t bytes = zip->written - begin, count = (uint64_t)zip->count;
    if ((count >= 0xffff || begin >= IN_64 || bytes >= IN_64) && !write_end_64(zip, begin, bytes))
        return false;
    unsigned char end[END_BYTES] = {0}, *at = end;
    put(&at, END, 4);
    at = end + 8;
    put(&at, count < 0xffff ? count : 0xffff, 2);
    put(&at, count < 0xffff ? count : 0xffff, 2);
    put(&at, up_to_64(bytes), 4);
    put(&at, up_to_64(begin), 4);
    return write_bytes(zip, end, END_BYTES);
}

bool wk_zip_commit(wk_zip_writer *zip)
{
    const bool good = write_directory(zip) && wk_new_file_commit(&zip->file);
    wk_zip_abandon(zip);
    return good;
}
