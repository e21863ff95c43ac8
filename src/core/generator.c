/* Generators as users hold them, and the process's own.  Seeds and states only; draws are in random_draw.c. */
#include <wick/random.h>

#include "alloc.h"
#include "random.h"
#include "tensor.h"

#define FIRST_SEED UINT64_C(67280421310721) // torch.Generator() starts from it

wk_generator *wk_generator_new(void)
{
    wk_generator *generator = wk_alloc(sizeof *generator);
    if (!generator)
        return wk_out_of_memory("generator", sizeof *generator);
    wk_generator_init(generator, FIRST_SEED);
    return generator;
}

void wk_generator_free(wk_generator *generator)
{
    if (!generator)
        return;
    pthread_mutex_destroy(&generator->mutex);
    wk_free(generator);
}

wk_generator *wk_generator_manual_seed(wk_generator *generator, uint64_t seed)
{
    if (generator)
        wk_generator_reseed(generator, seed);
    return generator;
}

uint64_t wk_generator_seed(wk_generator *generator)
{
    const uint64_t seed = wk_random_seed();
    wk_generator_manual_seed(generator, seed);
    return seed;
}

uint64_t wk_generator_initial_seed(wk_generator *generator)
{
    if (!generator)
        return 0;
    wk_generator_lock(generator);
    const uint64_t seed = generator->seed;
    wk_generator_unlock(generator);
    return seed;
}

wk_tensor *wk_generator_get_state(wk_generator *generator)
{
    if (!generator)
        return wk_fail("get_rng_state", "generator: expected a generator, got NULL");
    wk_tensor *state = wk_tensor_new("get_rng_state", 1, (int64_t[]){WK_GENERATOR_STATE_BYTES}, wk_uint8, wk_cpu);
    if (state)
        wk_generator_save(generator, wk_data(state));
    return state;
}

bool wk_generator_set_state(wk_generator *generator, const wk_tensor *state)
{
    const char *const op = "set_rng_state";
    if (!generator)
        return wk_fail(op, "generator: expected a generator, got NULL");
    WK_REQUIRE(op, state);
    if (state->dtype != wk_uint8 || state->numel != WK_GENERATOR_STATE_BYTES || !wk_is_contiguous(state))
        return wk_fail(op, "state: expected the %d bytes that get_rng_state gave, got %s %s", WK_GENERATOR_STATE_BYTES,
                       wk_dtype_name(state->dtype), wk_shape_string(state));
    if (!wk_generator_load(generator, wk_data(state)))
        return wk_fail(op, "state: these bytes are not the state of a generator");
    return true;
}

void wk_manual_seed(uint64_t seed) { wk_generator_manual_seed(wk_generator_or_default(NULL), seed); }
uint64_t wk_seed(void) { return wk_generator_seed(wk_generator_or_default(NULL)); }
uint64_t wk_initial_seed(void) { return wk_generator_initial_seed(wk_generator_or_default(NULL)); }
wk_tensor *wk_get_rng_state(void) { return wk_generator_get_state(wk_generator_or_default(NULL)); }
bool wk_set_rng_state(const wk_tensor *state) { return wk_generator_set_state(wk_generator_or_default(NULL), state); }
