/* Bytes as a .npy file. */
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
        wk_try(&error) x = wk_numpy_load(path);
        MUST(error.set == !x, error);
        wk_try(&second)
        {
            if (x && wk_numpy_save(fuzz_target(), x))
                again = wk_numpy_load(fuzz_target());
        }
        MUST(!x || (!second.set && fuzz_same(x, again)), second);
    }
    unlink(fuzz_target());
    close(file);
    return 0;
}
