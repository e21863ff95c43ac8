/* Ordered dictionaries: two lists, of tensors and of texts, in order of insertion.

   Up to 64 keys are found by comparing their hashes, one after another; above that by a table of places beside the
   list, open addressing, at most half full. */
#include <wick/dict.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "tensor.h"

typedef struct entry {
    char *key;
    uint64_t hash;
    void *value; // a tensor, retained, or a text of its own
} entry;

typedef struct list {
    entry *items;
    int64_t count, capacity;
    int64_t *slots; // 2 * capacity places: an index of items and 1, or 0; NULL: few keys
} list;

#define FEW_KEYS 64

struct wk_dict {
    list tensors, texts;
};

static uint64_t hash_of(const char *key)
{
    uint64_t hash = 1469598103934665603u; // FNV-1a
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    return hash;
}

static uint64_t slots_mask(const list *of) { return 2 * (uint64_t)of->capacity - 1; }

static int64_t find(const list *of, const char *key)
{
    const uint64_t hash = hash_of(key);
    for (int64_t i = 0; !of->slots && i < of->count; i++)
        if (of->items[i].hash == hash && strcmp(of->items[i].key, key) == 0)
            return i;
    if (of->slots)
        for (uint64_t slot = hash; of->slots[slot &= slots_mask(of)]; slot++) {
            const entry *found = &of->items[of->slots[slot] - 1];
            if (found->hash == hash && strcmp(found->key, key) == 0)
                return found - of->items;
        }
    return -1;
}

static void note_slot(list *of, int64_t index)
{
    uint64_t slot = of->items[index].hash & slots_mask(of);
    while (of->slots[slot])
        slot = (slot + 1) & slots_mask(of);
    of->slots[slot] = index + 1;
}

static void note_slots(list *of)
{
    memset(of->slots, 0, (size_t)(slots_mask(of) + 1) * sizeof *of->slots);
    for (int64_t i = 0; i < of->count; i++)
        note_slot(of, i);
}

/* room for twice as many */
static bool grow(list *of)
{
    const int64_t capacity = of->capacity ? 2 * of->capacity : 16;
    entry *items = wk_realloc(of->items, (size_t)capacity * sizeof *items);
    if (!items)
        return wk_out_of_memory("dict", (size_t)capacity * sizeof *items);
    of->items = items;
    if (capacity > FEW_KEYS) {
        int64_t *slots = wk_realloc(of->slots, (size_t)capacity * 2 * sizeof *slots);
        if (!slots)
            return wk_out_of_memory("dict", (size_t)capacity * 2 * sizeof *slots);
        of->slots = slots;
    }
    of->capacity = capacity;
    if (of->slots)
        note_slots(of);
    return true;
}

/* the place of key's value, made where there is none; NULL after an error */
static entry *place(list *of, const char *key)
{
    const int64_t found = find(of, key);
    if (found >= 0)
        return &of->items[found];
    if (of->count == of->capacity && !grow(of))
        return NULL;
    char *copy = wk_strdup(key);
    if (!copy)
        return wk_out_of_memory("dict", strlen(key) + 1);
    of->items[of->count++] = (entry){copy, hash_of(key), NULL};
    if (of->slots)
        note_slot(of, of->count - 1);
    return &of->items[of->count - 1];
}

static const entry *at(const list *of, int64_t index)
{
    return index >= 0 && index < of->count ? &of->items[index] : NULL;
}

wk_dict *wk_dict_new(void)
{
    wk_dict *dict = wk_alloc_zeroed(sizeof *dict);
    return dict ? dict : wk_out_of_memory("dict", sizeof *dict);
}

void wk_dict_free(wk_dict *dict)
{
    if (!dict)
        return;
    for (int64_t i = 0; i < dict->tensors.count; i++) {
        wk_free(dict->tensors.items[i].key);
        wk_release(dict->tensors.items[i].value);
    }
    for (int64_t i = 0; i < dict->texts.count; i++) {
        wk_free(dict->texts.items[i].key);
        wk_free(dict->texts.items[i].value);
    }
    wk_free(dict->tensors.items);
    wk_free(dict->tensors.slots);
    wk_free(dict->texts.items);
    wk_free(dict->texts.slots);
    wk_free(dict);
}

bool wk_dict_set(wk_dict *dict, const char *key, wk_tensor *value)
{
    if (!dict || !key || !value)
        return wk_null_input("dict", !dict ? "dict" : !key ? "key" : "value");
    entry *to = place(&dict->tensors, key);
    if (!to)
        return false;
    wk_tensor *before = to->value;
    to->value = wk_retain(value);
    wk_release(before);
    return true;
}

