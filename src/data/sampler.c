/* Samplers: the order of an epoch, drawn as PyTorch's samplers draw it.

   RandomSampler, without replacement: as many whole permutations as fit into num_samples, then one more of which only
   the rest is used; that last one is drawn even where nothing is left of it, once the epoch has been used up, so that
   the next epoch of the same generator begins where PyTorch's does.  With replacement: draws of 32. */
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "dataset.h"

static bool draw_in_order(const wk_sampler *sampler, int64_t *indices, wk_generator *generator)
{
    (void)generator;
    for (int64_t i = 0; i < sampler->length; i++)
        indices[i] = i;
    return true;
}

wk_sampler wk_data_sequential_sampler(const wk_dataset *dataset)
{
    const int64_t length = wk_dataset_length(dataset);
    return (wk_sampler){.length = length, .population = length, .draw = draw_in_order};
}

/* the first count of a permutation of population */
static bool draw_permutation(int64_t population, int64_t *indices, int64_t count, wk_generator *generator)
{
    if (count == population) {
        wk_random_permutation(generator, wk_int64, indices, population);
        return true;
    }
    const size_t bytes = (size_t)population * sizeof *indices;
    int64_t *all = wk_alloc(bytes);
    if (!all)
        return wk_out_of_memory("random_sampler", bytes);
    wk_random_permutation(generator, wk_int64, all, population);
    memcpy(indices, all, (size_t)count * sizeof *indices);
    wk_free(all);
    return true;
}

static bool draw_at_random(const wk_sampler *sampler, int64_t *indices, wk_generator *generator)
{
    const int64_t population = sampler->population, block = sampler->replacement ? 32 : population;
    for (int64_t begin = 0; begin < sampler->length; begin += block) {
        const int64_t count = sampler->length - begin < block ? sampler->length - begin : block;
        if (sampler->replacement)
            wk_random_integers(generator, wk_int64, indices + begin, count, 0, (uint64_t)population);
        else if (!draw_permutation(population, indices + begin, count, generator))
            return false;
    }
    return true;
}

wk_sampler wk_data_random_sampler_with(wk_random_sampler_args args)
{
    const int64_t length = wk_dataset_length(args.dataset);
    wk_sampler sampler = {.length = args.num_samples ? args.num_samples : length,
                          .population = length,
                          .replacement = args.replacement,
                          .draw = draw_at_random};
    if (sampler.length < 0 || (length == 0 && sampler.length > 0)) {
        wk_fail("random_sampler", "num_samples: expected 0 or more, of a data set that is not empty, got %lld of %lld",
                (long long)sampler.length, (long long)length);
        sampler.length = 0;
    }
    return sampler;
}

bool wk_sampler_draw(const wk_sampler *sampler, int64_t *indices, wk_generator *generator)
{
    if (sampler->draw != draw_in_order && !generator) {
        wk_generator seeded;
        int64_t seed;
        wk_random_full(wk_generator_or_default(NULL), wk_int64, &seed, 1);
        wk_generator_init(&seeded, (uint64_t)seed);
        const bool drawn = sampler->draw(sampler, indices, &seeded);
        pthread_mutex_destroy(&seeded.mutex);
        return drawn;
    }
    return sampler->draw(sampler, indices, generator);
}

bool wk_sampler_finish(const wk_sampler *sampler, wk_generator *generator)
{
    if (sampler->draw != draw_at_random || sampler->replacement || !generator || sampler->population == 0 ||
        sampler->length % sampler->population != 0)
        return true;
    int64_t none;
    return draw_permutation(sampler->population, &none, 0, generator);
}
