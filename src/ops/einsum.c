/* einsum: a composition of views, sums and matrix products, whose gradients are theirs.

   Each operand loses the dims that nothing else needs: diagonals are taken, dims of size 1 dropped.  Then two at a time
   become one, in the order that takes the fewest multiplications: dims that only one of them has and nobody else needs
   are summed, and a matrix product, (batch, m, k) by (batch, k, n), does the rest. */
#include <wick/einsum.h>

#include <string.h>

#include <wick/matmul.h>
#include <wick/rearrange.h>

#include "einops.h"
#include "tensors.h"

#define LETTERS 52
#define LABELS (LETTERS + WK_MAX_DIMS) // A to Z, a to z, then the dims under ...
#define SEARCHED 8                     // operands up to which every order is tried

typedef uint64_t labels; // a set of them
#define HAS(set, label) ((set) >> (label)&1)
_Static_assert(LABELS <= 64, "a set is a word");

typedef struct term { // x and the label of each of its dims
    wk_tensor *x;
    int8_t label[WK_MAX_DIMS];
} term;

typedef struct equation {
    const char *text;
    int ellipsis;         // dims under it, the most of any operand
    int64_t size[LABELS]; // 0: not seen, so an empty dim is noted as -1
    int8_t result[LABELS];
    int result_count;
} equation;

static labels labels_of(const term *t)
{
    labels set = 0;
    for (int dim = 0; dim < t->x->ndim; dim++)
        set |= (labels)1 << t->label[dim];
    return set;
}

static int dim_of(const term *t, int label)
{
    for (int dim = 0; dim < t->x->ndim; dim++)
        if (t->label[dim] == label)
            return dim;
    return -1;
}

static int64_t size_of(const equation *e, int label) { return e->size[label] < 0 ? 0 : e->size[label]; }

/* ---------------------------------------------------------------- reading */

#define FAIL(e, at, ...) (wk_einops_complain("einsum", (e)->text, (int)((at) - (e)->text), __VA_ARGS__) != NULL)

/* the next label of a subscript, LABELS for an ellipsis, -1 at its end, -2 after an error; *at goes on behind it */
static int next_label(const equation *e, const char **at)
{
    while (**at == ' ')
        ++*at;
    const char c = **at;
    if (c == '\0' || c == ',' || strncmp(*at, "->", 2) == 0)
        return -1;
    if (strncmp(*at, "...", 3) == 0) {
        *at += 3;
        return LABELS;
    }
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) {
        (void)FAIL(e, *at, "equation: expected a letter, ..., a comma or -> here");
        return -2;
    }
    ++*at;
    return c <= 'Z' ? c - 'A' : 26 + c - 'a';
}

static bool note_size(equation *e, const char *at, int label, int64_t size)
{
    int64_t *known = &e->size[label];
    if (*known == 0 || *known == 1)
        *known = size == 0 ? -1 : size;
    else if (size != 1 && size != size_of(e, label))
        return FAIL(e, at, "operands: expected a dim of size %lld, as in another operand, got %lld",
                    (long long)size_of(e, label), (long long)size);
    return true;
}

/* a subscript and its operand: t's labels, and their sizes noted */
static bool read_operand(equation *e, const char **at, int number, term *t)
{
    const char *begin = *at;
    int found[WK_MAX_DIMS + 1], count = 0, dots = -1, label;
    while ((label = next_label(e, at)) >= 0) {
        if (label == LABELS && dots >= 0)
            return FAIL(e, *at - 3, "equation: there is a second ellipsis");
        if (count > WK_MAX_DIMS || (count == WK_MAX_DIMS && dots < 0 && label != LABELS))
            return FAIL(e, *at - 1, "equation: a tensor has at most %d dims", WK_MAX_DIMS);
        if (label == LABELS)
            dots = count;
        else
            found[count++] = label;
    }
    if (label == -2)
        return false;
    const int more = t->x->ndim - count;
    if (dots < 0 ? more != 0 : more < 0)
        return FAIL(e, begin, "operands: number %d is of shape %s, and here are %d letters", number,
                    wk_shape_string(t->x), count);
    for (int dim = 0, i = 0; dim < t->x->ndim; dim++) {
        const bool under = dots >= 0 && dim >= dots && dim < dots + more;
        t->label[dim] = (int8_t)(under ? LABELS - (dots + more - dim) : found[i++]);
        if (!note_size(e, begin, t->label[dim], t->x->shape[dim]))
            return false;
    }
    if (dots >= 0 && more > e->ellipsis)
        e->ellipsis = more;
    return true;
}

static void add_ellipsis(equation *e)
{
    for (int i = LABELS - e->ellipsis; i < LABELS; i++)
        e->result[e->result_count++] = (int8_t)i;
}

