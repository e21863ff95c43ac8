/* A checkpoint's tree as a flat dictionary: names joined by dots.

       {"model": {"fc.weight": x}, "epoch": 3, "lrs": [0.1, 0.2]}
   becomes the tensor model.fc.weight and the texts epoch "3", lrs "2", lrs.0 "0.10000000000000001", lrs.1 ...

   A whole pickled module is mined: of an object that has _parameters and _modules, those and its buffers, by the names
   that its state_dict would have, and its plain numbers and texts.

   What is shared in the tree is written out at each of its places, so a small file could ask for much: what comes out is
   held against the size of what came in. */
#include <stdio.h>
#include <string.h>

#include <wick/creation.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"
#include "load.h"

#define DEEPEST 100
#define LONGEST_NAME 4096
#define TIMES_LARGER 64 // than the pickle, what comes out of it may be

typedef struct walk {
    wk_loading *loading;
    bool mines; // there is a whole module: what is neither it nor plain values is left out
    int depth;
    int64_t left;  // bytes that may still come out
    size_t length; // of name
    char name[LONGEST_NAME];
} walk;

#define SHOWN(name) wk_shown(name, (wk_shown_text){0})

__attribute__((format(printf, 2, 3))) static bool wrong(const walk *w, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return wk_fail(w->loading->op, "%s: %s%s%s", w->loading->path, w->length > 0 ? SHOWN(w->name) : "",
                   w->length > 0 ? ": " : "", text);
}

static bool spend(walk *w, int64_t bytes)
{
    w->left -= bytes;
    return w->left >= 0 || wrong(w, "comes out more than %d times as large as what the file holds", TIMES_LARGER);
}

/* ---------------------------------------------------------------- globals */

bool wk_load_names(wk_pickled value, const char *module, const char *name)
{
    return value.kind == WK_PICKLED_GLOBAL && wk_pickled_is_text(value.box->items[1], name) &&
           wk_pickled_is_text(value.box->items[0], module);
}

typedef enum meaning {
    OTHER,
    MAPPING,  // its pairs; or those that its argument has
    SEQUENCE, // its items; or those that its argument has
    DEVICE,
    ENCODED,
    BYTE_ARRAY,
    COMPLEX,
} meaning;
static const struct {
    const char *module, *name;
    meaning meaning;
} functions[] = {
    {"collections", "OrderedDict", MAPPING},
    {"collections", "Counter", MAPPING},
    {"collections", "defaultdict", MAPPING},
    {"collections", "deque", SEQUENCE},
    {"torch", "Size", SEQUENCE},
    {"builtins", "set", SEQUENCE},
    {"builtins", "frozenset", SEQUENCE},
    {"builtins", "list", SEQUENCE},
    {"builtins", "dict", MAPPING},
    {"__builtin__", "set", SEQUENCE},
    {"__builtin__", "frozenset", SEQUENCE},
    {"__builtin__", "list", SEQUENCE},
    {"__builtin__", "dict", MAPPING},
    {"torch", "device", DEVICE},
    {"_codecs", "encode", ENCODED},
    {"builtins", "bytearray", BYTE_ARRAY},
    {"__builtin__", "bytearray", BYTE_ARRAY},
    {"builtins", "complex", COMPLEX},
    {"__builtin__", "complex", COMPLEX},
};

static meaning meaning_of(wk_pickled function)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (wk_load_names(function, functions[i].module, functions[i].name))
            return functions[i].meaning;
    return OTHER;
}

/* "module.name" of a global, as errors show it */
static const char *name_of(wk_pickled global, wk_shown_text shown)
{
    if (global.kind != WK_PICKLED_GLOBAL)
        return "what is no class";
    const wk_pickled module = global.box->items[0], name = global.box->items[1];
    char text[160];
    snprintf(text, sizeof text, "%.*s.%.*s", module.length < 80 ? (int)module.length : 80, (const char *)module.bytes,
             name.length < 70 ? (int)name.length : 70, (const char *)name.bytes);
    return wk_shown(text, shown);
}

static bool refuse(const walk *w, wk_pickled global, const char *what)
{
    return wrong(w,
                 "%s %s, of which wk_load makes nothing: it runs no code of files\n"
                 "hint: where you trust the file, in Python: torch.save(torch.load(path, "
                 "weights_only=False).state_dict(), path)",
                 what, name_of(global, (wk_shown_text){0}));
}

