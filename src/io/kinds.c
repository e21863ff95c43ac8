/* Files of another kind than the one asked for: each is known by how it begins, and the error says what it is and what
   reads it.  They are the ones that people have at hand: PyTorch's, numpy's, pictures, downloads that went wrong. */
#include "file.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/error_internal.h"
#include "core/text.h"

#define PICKLE_HINT "in Python: torch.save({name: torch.as_tensor(x) for ...}, \"arrays.pt\"), then wk_load"

/* the first that fits is the one; `also` stands somewhere in the first 4096 bytes */
static const struct {
    size_t at, length;
    const char *begins, *also;
    const char *what, *hint;
} kinds[] = {
    {0, 4, "PK\3\4", "/data.pkl", "a zip archive as torch.save writes it (.pt, .pth)", "wk_load"},
    {0, 4, "PK\3\4", ".npy", "numpy's .npz, a zip archive", "wk_numpy_load_npz"},
    {0, 4, "PK\3\4", NULL, "a zip archive", "unzip it first"},
    {0, 6, "\x80\x02\x8a\x0al\xfc", NULL, "a pickle as old versions of torch.save wrote it (.pt, .pth)", "wk_load"},
    {0, 2, "\x80\x02", NULL, "a pickle of Python's", PICKLE_HINT},
    {0, 2, "\x80\x03", NULL, "a pickle of Python's", PICKLE_HINT},
    {0, 2, "\x80\x04", NULL, "a pickle of Python's", PICKLE_HINT},
    {0, 2, "\x80\x05", NULL, "a pickle of Python's", PICKLE_HINT},
    {0, 4, "GGUF", NULL, "a GGUF file", "use the safetensors that it was made from"},
    {0, 2, "\x1f\x8b", NULL, "a gzip file", "gunzip it first"},
    {0, 6, "\x93NUMPY", NULL, "numpy's .npy", "wk_numpy_load"},
    {0, 8, "\x89PNG\r\n\x1a\n", NULL, "a PNG picture", "wk_vision_read_image"},
    {0, 3, "\xff\xd8\xff", NULL, "a JPEG picture", "wk_vision_read_image"},
    {0, 4, "GIF8", NULL, "a GIF picture", "convert it to PNG, then wk_vision_read_image"},
    {8, 4, "WAVE", NULL, "a sound file", "wk_audio_load"},
    {0, 4, "fLaC", NULL, "a sound file", "wk_audio_load"},
    {0, 4, "OggS", NULL, "a sound file", "wk_audio_load"},
    {0, 3, "ID3", NULL, "a sound file", "wk_audio_load"},
    {0, 8, "\x89HDF\r\n\x1a\n", NULL, "an HDF5 file", "save its arrays as safetensors or .npy, in Python"},
    {257, 5, "ustar", "sys_info", "a tar archive as the first versions of torch.save wrote it",
     "in Python: torch.save(torch.load(path, weights_only=False), \"again.pt\"), then wk_load"},
    {257, 5, "ustar", NULL, "a tar archive", "unpack it first"},
    {0, 8, "version ", "git-lfs", "what git-lfs leaves in place of a file", "git lfs pull"},
    {0, 1, "<", "html", "a web page", "look at what the download said"},
    {0, 1, "<", "HTML", "a web page", "look at what the download said"},
    {8, 1, "{", "\"data_offsets\"", "a safetensors file", "wk_safetensors_load_file"},
    {0, 3, "\0\0\x08", NULL, "an IDX file", "wk_data_load_idx"},
    {0, 3, "\0\0\x0d", NULL, "an IDX file", "wk_data_load_idx"},
};

static bool holds(const unsigned char *bytes, size_t size, const char *text)
{
    const size_t length = strlen(text), within = size < 4096 ? size : 4096;
    for (size_t i = 0; i + length <= within; i++)
        if (memcmp(bytes + i, text, length) == 0)
            return true;
    return false;
}

void *wk_file_is_no(const char *op, const char *path, const char *expected, const wk_file_map *map)
{
    const unsigned char *bytes = map->bytes;
    const char *shown = wk_shown(path, (wk_shown_text){0});
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (map->size >= kinds[i].at + kinds[i].length &&
            memcmp(bytes + kinds[i].at, kinds[i].begins, kinds[i].length) == 0 &&
            (!kinds[i].also || holds(bytes, map->size, kinds[i].also)))
            return wk_fail(op, "%s: is no %s file, it is %s\nhint: %s", shown, expected, kinds[i].what, kinds[i].hint);
    char begins[3 * 8 + 1] = "";
    for (size_t i = 0; i < 8 && i < map->size; i++)
        snprintf(begins + 3 * i, 4, " %02x", bytes[i]);
    return wk_fail(op, "%s: is no %s file: it has %zu bytes, and begins with%s", shown, expected, map->size,
                   map->size > 0 ? begins : " none");
}
