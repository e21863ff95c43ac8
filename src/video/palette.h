/* At most 256 colours for many pixels. */
#ifndef WICK_VIDEO_PALETTE_H
#define WICK_VIDEO_PALETTE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct wk_palette {
    int count; // 1 .. 256
    uint8_t colours[256][3];
    uint8_t *of_colour; // a table: which one stands for a colour, see wk_palette_index
    bool exact;
} wk_palette;

/* of count pixels, red, green, blue each; false where there is no memory */
bool wk_palette_make(wk_palette *palette, const uint8_t *pixels, int64_t count);
void wk_palette_indices(const wk_palette *palette, const uint8_t *pixels, int64_t count, uint8_t *indices);
void wk_palette_free(wk_palette *palette);

#endif
