/* multinomial: indices drawn with probability weights / sum.  weights (rows, n) or (n,) -> (rows, samples) or
   (samples,).

   With replacement: the index where the running sum of a row, over its total, reaches a uniform draw.  Without (and for
   one sample): an exponential draw q for each weight, and the indices of the greatest weights / q (exponential races:
   Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006); PyTorch's way, in its order of draws. */
#include <math.h>
#include <stdlib.h>

#include "core/element.h"
#include "core/random.h"
#include "core/host.h"
#include "ops.h"
#include "random.h"

#define MOST_CATEGORIES (INT64_C(1) << 24)

typedef struct runner {
    double time; // weight / q
    int64_t index;
} runner;

static bool check_weights(const char *op, const wk_tensor *weights, int64_t rows, int64_t n)
{
    for (int64_t row = 0; row < rows; row++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            const double weight = wk_load_floating(weights->dtype, wk_host("multinomial", weights), row * n + i);
            if (!(weight >= 0 && weight < INFINITY))
                return wk_fail(op, "weights: expected finite numbers, 0 or more, got %g", weight);
            sum += weight;
        }
        if (!(sum > 0))
            return wk_fail(op, "weights: row %lld has no weight above 0", (long long)row);
    }
    return true;
}

/* one row with replacement; running: n numbers of room */
static void draw_from_sums(wk_generator *generator, const wk_tensor *weights, int64_t row, int64_t n, double *running,
                           int64_t samples, int64_t *indices)
{
    const wk_dtype dtype = weights->dtype == wk_float64 ? wk_float64 : wk_float32;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        running[i] = sum = wk_round_floating(
            dtype, sum + wk_load_floating(weights->dtype, wk_host("multinomial", weights), row * n + i));
    for (int64_t i = 0; i < n; i++)
        running[i] = wk_round_floating(dtype, running[i] / sum);
    running[n - 1] = 1;
    wk_generator_lock(generator);
    for (int64_t sample = 0; sample < samples; sample++) {
        const double draw = wk_random_unit(generator);
        int64_t low = 0, high = n;
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            if (running[middle] < draw)
                low = middle + 1;
            else
                high = middle;
        }
        indices[sample] = low;
    }
    wk_generator_unlock(generator);
}

/* the greatest first, the lower index among equals */
static int by_time(const void *left, const void *right)
{
    const runner *a = left, *b = right;
    if (a->time != b->time)
        return a->time > b->time ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* one row without: the greatest of weights / q; runners: n of room */
static void draw_by_race(const wk_tensor *weights, const wk_tensor *q, int64_t row, int64_t n, runner *runners,
                         int64_t samples, int64_t *indices)
{
    runner first = {-1, 0};
    for (int64_t i = 0; i < n; i++) {
        const double weight = wk_load_floating(weights->dtype, wk_host("multinomial", weights), row * n + i);
        const double draw = wk_load_floating(q->dtype, wk_host("multinomial", q), row * n + i);
        runners[i] = (runner){weight == 0 ? 0 : wk_round_floating(weights->dtype, weight / draw), i};
        if (runners[i].time > first.time)
            first = runners[i];
    }
    if (samples == 1) {
        indices[0] = first.index;
        return;
    }
    qsort(runners, (size_t)n, sizeof *runners, by_time);
    for (int64_t sample = 0; sample < samples; sample++)
        indices[sample] = runners[sample].index;
}

wk_tensor *wk_multinomial_with(wk_multinomial_args args)
{
    const char *const op = "multinomial";
    WK_REQUIRE(op, args.weights);
    wk_tensor *weights = args.weights;
    if (!wk_dtype_is_floating(weights->dtype))
        return wk_fail(op, "weights: expected a floating dtype, got %s", wk_dtype_name(weights->dtype));
    if (weights->ndim != 1 && weights->ndim != 2)
        return wk_fail(op, "weights: expected (n,) or (rows, n), got %s", wk_shape_string(weights));
    const int64_t n = weights->shape[weights->ndim - 1], rows = weights->ndim == 2 ? weights->shape[0] : 1;
    const int64_t samples = args.num_samples;
    if (samples <= 0)
        return wk_fail(op, "num_samples: expected 1 or more, got %lld", (long long)samples);
    if (!args.replacement && samples > n)
        return wk_fail(op, "num_samples: %lld samples of %lld categories need .replacement = true", (long long)samples,
                       (long long)n);
    if (n < 1 || n > MOST_CATEGORIES)
        return wk_fail(op, "weights: expected 1 to 2^24 categories, got %lld", (long long)n);

    const int64_t shape[2] = {rows, samples};
    wk_tensor *indices = wk_tensor_new(op, weights->ndim, weights->ndim == 2 ? shape : shape + 1, wk_int64, wk_cpu);
    const wk_device device = weights->device; // drawn on the host
    wk_tensor *dense = wk_on_host(op, wk_dense(weights)), *q = NULL;
    if (!indices || !dense || !check_weights(op, dense, rows, n))
        return NULL;
    const bool race = !args.replacement || samples == 1;
    if (race) {
        q = wk_dense(wk_exponential_(wk_tensor_new_like(op, weights, weights->dtype, wk_cpu), 1, args.generator));
        if (!q)
            return NULL;
    }
    void *room = wk_alloc((size_t)n * sizeof(runner));
    if (!room)
        return wk_out_of_memory(op, (size_t)n * sizeof(runner));
    for (int64_t row = 0; row < rows; row++) {
        int64_t *row_indices = (int64_t *)wk_host(op, indices) + row * samples;
        if (race)
            draw_by_race(dense, q, row, n, room, samples, row_indices);
        else
            draw_from_sums(wk_generator_or_default(args.generator), dense, row, n, room, samples, row_indices);
    }
    wk_free(room);
    return wk_to(indices, device);
}
