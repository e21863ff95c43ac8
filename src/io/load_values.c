/* A checkpoint's tree as a flat dictionary: names joined by dots.

       {"model": {"fc.weight": x}, "epoch": 3, "lrs": [0.1, 0.2]}
   becomes the tensor model.fc.weight and the texts epoch "3", lrs "2", lrs.0 "0.10000000000000001", lrs.1 ...

   A whole pickled module is mined: of an object that has _parameters and _modules, those and its buffers, by the
   names that its state_dict would have, and its plain numbers and texts.

   What is shared in the tree is written out at each of its places, so a small file could ask for much: what comes out
   is held against the size of what came in. */
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"
#include "load.h"

#define SHOWN(name) wk_shown(name, (wk_shown_text){0})

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

static bool refuse(const wk_load_walk *w, wk_pickled global, const char *what)
{
    return wk_load_wrong(w,
                         "%s %s, of which wk_load makes nothing: it runs no code of files\n"
                         "hint: where you trust the file, in Python: x = torch.load(path, weights_only=False), then "
                         "torch.save of x.state_dict(), or of the tensors and numbers of x",
                         what, name_of(global, (wk_shown_text){0}));
}

/* ---------------------------------------------------------------- the walk */

static bool put(wk_load_walk *w, wk_pickled value);

static bool put_at(wk_load_walk *w, const char *key, size_t length, wk_pickled value)
{
    size_t before;
    if (!wk_load_spend(w, 1) || !wk_load_enter(w, key, length, &before) || !put(w, value))
        return false;
    wk_load_leave(w, before);
    return true;
}

/* a key that is no text: numbers as Python writes them */
static bool put_pair(wk_load_walk *w, wk_pickled key, wk_pickled value)
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
        return w->mines || wk_load_wrong(w, "has a key that is neither a text nor a number");
    }
    return put_at(w, text, strlen(text), value);
}

static bool put_pairs(wk_load_walk *w, const wk_pickled *items, int64_t count)
{
    for (int64_t i = 0; i + 1 < count; i += 2)
        if (!put_pair(w, items[i], items[i + 1]))
            return false;
    return true;
}

/* the items by their numbers; how many there are is a text, so that an empty one is told from none */
static bool put_items(wk_load_walk *w, const wk_pickled *items, int64_t count)
{
    if (w->length > 0 && !wk_load_put_integer(w, count))
        return false;
    for (int64_t i = 0; i < count; i++)
        if (!put_pair(w, (wk_pickled){.kind = WK_PICKLED_INTEGER, .integer = i}, items[i]))
            return false;
    return true;
}

static bool put_mapping(wk_load_walk *w, wk_pickled made)
{
    int64_t count;
    for (int64_t i = 0; i < 2; i++) { // dict(other); defaultdict(list, other)
        const wk_pickled from = wk_load_argument(made, i);
        const wk_pickled *items = from.kind == WK_PICKLED_DICT || from.kind == WK_PICKLED_LIST
                                      ? wk_pickled_items(from, &count)
                                      : (count = 0, NULL);
        if (from.kind == WK_PICKLED_DICT && !put_pairs(w, items, count))
            return false;
        for (int64_t pair = 0; from.kind == WK_PICKLED_LIST && pair < count;
             pair++) { // of Python 2: [[key, value], ...]
            const wk_pickled both = items[pair];
            if ((both.kind != WK_PICKLED_LIST && both.kind != WK_PICKLED_TUPLE) || both.box->count != 2)
                return wk_load_wrong(w, "is no dict as pickles have them");
            if (!put_pair(w, both.box->items[0], both.box->items[1]))
                return false;
        }
    }
    const wk_pickled *items = wk_pickled_items(made, &count);
    return !made.box->paired || put_pairs(w, items, count);
}

static bool put_sequence(wk_load_walk *w, wk_pickled made)
{
    const wk_pickled from = wk_load_argument(made, 0);
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
        const wk_pickled from = names->kind == WK_PICKLED_MADE ? wk_load_argument(*names, 0) : *names;
        if (from.kind == WK_PICKLED_SET || from.kind == WK_PICKLED_LIST)
            items = wk_pickled_items(from, &count);
    }
    for (int64_t i = 0; i < count; i++)
        if (items[i].kind == WK_PICKLED_TEXT && name.kind == WK_PICKLED_TEXT && items[i].length == name.length &&
            memcmp(items[i].bytes, name.bytes, name.length) == 0)
            return true;
    return false;
}

