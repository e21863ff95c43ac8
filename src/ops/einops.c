/* einops' rearrange, reduce and repeat: compositions, whose gradients are their parts'.

   The left side's names are dims of x taken apart; those that the right side lacks are reduced; the others are put in
   the right side's order; new ones are added, expanded; and those in parentheses become one.  A step with nothing to do
   is left out. */
#include "einops.h"

#include <string.h>

/* A pattern that knows x's shape.  Ids: the pattern's axes, then x's dims under the ellipsis. */
typedef struct bound {
    int64_t size[WK_EINOPS_AXES + WK_MAX_DIMS];
    bool left[WK_EINOPS_AXES + WK_MAX_DIMS], right[WK_EINOPS_AXES + WK_MAX_DIMS];
    int from[WK_EINOPS_AXES + WK_MAX_DIMS], from_count; // the left side's ids in order
    int to[WK_EINOPS_AXES + WK_MAX_DIMS], to_count;     // the right side's
    wk_shape result;
} bound;

/* ---------------------------------------------------------------- sizes */

/* one group of the left side, which is a dim of x; its one unknown size follows; false after an error */
static bool bind_group(const wk_einops_pattern *pattern, int group, int64_t size, bound *b)
{
    const wk_einops_side *side = &pattern->left;
    int64_t known = 1;
    int unknown = -1;
    for (int i = side->begin[group]; i < side->begin[group + 1]; i++) {
        const int id = side->axes[i];
        b->from[b->from_count++] = id;
        if (b->size[id] < 0)
            unknown = id;
        else if (__builtin_mul_overflow(known, b->size[id], &known))
            known = INT64_MAX;
    }
    if (unknown < 0 && known != size)
        return wk_einops_complain(pattern->op, pattern->text, side->column[group],
                                  "x: expected a dim of size %lld here, got %lld", (long long)known, (long long)size);
    if (unknown >= 0 && (known == 0 || size % known != 0))
        return wk_einops_complain(pattern->op, pattern->text, side->column[group],
                                  "x: a dim of size %lld cannot be taken apart by %lld", (long long)size,
                                  (long long)known);
    if (unknown >= 0)
        b->size[unknown] = size / known;
    return true;
}

static bool bind(const wk_einops_pattern *pattern, const wk_tensor *x, bound *b)
{
    const wk_einops_side *left = &pattern->left, *right = &pattern->right;
    const int more = x->ndim - (left->groups - left->ellipses); // the ellipsis' dims
    if (left->ellipses ? more < 0 : more != 0)
        return wk_einops_complain(pattern->op, pattern->text, 0, "x: expected %s%d dims, as the left side has, got %s",
                                  left->ellipses ? "at least " : "", left->groups - left->ellipses, wk_shape_string(x));
    memset(b, 0, sizeof *b);
    for (int i = 0; i < pattern->axes; i++)
        b->size[i] = pattern->axis[i].size, b->left[i] = pattern->axis[i].left, b->right[i] = pattern->axis[i].right;
    for (int i = 0; i < more; i++)
        b->left[WK_EINOPS_AXES + i] = true, b->right[WK_EINOPS_AXES + i] = right->ellipses;
    for (int group = 0, dim = 0; group < left->groups; group++) {
        const bool empty = left->begin[group] == left->begin[group + 1];
        if (!empty && left->axes[left->begin[group]] == WK_EINOPS_ELLIPSIS) {
            for (int i = 0; i < more; i++, dim++) {
                b->size[WK_EINOPS_AXES + i] = x->shape[dim];
                b->from[b->from_count++] = WK_EINOPS_AXES + i;
            }
        } else if (!bind_group(pattern, group, x->shape[dim++], b))
            return false;
    }
    int ndim = 0;
    for (int group = 0; group < right->groups; group++) {
        const int begin = right->begin[group], end = right->begin[group + 1];
        const bool alone =
            end == begin + 1 && right->axes[begin] == WK_EINOPS_ELLIPSIS && pattern->text[right->column[group]] == '.';
        int64_t size = 1;
        for (int i = begin; i < end; i++) {
            const int first = right->axes[i] == WK_EINOPS_ELLIPSIS ? WK_EINOPS_AXES : right->axes[i];
            const int last = right->axes[i] == WK_EINOPS_ELLIPSIS ? WK_EINOPS_AXES + more - 1 : first;
            for (int id = first; id <= last; id++) {
                b->to[b->to_count++] = id;
                if (alone && ndim < WK_MAX_DIMS)
                    b->result.sizes[ndim] = b->size[id];
                ndim += alone;
                if (__builtin_mul_overflow(size, b->size[id], &size))
                    return wk_fail(pattern->op, "pattern: more elements than can be counted");
            }
        }
        if (!alone && ndim < WK_MAX_DIMS)
            b->result.sizes[ndim] = size;
        ndim += !alone;
    }
    b->result.ndim = ndim;
    return ndim <= WK_MAX_DIMS ||
           wk_fail(pattern->op, "pattern: the result has %d dims, the most are %d", ndim, WK_MAX_DIMS);
}

