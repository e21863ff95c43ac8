/* A tensor lives on a device, and everything that meets it must live there too.  Choose the device once, at the top,
   and hand it down; deep inside, take it from a tensor at hand.

   New here: devices by name, x->device, wk_unpack, wk_cuda_is_available. */
#include <stdio.h>

#include <wick.h>

/* noise for an image, wherever the image lives */
static wk_tensor *noise_like(wk_tensor *image)
{
    wk_unpack(image, B, C, H, W);
    return wk_randn((B, C, H, W), .device = image->device); // (B, C, H, W)
}

int main(void)
{
    wk_scope
    {
        const wk_device DEVICE = wk_device(wk_cuda_is_available() ? "cuda" : "cpu");

        wk_tensor *image = wk_rand((2, 3, 8, 8), .device = DEVICE); // (2, 3, 8, 8)
        wk_tensor *noisy = wk_add(image, noise_like(image));        // (2, 3, 8, 8)
        printf("image on %s, noisy on %s\n", wk_device_name(image->device), wk_device_name(noisy->device));
    }
}
