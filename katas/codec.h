/* A codec for sound that is learned: a waveform becomes a few codes a second, and codes a waveform again.

   The encoder's convolutions take strides, so that `stride` samples become one frame of D numbers.  A frame is said by
   the nearest entry of a codebook; what is left over by the nearest of a second one, and so on (residual vector
   quantization): Q small numbers.  Where a frame becomes its code there is no slope; its gradient is passed on to the
   frame as it is (straight through).  The decoder is the encoder, backwards.

   "SoundStream: An End-to-End Neural Audio Codec", https://arxiv.org/abs/2107.03312. */
#ifndef KATAS_CODEC_H
#define KATAS_CODEC_H

#include <wick.h>

/* ---------------------------------------------------------------- unit: x + two convolutions of it */

typedef struct codec_unit {
    wk_module_base base;
    wk_module *conv1, *conv2;
} codec_unit;

/* x: (B, C, T), and so is the result */
static wk_tensor *codec_unit_forward(void *module, wk_tensor *x)
{
    codec_unit *self = module;
    return wk_add(x, wk_forward(self->conv2, wk_elu(wk_forward(self->conv1, wk_elu(x)))));
}

static codec_unit *codec_unit_new(int64_t channels)
{
    codec_unit *self = wk_module_new(codec_unit, codec_unit_forward);
    wk_add_module(self, conv1, wk_nn_conv1d(channels, channels, 3, .padding = 3, .dilation = 3));
    wk_add_module(self, conv2, wk_nn_conv1d(channels, channels, 1));
    return self;
}

/* ---------------------------------------------------------------- the whole */

#define CODEC_STRIDES 3
typedef struct codec_config {
    int64_t width, dim, books, codes; // channels of the first convolution, D, Q, entries of a codebook
    int64_t strides[CODEC_STRIDES];   // even; twice the channels after each
} codec_config;

typedef struct codec {
    wk_module_base base;
    wk_module *encoder, *decoder;
    wk_tensor *codebooks; // (Q, K, D)
} codec;

static codec *codec_new(codec_config c)
{
    codec *self = wk_module_new(codec, NULL);
    int64_t channels = c.width;
    wk_add_module(self, encoder, wk_nn_sequential(wk_nn_conv1d(1, channels, 7, .padding = 3)));
    for (int i = 0; i < CODEC_STRIDES; i++, channels *= 2) {
        const int64_t s = c.strides[i];
        wk_nn_sequential_append(self->encoder, codec_unit_new(channels));
        wk_nn_sequential_append(self->encoder,
                                wk_nn_conv1d(channels, 2 * channels, 2 * s, .stride = s, .padding = s / 2));
    }
    wk_nn_sequential_append(self->encoder, wk_nn_conv1d(channels, c.dim, 3, .padding = 1));
    wk_add_parameter(self, codebooks, wk_mul(wk_randn((c.books, c.codes, c.dim)), 0.1));
    wk_add_module(self, decoder, wk_nn_sequential(wk_nn_conv1d(c.dim, channels, 7, .padding = 3)));
    for (int i = CODEC_STRIDES - 1; i >= 0; i--, channels /= 2) {
        const int64_t s = c.strides[i];
        wk_nn_sequential_append(self->decoder,
                                wk_nn_conv_transpose1d(channels, channels / 2, 2 * s, .stride = s, .padding = s / 2));
        wk_nn_sequential_append(self->decoder, codec_unit_new(channels / 2));
    }
    wk_nn_sequential_append(self->decoder, wk_nn_conv1d(channels, 1, 7, .padding = 3));
    return self;
}

/* frames: (N, D) -> the nearest entries of book (K, D): (N,) int64 */
static wk_tensor *codec_nearest(wk_tensor *frames, wk_tensor *book)
{
    wk_tensor *dots = wk_matmul(frames, wk_t(book));              // (N, K)
    wk_tensor *lengths = wk_sum(wk_square(book), 1);              // (K,)
    return wk_argmin(wk_sub(lengths, wk_mul(dots, 2)), .dim = 1); // |frame - entry|^2, but for |frame|^2
}

/* frames: (N, D) -> what their codes stand for, (N, D), whose gradient goes to frames as it is; *codes: (N, Q);
   *loss: how far apart frames and entries are, (), which draws entries to frames, and frames, less, to entries */
