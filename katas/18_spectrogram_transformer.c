/* A transformer of spectrograms learns to tell spoken digits apart.

   A spectrogram says how loud which frequency is at which time: it is a picture, (B, 1, F, T), and cut into patches as
   the vision transformer cuts pictures, so this is one (vit.h).  "AST: Audio Spectrogram Transformer",
   https://arxiv.org/abs/2104.01778.

   espeak-ng says zero to nine with many voices, pitches and speeds; six voices are kept for the test: whoever speaks
   there was never heard before.  Prints the accuracy, and leaves ast_digits.png (spectrograms of the test, with what
   they were taken for), ast_confusion.png and ast.safetensors.  --listen recording.wav says which digit is spoken
   there. */
#include "speech.h"
#include "vit.h"

typedef struct options {
    int64_t epochs, batch_size, takes, quick, seed;
    double lr;
    const char *load, *listen, *out;
} options;

#define RATE 16000
#define LONGEST 15360 // samples of a recording: 0.96 seconds, 96 frames
#define FREQUENCIES 64
#define FRAMES 96
static const vit_config MODEL = {.image = FREQUENCIES,
                                 .width = FRAMES,
                                 .channels = 1,
                                 .patch = 16,
                                 .dim = 96,
                                 .depth = 3,
                                 .heads = 4,
                                 .classes = 10};

static options read_options(int argc, char **argv)
{
    static options o = {.epochs = 30, .batch_size = 64, .takes = 6, .lr = 1e-3};
    o.load = o.listen = "", o.out = "out";
    const kata_option names[] = {
        {"epochs", "N", "times through the training recordings", .whole = &o.epochs},
        {"batch-size", "N", "recordings in a step", .whole = &o.batch_size, .least = 1},
        {"takes", "N", "how often each voice says each digit", .whole = &o.takes, .least = 1},
        {"lr", "X", "highest learning rate", .number = &o.lr},
        {"load", "FILE", "begin with these weights", .text = &o.load},
        {"listen", "FILE", "with --load: which digit is said there, and no more", .text = &o.listen},
        {"quick", "0 or 1", "only so many takes and epochs that all of it runs", .whole = &o.quick},
        {"seed", "N", "of weights, order, pitches and speeds", .whole = &o.seed},
        {"out", "FOLDER", "where pictures and weights go", .text = &o.out},
        {.name = NULL},
    };
    kata_read_options(argc, argv, "Trains a transformer of spectrograms on spoken digits.", names);
    if (*o.listen && !*o.load)
        kata_bad("load", "none", "the weights that are to listen: --load out/ast.safetensors");
    if (o.quick)
        o.epochs = o.takes = 1;
    kata_make_folder(o.out);
    return o;
}

/* ---------------------------------------------------------------- recordings */

static const char *const digits[] = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
static const char *const voices[] = {"en-us+m1",    "en-us+m2",    "en-us+m3",    "en-gb+m4",    "en-gb+m5",
                                     "en-us+m6",    "en-us+f1",    "en-us+f2",    "en-gb+f3",    "en-gb+f4",
                                     "en-us+f5",    "en-us+Alex",  "en-gb+Andy",  "en-us+Gene",  "en-us+linda",
                                     "en-us+Marco", "en-gb+paul",  "en-us+steph", "en-gb+Annie", "en-us+Jacky",
                                     "en-us+ed",    "en-gb+victor"};
static const char *const test_voices[] = {"en-us+m7",    "en-gb+Lee",    "en-us+belinda",
                                          "en-us+Denis", "en-us+Alicia", "en-gb+Michael"};
#define VOICES ((int64_t)(sizeof voices / sizeof *voices))
#define TEST_VOICES ((int64_t)(sizeof test_voices / sizeof *test_voices))

/* x: (C, T) -> (LONGEST,) of the first channel, in the middle of silence or cut off, as loud as all others */
static wk_tensor *fitted(wk_tensor *x)
{
    x = wk_select(x, 0, 0);                         // (T,)
    x = wk_div(x, wk_add(wk_max(wk_abs(x)), 1e-5)); // (T,)
    const int64_t left = LONGEST - wk_size(x, 0);   // below 0: it is cut off
    return wk_pad(x, (left / 2, left - left / 2));  // (LONGEST,)
}

/* each digit by each voice, `takes` times, of any pitch and speed: waves (N, LONGEST), labels (N,) */
static void record(const char *title, const char *const *names, int64_t count, int64_t takes, wk_tensor **waves,
                   wk_tensor **labels)
{
    const int64_t N = count * takes * 10;
    *waves = wk_empty((N, LONGEST));
    *labels = wk_remainder(wk_arange(N), 10);
    wk_progress progress;
    wk_progress_start(&progress, N, "%s", title);
    progress.unit = "recordings";
    wk_for_each_step (i, 0, N) {
        const speech_voice voice = {.name = names[i / 10 % count],
                                    .pitch = wk_item_int64(wk_randint(20, 80, ())),
                                    .speed = wk_item_int64(wk_randint(130, 200, ()))};
        wk_copy_(wk_select(*waves, 0, i), fitted(speech_say(digits[i % 10], voice, RATE)));
        wk_progress_step(&progress, 1);
    }
    wk_progress_end(&progress);
}

/* waves (B, LONGEST) -> spectrograms (B, 1, F, T), decibels of mean 0 and about the deviation 1 */
static wk_tensor *spectrograms(wk_tensor *waves)
{
    static wk_module *mel, *decibels; // for the whole run
    if (!mel) {
        mel = wk_audio_mel_spectrogram(RATE, 400, .hop_length = 160, .n_mels = FREQUENCIES, .f_min = 50);
        decibels = wk_audio_amplitude_to_db(.top_db = 60);
    }
    wk_tensor *x = wk_forward(decibels, wk_forward(mel, wk_unsqueeze(waves, 1))); // (B, 1, F, T + 1)
    x = wk_narrow(x, 3, 0, FRAMES);                                               // (B, 1, F, T)
    return wk_div(wk_sub(x, wk_mean(x, (2, 3), .keepdim = true)), 15);
}