wk_tensor *wk_dict_get(const wk_dict *dict, const char *key)
{
    const int64_t found = dict && key ? find(&dict->tensors, key) : -1;
    return found < 0 ? NULL : dict->tensors.items[found].value;
}

bool wk_dict_remove(wk_dict *dict, const char *key)
{
    const int64_t found = dict && key ? find(&dict->tensors, key) : -1;
    if (found < 0)
        return false;
    entry *items = dict->tensors.items;
    wk_free(items[found].key);
    wk_release(items[found].value);
    memmove(items + found, items + found + 1, (size_t)(--dict->tensors.count - found) * sizeof *items);
    if (dict->tensors.slots)
        note_slots(&dict->tensors);
    return true;
}

/* a text to be freed; NULL after an error */
static char *with_prefix(const char *prefix, const char *key)
{
    const size_t length = strlen(prefix) + strlen(key) + 1;
    char *text = wk_alloc(length);
    if (!text)
        return wk_out_of_memory("dict", length);
    snprintf(text, length, "%s%s", prefix, key);
    return text;
}

bool wk_dict_update(wk_dict *dict, const wk_dict *part, const char *prefix)
{
    if (!dict || !part)
        return wk_null_input("dict", dict ? "part" : "dict");
    bool fine = true;
    for (int kind = 0; kind < 2; kind++) {
        const list *from = kind ? &part->texts : &part->tensors;
        for (int64_t i = 0; fine && i < from->count; i++) {
            char *key = with_prefix(prefix ? prefix : "", from->items[i].key);
            fine = key && (kind ? wk_dict_set_text(dict, key, from->items[i].value)
                                : wk_dict_set(dict, key, from->items[i].value));
            wk_free(key);
        }
    }
    return fine;
}

wk_dict *wk_dict_part(const wk_dict *dict, const char *prefix)
{
    wk_dict *part = dict ? wk_dict_new() : wk_null_input("dict", "dict");
    const size_t length = prefix ? strlen(prefix) : 0;
    bool fine = part != NULL;
    for (int kind = 0; kind < 2; kind++) {
        const list *from = dict && kind ? &dict->texts : dict ? &dict->tensors : NULL;
        for (int64_t i = 0; fine && i < from->count; i++) {
            const char *key = from->items[i].key;
            if (length > 0 && strncmp(key, prefix, length) != 0)
                continue;
            fine = kind ? wk_dict_set_text(part, key + length, from->items[i].value)
                        : wk_dict_set(part, key + length, from->items[i].value);
        }
    }
    if (!fine) {
        wk_dict_free(part);
        return NULL;
    }
    return part;
}

wk_dict *wk_dict_copy(const wk_dict *dict) { return wk_dict_part(dict, NULL); }

int64_t wk_dict_count(const wk_dict *dict) { return dict ? dict->tensors.count : 0; }

const char *wk_dict_key_at(const wk_dict *dict, int64_t index)
{
    const entry *found = dict ? at(&dict->tensors, index) : NULL;
    return found ? found->key : NULL;
}

wk_tensor *wk_dict_value_at(const wk_dict *dict, int64_t index)
{
    const entry *found = dict ? at(&dict->tensors, index) : NULL;
    return found ? found->value : NULL;
}

bool wk_dict_set_text(wk_dict *dict, const char *key, const char *text)
{
    if (!dict || !key || !text)
        return wk_null_input("dict", !dict ? "dict" : !key ? "key" : "text");
    char *copy = wk_strdup(text);
    if (!copy)
        return wk_out_of_memory("dict", strlen(text) + 1);
    entry *to = place(&dict->texts, key);
    if (!to) {
        wk_free(copy);
        return false;
    }
    wk_free(to->value);
    to->value = copy;
    return true;
}

const char *wk_dict_text(const wk_dict *dict, const char *key)
{
    const int64_t found = dict && key ? find(&dict->texts, key) : -1;
    return found < 0 ? NULL : dict->texts.items[found].value;
}

int64_t wk_dict_text_count(const wk_dict *dict) { return dict ? dict->texts.count : 0; }

const char *wk_dict_text_key_at(const wk_dict *dict, int64_t index)
{
    const entry *found = dict ? at(&dict->texts, index) : NULL;
    return found ? found->key : NULL;
}

const char *wk_dict_text_at(const wk_dict *dict, int64_t index)
{
    const entry *found = dict ? at(&dict->texts, index) : NULL;
    return found ? found->value : NULL;
}

bool wk_dict_set_number(wk_dict *dict, const char *key, double number)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", number);
    return wk_dict_set_text(dict, key, text);
}

double wk_dict_number(const wk_dict *dict, const char *key, double otherwise)
{
    const char *text = wk_dict_text(dict, key);
    char *end = NULL;
    const double number = text ? strtod(text, &end) : otherwise;
    return text && end != text ? number : otherwise;
}
