/* The functions that expressions of pointwise.def call, on a CUDA device, for the `real` around them (float or double).

   CUDA's own functions are overloaded by type, so a macro names one for both.  They are exact to 2 ulp (log1p, exp,
   tanh, erf: 1 or 2), never the fast-math intrinsics, so that a GPU's numbers stay within rounding of the CPU's.
   EXP_NEGATIVE and ERF_ABSOLUTE, which the CPU has in cheaper forms, are the plain functions here: a GPU computes them
   in hardware or hides them behind memory. */
#ifndef WICK_CUDA_MATHS_H
#define WICK_CUDA_MATHS_H

#include <math.h>

#define CONJ(x) (x)
#define EXP(x) exp(x)
#define EXP_NEGATIVE(x) exp(x)
#define ERF(x) erf(x)
#define ERF_ABSOLUTE(x) erf(x)
#define ERFINV(x) erfinv(x)
#define ERFC(x) erfc(x)
#define TANH(x) tanh(x)
#define LOG(x) log(x)
#define LOG2(x) log2(x)
#define LOG10(x) log10(x)
#define LOG1P(x) log1p(x)
#define EXP2(x) exp2(x)
#define EXPM1(x) expm1(x)
#define SQRT(x) sqrt(x)
#define SIN(x) sin(x)
#define COS(x) cos(x)
#define TAN(x) tan(x)
#define ASIN(x) asin(x)
#define ACOS(x) acos(x)
#define ATAN(x) atan(x)
#define ATAN2(a, b) atan2(a, b)
#define HYPOT(a, b) hypot(a, b)
#define SINH(x) sinh(x)
#define COSH(x) cosh(x)
#define ASINH(x) asinh(x)
#define ACOSH(x) acosh(x)
#define ATANH(x) atanh(x)
#define FLOOR(x) floor(x)
#define CEIL(x) ceil(x)
#define TRUNC(x) trunc(x)
#define ROUND(x) rint(x) // ties to even
#define ABS(x) fabs(x)

#include "../words.h"

/* Python's //: what floor would give if the quotient were exact; a / 0 is infinite or NaN */
template <typename real> __device__ inline real wk_floor_divide(real a, real b)
{
    if (b == 0)
        return a / b;
    const real rest = fmod(a, b);
    real quotient = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0))
        quotient -= 1;
    if (quotient == 0)
        return copysign(real(0), a / b);
    const real below = floor(quotient);
    return quotient - below > real(0.5) ? below + 1 : below;
}

/* Python's %: the sign of b */
template <typename real> __device__ inline real wk_remainder(real a, real b)
{
    const real rest = fmod(a, b);
    return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest;
}
#define DIV_TRUNC(a, b) trunc((a) / (b))
#define FLOOR_DIVIDE(a, b) wk_floor_divide<real>(a, b)
#define FMOD(a, b) fmod(a, b)
#define REMAINDER(a, b) wk_remainder<real>(a, b)
#define POW(a, b) pow(a, b)

#endif
