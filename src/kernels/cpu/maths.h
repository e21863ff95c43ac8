/* The functions that expressions of pointwise.def and the row kernels call, for the `real` of this compilation.

   EXP, ERF and the float TANH are our own: without branches, inlined, so that gcc and clang vectorize the loop around
   them on every instruction set.  (ns an element on AVX-512, libmvec's in parentheses: exp 0.20 (0.20), of negatives
   alone 0.13, erf 0.31 (0.45), gelu's 0.20, tanh 0.28 (0.25).)  Errors: exp, erf and tanh 1.5 ulp; coefficients are
   minimax fits. The others are libm's: gcc calls the vector forms that glibc's libmvec has, which glibc's headers
   declare under -ffast-math alone and which are therefore declared here; elsewhere the same loops call the scalar
   functions. NaN and infinity are what they are in libm throughout. */
#ifndef WICK_MATHS_H
#define WICK_MATHS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__GLIBC__) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#if __GLIBC_PREREQ(2, 35)
#define WK_VECTOR_FORM __attribute__((simd("notinbranch")))
#endif
#endif
#ifdef WK_VECTOR_FORM
#define WK_DECLARE(name)                                                                                               \
    WK_VECTOR_FORM double name(double);                                                                                \
    WK_VECTOR_FORM float name##f(float);
WK_DECLARE(log)
WK_DECLARE(log2)
WK_DECLARE(log10)
WK_DECLARE(log1p)
WK_DECLARE(exp2)
WK_DECLARE(expm1)
WK_DECLARE(sin)
WK_DECLARE(cos)
WK_DECLARE(tan)
WK_DECLARE(asin)
WK_DECLARE(acos)
WK_DECLARE(atan)
WK_DECLARE(sinh)
WK_DECLARE(cosh)
WK_DECLARE(asinh)
WK_DECLARE(acosh)
WK_DECLARE(atanh)
WK_DECLARE(erfc)
#undef WK_DECLARE
WK_VECTOR_FORM double tanh(double);
WK_VECTOR_FORM double pow(double, double);
WK_VECTOR_FORM float powf(float, float);
WK_VECTOR_FORM double atan2(double, double);
WK_VECTOR_FORM float atan2f(float, float);
WK_VECTOR_FORM double hypot(double, double);
WK_VECTOR_FORM float hypotf(float, float);
#endif

#define WK_INLINE static inline __attribute__((always_inline, unused))

