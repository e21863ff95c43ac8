/* What the twins of whole models share (tests/golden/twins.py): the same start, and the same losses on the way. */
#ifndef WICK_TESTS_TWIN_H
#define WICK_TESTS_TWIN_H

#include "answers.h"
#include "mirror.h"

static wk_device device; // where the models are trained; what is drawn is drawn on the CPU

/* the initial weights: PyTorch's names in its order, and its numbers by their sum and that of their squares */
static inline void assert_begins_alike(const char *name, void *model)
{
    char prefix[60];
    snprintf(prefix, sizeof prefix, "%s/state/", name);
    wk_dict *state = wk_module_state_dict(model), *expected = wk_dict_part(answers, prefix);
    assert_int_equal(wk_dict_count(state), wk_dict_count(expected));
    for (int64_t i = 0; i < wk_dict_count(state); i++)
        wk_scope
    {
        const char *key = wk_dict_key_at(state, i);
        wk_tensor *value = wk_to(wk_dict_value_at(state, i), wk_float64);
        wk_tensor *sums = wk_stack((wk_sum(value), wk_sum(wk_mul(value, value))));
        assert_near(key, sums, answer("%s/state/%s", name, key), 1e-12);
    }
    wk_dict_free(state);
    wk_dict_free(expected);
}

/* loss: the number at `step` of what was lost in PyTorch */
static inline void assert_loses_alike(const char *name, int64_t step, wk_tensor *loss)
{
    wk_tensor *losses = wk_flatten(answer("%s/losses", name));
    const double got = wk_item(loss), expected = wk_item(wk_select(losses, 0, step));
    if (!(fabs(got - expected) <= 1e-4 * fabs(expected)))
        fail_msg("%s: loss %lld is %.7g, expected %.7g", name, (long long)step, got, expected);
}

static inline void on_both(void (*twin)(void))
{
    const wk_device devices[] = {wk_cpu, mirror};
    for (int i = 0; i < 2; i++)
        wk_scope
    {
        device = devices[i];
        twin();
    }
}

static inline int setup(void **state)
{
    (void)state;
    return read_answers("twins");
}
static inline int teardown(void **state)
{
    (void)state;
    wk_dict_free(answers);
    return 0;
}

#endif
