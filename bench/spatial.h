/* Rows of bench.c that go along the dims of pictures and sequences, part of it. */

/* ---- conv2d (32, 64, 28, 28) by 64 kernels of 3x3, forward and backward */
static void conv2d_setup(void)
{
    keep(&x, wk_randn((32, 64, 28, 28)), true);
    keep(&w, wk_randn((64, 64, 3, 3)), true);
    keep(&b, wk_randn((64)), true);
    keep(&dy, wk_randn((32, 64, 28, 28)), false);
}
static void conv2d_run(void)
{
    clear_grads();
    wk_backward(wk_conv2d(x, w, b, .padding = 1), .gradient = dy);
}
static void conv2d_result(wk_tensor **out)
{
    conv2d_run();
    out[0] = wk_conv2d(x, w, b, .padding = 1);
    out[1] = x->grad;
    out[2] = w->grad;
    out[3] = b->grad;
}

/* ---- pooling of (16, 64, 56, 56): 3x3 at every second place; forward and backward */
static void pool_setup(void)
{
    keep(&x, wk_randn((16, 64, 56, 56)), true);
    keep(&dy, wk_randn((16, 64, 28, 28)), false);
}
static wk_tensor *max_pool2d(void) { return wk_max_pool2d(x, 3, 2, 1); }
static wk_tensor *avg_pool2d(void) { return wk_avg_pool2d(x, 3, 2, 1); }
static void of_x_result(wk_tensor *(*function)(void), wk_tensor **out)
{
    clear_grads();
    out[0] = function();
    wk_backward(out[0], .gradient = dy);
    out[1] = x->grad;
}
#define OF_X(name)                                                                                                     \
    static void name##_run(void)                                                                                       \
    {                                                                                                                  \
        clear_grads();                                                                                                 \
        wk_backward(name(), .gradient = dy);                                                                           \
    }                                                                                                                  \
    static void name##_result(wk_tensor **out) { of_x_result(name, out); }
OF_X(max_pool2d)
OF_X(avg_pool2d)

/* ---- the same, channels last */
static void last_setup(void)
{
    keep(&x, wk_contiguous(wk_randn((16, 64, 56, 56)), wk_channels_last), true);
    keep(&dy, wk_contiguous(wk_randn((16, 64, 28, 28)), wk_channels_last), false);
}

/* ---- im2col (8, 32, 56, 56) by 3x3, and back */
static void im2col_setup(void)
{
    keep(&x, wk_randn((8, 32, 56, 56)), true);
    keep(&dy, wk_randn((8, 288, 3136)), false);
}
static wk_tensor *im2col(void) { return wk_im2col(x, 3, .padding = 1); }
OF_X(im2col)

/* ---- pixel_shuffle (8, 64, 64, 64) by 2, and back */
static void shuffle_setup(void)
{
    keep(&x, wk_randn((8, 64, 64, 64)), true);
    keep(&dy, wk_randn((8, 16, 128, 128)), false);
}
static wk_tensor *pixel_shuffle(void) { return wk_pixel_shuffle(x, 2); }
OF_X(pixel_shuffle)

/* ---- interpolate (16, 64, 32, 32) to twice the size, forward and backward; of pictures, half as large */
static void interpolate_setup(void)
{
    keep(&x, wk_randn((16, 64, 32, 32)), true);
    keep(&dy, wk_randn((16, 64, 64, 64)), false);
}
static wk_tensor *nearest(void) { return wk_interpolate(x, .scale_factor = 2); }
static wk_tensor *bilinear(void) { return wk_interpolate(x, .scale_factor = 2, .mode = "bilinear"); }
OF_X(nearest)
OF_X(bilinear)
static void antialias_setup(void)
{
    keep(&x, wk_randn((8, 3, 256, 256)), true);
    keep(&dy, wk_randn((8, 3, 128, 128)), false);
}
static wk_tensor *antialias(void)
{
    return wk_interpolate(x, .scale_factor = 0.5, .mode = "bicubic", .antialias = true);
}
OF_X(antialias)

/* ---- pictures of bytes, half as large */
static void bytes_setup(void) { keep(&x, wk_randint(0, 256, (8, 3, 256, 256), .dtype = wk_uint8), false); }
static wk_tensor *bytes(void) { return wk_interpolate(x, 128, .mode = "bilinear", .antialias = true); }
static void bytes_run(void) { bytes(); }
static void bytes_result(wk_tensor **out) { out[0] = bytes(); }

/* ---- rfft of rows, einsum of heads that stand behind positions, and patches taken apart */
static void names_setup(void)
{
    keep(&x, wk_randn((1024, 512)), false);
    keep(&q, wk_randn((8, 256, 8, 64)), false);
    keep(&k, wk_randn((8, 256, 8, 64)), false);
}
static void rfft_run(void) { wk_fft_rfft(x); }
static void rfft_result(wk_tensor **out) { out[0] = wk_view_as_real(wk_fft_rfft(x)); }
static void einsum_run(void) { wk_einsum("blhd,bshd->bhls", q, k); }
static void einsum_result(wk_tensor **out) { out[0] = wk_einsum("blhd,bshd->bhls", q, k); }
static wk_tensor *patches(void) { return wk_einops_rearrange(q, "b (l r) h (d s) -> b l h (d r s), r=2, s=2"); }
static void rearrange_run(void) { patches(); }
static void rearrange_result(wk_tensor **out) { out[0] = patches(); }

/* ---- grid_sample (8, 32, 64, 64), bilinear: gradients of the grid too */
static void sample_setup(void)
{
    keep(&x, wk_randn((8, 32, 64, 64)), true);
    keep(&w, wk_tanh(wk_randn((8, 64, 64, 2))), true);
    keep(&dy, wk_randn((8, 32, 64, 64)), false);
}
static wk_tensor *grid_sample(void) { return wk_grid_sample(x, w); }
static void grid_sample_run(void)
{
    clear_grads();
    wk_backward(grid_sample(), .gradient = dy);
}
static void grid_sample_result(wk_tensor **out)
{
    of_x_result(grid_sample, out);
    out[2] = w->grad;
}
