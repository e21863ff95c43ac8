/* The element-wise kernels.  For each row of pointwise.def: the function of one element, the loop over contiguous
   arrays that calls it, and the kernel that walks the operands with that loop (walk.h).  float16 and bfloat16 have
   float32's: the walk converts operands on their way. */
// compiled for: float integer complex
#include "walk.h"

extern wk_pointwise_kernel *const KERNEL_NAME(pointwise)[WK_ROWS];

/* a row need not use every operand and parameter */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Each element of the operands is read before the result at its index is written: the result may lie over an
   operand. */
#define LOOP(name, element)                                                                                            \
    static void name##_loop(const real *a, const real *b, const real *c, real *y, real p, real q, int64_t n)           \
    {                                                                                                                  \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++) y[i] = element;                                            \
    }                                                                                                                  \
    static void name##_range(const void *work, int64_t begin, int64_t end)                                             \
    {                                                                                                                  \
        KERNEL_NAME(walk)(work, name##_loop, begin, end);                                                              \
    }                                                                                                                  \
    static void KERNEL_NAME(name)(wk_queue *queue, const wk_pointwise_work *w)                                         \
    {                                                                                                                  \
        (void)queue;                                                                                                   \
        wk_parallel(name##_range, w, w->count, 1 + w->inputs);                                                         \
    }

/* a function of one element, two, three */
#define FUNCTION_1(name, value)                                                                                        \
    static inline real name##_of(real x, real p, real q) { return (real)(value); }
#define FUNCTION_2(name, value)                                                                                        \
    static inline real name##_of(real a, real b, real p, real q) { return (real)(value); }
#define FUNCTION_3(name, value)                                                                                        \
    static inline real name##_of(real a, real b, real c, real p, real q) { return (real)(value); }

/* derivatives: a is dy, b is what the row saves */
#define DERIVATIVE_NOTHING(name, value)                                                                                \
    static inline real name##_of(real dy, real p, real q) { return (real)(value); }                                   \
    LOOP(name, name##_of(a[i], p, q))
#define DERIVATIVE_OF(name, saved, value)                                                                              \
    static inline real name##_of(real dy, real saved, real p, real q) { return (real)(value); }                       \
    LOOP(name, name##_of(a[i], b[i], p, q))
#define DERIVATIVE_INPUT(name, value) DERIVATIVE_OF(name, x, value)
#define DERIVATIVE_RESULT(name, value) DERIVATIVE_OF(name, y, value)
#define DERIVATIVE(name, saves, value) DERIVATIVE_##saves(name, value)
#define DERIVATIVES_VALUE(name, saves, ...)
#define DERIVATIVES_STEP(name, saves, ...)
#define DERIVATIVES_LINEAR(name, saves, slope) DERIVATIVE(name##_slope, saves, slope)
#define DERIVATIVES_CURVED(name, saves, slope, curvature)                                                              \
    DERIVATIVE(name##_slope, saves, slope) DERIVATIVE(name##_curvature, saves, curvature)

#define VALUE_1(name, value) FUNCTION_1(name, value) LOOP(name, name##_of(a[i], p, q))
#define VALUE_2(name, value) FUNCTION_2(name, value) LOOP(name, name##_of(a[i], b[i], p, q))
#define VALUE_3(name, value) FUNCTION_3(name, value) LOOP(name, name##_of(a[i], b[i], c[i], p, q))
#define WITH_DERIVATIVES(name, saves, curve, value, ...)                                                               \
    VALUE_1(name, value) DERIVATIVES_##curve(name, saves, __VA_ARGS__)
#define WITHOUT_DERIVATIVES(name, saves, curve, value, ...) VALUE_1(name, value)

/* what a kind of number lacks */
#define LACKS(...)

#define BINARY_ANY VALUE_2
#define TERNARY_ANY VALUE_3
#if WK_IS_FLOATING
#define UNARY WITH_DERIVATIVES
#define UNARY_NUMBER WITH_DERIVATIVES
#define UNARY_ANY WITH_DERIVATIVES
#define BINARY VALUE_2
#define BINARY_NUMBER VALUE_2
#define BINARY_INTEGER LACKS
#define TERNARY VALUE_3
#define TERNARY_NUMBER VALUE_3
#elif WK_IS_INTEGER
#define UNARY LACKS
#define UNARY_NUMBER WITHOUT_DERIVATIVES
#define UNARY_ANY WITHOUT_DERIVATIVES
#define BINARY LACKS
#define BINARY_NUMBER VALUE_2
#define BINARY_INTEGER VALUE_2
#define TERNARY LACKS
#define TERNARY_NUMBER VALUE_3
#else // complex: a slope would have to be conjugated, so those that have one are compositions
#define UNARY LACKS
#define UNARY_NUMBER LACKS
#define UNARY_ANY WITH_DERIVATIVES
#define BINARY LACKS
#define BINARY_NUMBER LACKS
#define BINARY_INTEGER LACKS
#define TERNARY LACKS
#define TERNARY_NUMBER LACKS
#endif
#define KEEP_ROWS // the same again, for the table
#include "../pointwise.def"

#undef VALUE_1
#undef VALUE_2
#undef VALUE_3
#undef DERIVATIVE
#define VALUE_1(name, value) [WK_ROW_##name] = KERNEL_NAME(name),
#define VALUE_2 VALUE_1
#define VALUE_3 VALUE_1
#define DERIVATIVE(name, saves, value) VALUE_1(name, value)
wk_pointwise_kernel *const KERNEL_NAME(pointwise)[WK_ROWS] = {
#undef KEEP_ROWS
#include "../pointwise.def"
};
