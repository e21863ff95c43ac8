/* What of a checkpoint becomes one entry of the dictionary: its name, numbers, texts, bytes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/text.h"
#include "load.h"

#define DEEPEST 100
#define SHOWN(name) wk_shown(name, (wk_shown_text){0})

bool wk_load_wrong(const wk_load_walk *w, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return wk_fail(w->loading->op, "%s: %s%s%s", w->loading->path, w->length > 0 ? SHOWN(w->name) : "",
                   w->length > 0 ? ": " : "", text);
}

bool wk_load_spend(wk_load_walk *w, int64_t bytes)
{
    w->left -= bytes;
    return w->left >= 0 ||
           wk_load_wrong(w, "comes out more than %d times as large as what the file holds", WK_LOAD_TIMES_LARGER);
}

/* whether bytes are UTF-8 without NUL */
static bool is_text(const void *bytes, size_t length)
{
    const char *text = bytes;
    size_t good = 0;
    for (int step = 1; step > 0 && good < length && text[good]; good += (size_t)step)
        step = wk_utf8_length(text + good, length - good);
    return good == length;
}

/* ---------------------------------------------------------------- names */

/* key becomes a part of the name; *before: to go back to; false after an error */
bool wk_load_enter(wk_load_walk *w, const char *key, size_t length, size_t *before)
{
    *before = w->length;
    if (++w->depth > DEEPEST)
        return wk_load_wrong(w, "is nested more than %d deep, or holds itself", DEEPEST);
    if (!is_text(key, length))
        return wk_load_wrong(w, "holds a name that is no UTF-8, or has a NUL inside");
    if (w->length + length + 2 > WK_LOAD_NAME)
        return wk_load_wrong(w, "holds a name of more than %d bytes", WK_LOAD_NAME - 1);
    if (w->length > 0)
        w->name[w->length++] = '.';
    memcpy(w->name + w->length, key, length);
    w->length += length;
    w->name[w->length] = '\0';
    return true;
}

void wk_load_leave(wk_load_walk *w, size_t before)
{
    w->depth--;
    w->length = before;
    w->name[before] = '\0';
}

/* ---------------------------------------------------------------- plain values */

static bool is_free(const wk_load_walk *w)
{
    return (!wk_dict_get(w->loading->dict, w->name) && !wk_dict_text(w->loading->dict, w->name)) ||
           wk_load_wrong(w, "there are two values of this name");
}

bool wk_load_put_text(wk_load_walk *w, const char *text)
{
    return wk_load_spend(w, (int64_t)(w->length + strlen(text))) && is_free(w) &&
           wk_dict_set_text(w->loading->dict, w->name, text);
}

bool wk_load_put_number(wk_load_walk *w, double number)
{
    return wk_load_spend(w, (int64_t)w->length) && is_free(w) && wk_dict_set_number(w->loading->dict, w->name, number);
}

bool wk_load_put_integer(wk_load_walk *w, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return wk_load_put_text(w, text);
}

/* more than 64 bits: "0x1f...", which C reads */
bool wk_load_put_large(wk_load_walk *w, wk_pickled value)
{
    char text[2 * 256 + 8], *at = text;
    if (value.length > 256)
        return wk_load_wrong(w, "is a number of more than 256 bytes");
    const bool negative = value.bytes[value.length - 1] & 0x80;
    unsigned char magnitude[256];
    for (unsigned i = 0, carry = negative; i < value.length; i++) {
        carry += negative ? value.bytes[i] ^ 0xff : value.bytes[i];
        magnitude[i] = (unsigned char)carry;
        carry >>= 8;
    }
    int high = (int)value.length - 1;
    while (high > 0 && magnitude[high] == 0)
        high--;
    at += sprintf(at, "%s0x%x", negative ? "-" : "", magnitude[high]);
    while (high-- > 0)
        at += sprintf(at, "%02x", magnitude[high]);
    return wk_load_put_text(w, text);
}

bool wk_load_put_tensor(wk_load_walk *w, wk_tensor *x)
{
    return x && wk_load_spend(w, (int64_t)w->length + 64) && is_free(w) && wk_dict_set(w->loading->dict, w->name, x);
}