/* ---------------------------------------------------------------- names */

/* key becomes a part of the name; *before: to go back to; false after an error */
static bool enter(walk *w, const char *key, size_t length, size_t *before)
{
    *before = w->length;
    if (++w->depth > DEEPEST)
        return wrong(w, "is nested more than %d deep, or holds itself", DEEPEST);
    if (memchr(key, 0, length))
        return wrong(w, "holds a name with a NUL inside");
    if (w->length + length + 2 > LONGEST_NAME)
        return wrong(w, "holds a name of more than %d bytes", LONGEST_NAME - 1);
    if (w->length > 0)
        w->name[w->length++] = '.';
    memcpy(w->name + w->length, key, length);
    w->length += length;
    w->name[w->length] = '\0';
    return true;
}

static void leave(walk *w, size_t before)
{
    w->depth--;
    w->length = before;
    w->name[before] = '\0';
}

/* ---------------------------------------------------------------- plain values */

static bool is_free(const walk *w)
{
    return (!wk_dict_get(w->loading->dict, w->name) && !wk_dict_text(w->loading->dict, w->name)) ||
           wrong(w, "there are two values of this name");
}

static bool put_text(walk *w, const char *text)
{
    return spend(w, (int64_t)(w->length + strlen(text))) && is_free(w) &&
           wk_dict_set_text(w->loading->dict, w->name, text);
}

static bool put_number(walk *w, double number)
{
    return spend(w, (int64_t)w->length) && is_free(w) && wk_dict_set_number(w->loading->dict, w->name, number);
}

static bool put_integer(walk *w, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return put_text(w, text);
}

/* more than 64 bits: "0x1f...", which C reads */
static bool put_large(walk *w, wk_pickled value)
{
    char text[2 * 256 + 8], *at = text;
    if (value.length > 256)
        return wrong(w, "is a number of more than 256 bytes");
    const bool negative = value.bytes[value.length - 1] & 0x80;
    unsigned char magnitude[256];
    for (unsigned i = 0, carry = negative; i < value.length; i++) {
        carry += negative ? value.bytes[i] ^ 0xff : value.bytes[i];
        magnitude[i] = (unsigned char)carry;
        carry >>= 8;
    }
    int high = (int)value.length - 1;
    while (high > 0 && magnitude[high] == 0)
        high--;
    at += sprintf(at, "%s0x%x", negative ? "-" : "", magnitude[high]);
    while (high-- > 0)
        at += sprintf(at, "%02x", magnitude[high]);
    return put_text(w, text);
}

static bool put_tensor(walk *w, wk_tensor *x)
{
    return x && spend(w, (int64_t)w->length + 64) && is_free(w) && wk_dict_set(w->loading->dict, w->name, x);
}

static bool put_bytes(walk *w, const void *bytes, size_t length)
{
    const int64_t size = (int64_t)length;
    bool good = spend(w, size);
    if (good)
        wk_scope
    {
        wk_tensor *x = wk_tensor_new(w->loading->op, 1, &size, wk_uint8, wk_cpu);
        if (x && length > 0)
            memcpy(wk_host(w->loading->op, x), bytes, length);
        good = put_tensor(w, x);
    }
    return good;
}

/* a text of UTF-8 without NUL; other bytes are a tensor of bytes */
static bool put_string(walk *w, wk_pickled value)
{
    size_t good = 0, length;
    while (good < value.length && value.bytes[good] &&
           (length = (size_t)wk_utf8_length(value.bytes + good, value.length - good)) > 0)
        good += length;
    if (good < value.length)
        return put_bytes(w, value.bytes, value.length);
    if (!spend(w, (int64_t)value.length))
        return false;
    char *text = wk_alloc((size_t)value.length + 1);
    if (!text)
        return wk_out_of_memory(w->loading->op, (size_t)value.length + 1);
    memcpy(text, value.bytes, value.length);
    text[value.length] = '\0';
    const bool set = put_text(w, text);
    wk_free(text);
    return set;
}

/* ---------------------------------------------------------------- what calls make */

static wk_pickled argument(wk_pickled made, int64_t index)
{
    const wk_pickled arguments = made.box->items[1];
    return arguments.kind == WK_PICKLED_TUPLE && index < arguments.box->count ? arguments.box->items[index]
                                                                              : (wk_pickled){.kind = WK_PICKLED_NONE};
}

