/* state_dict and load_state_dict: a module's tensors by name.

   Loading looks before it copies: every name and shape is checked first, so that an error leaves the module as it was
   (PyTorch copies what fits, then raises). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <wick/autograd.h>
#include <wick/cast.h>

#include "core/alloc.h"
#include "core/text.h"
#include "module.h"

static bool put_members(const wk_members *members, const char *path, bool detach, wk_dict *into)
{
    for (int64_t i = 0; i < members->count; i++) {
        wk_tensor *x = members->items[i].tensor;
        if (!x || !members->items[i].persistent)
            continue;
        char *name = wk_module_join("state_dict", path, members->items[i].name);
        bool set = false;
        wk_scope
        {
            wk_tensor *value = !name ? NULL : detach ? wk_detach(x) : x;
            set = value && wk_dict_set(into, name, value);
        }
        wk_free(name);
        if (!set)
            return false;
    }
    return true;
}

static bool put_detached(wk_module *module, const char *path, void *context)
{
    return put_members(&module->inside->parameters, path, true, context) &&
           put_members(&module->inside->buffers, path, true, context);
}

static bool put_themselves(wk_module *module, const char *path, void *context)
{
    return put_members(&module->inside->parameters, path, false, context) &&
           put_members(&module->inside->buffers, path, false, context);
}

static wk_dict *state_of(const char *op, void *module_, wk_module_visit *visit)
{
    wk_module *module = wk_module_check(op, module_);
    if (module)
        module->inside->asked = true;
    wk_dict *state = module ? wk_dict_new() : NULL;
    if (state && !wk_module_walk(op, module, false, visit, state)) {
        wk_dict_free(state);
        return NULL;
    }
    return state;
}

wk_dict *wk_module_state_dict(void *module) { return state_of("state_dict", module, put_detached); }

/* ---------------------------------------------------------------- load */

enum { NAMED = 8 }; // of each kind of complaint, as many are named

/* what a load complains of, as much as fits */
typedef struct complaint {
    char text[760];
    size_t used;
} complaint;

__attribute__((format(printf, 2, 3))) static void complain(complaint *of, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t left = sizeof of->text - of->used;
    const int length = vsnprintf(of->text + of->used, left, format, arguments);
    of->used += length < 0 ? 0 : (size_t)length < left ? (size_t)length : left - 1;
    va_end(arguments);
}

/* a name of the module that a state may do without: num_batches_tracked, which PyTorch's older files have not, and the
   second name of a tensor that is given by another (tied weights: files keep one) */
static bool is_spare(const wk_dict *own, int64_t index, const wk_dict *state)
{
    const char *name = wk_dict_key_at(own, index), *last = strrchr(name, '.');
    bool spare = strcmp(last ? last + 1 : name, "num_batches_tracked") == 0;
    for (int64_t i = 0; i < wk_dict_count(own) && !spare; i++)
        spare = wk_dict_value_at(own, i) == wk_dict_value_at(own, index) && wk_dict_get(state, wk_dict_key_at(own, i));
    return spare;
}

/* names of `of` that `in` lacks, each added to `found` if that is given; how many */
static int64_t lacking(const wk_dict *of, const wk_dict *in, bool spares, wk_dict *found, const char *what,
                       complaint *text)
{
    int64_t count = 0;
    for (int64_t i = 0; i < wk_dict_count(of); i++) {
        const char *name = wk_dict_key_at(of, i);
        if (wk_dict_get(in, name) || (spares && is_spare(of, i, in)))
            continue;
        const char *shown = wk_shown(name, (wk_shown_text){0});
        if (count == 0)
            complain(text, "\n%s: \"%s\"", what, shown);
        else if (count <= NAMED)
            complain(text, count < NAMED ? ", \"%s\"" : ", ...", shown);
        count++;
        if (found && !wk_dict_set(found, name, wk_dict_value_at(of, i)))
            return -1;
    }
    return count;
}

/* where the state has the first missing tensor under a longer name: which part of the state to take */
static void hint_at_part(const wk_dict *own, const wk_dict *state, complaint *text)
{
    const char *name = NULL;
    for (int64_t i = 0; i < wk_dict_count(own) && !name; i++)
        name = wk_dict_get(state, wk_dict_key_at(own, i)) ? NULL : wk_dict_key_at(own, i);
    for (int64_t i = 0; name && i < wk_dict_count(state); i++) {
        const char *key = wk_dict_key_at(state, i);
        const size_t before = strlen(key) - (strlen(key) < strlen(name) ? strlen(key) : strlen(name));
        if (before == 0 || key[before - 1] != '.' || strcmp(key + before, name) != 0)
            continue;
        char prefix[WK_SHOWN];
        snprintf(prefix, sizeof prefix, "%.*s", (int)(before < sizeof prefix ? before : sizeof prefix - 1), key);
        complain(text, "\nhint: wk_dict_part(state, \"%s\")", wk_shown(prefix, (wk_shown_text){0}));
        return;
    }
}

