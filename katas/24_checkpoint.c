/* What is in a checkpoint: names, shapes, dtypes, and what stands beside the tensors.

       build/katas/24_checkpoint --file model.safetensors
       build/katas/24_checkpoint --file run.pt --prefix model.

   The first thing to do with a file of others: its names are those of the modules that saved it, and a module tree of
   the same names loads it (docs/models.md).  Nothing in a file is run.

   New here: wk_dict as a file's contents. */
#include "loaded.h"

int main(int argc, char **argv)
{
    static const char *file = "", *prefix = "";
    const kata_option names[] = {
        {"file", "FILE", ".safetensors, .pt, .pth, .ckpt, .bin", .text = &file},
        {"prefix", "TEXT", "only names that begin so, and without it", .text = &prefix},
        {0},
    };
    kata_read_options(argc, argv, "What is in a checkpoint.", names);
    if (!*file)
        kata_bad("file", file, "a checkpoint");
    wk_dict *all = loaded_state("file", file), *part = wk_dict_part(all, prefix);
    int64_t elements = 0, bytes = 0;
    for (int64_t i = 0; i < wk_dict_count(part); i++) {
        const wk_tensor *x = wk_dict_value_at(part, i);
        printf("%-60s (", wk_dict_key_at(part, i));
        for (int dim = 0; dim < x->ndim; dim++)
            printf(dim > 0 ? ", %lld" : "%lld", (long long)x->shape[dim]);
        printf("%s) %s\n", x->ndim == 1 ? "," : "", wk_dtype_name(x->dtype));
        elements += x->numel;
        bytes += x->numel * wk_element_size(x);
    }
    for (int64_t i = 0; i < wk_dict_text_count(part); i++)
        printf("%-60s = %.100s\n", wk_dict_text_key_at(part, i), wk_dict_text_at(part, i));
    printf("%lld tensors, %lld elements, %.1f MB\n", (long long)wk_dict_count(part), (long long)elements,
           (double)bytes / 1e6);
    wk_dict_free(part);
    wk_dict_free(all);
    return 0;
}
