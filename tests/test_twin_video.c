/* The twin of a whole model of films (tests/golden/twin_video.py), line for line: the video transformer of
   katas/vivit.h.  Seeded alike they start from the same weights, draw the same data, and lose the same in 20 steps,
   here and on a second device. */
#include "../katas/vivit.h"
#include "twin.h"

static void video_transformer(void)
{
    wk_manual_seed(60);
    vivit *model = vivit_new((vivit_config){.frames = 4,
                                            .image = 16,
                                            .channels = 3,
                                            .tube = 2,
                                            .patch = 8,
                                            .dim = 32,
                                            .depth = 2,
                                            .heads = 2,
                                            .classes = 10,
                                            .directions = 8});
    assert_begins_alike("vivit", model);
    wk_tensor *x = wk_to(wk_rand((6, 3, 4, 16, 16)), device); // (B, C, T, H, W)
    wk_tensor *class = wk_to(wk_randint(0, 10, (6)), device), *direction = wk_to(wk_randint(0, 8, (6)), device);
    wk_module_to(model, device);
    wk_no_grad
    {
        wk_tensor *where = NULL, *what = wk_call(vivit_forward, model, x, &where);
        assert_near("what", wk_to(what, wk_cpu), answer("vivit/what"), 1e-5);
        assert_near("where", wk_to(where, wk_cpu), answer("vivit/where"), 1e-5);
    }
    wk_optimizer *opt = wk_optim_adamw(wk_module_parameters(model), .lr = 1e-3, .weight_decay = 0.05);
    wk_for_each_step (step, 0, 20) {
        wk_tensor *where = NULL, *what = wk_call(vivit_forward, model, x, &where); // (6, 10), (6, 8)
        wk_tensor *loss = wk_add(wk_cross_entropy(what, class), wk_cross_entropy(where, direction));
        wk_optim_zero_grad(opt);
        wk_backward(loss);
        wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
        wk_optim_step(opt);
        assert_loses_alike("vivit", step, loss);
    }
    wk_optim_free(opt);
    wk_module_free(model);
}

static void test_video_transformer(void **state)
{
    (void)state;
    on_both(video_transformer);
}

static int read_losses(void **state)
{
    (void)state;
    return read_answers("twin_video");
}

int main(void)
{
    mirror_start();
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_video_transformer)};
    return cmocka_run_group_tests(tests, read_losses, teardown);
}
