/* Fourier transforms. */
#include "op_table.h"

static const char *norm_of(golden_case *c)
{
    const char *norm = text(c, "norm");
    return norm ? norm : "backward";
}

#define ONE(name)                                                                                                      \
    static wk_tensor *run_##name(golden_case *c)                                                                       \
    {                                                                                                                  \
        return wk_fft_##name(input(c, 0), .n = integer_or(c, "n", WK_NO_DIM), .dim = integer_or(c, "dim", -1),         \
                             .norm = norm_of(c));                                                                      \
    }                                                                                                                  \
    OP(fft_##name, run_##name, .any_strides = true) // as its kernel left them
ONE(fft)
ONE(ifft)
ONE(rfft)
ONE(irfft)
BAD(fft_fft, wk_fft_fft(wk_zeros((2, 3)), .dim = 2), "fft_fft: dim: expected -2 to 1")
BAD(fft_fft, wk_fft_fft(wk_zeros((2, 3)), 0), "n: expected at least 1, got 0")
BAD(fft_fft, wk_fft_fft(wk_zeros((2, 0))), "n: expected at least 1, got 0")
BAD(fft_fft, wk_fft_fft(wk_zeros(())), "x: expected at least 1 dim, got ()")
BAD(fft_fft, wk_fft_fft(wk_zeros((2)), .norm = "both"),
    "norm: expected \"backward\", \"ortho\" or \"forward\", got \"both\"")
BAD(fft_ifft, wk_fft_ifft(wk_zeros((2), .dtype = wk_float16)), "fft_ifft: x: expected float32 or float64, got float16")
BAD(fft_rfft, wk_fft_rfft(wk_zeros((2), .dtype = wk_complex64)), "x: expected a real tensor, got complex64")
BAD(fft_irfft, wk_fft_irfft(wk_zeros((1), .dtype = wk_complex64)), "fft_irfft: n: expected at least 1, got 0")

#define TWO(name)                                                                                                      \
    static wk_tensor *run_##name(golden_case *c)                                                                       \
    {                                                                                                                  \
        return wk_fft_##name(input(c, 0), .s = sizes(c, "s"), .dim = sizes(c, "dim"), .norm = norm_of(c));             \
    }                                                                                                                  \
    OP(fft_##name, run_##name, .any_strides = true)
TWO(fft2)
TWO(ifft2)
TWO(rfft2)
TWO(irfft2)
BAD(fft_fft2, wk_fft_fft2(wk_zeros((2, 3)), .dim = WK_SHAPE(0, 0)), "fft_fft2: dim: 0 comes twice")
BAD(fft_ifft2, wk_fft_ifft2(wk_zeros((3))), "x: expected at least 2 dims, got (3,)")
BAD(fft_rfft2, wk_fft_rfft2(wk_zeros((2, 3)), .s = WK_SHAPE(2)), "s: expected two, got 1")
BAD(fft_irfft2, wk_fft_irfft2(wk_zeros((2, 3)), .dim = WK_SHAPE(0, 1, 1)), "dim: expected two, got 3")

static wk_stft_args stft_args(golden_case *c)
{
    return (wk_stft_args){.x = input(c, 0),
                          .n_fft = integer(c, "n_fft"),
                          .hop_length = integer_or(c, "hop_length", 0),
                          .win_length = integer_or(c, "win_length", 0),
                          .window = c->inputs > 1 ? optional(c, 1) : NULL,
                          .center = integer_or(c, "center", 1),
                          .pad_mode = text(c, "pad_mode") ? text(c, "pad_mode") : "reflect",
                          .normalized = integer_or(c, "normalized", 0),
                          .onesided = (int)integer_or(c, "onesided", -1),
                          .length = integer_or(c, "length", 0)};
}
static wk_tensor *run_stft(golden_case *c)
{
    wk_stft_args args = stft_args(c);
    args.return_complex = integer_or(c, "return_complex", 1);
    return wk_stft_with(args);
}
OP(stft, run_stft, .any_strides = true)
BAD(stft, wk_stft(wk_zeros((2, 2, 20)), 8), "x: expected (T) or (B, T), got (2, 2, 20)")
BAD(stft, wk_stft(wk_zeros((20)), 0), "n_fft: expected at least 1, got 0")
BAD(stft, wk_stft(wk_zeros((20)), 8, -1), "hop_length: expected at least 1, got -1")
BAD(stft, wk_stft(wk_zeros((20)), 8, .win_length = 9), "win_length: expected 1 to n_fft, which is 8, got 9")
BAD(stft, wk_stft(wk_zeros((20)), 8, .window = wk_ones((7))),
    "window: expected shape (8,), as win_length says, got (7,)")
BAD(stft, wk_stft(wk_zeros((4)), 8), "expected more than n_fft / 2 = 4 samples to reflect, got 4\nhint: .pad_mode")
BAD(stft, wk_stft(wk_zeros((4)), 8, .center = false), "n_fft: expected at most the 4 samples that there are, got 8")
BAD(stft, wk_stft(wk_zeros((20), .dtype = wk_complex64), 8, .onesided = 1, .pad_mode = "constant"),
    "onesided: expected false")

static wk_tensor *run_istft(golden_case *c)
{
    wk_stft_args args = stft_args(c);
    args.return_complex = integer_or(c, "return_complex", 0);
    return wk_istft_with(args);
}
OP(istft, run_istft, .any_strides = true)
static wk_tensor *frames(int64_t bins, int64_t count) { return wk_zeros((bins, count), .dtype = wk_complex64); }
BAD(istft, wk_istft(wk_zeros((5, 2)), 8), "x: expected a complex tensor, got float32\nhint: wk_view_as_complex")
BAD(istft, wk_istft(frames(4, 2), 8), "x: expected 5 frequencies, n_fft / 2 + 1, got 4")
BAD(istft, wk_istft(wk_zeros((5), .dtype = wk_complex64), 8), "x: expected (F, frames) or (B, F, frames), got (5,)")
BAD(istft, wk_istft(frames(5, 3), 8, 9), "window: leaves samples without weight: the least sum of its squares is 0")
BAD(istft, wk_istft(frames(5, 1), 8), "leave no sample")
BAD(istft, wk_istft(frames(8, 3), 8, .onesided = 1, .return_complex = true),
    "onesided: expected false for a complex result")
