/* Bytes as a safetensors file that is loaded into a module, an optimizer and a schedule: each takes all of it or, after
   an error, none. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

static wk_dict *state_of(int what, void *model, wk_optimizer *optimizer, wk_lr_scheduler *schedule)
{
    wk_dict *shared = what == 0   ? wk_module_state_dict(model)
                      : what == 1 ? wk_optim_state_dict(optimizer)
                                  : wk_lr_scheduler_state_dict(schedule);
    wk_dict *copy = wk_dict_copy(shared);
    for (int64_t i = 0; i < wk_dict_count(shared); i++)
        wk_scope
    wk_dict_set(copy, wk_dict_key_at(shared, i), wk_clone(wk_dict_value_at(shared, i)));
    wk_dict_free(shared);
    return copy;
}

static void load(const wk_dict *dict, void *model, wk_optimizer *optimizer, wk_lr_scheduler *schedule)
{
    for (int what = 0; what < 3; what++) {
        wk_dict *before = state_of(what, model, optimizer, schedule);
        wk_error error;
        bool good = false;
        wk_try(&error) good = what == 0   ? wk_module_load_state_dict(model, dict)
                              : what == 1 ? wk_optim_load_state_dict(optimizer, dict)
                                          : wk_lr_scheduler_load_state_dict(schedule, dict);
        MUST(good == !error.set, error);
        wk_dict *after = state_of(what, model, optimizer, schedule);
        MUST(good || fuzz_same_dict(before, after), error);
        wk_dict_free(before);
        wk_dict_free(after);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = fuzz_open(bytes, size, path);
    wk_error error;
    wk_dict *dict = NULL;
    wk_try(&error) dict = wk_safetensors_load_file(path);
    if (dict)
        wk_scope
    {
        void *model = wk_nn_linear(2, 1);
        wk_optimizer *adam = wk_optim_adam(wk_module_parameters(model), .lr = 0.5);
        wk_lr_scheduler *schedule = wk_optim_step_lr(adam, 2);
        load(dict, model, adam, schedule);
        wk_lr_scheduler_free(schedule);
        wk_optim_free(adam);
        wk_module_free(model);
    }
    wk_dict_free(dict);
    close(file);
    return 0;
}
