/* The vision transformer of vit.h, tested as in 08: a dummy image through the model, its summary, one step backward.

   New here: a model of several modules; named parameters; what a gradient of each looks like. */
#include <stdio.h>

#include <wick.h>

#include "vit.h"

int main(void)
{
    wk_manual_seed(0);
    vit *model =
        vit_new((vit_config){.image = 32, .channels = 3, .patch = 8, .dim = 64, .depth = 2, .heads = 4, .classes = 10});
    wk_summary(model, (1, 3, 32, 32));
    wk_scope
    {
        wk_tensor *image = wk_rand((2, 3, 32, 32));     // (B, C, H, W)
        wk_tensor *target = wk_randint(0, 10, (2));     // (B,)
        wk_tensor *logits = wk_forward(model, image);   // (B, 10)
        wk_print("logits", logits);
        wk_backward(wk_cross_entropy(logits, target));

        const wk_dict *parameters = wk_module_named_parameters(model);
        for (int64_t i = 0; i < wk_dict_count(parameters); i++) {
            wk_tensor *p = wk_dict_value_at(parameters, i);
            printf("%-28s norm of its gradient %.4f\n", wk_dict_key_at(parameters, i), wk_item(wk_norm(p->grad)));
        }
    }
    wk_module_free(model);
}
