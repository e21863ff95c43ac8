/* torch.save of a dictionary: a zip archive (load.c) with one dict of its tensors and texts, as protocol 2, which
   torch.load(weights_only=True) reads.

   Tensors that share memory name one storage.  What is written of it is what they show of it together, from the first
   element to the last: a row of a large tensor takes the room of a row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wick/io.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"
#include "json.h"
#include "zip.h"

#define SHOWN(name) wk_shown(name, (wk_shown_text){0})

/* what names a pickle refers to; a name's place here is its place in the memo, too */
typedef struct global {
    const char *module, *name;
} global;
enum { REBUILD, REBUILD_TYPED, ORDERED_DICT, UNTYPED, STORAGE }; // STORAGE + dtype, DTYPE + dtype
#define DTYPE (STORAGE + WK_DTYPES)
static const global globals[DTYPE + WK_DTYPES] = {
    [REBUILD] = {"torch._utils", "_rebuild_tensor_v2"},
    [REBUILD_TYPED] = {"torch._utils", "_rebuild_tensor_v3"},
    [ORDERED_DICT] = {"collections", "OrderedDict"},
    [UNTYPED] = {"torch.storage", "UntypedStorage"},
    [STORAGE + wk_bool] = {"torch", "BoolStorage"},
    [STORAGE + wk_uint8] = {"torch", "ByteStorage"},
    [STORAGE + wk_int8] = {"torch", "CharStorage"},
    [STORAGE + wk_int16] = {"torch", "ShortStorage"},
    [STORAGE + wk_int32] = {"torch", "IntStorage"},
    [STORAGE + wk_int64] = {"torch", "LongStorage"},
    [STORAGE + wk_float16] = {"torch", "HalfStorage"},
    [STORAGE + wk_bfloat16] = {"torch", "BFloat16Storage"},
    [STORAGE + wk_float32] = {"torch", "FloatStorage"},
    [STORAGE + wk_float64] = {"torch", "DoubleStorage"},
    [STORAGE + wk_complex64] = {"torch", "ComplexFloatStorage"},
    [STORAGE + wk_complex128] = {"torch", "ComplexDoubleStorage"},
};

typedef struct item {
    wk_tensor *x;
    int64_t index, root; // in the dictionary; root: the first tensor there on the same memory
    int64_t key;         // of its storage
    int64_t begin, end;  // of a root: the bytes of the storage that are written
    bool mixed;          // of a root: the tensors on it differ in dtype
} item;

typedef struct saving {
    const char *op;
    const wk_dict *dict;
    item *items;
    int64_t count;
    wk_json_text pickle;
    bool named[DTYPE + WK_DTYPES]; // stands in the memo
} saving;

/* ---------------------------------------------------------------- which memory tensors share */

