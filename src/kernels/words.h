/* Words that expressions of pointwise.def share, for every device: constants, and functions made of EXP, TANH and
   LOG1P, which each device's maths.h gives (cpu/maths.h, cuda/maths.h).  Constants are of type `real`, or a float row
   would be computed in double. */
#ifndef WICK_WORDS_H
#define WICK_WORDS_H

#define REAL(number) ((real)(number))
#define LN_2 REAL(0.693147180559945309417)
#define LN_10 REAL(2.302585092994045684018)
#define ROOT_HALF REAL(0.707106781186547524401)
#define TWO_OVER_ROOT_PI REAL(1.128379167095512573896)
#define SIGMOID(x) (1 / (1 + EXP(-(x))))
#define TANH_SOFTPLUS(x) TANH(LOG1P(EXP(x)))
#define NORMAL_DENSITY(x) (REAL(0.398942280401432677940) * EXP_NEGATIVE(REAL(-0.5) * (x) * (x)))
/* gelu_tanh's k (x + 0.044715 x^3) with k = sqrt(2/pi), as tanh of it and its first and second derivative */
#define GELU_K REAL(0.797884560802865355880)
#define GELU_TANH(x) TANH(GELU_K *((x) + REAL(0.044715) * (x) * (x) * (x)))
#define GELU_INNER_1(x) (GELU_K * (1 + REAL(3 * 0.044715) * (x) * (x)))
#define GELU_INNER_2(x) (GELU_K * REAL(6 * 0.044715) * (x))

#endif
