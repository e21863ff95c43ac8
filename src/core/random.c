/* The generator: mt19937 (Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998), seeded, saved and
   restored as PyTorch does it.

   Of a seed only the low 32 bits reach the state; all 64 are remembered.  A saved state is the array of bytes that
   torch.get_rng_state gives, so a checkpoint continues in either. */
#include "random.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIDDLE 397 // words between the two that make a third

/* torch.get_rng_state, as PyTorch lays it out in memory */
typedef struct saved_state {
    uint64_t seed;
    int32_t left, seeded;
    uint64_t next;
    uint64_t state[WK_TWISTER_WORDS];
    double unused_before, normal, unused_after;
    int32_t has_normal, padding;
    float float_normal; // of draws that PyTorch's CPU never makes
    int32_t has_float_normal;
} saved_state;
_Static_assert(sizeof(saved_state) == WK_GENERATOR_STATE_BYTES, "a saved state has PyTorch's size");

static void seed_state(wk_generator *generator, uint64_t seed)
{
    uint32_t *state = generator->state;
    generator->seed = seed;
    state[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < WK_TWISTER_WORDS; i++)
        state[i] = 1812433253u * (state[i - 1] ^ (state[i - 1] >> 30)) + i;
    generator->left = 1;
    generator->next = 0;
    generator->has_normal = false;
}

void wk_generator_init(wk_generator *generator, uint64_t seed)
{
    pthread_mutex_init(&generator->mutex, NULL);
    seed_state(generator, seed);
}

void wk_generator_lock(wk_generator *generator) { pthread_mutex_lock(&generator->mutex); }

void wk_generator_unlock(wk_generator *generator) { pthread_mutex_unlock(&generator->mutex); }

void wk_generator_reseed(wk_generator *generator, uint64_t seed)
{
    wk_generator_lock(generator);
    seed_state(generator, seed);
    wk_generator_unlock(generator);
}

uint64_t wk_random_seed(void)
{
    uint64_t seed;
    if (getentropy(&seed, sizeof seed) != 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec << 20;
    }
    return seed;
}

/* One generator of the whole process, as PyTorch has it: a program that never seeds it gets other numbers each run. */
static wk_generator process_generator;
static pthread_once_t process_generator_once = PTHREAD_ONCE_INIT;

static void seed_process_generator(void) { wk_generator_init(&process_generator, wk_random_seed()); }

wk_generator *wk_generator_or_default(wk_generator *generator)
{
    if (generator)
        return generator;
    pthread_once(&process_generator_once, seed_process_generator);
    return &process_generator;
}

void wk_generator_save(wk_generator *generator, void *bytes)
{
    saved_state saved = {0};
    wk_generator_lock(generator);
    saved.seed = generator->seed;
    saved.left = generator->left;
    saved.seeded = true;
    saved.next = (uint64_t)generator->next;
    for (int i = 0; i < WK_TWISTER_WORDS; i++)
        saved.state[i] = generator->state[i];
    saved.has_normal = generator->has_normal;
    saved.normal = generator->has_normal ? generator->normal : 0;
    wk_generator_unlock(generator);
    memcpy(bytes, &saved, sizeof saved);
}

bool wk_generator_load(wk_generator *generator, const void *bytes)
{
    saved_state saved;
    memcpy(&saved, bytes, sizeof saved);
    if (!saved.seeded || saved.left < 1 || saved.left > WK_TWISTER_WORDS || saved.next > WK_TWISTER_WORDS ||
        (saved.left > 1 && saved.next + (uint64_t)saved.left != WK_TWISTER_WORDS + 1))
        return false;
    wk_generator_lock(generator);
    generator->seed = saved.seed;
    generator->left = saved.left;
    generator->next = (int)saved.next;
    for (int i = 0; i < WK_TWISTER_WORDS; i++)
        generator->state[i] = (uint32_t)saved.state[i];
    generator->has_normal = saved.has_normal;
    generator->normal = saved.normal;
    wk_generator_unlock(generator);
    return true;
}

/* The top bit of one word and the rest of the next, shifted through the twist's matrix. */
static uint32_t twist(uint32_t word, uint32_t following)
{
    uint32_t mixed = (word & 0x80000000u) | (following & 0x7fffffffu);
    return mixed >> 1 ^ (following & 1u ? 0x9908b0dfu : 0u);
}

static void next_state(wk_generator *generator)
{
    uint32_t *state = generator->state;
    const int wrap = WK_TWISTER_WORDS - MIDDLE;
    for (int i = 0; i < wrap; i++)
        state[i] = state[i + MIDDLE] ^ twist(state[i], state[i + 1]);
    for (int i = wrap; i < WK_TWISTER_WORDS - 1; i++)
        state[i] = state[i - wrap] ^ twist(state[i], state[i + 1]);
    state[WK_TWISTER_WORDS - 1] = state[MIDDLE - 1] ^ twist(state[WK_TWISTER_WORDS - 1], state[0]);
    generator->left = WK_TWISTER_WORDS + 1;
    generator->next = 0;
}

void wk_random_words(wk_generator *generator, uint32_t *words, int64_t count)
{
    while (count > 0) {
        if (generator->left == 1)
            next_state(generator);
        const int64_t here = generator->left - 1;
        const int64_t taken = count < here ? count : here;
        const uint32_t *state = generator->state + generator->next;
        for (int64_t i = 0; i < taken; i++) {
            uint32_t word = state[i];
            word ^= word >> 11;
            word ^= (word << 7) & 0x9d2c5680u;
            word ^= (word << 15) & 0xefc60000u;
            words[i] = word ^ (word >> 18);
        }
        generator->left -= (int)taken;
        generator->next += (int)taken;
        words += taken;
        count -= taken;
    }
}