static bool put_device(walk *w, wk_pickled made)
{
    const wk_pickled type = argument(made, 0), index = argument(made, 1);
    char text[64];
    if (type.kind != WK_PICKLED_TEXT || type.length > 32)
        return wrong(w, "is no device");
    snprintf(text, sizeof text, "%.*s", (int)type.length, (const char *)type.bytes);
    if (index.kind == WK_PICKLED_INTEGER)
        snprintf(text + strlen(text), sizeof text - strlen(text), ":%lld", (long long)index.integer);
    return put_string(
        w,
        (wk_pickled){.kind = WK_PICKLED_TEXT, .length = (uint32_t)strlen(text), .bytes = (const unsigned char *)text});
}

/* _codecs.encode(text, "latin1"): how bytes travel in protocol 2, each as the character of its number */
static bool put_encoded(walk *w, wk_pickled made)
{
    const wk_pickled text = argument(made, 0);
    if (text.kind != WK_PICKLED_TEXT)
        return wrong(w, "is no text as bytes");
    unsigned char *bytes = wk_alloc(text.length);
    if (!bytes)
        return wk_out_of_memory(w->loading->op, text.length);
    size_t length = 0;
    bool good = true;
    for (uint32_t i = 0; good && i < text.length; i++) {
        const unsigned char byte = text.bytes[i];
        const bool two = (byte == 0xc2 || byte == 0xc3) && i + 1 < text.length && (text.bytes[i + 1] & 0xc0) == 0x80;
        good = byte < 0x80 || two;
        bytes[length++] = two ? (unsigned char)(byte << 6 | (text.bytes[++i] & 0x3f)) : byte;
    }
    good = good ? put_bytes(w, bytes, length) : wrong(w, "is no text as bytes");
    wk_free(bytes);
    return good;
}

static double real_of(wk_pickled value)
{
    return value.kind == WK_PICKLED_REAL ? value.real : value.kind == WK_PICKLED_INTEGER ? (double)value.integer : 0;
}

static bool put_complex(walk *w, wk_pickled made)
{
    const double parts[2] = {real_of(argument(made, 0)), real_of(argument(made, 1))};
    bool good = false;
    wk_scope
    {
        wk_tensor *x = wk_tensor_new(w->loading->op, 0, NULL, wk_complex128, wk_cpu);
        if (x)
            memcpy(wk_host(w->loading->op, x), parts, sizeof parts);
        good = put_tensor(w, x);
    }
    return good;
}

/* ---------------------------------------------------------------- the walk */

static bool put(walk *w, wk_pickled value);

static bool put_at(walk *w, const char *key, size_t length, wk_pickled value)
{
    size_t before;
    if (!spend(w, 1) || !enter(w, key, length, &before) || !put(w, value))
        return false;
    leave(w, before);
    return true;
}

/* a key that is no text: numbers as Python writes them */
static bool put_pair(walk *w, wk_pickled key, wk_pickled value)
{
    char text[40];
    switch (key.kind) {
    case WK_PICKLED_TEXT:
        return put_at(w, (const char *)key.bytes, key.length, value);
    case WK_PICKLED_BYTES:
        return put_at(w, (const char *)key.bytes, key.length, value);
    case WK_PICKLED_INTEGER:
        snprintf(text, sizeof text, "%lld", (long long)key.integer);
        break;
    case WK_PICKLED_REAL:
        snprintf(text, sizeof text, "%.17g", key.real);
        break;
    case WK_PICKLED_BOOL:
        snprintf(text, sizeof text, "%s", key.integer ? "True" : "False");
        break;
    case WK_PICKLED_NONE:
        snprintf(text, sizeof text, "None");
        break;
    default:
        return w->mines || wrong(w, "has a key that is neither a text nor a number");
    }
    return put_at(w, text, strlen(text), value);
}

static bool put_pairs(walk *w, const wk_pickled *items, int64_t count)
{
    for (int64_t i = 0; i + 1 < count; i += 2)
        if (!put_pair(w, items[i], items[i + 1]))
            return false;
    return true;
}

/* the items by their numbers; how many there are is a text, so that an empty one is told from none */
static bool put_items(walk *w, const wk_pickled *items, int64_t count)
{
    if (w->length > 0 && !put_integer(w, count))
        return false;
    for (int64_t i = 0; i < count; i++)
        if (!put_pair(w, (wk_pickled){.kind = WK_PICKLED_INTEGER, .integer = i}, items[i]))
            return false;
    return true;
}

