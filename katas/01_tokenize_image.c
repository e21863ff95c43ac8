/* An image becomes tokens: (B, C, H, W) -> (B, H*W, C).

   New here: wk_device, wk_rand, shapes, wk_flatten, wk_transpose, wk_print, wk_scope. */
#include <wick.h>

static void tokenize_image(void)
{
    const wk_device DEVICE = wk_cpu;
    const int64_t B = 8, C = 512, H = 4, W = 4;

    wk_tensor *image = wk_rand((B, C, H, W), .device = DEVICE); // (B, C, H, W)
    wk_tensor *h = wk_flatten(image, 2);                        // (B, C, H*W)
    wk_tensor *image_toks = wk_transpose(h, 1, 2);              // (B, H*W, C)
    wk_print("image_toks", image_toks);
}

int main(void)
{
    wk_scope { tokenize_image(); }
}
