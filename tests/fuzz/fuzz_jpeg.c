/* Bytes as a JPEG file, and as they are in memory. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = fuzz_open(bytes, size, path);
    wk_error error, second = {.set = false};
    wk_scope
    {
        wk_tensor *x = NULL, *again = NULL, *in_memory = wk_tensor(((int64_t)size), bytes);
        wk_try(&error) x = wk_vision_read_image(path, .mode = "rgb", .apply_exif_orientation = true);
        MUST(error.set == !x, error);
        MUST(!x || (x->ndim == 3 && x->shape[0] == 3), error);
        wk_try(&second) again = wk_vision_decode_image(in_memory, .mode = "rgb", .apply_exif_orientation = true);
        MUST(second.set == !again && (x ? fuzz_same(x, again) : !again), second);
        wk_try(&error) x = wk_vision_decode_image(in_memory);
        MUST(error.set == !x && !x == !again, error); // the modes differ in channels, not in what they read
        wk_try(&error) x = wk_vision_decode_image(in_memory, .mode = "gray");
        MUST(error.set == !x && !x == !again, error);
    }
    close(file);
    return 0;
}
