/* Animated GIF (https://www.w3.org/Graphics/GIF/spec-gif89a.txt): one palette, and of each frame the rectangle that is
   not as it was in the frame before.

   Written by hand: it is Lempel, Ziv and Welch's compression and some bytes around it.  Rejected: giflib (it packs,
   but makes no palette, which is the larger half) and FFmpeg (its palettes are libavfilter's, a library more; and so
   an animation needs no film library). */
#include "gif.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/tensor.h"
#include "io/file.h"
#include "palette.h"

#define MOST_CODES 4096
#define SLOTS 8192 // of the table of strings, a power of two

typedef struct gif {
    wk_new_file file;
    bool good;
    size_t filled; // of bytes, which wait to be written
    uint8_t bytes[1 << 14];
    /* compression */
    uint32_t bits; // that wait to be a byte
    int bit_count, code_bits;
    uint8_t block[256];   // its length, and up to 255 bytes
    uint32_t keys[SLOTS]; // (string, byte) + 1; 0: free
    uint16_t codes[SLOTS];
} gif;

/* ---------------------------------------------------------------- bytes */

static void put(gif *g, const void *bytes, size_t count)
{
    if (g->filled + count > sizeof g->bytes) {
        g->good = g->good && wk_new_file_write(&g->file, g->bytes, g->filled);
        g->filled = 0;
    }
    memcpy(g->bytes + g->filled, bytes, count);
    g->filled += count;
}

static void put_byte(gif *g, int byte) { put(g, &(uint8_t){(uint8_t)byte}, 1); }

static void put_word(gif *g, int64_t word) // 16 bits, the low ones first
{
    put_byte(g, (int)(word & 255));
    put_byte(g, (int)(word >> 8 & 255));
}

/* ---------------------------------------------------------------- compression */

static void put_block(gif *g)
{
    if (g->block[0] > 0)
        put(g, g->block, 1 + (size_t)g->block[0]);
    g->block[0] = 0;
}

static void put_bits(gif *g, uint32_t bits, int count)
{
    g->bits |= bits << g->bit_count;
    for (g->bit_count += count; g->bit_count >= 8; g->bit_count -= 8, g->bits >>= 8) {
        g->block[++g->block[0]] = (uint8_t)g->bits;
        if (g->block[0] == 255)
            put_block(g);
    }
}

/* the slot where the string `string` and then `byte` stands, or may stand */
static int slot_of(const gif *g, uint32_t key)
{
    uint32_t slot = key * 2654435761u >> 19;
    while (g->keys[slot] != 0 && g->keys[slot] != key)
        slot = (slot + 1) % SLOTS;
    return (int)slot;
}

/* the rectangle of indices (height, stride) that begins at its corner */
static void compress(gif *g, const uint8_t *indices, int64_t width, int64_t height, int64_t stride, int index_bits)
{
    const int clear = 1 << index_bits;
    int next = clear + 2, string = -1;
    g->code_bits = index_bits + 1;
    memset(g->keys, 0, sizeof g->keys);
    put_byte(g, index_bits);
    put_bits(g, (uint32_t)clear, g->code_bits);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            const int byte = indices[y * stride + x];
            if (string < 0) {
                string = byte;
                continue;
            }
            const uint32_t key = (uint32_t)(string << 8 | byte) + 1;
            const int slot = slot_of(g, key);
            if (g->keys[slot] == key) {
                string = g->codes[slot];
                continue;
            }
            put_bits(g, (uint32_t)string, g->code_bits);
            string = byte;
            if (next == MOST_CODES) {
                put_bits(g, (uint32_t)clear, g->code_bits);
                memset(g->keys, 0, sizeof g->keys);
                next = clear + 2;
                g->code_bits = index_bits + 1;
                continue;
            }
            g->code_bits += next == 1 << g->code_bits;
            g->keys[slot] = key;
            g->codes[slot] = (uint16_t)next++;
        }
    put_bits(g, (uint32_t)string, g->code_bits);
    g->code_bits += next == 1 << g->code_bits && next < MOST_CODES; // the reader has one string more
    put_bits(g, (uint32_t)clear + 1, g->code_bits);
    put_bits(g, 0, 7); // what is left of the last byte
    g->bits = 0;
    g->bit_count = 0;
    put_block(g);
    put_byte(g, 0);
}