static bool put_mapping(walk *w, wk_pickled made)
{
    int64_t count;
    for (int64_t i = 0; i < 2; i++) { // dict(other); defaultdict(list, other)
        const wk_pickled from = argument(made, i);
        const wk_pickled *items = from.kind == WK_PICKLED_DICT || from.kind == WK_PICKLED_LIST
                                      ? wk_pickled_items(from, &count)
                                      : (count = 0, NULL);
        if (from.kind == WK_PICKLED_DICT && !put_pairs(w, items, count))
            return false;
        for (int64_t pair = 0; from.kind == WK_PICKLED_LIST && pair < count;
             pair++) { // of Python 2: [[key, value], ...]
            const wk_pickled both = items[pair];
            if ((both.kind != WK_PICKLED_LIST && both.kind != WK_PICKLED_TUPLE) || both.box->count != 2)
                return wrong(w, "is no dict as pickles have them");
            if (!put_pair(w, both.box->items[0], both.box->items[1]))
                return false;
        }
    }
    const wk_pickled *items = wk_pickled_items(made, &count);
    return !made.box->paired || put_pairs(w, items, count);
}

static bool put_sequence(walk *w, wk_pickled made)
{
    const wk_pickled from = argument(made, 0);
    int64_t count;
    const wk_pickled *items = wk_pickled_items(made, &count);
    if (count == 0 && (from.kind == WK_PICKLED_LIST || from.kind == WK_PICKLED_TUPLE || from.kind == WK_PICKLED_SET))
        items = wk_pickled_items(from, &count);
    return put_items(w, items, made.box->paired ? 0 : count);
}

/* ---------------------------------------------------------------- objects */

static bool is_module(wk_pickled made)
{
    return wk_pickled_at(made.box->items[2], "_parameters") && wk_pickled_at(made.box->items[2], "_modules");
}

/* whether a set of names has this one */
static bool names_hold(const wk_pickled *names, wk_pickled name)
{
    int64_t count = 0;
    const wk_pickled *items = NULL;
    if (names && (names->kind == WK_PICKLED_SET || names->kind == WK_PICKLED_MADE)) {
        const wk_pickled from = names->kind == WK_PICKLED_MADE ? argument(*names, 0) : *names;
        if (from.kind == WK_PICKLED_SET || from.kind == WK_PICKLED_LIST)
            items = wk_pickled_items(from, &count);
    }
    for (int64_t i = 0; i < count; i++)
        if (items[i].kind == WK_PICKLED_TEXT && name.kind == WK_PICKLED_TEXT && items[i].length == name.length &&
            memcmp(items[i].bytes, name.bytes, name.length) == 0)
            return true;
    return false;
}

static bool put_buffers(walk *w, wk_pickled buffers, const wk_pickled *not_saved)
{
    int64_t count = 0;
    const wk_pickled *items =
        buffers.kind == WK_PICKLED_DICT || buffers.kind == WK_PICKLED_MADE ? wk_pickled_items(buffers, &count) : NULL;
    for (int64_t i = 0; i + 1 < count; i += 2)
        if (!names_hold(not_saved, items[i]) && !put_pair(w, items[i], items[i + 1]))
            return false;
    return true;
}

static bool put_module(walk *w, wk_pickled state)
{
    static const char *const members[] = {"_parameters", "_buffers", "_modules"};
    for (int i = 0; i < 3; i++) {
        const wk_pickled *of = wk_pickled_at(state, members[i]);
        if (of && !put_buffers(w, *of, i == 1 ? wk_pickled_at(state, "_non_persistent_buffers_set") : NULL))
            return false;
    }
    const wk_pickled_box *all = state.box;
    for (int64_t i = 0; i + 1 < all->count; i += 2) {
        const wk_pickled key = all->items[i], value = all->items[i + 1];
        const bool plain = value.kind == WK_PICKLED_BOOL || value.kind == WK_PICKLED_INTEGER ||
                           value.kind == WK_PICKLED_REAL || value.kind == WK_PICKLED_TEXT;
        if (plain && key.kind == WK_PICKLED_TEXT && key.length > 0 && key.bytes[0] != '_' && !put_pair(w, key, value))
            return false;
    }
    return true;
}

