/* What is in a photo?  By a classifier of torchvision's, with a checkpoint of yours: ResNet, ViT or ConvNeXt, of
   ImageNet's thousand classes or, fine-tuned, of any others.

       build/katas/26_classify --model resnet50 --weights resnet50.pth --photo cat.jpg --labels imagenet.txt

   The photo goes to the model as torchvision's own presets send it: resized, cropped in the middle, normalized.

   New here: wk_vision_functional_resize, _center_crop, _normalize. */
#include "convnext.h"
#include "loaded.h"
#include "resnet.h"
#include "vit_b16.h"

enum { TOP = 5 };

/* ---------------------------------------------------------------- which model */

typedef struct preset {
    const char *name;
    int64_t resize;   // the shorter side, before 224 x 224 are cut out
    const char *head; // its weight's first dim: how many classes
} preset;

static const preset PRESETS[] = {{"resnet18", 256, "fc.weight"},
                                 {"resnet50", 256, "fc.weight"},
                                 {"vit_b_16", 256, "heads.head.weight"},
                                 {"convnext_tiny", 236, "classifier.2.weight"}};

static void *model_of(int which, int64_t classes)
{
    resnet_config resnet = which == 0 ? RESNET18 : RESNET50;
    vit_b16_config vit = VIT_B16;
    convnext_config convnext = CONVNEXT_TINY;
    resnet.classes = vit.classes = convnext.classes = classes;
    return which < 2    ? (void *)resnet_new(resnet)
           : which == 2 ? (void *)vit_b16_new(vit)
                        : (void *)convnext_new(convnext);
}

/* the checkpoint's weights by the model's own names: without what wrappers and trainers put before them, and ViT's
   mlp.linear_1, as torchvision first called it, as mlp.0 */
static wk_dict *named(wk_dict *all, const char *head)
{
    static const char *const BEFORE[] = {"state_dict.", "model_state_dict.", "model.", "module.", "_orig_mod."};
    for (size_t i = 0; i < sizeof BEFORE / sizeof *BEFORE && !wk_dict_get(all, head); i++) {
        wk_dict *part = wk_dict_part(all, BEFORE[i]);
        if (wk_dict_count(part) > 0) {
            wk_dict_free(all);
            all = part;
        } else
            wk_dict_free(part);
    }
    wk_dict *state = wk_dict_new();
    for (int64_t i = 0; i < wk_dict_count(all); i++) {
        char name[300];
        const char *key = wk_dict_key_at(all, i), *old = strstr(key, ".mlp.linear_");
        if (old) // linear_1 is 0, linear_2 is 3
            snprintf(name, sizeof name, "%.*s.mlp.%c%s", (int)(old - key), key, old[12] == '1' ? '0' : '3', old + 13);
        wk_dict_set(state, old ? name : key, wk_dict_value_at(all, i));
    }
    wk_dict_free(all);
    return state;
}

/* ---------------------------------------------------------------- the photo */

/* uint8 (3, H, W) -> (1, 3, 224, 224) */
static wk_tensor *prepared(wk_tensor *photo, int64_t resize)
{
    wk_tensor *x = wk_vision_functional_resize(photo, resize, .antialias = true);
    x = wk_vision_functional_to_tensor(wk_vision_functional_center_crop(x, 224)); // (3, 224, 224), 0 to 1
    return wk_unsqueeze(wk_vision_functional_normalize(x, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), 0);
}

/* line `index` of a file of labels, or its number */
static const char *label(const char *path, int64_t index)
{
    static char line[200];
    FILE *file = *path ? fopen(loaded_file("labels", path), "r") : NULL;
    snprintf(line, sizeof line, "class %lld", (long long)index);
    for (int64_t i = 0; file && i <= index && fgets(line, sizeof line, file); i++)
        line[strcspn(line, "\r\n")] = '\0';
    if (file)
        fclose(file);
    return line;
}

int main(int argc, char **argv)
{
    static const char *name = "resnet50", *weights = "", *photo = "", *labels = "";
    const kata_option options[] = {
        {"model", "NAME", "resnet18, resnet50, vit_b_16 or convnext_tiny", .text = &name},
        {"weights", "FILE", "its checkpoint: .pth, .pt, .safetensors", .text = &weights},
        {"photo", "FILE", "a JPEG or PNG", .text = &photo},
        {"labels", "FILE", "the classes' names, a line each; without, their numbers", .text = &labels},
        {0},
    };
    kata_read_options(argc, argv, "What is in a photo?", options);
    if (!*weights)
        kata_bad("weights", weights, "a checkpoint of torchvision's");
    if (!*photo)
        kata_bad("photo", photo, "a picture");
    const char *names[4];
    for (int i = 0; i < 4; i++)
        names[i] = PRESETS[i].name;
    const int which = kata_choice("model", name, names, 4);
    wk_dict *state = named(loaded_state("weights", weights), PRESETS[which].head);
    wk_tensor *head = wk_dict_get(state, PRESETS[which].head); // (classes, D)
    if (!head || head->ndim != 2)
        kata_bad("weights", weights, "a checkpoint of that --model (24_checkpoint lists its names)");
    void *model = model_of(which, head->shape[0]);
    loaded_into(model, "weights", state);
    wk_scope
    wk_no_grad
    {
        wk_error wrong;
        wk_tensor *x = NULL;
        wk_try(&wrong) x =
            wk_vision_read_image(loaded_file("photo", photo), .mode = "rgb", .apply_exif_orientation = true);
        kata_stop_on(wrong, "photo");
        wk_tensor *logits = wk_forward(model, prepared(x, PRESETS[which].resize)); // (1, classes)
        wk_tensor *best, *places, *p = wk_select(wk_softmax(logits), 0, 0);        // (classes,)
        wk_topk(p, wk_numel(p) < TOP ? wk_numel(p) : TOP, (&best, &places));
        for (int64_t i = 0; i < wk_numel(best); i++)
            printf("%6.2f%%  %s\n", 100 * wk_item(wk_select(best, 0, i)),
                   label(labels, wk_item_int64(wk_select(places, 0, i))));
    }
    wk_module_free(model);
    return 0;
}
