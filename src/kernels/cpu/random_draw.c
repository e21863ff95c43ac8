/* Distributions on plain arrays: how PyTorch's CPU kernels spend the generator's words, one distribution after another.
   Words are drawn in chunks, in one thread and in order; what is done to a chunk is a vector loop.

   Two of PyTorch's habits look odd and are kept: integers come from a remainder (slightly uneven), with two words from
   a range of 2^28 up; and a block of normals whose size is not a multiple of 16 draws its last 16 anew. */
#include "random_draw.h"

#include <math.h>
#include <string.h>

#include "../half.h"
#include "parallel.h"

#define CHUNK 512 // numbers drawn at a time
#define WIDE_RANGE (UINT64_C(1) << 28)
#define LONG_PERMUTATION (UINT32_MAX / 20)
#define TWO_PI 6.28318530717958647693

static void store_integer(wk_dtype dtype, void *y, int64_t i, int64_t value)
{
    switch (dtype) {
    case wk_int64:
        ((int64_t *)y)[i] = value;
        break;
    case wk_int32:
        ((int32_t *)y)[i] = (int32_t)value;
        break;
    case wk_int16:
        ((int16_t *)y)[i] = (int16_t)value;
        break;
    case wk_int8:
        ((int8_t *)y)[i] = (int8_t)value;
        break;
    case wk_uint8:
        ((uint8_t *)y)[i] = (uint8_t)value;
        break;
    case wk_bool:
        ((bool *)y)[i] = value != 0;
        break;
    default:
        wk_store_floating(dtype, y, i, (double)value);
    }
}

/* ---------------------------------------------------------------- uniform */

/* count numbers of y, drawn by the loops' uniform; the generator is locked */
static void draw_uniform(const wk_draw_loops *loops, wk_generator *generator, wk_dtype dtype, void *y, int64_t count,
                         double from, double to)
{
    uint32_t words[2 * CHUNK];
    const int words_each = dtype == wk_float64 ? 2 : 1;
    const size_t size = wk_dtype_size(dtype);
    for (int64_t begin = 0; begin < count; begin += CHUNK) {
        const int64_t here = count - begin < CHUNK ? count - begin : CHUNK;
        wk_random_words(generator, words, here * words_each);
        loops->uniform(words, (char *)y + (size_t)begin * size, dtype, from, to, here);
    }
}

void wk_draw_uniform(const wk_draw_loops *loops, const wk_draw_work *w)
{
    wk_generator_lock(w->generator);
    draw_uniform(loops, w->generator, w->dtype, w->y, w->count, w->from, w->to);
    wk_generator_unlock(w->generator);
}

/* ---------------------------------------------------------------- normal */

/* sqrt(-2 log(1 - u2)) * (cos, sin)(2 pi u1): the cosine now, the sine next time. */
static double next_normal(wk_generator *generator)
{
    if (generator->has_normal) {
        generator->has_normal = false;
        return generator->normal;
    }
    uint32_t words[4];
    wk_random_words(generator, words, 4);
    const double radius = sqrt(-2.0 * log1p(-wk_unit_of_words(words + 2))), angle = TWO_PI * wk_unit_of_words(words);
    generator->normal = radius * sin(angle);
    generator->has_normal = true;
    return radius * cos(angle);
}

static void draw_singly(const wk_draw_work *w)
{
    for (int64_t i = 0; i < w->count; i++)
        wk_store_floating(w->dtype, w->y, i, fma(next_normal(w->generator), w->to, w->from));
}

/* 8 u1 and 8 u2 in [0, 1) to 16 normals, in place */
static void box_muller_double(double *x, double mean, double std)
{
    for (int j = 0; j < 8; j++) {
        const double radius = sqrt(-2 * log(1 - x[j])), angle = TWO_PI * x[j + 8];
        x[j] = fma(radius * cos(angle), std, mean);
        x[j + 8] = fma(radius * sin(angle), std, mean);
    }
}

static void normal_blocks(const wk_draw_loops *loops, wk_dtype dtype, void *y, int64_t blocks, double mean, double std)
{
    if (dtype == wk_float32) {
        const wk_box_muller blocks_of = {y, (float)mean, (float)std};
        wk_parallel(loops->box_muller, &blocks_of, blocks, 64);
        return;
    }
    for (int64_t block = 0; block < blocks; block++)
        box_muller_double((double *)y + 16 * block, mean, std);
}

