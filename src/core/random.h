/* Generators above the kernels: seeds, states, and draws into arrays of the host's (kernels/random.h has the rest). */
#ifndef WICK_CORE_RANDOM_H
#define WICK_CORE_RANDOM_H

#include "kernels/random.h"

#define WK_GENERATOR_STATE_BYTES 5056

/* generator, or where it is NULL the one that this thread was given, or the process's own */
wk_generator *wk_generator_or_default(wk_generator *generator);
/* from now on this thread draws from it where it names none; NULL: from the process's.  Returns the one before. */
wk_generator *wk_generator_of_thread(wk_generator *generator);
void wk_generator_init(wk_generator *generator, uint64_t seed);
void wk_generator_reseed(wk_generator *generator, uint64_t seed);   // locks
void wk_generator_save(wk_generator *generator, void *bytes);       // torch.get_rng_state's WK_GENERATOR_STATE_BYTES
bool wk_generator_load(wk_generator *generator, const void *bytes); // false, and no change: not a state
uint64_t wk_random_seed(void);                                      // from the operating system

/* as the lines of kernels/random.h, in the calling thread */
void wk_random_uniform(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, double from, double to);
void wk_random_normal(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, double mean, double std,
                      bool singly);
void wk_random_integers(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, int64_t low, uint64_t range);
void wk_random_full(wk_generator *generator, wk_dtype dtype, void *y, int64_t count);
void wk_random_permutation(wk_generator *generator, wk_dtype dtype, void *y, int64_t count);

#endif
