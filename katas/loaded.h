/* What the katas share that run models of others: options, and weights out of a file. */
#ifndef KATAS_LOADED_H
#define KATAS_LOADED_H

#include <errno.h>
#include <stdarg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wick.h>

/* ---------------------------------------------------------------- options: --name VALUE */

typedef struct loaded_option {
    const char *name, *help;
    const char **value; // its default, and then what was given
} loaded_option;

__attribute__((format(printf, 1, 2), noreturn, unused)) static void loaded_stop(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

/* reads the command line, or prints what the program does */
__attribute__((unused)) static void loaded_options(int argc, char **argv, const char *what,
                                                   const loaded_option *options, size_t count)
{
    for (int i = 1; i < argc; i += 2) {
        const char *name = strncmp(argv[i], "--", 2) == 0 ? argv[i] + 2 : NULL;
        size_t which = 0;
        while (name && which < count && strcmp(options[which].name, name) != 0)
            which++;
        if (name && strcmp(name, "help") == 0) {
            puts(what);
            for (which = 0; which < count; which++)
                printf("  --%-10s %s%s%s%s\n", options[which].name, options[which].help,
                       *options[which].value ? " (" : "", *options[which].value ? *options[which].value : "",
                       *options[which].value ? ")" : "");
            exit(0);
        }
        if (!name || which == count)
            loaded_stop("%s is no option of this program; --help lists them", argv[i]);
        if (i + 1 == argc)
            loaded_stop("%s: expected a value behind it", argv[i]);
        *options[which].value = argv[i + 1];
    }
}

__attribute__((unused)) static double loaded_number(const char *option, const char *text, double least, double most)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most))
        loaded_stop("--%s: expected a number from %g to %g, got \"%s\"", option, least, most, text);
    return value;
}

/* a file that is to be read: before wick says what is wrong with it, whether it is there at all */
__attribute__((unused)) static const char *loaded_file(const char *option, const char *path)
{
    if (access(path, R_OK) != 0)
        loaded_stop("--%s: %s: %s%s", option, path, strerror(errno),
                    strncmp(path, "models/", 7) == 0 ? " (make models downloads it)" : "");
    return path;
}

/* folder/name, where the folder is made if it is not there */
__attribute__((unused)) static const char *loaded_place(const char *folder, const char *name)
{
    static char path[4096];
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        loaded_stop("--out: %s: %s", folder, strerror(errno));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* ---------------------------------------------------------------- weights: .safetensors, or what torch.save wrote */

/* all of a file; wk_dict_free it */
__attribute__((unused)) static wk_dict *loaded_state(const char *option, const char *path)
{
    const char *ending = strrchr(loaded_file(option, path), '.');
    return ending && strcmp(ending, ".safetensors") == 0 ? wk_safetensors_load_file(path) : wk_load(path);
}

/* the weights of a file, strictly; the module then answers, and no longer learns */
__attribute__((unused)) static void *loaded_weights(void *module, const char *option, const char *path)
{
    wk_dict *state = loaded_state(option, path);
    wk_dict_remove(state, "embeddings.position_ids"); // 0, 1, 2, ..: older versions of transformers saved it
    wk_module_load_state_dict(module, state);
    wk_dict_free(state);
    return wk_module_eval(wk_module_requires_grad_(module, false));
}

#endif