/* "model.", where most names of `shorter` are in `longer` behind it, in text; else it is left empty */
static void find_prefix(const wk_dict *shorter, const wk_dict *longer, char *text, size_t size)
{
    const char *first = wk_dict_key_at(shorter, 0);
    int tries = 8; // names end alike; how many are looked at
    for (int64_t i = 0; first && i < wk_dict_count(longer) && tries > 0; i++) {
        const char *key = wk_dict_key_at(longer, i);
        const size_t length = strlen(key), tail = strlen(first);
        if (length <= tail || key[length - tail - 1] != '.' || strcmp(key + length - tail, first) != 0)
            continue;
        const int prefix = (int)(length - tail);
        int64_t found = 0;
        for (int64_t j = 0; j < wk_dict_count(shorter); j++) {
            char joined[512];
            snprintf(joined, sizeof joined, "%.*s%s", prefix, key, wk_dict_key_at(shorter, j));
            found += wk_dict_get(longer, joined) != NULL;
        }
        if (2 * found > wk_dict_count(shorter) && (size_t)prefix < size) {
            snprintf(text, size, "%.*s", prefix, key);
            return;
        }
        tries--;
    }
}

static void fail(const wk_load_state_dict_args *args, const wk_dict *own, const char *complaint)
{
    char prefix[64] = "", hint[240] = "";
    find_prefix(own, args->state, prefix, sizeof prefix);
    if (*prefix)
        snprintf(hint, sizeof hint,
                 "\nhint: the state's names begin with \"%s\": wk_dict_consume_prefix(state, \"%s\")",
                 wk_shown(prefix, (wk_shown_text){0}), wk_shown(prefix, (wk_shown_text){0}));
    if (!*prefix)
        find_prefix(args->state, own, prefix, sizeof prefix);
    if (*prefix && !*hint)
        snprintf(hint, sizeof hint, "\nhint: it has the names of a part: wk_module_get_submodule(module, \"%.*s\")",
                 (int)strlen(prefix) - 1, prefix);
    wk_fail("load_state_dict", "state: does not fit the %s%s%s", ((wk_module *)args->module)->type, complaint, hint);
}

static bool check(const wk_load_state_dict_args *args, const wk_dict *own)
{
    complaint text = {.used = 0};
    const int64_t missing = lacking(own, args->state, true, args->missing_keys, "missing from the state", &text);
    const int64_t unexpected = lacking(args->state, own, false, args->unexpected_keys, "not in the module", &text);
    if (missing < 0 || unexpected < 0)
        return false;
    bool wrong = args->strict && missing + unexpected > 0;
    if (!wrong)
        text = (complaint){.used = 0};
    int64_t sizes = 0;
    for (int64_t i = 0; i < wk_dict_count(own); i++) {
        const wk_tensor *to = wk_dict_value_at(own, i), *from = wk_dict_get(args->state, wk_dict_key_at(own, i));
        if (!from || wk_same_shape(to, from))
            continue;
        if (sizes++ < NAMED)
            complain(&text, "\nsize mismatch for %s: %s in the state, %s in the module",
                     wk_shown(wk_dict_key_at(own, i), (wk_shown_text){0}), wk_shape_string(from), wk_shape_string(to));
        wrong = true;
    }
    if (wrong && missing > 0)
        hint_at_part(own, args->state, &text);
    if (wrong)
        fail(args, own, text.text);
    return !wrong;
}

bool wk_module_load_state_dict_with(wk_load_state_dict_args args)
{
    if (wk_failing())
        return false;
    if (!args.state && wk_module_check("load_state_dict", args.module))
        return wk_fail("load_state_dict", "state: expected a dict, got NULL");
    wk_dict *own = state_of("load_state_dict", args.module, put_themselves);
    bool fine = own && check(&args, own);
    wk_no_grad wk_scope
    for (int64_t i = 0; fine && i < wk_dict_count(own); i++) {
        wk_tensor *from = wk_dict_get(args.state, wk_dict_key_at(own, i));
        fine = !from || wk_copy_(wk_dict_value_at(own, i), from);
    }
    wk_dict_free(own);
    return fine;
}
