/* Random numbers on plain arrays, equal bit for bit to those that PyTorch's CPU generator draws for the same seed.

   A generator is a Mersenne Twister (mt19937) that is asked for words of 32 bits.  How a distribution spends words is
   PyTorch's: a float32 takes one, a float64 or a wide integer two (high one first), a Box-Muller pair its two uniforms.
   Each draw locks the generator, so threads may share one; the order in which they get their turns is then theirs. */
#ifndef WICK_CORE_RANDOM_H
#define WICK_CORE_RANDOM_H

#include <pthread.h>

#include <wick/dtype.h>

#define WK_TWISTER_WORDS 624
#define WK_GENERATOR_STATE_BYTES 5056

typedef struct wk_generator {
    pthread_mutex_t mutex;
    uint64_t seed;
    uint32_t state[WK_TWISTER_WORDS];
    int left;        // words of this state still to give, plus one: at 1 the next word makes a new state
    int next;        // which word is given next
    bool has_normal; // the other half of a Box-Muller pair waits
    double normal;
} wk_generator;

wk_generator *wk_generator_or_default(wk_generator *generator); // the process's own where generator is NULL
void wk_generator_init(wk_generator *generator, uint64_t seed);
void wk_generator_reseed(wk_generator *generator, uint64_t seed);   // locks
void wk_generator_save(wk_generator *generator, void *bytes);       // torch.get_rng_state's WK_GENERATOR_STATE_BYTES
bool wk_generator_load(wk_generator *generator, const void *bytes); // false, and no change: not a state
uint64_t wk_random_seed(void);                                      // from the operating system

/* For draws that are made of several: lock, draw words, unlock.  All below lock by themselves. */
void wk_generator_lock(wk_generator *generator);
void wk_generator_unlock(wk_generator *generator);
void wk_random_words(wk_generator *generator, uint32_t *words, int64_t count);
double wk_random_unit(wk_generator *generator); // the next double in [0, 1)

/* [from, to) as float16, bfloat16, float32 or float64 */
void wk_random_uniform(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, double from, double to);

/* mean + std * normal, floating dtypes.  PyTorch draws 16 and more of a contiguous tensor in blocks, and fewer, or any
   number of another tensor, one after another: other numbers of the same distribution. */
void wk_random_normal(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, double mean, double std);
void wk_random_normal_singly(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, double mean, double std);

/* low .. low + range - 1 as any real dtype */
void wk_random_integers(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, int64_t low, uint64_t range);

/* Tensor.random_() without limits: 0 .. the greatest integer of the dtype; of floats 0 .. 2^(bits of mantissa) */
void wk_random_full(wk_generator *generator, wk_dtype dtype, void *y, int64_t count);

/* 0 .. count - 1 shuffled, as any real dtype that holds them */
void wk_random_permutation(wk_generator *generator, wk_dtype dtype, void *y, int64_t count);

/* y[i] = a draw < p[i], 0 or 1 as any real dtype; p float64 draws in double, float32 in float */
void wk_random_bernoulli(wk_generator *generator, wk_dtype p_dtype, const void *p, wk_dtype dtype, void *y,
                         int64_t count);
/* one p for all: in double */
void wk_random_bernoulli_same(wk_generator *generator, double p, wk_dtype dtype, void *y, int64_t count);

/* -log(1 - u) / lambda, floating dtypes */
void wk_random_exponential(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, double lambda);

#endif
