/* Samplers: the order of an epoch, drawn as PyTorch's samplers draw it.

   RandomSampler, without replacement: as many whole permutations as fit into num_samples, then one more of which only
   the rest is used; that last one is drawn even where nothing is left of it, once the epoch has been used up, so that
   the next epoch of the same generator begins where PyTorch's does.  With replacement: draws of 32.  Without a
   generator, one that is seeded from the process's.

   WeightedRandomSampler: a multinomial of float64 weights.  DistributedSampler: a permutation by a generator seeded
   with seed + epoch, made a multiple of num_replicas by its own beginning, or cut to one, of which a rank has every
   num_replicas-th. */
#include <string.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/creation.h>

#include "core/alloc.h"
#include "core/host.h"
#include "core/random.h"
#include "dataset.h"

static wk_sampler *sampler_new(const char *op, wk_sampler of)
{
    wk_sampler *sampler = wk_alloc(sizeof *sampler);
    if (!sampler)
        return wk_out_of_memory(op, sizeof *sampler);
    *sampler = of;
    sampler->references = 1;
    return sampler;
}

wk_sampler *wk_sampler_retain(wk_sampler *sampler)
{
    __atomic_add_fetch(&sampler->references, 1, __ATOMIC_RELAXED);
    return sampler;
}

void wk_sampler_free(wk_sampler *sampler)
{
    if (!sampler || __atomic_sub_fetch(&sampler->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (sampler->functions.release)
        sampler->functions.release(sampler->functions.context);
    wk_release(sampler->weights);
    wk_sampler_free(sampler->of);
    wk_free(sampler);
}

int64_t wk_sampler_length(const wk_sampler *sampler) { return sampler ? sampler->length : 0; }

/* the length of dataset; false after an error */
static bool read_length(const char *op, const wk_dataset *dataset, int64_t *length)
{
    if (!dataset)
        return wk_null_input(op, "dataset");
    WK_NAMES_ERRORS(op);
    *length = wk_dataset_length(dataset);
    return !wk_failing();
}

/* ---------------------------------------------------------------- in order, and the user's */

static bool draw_in_order(const wk_sampler *sampler, int64_t *indices, wk_generator *generator)
{
    (void)generator;
    for (int64_t i = 0; i < sampler->length; i++)
        indices[i] = i;
    return true;
}

wk_sampler *wk_data_sequential_sampler(const wk_dataset *dataset)
{
    int64_t length = 0;
    if (!read_length("sequential_sampler", dataset, &length))
        return NULL;
    return sampler_new("sequential_sampler", (wk_sampler){.length = length, .draw = draw_in_order});
}

static bool draw_by_user(const wk_sampler *sampler, int64_t *indices, wk_generator *generator)
{
    const wk_sampler_args *user = &sampler->functions;
    return user->draw(user->context, indices, sampler->length, wk_generator_or_default(generator));
}

wk_sampler *wk_data_sampler_with(wk_sampler_args args)
{
    wk_sampler *sampler = NULL;
    if (!args.draw)
        wk_fail("sampler", "draw: expected a function, got NULL");
    else if (args.length < 0)
        wk_fail("sampler", "length: expected 0 or more, got %lld", (long long)args.length);
    else
        sampler = sampler_new("sampler", (wk_sampler){.length = args.length, .draw = draw_by_user, .functions = args});
    if (!sampler && args.release)
        args.release(args.context);
    return sampler;
}

/* ---------------------------------------------------------------- at random */

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
    if (!generator) {
        wk_generator seeded;
        int64_t seed;
        wk_random_full(wk_generator_or_default(NULL), wk_int64, &seed, 1);
        wk_generator_init(&seeded, (uint64_t)seed);
        const bool drawn = draw_at_random(sampler, indices, &seeded);
        pthread_mutex_destroy(&seeded.mutex);
        return drawn;
    }
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

wk_sampler *wk_data_random_sampler_with(wk_random_sampler_args args)
{
    const char *const op = "random_sampler";
    int64_t length = 0;
    if (!read_length(op, args.dataset, &length))
        return NULL;
    if (args.num_samples < 0 || (length == 0 && args.num_samples > 0))
        return wk_fail(op, "num_samples: expected 0 or more, of a data set that is not empty, got %lld of %lld",
                       (long long)args.num_samples, (long long)length);
    return sampler_new(op, (wk_sampler){.length = args.num_samples ? args.num_samples : length,
                                        .population = length,
                                        .replacement = args.replacement,
                                        .generator = args.generator,
                                        .draw = draw_at_random});
}

static bool draw_weighted(const wk_sampler *sampler, int64_t *indices, wk_generator *generator)
{
    WK_NAMES_ERRORS("weighted_random_sampler");
    const wk_tensor *drawn = NULL;
    wk_scope
    {
        drawn = wk_multinomial(sampler->weights, sampler->length, sampler->replacement, generator);
        if (drawn)
            memcpy(indices, wk_host("weighted_random_sampler", drawn), (size_t)sampler->length * sizeof *indices);
    }
    return drawn != NULL;
}

wk_sampler *wk_data_weighted_random_sampler_with(wk_weighted_random_sampler_args args)
{
    const char *const op = "weighted_random_sampler";
    WK_REQUIRE(op, args.weights);
    const wk_tensor *weights = args.weights;
    if (weights->ndim != 1 || wk_is_complex(weights))
        return wk_fail(op, "weights: expected a real tensor (n,), got %s %s", wk_dtype_name(weights->dtype),
                       wk_shape_string(weights));
    if (args.num_samples < 1)
        return wk_fail(op, "num_samples: expected 1 or more, got %lld", (long long)args.num_samples);
    if (!args.replacement && args.num_samples > weights->numel)
        return wk_fail(op, "num_samples: %lld samples of %lld items need .replacement = true",
                       (long long)args.num_samples, (long long)weights->numel);
    WK_NAMES_ERRORS(op);
    wk_sampler *sampler = NULL;
    wk_scope
    {
        wk_tensor *kept = wk_to(wk_to(wk_clone(wk_detach(args.weights)), wk_float64), wk_cpu);
        if (kept)
            sampler = sampler_new(op, (wk_sampler){.length = args.num_samples,
                                                   .replacement = args.replacement,
                                                   .generator = args.generator,
                                                   .draw = draw_weighted});
        if (sampler)
            sampler->weights = wk_retain(kept);
    }
    return sampler;
}

/* ---------------------------------------------------------------- a part for each process */

static bool draw_distributed(const wk_sampler *sampler, int64_t *indices, wk_generator *generator)
{
    (void)generator;
    const wk_distributed_sampler_args *args = &sampler->distributed;
    const int64_t population = sampler->population;
    int64_t *all = NULL;
    if (args->shuffle) {
        const size_t bytes = (size_t)population * sizeof *all;
        if (!(all = wk_alloc(bytes)))
            return wk_out_of_memory("distributed_sampler", bytes);
        const int64_t epoch = __atomic_load_n(&sampler->epoch, __ATOMIC_RELAXED);
        wk_generator seeded;
        wk_generator_init(&seeded, (uint64_t)args->seed + (uint64_t)epoch);
        wk_random_permutation(&seeded, wk_int64, all, population);
        pthread_mutex_destroy(&seeded.mutex);
    }
    for (int64_t i = 0; i < sampler->length; i++) {
        const int64_t at = (args->rank + i * args->num_replicas) % population;
        indices[i] = all ? all[at] : at;
    }
    wk_free(all);
    return true;
}

wk_sampler *wk_data_distributed_sampler_with(wk_distributed_sampler_args args)
{
    const char *const op = "distributed_sampler";
    int64_t length = 0;
    if (!read_length(op, args.dataset, &length))
        return NULL;
    if (args.num_replicas < 1)
        return wk_fail(op, "num_replicas: expected 1 or more, got %lld", (long long)args.num_replicas);
    if (args.rank < 0 || args.rank >= args.num_replicas)
        return wk_fail(op, "rank: expected 0 .. %lld, got %lld", (long long)args.num_replicas - 1,
                       (long long)args.rank);
    const int64_t whole = length / args.num_replicas, rest = length % args.num_replicas;
    return sampler_new(op, (wk_sampler){.length = whole + (rest && !args.drop_last),
                                        .population = length,
                                        .distributed = args,
                                        .draw = draw_distributed});
}

bool wk_sampler_set_epoch(wk_sampler *sampler, int64_t epoch)
{
    if (!sampler)
        return wk_null_input("set_epoch", "sampler");
    if (sampler->draw != draw_distributed)
        return wk_fail("set_epoch", "sampler: expected a distributed sampler, whose order the epoch decides");
    __atomic_store_n(&sampler->epoch, epoch, __ATOMIC_RELAXED);
    return true;
}

/* ---------------------------------------------------------------- batches */

static bool draw_of_inner(const wk_sampler *sampler, int64_t *indices, wk_generator *generator)
{
    return wk_sampler_draw(sampler->of, indices, generator);
}

wk_sampler *wk_data_batch_sampler(wk_sampler *sampler, int64_t batch_size, bool drop_last)
{
    const char *const op = "batch_sampler";
    if (!sampler)
        return wk_null_input(op, "sampler");
    if (sampler->of)
        return wk_fail(op, "sampler: expected one of items, got a batch sampler");
    if (batch_size < 1)
        return wk_fail(op, "batch_size: expected 1 or more, got %lld", (long long)batch_size);
    wk_sampler *batches = sampler_new(
        op, (wk_sampler){
                .length = sampler->length, .draw = draw_of_inner, .batch_size = batch_size, .drop_last = drop_last});
    if (batches)
        batches->of = wk_sampler_retain(sampler);
    return batches;
}

/* ---------------------------------------------------------------- what the loader calls */

bool wk_sampler_draw(const wk_sampler *sampler, int64_t *indices, wk_generator *generator)
{
    return sampler->draw(sampler, indices, sampler->generator ? sampler->generator : generator);
}

bool wk_sampler_finish(const wk_sampler *sampler, wk_generator *generator)
{
    if (sampler->of)
        return wk_sampler_finish(sampler->of, generator);
    if (sampler->generator)
        generator = sampler->generator;
    if (sampler->draw != draw_at_random || sampler->replacement || !generator || sampler->population == 0 ||
        sampler->length % sampler->population != 0)
        return true;
    int64_t none;
    return draw_permutation(sampler->population, &none, 0, generator);
}
