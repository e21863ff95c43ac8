/* A palette made for a film: its own colours where there are at most 256 (drawings, greys); else colours fall into
   bins, and boxes of bins are cut where they spread most, at their mean, until there are 256.

   No dithering: what stands still in a film would flicker, and noise does not compress. */
#include "palette.h"

#include <string.h>

#include "core/alloc.h"

#define BITS 6 // of each channel that choose a bin
#define BINS (1 << 3 * BITS)
#define SLOTS 1024 // of the table of exact colours, a power of two

typedef struct bin {
    uint64_t count, sum[3];
} bin;

typedef struct box {
    int begin, end; // its bins in the order
    double mean[3];
    int axis;      // along which it spreads most
    double spread; // the sum of squares around the mean there
} box;

static int bin_of(const uint8_t *pixel)
{
    return pixel[0] >> (8 - BITS) << 2 * BITS | pixel[1] >> (8 - BITS) << BITS | pixel[2] >> (8 - BITS);
}

/* ---------------------------------------------------------------- exact colours: a hash table of indices + 1 */

static int slot_of(const wk_palette *palette, const uint8_t *pixel)
{
    const uint32_t colour = (uint32_t)pixel[0] << 16 | (uint32_t)pixel[1] << 8 | pixel[2];
    uint32_t slot = colour * 2654435761u >> 22;
    for (;; slot = (slot + 1) % SLOTS) {
        const int index = ((const uint16_t *)palette->of_colour)[slot];
        if (index == 0 || memcmp(palette->colours[index - 1], pixel, 3) == 0)
            return (int)slot;
    }
}

/* false: there are more than 256 */
static bool collect_exact(wk_palette *palette, const uint8_t *pixels, int64_t count)
{
    uint16_t *slots = (uint16_t *)palette->of_colour;
    memset(slots, 0, SLOTS * sizeof *slots);
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *pixel = pixels + 3 * i;
        if (i > 0 && memcmp(pixel, pixel - 3, 3) == 0)
            continue;
        const int slot = slot_of(palette, pixel);
        if (slots[slot] > 0)
            continue;
        if (palette->count == 256)
            return false;
        memcpy(palette->colours[palette->count++], pixel, 3);
        slots[slot] = (uint16_t)palette->count;
    }
    return true;
}

/* ---------------------------------------------------------------- boxes of bins */

static void measure(box *b, const bin *bins, const int *order)
{
    double count = 0, sum[3] = {0}, squares[3] = {0};
    for (int i = b->begin; i < b->end; i++) {
        const bin *one = &bins[order[i]];
        count += (double)one->count;
        for (int c = 0; c < 3; c++) {
            sum[c] += (double)one->sum[c];
            squares[c] += (double)one->sum[c] * (double)one->sum[c] / (double)one->count;
        }
    }
    b->spread = 0;
    for (int c = 0; c < 3; c++) {
        b->mean[c] = sum[c] / count;
        const double spread = b->end - b->begin > 1 ? squares[c] - sum[c] * b->mean[c] : 0;
        if (spread > b->spread) {
            b->spread = spread;
            b->axis = c;
        }
    }
}

/* the bins of b under its mean come first; how many */
static int part(const box *b, const bin *bins, int *order)
{
    int middle = b->begin;
    for (int i = b->begin; i < b->end; i++) {
        const bin *one = &bins[order[i]];
        if ((double)one->sum[b->axis] >= b->mean[b->axis] * (double)one->count)
            continue;
        const int moved = order[i];
        order[i] = order[middle];
        order[middle++] = moved;
    }
    return middle;
}

static void cut(wk_palette *palette, bin *bins, int *order, const uint8_t *pixels, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        bin *one = &bins[bin_of(pixels + 3 * i)];
        one->count++;
        for (int c = 0; c < 3; c++)
            one->sum[c] += pixels[3 * i + c];
    }
    box boxes[256] = {{0}};
    for (int i = 0; i < BINS; i++)
        if (bins[i].count > 0)
            order[boxes[0].end++] = i;
    measure(&boxes[0], bins, order);
    palette->count = 1;
    while (palette->count < 256) {
        box *widest = &boxes[0], *next = &boxes[palette->count];
        for (int i = 1; i < palette->count; i++)
            if (boxes[i].spread > widest->spread)
                widest = &boxes[i];
        if (!(widest->spread > 0))
            break;
        *next = *widest;
        next->begin = widest->end = part(widest, bins, order);
        if (next->begin == next->end || widest->begin == widest->end) { // they differ by less than a double does
            widest->end = next->end;
            widest->spread = 0;
            continue;
        }
        measure(widest, bins, order);
        measure(next, bins, order);
        palette->count++;
    }
    for (int i = 0; i < palette->count; i++) {
        for (int c = 0; c < 3; c++)
            palette->colours[i][c] = (uint8_t)(boxes[i].mean[c] + 0.5);
        for (int k = boxes[i].begin; k < boxes[i].end; k++)
            palette->of_colour[order[k]] = (uint8_t)i;
    }
}

/* ---------------------------------------------------------------- the palette */

bool wk_palette_make(wk_palette *palette, const uint8_t *pixels, int64_t count)
{
    *palette = (wk_palette){.of_colour = wk_alloc(BINS)};
    if (!palette->of_colour)
        return false;
    palette->exact = collect_exact(palette, pixels, count);
    if (palette->exact)
        return true;
    bin *bins = wk_alloc_zeroed(BINS * sizeof *bins);
    int *order = wk_alloc(BINS * sizeof *order);
    const bool made = bins && order;
    if (made)
        cut(palette, bins, order, pixels, count);
    wk_free(order);
    wk_free(bins);
    if (!made)
        wk_palette_free(palette);
    return made;
}

void wk_palette_indices(const wk_palette *palette, const uint8_t *pixels, int64_t count, uint8_t *indices)
{
    for (int64_t i = 0; i < count; i++)
        indices[i] = palette->exact
                         ? (uint8_t)(((const uint16_t *)palette->of_colour)[slot_of(palette, pixels + 3 * i)] - 1)
                         : palette->of_colour[bin_of(pixels + 3 * i)];
}

void wk_palette_free(wk_palette *palette)
{
    wk_free(palette->of_colour);
    palette->of_colour = NULL;
}
