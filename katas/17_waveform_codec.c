/* A codec learns speech: a waveform becomes a few small numbers a second, from which it is rebuilt.

   espeak-ng speaks some lines with several voices; one line and one voice are kept for the end.  Prints what is lost as
   it learns, and how far the codec gets in bits a second and decibels.  Leaves codec_original.wav and codec_rebuilt.wav
   (listen to them), codec_spectrograms.png (above the original, below the rebuilt), codec_waves.png, and
   codec.safetensors. */
#include "codec.h"
#include "speech.h"

typedef struct options {
    int64_t steps, batch_size, piece, quick, seed;
    double lr;
    const char *load, *out;
} options;

#define RATE 8000 // samples a second
static const codec_config MODEL = {.width = 16, .dim = 32, .books = 4, .codes = 256, .strides = {2, 4, 4}};
#define STRIDE (2 * 4 * 4)

static options read_options(int argc, char **argv)
{
    static options o = {.steps = 1000, .batch_size = 16, .piece = 4096, .lr = 2e-3};
    o.load = "", o.out = "out";
    const kata_option names[] = {
        {"steps", "N", "steps of training", .whole = &o.steps},
        {"batch-size", "N", "pieces in a step", .whole = &o.batch_size, .least = 1},
        {"piece", "N", "samples of a piece, rounded to frames of 32", .whole = &o.piece, .least = 1024},
        {"lr", "X", "highest learning rate", .number = &o.lr},
        {"load", "FILE", "begin with these weights", .text = &o.load},
        {"quick", "0 or 1", "only so many lines and steps that all of it runs", .whole = &o.quick},
        {"seed", "N", "of weights and pieces", .whole = &o.seed},
        {"out", "FOLDER", "where sounds, pictures and weights go", .text = &o.out},
        {.name = NULL},
    };
    kata_read_options(argc, argv, "Trains a codec of waveforms on speech.", names);
    if (o.quick)
        o.steps = o.steps < 3 ? o.steps : 3;
    o.piece = o.piece / STRIDE * STRIDE;
    kata_make_folder(o.out);
    return o;
}

/* ---------------------------------------------------------------- speech */

static const char *const lines[] = {
    "A small bird sat on the wire and watched the rain come down.",
    "Please put the kettle on, and tell me what happened yesterday.",
    "Seven boats left the harbour early, before anyone was awake.",
    "The quick answer is no; the long answer takes an hour.",
    "Where did you find the key to the old wooden box?",
    "She counted twelve, thirteen, fourteen, and then she stopped.",
    "We should measure it twice, and only then decide.",
    "Nobody believed that the machine could learn to speak.",
    "Turn left at the bridge, walk past the mill, and ask again.",
    "His voice was low, but everyone in the room could hear it.",
    "Green apples, yellow pears, and a basket of fresh bread.",
    "In the evening the shadows of the trees reach the house.",
    "What a strange and beautiful thing a number is!",
    "They built the tower higher every year, and never finished.",
    "Could you repeat the question, a little slower this time?",
    "The judge chose a just measure, and the usual pleasure followed.",
};
static const speech_voice voices[] = {{"en-us+m1", 40, 160}, {"en-us+f2", 60, 165}, {"en-gb+m3", 30, 150},
                                      {"en-gb+f4", 55, 170}, {"en-us+m7", 50, 175}, {"en-us+f5", 45, 155}};
/* of neither is anything learned */
static const char *const test_line = "This sentence was never heard before, by any of the layers.";
static const speech_voice test_voice = {"en-us+m4", 45, 160};
#define LINES ((int64_t)(sizeof lines / sizeof *lines))
#define VOICES ((int64_t)(sizeof voices / sizeof *voices))

