/* libFuzzer: whatever bytes a safetensors file holds, loading it ends in tensors or in an error.

       CC=clang cmake -B build-fuzz -G Ninja -DWICK_FUZZ=ON -DWICK_SANITIZE=address,undefined
       ninja -C build-fuzz fuzz_safetensors && build-fuzz/fuzz_safetensors -max_total_time=60 tests/golden */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <wick.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = memfd_create("fuzz", 0);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    wk_error error;
    wk_try(&error)
    {
        wk_dict *dict = wk_safetensors_load_file(path);
        for (int64_t i = 0; dict && i < wk_dict_count(dict); i++)
            wk_scope
        {
            wk_clone(wk_dict_value_at(dict, i));
        }
        wk_dict_free(dict);
    }
    close(file);
    return 0;
}
