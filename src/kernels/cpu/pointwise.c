/* The element-wise kernels.  For each row of pointwise.def: the function of one element, the loop over contiguous
   arrays that calls it, and the kernel that walks the operands with that loop (walk.h). */
#include "walk.h"

/* a row need not use every operand and parameter */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Each element of the operands is read before the result at its index is written: the result may lie over an
   operand. */
#define LOOP(name, element)                                                                                            \
    static void name##_loop(const real *a, const real *b, const real *c, real *y, real p, real q, int64_t n)           \
    {                                                                                                                  \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++) y[i] = element;                                            \
    }                                                                                                                  \
    void KERNEL_NAME(name)(const void *work, int64_t begin, int64_t end)                                               \
    {                                                                                                                  \
        KERNEL_NAME(walk)(work, name##_loop, begin, end);                                                              \
    }

/* a function of one element x (or of the result y, for derivatives), two, three */
#define FUNCTION_1(name, x, value)                                                                                     \
    static inline real name##_of(real x, real p, real q) { return (real)(value); }
#define FUNCTION_2(name, value)                                                                                        \
    static inline real name##_of(real a, real b, real p, real q) { return (real)(value); }
#define FUNCTION_3(name, value)                                                                                        \
    static inline real name##_of(real a, real b, real c, real p, real q) { return (real)(value); }

/* derivatives: a is dy, b is what the row saves */
#define VARIABLE_INPUT x
#define VARIABLE_RESULT y
#define DERIVATIVE(name, variable, value) FUNCTION_1(name, variable, value) LOOP(name, a[i] * name##_of(b[i], p, q))

#define VALUE_1(name, value) FUNCTION_1(name, x, value) LOOP(name, name##_of(a[i], p, q))
#define VALUE_2(name, value) FUNCTION_2(name, value) LOOP(name, name##_of(a[i], b[i], p, q))
#define VALUE_3(name, value) FUNCTION_3(name, value) LOOP(name, name##_of(a[i], b[i], c[i], p, q))
#define WITH_DERIVATIVES(name, saves, value, slope, curvature)                                                         \
    VALUE_1(name, value)                                                                                               \
    DERIVATIVE(name##_slope, VARIABLE_##saves, slope) DERIVATIVE(name##_curvature, VARIABLE_##saves, curvature)
#define WITHOUT_DERIVATIVES(name, saves, value, slope, curvature) VALUE_1(name, value)

#define BINARY_ANY(name, value) VALUE_2(name, value)
#define TERNARY_ANY(name, value) VALUE_3(name, value)
#if WK_IS_FLOATING
#define UNARY WITH_DERIVATIVES
#define UNARY_NUMBER WITH_DERIVATIVES
#define UNARY_ANY WITH_DERIVATIVES
#define BINARY(name, value) VALUE_2(name, value)
#define BINARY_NUMBER(name, value) VALUE_2(name, value)
#define TERNARY(name, value) VALUE_3(name, value)
#define TERNARY_NUMBER(name, value) VALUE_3(name, value)
#elif WK_IS_INTEGER
#define UNARY_NUMBER WITHOUT_DERIVATIVES
#define UNARY_ANY WITHOUT_DERIVATIVES
#define BINARY_NUMBER(name, value) VALUE_2(name, value)
#define BINARY_INTEGER(name, value) VALUE_2(name, value)
#define TERNARY_NUMBER(name, value) VALUE_3(name, value)
#elif WK_IS_COMPLEX
#define UNARY_ANY WITH_DERIVATIVES
#endif
#include "../pointwise.def"
