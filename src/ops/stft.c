/* stft and istft: frames of a signal, windowed and transformed, and back.  Compositions. */
#include <wick/fft.h>

#include <string.h>

#include <wick/complex.h>
#include <wick/convolution.h>
#include <wick/join.h>
#include <wick/rearrange.h>

#include "autocast.h"
#include "ops.h"

/* sizes, and the window, filled to n_fft on both sides; false after an error */
static bool prepare(const char *op, wk_stft_args *args, wk_device device)
{
    if (args->n_fft < 1)
        return wk_fail(op, "n_fft: expected at least 1, got %lld", (long long)args->n_fft);
    if (args->hop_length == 0)
        args->hop_length = args->n_fft / 4;
    if (args->hop_length < 1)
        return wk_fail(op, "hop_length: expected at least 1, got %lld", (long long)args->hop_length);
    if (args->win_length == 0)
        args->win_length = args->n_fft;
    if (args->win_length < 1 || args->win_length > args->n_fft)
        return wk_fail(op, "win_length: expected 1 to n_fft, which is %lld, got %lld", (long long)args->n_fft,
                       (long long)args->win_length);
    wk_tensor *window = args->window;
    WK_OPTIONAL(op, window);
    if (window && (window->ndim != 1 || window->shape[0] != args->win_length))
        return wk_fail(op, "window: expected shape (%lld,), as win_length says, got %s", (long long)args->win_length,
                       wk_shape_string(window));
    if (window && !wk_dtype_is_complex(window->dtype) && !wk_check_floating(op, window))
        return false;
    const int64_t left = (args->n_fft - args->win_length) / 2;
    if (!window && args->win_length < args->n_fft) {
        const wk_dtype real = wk_dtype_is_complex(args->x->dtype) ? wk_dtype_to_real(args->x->dtype) : args->x->dtype;
        window = wk_ones((args->win_length), .dtype = real, .device = device);
    }
    if (window && args->win_length < args->n_fft)
        window = wk_pad(window, (left, args->n_fft - args->win_length - left));
    args->window = window;
    return window || (args->win_length == args->n_fft);
}

wk_tensor *wk_stft_with(wk_stft_args args)
{
    static const char OP[] = "stft";
    WK_NAMES_ERRORS(OP);
    WK_AUTOCAST(FLOAT32, &args.x, &args.window);
    wk_tensor *x = args.x;
    WK_REQUIRE(OP, x);
    if (x->ndim != 1 && x->ndim != 2)
        return wk_fail(OP, "x: expected (T) or (B, T), got %s", wk_shape_string(x));
    if (!wk_check_inexact(OP, x) || !prepare(OP, &args, x->device))
        return NULL;
    const bool one = x->ndim == 1;
    if (one)
        x = wk_unsqueeze(x, 0);
    if (!x)
        return NULL;
    if (args.center) {
        const int64_t pad = args.n_fft / 2;
        const bool reflects = args.pad_mode && strcmp(args.pad_mode, "reflect") == 0;
        if (reflects && pad >= x->shape[1])
            return wk_fail(OP,
                           "x: expected more than n_fft / 2 = %lld samples to reflect, got %lld\n"
                           "hint: .pad_mode = \"constant\"",
                           (long long)pad, (long long)x->shape[1]);
        x = wk_squeeze(wk_pad(wk_unsqueeze(x, 1), (pad, pad), .mode = args.pad_mode), 1);
    }
    if (!x)
        return NULL;
    if (x->shape[1] < args.n_fft)
        return wk_fail(OP, "n_fft: expected at most the %lld samples that there are, got %lld", (long long)x->shape[1],
                       (long long)args.n_fft);
    x = wk_unfold(x, 1, args.n_fft, args.hop_length); // (B, frames, n_fft)
    if (args.window)
        x = wk_mul(x, args.window);
    const bool complex = x && wk_dtype_is_complex(x->dtype);
    if (args.onesided == 1 && complex)
        return wk_fail(OP, "onesided: expected false for a complex x or window");
    const char *norm = args.normalized ? "ortho" : "backward";
    x = complex || args.onesided == 0 ? wk_fft_fft(x, .norm = norm) : wk_fft_rfft(x, .norm = norm);
    x = wk_transpose(x, 1, 2); // (B, F, frames)
    if (one)
        x = wk_squeeze(x, 0);
    return args.return_complex ? x : wk_view_as_real(x);
}

