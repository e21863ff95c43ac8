/* einops' pack and unpack, and einsum with names of several letters.

   Their patterns are simpler: names with spaces between, and one * among them. */
#include "einops.h"

#include <string.h>

#include <wick/einsum.h>
#include <wick/join.h>

#include "tensors.h"

/* ---------------------------------------------------------------- "b * c" */

typedef struct packing {
    int before, after; // names before and after the *
} packing;

static bool read_packing(const char *op, const char *pattern, packing *p)
{
    *p = (packing){.before = -1};
    if (!pattern)
        return wk_fail(op, "pattern: expected a text, got NULL");
    int names = 0;
    for (const char *at = pattern; *at;) {
        const int column = (int)(at - pattern);
        bool fine;
        const int width = wk_einops_name(at, &fine);
        if (*at == ' ') {
            at++;
        } else if (*at == '*') {
            if (p->before >= 0)
                return wk_einops_complain(op, pattern, column, "pattern: there is a second *") != NULL;
            p->before = names;
            names = 0;
            at++;
        } else if (!fine) {
            return wk_einops_complain(op, pattern, column, "pattern: expected a name or * here") != NULL;
        } else {
            for (const char *other = pattern; other < at;) {
                const int length = wk_einops_name(other, &fine);
                if (length == width && memcmp(other, at, (size_t)width) == 0)
                    return wk_einops_complain(op, pattern, column, "pattern: the name comes twice") != NULL;
                other += length > 0 ? length : 1;
            }
            names++;
            at += width;
        }
    }
    p->after = names;
    return p->before >= 0 || wk_einops_complain(op, pattern, 0, "pattern: expected a * among the names") != NULL;
}

/* x's shape with `middle` in the place of its dims from before to ndim - after */
static wk_shape replaced(const wk_tensor *x, const packing *p, const wk_shape *middle)
{
    wk_shape shape = {0};
    const wk_shape parts[3] = {wk_shape_of(p->before, x->shape), *middle,
                               wk_shape_of(p->after, x->shape + x->ndim - p->after)};
    for (int part = 0; part < 3; part++)
        for (int i = 0; i < parts[part].ndim; i++)
            if (shape.ndim++ < WK_MAX_DIMS)
                shape.sizes[shape.ndim - 1] = parts[part].sizes[i];
    return shape;
}

/* ---------------------------------------------------------------- pack, unpack */

wk_tensor *wk_einops_pack_with(wk_tensors tensors, const char *pattern, wk_einops_shapes *shapes)
{
    static const char OP[] = "einops_pack";
    WK_NAMES_ERRORS(OP);
    packing p;
    if (shapes)
        *shapes = (wk_einops_shapes){0, NULL};
    if (!read_packing(OP, pattern, &p))
        return NULL;
    if (tensors.count <= 0)
        return wk_fail(OP, "tensors: expected at least one");
    wk_tensors joined = wk_tensors_room(OP, tensors.count);
    wk_shape *packed = shapes ? wk_scope_alloc(OP, (size_t)tensors.count * sizeof *packed) : NULL;
    if (!joined.items || (shapes && !packed))
        return NULL;
    for (int64_t i = 0; i < tensors.count; i++) {
        wk_tensor *x = tensors.items[i];
        WK_REQUIRE(OP, x);
        const int middle = x->ndim - p.before - p.after;
        if (middle < 0)
            return wk_einops_complain(OP, pattern, 0, "tensors: number %lld needs at least %d dims, got %s",
                                      (long long)i, p.before + p.after, wk_shape_string(x));
        wk_shape under = wk_shape_of(middle, x->shape + p.before);
        wk_shape one = {1, {wk_shape_numel(middle, under.sizes)}};
        if (packed)
            packed[i] = under;
        one = replaced(x, &p, &one);
        if (one.ndim > WK_MAX_DIMS)
            return wk_fail(OP, "tensors: number %lld would have %d dims, the most are %d", (long long)i, one.ndim,
                           WK_MAX_DIMS);
        joined.items[i] = wk_reshape_with(x, one);
    }
    wk_tensor *y = wk_cat(joined, p.before);
    if (y && shapes)
        *shapes = (wk_einops_shapes){tensors.count, packed};
    return y;
}

