/* Bytes as a sound file. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64], target[80];
    const int file = fuzz_open(bytes, size, path);
    snprintf(target, sizeof target, "%s.wav", fuzz_target());
    wk_error error, second = {.set = false}, third;
    wk_scope
    {
        wk_tensor *x = NULL, *again = NULL, *part = NULL;
        wk_audio_metadata info = {0};
        int64_t rate = 0;
        wk_try(&third) info = wk_audio_info(path);
        MUST(third.set == (info.sample_rate == 0), third);
        wk_try(&error) x = wk_audio_load(path, &rate);
        MUST(error.set == !x, error);
        wk_try(&third) part = wk_audio_load(path, NULL, 3, 20);
        MUST(third.set == !part, third);
        MUST(!x || (x->ndim == 2 && rate == info.sample_rate && x->shape[0] == info.num_channels), error);
        const bool writes = x && wk_numel(x) < 100000 && !wk_item(wk_any(wk_isnan(x)));
        wk_try(&second)
        {
            if (writes && wk_audio_save(target, x, rate, "PCM_F"))
                again = wk_audio_load(target);
        }
        MUST(!writes || (!second.set && fuzz_same(x, again)), second);
    }
    unlink(target);
    close(file);
    return 0;
}
