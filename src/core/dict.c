/* Ordered dictionaries: two lists, of tensors and of texts, in order of insertion.

   Up to 64 keys are found by comparing their hashes, one after another; above that by a table of places beside the
   list, open addressing, at most half full.

   Names come from files, and a file may be made so that its names collide.  So the hash is SipHash with a key that each
   process draws: nobody outside can find names that crowd.  No order depends on it.  https://131002.net/siphash */
#include "dict.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "alloc.h"
#include "error_internal.h"
#include "tensor.h"
#include "text.h"

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

static uint64_t hash_key[2]; // drawn once
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void draw_hash_key(void)
{
    if (getrandom(hash_key, sizeof hash_key, GRND_NONBLOCK) == sizeof hash_key)
        return;
    struct timespec time; // early at a machine's start
    clock_gettime(CLOCK_REALTIME, &time);
    hash_key[0] = (uint64_t)time.tv_nsec * 0x9E3779B97F4A7C15u;
    hash_key[1] = (uint64_t)(uintptr_t)&time;
}

static uint64_t turn(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = turn(v[1], 13) ^ v[0], v[0] = turn(v[0], 32);
    v[2] += v[3], v[3] = turn(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = turn(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = turn(v[1], 17) ^ v[2], v[2] = turn(v[2], 32);
}

/* SipHash-1-3 */
static uint64_t hash_of(const char *key)
{
    pthread_once(&hash_key_once, draw_hash_key);
    const size_t length = strlen(key);
    uint64_t v[4] = {hash_key[0] ^ 0x736f6d6570736575u, hash_key[1] ^ 0x646f72616e646f6du,
                     hash_key[0] ^ 0x6c7967656e657261u, hash_key[1] ^ 0x7465646279746573u};
    for (size_t at = 0; at <= length; at += 8) { // the last word ends with the length
        uint64_t word = length - at < 8 ? (uint64_t)length << 56 : 0;
        memcpy(&word, key + at, length - at < 8 ? length - at : 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
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

int64_t wk_dict_longest_search(const wk_dict *dict)
{
    const list *of = &dict->tensors;
    int64_t longest = of->slots ? 1 : of->count, run = 0;
    for (uint64_t slot = 0; of->slots && slot <= slots_mask(of); slot++) {
        run = of->slots[slot] ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
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
    if (!dict || !key)
        return wk_null_input("dict", !dict ? "dict" : "key");
    WK_REQUIRE("dict", value);
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

bool wk_dict_consume_prefix(wk_dict *dict, const char *prefix)
{
    if (!dict || !prefix)
        return wk_null_input("dict", dict ? "prefix" : "dict");
    const size_t length = strlen(prefix);
    list *const lists[] = {&dict->tensors, &dict->texts};
    for (int kind = 0; kind < 2; kind++)
        for (int64_t i = 0; length > 0 && i < lists[kind]->count; i++) {
            const char *key = lists[kind]->items[i].key;
            if (strncmp(key, prefix, length) == 0 && strncmp(key + length, prefix, length) != 0 &&
                find(lists[kind], key + length) >= 0)
                return wk_fail("dict", "prefix: %s is there with and without it",
                               wk_shown(key + length, (wk_shown_text){0}));
        }
    for (int kind = 0; kind < 2; kind++) {
        list *const of = lists[kind];
        for (int64_t i = 0; i < of->count; i++) {
            char *key = of->items[i].key;
            if (strncmp(key, prefix, length) != 0)
                continue;
            memmove(key, key + length, strlen(key + length) + 1);
            of->items[i].hash = hash_of(key);
        }
        if (of->slots)
            note_slots(of);
    }
    return true;
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
    WK_PLAIN_NUMBERS;
    char text[40];
    snprintf(text, sizeof text, "%.17g", number);
    return wk_dict_set_text(dict, key, text);
}

double wk_dict_number(const wk_dict *dict, const char *key, double otherwise)
{
    WK_PLAIN_NUMBERS;
    const char *text = wk_dict_text(dict, key);
    char *end = NULL;
    const double number = text ? strtod(text, &end) : otherwise;
    return text && end != text && !*end ? number : otherwise;
}
