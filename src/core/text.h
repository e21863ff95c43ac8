/* Text in buffers of a fixed size. */
#ifndef WICK_CORE_TEXT_H
#define WICK_CORE_TEXT_H

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

#endif