/* ---------------------------------------------------------------- no more dims than a tensor has */

static int position(const int *ids, int count, int id)
{
    for (int i = 0; i < count; i++)
        if (ids[i] == id)
            return i;
    return -1;
}

static void drop(int *ids, int *count, int at)
{
    memmove(ids + at, ids + at + 1, (size_t)(*count - at - 1) * sizeof *ids);
    --*count;
}

/* Dims of size 1 go, and neighbours that stay neighbours become one: for patterns of more names than a tensor has dims.
   Not for others, since a dim that was not taken apart may be seen in an order that a joined one is not. */
static void compress(bound *b)
{
    for (int id = 0; id < WK_EINOPS_AXES + WK_MAX_DIMS; id++) {
        const int i = position(b->from, b->from_count, id), j = position(b->to, b->to_count, id);
        if (i >= 0 && b->size[id] == 1)
            drop(b->from, &b->from_count, i);
        if (j >= 0 && b->size[id] == 1)
            drop(b->to, &b->to_count, j);
    }
    for (int i = 0; i + 1 < b->from_count;) {
        const int id = b->from[i], next = b->from[i + 1];
        const int j = position(b->to, b->to_count, id), k = position(b->to, b->to_count, next);
        if (j < 0 ? k >= 0 : k != j + 1) {
            i++;
            continue;
        }
        b->size[id] *= b->size[next];
        drop(b->from, &b->from_count, i + 1);
        if (k >= 0)
            drop(b->to, &b->to_count, k);
    }
    for (int j = 0; j + 1 < b->to_count;) {
        if (b->left[b->to[j]] || b->left[b->to[j + 1]]) {
            j++;
            continue;
        }
        b->size[b->to[j]] *= b->size[b->to[j + 1]];
        drop(b->to, &b->to_count, j + 1);
    }
}

/* ---------------------------------------------------------------- the steps */

static bool same_sizes(const wk_tensor *x, const wk_shape *shape)
{
    return x->ndim == shape->ndim && memcmp(x->shape, shape->sizes, (size_t)x->ndim * sizeof *x->shape) == 0;
}

static wk_tensor *reshaped(wk_tensor *x, const wk_shape *shape)
{
    return !x || same_sizes(x, shape) ? x : wk_reshape_with(x, *shape);
}

typedef wk_tensor *reduction(wk_reduce_args args);
static reduction *find_reduction(const char *name)
{
    static const struct {
        const char *name;
        reduction *function;
    } ALL[] = {{"mean", wk_mean_with}, {"sum", wk_sum_with}, {"max", wk_amax_with}, {"min", wk_amin_with},
               {"prod", wk_prod_with}, {"any", wk_any_with}, {"all", wk_all_with}};
    for (size_t i = 0; name && i < sizeof ALL / sizeof *ALL; i++)
        if (strcmp(ALL[i].name, name) == 0)
            return ALL[i].function;
    return NULL;
}

/* x's dims, those of the left side that the right has, in the right's order */
static wk_tensor *ordered(wk_tensor *x, const bound *b)
{
    int kept[WK_MAX_DIMS], count = 0;
    for (int i = 0; i < b->from_count; i++)
        if (b->right[b->from[i]])
            kept[count++] = b->from[i];
    wk_shape order = {0};
    bool moves = false;
    for (int i = 0; i < b->to_count; i++) {
        if (!b->left[b->to[i]])
            continue;
        order.sizes[order.ndim] = position(kept, count, b->to[i]);
        moves = moves || order.sizes[order.ndim] != order.ndim;
        order.ndim++;
    }
    return moves ? wk_permute_with(x, order) : x;
}

