/* Models of the katas that read weights of others (katas/bert.h, mtcnn.h, crepe.h), here with weights made by a
   formula: what PyTorch answers (tests/golden/models_loaded.py). */
#include "answers.h"
#include "formula.h"

#include "../katas/bert.h"
#include "../katas/crepe.h"
#include "../katas/mtcnn.h"

static void test_sentences(void **state)
{
    (void)state;
    bert *model =
        bert_new((bert_config){.vocabulary = 60, .length = 32, .dim = 24, .hidden = 40, .depth = 2, .heads = 3});
    fill(model, NULL);
    wk_module_eval(model);
    wk_no_grad wk_scope
    {
        wk_tensor *tokens = wk_empty((2, 9), .dtype = wk_int64), *mask = wk_ones((2, 9), .dtype = wk_bool);
        int64_t *out = wk_data_ptr(tokens);
        for (int64_t i = 0; i < 18; i++)
            out[i] = number(seed_of("input"), i) % 60;
        wk_index_put_(mask, ("1, 5:"), false);
        wk_tensor *hidden = wk_call(bert_forward, model, tokens, mask);
        assert_near("hidden", wk_narrow(hidden, 1, 0, 5), answer("bert/hidden"), 3e-6);
        assert_near("sentences", wk_call(bert_sentences, model, tokens, mask), answer("bert/sentences"), 3e-6);
    }
    wk_module_free(model);
}

/* its answers for noise; finds faces everywhere, as its bias of the last layer tells it to */
static mtcnn_net *eager(mtcnn_net *net, const char *name, int64_t size)
{
    fill(net, NULL);
    wk_module_eval(net);
    wk_no_grad wk_scope
    {
        wk_tensor *bias = wk_module_get_parameter(net->face, "bias");
        wk_add_(bias, wk_tensor((2), ((float[]){-0.5f, 0.5f})));
        wk_mul_(wk_module_get_parameter(net->edges, "weight"), 0.125);
        wk_mul_(wk_module_get_parameter(net->edges, "bias"), 0.125);
        /* what is asked is scaled to -1 to 1 first */
        wk_tensor *x = wk_add(wk_div(input(wk_empty((2, 3, size, size))), 0.0078125), 127.5);
        const mtcnn_answer got = mtcnn_ask(net, x);
        assert_near(name, got.edges, answer("mtcnn/%s0", name), 1e-5);
        if (got.points)
            assert_near(name, got.points, answer("mtcnn/%s1", name), 1e-5);
        assert_near(name, got.face, answer("mtcnn/%s%d", name, got.points ? 2 : 1), 1e-5);
    }
    return net;
}

static void test_faces(void **state)
{
    (void)state;
    mtcnn nets = {eager(mtcnn_pnet_new(), "p", 31), eager(mtcnn_rnet_new(), "r", 24), eager(mtcnn_onet_new(), "o", 48)};
    wk_scope
    {
        wk_tensor *picture = wk_empty((52 * 61 * 3));
        make("picture", picture);
        picture = wk_floor(wk_add(wk_mul(wk_mul(wk_clamp(picture, -0.5, 0.5), 127), 2), 127.5));
        picture = wk_permute(wk_reshape(picture, (52, 61, 3)), (2, 0, 1)); // (3, H, W)
        mtcnn_boxes boxes = mtcnn_detect(&nets, picture, 20);
        wk_tensor *expected = answer("mtcnn/boxes"), *points = answer("mtcnn/points"); // (N, 5), (N, 5, 2)
        assert_int_equal(boxes.count, expected->shape[0]);
        for (int64_t i = 0; i < boxes.count; i++) {
            const mtcnn_box *box = &boxes.items[i];
            wk_tensor *got = wk_tensor((5), ((float[]){box->x1, box->y1, box->x2, box->y2, box->score}));
            assert_near("box", got, wk_select(expected, 0, i), 1e-5);
            got = wk_transpose(wk_from_blob((float *)box->points, (2, 5)), 0, 1);
            assert_near("points", got, wk_select(points, 0, i), 1e-5);
        }
        free(boxes.items);
        boxes = mtcnn_detect(&nets, wk_zeros((3, 11, 30)), 20); // too small for any
        assert_int_equal(boxes.count, 0);
        free(boxes.items);
    }
    wk_module_free(nets.pnet);
    wk_module_free(nets.rnet);
    wk_module_free(nets.onet);
}

static void test_pitch(void **state)
{
    (void)state;
    crepe *model = crepe_new(1);
    fill(model, NULL);
    wk_module_eval(model);
    wk_no_grad wk_scope
    {
        wk_tensor *sound = wk_empty((3000));
        make("sound", sound);
        wk_tensor *windows = crepe_windows(sound, 200); // (16, 1024)
        assert_near("windows", wk_index(windows, "::5, ::100"), answer("crepe/windows"), 1e-5);
        assert_near("answers", wk_index(wk_forward(model, windows), ":, ::20"), answer("crepe/answers"), 1e-5);
        const crepe_melody melody = crepe_listen(model, sound, 200, 50, 2006);
        assert_near("cents", melody.cents, answer("crepe/cents"), 1e-5); // float32 in torchcrepe
        assert_near("periodicity", melody.periodicity, answer("crepe/periodicity"), 1e-5);
        wk_tensor *steps = wk_empty((40 * 360));
        make("path", steps);
        assert_near("path", crepe_path(wk_reshape(wk_mul(steps, 12), (40, 360))), answer("crepe/path"), 0);
    }
    wk_module_free(model);
}

static int setup(void **state)
{
    (void)state;
    return read_answers("models_loaded");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_faces),
        cmocka_unit_test(test_pitch),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