/* in training: somewhat earlier or later, with some noise, and a stripe of time and one of frequency left out */
static wk_tensor *augmented(wk_tensor *waves)
{
    static wk_module *hide[2];
    if (!hide[0]) {
        hide[0] = wk_audio_frequency_masking(12, .iid_masks = true);
        hide[1] = wk_audio_time_masking(16, .iid_masks = true);
    }
    const int64_t late = wk_item_int64(wk_randint(-2000, 2000, ()));
    waves = wk_roll(waves, late, 1);                                                // (B, LONGEST)
    const double loud = pow(10, -1.5 - 2.5 * wk_item(wk_rand(())));                 // 30 to 80 decibels down
    wk_tensor *x = spectrograms(wk_add(waves, wk_mul(wk_randn_like(waves), loud))); // (B, 1, F, T)
    return wk_forward(hide[1], wk_forward(hide[0], x));                             // (B, 1, F, T)
}

/* ---------------------------------------------------------------- training and testing */

static void train(vit *model, wk_tensor *waves, wk_tensor *labels, options o)
{
    wk_dataset *dataset = wk_data_tensor_dataset((waves, labels));
    wk_data_loader *loader = wk_data_loader(dataset, .batch_size = o.batch_size, .shuffle = true, .seed = o.seed,
                                            .drop_last = true, .unit = "recordings");
    wk_optimizer *optimizer = wk_optim_adamw(wk_module_parameters(model), .lr = o.lr, .weight_decay = 0.05);
    wk_lr_scheduler *schedule =
        wk_optim_one_cycle_lr(optimizer, o.lr, .total_steps = o.epochs * wk_data_loader_length(loader));
    for (int64_t epoch = 1; epoch <= o.epochs; epoch++)
        wk_for_each_batch (batch, loader, "epoch %lld/%lld", (long long)epoch, (long long)o.epochs) {
            wk_tensor *logits = wk_forward(model, augmented(batch.x)); // (B, 10)
            wk_tensor *loss = wk_cross_entropy(logits, batch.y);       // ()
            wk_optim_zero_grad(optimizer);
            wk_backward(loss);
            wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
            wk_optim_step(optimizer);
            wk_lr_scheduler_step(schedule);
            wk_batch_show(batch, "loss %.3f", wk_item(loss));
        }
    wk_lr_scheduler_free(schedule);
    wk_optim_free(optimizer);
    wk_data_loader_free(loader);
    wk_dataset_free(dataset);
}

static void test(vit *model, wk_tensor *waves, wk_tensor *labels, options o)
{
    wk_tensor *x = spectrograms(waves);                           // (N, 1, F, T)
    wk_tensor *predictions = wk_argmax(wk_forward(model, x), -1); // (N,)
    printf("accuracy on %lld recordings of voices that it never heard: %.3f\n", (long long)wk_size(labels, 0),
           wk_item(wk_mean(wk_to(wk_eq(predictions, labels), wk_float32))));
    wk_tensor *pictures = wk_flip(wk_narrow(x, 0, 0, 30), 2); // (30, 1, F, T), low ones below
    pictures = wk_clamp(wk_add(wk_mul(pictures, 0.25), 0.5), 0, 1);
    if (wk_vision_write_png(wk_plot_predictions(pictures, wk_narrow(labels, 0, 0, 30), wk_narrow(predictions, 0, 0, 30),
                                                digits, 10, .nrow = 10, .scale = 1),
                            kata_path(o.out, "ast_digits.png")) &&
        wk_vision_write_png(wk_plot_confusion_matrix(labels, predictions, digits, 10),
                            kata_path(o.out, "ast_confusion.png")))
        printf("wrote %s/ast_digits.png and ast_confusion.png\n", o.out);
}

static void listen(vit *model, options o)
{
    wk_error wrong;
    int64_t rate = RATE;
    wk_tensor *x = NULL;
    wk_try(&wrong) x = wk_audio_load(o.listen, &rate); // (C, T)
    kata_stop_on(wrong, "listen");
    x = wk_unsqueeze(fitted(wk_audio_functional_resample(x, rate, RATE)), 0); // (1, LONGEST)
    wk_tensor *sure = wk_softmax(wk_forward(model, spectrograms(x)));         // (1, 10)
    const int64_t digit = wk_item_int64(wk_argmax(sure, -1));
    printf("%s (%.0f%%)\n", digits[digit], 100 * wk_item(wk_max(sure)));
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    wk_manual_seed(o.seed);
    wk_scope
    {
        vit *model = vit_new(MODEL);
        if (*o.load)
            kata_load(model, o.load);
        if (*o.listen)
            wk_no_grad listen(model, o);
        else {
            printf("a transformer of %lld weights: a spectrogram of %d x %d becomes %lld tokens\n",
                   (long long)wk_module_parameter_count(model), FREQUENCIES, FRAMES,
                   (long long)wk_size(model->pos_embed, 1));
            wk_tensor *waves, *labels, *test_waves, *test_labels;
            record("espeak-ng", voices, VOICES, o.takes, &waves, &labels); // (N, LONGEST), (N,)
            record("for the test", test_voices, TEST_VOICES, o.takes, &test_waves, &test_labels);
            if (o.epochs > 0) {
                train(model, waves, labels, o);
                kata_save(model, o.out, "ast.safetensors");
            }
            wk_no_grad test(model, test_waves, test_labels, o);
        }
        wk_module_free(model);
    }
    return 0;
}
