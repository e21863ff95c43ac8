/* discrete Fourier transforms of rows */
#ifndef WICK_KERNELS_FFT_H
#define WICK_KERNELS_FFT_H

#include <stdbool.h>
#include <stdint.h>

/* y[k] = scale sum over t of x[t] e^(-2 pi i t k / n), or e^(+...) where inverse.  Complex numbers are pairs of the
   kernel's dtype.  A real x gives the first n / 2 + 1 of its y; a real y is made of as many of x, the others being
   their conjugates, and the imaginary parts of x[0] and, for even n, x[n / 2] do not count. */
typedef struct wk_fft_work {
    const void *x; // (rows, n) complex or real, or (rows, n / 2 + 1) complex for a real y
    void *y;       // (rows, n) complex or real, or (rows, n / 2 + 1) complex of a real x
    int64_t rows, n;
    bool inverse, real_x, real_y;
    double scale;
} wk_fft_work;

#endif
