/* UTF-8, text of others that is to be shown, and numbers in any locale. */
#include "text.h"

#include <langinfo.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* the first byte tells the length; the code must need that length, be no surrogate and at most 10FFFF */
static int decode(const unsigned char *text, size_t left, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (left == 0)
        return 0;
    *code = text[0];
    if (text[0] < 0x80)
        return 1;
    const int length = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    if (text[0] < 0xC0 || text[0] > 0xF7 || left < (size_t)length)
        return 0;
    *code &= 0x7Fu >> length;
    for (int i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (text[i] & 0x3F);
    }
    return *code < least[length] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF) ? 0 : length;
}

int wk_utf8_length(const void *text, size_t left)
{
    uint32_t code;
    return decode(text, left, &code);
}

/* the bytes of a character that a terminal shows; 0: one byte that must not reach it */
static int shown_length(const char *text, size_t left)
{
    uint32_t code;
    const int length = decode((const unsigned char *)text, left, &code);
    if (length == 0 || code < 0x20 || (code >= 0x7F && code < 0xA0))
        return 0;
    const bool turns =
        (code >= 0x200E && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return turns ? 0 : length;
}

const char *wk_shown(const char *text, char *shown)
{
    size_t used = 0;
    for (size_t left = strlen(text); left > 0;) {
        const int length = shown_length(text, left);
        char piece[8];
        if (length > 0)
            snprintf(piece, sizeof piece, "%.*s", length, text);
        else if (*text == '\n' || *text == '\t' || *text == '\r')
            snprintf(piece, sizeof piece, "\\%c", *text == '\n' ? 'n' : *text == '\t' ? 't' : 'r');
        else
            snprintf(piece, sizeof piece, "\\x%02x", (unsigned char)*text);
        if (used + strlen(piece) + 4 > WK_SHOWN) { // room for the dots
            memcpy(shown + used, "...", 4);
            return shown;
        }
        memcpy(shown + used, piece, strlen(piece) + 1);
        used += strlen(piece);
        text += length > 0 ? length : 1;
        left -= (size_t)(length > 0 ? length : 1);
    }
    shown[used] = '\0';
    return shown;
}

void wk_text_clean(char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        int length = shown_length(text, left);
        if (length == 0) {
            *text = *text == '\n' ? '\n' : '?';
            length = 1;
        }
        text += length;
        left -= (size_t)length;
    }
}

locale_t wk_plain_numbers_begin(void)
{
    if (strcmp(nl_langinfo(RADIXCHAR), ".") == 0)
        return (locale_t)0;
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); // the C library's own: nothing to free
    return plain ? uselocale(plain) : (locale_t)0;
}

bool wk_text_conversion(const char **format, va_list *values, int64_t *value)
{
    const char *at = *format + 1;
    int longs = 0;
    char length = 0;
    for (; *at == 'h' || *at == 'l' || *at == 'z' || *at == 'j' || *at == 't'; at++) {
        longs += *at == 'l';
        length = *at;
    }
    if (**format != '%' || (*at != 'd' && *at != 'i' && *at != 'u'))
        return false;
    const bool is_unsigned = *at == 'u';
    if (length == 'z' || length == 't')
        *value = (int64_t)va_arg(*values, size_t);
    else if (length == 'j')
        *value = va_arg(*values, intmax_t);
    else if (longs == 2)
        *value = va_arg(*values, long long);
    else if (longs == 1)
        *value = va_arg(*values, long);
    else
        *value = is_unsigned ? (int64_t)va_arg(*values, unsigned) : va_arg(*values, int);
    *format = at + 1;
    return true;
}

const char *wk_python_float(double x, char *text)
{
    WK_PLAIN_NUMBERS;
    int digits = 0;
    do
        snprintf(text, WK_PYTHON_FLOAT, "%.*e", digits, x);
    while (digits++ < 16 && strtod(text, NULL) != x);
    const char *e = strchr(text, 'e');
    const int power = e ? atoi(e + 1) : 16; // none in inf and nan
    const int decimals = digits - 1 - power;
    if (power >= -4 && power < 16)
        snprintf(text, WK_PYTHON_FLOAT, "%.*f", decimals > 1 ? decimals : 1, x);
    return text;
}
