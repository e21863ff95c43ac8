/* A tree of JSON in one array: a value is 48 bytes, whatever it is. */
#include "json.h"

#include <string.h>

#include <wick/error.h>

#include "core/alloc.h"
#include "core/text.h"

#define DEEPEST 127

static bool read_value(const char *op, wk_json *json, wk_json_tree *tree, size_t at, int depth);

/* a new value; its place, 0 after an error */
static size_t new_value(const char *op, wk_json_tree *tree)
{
    if (tree->count == tree->room) {
        const size_t room = tree->room + tree->room / 2 + 64;
        wk_json_value *values = tree->count < UINT32_MAX / 2 ? wk_realloc(tree->values, room * sizeof *values) : NULL;
        if (!values)
            return wk_out_of_memory(op, room * sizeof *values), 0;
        tree->values = values;
        tree->room = room;
    }
    tree->values[tree->count] = (wk_json_value){0};
    return tree->count++;
}

static bool read_inside(const char *op, wk_json *json, wk_json_tree *tree, size_t at, int depth, char close)
{
    size_t last = 0, count = 0;
    for (bool first = true; wk_json_more(json, close, &first); count++) {
        const char *key = NULL;
        if (close == '}' && (!(key = wk_json_string(json)) || !wk_json_expect(json, ':')))
            return false;
        const size_t key_size = key ? json->size : 0, value = new_value(op, tree);
        if (!value)
            return false;
        tree->values[value].key = key;
        tree->values[value].key_size = (uint32_t)key_size;
        *(last ? &tree->values[last].next : &tree->values[at].first) = (uint32_t)value;
        last = value;
        if (!read_value(op, json, tree, value, depth + 1))
            return false;
    }
    tree->values[at].size = count;
    return !json->wrong;
}

static bool read_value(const char *op, wk_json *json, wk_json_tree *tree, size_t at, int depth)
{
    if (depth > DEEPEST) {
        json->wrong = json->wrong ? json->wrong : "it is nested too deep";
        return false;
    }
    if (wk_json_take(json, '{')) {
        tree->values[at].kind = WK_JSON_OBJECT;
        return read_inside(op, json, tree, at, depth, '}');
    }
    if (wk_json_take(json, '[')) {
        tree->values[at].kind = WK_JSON_ARRAY;
        return read_inside(op, json, tree, at, depth, ']');
    }
    wk_json_value *value = &tree->values[at];
    const char next = !json->wrong && json->at < json->end ? *json->at : '\0';
    if (next == '"') {
        value->kind = WK_JSON_STRING;
        value->string = wk_json_string(json);
        value->size = json->size;
        return value->string != NULL;
    }
    if (next == 't' || next == 'f' || next == 'n') {
        value->kind = next == 'n' ? WK_JSON_NULL : WK_JSON_BOOL;
        value->number = next == 't';
        return wk_json_skip(json);
    }
    value->kind = WK_JSON_NUMBER;
    return wk_json_number(json, &value->number);
}

bool wk_json_tree_read(const char *op, const char *file, wk_json *json, wk_json_tree *tree)
{
    *tree = (wk_json_tree){0};
    new_value(op, tree); // the root, at place 0
    if (tree->count == 1 && read_value(op, json, tree, 0, 0) && wk_json_ends(json))
        return true;
    if (json->wrong)
        wk_fail(op, "%s: is no JSON: %s, at byte %zu", file, json->wrong, (size_t)(json->at - json->begin));
    wk_json_tree_free(tree);
    return false;
}

void wk_json_tree_free(wk_json_tree *tree)
{
    wk_free(tree->values);
    *tree = (wk_json_tree){0};
}

const wk_json_value *wk_json_get(const wk_json_tree *tree, const wk_json_value *object, const char *key)
{
    const wk_json_value *found = NULL;
    const size_t size = strlen(key);
    if (!object || object->kind != WK_JSON_OBJECT)
        return NULL;
    for (const wk_json_value *value = wk_json_first(tree, object); value; value = wk_json_next(tree, value))
        if (value->key_size == size && memcmp(value->key, key, size) == 0)
            found = value;
    return found;
}