/* Blocks of float32, rounded; the last 16 of a size that is no multiple of 16 are drawn anew, the odd ones never. */
static void draw_normal_half(const wk_draw_loops *loops, const wk_draw_work *w)
{
    float block[16];
    for (int64_t begin = 0; begin < w->count; begin += 16) {
        draw_uniform(loops, w->generator, wk_float32, block, 16, 0, 1);
        normal_blocks(loops, wk_float32, block, 1, w->from, w->to);
        const int64_t first = begin + 16 <= w->count ? begin : w->count - 16;
        for (int j = 0; j < 16; j++)
            wk_store_floating(w->dtype, w->y, first + j, block[j]);
    }
}

void wk_draw_normal(const wk_draw_loops *loops, const wk_draw_work *w)
{
    wk_generator_lock(w->generator);
    if (w->count < 16 || w->singly) {
        draw_singly(w);
    } else if (wk_dtype_size(w->dtype) == 2) {
        draw_normal_half(loops, w);
    } else {
        draw_uniform(loops, w->generator, w->dtype, w->y, w->count, 0, 1);
        normal_blocks(loops, w->dtype, w->y, w->count / 16, w->from, w->to);
        if (w->count % 16 != 0) {
            void *last = (char *)w->y + (size_t)(w->count - 16) * wk_dtype_size(w->dtype);
            draw_uniform(loops, w->generator, w->dtype, last, 16, 0, 1);
            normal_blocks(loops, w->dtype, last, 1, w->from, w->to);
        }
    }
    wk_generator_unlock(w->generator);
}

/* ---------------------------------------------------------------- integers */

void wk_draw_integers(const wk_draw_work *w)
{
    wk_generator *generator = w->generator;
    const int64_t count = w->count;
    const uint64_t range = w->range;
    uint32_t words[2 * CHUNK];
    const bool wide = range >= WIDE_RANGE;
    wk_generator_lock(generator);
    for (int64_t begin = 0; begin < count; begin += CHUNK) {
        const int64_t here = count - begin < CHUNK ? count - begin : CHUNK;
        wk_random_words(generator, words, wide ? 2 * here : here);
        for (int64_t i = 0; i < here; i++) {
            uint64_t part =
                wide ? ((uint64_t)words[2 * i] << 32 | words[2 * i + 1]) % range : words[i] % (uint32_t)range;
            store_integer(w->dtype, w->y, begin + i, (int64_t)((uint64_t)w->low + part));
        }
    }
    wk_generator_unlock(generator);
}

/* one past the greatest */
static uint64_t full_range(wk_dtype dtype)
{
    switch (dtype) {
    case wk_bool:
        return 2;
    case wk_uint8:
        return UINT64_C(1) << 8;
    case wk_int8:
        return UINT64_C(1) << 7;
    case wk_int16:
        return UINT64_C(1) << 15;
    case wk_int32:
        return UINT64_C(1) << 31;
    case wk_int64:
        return UINT64_C(1) << 63;
    case wk_float16:
        return (UINT64_C(1) << 11) + 1;
    case wk_bfloat16:
        return (UINT64_C(1) << 8) + 1;
    case wk_float32:
        return (UINT64_C(1) << 24) + 1;
    default:
        return (UINT64_C(1) << 53) + 1;
    }
}

void wk_draw_full(const wk_draw_work *w)
{
    wk_generator *generator = w->generator;
    const wk_dtype dtype = w->dtype;
    const uint64_t range = full_range(dtype);
    const bool wide = dtype == wk_int64 || dtype == wk_float64;
    wk_generator_lock(generator);
    for (int64_t i = 0; i < w->count; i++) {
        uint32_t words[2] = {0};
        wk_random_words(generator, words, wide ? 2 : 1);
        uint64_t word = wide ? (uint64_t)words[0] << 32 | words[1] : words[0];
        store_integer(dtype, w->y, i, (int64_t)(word % range));
    }
    wk_generator_unlock(generator);
}

/* ---------------------------------------------------------------- permutations */

/* Fisher and Yates: place i changes with one of i .. count - 1. */
#define SHUFFLE(type)                                                                                                  \
    for (int64_t i = 0; i < count - 1; i++) {                                                                          \
        uint32_t word;                                                                                                 \
        wk_random_words(generator, &word, 1);                                                                          \
        const int64_t other = i + word % (count - i);                                                                  \
        const type moved = ((type *)y)[i];                                                                             \
        ((type *)y)[i] = ((type *)y)[other];                                                                           \
        ((type *)y)[other] = moved;                                                                                    \
    }

