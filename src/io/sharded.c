/* A checkpoint of several files, as Hugging Face's libraries write it: model.safetensors.index.json says in which file
   of its folder each tensor is,
       {"metadata": {"total_size": 24}, "weight_map": {"fc.weight": "model-00001-of-00002.safetensors", ...}}
   An index may name files of its own folder alone: it may come from anywhere, and must not reach for others. */
#include "sharded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wick/error.h>
#include <wick/memory.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/text.h"
#include "file.h"
#include "json.h"

#define SHOWN(name) wk_shown(name, (wk_shown_text){0})

typedef struct entry {
    const char *name, *file;
    int64_t place;    // in the index
    wk_tensor *value; // held
} entry;

typedef struct sharded {
    const char *op, *path;
    entry *entries;
    int64_t count, capacity;
    wk_dict *dict;
} sharded;

bool wk_sharded_is(const char *path)
{
    static const char end[] = ".index.json";
    const size_t length = path ? strlen(path) : 0;
    return length >= sizeof end - 1 && strcmp(path + length - (sizeof end - 1), end) == 0;
}

static bool add(sharded *s, const char *name, const char *file)
{
    if (!*file || *file == '.' || strchr(file, '/'))
        return wk_fail(s->op, "%s: %s: expected the name of a file of its own folder, got %s", SHOWN(s->path),
                       SHOWN(name), SHOWN(file));
    if (s->count == s->capacity) {
        const int64_t capacity = s->capacity ? 2 * s->capacity : 64;
        entry *grown = wk_realloc(s->entries, (size_t)capacity * sizeof *grown);
        if (!grown)
            return wk_out_of_memory(s->op, (size_t)capacity * sizeof *grown);
        s->entries = grown;
        s->capacity = capacity;
    }
    s->entries[s->count] = (entry){.name = name, .file = file, .place = s->count};
    s->count++;
    return true;
}

static bool read_weight_map(sharded *s, wk_json *json)
{
    if (!wk_json_expect(json, '{'))
        return false;
    for (bool first = true; wk_json_more(json, '}', &first);) {
        const char *name = wk_json_string(json);
        const char *file = name && wk_json_expect(json, ':') ? wk_json_string(json) : NULL;
        if (!file || !add(s, name, file))
            return false;
    }
    return !json->wrong;
}

static bool read_index(sharded *s, const wk_file_map *map)
{
    char *begin = map->size > 0 ? (char *)map->bytes : (char[1]){0};
    wk_json json = {.begin = begin, .at = begin, .end = begin + map->size};
    bool has_map = false, good = wk_json_expect(&json, '{');
    for (bool first = true; good && wk_json_more(&json, '}', &first);) {
        const char *key = wk_json_string(&json);
        good = key && wk_json_expect(&json, ':');
        const bool is_map = good && strcmp(key, "weight_map") == 0;
        good = good && (is_map ? !has_map && read_weight_map(s, &json) : wk_json_skip(&json));
        has_map |= is_map;
    }
    good = good && wk_json_ends(&json) && has_map;
    if (good || wk_failing())
        return good;
    return wk_fail(s->op, "%s: is no index of a checkpoint: %s, at byte %lld", SHOWN(s->path),
                   json.wrong ? json.wrong : "expected one weight_map", (long long)(json.at - json.begin));
}

static int by_file(const void *a_, const void *b_)
{
    const entry *a = a_, *b = b_;
    const int order = strcmp(a->file, b->file);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static int by_place(const void *a_, const void *b_)
{
    const entry *a = a_, *b = b_;
    return (a->place > b->place) - (a->place < b->place);
}

/* the path of a file beside the index; to be freed; NULL after an error */
static char *beside(const sharded *s, const char *file)
{
    const char *slash = strrchr(s->path, '/');
    const size_t folder = slash ? (size_t)(slash + 1 - s->path) : 0, size = folder + strlen(file) + 1;
    char *path = wk_alloc(size);
    if (!path)
        return wk_out_of_memory(s->op, size);
    snprintf(path, size, "%.*s%s", (int)folder, s->path, file);
    return path;
}

/* the entries from `from` on that are in one file; how many; 0 after an error */
static int64_t take_shard(sharded *s, int64_t from, wk_dict *(*load)(const char *path, const void *context),
                          const void *context)
{
    const char *file = s->entries[from].file;
    char *path = beside(s, file);
    wk_dict *shard = path ? load(path, context) : NULL;
    bool good = shard != NULL;
    int64_t count = 0;
    for (; good && from + count < s->count && strcmp(s->entries[from + count].file, file) == 0; count++) {
        entry *e = &s->entries[from + count];
        wk_tensor *x = wk_dict_get(shard, e->name);
        good = x || wk_fail(s->op, "%s: %s is not in %s", SHOWN(s->path), SHOWN(e->name), SHOWN(file));
        e->value = x ? wk_retain(x) : NULL;
    }
    for (int64_t i = 0; good && i < wk_dict_text_count(shard); i++)
        good = wk_dict_set_text(s->dict, wk_dict_text_key_at(shard, i), wk_dict_text_at(shard, i));
    wk_dict_free(shard);
    wk_free(path);
    return good ? count : 0;
}

static bool read_shards(sharded *s, wk_dict *(*load)(const char *path, const void *context), const void *context)
{
    if (s->count > 0)
        qsort(s->entries, (size_t)s->count, sizeof *s->entries, by_file);
    for (int64_t i = 0, taken; i < s->count; i += taken)
        if ((taken = take_shard(s, i, load, context)) == 0)
            return false;
    if (s->count > 0)
        qsort(s->entries, (size_t)s->count, sizeof *s->entries, by_place);
    for (int64_t i = 0; i < s->count; i++) {
        const entry *e = &s->entries[i];
        if (wk_dict_get(s->dict, e->name))
            return wk_fail(s->op, "%s: %s: is there twice", SHOWN(s->path), SHOWN(e->name));
        if (!wk_dict_set(s->dict, e->name, e->value))
            return false;
    }
    return true;
}

wk_dict *wk_sharded_load(const char *op, const char *path, wk_dict *(*load)(const char *path, const void *context),
                         const void *context)
{
    sharded s = {.op = op, .path = path};
    wk_file_map *map = wk_file_map_open(op, path);
    s.dict = map ? wk_dict_new() : NULL;
    const bool good = s.dict && read_index(&s, map) && read_shards(&s, load, context);
    for (int64_t i = 0; i < s.count; i++)
        wk_release(s.entries[i].value);
    wk_free(s.entries);
    wk_file_map_release(map);
    if (good)
        return s.dict;
    wk_dict_free(s.dict);
    return NULL;
}
