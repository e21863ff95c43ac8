/* JSON (RFC 8259) without a tree: a header of a million tensors is read in one pass over its text, whose strings are
   decoded in place, since no escape is shorter than what it stands for. */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/text.h"

#define DEEPEST 127 // arrays and objects inside each other: serde_json's limit

/* ---------------------------------------------------------------- reading */

static bool wrong(wk_json *json, const char *what)
{
    if (!json->wrong)
        json->wrong = what;
    return false;
}

static void skip_blanks(wk_json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\t' || *json->at == '\r'))
        json->at++;
}

bool wk_json_take(wk_json *json, char mark)
{
    skip_blanks(json);
    if (json->wrong || json->at == json->end || *json->at != mark)
        return false;
    json->at++;
    return true;
}

bool wk_json_expect(wk_json *json, char mark)
{
    static const char what[][16] = {"expected a {", "expected a }", "expected a [",
                                    "expected a ]", "expected a ,", "expected a :"};
    return wk_json_take(json, mark) || wrong(json, what[strchr("{}[],:", mark) - "{}[],:"]);
}

bool wk_json_more(wk_json *json, char close, bool *first)
{
    if (json->wrong || wk_json_take(json, close))
        return false;
    const bool was_first = *first;
    *first = false;
    return was_first || wk_json_expect(json, ',');
}

bool wk_json_ends(wk_json *json)
{
    skip_blanks(json);
    return !json->wrong && (json->at == json->end || wrong(json, "something follows its end"));
}

/* the 4 hexadecimal digits of \uXXXX; -1: they are none */
static int32_t take_code(wk_json *json)
{
    int32_t code = 0;
    if (json->end - json->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", c = *json->at++;
        const char *digit = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
        if (!digit)
            return -1;
        code = code << 4 | (int32_t)(digit - digits);
    }
    return code;
}

static char *put_code(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *to++ = (char)((0xFF80u >> more & 0xFF) | code >> (6 * more));
    for (int i = more - 1; i >= 0; i--)
        *to++ = (char)(0x80 | (code >> (6 * i) & 0x3F));
    return to;
}

/* what stands after a backslash; NULL: wrong */
static char *take_escape(wk_json *json, char *to)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char name = json->at < json->end ? *json->at++ : '\0';
    const char *found = name ? strchr(names, name) : NULL;
    if (found) {
        *to++ = values[found - names];
        return to;
    }
    int32_t code = name == 'u' ? take_code(json) : -1;
    if (code >= 0xD800 && code < 0xDC00) { // the first half of one beyond 16 bits
        const bool second = json->end - json->at >= 6 && json->at[0] == '\\' && json->at[1] == 'u';
        json->at += second ? 2 : 0;
        const int32_t low = second ? take_code(json) : -1;
        code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : -1;
    } else if (code >= 0xDC00 && code < 0xE000) {
        code = -1;
    }
    if (code < 0 || (code == 0 && !json->takes_nul)) {
        wrong(json, code == 0 ? "a string holds a NUL, which no name of C's can" : "a string holds a broken escape");
        return NULL;
    }
    return put_code(to, (uint32_t)code);
}

char *wk_json_string(wk_json *json)
{
    if (!wk_json_take(json, '"')) {
        wrong(json, "expected a string");
        return NULL;
    }
    char *const string = json->at, *to = string;
    while (json->at < json->end && *json->at != '"') {
        if (*json->at == '\\') {
            json->at++;
            to = take_escape(json, to);
            if (!to)
                return NULL;
            continue;
        }
        const int length = wk_utf8_length(json->at, (size_t)(json->end - json->at));
        if (length == 0 || (unsigned char)*json->at < ' ') {
            wrong(json, length == 0 ? "a string is not UTF-8" : "a string holds a control character");
            return NULL;
        }
        memmove(to, json->at, (size_t)length);
        to += length;
        json->at += length;
    }
    if (json->at == json->end) {
        wrong(json, "a string does not end");
        return NULL;
    }
    json->at++;
    json->size = (size_t)(to - string);
    *to = '\0'; // at the latest in the place of the closing quote
    return string;
}

static bool is_digit(const wk_json *json) { return json->at < json->end && *json->at >= '0' && *json->at <= '9'; }

bool wk_json_size(wk_json *json, int64_t *size)
{
    skip_blanks(json);
    const char *const first = json->at;
    bool large = false;
    *size = 0;
    for (; !json->wrong && is_digit(json); json->at++)
        large |= __builtin_mul_overflow(*size, 10, size) || __builtin_add_overflow(*size, *json->at - '0', size);
    const bool follows = json->at < json->end && *json->at && strchr(".eE", *json->at);
    if (json->at == first || (*first == '0' && json->at > first + 1) || large || follows)
        return wrong(json, "expected a whole number, 0 or more");
    return true;
}