/* behind the arrow, or what follows without one */
static bool read_result(equation *e, const char *at, const int *uses)
{
    if (!*at) {
        add_ellipsis(e);
        for (int label = 0; label < LETTERS; label++)
            if (uses[label] == 1)
                e->result[e->result_count++] = (int8_t)label;
        return true;
    }
    labels seen = 0;
    bool dots = false;
    int label;
    at += 2;
    while ((label = next_label(e, &at)) >= 0) {
        if (label == LABELS ? dots : HAS(seen, label))
            return FAIL(e, at - (label == LABELS ? 3 : 1), "equation: comes twice in the result");
        if (label != LABELS && uses[label] == 0)
            return FAIL(e, at - 1, "equation: no operand has this letter");
        if (label == LABELS) {
            dots = true;
            add_ellipsis(e);
        } else {
            seen |= (labels)1 << label;
            e->result[e->result_count++] = (int8_t)label;
        }
    }
    return label == -1 && (!*at || FAIL(e, at, "equation: the result is one tensor"));
}

static bool read(equation *e, wk_tensors operands, term *terms)
{
    int uses[LABELS] = {0};
    const char *at = e->text;
    for (int64_t i = 0; i < operands.count; i++) {
        terms[i].x = operands.items[i];
        WK_REQUIRE("einsum", terms[i].x);
        if (i > 0 && *at++ != ',')
            return FAIL(e, at - 1, "operands: there are %lld, and the equation has %lld", (long long)operands.count,
                        (long long)i);
        if (!read_operand(e, &at, (int)i, &terms[i]))
            return false;
        for (int dim = 0; dim < terms[i].x->ndim; dim++)
            uses[terms[i].label[dim]]++;
    }
    if (*at == ',')
        return FAIL(e, at, "operands: there are %lld, and the equation has more", (long long)operands.count);
    return read_result(e, at, uses);
}

/* ---------------------------------------------------------------- one operand */

static void drop_label(term *t, int ndim, int dim)
{
    memmove(t->label + dim, t->label + dim + 1, (size_t)(ndim - dim - 1));
}

/* t with a diagonal for each label that comes twice, and without dims of size 1 */
static bool simplify(term *t)
{
    for (int a = 0; t->x && a < t->x->ndim; a++)
        for (int b = t->x->ndim - 1; t->x && b > a; b--) {
            if (t->label[a] != t->label[b])
                continue;
            const int ndim = t->x->ndim, label = t->label[a];
            if (t->x->shape[a] != t->x->shape[b])
                return wk_fail("einsum", "operands: a letter comes twice, and its dims differ: %lld and %lld in %s",
                               (long long)t->x->shape[a], (long long)t->x->shape[b], wk_shape_string(t->x));
            t->x = wk_diagonal(t->x, 0, a, b);
            drop_label(t, ndim, b);
            drop_label(t, ndim - 1, a);
            t->label[ndim - 2] = (int8_t)label;
            a = -1; // the dims behind moved
            break;
        }
    bool ones = false;
    wk_shape shape = {0};
    for (int dim = 0, ndim = t->x ? t->x->ndim : 0, to = 0; dim < ndim; dim++) {
        if (t->x->shape[dim] == 1) {
            ones = true;
            continue;
        }
        t->label[to++] = t->label[dim];
        shape.sizes[shape.ndim++] = t->x->shape[dim];
    }
    if (ones)
        t->x = wk_reshape_with(t->x, shape);
    return t->x;
}

/* sums over the dims that are not wanted; dtype: wk_dtype_default for that of a sum */
static bool sum_unwanted(term *t, labels wanted, wk_dtype dtype)
{
    wk_shape dims = {0};
    int ndim = 0;
    for (int dim = 0; dim < t->x->ndim; dim++) {
        if (HAS(wanted, t->label[dim]))
            t->label[ndim++] = t->label[dim];
        else
            dims.sizes[dims.ndim++] = dim;
    }
    if (dims.ndim > 0)
        t->x = wk_sum_with((wk_reduce_args){.x = t->x, .dims = dims, .dtype = dtype});
    return t->x;
}

/* ---------------------------------------------------------------- two operands */

typedef struct group { // labels in an order
    int count;
    int8_t label[WK_MAX_DIMS];
} group;

static group chosen(const term *t, labels set)
{
    group g = {0};
    for (int dim = 0; dim < t->x->ndim; dim++)
        if (HAS(set, t->label[dim]))
            g.label[g.count++] = t->label[dim];
    return g;
}

static int64_t numel_of(const equation *e, const group *g)
{
    int64_t numel = 1;
    for (int i = 0; i < g->count; i++)
        numel *= size_of(e, g->label[i]);
    return numel;
}