void wk_draw_permutation(const wk_draw_work *w)
{
    wk_generator *generator = w->generator;
    const wk_dtype dtype = w->dtype;
    const int64_t count = w->count;
    void *y = w->y;
    const size_t size = wk_dtype_size(dtype);
    for (int64_t i = 0; i < count; i++)
        store_integer(dtype, y, i, i);
    wk_generator_lock(generator);
    if (count >= (int64_t)LONG_PERMUTATION) { // a word is too short for the remainder to be even: two, inside out
        for (int64_t i = 0; i < count; i++) {
            uint32_t words[2];
            wk_random_words(generator, words, 2);
            const uint64_t other = ((uint64_t)words[0] << 32 | words[1]) % (uint64_t)(i + 1);
            memcpy((char *)y + (size_t)i * size, (char *)y + other * size, size);
            store_integer(dtype, y, (int64_t)other, i);
        }
    } else if (size == 8) {
        SHUFFLE(uint64_t)
    } else if (size == 4) {
        SHUFFLE(uint32_t)
    } else if (size == 2) {
        SHUFFLE(uint16_t)
    } else {
        SHUFFLE(uint8_t)
    }
    wk_generator_unlock(generator);
}

/* ---------------------------------------------------------------- bernoulli, exponential */

/* draws[i] < p[i * step] as 0 and 1 */
#define STORE_BELOW(draws, p, step)                                                                                    \
    do {                                                                                                               \
        if (wk_dtype_size(w->dtype) == 1)                                                                              \
            for (int64_t i = 0; i < here; i++)                                                                         \
                ((uint8_t *)w->y)[begin + i] = (draws)[i] < (p)[i * (step)];                                           \
        else                                                                                                           \
            for (int64_t i = 0; i < here; i++)                                                                         \
                store_integer(w->dtype, w->y, begin + i, (draws)[i] < (p)[i * (step)]);                                \
    } while (0)

/* false where one of p is no probability: which */
static bool all_probable(const wk_draw_work *w, double *which)
{
    for (int64_t i = 0; w->p && i < w->count; i++) {
        *which = w->p_dtype == wk_float64 ? ((const double *)w->p)[i] : (double)((const float *)w->p)[i];
        if (!(*which >= 0 && *which <= 1))
            return false;
    }
    return true;
}

void wk_draw_bernoulli(const wk_draw_loops *loops, wk_queue *queue, const wk_draw_work *w)
{
    double doubles[CHUNK], which;
    float floats[CHUNK];
    if (!all_probable(w, &which)) {
        wk_queue_fault(queue, &(wk_fault){.kind = WK_FAULT_NUMBER, .name = "p: expected probabilities in [0, 1]",
                                          .number = which});
        return;
    }
    wk_generator_lock(w->generator);
    for (int64_t begin = 0; begin < w->count; begin += CHUNK) {
        const int64_t here = w->count - begin < CHUNK ? w->count - begin : CHUNK;
        if (!w->p || w->p_dtype == wk_float64) {
            draw_uniform(loops, w->generator, wk_float64, doubles, here, 0, 1);
            if (w->p)
                STORE_BELOW(doubles, (const double *)w->p + begin, 1);
            else
                STORE_BELOW(doubles, &w->from, 0);
        } else {
            draw_uniform(loops, w->generator, wk_float32, floats, here, 0, 1);
            STORE_BELOW(floats, (const float *)w->p + begin, 1);
        }
    }
    wk_generator_unlock(w->generator);
}

void wk_draw_exponential(const wk_draw_loops *loops, const wk_draw_work *w)
{
    double draws[CHUNK];
    wk_generator_lock(w->generator);
    for (int64_t begin = 0; begin < w->count; begin += CHUNK) {
        const int64_t here = w->count - begin < CHUNK ? w->count - begin : CHUNK;
        draw_uniform(loops, w->generator, wk_float64, draws, here, 0, 1);
        for (int64_t i = 0; i < here; i++)
            wk_store_floating(w->dtype, w->y, begin + i, -1.0 / w->from * log1p(-draws[i]));
    }
    wk_generator_unlock(w->generator);
}
