/* Twins of the models of sound (tests/golden/twins_audio.py), line for line: the codec of waveforms and the transformer
   of spectrograms of the katas.  Seeded alike they start from the same weights, draw the same data and masks, and lose
   the same in 20 steps, here and on a second device. */
#include "../katas/codec.h"
#include "../katas/vit.h"
#include "twin.h"

static void codec_twin(void)
{
    wk_manual_seed(60);
    codec *model = codec_new((codec_config){.width = 4, .dim = 8, .books = 2, .codes = 16, .strides = {2, 4, 4}});
    assert_begins_alike("codec", model);
    wk_tensor *x = wk_mul(wk_cumsum(wk_randn((2, 1, 512)), 2), 0.05); // (2, 1, 512)
    wk_module_to(model, wk_float64); // so that no frame lies between two entries for one and not for the other
    wk_module *ears[] = {wk_audio_mel_spectrogram(8000, 128, .hop_length = 32, .n_mels = 10, .power = 1),
                         wk_audio_mel_spectrogram(8000, 256, .hop_length = 64, .n_mels = 20, .power = 1)};
    for (int i = 0; i < 2; i++) {
        wk_dict *tables = wk_dict_part(answers, i == 0 ? "codec/ears/0/" : "codec/ears/1/");
        assert_true(wk_module_load_state_dict(ears[i], tables));
        wk_dict_free(tables);
        wk_module_to(wk_module_to(ears[i], wk_float64), device);
    }
    x = wk_to(wk_to(x, wk_float64), device);
    wk_module_to(model, device);
    wk_optimizer *opt = wk_optim_adam(wk_module_parameters(model), .lr = 2e-3);
    codec_refresh(model, x, true);
    wk_for_each_step (step, 0, 20) {
        if (step == 10)
            codec_refresh(model, x, false);
        wk_tensor *codes, *apart, *y = codec_rebuild(model, x, &codes, &apart);
        wk_tensor *loss = codec_loss(x, y, ears);
        wk_optim_zero_grad(opt);
        wk_backward(wk_add(loss, apart));
        wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
        wk_optim_step(opt);
        assert_loses_alike("codec", step, loss);
    }
    wk_tensor *codes, *apart;
    wk_no_grad codec_rebuild(model, x, &codes, &apart);
    assert_near("codec/codes", wk_to(codes, wk_cpu), answer("codec/codes"), 0);
    wk_optim_free(opt);
    wk_module_free(model);
    wk_module_free(ears[0]);
    wk_module_free(ears[1]);
}

static void ast_twin(void)
{
    wk_manual_seed(61);
    vit *model = vit_new((vit_config){
        .image = 16, .width = 24, .channels = 1, .patch = 8, .dim = 16, .depth = 2, .heads = 2, .classes = 10});
    assert_begins_alike("ast", model);
    wk_tensor *waves = wk_to(wk_randn((6, 1, 1600)), device), *y = wk_to(wk_randint(0, 10, (6)), device);
    wk_module *mel = wk_audio_mel_spectrogram(8000, 256, .hop_length = 64, .n_mels = 16, .f_min = 50);
    wk_module *decibels = wk_audio_amplitude_to_db(.top_db = 60);
    wk_module *hide[] = {wk_audio_frequency_masking(4, .iid_masks = true), wk_audio_time_masking(6, .iid_masks = true)};
    wk_module_to(model, device);
    wk_module_to(mel, device);
    wk_optimizer *opt = wk_optim_adamw(wk_module_parameters(model), .lr = 1e-3, .weight_decay = 0.05);
    wk_for_each_step (step, 0, 20) {
        wk_tensor *x = wk_narrow(wk_forward(decibels, wk_forward(mel, waves)), 3, 0, 24); // (6, 1, 16, 24)
        x = wk_div(wk_sub(x, wk_mean(x, (2, 3), .keepdim = true)), 15);
        x = wk_forward(hide[1], wk_forward(hide[0], x));
        wk_tensor *loss = wk_cross_entropy(wk_forward(model, x), y);
        wk_optim_zero_grad(opt);
        wk_backward(loss);
        wk_optim_step(opt);
        assert_loses_alike("ast", step, loss);
    }
    wk_optim_free(opt);
    wk_module_free(model);
    wk_module_free(mel);
    wk_module_free(decibels);
    wk_module_free(hide[0]);
    wk_module_free(hide[1]);
}

static void test_codec(void **state) { (void)state, on_both(codec_twin); }
static void test_ast(void **state) { (void)state, on_both(ast_twin); }

static int setup_audio(void **state)
{
    (void)state;
    return read_answers("twins_audio");
}

int main(void)
{
    mirror_start();
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_codec), cmocka_unit_test(test_ast)};
    return cmocka_run_group_tests(tests, setup_audio, teardown);
}
