/* Bytes as a PNG file. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = fuzz_open(bytes, size, path);
    wk_error error, second = {.set = false};
    wk_scope
    {
        wk_tensor *x = NULL, *again = NULL;
        wk_try(&error) x = wk_vision_read_image(path);
        MUST(error.set == !x, error);
        const bool writes = x && x->shape[0] != 2; // grey with alpha is read alone
        wk_try(&second)
        {
            if (writes && wk_vision_write_png(x, fuzz_target()))
                again = wk_vision_read_image(fuzz_target());
        }
        MUST(!writes || (!second.set && fuzz_same(x, again)), second);
    }
    unlink(fuzz_target());
    close(file);
    return 0;
}
