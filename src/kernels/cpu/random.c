/* Random words to random numbers, wherever the arithmetic is more than a shift: PyTorch's formulas, in its order of
   operations, so that a seed gives its bits.

   PyTorch's compiler fused each product with the sum that follows it.  Here those places say fmaf, and no other product
   feeds a sum: so neither the flags of a build nor an instruction set can change a bit (a processor without fused
   multiply-add takes the C library's fmaf, slow and as exact).

   box_muller: u1, u2 uniform in [0, 1) to two normals, sqrt(-2 log(1 - u1)) * (cos, sin)(2 pi u2).  log, sin and cos
   are the minimax polynomials of Moshier's Cephes library in single precision; the C library's would be as good, and
   differ from PyTorch's in the last bit. */
// compiled for: bytes
#include "cpu.h"
#include "random_draw.h"

static inline float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* the low 24 bits of a word, over 2^24 */
static inline float unit_float(uint32_t word) { return (float)(int32_t)(word & 0xffffffu) * 0x1p-24f; }

/* from + x (to - from), which rounding may bring to `to`: then it is `from`. */
static void uniform_of_words(const uint32_t *words, void *out, wk_dtype dtype, double from, double to, int64_t count)
{
    const double width = to - from;
    const float from_float = (float)from, to_float = (float)to, width_float = to_float - from_float;
    if (dtype == wk_float32) {
        float *y = out;
        for (int64_t i = 0; i < count; i++) {
            float value = fmaf(unit_float(words[i]), width_float, from_float);
            y[i] = value == to_float ? from_float : value;
        }
    } else if (dtype == wk_float64) {
        double *y = out;
        for (int64_t i = 0; i < count; i++) {
            double value = fma(wk_unit_of_words(words + 2 * i), width, from);
            y[i] = value == to ? from : value;
        }
    } else {
        uint16_t *y = out;
        const bool brain = dtype == wk_bfloat16;
        const uint16_t from_half = brain ? wk_bfloat16_of_float(from_float) : wk_float16_of_float(from_float);
        const uint16_t to_half = brain ? wk_bfloat16_of_float(to_float) : wk_float16_of_float(to_float);
        for (int64_t i = 0; i < count; i++) {
            float value = fmaf(unit_float(words[i]), width_float, from_float);
            uint16_t half = brain ? wk_bfloat16_of_float(value) : wk_float16_of_float(value);
            y[i] = half == to_half ? from_half : half;
        }
    }
}

/* log(x), 2^-24 <= x <= 1: x = 2^e (1 + r), sqrt(1/2) <= 1 + r < sqrt(2), log(1 + r) = r - r^2/2 + r^3 p(r) */
static inline float log_of(float x)
{
    const uint32_t bits = bits_of_float(x);
    float e = (float)((int32_t)(bits >> 23) - 126);
    float half = float_of_bits((bits & 0x007fffffu) | 0x3f000000u); // in [1/2, 1)
    const bool low = half < 0.707106781186547524f;
    float r = low ? half - 1 + half : half - 1;
    e = low ? e - 1 : e;

    const float r2 = r * r;
    float p = 7.0376836292e-2f;
    p = fmaf(p, r, -1.1514610310e-1f);
    p = fmaf(p, r, 1.1676998740e-1f);
    p = fmaf(p, r, -1.2420140846e-1f);
    p = fmaf(p, r, 1.4249322787e-1f);
    p = fmaf(p, r, -1.6668057665e-1f);
    p = fmaf(p, r, 2.0000714765e-1f);
    p = fmaf(p, r, -2.4999993993e-1f);
    p = fmaf(p, r, 3.3333331174e-1f);
    p = p * r;
    p = fmaf(p, r2, e * -2.12194440e-4f); // log(2) = 0.693359375 - 2.12194440e-4
    p = fmaf(-0.5f, r2, p);
    return fmaf(e, 0.693359375f, r + p);
}

/* sin and cos of 0 <= x < 2 pi: x = j pi/4 + r, j even, |r| <= pi/4; pi/4 in three parts */
static inline void sin_cos_of(float x, float *sin_x, float *cos_x)
{
    int32_t j = (int32_t)(x * 1.27323954473516f); // 4 / pi
    j = (j + 1) & ~1;
    const float quarters = (float)j;
    float r = fmaf(quarters, -0.78515625f, x);
    r = fmaf(quarters, -2.4187564849853515625e-4f, r);
    r = fmaf(quarters, -3.77489497744594108e-8f, r);

    const float r2 = r * r;
    float c = 2.443315711809948e-5f;
    c = fmaf(c, r2, -1.388731625493765e-3f);
    c = fmaf(c, r2, 4.166664568298827e-2f);
    c = c * r2;
    c = fmaf(c, r2, r2 * -0.5f) + 1;
    float s = -1.9515295891e-4f;
    s = fmaf(s, r2, 8.3321608736e-3f);
    s = fmaf(s, r2, -1.6666654611e-1f);
    s = s * r2;
    s = fmaf(s, r, r);

    /* each quarter turn swaps the two and flips a sign */
    const bool swapped = j & 2;
    const float sine = swapped ? c : s, cosine = swapped ? s : c;
    const uint32_t sine_sign = ((uint32_t)j & 4u) << 29, cosine_sign = (~(uint32_t)(j - 2) & 4u) << 29;
    *sin_x = float_of_bits(bits_of_float(sine) ^ sine_sign);
    *cos_x = float_of_bits(bits_of_float(cosine) ^ cosine_sign);
}

/* A block of 16 holds 8 u1, then 8 u2; it comes back as 8 cosines, then 8 sines. */
static void box_muller_blocks(const void *work, int64_t begin, int64_t end)
{
    const wk_box_muller *w = work;
    const float mean = w->mean, std = w->std;
    for (int64_t block = begin; block < end; block++) {
        float *first = w->x + 16 * block, *second = first + 8;
        float radius[8], sine[8], cosine[8];
        for (int j = 0; j < 8; j++)
            radius[j] = sqrtf(-2.0f * log_of(1.0f - first[j]));
        for (int j = 0; j < 8; j++)
            sin_cos_of(6.28318530717958648f * second[j], &sine[j], &cosine[j]);
        for (int j = 0; j < 8; j++) {
            first[j] = fmaf(radius[j] * cosine[j], std, mean);
            second[j] = fmaf(radius[j] * sine[j], std, mean);
        }
    }
}

static const wk_draw_loops loops = {uniform_of_words, box_muller_blocks};

WK_KERNEL(uniform, wk_draw_work) { wk_draw_uniform(&loops, w); }
WK_KERNEL(normal, wk_draw_work) { wk_draw_normal(&loops, w); }
WK_KERNEL(integers, wk_draw_work) { wk_draw_integers(w); }
WK_KERNEL(random_full, wk_draw_work) { wk_draw_full(w); }
WK_KERNEL(permutation, wk_draw_work) { wk_draw_permutation(w); }
WK_KERNEL(bernoulli, wk_draw_work) { wk_draw_bernoulli(&loops, queue, w); }
WK_KERNEL(exponential, wk_draw_work) { wk_draw_exponential(&loops, w); }
