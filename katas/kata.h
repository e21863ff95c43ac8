/* What the larger katas share: their options, and the folder that they leave their results in. */
#ifndef KATAS_KATA_H
#define KATAS_KATA_H

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <wick.h>

/* ---------------------------------------------------------------- options: --steps 1500 */

typedef struct kata_option {
    const char *name, *value, *meaning; // {"steps", "N", "steps of training", ...
    int64_t *whole;                     // one of the three: where it goes, and its default
    double *number;
    const char **text;
    double least; // of a number
} kata_option;

#define KATA_OPTIONS 24

static inline void kata_bad(const char *option, const char *text, const char *expected)
{
    fprintf(stderr, "--%s: expected %s, got \"%s\"\n", option, expected, text);
    exit(2);
}

static inline void kata_help(const char *purpose, const kata_option *options)
{
    printf("%s\n", purpose);
    for (const kata_option *o = options; o->name; o++) {
        char usage[80];
        snprintf(usage, sizeof usage, "--%s %s", o->name, o->value);
        printf("  %-20s %s", usage, o->meaning);
        if (o->whole)
            printf(" (%lld)", (long long)*o->whole);
        else if (o->number)
            printf(" (%g)", *o->number);
        else if (*o->text && **o->text)
            printf(" (%s)", *o->text);
        printf("\n");
    }
    printf("  %-20s %s\n", "--help", "this");
}

static inline void kata_set_option(const kata_option *o, const char *text)
{
    if (o->text) {
        *o->text = text;
        return;
    }
    char *end, expected[80];
    const double value = o->whole ? (double)strtoll(text, &end, 10) : strtod(text, &end);
    snprintf(expected, sizeof expected, "a %s from %g", o->whole ? "whole number" : "number", o->least);
    if (end == text || *end != '\0' || !(value >= o->least) || value > 1e9)
        kata_bad(o->name, text, expected);
    if (o->whole)
        *o->whole = (int64_t)value;
    else
        *o->number = value;
}

/* options: up to one without a name; a value that does not fit ends the program, --help as well */
static inline void kata_read_options(int argc, char **argv, const char *purpose, const kata_option *options)
{
    struct option names[KATA_OPTIONS + 2] = {{"help", no_argument, NULL, KATA_OPTIONS}};
    for (int i = 0; i < KATA_OPTIONS && options[i].name; i++)
        names[i + 1] = (struct option){options[i].name, required_argument, NULL, i};
    for (int which; (which = getopt_long(argc, argv, "", names, NULL)) != -1;)
        if (which == KATA_OPTIONS) {
            kata_help(purpose, options);
            exit(0);
        } else if (which == '?') {
            fprintf(stderr, "--help tells the options\n");
            exit(2);
        } else
            kata_set_option(&options[which], optarg);
    if (optind < argc)
        kata_bad("help", argv[optind], "options only");
}

/* which of these names `text` is */
static inline int kata_choice(const char *option, const char *text, const char *const *names, int count)
{
    char expected[200] = "one of";
    for (int i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return i;
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), " %s", names[i]);
    }
    kata_bad(option, text, expected);
    return -1;
}

/* a file that is missing or broken is the user's to mend: no traceback, just what is wrong */
static inline void kata_stop_on(wk_error error, const char *option)
{
    if (!error.set)
        return;
    fflush(stdout);
    fprintf(stderr, "--%s: %s\n", option, error.message);
    exit(1);
}

/* Fashion-MNIST from `folder`, or where that is empty from where Debian puts it */
static inline wk_vision_dataset kata_fashion_mnist(const char *folder, bool train)
{
    wk_error missing;
    wk_vision_dataset data = {0};
    wk_try (&missing)
        data = wk_vision_fashion_mnist(*folder ? folder : NULL, .train = train);
    kata_stop_on(missing, "data");
    return data;
}

/* ---------------------------------------------------------------- results */

static inline void kata_make_folder(const char *folder)
{
    struct stat is;
    if (mkdir(folder, 0777) != 0 && (stat(folder, &is) != 0 || !S_ISDIR(is.st_mode)))
        kata_bad("out", folder, "a folder that is there or can be made");
}

/* "folder/name", in a buffer that the next call uses again */
static inline const char *kata_path(const char *folder, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* x: (N, C, H, W) from 0 to 1, as a grid of nrow in a row, each pixel of theirs `scale` wide */
static inline void kata_save_grid(wk_tensor *x, const char *folder, const char *name, int64_t nrow, double scale)
{
    const char *path = kata_path(folder, name);
    x = wk_interpolate(x, .scale_factor = scale); // (N, C, scale*H, scale*W)
    if (wk_vision_save_image(wk_clamp(x, 0, 1), path, .grid.nrow = nrow))
        printf("wrote %s\n", path);
}

/* frames: count times pictures (N, C, H, W) from 0 to 1, as an animation of grids */
static inline void kata_save_animation(wk_tensor **frames, int64_t count, const char *folder, const char *name,
                                       int64_t nrow, double scale)
{
    const char *path = kata_path(folder, name);
    for (int64_t i = 0; i < count; i++) {
        wk_tensor *x = wk_interpolate(wk_clamp(frames[i], 0, 1), .scale_factor = scale); // (N, C, scale*H, scale*W)
        frames[i] = wk_vision_make_grid(x, .nrow = nrow);                                // (3, H', W')
    }
    if (wk_vision_save_animation(wk_stack((wk_tensors){count, frames}), path, .fps = 12)) // (T, 3, H', W')
        printf("wrote %s\n", path);
}

/* the weights, which PyTorch reads as well */
static inline void kata_save(void *model, const char *folder, const char *name)
{
    wk_dict *state = wk_module_state_dict(model);
    const char *path = kata_path(folder, name);
    if (wk_safetensors_save_file(state, path))
        printf("saved %s\n", path);
    wk_dict_free(state);
}

static inline void kata_load(void *model, const char *path)
{
    wk_error wrong;
    wk_try (&wrong) {
        wk_dict *state = wk_safetensors_load_file(path);
        wk_module_load_state_dict(model, state);
        wk_dict_free(state);
    }
    kata_stop_on(wrong, "load");
}

#endif
