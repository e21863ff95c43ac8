/* Bytes as a checkpoint of PyTorch's, a zip archive or a legacy file. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

/* the same names, texts and tensors; of expanded ones of many elements not all of them */
static bool same(const wk_dict *a, const wk_dict *b)
{
    bool all = wk_dict_count(a) == wk_dict_count(b) && wk_dict_text_count(a) == wk_dict_text_count(b);
    for (int64_t i = 0; all && i < wk_dict_count(a); i++)
        wk_scope
    {
        wk_tensor *x = wk_dict_value_at(a, i), *y = wk_dict_get(b, wk_dict_key_at(a, i));
        all = y && x->ndim == y->ndim && x->dtype == y->dtype && wk_numel(x) == wk_numel(y) &&
              memcmp(x->shape, y->shape, (size_t)x->ndim * sizeof *x->shape) == 0;
        if (all && wk_numel(x) < 100000)
            all = fuzz_same(x, y);
    }
    for (int64_t i = 0; all && i < wk_dict_text_count(a); i++) {
        const char *other = wk_dict_text(b, wk_dict_text_key_at(a, i));
        all = other && strcmp(other, wk_dict_text_at(a, i)) == 0;
    }
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = fuzz_open(bytes, size, path);
    wk_error error, second = {.set = false};
    wk_dict *dict = NULL, *again = NULL;
    wk_try(&error) dict = wk_load(path, .mmap = size % 2 == 0);
    MUST(error.set == !dict, error);
    if (dict) {
        wk_try(&second)
        {
            if (wk_save(dict, fuzz_target()))
                again = wk_load(fuzz_target());
        }
        MUST(!second.set && again, second);
        MUST(same(dict, again), second);
    }
    wk_dict_free(dict);
    wk_dict_free(again);
    unlink(fuzz_target());
    close(file);
    return 0;
}
