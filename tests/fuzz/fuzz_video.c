/* Bytes as a film.  The sanitizers do not watch FFmpeg's libraries, but they do watch the memory that is ours. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = fuzz_open(bytes, size, path);
    wk_error error, second;
    wk_scope
    {
        wk_vision_video_info info;
        wk_tensor *frames = NULL, *clip = NULL;
        wk_host_mode(true); // a film that breaks off is a warning
        wk_try (&error) frames = wk_vision_read_video(path, .max_bytes = 1 << 20, .info = &info);
        MUST(error.set == !frames, error);
        MUST(!frames || (frames->ndim == 4 && wk_size(info.times, 0) == frames->shape[0]), error);
        wk_try (&second) if (frames) clip = wk_vision_read_clip(path, .frames = 2, .height = 8, .width = 8);
        MUST(!frames || second.set == !clip, second);
        MUST(!clip || (clip->ndim == 4 && clip->shape[1] == 2 && clip->shape[3] == 8), second);
    }
    close(file);
    return 0;
}
