/* Bytes as a safetensors file. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = fuzz_open(bytes, size, path);
    wk_error error, second = {.set = false};
    wk_dict *dict = NULL, *again = NULL;
    wk_try(&error) dict = wk_safetensors_load_file(path);
    MUST(error.set == !dict, error);
    wk_try(&second)
    {
        if (dict && wk_safetensors_save_file(dict, fuzz_target()))
            again = wk_safetensors_load_file(fuzz_target());
    }
    MUST(!dict || (!second.set && fuzz_same_dict(dict, again)), second);
    wk_dict_free(again);
    wk_dict_free(dict);
    unlink(fuzz_target());
    close(file);
    return 0;
}
