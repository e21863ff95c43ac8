/* Random numbers, equal bit for bit on the CPU to those that PyTorch's CPU draws for the same seed.

   A generator is a Mersenne Twister (mt19937) that is asked for words of 32 bits.  How a distribution spends words is
   PyTorch's: a float32 takes one, a float64 or a wide integer two (high one first), a Box-Muller pair its two uniforms.
   Each draw locks the generator, so threads may share one; the order in which they get their turns is then theirs.
   A device that draws by other means takes its seed from the generator. */
#ifndef WICK_KERNELS_RANDOM_H
#define WICK_KERNELS_RANDOM_H

#include <pthread.h>

#include <wick/dtype.h>

#define WK_TWISTER_WORDS 624

typedef struct wk_generator {
    pthread_mutex_t mutex;
    unsigned forks; // wk_forks when the mutex was made
    uint64_t seed;
    uint32_t state[WK_TWISTER_WORDS];
    int left;        // words of this state still to give, plus one: at 1 the next word makes a new state
    int next;        // which word is given next
    bool has_normal; // the other half of a Box-Muller pair waits
    double normal;
} wk_generator;

/* kernels/cpu/twister.c.  For draws that are made of several: lock, draw words, unlock; kernels lock by themselves. */
void wk_generator_lock(wk_generator *generator);
void wk_generator_unlock(wk_generator *generator);
void wk_generator_seed_state(wk_generator *generator, uint64_t seed); // does not lock
void wk_random_words(wk_generator *generator, uint32_t *words, int64_t count);
double wk_random_unit(wk_generator *generator); // the next double in [0, 1)

/* Where a generator is, so that another may draw again from there: its state and what of it is spent.  Unlocked. */
#define WK_TWISTER_MARK (WK_TWISTER_WORDS + 2)
void wk_generator_mark(const wk_generator *generator, uint32_t mark[WK_TWISTER_MARK]);
void wk_generator_from_mark(wk_generator *generator, const uint32_t mark[WK_TWISTER_MARK]); // for one thread's own
void wk_random_skip(wk_generator *generator, int64_t count);                                // words

/* the low 53 bits of two words (high one first), over 2^53 */
static inline double wk_unit_of_words(const uint32_t *words)
{
    const uint64_t wide = (uint64_t)words[0] << 32 | words[1];
    return (double)(int64_t)(wide & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
}

/* y (count) of dtype, by the line's distribution; the fields that a line does not name do not count.
   uniform       [from, to), floating
   normal        from + to * normal, floating.  PyTorch draws 16 and more of a contiguous tensor in blocks, and fewer,
                 or any number of another tensor, `singly`, one after another: other numbers of one distribution.
   integers      low .. low + range - 1, as any real dtype
   random_full   0 .. the greatest integer of the dtype; of floats 0 .. 2^(bits of mantissa)
   permutation   0 .. count - 1 shuffled, as any real dtype that holds them
   bernoulli     a draw < p[i], 0 or 1 as any real dtype; p of p_dtype: float64 draws in double, float32 in float; a p
                 outside [0, 1] is a fault.  p NULL: `from` for all, in double.
   exponential   -log(1 - u) / from, floating */
typedef struct wk_draw_work {
    wk_generator *generator;
    void *y;
    wk_dtype dtype;
    int64_t count;
    double from, to;
    bool singly;
    int64_t low;
    uint64_t range;
    const void *p;
    wk_dtype p_dtype;
} wk_draw_work;

#endif
