/* That the lists of kernels are what a GPU backend can be built on: they compile under nvcc, as they are.

   Each floating row of the table becomes a __device__ function for float and for double, value, slope and curvature;
   each line of kernels.def has its work struct (of src/kernels/*.h, which the command includes) passed to a __global__
   function by value, as a launch would.  Compiled by a test of cmake/checks.cmake where nvcc is found; nothing here
   runs. */
#include "kernels/kernels.h"
#include "kernels/cuda/maths.h"

#define FUNCTION_1(name, value)                                                                                        \
    template <typename real> __device__ real name##_of(real x, real p, real q) { return real(value); }                 \
    template __device__ float name##_of<float>(float, float, float);                                                   \
    template __device__ double name##_of<double>(double, double, double);
#define FUNCTION_2(name, value)                                                                                        \
    template <typename real> __device__ real name##_of(real a, real b, real p, real q) { return real(value); }         \
    template __device__ float name##_of<float>(float, float, float, float);                                            \
    template __device__ double name##_of<double>(double, double, double, double);
#define FUNCTION_3(name, value)                                                                                        \
    template <typename real> __device__ real name##_of(real a, real b, real c, real p, real q) { return real(value); } \
    template __device__ float name##_of<float>(float, float, float, float, float);                                     \
    template __device__ double name##_of<double>(double, double, double, double, double);

#define DERIVATIVE(name, saved, value)                                                                                 \
    template <typename real> __device__ real name##_of(real dy, real saved, real p, real q) { return real(value); }    \
    template __device__ float name##_of<float>(float, float, float, float);                                            \
    template __device__ double name##_of<double>(double, double, double, double);
#define VARIABLE_NOTHING nothing
#define VARIABLE_INPUT x
#define VARIABLE_RESULT y
#define DERIVATIVES_VALUE(name, saves, ...)
#define DERIVATIVES_STEP(name, saves, ...)
#define DERIVATIVES_LINEAR(name, saves, slope) DERIVATIVE(name##_slope, VARIABLE_##saves, slope)
#define DERIVATIVES_CURVED(name, saves, slope, curvature)                                                              \
    DERIVATIVES_LINEAR(name, saves, slope) DERIVATIVE(name##_curvature, VARIABLE_##saves, curvature)
#define UNARY(name, saves, curve, value, ...)                                                                          \
    FUNCTION_1(name, value) DERIVATIVES_##curve(name, saves, __VA_ARGS__)
#define UNARY_NUMBER UNARY
#define UNARY_ANY UNARY
#define BINARY FUNCTION_2
#define BINARY_NUMBER FUNCTION_2
#define BINARY_ANY FUNCTION_2
#define TERNARY FUNCTION_3
#define TERNARY_NUMBER FUNCTION_3
#define TERNARY_ANY FUNCTION_3
#include "kernels/pointwise.def"

#define KERNEL(name, work, kinds) __global__ void name##_line(wk_##work##_work w) { (void)w; }
#include "kernels/kernels.def"
