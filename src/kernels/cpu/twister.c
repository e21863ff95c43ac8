/* mt19937 (Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998).  Of a seed only the low 32 bits reach
   the state; all 64 are remembered. */
#include <string.h>

#include "../fork.h"
#include "../random.h"

#define MIDDLE 397 // words between the two that make a third

static pthread_mutex_t renewing = PTHREAD_MUTEX_INITIALIZER;
__attribute__((constructor)) static void watch_forks(void) { wk_fork_takes(&renewing); }

void wk_generator_lock(wk_generator *generator)
{
    if (__builtin_expect(__atomic_load_n(&generator->forks, __ATOMIC_ACQUIRE) != wk_forks, 0)) {
        pthread_mutex_lock(&renewing); // a thread that this process does not have may have held its lock
        if (generator->forks != wk_forks) {
            pthread_mutex_init(&generator->mutex, NULL);
            __atomic_store_n(&generator->forks, wk_forks, __ATOMIC_RELEASE);
        }
        pthread_mutex_unlock(&renewing);
    }
    pthread_mutex_lock(&generator->mutex);
}

void wk_generator_unlock(wk_generator *generator) { pthread_mutex_unlock(&generator->mutex); }

void wk_generator_seed_state(wk_generator *generator, uint64_t seed)
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

void wk_random_skip(wk_generator *generator, int64_t count)
{
    while (count > 0) {
        if (generator->left == 1)
            next_state(generator);
        const int64_t here = generator->left - 1, taken = count < here ? count : here;
        generator->left -= (int)taken;
        generator->next += (int)taken;
        count -= taken;
    }
}

void wk_generator_mark(const wk_generator *generator, uint32_t mark[WK_TWISTER_MARK])
{
    memcpy(mark, generator->state, sizeof generator->state);
    mark[WK_TWISTER_WORDS] = (uint32_t)generator->left;
    mark[WK_TWISTER_WORDS + 1] = (uint32_t)generator->next;
}

void wk_generator_from_mark(wk_generator *generator, const uint32_t mark[WK_TWISTER_MARK])
{
    memcpy(generator->state, mark, sizeof generator->state);
    generator->left = (int)mark[WK_TWISTER_WORDS];
    generator->next = (int)mark[WK_TWISTER_WORDS + 1];
}

double wk_random_unit(wk_generator *generator)
{
    uint32_t words[2];
    wk_random_words(generator, words, 2);
    return wk_unit_of_words(words);
}