WK_INLINE float wk_float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
WK_INLINE uint32_t wk_bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
WK_INLINE double wk_power_of_two(int32_t n)
{
    const uint64_t bits = (uint64_t)((uint32_t)n + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* e^r for |r| <= log(2) / 2: 1 + r + r^2 P(r) */
WK_INLINE float wk_exp_reduced(float r)
{
    float p = 0x1.6dbc3ap-10f;
    p = p * r + 0x1.124148p-7f;
    p = p * r + 0x1.555454p-5f;
    p = p * r + 0x1.555486p-3f;
    p = p * r + 0.5f;
    return p * (r * r) + (r + 1);
}

/* 2^n e^r with n = round(x / log 2), r = x - n log 2 in two parts.  2^n comes in two factors, each a normal number, so
   that results down to the smallest denormal and up to infinity are rounded once.  Adding 1.5 * 2^23 + 254 rounds to an
   integer and leaves n + 254, two exponents' biases, in the low bits of the sum. */
WK_INLINE float wk_expf(float x)
{
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    const float shifted = x * 0x1.715476p+0f + (0x1.8p+23f + 254);
    const float n = shifted - (0x1.8p+23f + 254);
    const float r = x - n * 0x1.62e4p-1f - n * 0x1.7f7d1cp-20f;
    const uint32_t exponent = wk_bits_of_float(shifted), half = exponent >> 1;
    return wk_exp_reduced(r) * wk_float_of_bits(half << 23) * wk_float_of_bits((exponent - half) << 23);
}

/* the same for x <= 0, where results below the smallest normal number may be 0: two thirds of the work */
WK_INLINE float wk_exp_negativef(float x)
{
    x = x < -88.03f ? -88.03f : x; // n = -127, whose factor is 0
    const float shifted = x * 0x1.715476p+0f + (0x1.8p+23f + 127);
    const float n = shifted - (0x1.8p+23f + 127);
    const float r = x - n * 0x1.62e4p-1f - n * 0x1.7f7d1cp-20f;
    return wk_exp_reduced(r) * wk_float_of_bits(wk_bits_of_float(shifted) << 23);
}

WK_INLINE double wk_exp(double x)
{
    double bounded = x < -746.0 ? -746.0 : x;
    bounded = bounded > 710.0 ? 710.0 : bounded;
    const double shifted = bounded * 0x1.71547652b82fep+0 + 0x1.8p+52;
    const double n = shifted - 0x1.8p+52;
    double r = bounded - n * 0x1.62e42fefap-1;
    r -= n * 0x1.cf79abc9e3b39p-40;
    double p = 0x1.af8b485b3617bp-26;
    p = p * r + 0x1.28b45514cfaeep-22;
    p = p * r + 0x1.71dddc293c350p-19;
    p = p * r + 0x1.a019924683216p-16;
    p = p * r + 0x1.a01a01bc830b8p-13;
    p = p * r + 0x1.6c16c18735966p-10;
    p = p * r + 0x1.111111110d169p-7;
    p = p * r + 0x1.555555554f936p-5;
    p = p * r + 0x1.5555555555562p-3;
    p = p * r + 0x1.000000000000dp-1;
    p = p * (r * r) + r + 1;
    int64_t integer;
    memcpy(&integer, &shifted, sizeof integer);
    const int32_t exponent = (int32_t)integer; // the low bits hold n
    const int32_t half = exponent >> 1;
    return p * wk_power_of_two(half) * wk_power_of_two(exponent - half);
}

/* |x| < 1: x + x P(x^2); from there 1 - exp(t P(t)), the logarithm of erfc, up to 4, where erf rounds to 1 */
WK_INLINE float wk_erff(float x)
{
    const float s = x * x;
    float near = 0x1.496a16p-14f;
    near = near * s - 0x1.a3f6f6p-11f;
    near = near * s + 0x1.5405b0p-8f;
    near = near * s - 0x1.b7f90cp-6f;
    near = near * s + 0x1.ce2cf8p-4f;
    near = near * s - 0x1.81273ep-2f;
    near = near * s + 0x1.06eba8p-3f;
    near = near * x + x;
    float t = fabsf(x);
    t = t > 4 ? 4 : t;
    float far = -0x1.bfcd80p-17f;
    far = far * t + 0x1.68f296p-12f;
    far = far * t - 0x1.e8fe7ep-9f;
    far = far * t + 0x1.886bb6p-6f;
    far = far * t - 0x1.b40f9cp-4f;
    far = far * t - 0x1.45208ep-1f;
    far = far * t - 0x1.20f15cp+0f;
    far = copysignf(1 - wk_exp_negativef(far * t), x);
    return s < 1 ? near : far;
}

/* erf within 3e-7 in half the time, for gelu, where that is a rounding error of 1 + erf: x P(x^2) / Q(x^2) up to 3.92,
   all coefficients positive, so that nothing cancels; never beyond 1, or gelu would change its sign */
WK_INLINE float wk_erf_absolutef(float x)
{
    const float t = fabsf(x), s = x * x;
    float p = 0x1.b9110ep-18f;
    p = p * s + 0x1.a8fd14p-12f;
    p = p * s + 0x1.12b9d0p-8f;
    p = p * s + 0x1.c738c6p-5f;
    p = p * s + 0x1.8a162ep-3f;
    p = p * s + 0x1.20dd76p+0f;
    float q = 0x1.0a5ea2p-22f;
    q = q * s + 0x1.29c6c8p-14f;
    q = q * s + 0x1.70b0fap-10f;
    q = q * s + 0x1.09877ap-6f;
    q = q * s + 0x1.e00ea8p-4f;
    q = q * s + 0x1.01fab0p-1f;
    q = q * s + 1;
    float ratio = t * p / q;
    ratio = ratio > 1 ? 1 : ratio;
    return copysignf(t > 3.92f ? 1 : ratio, x);
}

/* |x| < 1: x + x P(x^2); from there 1 - exp(-t^2) P((t - 2) / (t + 2)), up to 6, where erf rounds to 1 */
WK_INLINE double wk_erf(double x)
{
    const double s = x * x;
    double near = 0x1.05799df6f771bp-34;
    near = near * s - 0x1.386abc1647205p-30;
    near = near * s + 0x1.f7a410af277f7p-27;
    near = near * s - 0x1.5f1d369f69977p-23;
    near = near * s + 0x1.b9def199fd13ep-20;
    near = near * s - 0x1.f4d1df390133ap-17;
    near = near * s + 0x1.f9a321a11a600p-14;
    near = near * s - 0x1.c02db3d8ed0c1p-11;
    near = near * s + 0x1.565bcd0db02dfp-8;
    near = near * s - 0x1.b82ce3128499cp-6;
    near = near * s + 0x1.ce2f21a042b20p-4;
    near = near * s - 0x1.812746b0379e6p-2;
    near = near * s + 0x1.06eba8214db69p-3;
    near = near * x + x;
    double t = fabs(x);
    t = t > 6 ? 6 : t;
    const double u = (t - 2) / (t + 2);
    double far = 0x1.2743e28b7d7cap-19;
    far = far * u + 0x1.f3466920b1a04p-21;
    far = far * u - 0x1.d00b9c5b93884p-17;
    far = far * u - 0x1.cd22d7382d5e5p-16;
    far = far * u + 0x1.cdeb6012a3a8ep-16;
    far = far * u + 0x1.6da6ee61b122fp-13;
    far = far * u + 0x1.6d5ceea130729p-15;
    far = far * u - 0x1.016b5c0b094a6p-10;
    far = far * u - 0x1.bc25a393e424bp-11;
    far = far * u + 0x1.ca95ed5469352p-8;
    far = far * u + 0x1.e9471597201ccp-9;
    far = far * u - 0x1.437f0b68c10bfp-4;
    far = far * u + 0x1.eeea7dc8a78c1p-3;
    far = far * u - 0x1.b57034efd3f72p-2;
    far = far * u + 0x1.058671b52c776p-2;
    far = copysign(1 - wk_exp(-t * t) * far, x);
    return s < 1 ? near : far;
}

/* x^2 < 0.4: x + x^3 P(x^2); from there (1 - e) / (1 + e) with e = exp(-2 |x|) */
WK_INLINE float wk_tanhf(float x)
{
    const float s = x * x;
    float near = -0x1.722b36p-8f;
    near = near * s + 0x1.51580ap-6f;
    near = near * s - 0x1.b81dc4p-5f;
    near = near * s + 0x1.110646p-3f;
    near = near * s - 0x1.55552ep-2f;
    near = near * (s * x) + x;
    const float e = wk_exp_negativef(-2 * fabsf(x));
    const float far = (1 - e) / (1 + e);
    return copysignf(s < 0.4f ? near : far, x);
}

/* erfc(y) = 1 - |x| solved by three of Halley's steps from Winitzki's approximation (2e-3); in double for both types */
WK_INLINE double wk_erfinv(double x)
{
    const double rest = 1 - fabs(x);
    if (!(rest > 0))
        return rest == 0 ? copysign(INFINITY, x) : NAN;
    const double a = 0.147, logarithm = log(rest * (2 - rest)), half = 2 / (M_PI * a) + logarithm / 2;
    double y = sqrt(sqrt(half * half - logarithm / a) - half);
    for (int step = 0; step < 3; step++) {
        const double error = rest > 0.5 ? fabs(x) - erf(y) : erfc(y) - rest;
        const double newton = error / (M_2_SQRTPI * exp(-y * y));
        y += newton / (1 + y * newton);
    }
    return copysign(y, x);
}
WK_INLINE float wk_erfinvf(float x) { return (float)wk_erfinv((double)x); }

/* float keeps float's function; every other type computes in double */
#define WK_BY_TYPE(name, x) _Generic((x), float : name##f, default : name)(x)
#define WK_BY_TYPE_2(name, a, b) _Generic((a), float : name##f, default : name)(a, b)
#define EXP(x) WK_BY_TYPE(wk_exp, x)
#define EXP_NEGATIVE(x) _Generic((x), float : wk_exp_negativef, default : wk_exp)(x)
#define ERF(x) WK_BY_TYPE(wk_erf, x)
#define ERF_ABSOLUTE(x) _Generic((x), float : wk_erf_absolutef, default : wk_erf)(x)
#define ERFINV(x) WK_BY_TYPE(wk_erfinv, x)
#define TANH(x) _Generic((x), float : wk_tanhf, default : tanh)(x)
#define LOG(x) WK_BY_TYPE(log, x)
#define LOG2(x) WK_BY_TYPE(log2, x)
#define LOG10(x) WK_BY_TYPE(log10, x)
#define LOG1P(x) WK_BY_TYPE(log1p, x)
#define EXP2(x) WK_BY_TYPE(exp2, x)
#define EXPM1(x) WK_BY_TYPE(expm1, x)
#define SQRT(x) WK_BY_TYPE(sqrt, x)
#define SIN(x) WK_BY_TYPE(sin, x)
#define COS(x) WK_BY_TYPE(cos, x)
#define TAN(x) WK_BY_TYPE(tan, x)
#define ASIN(x) WK_BY_TYPE(asin, x)
#define ACOS(x) WK_BY_TYPE(acos, x)
#define ATAN(x) WK_BY_TYPE(atan, x)
#define SINH(x) WK_BY_TYPE(sinh, x)
#define COSH(x) WK_BY_TYPE(cosh, x)
#define ASINH(x) WK_BY_TYPE(asinh, x)
#define ACOSH(x) WK_BY_TYPE(acosh, x)
#define ATANH(x) WK_BY_TYPE(atanh, x)
#define ERFC(x) WK_BY_TYPE(erfc, x)
#define FLOOR(x) WK_BY_TYPE(floor, x)
#define CEIL(x) WK_BY_TYPE(ceil, x)
#define TRUNC(x) WK_BY_TYPE(trunc, x)
#define ROUND(x) WK_BY_TYPE(rint, x) // ties to even
#define ATAN2(a, b) WK_BY_TYPE_2(atan2, a, b)
#define HYPOT(a, b) WK_BY_TYPE_2(hypot, a, b)

#if WK_IS_COMPLEX
#define CONJ(x) (~(x)) // GNU C's word for it
#else
#define CONJ(x) (x)
#endif

#include "../words.h"

/* What integers and floats do by different means.  Integers divided by zero give 0 here: ops refuse it before. */
#if WK_IS_INTEGER
WK_INLINE bool wk_signs_differ(real a, real b) { return (a < 0) != (b < 0); }
/* b == -1 is apart: the lowest integer divided by it would trap */
WK_INLINE real wk_div_trunc(real a, real b)
{
    return b == 0 ? 0 : b == (real)-1 && (real)-1 < 0 ? (real)(0 - (uint64_t)a) : (real)(a / b);
}
WK_INLINE real wk_fmod(real a, real b) { return b == 0 || (b == (real)-1 && (real)-1 < 0) ? 0 : (real)(a % b); }
WK_INLINE real wk_floor_divide(real a, real b)
{
    const real quotient = wk_div_trunc(a, b);
    return (real)(quotient - (wk_fmod(a, b) != 0 && wk_signs_differ(a, b)));
}
WK_INLINE real wk_remainder(real a, real b)
{
    const real rest = wk_fmod(a, b);
    return (real)(rest != 0 && wk_signs_differ(rest, b) ? rest + b : rest);
}
/* wraps around; to a negative power: 1 and -1 stay, the rest is 0 */
WK_INLINE real wk_power(real a, real b)
{
    if (b < 0)
        return a == 1 ? 1 : a == (real)-1 ? (b % 2 ? (real)-1 : 1) : 0;
    uint64_t result = 1, base = (uint64_t)a;
    for (uint64_t left = (uint64_t)b; left; left /= 2, base *= base)
        result = left % 2 ? result * base : result;
    return (real)result;
}
#define ABS(x) ((x) < 0 ? -(x) : (x))
#define DIV_TRUNC(a, b) wk_div_trunc(a, b)
#define FLOOR_DIVIDE(a, b) wk_floor_divide(a, b)
#define FMOD(a, b) wk_fmod(a, b)
#define REMAINDER(a, b) wk_remainder(a, b)
#define POW(a, b) wk_power(a, b)
#elif WK_IS_FLOATING
/* Python's //: what floor would give if the quotient were exact; a / 0 is infinite or NaN */
WK_INLINE real wk_floor_divide(real a, real b)
{
    if (b == 0)
        return a / b;
    const real rest = WK_BY_TYPE_2(fmod, a, b);
    real quotient = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0))
        quotient -= 1;
    if (quotient == 0)
        return _Generic(a, float : copysignf, default : copysign)(0, a / b);
    const real below = FLOOR(quotient);
    return quotient - below > (real)0.5 ? below + 1 : below;
}
/* Python's %: the sign of b */
WK_INLINE real wk_remainder(real a, real b)
{
    const real rest = WK_BY_TYPE_2(fmod, a, b);
    return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest;
}
#define ABS(x) WK_BY_TYPE(fabs, x)
#define DIV_TRUNC(a, b) TRUNC((a) / (b))
#define FLOOR_DIVIDE(a, b) wk_floor_divide(a, b)
#define FMOD(a, b) WK_BY_TYPE_2(fmod, a, b)
#define REMAINDER(a, b) wk_remainder(a, b)
#define POW(a, b) WK_BY_TYPE_2(pow, a, b)
#endif

#endif