bool wk_load_put_bytes(wk_load_walk *w, const void *bytes, size_t length)
{
    const int64_t size = (int64_t)length;
    bool good = wk_load_spend(w, size);
    if (good)
        wk_scope
    {
        wk_tensor *x = wk_tensor_new(w->loading->op, 1, &size, wk_uint8, wk_cpu);
        if (x && length > 0)
            memcpy(wk_host(w->loading->op, x), bytes, length);
        good = wk_load_put_tensor(w, x);
    }
    return good;
}

/* a text of UTF-8 without NUL; other bytes are a tensor of bytes */
bool wk_load_put_string(wk_load_walk *w, wk_pickled value)
{
    if (!is_text(value.bytes, value.length))
        return wk_load_put_bytes(w, value.bytes, value.length);
    if (!wk_load_spend(w, (int64_t)value.length))
        return false;
    char *text = wk_alloc((size_t)value.length + 1);
    if (!text)
        return wk_out_of_memory(w->loading->op, (size_t)value.length + 1);
    memcpy(text, value.bytes, value.length);
    text[value.length] = '\0';
    const bool set = wk_load_put_text(w, text);
    wk_free(text);
    return set;
}

/* ---------------------------------------------------------------- what calls make */

wk_pickled wk_load_argument(wk_pickled made, int64_t index)
{
    const wk_pickled arguments = made.box->items[1];
    return arguments.kind == WK_PICKLED_TUPLE && index < arguments.box->count ? arguments.box->items[index]
                                                                              : (wk_pickled){.kind = WK_PICKLED_NONE};
}

bool wk_load_put_device(wk_load_walk *w, wk_pickled made)
{
    const wk_pickled type = wk_load_argument(made, 0), index = wk_load_argument(made, 1);
    char text[64];
    if (type.kind != WK_PICKLED_TEXT || type.length > 32)
        return wk_load_wrong(w, "is no device");
    snprintf(text, sizeof text, "%.*s", (int)type.length, (const char *)type.bytes);
    if (index.kind == WK_PICKLED_INTEGER)
        snprintf(text + strlen(text), sizeof text - strlen(text), ":%lld", (long long)index.integer);
    return wk_load_put_string(
        w,
        (wk_pickled){.kind = WK_PICKLED_TEXT, .length = (uint32_t)strlen(text), .bytes = (const unsigned char *)text});
}

/* _codecs.encode(text, "latin1"): how bytes travel in protocol 2, each as the character of its number */
bool wk_load_put_encoded(wk_load_walk *w, wk_pickled made)
{
    const wk_pickled text = wk_load_argument(made, 0);
    if (text.kind != WK_PICKLED_TEXT)
        return wk_load_wrong(w, "is no text as bytes");
    unsigned char *bytes = wk_alloc(text.length);
    if (!bytes)
        return wk_out_of_memory(w->loading->op, text.length);
    size_t length = 0;
    bool good = true;
    for (uint32_t i = 0; good && i < text.length; i++) {
        const unsigned char byte = text.bytes[i];
        const bool two = (byte == 0xc2 || byte == 0xc3) && i + 1 < text.length && (text.bytes[i + 1] & 0xc0) == 0x80;
        good = byte < 0x80 || two;
        bytes[length++] = two ? (unsigned char)(byte << 6 | (text.bytes[++i] & 0x3f)) : byte;
    }
    good = good ? wk_load_put_bytes(w, bytes, length) : wk_load_wrong(w, "is no text as bytes");
    wk_free(bytes);
    return good;
}

static double real_of(wk_pickled value)
{
    return value.kind == WK_PICKLED_REAL ? value.real : value.kind == WK_PICKLED_INTEGER ? (double)value.integer : 0;
}

bool wk_load_put_complex(wk_load_walk *w, wk_pickled made)
{
    const double parts[2] = {real_of(wk_load_argument(made, 0)), real_of(wk_load_argument(made, 1))};
    bool good = false;
    wk_scope
    {
        wk_tensor *x = wk_tensor_new(w->loading->op, 0, NULL, wk_complex128, wk_cpu);
        if (x)
            memcpy(wk_host(w->loading->op, x), parts, sizeof parts);
        good = wk_load_put_tensor(w, x);
    }
    return good;
}