/* frames (B, n_fft, count), hop apart, added up: (B, n_fft + hop (count - 1)) */
static wk_tensor *overlapped(wk_tensor *frames, int64_t hop)
{
    if (!frames)
        return NULL;
    const int64_t n_fft = frames->shape[1], length = n_fft + hop * (frames->shape[2] - 1);
    wk_tensor *y = wk_fold(frames, wk_per_dim(1, length), wk_per_dim(1, n_fft), .stride = wk_per_dim(1, hop));
    return wk_reshape(y, (-1, length));
}

wk_tensor *wk_istft_with(wk_stft_args args)
{
    static const char OP[] = "istft";
    WK_NAMES_ERRORS(OP);
    wk_tensor *x = args.x;
    WK_REQUIRE(OP, x);
    if (!wk_dtype_is_complex(x->dtype))
        return wk_fail(OP, "x: expected a complex tensor, got %s\nhint: wk_view_as_complex", wk_dtype_name(x->dtype));
    if ((x->ndim != 2 && x->ndim != 3) || x->numel == 0)
        return wk_fail(OP, "x: expected (F, frames) or (B, F, frames), got %s", wk_shape_string(x));
    if (!prepare(OP, &args, x->device))
        return NULL;
    const bool onesided = args.onesided != 0 && !args.return_complex;
    const int64_t bins = onesided ? args.n_fft / 2 + 1 : args.n_fft;
    const bool one = x->ndim == 2;
    if (one)
        x = wk_unsqueeze(x, 0);
    if (!x)
        return NULL;
    if (args.onesided == 1 && args.return_complex)
        return wk_fail(OP, "onesided: expected false for a complex result");
    if (x->shape[1] != bins)
        return wk_fail(OP, "x: expected %lld frequencies%s, got %lld", (long long)bins,
                       onesided ? ", n_fft / 2 + 1" : "", (long long)x->shape[1]);
    const int64_t count = x->shape[2], expected = args.n_fft + args.hop_length * (count - 1);
    const char *norm = args.normalized ? "ortho" : "backward";
    x = wk_transpose(x, 1, 2); // (B, frames, F)
    if (args.return_complex)
        x = wk_fft_ifft(x, .norm = norm);
    else // what a real signal has twice counts once
        x = wk_fft_irfft(wk_narrow(x, 2, 0, args.n_fft / 2 + 1), args.n_fft, .norm = norm);
    if (!x)
        return NULL;
    const wk_dtype real = wk_dtype_is_complex(x->dtype) ? wk_dtype_to_real(x->dtype) : x->dtype;
    wk_tensor *window = args.window ? args.window : wk_ones((args.n_fft), .dtype = real, .device = x->device);
    if (!window)
        return NULL;
    if (wk_dtype_is_complex(window->dtype) && !args.return_complex)
        return wk_fail(OP, "window: expected a real one for a real result, got %s", wk_dtype_name(window->dtype));
    x = wk_transpose(wk_mul(x, window), 1, 2); // (B, n_fft, frames)
    wk_tensor *y = args.return_complex
                       ? wk_view_as_complex(wk_stack(
                             (overlapped(wk_real(x), args.hop_length), overlapped(wk_imag(x), args.hop_length)), -1))
                       : overlapped(x, args.hop_length);
    wk_tensor *squares = wk_reshape(wk_square(window), (1, -1, 1));
    wk_tensor *envelope = overlapped(wk_expand(squares, (1, args.n_fft, count)), args.hop_length);
    const int64_t start = args.center ? args.n_fft / 2 : 0;
    int64_t end = args.length > 0 ? start + args.length : args.center ? expected - args.n_fft / 2 : expected;
    const int64_t missing = end > expected ? end - expected : 0;
    end -= missing;
    if (end <= start)
        return wk_fail(OP, "x: %lld frames leave no sample", (long long)count);
    y = wk_narrow(y, 1, start, end - start);
    envelope = wk_narrow(envelope, 1, start, end - start);
    wk_tensor *least = wk_amin(wk_abs(envelope));
    if (!least)
        return NULL;
    if (!(wk_item(least) > 1e-11))
        return wk_fail(OP,
                       "window: leaves samples without weight: the least sum of its squares is %g\n"
                       "hint: a smaller hop_length, or center = true",
                       wk_item(least));
    y = wk_div(y, envelope);
    if (missing > 0)
        y = wk_pad(y, (0, missing));
    return one ? wk_squeeze(y, 0) : y;
}
