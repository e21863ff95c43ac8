/* What the katas share that run models of others: files that may not be there, and weights out of them. */
#ifndef KATAS_LOADED_H
#define KATAS_LOADED_H

#include <errno.h>
#include <unistd.h>

#include "kata.h"

/* a file to read; the program ends where it is not there */
static inline const char *loaded_file(const char *option, const char *path)
{
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "--%s: %s: %s%s\n", option, path, strerror(errno),
                strncmp(path, "models/", 7) == 0 ? " (make models downloads it)" : "");
        exit(1);
    }
    return path;
}

/* all of a checkpoint: .safetensors, or what torch.save wrote; wk_dict_free it */
static inline wk_dict *loaded_state(const char *option, const char *path)
{
    wk_error wrong;
    wk_dict *state = NULL;
    loaded_file(option, path);
    wk_try(&wrong) // model.safetensors, model.safetensors.index.json
        state = strstr(path, ".safetensors") ? wk_safetensors_load_file(path) : wk_load(path);
    kata_stop_on(wrong, option);
    return state;
}

/* the module with the weights of a state, strictly, which no longer learns; frees the state */
static inline void *loaded_into(void *module, const char *option, wk_dict *state)
{
    wk_error wrong;
    wk_try(&wrong) wk_module_load_state_dict(module, state);
    wk_dict_free(state);
    kata_stop_on(wrong, option);
    return wk_module_eval(wk_module_requires_grad_(module, false));
}

/* the same of a file */
static inline void *loaded_weights(void *module, const char *option, const char *path)
{
    wk_dict *state = loaded_state(option, path);
    wk_dict_remove(state, "embeddings.position_ids"); // 0, 1, 2, ..: older versions of transformers saved it
    return loaded_into(module, option, state);
}

#endif
