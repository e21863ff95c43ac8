/* The string between the brackets of x[...], read into parts:
       index = part, part, ...
       part  = integer | [integer] : [integer] [: [integer]] | ... | None | True | False | %p
       integer = [-] digits | [-] a conversion of printf: %d, %ld, %zu, ...
   The text is kept with its values put in, so that an error can show it and point. */
#include "index.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

/* ---------------------------------------------------------------- reading */

typedef struct reader {
    const char *at; // in the format
    va_list *values;
    wk_index_key *key;
    int used; // of the text
} reader;

void *wk_index_complain(const wk_index_key *key, int column, const char *problem)
{
    return wk_fail("index", "%s\n    [%s]\n    %*s", problem, key->text, column + 2, "^");
}

static bool fail_here(reader *r, const char *problem)
{
    /* the rest of the text, as written */
    snprintf(r->key->text + r->used, sizeof r->key->text - (size_t)r->used, "%s", r->at);
    r->key->failed = true;
    return wk_index_complain(r->key, r->used, problem);
}

static void echo(reader *r, const char *text)
{
    const size_t room = sizeof r->key->text - (size_t)r->used;
    const int wrote = snprintf(r->key->text + r->used, room, "%s", text);
    r->used += wrote < (int)room ? wrote : (int)room - 1;
}

static void skip_spaces(reader *r)
{
    while (*r->at == ' ') {
        echo(r, " ");
        r->at++;
    }
}

static bool take(reader *r, const char *word)
{
    const size_t length = strlen(word);
    if (strncmp(r->at, word, length) != 0)
        return false;
    echo(r, word);
    r->at += length;
    skip_spaces(r);
    return true;
}

/* what printf would print, taken as a number; false where the format is another */
static bool take_conversion(reader *r, int64_t *value)
{
    char digits[24];
    if (!wk_text_conversion(&r->at, r->values, value))
        return false;
    snprintf(digits, sizeof digits, "%" PRId64, *value);
    echo(r, digits);
    return true;
}

/* an integer, if there is one here; false after an error */
static bool take_integer(reader *r, int64_t *value, bool *found)
{
    const bool negative = *r->at == '-';
    const char *after = r->at + negative;
    *found = (*after >= '0' && *after <= '9') || (*after == '%' && after[1] != 'p');
    if (!*found)
        return !negative || fail_here(r, "a number should follow the minus sign");
    if (negative)
        echo(r, "-");
    r->at = after;
    int64_t magnitude = 0;
    if (*r->at == '%') {
        if (!take_conversion(r, &magnitude))
            return fail_here(r, "numbers go in as %d, %ld, %lld or %zu, tensors as %p");
    } else {
        for (; *r->at >= '0' && *r->at <= '9'; r->at++) {
            if (magnitude > (INT64_MAX - 9) / 10)
                return fail_here(r, "the number is too large");
            magnitude = 10 * magnitude + (*r->at - '0');
            echo(r, (char[]){*r->at, 0});
        }
    }
    *value = negative ? -magnitude : magnitude;
    skip_spaces(r);
    return true;
}

static bool take_slice(reader *r, wk_index_part *part)
{
    bool found;
    part->kind = WK_INDEX_SLICE;
    part->step = 1;
    if (!take_integer(r, &part->stop, &part->has_stop))
        return false;
    if (!take(r, ":"))
        return true;
    if (!take_integer(r, &part->step, &found))
        return false;
    part->step = found ? part->step : 1;
    if (part->step <= 0)
        return fail_here(r, "the step of a slice must be positive\nhint: wk_flip turns a dim round");
    return true;
}

static bool take_part(reader *r, wk_index_part *part)
{
    if (take(r, "..."))
        part->kind = WK_INDEX_ELLIPSIS;
    else if (take(r, "None"))
        part->kind = WK_INDEX_NONE;
    else if (take(r, "True") || take(r, "False")) {
        part->kind = WK_INDEX_BOOL;
        part->start = r->key->text[part->column] == 'T';
    } else if (r->at[0] == '%' && r->at[1] == 'p') {
        part->kind = WK_INDEX_TENSOR;
        part->tensor = va_arg(*r->values, void *);
        r->at += 2;
        echo(r, "tensor");
        skip_spaces(r);
        if (!wk_is_tensor(part->tensor)) {
            r->key->failed = true;
            return wk_not_a_tensor("index", "a tensor of the index", part->tensor);
        }
    } else {
        if (!take_integer(r, &part->start, &part->has_start))
            return false;
        if (take(r, ":"))
            return take_slice(r, part);
        if (!part->has_start)
            return fail_here(r, "expected a number, a slice, ..., None, True, False or %p here");
        part->kind = WK_INDEX_INTEGER;
    }
    return true;
}

void wk_index_read(wk_index_key *key, const char *format, va_list *values)
{
    reader r = {.at = format, .values = values, .key = key};
    *key = (wk_index_key){0};
    if (!format) { // what a plain 0 becomes
        wk_fail("index", "index: expected a string, as \":, 0\", got NULL");
        key->failed = true;
        return;
    }
    skip_spaces(&r);
    while (*r.at) {
        if (key->count == (int)(sizeof key->parts / sizeof *key->parts)) {
            fail_here(&r, "there are more parts than a tensor has dims");
            return;
        }
        wk_index_part *part = &key->parts[key->count++];
        part->column = r.used;
        if (!take_part(&r, part)) {
            key->failed = true;
            return;
        }
        part->width = r.used - part->column;
        if (*r.at && !take(&r, ",")) {
            fail_here(&r, "expected a comma here");
            return;
        }
    }
}

wk_index_key wk_index_parse(const char *index, ...)
{
    wk_index_key key;
    va_list values;
    va_start(values, index);
    wk_index_read(&key, index, &values);
    va_end(values);
    return key;
}
