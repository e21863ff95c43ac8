/* Patterns of einops, read:
       pattern = side -> side [, name = number]...
       side    = (name | number | ... | ( (name | number | ...)... ))...
       number  = digits | a conversion of printf: %d, %ld, %zu, ...
   The text is kept with its numbers put in, so that an error can show it and point. */
#include "einops.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

void *wk_einops_complain(const char *op, const char *text, int column, const char *format, ...)
{
    char problem[256];
    va_list values;
    va_start(values, format);
    vsnprintf(problem, sizeof problem, format, values);
    va_end(values);
    return wk_fail(op, "%s\n    \"%s\"\n    %*s", problem, text, column + 2, "^");
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

int wk_einops_name(const char *text, bool *fine)
{
    int length = 0;
    while (is_letter(text[length]) || is_digit(text[length]) || text[length] == '_')
        length++;
    *fine = length > 0 && is_letter(text[0]) && text[length - 1] != '_';
    return length;
}

/* ---------------------------------------------------------------- reading */

typedef struct reader {
    const char *at; // in the format
    va_list *values;
    wk_einops_pattern *pattern;
    int used; // of the text
} reader;

/* the rest of the text as written, and the error */
#define FAIL(r, column, ...)                                                                                           \
    (snprintf((r)->pattern->text + (r)->used, sizeof(r)->pattern->text - (size_t)(r)->used, "%s", (r)->at),            \
     wk_einops_complain((r)->pattern->op, (r)->pattern->text, column, __VA_ARGS__) != NULL)

static bool echo(reader *r, const char *text, int length)
{
    if (r->used + length >= (int)sizeof r->pattern->text)
        return wk_fail(r->pattern->op, "pattern: of more than %d characters", (int)sizeof r->pattern->text - 1);
    memcpy(r->pattern->text + r->used, text, (size_t)length);
    r->used += length;
    r->pattern->text[r->used] = '\0';
    return true;
}

/* so many characters of the format */
static bool take(reader *r, int length)
{
    if (!echo(r, r->at, length))
        return false;
    r->at += length;
    return true;
}

static bool skip_spaces(reader *r)
{
    while (*r->at == ' ')
        if (!take(r, 1))
            return false;
    return true;
}

static bool take_number(reader *r, int64_t *value)
{
    const int column = r->used;
    if (*r->at == '%') {
        if (!wk_text_conversion(&r->at, r->values, value))
            return FAIL(r, column, "pattern: numbers go in as %%d, %%ld, %%lld or %%zu");
        char digits[24];
        if (!echo(r, digits, snprintf(digits, sizeof digits, "%" PRId64, *value)))
            return false;
    } else {
        for (*value = 0; is_digit(*r->at);) {
            if (*value > (INT64_MAX - 9) / 10)
                return FAIL(r, column, "pattern: the number is too large");
            *value = 10 * *value + (*r->at - '0');
            if (!take(r, 1))
                return false;
        }
    }
    if (*value < 0)
        return FAIL(r, column, "pattern: a size must not be negative");
    return true;
}

/* the axis of that name, or -1 */
static int find(const wk_einops_pattern *pattern, int column, int width)
{
    for (int i = 0; i < pattern->axes; i++) {
        const wk_einops_axis *axis = &pattern->axis[i];
        if (!axis->number && axis->width == width &&
            memcmp(pattern->text + axis->column, pattern->text + column, (size_t)width) == 0)
            return i;
    }
    return -1;
}

/* a name or a number of a side; a 1 is no axis */
static bool take_axis(reader *r, wk_einops_side *side)
{
    wk_einops_pattern *pattern = r->pattern;
    const bool is_left = side == &pattern->left;
    const int column = r->used;
    int64_t size = -1;
    const bool number = is_digit(*r->at) || *r->at == '%';
    if (number && !take_number(r, &size))
        return false;
    if (number && size == 1)
        return true;
    int index = -1;
    if (!number) {
        bool fine;
        const int width = wk_einops_name(r->at, &fine);
        if (width == 0)
            return FAIL(r, column, "pattern: expected a name, a number, ... or parentheses here");
        if (!fine)
            return FAIL(r, column, "pattern: a name must not begin or end with an underscore");
        if (!take(r, width))
            return false;
        index = find(pattern, column, width);
        if (index >= 0 && (is_left ? pattern->axis[index].left : pattern->axis[index].right))
            return FAIL(r, column, "pattern: the name comes twice on the %s side", is_left ? "left" : "right");
    } else if (size == 0)
        return FAIL(r, column, "pattern: a dim without a name must have a positive size");
    if (index < 0) {
        if (pattern->axes == WK_EINOPS_AXES)
            return FAIL(r, column, "pattern: there are more than %d names", WK_EINOPS_AXES);
        index = pattern->axes++;
        pattern->axis[index] = (wk_einops_axis){
            .column = (int16_t)column, .width = (int16_t)(r->used - column), .number = number, .size = size};
    }
    *(is_left ? &pattern->axis[index].left : &pattern->axis[index].right) = true;
    side->axes[side->count++] = (int8_t)index;
    return true;
}

static bool take_side(reader *r, wk_einops_side *side)
{
    const bool is_left = side == &r->pattern->left;
    bool inside = false;
    int opened = 0;
    while (skip_spaces(r) && *r->at && *r->at != ',' && strncmp(r->at, "->", 2) != 0) {
        const int column = r->used;
        if (*r->at == ')' ? !inside : *r->at == '(' ? inside : false)
            return FAIL(r, column,
                        inside ? "pattern: no parentheses stand inside of parentheses"
                               : "pattern: nothing was opened that could close here");
        if (!inside && *r->at != ')') {
            if (side->groups == WK_EINOPS_AXES)
                return FAIL(r, column, "pattern: there are more than %d dims", WK_EINOPS_AXES);
            side->column[side->groups] = (int16_t)column;
            side->begin[side->groups++] = (int8_t)side->count;
        }
        if (*r->at == '(' || *r->at == ')') {
            inside = *r->at == '(';
            opened = column;
            if (!take(r, 1))
                return false;
        } else if (strncmp(r->at, "...", 3) == 0) {
            if (side->ellipses++)
                return FAIL(r, column, "pattern: there is a second ellipsis");
            if (inside && is_left)
                return FAIL(r, column, "pattern: an ellipsis in parentheses stands on the right side only");
            if (!is_left && !r->pattern->left.ellipses)
                return FAIL(r, column, "pattern: the left side has no ellipsis");
            side->axes[side->count++] = WK_EINOPS_ELLIPSIS;
            if (!take(r, 3))
                return false;
        } else if (!take_axis(r, side))
            return false;
    }
    side->begin[side->groups] = (int8_t)side->count;
    if (inside)
        return FAIL(r, opened, "pattern: the parenthesis is not closed");
    return true;
}

/* ", name = number", any number of times */
static bool take_sizes(reader *r)
{
    wk_einops_pattern *pattern = r->pattern;
    while (*r->at == ',') {
        if (!take(r, 1) || !skip_spaces(r))
            return false;
        const int column = r->used;
        bool fine;
        const int width = wk_einops_name(r->at, &fine);
        if (width == 0)
            return FAIL(r, column, "pattern: expected a name and its size here, as in h=%%d");
        if (!take(r, width) || !skip_spaces(r))
            return false;
        const int index = find(pattern, column, width);
        if (index < 0)
            return FAIL(r, column, "pattern: no dim has this name");
        if (*r->at != '=')
            return FAIL(r, r->used, "pattern: expected = and a size here");
        if (!take(r, 1) || !skip_spaces(r))
            return false;
        if (!is_digit(*r->at) && *r->at != '%')
            return FAIL(r, r->used, "pattern: expected a number here, or %%d");
        wk_einops_axis *axis = &pattern->axis[index];
        if (axis->given)
            return FAIL(r, column, "pattern: the size of this name was given before");
        axis->given = true;
        if (!take_number(r, &axis->size) || !skip_spaces(r))
            return false;
    }
    return !*r->at || FAIL(r, r->used, "pattern: expected a comma here, or the end");
}

/* ---------------------------------------------------------------- what stands on one side only */

static bool check_sides(reader *r)
{
    const wk_einops_pattern *pattern = r->pattern;
    const bool reduces = pattern->reduction, rearranges = !reduces && !pattern->repeats;
    for (int i = 0; i < pattern->axes; i++) {
        const wk_einops_axis *axis = &pattern->axis[i];
        if (rearranges && axis->number)
            return FAIL(r, axis->column,
                        "pattern: a dim without a name could not be found on the other side\n"
                        "hint: give it a name, and its size behind the pattern: \", p=%lld\"",
                        (long long)axis->size);
        if (axis->left && !axis->right && !reduces)
            return FAIL(r, axis->column, "pattern: %s does not come on the right side%s",
                        axis->number ? "the number" : "the name", rearranges ? "; wk_einops_reduce lets a dim go" : "");
        if (axis->right && !axis->left && !pattern->repeats)
            return FAIL(r, axis->column, "pattern: %s does not come on the left side%s",
                        axis->number ? "the number" : "the name", rearranges ? "; wk_einops_repeat adds a dim" : "");
        if (axis->right && !axis->left && axis->size < 0)
            return FAIL(r, axis->column, "pattern: the size of a new dim must be given\nhint: \", %.*s=%%d\"",
                        axis->width, pattern->text + axis->column);
    }
    if (pattern->left.ellipses && !pattern->right.ellipses && !reduces)
        return FAIL(r, 0, "pattern: the right side has no ellipsis");
    /* of each group one size may be unknown */
    for (int group = 0; group < pattern->left.groups; group++) {
        int unknown = 0;
        for (int i = pattern->left.begin[group]; i < pattern->left.begin[group + 1]; i++) {
            const int index = pattern->left.axes[i];
            if (index == WK_EINOPS_ELLIPSIS || pattern->axis[index].size >= 0 || unknown++ == 0)
                continue;
            const wk_einops_axis *axis = &pattern->axis[index];
            return FAIL(r, axis->column,
                        "pattern: of these parentheses more than one size is unknown\n"
                        "hint: \", %.*s=%%d\"",
                        axis->width, pattern->text + axis->column);
        }
    }
    return true;
}

void wk_einops_read(wk_einops_pattern *pattern, const char *op, const char *reduction, const char *format,
                    va_list *values)
{
    memset(pattern, 0, offsetof(wk_einops_pattern, text) + 1);
    pattern->op = op;
    pattern->reduction = reduction;
    pattern->repeats = strcmp(op, "einops_repeat") == 0;
    reader r = {.at = format, .values = values, .pattern = pattern};
    if (!format) {
        wk_fail(op, "pattern: expected a text, got NULL");
        pattern->failed = true;
        return;
    }
    bool fine = take_side(&r, &pattern->left);
    if (fine && strncmp(r.at, "->", 2) != 0)
        fine = FAIL(&r, r.used, "pattern: expected -> here, and the dims of the result");
    pattern->failed = !(fine && take(&r, 2) && take_side(&r, &pattern->right) &&
                        (strncmp(r.at, "->", 2) != 0 || FAIL(&r, r.used, "pattern: there is a second ->")) &&
                        take_sizes(&r) && check_sides(&r));
}