/* t's dims in the order of three groups */
static wk_tensor *in_order(const term *t, const group *a, const group *b, const group *c)
{
    wk_shape order = {0};
    bool moves = false;
    const group *const groups[3] = {a, b, c};
    for (int g = 0; g < 3; g++)
        for (int i = 0; i < groups[g]->count; i++) {
            order.sizes[order.ndim] = dim_of(t, groups[g]->label[i]);
            moves = moves || order.sizes[order.ndim] != order.ndim;
            order.ndim++;
        }
    return moves ? wk_permute_with(t->x, order) : t->x;
}

/* t as (batch..., rows, columns): a view where the dims of each side lie one behind the other */
static wk_tensor *as_matrices(const equation *e, const term *t, const group *batch, const group *rows,
                              const group *columns)
{
    wk_tensor *x = in_order(t, batch, rows, columns);
    if (!x || (rows->count == 1 && columns->count == 1))
        return x;
    wk_shape shape = {0};
    for (int i = 0; i < batch->count; i++)
        shape.sizes[shape.ndim++] = size_of(e, batch->label[i]);
    if (shape.ndim > WK_MAX_DIMS - 2) { // no room: one dim for all
        shape.sizes[0] = numel_of(e, batch);
        shape.ndim = 1;
    }
    shape.sizes[shape.ndim++] = numel_of(e, rows);
    shape.sizes[shape.ndim++] = numel_of(e, columns);
    return wk_reshape_with(x, shape);
}

/* a and b as dims of `all`, those that one lacks of size 1 */
static wk_tensor *spread(const equation *e, const term *t, const group *all)
{
    const group none = {0};
    group own = {0};
    wk_shape shape = {.ndim = all->count};
    for (int i = 0; i < all->count; i++) {
        const bool has = dim_of(t, all->label[i]) >= 0;
        shape.sizes[i] = has ? size_of(e, all->label[i]) : 1;
        if (has)
            own.label[own.count++] = all->label[i];
    }
    wk_tensor *x = in_order(t, &own, &none, &none);
    return own.count == all->count ? x : wk_reshape_with(x, shape);
}

static void *too_many(int count)
{
    return wk_fail("einsum", "equation: needs a tensor of %d dims, the most are %d", count, WK_MAX_DIMS);
}

/* a becomes the product of a and b, summed over what is not wanted */
static bool contract(const equation *e, term *a, term *b, labels wanted)
{
    const labels in_a = labels_of(a), in_b = labels_of(b);
    if (!sum_unwanted(a, wanted | in_b, a->x->dtype) || !sum_unwanted(b, wanted | in_a, b->x->dtype))
        return false;
    const labels both = labels_of(a) & labels_of(b);
    /* the operand whose own dim comes first in the result has the rows */
    for (int i = 0; i < e->result_count; i++) {
        const int label = e->result[i];
        if (HAS(both, label) || (!HAS(in_a, label) && !HAS(in_b, label)))
            continue;
        if (HAS(in_b, label)) {
            const term other = *a;
            *a = *b;
            *b = other;
        }
        break;
    }
    const labels own_a = labels_of(a) & ~both, own_b = labels_of(b) & ~both;
    const group batch = chosen(a, both & wanted), rows = chosen(a, own_a), columns = chosen(b, own_b);
    const group inner = chosen(a->x->numel >= b->x->numel ? a : b, both & ~wanted);
    const int count = batch.count + rows.count + columns.count;
    if (count > WK_MAX_DIMS)
        return too_many(count);
    group all = {0};
    const group *const parts[3] = {&batch, &rows, &columns};
    for (int part = 0; part < 3; part++)
        for (int i = 0; i < parts[part]->count; i++)
            all.label[all.count++] = parts[part]->label[i];
    wk_tensor *y;
    const bool plain = a->x->dtype == b->x->dtype && a->x->dtype != wk_bool && !wk_is_half(a->x->dtype);
    if (plain && rows.count == 0 && columns.count == 0 && batch.count > 0 && inner.count > 0) {
        /* many dot products: matrices of one element each would cost more than to write the products down */
        wk_shape dims = {.ndim = inner.count};
        for (int i = 0; i < inner.count; i++) {
            dims.sizes[i] = all.count;
            all.label[all.count++] = inner.label[i];
        }
        y = wk_mul(spread(e, a, &all), spread(e, b, &all));
        y = y ? wk_sum_with((wk_reduce_args){.x = y, .dims = dims, .dtype = y->dtype}) : NULL;
    } else if (inner.count == 0) {
        y = wk_mul(spread(e, a, &all), spread(e, b, &all));
    } else {
        wk_shape shape = {.ndim = count};
        for (int i = 0; i < count; i++)
            shape.sizes[i] = size_of(e, all.label[i]);
        y = wk_matmul(as_matrices(e, a, &batch, &rows, &inner), as_matrices(e, b, &batch, &inner, &columns));
        if (y && (rows.count != 1 || columns.count != 1 || y->ndim != count))
            y = wk_reshape_with(y, shape);
    }
    a->x = y;
    memcpy(a->label, all.label, sizeof a->label);
    return y;
}