/* x with the dims that the left side lacks, repeated */
static wk_tensor *expanded(wk_tensor *x, const bound *b)
{
    wk_shape ones = {0}, shape = {0};
    for (int i = 0; i < b->to_count; i++) {
        shape.sizes[shape.ndim++] = b->size[b->to[i]];
        ones.sizes[ones.ndim++] = b->left[b->to[i]] ? b->size[b->to[i]] : 1;
    }
    x = reshaped(x, &ones);
    return !x || same_sizes(x, &shape) ? x : wk_expand_with(x, shape, NULL);
}

wk_tensor *wk_einops_apply(const wk_einops_pattern *pattern, wk_tensor *x)
{
    bound b;
    if (!bind(pattern, x, &b))
        return NULL;
    if (b.from_count > WK_MAX_DIMS || b.to_count > WK_MAX_DIMS)
        compress(&b);
    if (b.from_count > WK_MAX_DIMS || b.to_count > WK_MAX_DIMS)
        return wk_fail(pattern->op, "pattern: needs a tensor of %d dims on the way, the most are %d",
                       b.from_count > b.to_count ? b.from_count : b.to_count, WK_MAX_DIMS);
    wk_shape apart = {0}, gone = {0};
    for (int i = 0; i < b.from_count; i++) {
        if (!b.right[b.from[i]])
            gone.sizes[gone.ndim++] = i;
        apart.sizes[apart.ndim++] = b.size[b.from[i]];
    }
    x = reshaped(x, &apart);
    if (x && gone.ndim > 0 && strcmp(pattern->reduction, "mean") == 0 && !wk_check_floating(pattern->op, x))
        return NULL;
    if (x && gone.ndim > 0)
        x = find_reduction(pattern->reduction)((wk_reduce_args){.x = x, .dims = gone});
    if (x)
        x = ordered(x, &b);
    if (x && pattern->repeats)
        x = expanded(x, &b);
    return reshaped(x, &b.result);
}

/* ---------------------------------------------------------------- ops */

/* declares pattern, read from the arguments behind `last` */
#define READ(pattern, op, reduction, format, last)                                                                     \
    wk_einops_pattern pattern;                                                                                         \
    va_list values_;                                                                                                   \
    va_start(values_, last);                                                                                           \
    wk_einops_read(&pattern, op, reduction, format, &values_);                                                         \
    va_end(values_)

wk_tensor *wk_einops_rearrange(wk_tensor *x, const char *pattern, ...)
{
    WK_NAMES_ERRORS("einops_rearrange");
    WK_REQUIRE("einops_rearrange", x);
    READ(p, "einops_rearrange", NULL, pattern, pattern);
    return p.failed ? NULL : wk_einops_apply(&p, x);
}

wk_tensor *wk_einops_repeat(wk_tensor *x, const char *pattern, ...)
{
    WK_NAMES_ERRORS("einops_repeat");
    WK_REQUIRE("einops_repeat", x);
    READ(p, "einops_repeat", NULL, pattern, pattern);
    return p.failed ? NULL : wk_einops_apply(&p, x);
}

bool wk_einops_check_reduction(const char *op, const char *name)
{
    return find_reduction(name) ||
           wk_fail(op,
                   "reduction: expected \"mean\", \"sum\", \"max\", \"min\", \"prod\", \"any\" or \"all\", got %s%s%s",
                   name ? "\"" : "", name ? name : "NULL", name ? "\"" : "");
}

wk_tensor *wk_einops_reduce(wk_tensor *x, const char *pattern, const char *reduction, ...)
{
    WK_NAMES_ERRORS("einops_reduce");
    WK_REQUIRE("einops_reduce", x);
    if (!wk_einops_check_reduction("einops_reduce", reduction))
        return NULL;
    READ(p, "einops_reduce", reduction, pattern, reduction);
    return p.failed ? NULL : wk_einops_apply(&p, x);
}