static bool put_buffers(wk_load_walk *w, wk_pickled buffers, const wk_pickled *not_saved)
{
    int64_t count = 0;
    const wk_pickled *items =
        buffers.kind == WK_PICKLED_DICT || buffers.kind == WK_PICKLED_MADE ? wk_pickled_items(buffers, &count) : NULL;
    for (int64_t i = 0; i + 1 < count; i += 2)
        if (!names_hold(not_saved, items[i]) && !put_pair(w, items[i], items[i + 1]))
            return false;
    return true;
}

static bool put_module(wk_load_walk *w, wk_pickled state)
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
static bool put_object(wk_load_walk *w, wk_pickled made)
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

static bool put_made(wk_load_walk *w, wk_pickled made)
{
    switch (meaning_of(made.box->items[0])) {
    case MAPPING:
        return put_mapping(w, made);
    case SEQUENCE:
        return put_sequence(w, made);
    case DEVICE:
        return wk_load_put_device(w, made);
    case ENCODED:
        return wk_load_put_encoded(w, made);
    case COMPLEX:
        return wk_load_put_complex(w, made);
    case BYTE_ARRAY:;
        const wk_pickled from = wk_load_argument(made, 0);
        return from.kind == WK_PICKLED_BYTES  ? wk_load_put_bytes(w, from.bytes, from.length)
               : from.kind == WK_PICKLED_NONE ? wk_load_put_bytes(w, NULL, 0)
               : from.kind == WK_PICKLED_TEXT ? wk_load_put_encoded(w, made)
               : from.kind == WK_PICKLED_MADE && meaning_of(from.box->items[0]) == ENCODED
                   ? wk_load_put_encoded(w, from)
                   : wk_load_wrong(w, "is no text as bytes");
    default:
        return put_object(w, made);
    }
}

/* "torch.float32" and its like: dtypes, layouts and ways to quantize, which are values */
static bool put_global(wk_load_walk *w, wk_pickled global)
{
    static const char *const begins[] = {"float", "bfloat", "complex", "int",  "uint",   "bool",
                                         "qint",  "quint",  "bits",    "per_", "sparse", "strided"};
    if (w->mines)
        return true;
    const wk_pickled name = global.box->items[1];
    bool known = false;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        known |= name.length >= strlen(begins[i]) && memcmp(name.bytes, begins[i], strlen(begins[i])) == 0;
    if (!known || !wk_pickled_is_text(global.box->items[0], "torch"))
        return refuse(w, global, "holds");
    return wk_load_put_text(w, name_of(global, (wk_shown_text){0}));
}

static bool put(wk_load_walk *w, wk_pickled value)
{
    bool good = false;
    if (wk_load_is_tensor(value)) {
        wk_scope
        {
            good =
                wk_load_put_tensor(w, wk_load_tensor(w->loading, value, w->length > 0 ? SHOWN(w->name) : "its tensor"));
        }
        return good;
    }
    switch (value.kind) {
    case WK_PICKLED_NONE:
        return true;
    case WK_PICKLED_BOOL:
    case WK_PICKLED_INTEGER:
        return wk_load_put_integer(w, value.integer);
    case WK_PICKLED_LARGE:
        return wk_load_put_large(w, value);
    case WK_PICKLED_REAL:
        return wk_load_put_number(w, value.real);
    case WK_PICKLED_TEXT:
        return wk_load_put_string(w, value);
    case WK_PICKLED_BYTES:
        return wk_load_put_bytes(w, value.bytes, value.length);
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
    wk_load_walk *w = wk_alloc(sizeof *w);
    if (!w)
        return wk_out_of_memory(l->op, sizeof *w);
    *w = (wk_load_walk){.loading = l, .left = WK_LOAD_TIMES_LARGER * (l->pickle.at - l->pickle.begin) + 4096};
    for (const wk_pickled_box *box = l->pickle.boxes; box && !w->mines; box = box->before)
        w->mines = box->kind == WK_PICKLED_MADE && is_module((wk_pickled){.kind = box->kind, .box = (void *)box});
    const wk_pickled_box *unknown = w->mines ? NULL : unknown_call(&l->pickle);
    const bool good = unknown ? refuse(w, unknown->items[0], "would call") : put(w, value);
    wk_free(w);
    return good;
}
