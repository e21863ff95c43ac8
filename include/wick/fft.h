/* Discrete Fourier transforms, and those of short stretches of a signal.
   PyTorch: https://pytorch.org/docs/stable/fft.html, torch.stft, torch.istft

       y[k] = sum over t of x[t] e^(-2 pi i t k / n)

   float32 and float64 become complex64 and complex128, integers the default dtype's complex.  Any n will do; those that
   are products of 2, 3 and 5 are fast, a large prime is slow.  Gradients are PyTorch's: dL/da + i dL/db. */
#ifndef WICK_FFT_H
#define WICK_FFT_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#ifndef WK_NO_DIM
#define WK_NO_DIM INT64_MIN
#endif

/* fft(x, n, dim = -1, norm = "backward"): along a dim, cut or filled with zeros to size n, where one is given.
   norm: "backward" divides the inverse by n, "forward" the transform, "ortho" both by sqrt(n).
   ifft: the inverse.
   rfft: of real x, (.., n, ..) -> (.., n / 2 + 1, ..); the others are conjugates of these.
   irfft: the inverse, to reals; n is 2 (size - 1) unless given, so an odd one must be. */
typedef struct wk_fft_args {
    wk_tensor *x;
    int64_t n, dim; // n: WK_NO_DIM for x's size
    const char *norm;
} wk_fft_args;
#define WK_FFT_ARGS(...) ((wk_fft_args){.n = WK_NO_DIM, .dim = -1, .x = __VA_ARGS__})
#define wk_fft_fft(...) wk_fft_fft_with(WK_FFT_ARGS(__VA_ARGS__))
#define wk_fft_ifft(...) wk_fft_ifft_with(WK_FFT_ARGS(__VA_ARGS__))
#define wk_fft_rfft(...) wk_fft_rfft_with(WK_FFT_ARGS(__VA_ARGS__))
#define wk_fft_irfft(...) wk_fft_irfft_with(WK_FFT_ARGS(__VA_ARGS__))
wk_tensor *wk_fft_fft_with(wk_fft_args args);
wk_tensor *wk_fft_ifft_with(wk_fft_args args);
wk_tensor *wk_fft_rfft_with(wk_fft_args args);
wk_tensor *wk_fft_irfft_with(wk_fft_args args);

/* fft2(x, .s = WK_SHAPE(H, W), .dim = WK_SHAPE(-2, -1), .norm): along two dims; s are their sizes, -1 keeps one.  rfft2
   and irfft2 halve the last of dim. */
typedef struct wk_fft2_args {
    wk_tensor *x;
    wk_shape s, dim; // without dims: x's sizes; the last two
    const char *norm;
} wk_fft2_args;
#define wk_fft_fft2(...) wk_fft_fft2_with((wk_fft2_args){.x = __VA_ARGS__})
#define wk_fft_ifft2(...) wk_fft_ifft2_with((wk_fft2_args){.x = __VA_ARGS__})
#define wk_fft_rfft2(...) wk_fft_rfft2_with((wk_fft2_args){.x = __VA_ARGS__})
#define wk_fft_irfft2(...) wk_fft_irfft2_with((wk_fft2_args){.x = __VA_ARGS__})
wk_tensor *wk_fft_fft2_with(wk_fft2_args args);
wk_tensor *wk_fft_ifft2_with(wk_fft2_args args);
wk_tensor *wk_fft_rfft2_with(wk_fft2_args args);
wk_tensor *wk_fft_irfft2_with(wk_fft2_args args);

/* stft(x, n_fft, hop_length = n_fft / 4, win_length = n_fft, window = ones, center = true, pad_mode = "reflect",
   normalized = false, onesided = true of reals): (T) or (B, T) -> (F, frames) or (B, F, frames) complex; F is n_fft, or
   n_fft / 2 + 1 onesided.  A window shorter than n_fft stands in its middle.  center: x is padded, so that frame i is
   centred at i hop_length.  return_complex = false: (.., 2) of reals. */
typedef struct wk_stft_args {
    wk_tensor *x;
    int64_t n_fft, hop_length, win_length; // 0: the default
    wk_tensor *window;                     // (win_length), or NULL
    bool center;
    const char *pad_mode;
    bool normalized;
    int onesided;  // -1: where x and window are real
    int64_t length; // of istft's result; 0: what the frames cover
    bool return_complex;
} wk_stft_args;
#define wk_stft(x_, ...)                                                                                               \
    wk_stft_with((wk_stft_args){                                                                                       \
        .center = true, .pad_mode = "reflect", .onesided = -1, .return_complex = true, .x = x_, .n_fft = __VA_ARGS__})
wk_tensor *wk_stft_with(wk_stft_args args);
/* istft(X, n_fft, hop_length, win_length, window, center, .normalized, .onesided, .length, .return_complex = false):
   the signal whose stft X is, by frames that overlap, divided by the windows that do; an error where they leave a hole.
   (F, frames) or (B, F, frames) -> (T) or (B, T).  Waits for the window's values. */
#define wk_istft(x_, ...)                                                                                              \
    wk_istft_with((wk_stft_args){.center = true, .onesided = -1, .x = x_, .n_fft = __VA_ARGS__})
wk_tensor *wk_istft_with(wk_stft_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
