/* Bytes as a .npz archive. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = fuzz_open(bytes, size, path);
    wk_error error, second = {.set = false};
    wk_dict *dict = NULL, *again = NULL;
    wk_try(&error) dict = wk_numpy_load_npz(path);
    MUST(error.set == !dict, error);
    bool named = true; // a name may be empty, or longer than what is written
    for (int64_t i = 0; dict && i < wk_dict_count(dict); i++)
        named &= wk_dict_key_at(dict, i)[0] != '\0';
    wk_try(&second)
    {
        if (dict && named && wk_numpy_savez(fuzz_target(), dict))
            again = wk_numpy_load_npz(fuzz_target());
    }
    MUST(!dict || !named || (!second.set && fuzz_same_dict(dict, again)), second);
    wk_dict_free(dict);
    wk_dict_free(again);
    unlink(fuzz_target());
    close(file);
    return 0;
}