/* ---------------------------------------------------------------- in which order */

typedef struct plan {
    int count;
    struct {
        int a, b; // terms, which become one at a
    } step[64];
} plan;

static double volume(const equation *e, labels set)
{
    double product = 1;
    for (; set; set &= set - 1)
        product *= (double)size_of(e, __builtin_ctzll(set));
    return product;
}

static labels union_of(const labels *sets, unsigned which)
{
    labels all = 0;
    for (int i = 0; which >> i; i++)
        all |= which >> i & 1 ? sets[i] : 0;
    return all;
}

/* the order of a subset, from the best way to halve each */
static int emit(plan *p, const uint8_t *half, unsigned subset)
{
    const int lowest = __builtin_ctz(subset);
    if (subset == 1u << lowest)
        return lowest;
    const int a = emit(p, half, half[subset]), b = emit(p, half, subset & ~(unsigned)half[subset]);
    p->step[p->count].a = a;
    p->step[p->count++].b = b;
    return a;
}

/* of every subset of the terms the cheapest way to make it one */
static void search(const equation *e, int count, const labels *sets, labels result, plan *p)
{
    double cost[1 << SEARCHED];
    uint8_t half[1 << SEARCHED];
    labels kept[1 << SEARCHED];
    const unsigned full = (1u << count) - 1;
    for (unsigned subset = 1; subset <= full; subset++) {
        kept[subset] = union_of(sets, subset) & (result | union_of(sets, full & ~subset));
        cost[subset] = 0;
        half[subset] = 0;
        if ((subset & (subset - 1)) == 0) {
            kept[subset] = union_of(sets, subset);
            continue;
        }
        for (unsigned part = (subset - 1) & subset; part; part = (part - 1) & subset) {
            const unsigned rest = subset & ~part;
            if (part < rest) // seen the other way round
                continue;
            const double total = cost[part] + cost[rest] + volume(e, kept[part] | kept[rest]);
            if (!half[subset] || total < cost[subset]) {
                cost[subset] = total;
                half[subset] = (uint8_t)rest;
            }
        }
    }
    emit(p, half, full);
}

/* ---------------------------------------------------------------- the op */

static wk_tensor *finish(const equation *e, term *t, labels result)
{
    if (!sum_unwanted(t, result, wk_dtype_default))
        return NULL;
    const group none = {0};
    group order = {0};
    wk_shape shape = {.ndim = e->result_count};
    for (int i = 0; i < e->result_count; i++) {
        shape.sizes[i] = size_of(e, e->result[i]);
        if (dim_of(t, e->result[i]) >= 0)
            order.label[order.count++] = e->result[i];
    }
    wk_tensor *x = in_order(t, &order, &none, &none);
    return order.count == e->result_count ? x : wk_reshape_with(x, shape);
}

wk_tensor *wk_einsum_with(const char *text, wk_tensors operands)
{
    static const char OP[] = "einsum";
    WK_NAMES_ERRORS(OP);
    equation e = {.text = text};
    if (!text)
        return wk_fail(OP, "equation: expected a text, got NULL");
    if (operands.count <= 0 || operands.count > 32)
        return wk_fail(OP, "operands: expected 1 to 32, got %lld", (long long)operands.count);
    term terms[32];
    if (!read(&e, operands, terms))
        return NULL;
    if (e.result_count > WK_MAX_DIMS)
        return too_many(e.result_count);
    labels sets[32], result = 0;
    int count = (int)operands.count;
    for (int i = 0; i < e.result_count; i++)
        result |= (labels)1 << e.result[i];
    for (int i = 0; i < count; i++) {
        if (!simplify(&terms[i]))
            return NULL;
        sets[i] = labels_of(&terms[i]);
    }
    plan p = {0};
    if (count <= SEARCHED) {
        search(&e, count, sets, result, &p);
    } else { // one after another
        for (int i = 1; i < count; i++)
            p.step[p.count++].b = i;
    }
    bool live[32] = {false};
    memset(live, true, (size_t)count);
    for (int i = 0; i < p.count; i++) {
        labels wanted = result;
        live[p.step[i].b] = false;
        for (int other = 0; other < count; other++)
            if (live[other] && other != p.step[i].a)
                wanted |= sets[other];
        if (!contract(&e, &terms[p.step[i].a], &terms[p.step[i].b], wanted))
            return NULL;
        sets[p.step[i].a] = labels_of(&terms[p.step[i].a]);
    }
    return finish(&e, &terms[p.count > 0 ? p.step[p.count - 1].a : 0], result);
}