static bool skip_digits(wk_json *json)
{
    const char *const first = json->at;
    while (is_digit(json))
        json->at++;
    return json->at > first || wrong(json, "a number is broken");
}

static bool skip_number(wk_json *json)
{
    json->at += *json->at == '-';
    const bool zero = json->at < json->end && *json->at == '0';
    const char *const first = json->at;
    if (!skip_digits(json) || (zero && json->at > first + 1))
        return wrong(json, "a number is broken");
    if (json->at < json->end && *json->at == '.' && (json->at++, !skip_digits(json)))
        return false;
    if (json->at < json->end && (*json->at == 'e' || *json->at == 'E')) {
        json->at++;
        json->at += json->at < json->end && (*json->at == '+' || *json->at == '-');
        return skip_digits(json);
    }
    return true;
}

static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Rounded as serde_json rounds (the digits, then their product or quotient with a power of ten), which may be one unit
   beside the nearest: the scores of tokens decide between equals by it. */
bool wk_json_number(wk_json *json, double *number)
{
    skip_blanks(json);
    const char *at = json->at;
    if (json->wrong || json->at == json->end || !skip_number(json))
        return wrong(json, "expected a number");
    const bool negative = *at == '-';
    uint64_t digits = 0;
    int64_t power = 0, written = 0;
    bool point = false, full = false; // full: what follows does not count any more
    for (at += negative; at < json->at && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        full |= digits > (UINT64_MAX - 9) / 10;
        digits = full ? digits : 10 * digits + (uint64_t)(*at - '0');
        power += full ? !point : -point;
    }
    if (at < json->at) {
        const bool small = *++at == '-';
        for (at += small || *at == '+'; at < json->at; at++)
            written = written < 100000 ? 10 * written + *at - '0' : written;
        power += small ? -written : written;
    }
    double value = (double)digits;
    for (; power > 0 && value < INFINITY && value > 0; power -= power < 22 ? power : 22)
        value *= tens[power < 22 ? power : 22];
    for (; power < 0 && value > 0; power += power > -22 ? -power : 22)
        value /= tens[power > -22 ? -power : 22];
    *number = negative ? -value : value;
    return value < INFINITY || wrong(json, "a number is too large");
}

static bool skip_word(wk_json *json)
{
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        const size_t length = strlen(words[i]);
        if ((size_t)(json->end - json->at) >= length && memcmp(json->at, words[i], length) == 0) {
            json->at += length;
            return true;
        }
    }
    return wrong(json, "expected a value");
}

static bool skip_value(wk_json *json, int depth)
{
    skip_blanks(json);
    if (json->wrong || json->at == json->end)
        return wrong(json, "it ends too soon");
    const char c = *json->at;
    if (c == '"')
        return wk_json_string(json) != NULL;
    if (c == '-' || is_digit(json))
        return skip_number(json);
    if (c != '{' && c != '[')
        return skip_word(json);
    if (depth == DEEPEST)
        return wrong(json, "it is nested too deep");
    json->at++;
    for (bool first = true; wk_json_more(json, c == '{' ? '}' : ']', &first);)
        if ((c == '{' && !(wk_json_string(json) && wk_json_expect(json, ':'))) || !skip_value(json, depth + 1))
            return false;
    return !json->wrong;
}

bool wk_json_skip(wk_json *json) { return skip_value(json, 0); }

/* ---------------------------------------------------------------- writing */

void wk_json_put(wk_json_text *text, const char *bytes, size_t count)
{
    if (text->failed)
        return;
    if (count > text->capacity - text->used) {
        const size_t capacity = 2 * text->capacity + count + 256;
        char *grown = wk_realloc(text->bytes, capacity);
        if (!grown) {
            text->failed = true;
            return;
        }
        text->bytes = grown;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->used, bytes, count);
    text->used += count;
}

void wk_json_put_number(wk_json_text *text, int64_t number)
{
    char digits[24];
    wk_json_put(text, digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number));
}

bool wk_json_put_string(wk_json_text *text, const char *string)
{
    static const char values[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    wk_json_put(text, "\"", 1);
    for (size_t left = strlen(string); left > 0;) {
        const int length = wk_utf8_length(string, left);
        const char *named = strchr(values, *string);
        char escape[8];
        if (length == 0)
            return false;
        if (named || (unsigned char)*string < ' ') {
            if (named)
                snprintf(escape, sizeof escape, "\\%c", names[named - values]);
            else
                snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)*string);
            wk_json_put(text, escape, strlen(escape));
        } else {
            wk_json_put(text, string, (size_t)length);
        }
        string += length;
        left -= (size_t)length;
    }
    wk_json_put(text, "\"", 1);
    return true;
}