static int by_storage(const void *a_, const void *b_)
{
    const item *a = a_, *b = b_;
    if (a->x->storage != b->x->storage)
        return (uintptr_t)a->x->storage < (uintptr_t)b->x->storage ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static int by_index(const void *a_, const void *b_)
{
    const item *a = a_, *b = b_;
    return (a->index > b->index) - (a->index < b->index);
}

/* the bytes of its storage from x's first element to its last */
static void span_of(const wk_tensor *x, int64_t *begin, int64_t *end)
{
    const int64_t size = (int64_t)wk_dtype_size(x->dtype);
    *begin = *end = x->offset;
    for (int dim = 0; dim < x->ndim; dim++)
        *(x->strides[dim] < 0 ? begin : end) += (x->shape[dim] - 1) * x->strides[dim];
    *begin *= size;
    *end = x->numel > 0 ? (*end + 1) * size : *begin;
}

#define WIDEST 16 // bytes of an element: a span begins at a multiple, so that any dtype counts whole elements

static void group(saving *s)
{
    if (s->count == 0)
        return;
    qsort(s->items, (size_t)s->count, sizeof *s->items, by_storage);
    for (int64_t i = 0; i < s->count; i++)
        s->items[i].root =
            i > 0 && s->items[i - 1].x->storage == s->items[i].x->storage ? s->items[i - 1].root : s->items[i].index;
    qsort(s->items, (size_t)s->count, sizeof *s->items, by_index);
    int64_t keys = 0;
    for (int64_t i = 0; i < s->count; i++) {
        item *it = &s->items[i], *root = &s->items[it->root];
        it->key = it == root ? keys++ : root->key;
        int64_t begin, end;
        if (it->x->numel > 0) {
            span_of(it->x, &begin, &end);
            begin -= begin % WIDEST;
            root->begin = root->end == 0 || begin < root->begin ? begin : root->begin;
            root->end = end > root->end ? end : root->end;
        }
        root->mixed |= it->x->dtype != root->x->dtype;
    }
}

/* ---------------------------------------------------------------- the pickle */

static void put(saving *s, const void *bytes, size_t count) { wk_json_put(&s->pickle, bytes, count); }

static void put_opcode(saving *s, char opcode) { put(s, &opcode, 1); }

static void put_number(saving *s, uint64_t number, int bytes)
{
    unsigned char low_first[8];
    for (int i = 0; i < bytes; i++)
        low_first[i] = (unsigned char)(number >> (8 * i));
    put(s, low_first, (size_t)bytes);
}

static void put_integer(saving *s, int64_t number)
{
    const bool small = number == (int32_t)number;
    put(s, small ? "J" : "\x8a\x08", small ? 1 : 2);
    put_number(s, (uint64_t)number, small ? 4 : 8);
}

static void put_real(saving *s, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    put_opcode(s, 'G');
    put_number(s, __builtin_bswap64(bits), 8); // the high byte first
}

static bool put_text(saving *s, const char *text, const char *what)
{
    const size_t length = strlen(text);
    int good = 1;
    for (size_t at = 0; good && at < length; at += (size_t)good)
        good = wk_utf8_length(text + at, length - at);
    if (!good)
        return wk_fail(s->op, "%s %s: expected UTF-8", what, SHOWN(text));
    if (length > UINT32_MAX)
        return wk_fail(s->op, "%s: expected less than 4 GiB", what);
    put_opcode(s, 'X');
    put_number(s, length, 4);
    put(s, text, length);
    return true;
}

static void put_global(saving *s, int which)
{
    if (s->named[which]) {
        put_opcode(s, 'h');
    } else {
        const char *name = which >= DTYPE ? wk_dtype_name((wk_dtype)(which - DTYPE)) : globals[which].name;
        const char *module = which >= DTYPE ? "torch" : globals[which].module;
        put_opcode(s, 'c');
        put(s, module, strlen(module));
        put_opcode(s, '\n');
        put(s, name, strlen(name));
        put(s, "\nq", 2);
        s->named[which] = true;
    }
    put_number(s, (uint64_t)which, 1);
}

static void put_sizes(saving *s, int ndim, const int64_t *sizes)
{
    put_opcode(s, '(');
    for (int dim = 0; dim < ndim; dim++)
        put_integer(s, sizes[dim]);
    put_opcode(s, 't');
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks), in which the storage is persistent:
   ("storage", type, key, "cpu", elements); v3 with the dtype at the end, on a storage of bytes */
static bool put_tensor(saving *s, const item *it)
{
    const item *root = &s->items[it->root];
    const wk_tensor *x = it->x;
    const int64_t size = (int64_t)wk_dtype_size(x->dtype), bytes = root->end - root->begin;
    char key[24];
    snprintf(key, sizeof key, "%lld", (long long)it->key);
    put_global(s, root->mixed ? REBUILD_TYPED : REBUILD);
    put(s, "((", 2);
    put_text(s, "storage", "");
    put_global(s, root->mixed ? UNTYPED : STORAGE + (int)x->dtype);
    put_text(s, key, "");
    put_text(s, "cpu", "");
    put_integer(s, root->mixed ? bytes : bytes / size);
    put(s, "tQ", 2);
    put_integer(s, x->numel > 0 ? x->offset - root->begin / size : 0);
    put_sizes(s, x->ndim, x->shape);
    put_sizes(s, x->ndim, x->strides);
    put_opcode(s, '\x89');
    put_global(s, ORDERED_DICT);
    put(s, ")R", 2);
    if (root->mixed)
        put_global(s, DTYPE + (int)x->dtype);
    put(s, "tR", 2);
    return true;
}

/* A number where the text is one as wk_dict_set_number writes it: read again, it gives the same text. */
static bool put_value(saving *s, const char *key, const char *text)
{
    WK_PLAIN_NUMBERS;
    char again[40], what[WK_SHOWN + 8], *end;
    const double real = strtod(text, &end);
    const bool is_number = *text && !*end;
    const int64_t whole = is_number && real > -1e15 && real < 1e15 ? (int64_t)real : 0;
    snprintf(again, sizeof again, "%lld", (long long)whole);
    if (is_number && strcmp(again, text) == 0) {
        put_integer(s, whole);
        return true;
    }
    snprintf(again, sizeof again, "%.17g", real);
    if (is_number && strcmp(again, text) == 0) {
        put_real(s, real);
        return true;
    }
    snprintf(what, sizeof what, "text %s:", SHOWN(key));
    return put_text(s, text, what);
}

static bool put_dict(saving *s)
{
    put(s, "\x80\x02}(", 4);
    for (int64_t i = 0; i < s->count; i++)
        if (!put_text(s, wk_dict_key_at(s->dict, i), "key") || !put_tensor(s, &s->items[i]))
            return false;
    for (int64_t i = 0; i < wk_dict_text_count(s->dict); i++) {
        const char *key = wk_dict_text_key_at(s->dict, i);
        if (wk_dict_get(s->dict, key))
            return wk_fail(s->op, "key %s: names a tensor and a text", SHOWN(key));
        if (!put_text(s, key, "key") || !put_value(s, key, wk_dict_text_at(s->dict, i)))
            return false;
    }
    put(s, "u.", 2);
    return !s->pickle.failed || wk_out_of_memory(s->op, 2 * s->pickle.capacity);
}

/* ---------------------------------------------------------------- the archive */

#define ALIGNMENT 64 // torch.save's

static bool write_storage(saving *s, wk_zip_writer *zip, const item *root)
{
    char name[48];
    snprintf(name, sizeof name, "archive/data/%lld", (long long)root->key);
    const int64_t bytes = root->end - root->begin;
    wk_tensor *span = wk_tensor_alias(s->op, root->x, 1, &bytes, (int64_t[]){1}, 0);
    if (!span)
        return false;
    span->dtype = wk_uint8;
    span->offset = root->begin;
    wk_tensor *there = wk_on_host(s->op, span);
    return there && wk_zip_add(zip, name, ALIGNMENT, &(wk_zip_part){wk_host(s->op, there), (uint64_t)bytes}, 1);
}

static bool write_archive(saving *s, const char *path)
{
    wk_zip_writer zip;
    bool good = wk_zip_create(&zip, s->op, path) &&
                wk_zip_add(&zip, "archive/data.pkl", ALIGNMENT, &(wk_zip_part){s->pickle.bytes, s->pickle.used}, 1) &&
                wk_zip_add(&zip, "archive/byteorder", ALIGNMENT, &(wk_zip_part){"little", 6}, 1);
    for (int64_t i = 0; good && i < s->count; i++)
        if (s->items[i].root == i)
            wk_scope
    {
        good = write_storage(s, &zip, &s->items[i]);
        if (!good)
            wk_zip_abandon(&zip);
    }
    return good && wk_zip_add(&zip, "archive/version", ALIGNMENT, &(wk_zip_part){"3\n", 2}, 1) && wk_zip_commit(&zip);
}

bool wk_save(const wk_dict *dict, const char *path)
{
    saving s = {.op = "save", .dict = dict};
    if (!dict)
        return wk_null_input(s.op, "dict");
    if (wk_failing())
        return false;
    s.count = wk_dict_count(dict);
    s.items = wk_alloc_zeroed((size_t)(s.count + 1) * sizeof *s.items);
    if (!s.items)
        return wk_out_of_memory(s.op, (size_t)(s.count + 1) * sizeof *s.items);
    for (int64_t i = 0; i < s.count; i++)
        s.items[i] = (item){.x = wk_dict_value_at(dict, i), .index = i};
    group(&s);
    const bool good = put_dict(&s) && write_archive(&s, path);
    wk_free(s.pickle.bytes);
    wk_free(s.items);
    return good;
}