static wk_tensor *codec_quantize(codec *self, wk_tensor *frames, wk_tensor **codes, wk_tensor **loss)
{
    wk_tensor *left = frames, *sum = NULL, *lost = NULL;
    wk_tensor *code[8];
    const int64_t Q = wk_size(self->codebooks, 0);
    for (int64_t q = 0; q < Q && q < 8; q++) {
        wk_tensor *book = wk_select(self->codebooks, 0, q); // (K, D)
        wk_no_grad code[q] = codec_nearest(left, book);     // (N,)
        wk_tensor *entry = wk_embedding(code[q], book);     // (N, D)
        wk_tensor *near =
            wk_add(wk_mse_loss(entry, wk_detach(left)), wk_mul(wk_mse_loss(left, wk_detach(entry)), 0.25)); // ()
        left = wk_sub(left, wk_detach(entry));                                                              // (N, D)
        sum = sum ? wk_add(sum, entry) : entry;                                                             // (N, D)
        lost = lost ? wk_add(lost, near) : near;                                                            // ()
    }
    *codes = wk_stack((wk_tensors){Q, code}, 1); // (N, Q)
    *loss = lost;
    return wk_add(frames, wk_detach(wk_sub(sum, frames))); // (N, D)
}

/* x: (B, 1, T), T a multiple of all strides -> frames (B * L, D) */
static wk_tensor *codec_encode(codec *self, wk_tensor *x)
{
    return wk_flatten(wk_transpose(wk_forward(self->encoder, x), 1, 2), 0, 1);
}

/* frames (B * L, D) -> (B, 1, T) */
static wk_tensor *codec_decode(codec *self, wk_tensor *frames, int64_t B)
{
    wk_tensor *x = wk_view(frames, (B, -1, wk_size(frames, 1))); // (B, L, D)
    return wk_forward(self->decoder, wk_transpose(x, 1, 2));     // (B, 1, T)
}

/* x: (B, 1, T) -> what it is rebuilt as, (B, 1, T); *codes: (B * L, Q); *loss: of the quantization, () */
static wk_tensor *codec_rebuild(codec *self, wk_tensor *x, wk_tensor **codes, wk_tensor **loss)
{
    wk_tensor *frames = codec_encode(self, x); // (B * L, D)
    return codec_decode(self, codec_quantize(self, frames, codes, loss), wk_size(x, 0));
}

/* What the ear would miss of x in y, both (B, 1, T): samples, and how loud which frequencies are.  ears: two
   wk_audio_mel_spectrogram, of a short window and a long one. */
static wk_tensor *codec_loss(wk_tensor *x, wk_tensor *y, wk_module **ears)
{
    wk_tensor *loss = wk_mul(wk_l1_loss(y, x), 20); // ()
    for (int i = 0; i < 2; i++) {
        wk_tensor *a = wk_log10(wk_add(wk_forward(ears[i], x), 1e-4)); // (B, 1, F, L)
        wk_tensor *b = wk_log10(wk_add(wk_forward(ears[i], y), 1e-4)); // (B, 1, F, L)
        loss = wk_add(loss, wk_l1_loss(b, a));                         // ()
    }
    return loss;
}

/* Entries that none of these frames is near to become frames themselves, drawn at random; with all, every entry does:
   so codebooks begin where frames are, and none is left behind.  x: (B, 1, T) */
static void codec_refresh(codec *self, wk_tensor *x, bool all)
{
    wk_no_grad wk_scope
    {
        wk_tensor *left = codec_encode(self, x); // (N, D)
        for (int64_t q = 0; q < wk_size(self->codebooks, 0); q++) {
            wk_tensor *book = wk_select(self->codebooks, 0, q); // (K, D), a view
            const int64_t K = wk_size(book, 0);
            wk_tensor *uses = wk_sum(wk_one_hot(codec_nearest(left, book), K), 0);                          // (K,)
            wk_tensor *which = wk_to(wk_randint(0, wk_size(left, 0), (K)), x->device);                      // (K,)
            wk_tensor *drawn = wk_index_select(left, 0, which);                                             // (K, D)
            wk_tensor *dead = wk_unsqueeze(all ? wk_ones_like(uses, .dtype = wk_bool) : wk_eq(uses, 0), 1); // (K, 1)
            wk_copy_(book, wk_where(dead, drawn, book));
            left = wk_sub(left, wk_embedding(codec_nearest(left, book), book)); // (N, D)
        }
    }
}

#endif