/* all lines by all voices, one behind the other: (T,) */
static wk_tensor *speech(options o)
{
    const int64_t each = o.quick ? 2 : LINES, speakers = o.quick ? 1 : VOICES;
    wk_tensor *spoken[LINES * VOICES];
    wk_progress progress;
    wk_progress_start(&progress, each * speakers, "espeak-ng");
    progress.unit = "lines";
    for (int64_t i = 0; i < each * speakers; i++) {
        spoken[i] = wk_select(speech_say(lines[i % each], voices[i / each], RATE), 0, 0); // (T,)
        wk_progress_step(&progress, 1);
    }
    wk_progress_end(&progress);
    return wk_cat((wk_tensors){each * speakers, spoken});
}

/* ---------------------------------------------------------------- training */

/* (B, 1, piece), from all over x (T,) */
static wk_tensor *draw_pieces(wk_tensor *x, options o)
{
    wk_tensor *windows = wk_unfold(x, 0, o.piece, STRIDE);                 // (W, piece), a view
    wk_tensor *which = wk_randint(0, wk_size(windows, 0), (o.batch_size)); // (B,)
    return wk_unsqueeze(wk_index_select(windows, 0, which), 1);            // (B, 1, piece)
}

/* losses: one for each step */
static void train(codec *model, wk_tensor *x, options o, double *losses)
{
    wk_module *ears[] = {wk_audio_mel_spectrogram(RATE, 256, .hop_length = 64, .n_mels = 40, .power = 1),
                         wk_audio_mel_spectrogram(RATE, 512, .hop_length = 128, .n_mels = 64, .power = 1)};
    wk_optimizer *optimizer = wk_optim_adam(wk_module_parameters(model), .lr = o.lr);
    wk_lr_scheduler *schedule = wk_optim_one_cycle_lr(optimizer, o.lr, .total_steps = o.steps);
    wk_progress progress;
    wk_progress_start(&progress, o.steps, "training");
    progress.unit = "samples";
    codec_refresh(model, draw_pieces(x, o), true);
    wk_for_each_step (step, 0, o.steps) {
        wk_tensor *pieces = draw_pieces(x, o); // (B, 1, piece)
        if (step % 20 == 19 && step < o.steps * 3 / 4)
            codec_refresh(model, pieces, false);
        wk_tensor *codes, *apart, *y = codec_rebuild(model, pieces, &codes, &apart); // (B, 1, piece)
        wk_tensor *loss = codec_loss(pieces, y, ears);                               // ()
        wk_optim_zero_grad(optimizer);
        wk_backward(wk_add(loss, apart));
        wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
        wk_optim_step(optimizer);
        wk_lr_scheduler_step(schedule);
        losses[step] = wk_item(loss);
        wk_progress_show(&progress, "loss %.3f", losses[step]);
        wk_progress_step(&progress, o.batch_size * o.piece);
    }
    wk_progress_end(&progress);
    wk_lr_scheduler_free(schedule);
    wk_optim_free(optimizer);
    wk_module_free(ears[0]);
    wk_module_free(ears[1]);
}

/* ---------------------------------------------------------------- what became of it */

/* 10 log10 of the power of x over that of what y lacks */
static double decibels(wk_tensor *x, wk_tensor *y)
{
    return 10 * log10(wk_item(wk_sum(wk_square(x))) / wk_item(wk_sum(wk_square(wk_sub(x, y)))));
}

/* bits for each frame if codes were as often as here: the entropy of each codebook's, summed.  codes: (N, Q) */
static double bits_of(wk_tensor *codes)
{
    wk_tensor *part = wk_mean(wk_to(wk_one_hot(codes, MODEL.codes), wk_float64), 0); // (Q, K)
    return -wk_item(wk_sum(wk_mul(part, wk_log2(wk_add(part, 1e-12)))));
}

