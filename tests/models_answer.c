/* A model of the katas answers with a checkpoint of PyTorch's: models_answer NAME CHECKPOINT INPUT ANSWER, the last two
   .npy files.  What models_twin.py runs. */
#include "../katas/convnext.h"
#include "../katas/gpt2.h"
#include "../katas/llama.h"
#include "../katas/loaded.h"
#include "../katas/resnet.h"
#include "../katas/vit_b16.h"

static void *model_named(const char *name)
{
    if (strcmp(name, "resnet18") == 0)
        return resnet_new(RESNET18);
    if (strcmp(name, "resnet50") == 0)
        return resnet_new(RESNET50);
    if (strcmp(name, "vit_b16") == 0)
        return vit_b16_new(VIT_B16);
    if (strcmp(name, "convnext") == 0)
        return convnext_new(CONVNEXT_TINY);
    return strcmp(name, "gpt2") == 0 ? (void *)gpt2_new(GPT2) : (void *)llama_new(LLAMA_135M);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    void *model = loaded_weights(model_named(argv[1]), "CHECKPOINT", argv[2]);
    bool fine = false;
    wk_scope
    wk_no_grad fine = wk_numpy_save(argv[4], wk_forward(model, wk_numpy_load(argv[3])));
    wk_module_free(model);
    return fine ? 0 : 1;
}