/* of a class that nobody here knows: what was put into it, and its attributes */
static bool put_object(walk *w, wk_pickled made)
{
    const wk_pickled state = made.box->items[2];
    int64_t count;
    const wk_pickled *items = wk_pickled_items(made, &count);
    if (is_module(made))
        return put_module(w, state);
    if (w->mines)
        return true;
    if (made.box->called || (count == 0 && state.kind != WK_PICKLED_DICT))
        return refuse(w, made.box->items[0], "holds an object of");
    if (count > 0 && !(made.box->paired ? put_pairs(w, items, count) : put_items(w, items, count)))
        return false;
    return state.kind != WK_PICKLED_DICT || put_pairs(w, state.box->items, state.box->count);
}

static bool put_made(walk *w, wk_pickled made)
{
    switch (meaning_of(made.box->items[0])) {
    case MAPPING:
        return put_mapping(w, made);
    case SEQUENCE:
        return put_sequence(w, made);
    case DEVICE:
        return put_device(w, made);
    case ENCODED:
        return put_encoded(w, made);
    case COMPLEX:
        return put_complex(w, made);
    case BYTE_ARRAY:;
        const wk_pickled from = argument(made, 0);
        return from.kind == WK_PICKLED_BYTES  ? put_bytes(w, from.bytes, from.length)
               : from.kind == WK_PICKLED_NONE ? put_bytes(w, NULL, 0)
               : from.kind == WK_PICKLED_TEXT ? put_encoded(w, made)
               : from.kind == WK_PICKLED_MADE && meaning_of(from.box->items[0]) == ENCODED
                   ? put_encoded(w, from)
                   : wrong(w, "is no text as bytes");
    default:
        return put_object(w, made);
    }
}

/* "torch.float32" and its like */
static bool put_global(walk *w, wk_pickled global)
{
    if (w->mines)
        return true;
    if (!wk_pickled_is_text(global.box->items[0], "torch"))
        return refuse(w, global, "holds");
    return put_text(w, name_of(global, (wk_shown_text){0}));
}

static bool put(walk *w, wk_pickled value)
{
    bool good = false;
    if (wk_load_is_tensor(value)) {
        wk_scope
        {
            good = put_tensor(w, wk_load_tensor(w->loading, value, SHOWN(w->name)));
        }
        return good;
    }
    switch (value.kind) {
    case WK_PICKLED_NONE:
        return true;
    case WK_PICKLED_BOOL:
    case WK_PICKLED_INTEGER:
        return put_integer(w, value.integer);
    case WK_PICKLED_LARGE:
        return put_large(w, value);
    case WK_PICKLED_REAL:
        return put_number(w, value.real);
    case WK_PICKLED_TEXT:
        return put_string(w, value);
    case WK_PICKLED_BYTES:
        return put_bytes(w, value.bytes, value.length);
    case WK_PICKLED_DICT:
        return put_pairs(w, value.box->items, value.box->count);
    case WK_PICKLED_TUPLE:
    case WK_PICKLED_LIST:
    case WK_PICKLED_SET:
        return put_items(w, value.box->items, value.box->count);
    case WK_PICKLED_GLOBAL:
        return put_global(w, value);
    default:
        return put_made(w, value);
    }
}

/* the first call in the file that wk_load knows nothing of; NULL: none */
static const wk_pickled_box *unknown_call(const wk_pickle *pickle)
{
    const wk_pickled_box *unknown = NULL;
    for (const wk_pickled_box *box = pickle->boxes; box; box = box->before)
        if (box->kind == WK_PICKLED_MADE && box->called && meaning_of(box->items[0]) == OTHER &&
            !wk_load_is_tensor((wk_pickled){.kind = box->kind, .box = (wk_pickled_box *)box}))
            unknown = box;
    return unknown;
}

bool wk_load_values(wk_loading *l, wk_pickled value)
{
    walk *w = wk_alloc(sizeof *w);
    if (!w)
        return wk_out_of_memory(l->op, sizeof *w);
    *w = (walk){.loading = l, .left = TIMES_LARGER * (l->pickle.end - l->pickle.begin) + 4096};
    for (const wk_pickled_box *box = l->pickle.boxes; box && !w->mines; box = box->before)
        w->mines = box->kind == WK_PICKLED_MADE && is_module((wk_pickled){.kind = box->kind, .box = (void *)box});
    const wk_pickled_box *unknown = w->mines ? NULL : unknown_call(&l->pickle);
    const bool good = unknown ? refuse(w, unknown->items[0], "would call") : put(w, value);
    wk_free(w);
    return good;
}