/* how many places each shape takes of `whole`, -1 inferred; false after an error */
static bool split_sizes(const char *op, const wk_einops_shapes *shapes, int64_t whole, int64_t *sizes)
{
    int64_t sum = 0, unknown = -1;
    for (int64_t i = 0; i < shapes->count; i++) {
        const wk_shape *shape = &shapes->items[i];
        bool infers = false;
        sizes[i] = 1;
        for (int dim = 0; dim < shape->ndim; dim++) {
            const int64_t size = shape->sizes[dim];
            if (size < -1 || (size == -1 && (infers || unknown >= 0)))
                return wk_fail(op, "shapes: expected sizes and at most one -1");
            infers = infers || size == -1;
            if (size != -1 && __builtin_mul_overflow(sizes[i], size, &sizes[i]))
                return wk_fail(op, "shapes: more elements than can be counted");
        }
        if (infers)
            unknown = i;
        else if (__builtin_add_overflow(sum, sizes[i], &sum))
            return wk_fail(op, "shapes: more elements than can be counted");
    }
    if (unknown < 0 ? sum != whole : sum > whole || sizes[unknown] == 0 || (whole - sum) % sizes[unknown] != 0)
        return wk_fail(op, "shapes: do not fit the dim of size %lld under *, they need %lld%s", (long long)whole,
                       (long long)sum, unknown < 0 ? "" : " and a multiple of what stands beside -1");
    if (unknown >= 0)
        sizes[unknown] = whole - sum;
    return true;
}

static wk_tensors no_parts(wk_places places) { return wk_tensors_return((wk_tensors){0, NULL}, places, false); }

wk_tensors wk_einops_unpack_with(wk_tensor *x, wk_einops_shapes shapes, const char *pattern, wk_places places)
{
    static const char OP[] = "einops_unpack";
    WK_NAMES_ERRORS(OP);
    packing p;
    if (!wk_is_tensor(x)) {
        wk_not_a_tensor(OP, "x", x);
        return no_parts(places);
    }
    if (!read_packing(OP, pattern, &p) || !wk_check_places(OP, places, shapes.count))
        return no_parts(places);
    if (x->ndim != p.before + 1 + p.after) {
        wk_einops_complain(OP, pattern, 0, "x: expected %d dims, got %s", p.before + 1 + p.after, wk_shape_string(x));
        return no_parts(places);
    }
    int64_t *sizes = wk_scope_alloc(OP, (size_t)(shapes.count + 1) * sizeof *sizes);
    if (!sizes || !split_sizes(OP, &shapes, x->shape[p.before], sizes))
        return no_parts(places);
    wk_tensors parts = wk_tensors_room(OP, shapes.count);
    bool fine = parts.items != NULL;
    for (int64_t i = 0, start = 0; fine && i < shapes.count; start += sizes[i++]) {
        const wk_shape shape = replaced(x, &p, &shapes.items[i]);
        if (shape.ndim > WK_MAX_DIMS)
            wk_fail(OP, "shapes: number %lld makes %d dims, the most are %d", (long long)i, shape.ndim, WK_MAX_DIMS);
        else
            parts.items[i] = wk_reshape_with(wk_narrow(x, p.before, start, sizes[i]), shape);
        fine = parts.items[i] != NULL;
    }
    return wk_tensors_return(parts, places, fine);
}

/* ---------------------------------------------------------------- einsum */

/* Each name becomes a letter.  "a b c, c d -> a b d" is "abc,cd->abd". */
wk_tensor *wk_einops_einsum_with(wk_tensors tensors, const char *pattern)
{
    static const char OP[] = "einops_einsum", LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    WK_NAMES_ERRORS(OP);
    if (!pattern)
        return wk_fail(OP, "pattern: expected a text, got NULL");
    char equation[WK_EINOPS_TEXT];
    struct {
        int column, width;
    } names[sizeof LETTERS - 1];
    int used = 0, count = 0;
    const char *arrow = strstr(pattern, "->");
    if (!arrow || strlen(pattern) >= sizeof equation)
        return wk_einops_complain(OP, arrow ? "..." : pattern, 0, "pattern: expected -> and the dims of the result%s",
                                  arrow ? ", in fewer than 256 characters" : "");
    for (const char *at = pattern; *at;) {
        bool fine;
        const int column = (int)(at - pattern), width = wk_einops_name(at, &fine);
        if (width == 0) {
            const int length = strncmp(at, "...", 3) == 0 ? 3 : at == arrow ? 2 : 1;
            if (length == 1 && *at != ' ' && *at != ',')
                return wk_einops_complain(OP, pattern, column, "pattern: expected a name, ... or a comma here");
            if (*at != ' ') {
                memcpy(equation + used, at, (size_t)length);
                used += length;
            }
            at += length;
            continue;
        }
        if (!fine)
            return wk_einops_complain(OP, pattern, column,
                                      "pattern: a name begins with a letter, and does not end with an underscore");
        int i = 0;
        while (i < count && (names[i].width != width || memcmp(pattern + names[i].column, at, (size_t)width) != 0))
            i++;
        if (i == count && at > arrow)
            return wk_einops_complain(OP, pattern, column, "pattern: the name does not come on the left side");
        if (i == (int)sizeof names / (int)sizeof *names)
            return wk_einops_complain(OP, pattern, column, "pattern: there are more than %d names", i);
        if (i == count)
            names[count].column = column, names[count++].width = width;
        equation[used++] = LETTERS[i];
        at += width;
    }
    equation[used] = '\0';
    return wk_einsum_with(equation, tensors);
}
