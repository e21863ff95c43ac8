/* The shapes that come back again and again, each turned into the tokens (B, N, D) that a transformer takes.  Write the
   shape of each result at the end of its line: it is the map of the flow.

   New here: cutting images, video and sound into patches with reshape and permute; wk_randint, wk_embedding. */
#include <stdio.h>

#include <wick.h>

static void show(const char *name, wk_tensor *toks)
{
    wk_unpack(toks, B, N, D);
    printf("%-12s (B = %lld, N = %lld, D = %lld)\n", name, (long long)B, (long long)N, (long long)D);
}

static wk_tensor *image_toks(wk_tensor *image, int64_t P)
{
    wk_unpack(image, B, C, H, W);                                 // (B, C, H, W)
    wk_tensor *h = wk_reshape(image, (B, C, H / P, P, W / P, P)); // (B, C, H/P, P, W/P, P)
    h = wk_permute(h, (0, 2, 4, 1, 3, 5));                        // (B, H/P, W/P, C, P, P)
    return wk_reshape(h, (B, H / P * (W / P), C * P * P));        // (B, N, D)
}

static wk_tensor *video_toks(wk_tensor *video, int64_t S, int64_t P)
{
    wk_unpack(video, B, C, T, H, W);                                        // (B, C, T, H, W)
    wk_tensor *h = wk_reshape(video, (B, C, T / S, S, H / P, P, W / P, P)); // (B, C, T/S, S, H/P, P, W/P, P)
    h = wk_permute(h, (0, 2, 4, 6, 1, 3, 5, 7));                            // (B, T/S, H/P, W/P, C, S, P, P)
    return wk_reshape(h, (B, T / S * (H / P) * (W / P), C * S * P * P));    // (B, N, D)
}

static wk_tensor *waveform_toks(wk_tensor *waveform, int64_t P)
{
    wk_unpack(waveform, B, C, T);                                // (B, C, T): an image of one dim
    wk_tensor *h = wk_reshape(waveform, (B, C, T / P, P));       // (B, C, T/P, P)
    return wk_reshape(wk_transpose(h, 1, 2), (B, T / P, C * P)); // (B, L, D)
}

int main(void)
{
    wk_scope
    {
        wk_manual_seed(0);
        const int64_t B = 2;

        show("image", image_toks(wk_rand((B, 3, 32, 32)), 8));        // (B, 3, H, W) -> (B, 16, 192)
        show("video", video_toks(wk_rand((B, 3, 8, 32, 32)), 2, 8));  // (B, 3, T, H, W) -> (B, 64, 384)
        show("waveform", waveform_toks(wk_rand((B, 1, 16000)), 160)); // (B, 1, T) -> (B, 100, 160)

        wk_tensor *spectrogram = wk_rand((B, 80, 100));                    // (B, F, T): treated like an image
        show("spectrogram", image_toks(wk_unsqueeze(spectrogram, 1), 20)); // (B, 1, F, T) -> (B, 20, 400)

        wk_tensor *text = wk_randint(0, 1000, (B, 12)); // (B, P): ids of words
        wk_tensor *table = wk_randn((1000, 64));     // (V, D)
        show("text", wk_embedding(text, table));     // (B, P, D)
    }
}