/* ---------------------------------------------------------------- frames */

/* x, y, width and height of what differs; a pixel where nothing does, since a frame has at least one */
static void changed(const uint8_t *now, const uint8_t *before, int64_t width, int64_t height, int64_t rectangle[4])
{
    int64_t left = width, right = -1, top = height, bottom = -1;
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            if (now[y * width + x] != before[y * width + x]) {
                left = x < left ? x : left;
                right = x > right ? x : right;
                top = y < top ? y : top;
                bottom = y;
            }
    const bool same = right < 0;
    memcpy(rectangle,
           (int64_t[]){same ? 0 : left, same ? 0 : top, same ? 1 : right - left + 1, same ? 1 : bottom - top + 1},
           4 * sizeof *rectangle);
}

/* when frame number i begins, in hundredths of a second: no error adds up */
static int64_t begins(int64_t i, double fps) { return (int64_t)floor(100 * (double)i / fps + 0.5); }

static void put_frames(gif *g, const wk_film_frames *frames, const wk_palette *palette, uint8_t *now, uint8_t *before)
{
    const int64_t width = frames->width, height = frames->height;
    int bits = 2; // the fewest that the compression takes
    while (1 << bits < palette->count)
        bits++;
    put(g, "GIF89a", 6);
    put_word(g, width);
    put_word(g, height);
    put_byte(g, 0xF0 | (bits - 1)); // a palette for all frames, of 1 << bits colours of 8 bits
    put_word(g, 0);                 // the background; square pixels
    put(g, palette->colours, (size_t)3 << bits);
    put(g, "\x21\xFF\x0BNETSCAPE2.0\x03\x01\x00\x00\x00", 19); // for ever
    for (int64_t i = 0; i < frames->count && g->good; i++) {
        int64_t at[4] = {0, 0, width, height};
        wk_palette_indices(palette, frames->pixels + i * height * width * 3, height * width, now);
        if (i > 0)
            changed(now, before, width, height, at);
        put(g, "\x21\xF9\x04\x04", 4); // what follows is drawn over what was
        put_word(g, begins(i + 1, frames->fps) - begins(i, frames->fps));
        put_word(g, 0);
        put_byte(g, 0x2C);
        for (int k = 0; k < 4; k++)
            put_word(g, at[k]);
        put_byte(g, 0);
        compress(g, now + at[1] * width + at[0], at[2], at[3], width, bits);
        uint8_t *swap = now;
        now = before;
        before = swap;
    }
    put_byte(g, 0x3B);
}

bool wk_gif_write(const char *op, const char *path, const wk_film_frames *frames)
{
    const size_t plane = (size_t)(frames->width * frames->height);
    wk_palette palette;
    if (!wk_palette_make(&palette, frames->pixels, frames->count * (int64_t)plane))
        return wk_out_of_memory(op, sizeof(gif));
    gif *g = wk_alloc_zeroed(sizeof *g);
    uint8_t *indices = wk_alloc(2 * plane);
    bool good = false;
    if (!g || !indices)
        wk_out_of_memory(op, 2 * plane);
    else if (wk_new_file_open(&g->file, op, path)) {
        g->good = true;
        put_frames(g, frames, &palette, indices, indices + plane);
        good = g->good && wk_new_file_write(&g->file, g->bytes, g->filled) && wk_new_file_commit(&g->file);
    }
    wk_free(indices);
    wk_free(g);
    wk_palette_free(&palette);
    return good;
}