/* (1, T) -> a picture of its spectrogram (1, 1, F, L), from 0 to 1, low frequencies at the bottom */
static wk_tensor *picture_of(wk_tensor *x)
{
    wk_module *mel = wk_audio_mel_spectrogram(RATE, 512, .hop_length = 64, .n_mels = 80);
    wk_module *decibels = wk_audio_amplitude_to_db(.top_db = 70);
    wk_tensor *y = wk_flip(wk_forward(decibels, wk_forward(mel, x)), 1); // (1, F, L)
    wk_module_free(mel);
    wk_module_free(decibels);
    y = wk_div(wk_sub(y, wk_min(y)), wk_sub(wk_max(y), wk_min(y)));
    return wk_unsqueeze(y, 0); // (1, 1, F, L)
}

static void show(codec *model, const double *losses, options o)
{
    wk_tensor *x = speech_say(test_line, test_voice, RATE);                                  // (1, T)
    x = wk_narrow(x, 1, 0, wk_size(x, 1) / STRIDE * STRIDE);                                 // (1, T')
    wk_tensor *codes, *apart, *y = codec_rebuild(model, wk_unsqueeze(x, 0), &codes, &apart); // (1, 1, T')
    y = wk_select(y, 0, 0);                                                                  // (1, T')
    const double frames = (double)RATE / STRIDE, bits = frames * MODEL.books * log2((double)MODEL.codes);
    printf(
        "a line and a voice that it never heard: %.1f dB over what was lost, at %.1f kbit/s (%.1f as they are used); "
        "as 16-bit samples %.0f kbit/s\n",
        decibels(x, y), bits / 1000, frames * bits_of(codes) / 1000, 16e-3 * RATE);
    if (wk_audio_save(kata_path(o.out, "codec_original.wav"), x, RATE) &&
        wk_audio_save(kata_path(o.out, "codec_rebuilt.wav"), y, RATE))
        printf("wrote %s/codec_original.wav and codec_rebuilt.wav\n", o.out);
    kata_save_grid(wk_cat((picture_of(x), picture_of(y))), o.out, "codec_spectrograms.png", 1, 2);

    const int64_t shown = 400, most = wk_size(x, 1) - shown; // 50 thousandths of a second, where it is loudest
    const int64_t loudest = wk_item_int64(wk_argmax(wk_abs(x))) - shown / 2;
    const int64_t begin = loudest < 0 ? 0 : loudest > most ? most : loudest;
    double at[400], waves[2][400], *steps = calloc((size_t)o.steps + 1, sizeof *steps);
    for (int64_t i = 0; i < shown; i++)
        at[i] = (double)(begin + i) * 1000 / RATE;
    wk_tolist(wk_narrow(x, 1, begin, shown), waves[0]);
    wk_tolist(wk_narrow(y, 1, begin, shown), waves[1]);
    for (int64_t i = 0; i < o.steps; i++)
        steps[i] = (double)(i + 1);
    wk_tensor *curves = wk_plot_curves(
        {.title = "a line that it never heard",
         .x_label = "thousandths of a second",
         .curves = {{"original", at, waves[0], .count = shown}, {"rebuilt", at, waves[1], .count = shown}}},
        {.title = "training loss", .x_label = "step", .curves = {{"loss", steps, losses, o.steps, .smooth = true}}});
    if (wk_vision_write_png(curves, kata_path(o.out, "codec_waves.png")))
        printf("wrote %s/codec_waves.png\n", o.out);
    free(steps);
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    wk_scope
    {
        wk_tensor *x = speech(o); // (T,)
        printf("%.0f seconds of speech\n", (double)wk_size(x, 0) / RATE);
        wk_manual_seed(o.seed);
        codec *model = codec_new(MODEL);
        printf("a codec of %lld weights: %d samples become %lld codes of %lld\n",
               (long long)wk_module_parameter_count(model), STRIDE, (long long)MODEL.books, (long long)MODEL.codes);
        if (*o.load)
            kata_load(model, o.load);
        double *losses = calloc((size_t)o.steps + 1, sizeof *losses);
        if (o.steps > 0) {
            train(model, x, o, losses);
            kata_save(model, o.out, "codec.safetensors");
        }
        wk_no_grad show(model, losses, o);
        free(losses);
        wk_module_free(model);
    }
    return 0;
}
