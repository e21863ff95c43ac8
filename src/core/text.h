/* Text in buffers of a fixed size, text that others wrote, and numbers in any locale. */
#ifndef WICK_CORE_TEXT_H
#define WICK_CORE_TEXT_H

#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Ends text, a string cut off by the size of its buffer, at a whole character and with "...". */
static inline void wk_text_end(char *text, size_t size)
{
    if (size < 4)
        return;
    size_t end = size - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80) // never between the bytes of one character
        end--;
    memcpy(text + end, "...", 4);
}

/* The bytes of the character of UTF-8 that text begins with, of `left` bytes; 0: it is none. */
int wk_utf8_length(const void *text, size_t left);

/* A name, path or text of a file's or a user's, as errors show it: what a terminal would obey (control characters, line
   breaks, what turns the direction of writing) and what is no UTF-8 become \n, \t or \x1b; cut off where it is long.
       wk_fail(op, "%s: is cut off", wk_shown(path, (wk_shown_text){0})); */
#define WK_SHOWN 200
typedef char wk_shown_text[WK_SHOWN];
const char *wk_shown(const char *text, char *shown); // shown: WK_SHOWN bytes

/* Numbers are written and read as C does it, whatever the program's locale has for a decimal point, in the thread and
   block that begins with WK_PLAIN_NUMBERS; */
#define WK_PLAIN_NUMBERS                                                                                               \
    __attribute__((cleanup(wk_plain_numbers_end), unused)) const locale_t wk_locale_before = wk_plain_numbers_begin()
locale_t wk_plain_numbers_begin(void); // the locale that stood, where it had to change
static inline void wk_plain_numbers_end(const locale_t *before)
{
    if (*before)
        uselocale(*before);
}

/* A conversion of printf at *format, %d, %i or %u with h, l, ll, z, j or t: its number is taken from values, and
   *format goes on behind it.  False where another stands there. */
bool wk_text_conversion(const char **format, va_list *values, int64_t *value);

/* A number as Python prints a float, by the fewest digits that tell it from others: 2.0, 0.1, 20.0, 1e-05.
       snprintf(text, size, "alpha=%s", wk_python_float(alpha, (char[WK_PYTHON_FLOAT]){0})); */
#define WK_PYTHON_FLOAT 32
const char *wk_python_float(double x, char *text); // text: WK_PYTHON_FLOAT bytes

/* The net under wk_shown: in a whole message, where line breaks have a meaning, each such byte becomes '?'. */
void wk_text_clean(char *text);

#endif
