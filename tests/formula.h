/* Weights and inputs that need no file: tests/golden/formula.py computes the same. */
#ifndef WICK_TESTS_FORMULA_H
#define WICK_TESTS_FORMULA_H

#include "answers.h"

static uint32_t seed_of(const char *name)
{
    uint32_t seed = 2166136261u;
    for (; *name; name++)
        seed = (seed ^ (unsigned char)*name) * 16777619u;
    return seed;
}

static uint32_t number(uint32_t seed, int64_t i) // 24 bits
{
    uint32_t h = (uint32_t)i * 2654435761u + seed;
    h = (h ^ h >> 16) * 0x45d9f3bu;
    return (h ^ h >> 16) >> 8;
}

static bool ends(const char *text, const char *with)
{
    const size_t length = strlen(text), tail = strlen(with);
    return length >= tail && strcmp(text + length - tail, with) == 0;
}

static void make(const char *name, wk_tensor *x)
{
    const uint32_t seed = seed_of(name);
    const bool wide = x->ndim == 2 || x->ndim == 4;
    const double scale = wide ? sqrt(3.0 * (double)x->shape[0] / (double)x->numel) : 0.5;
    const double shift = !wide && (ends(name, "weight") || ends(name, "running_var")) ? 1 : 0;
    float *out = wk_data_ptr(x);
    for (int64_t i = 0; i < x->numel; i++)
        out[i] = (float)(((double)number(seed, i) / 8388608 - 1) * scale + shift);
}

/* the state dict of the same module in PyTorch, loaded; `tied`: the first name of the weight of lm_head, or NULL */
static void fill(void *module, const char *tied)
{
    wk_dict *own = wk_module_state_dict(module), *state = wk_dict_new();
    for (int64_t i = 0; i < wk_dict_count(own); i++)
        wk_scope
    {
        wk_tensor *to = wk_dict_value_at(own, i), *x = wk_zeros_like(to);
        if (x->dtype == wk_float32)
            make(strcmp(wk_dict_key_at(own, i), "lm_head.weight") == 0 && tied ? tied : wk_dict_key_at(own, i), x);
        wk_dict_set(state, wk_dict_key_at(own, i), x);
    }
    assert_true(wk_module_load_state_dict(module, state));
    wk_dict_free(own);
    wk_dict_free(state);
}

/* the input of the shape of x: -2 to 2, scaled as a matrix or kernel where x has 2 or 4 dims */
static wk_tensor *input(wk_tensor *x)
{
    make("input", x);
    return wk_mul(x, 2);
}

#endif
