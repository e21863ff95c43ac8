/* The generator (kernels/cpu/twister.c), seeded, saved and restored as PyTorch does it; and draws into arrays of the
   host's.  A saved state is the array of bytes that
   torch.get_rng_state gives, so a checkpoint continues in either. */
#include "random.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernels/fork.h"
#include "run.h"

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

void wk_generator_init(wk_generator *generator, uint64_t seed)
{
    pthread_mutex_init(&generator->mutex, NULL);
    generator->forks = wk_forks;
    wk_generator_seed_state(generator, seed);
}

void wk_generator_reseed(wk_generator *generator, uint64_t seed)
{
    wk_generator_lock(generator);
    wk_generator_seed_state(generator, seed);
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

static _Thread_local wk_generator *generator_of_thread;

wk_generator *wk_generator_of_thread(wk_generator *generator)
{
    wk_generator *before = generator_of_thread;
    generator_of_thread = generator;
    return before;
}

wk_generator *wk_generator_or_default(wk_generator *generator)
{
    if (generator || generator_of_thread)
        return generator ? generator : generator_of_thread;
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

/* ---------------------------------------------------------------- draws into the host's arrays */

#define DRAW(line, ...)                                                                                                \
    wk_cpu_backend.kernels[wk_uint8]->line(                                                                            \
        wk_queue_of(wk_cpu),                                                                                           \
        &(wk_draw_work){.generator = generator, .y = y, .dtype = dtype, .count = count, __VA_ARGS__})

void wk_random_uniform(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, double from, double to)
{
    DRAW(uniform, .from = from, .to = to);
}

void wk_random_normal(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, double mean, double std,
                      bool singly)
{
    DRAW(normal, .from = mean, .to = std, .singly = singly);
}

void wk_random_integers(wk_generator *generator, wk_dtype dtype, void *y, int64_t count, int64_t low, uint64_t range)
{
    DRAW(integers, .low = low, .range = range);
}

void wk_random_full(wk_generator *generator, wk_dtype dtype, void *y, int64_t count) { DRAW(random_full); }

void wk_random_permutation(wk_generator *generator, wk_dtype dtype, void *y, int64_t count) { DRAW(permutation); }
