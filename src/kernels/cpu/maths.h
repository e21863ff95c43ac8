/* The functions that expressions of pointwise.def call, for the `real` of this compilation.  glibc's vector maths library
   (libmvec) has vector forms of these; its headers declare them under -ffast-math alone, so they are declared here. */
#ifndef WICK_MATHS_H
#define WICK_MATHS_H

#include <math.h>

#if defined(__GLIBC__) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WK_VECTOR_FORM __attribute__((simd("notinbranch")))
#else
#define WK_VECTOR_FORM
#endif

#define WK_DECLARE(name)                                                                                               \
    WK_VECTOR_FORM double name(double);                                                                                \
    WK_VECTOR_FORM float name##f(float);
WK_DECLARE(exp)
WK_DECLARE(log)
WK_DECLARE(sin)
WK_DECLARE(cos)
WK_DECLARE(tanh)
WK_DECLARE(erf)
WK_DECLARE(log2)
WK_DECLARE(log10)
WK_DECLARE(exp2)
WK_DECLARE(expm1)
WK_DECLARE(log1p)
#undef WK_DECLARE

/* float keeps float's function; every other type computes in double */
#define WK_BY_TYPE(name, x) _Generic((x), float: name##f, default: name)(x)
#define EXP(x) WK_BY_TYPE(exp, x)
#define LOG(x) WK_BY_TYPE(log, x)
#define SQRT(x) WK_BY_TYPE(sqrt, x)
#define TANH(x) WK_BY_TYPE(tanh, x)
#define SIN(x) WK_BY_TYPE(sin, x)
#define COS(x) WK_BY_TYPE(cos, x)
#define ERF(x) WK_BY_TYPE(erf, x)
#define ABS(x) WK_BY_TYPE(fabs, x)
#define FLOOR(x) WK_BY_TYPE(floor, x)
#define CEIL(x) WK_BY_TYPE(ceil, x)

#endif
