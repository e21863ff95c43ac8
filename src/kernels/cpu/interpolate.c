/* Interpolation, dim by dim: width, height, depth.

   Along a dim, what a place of the result sees is a row of a table: indices and weights, at most a few.  The gradient's
   tables are the transposed ones, and all else is the same.  A plane is done in bands of its outermost dim, so that
   what lies between the dims stays in the cache, as reals: halves are rounded once. */
// compiled for: float half
#include "../interpolate.h"
#include "reals.h"

/* What each place of a dim sees: tap t of place i is at [t * places + i]. */
typedef struct taps {
    int64_t places, most; // most taps of a place
    int32_t *index, *count;
    real *weight;
    bool uniform;  // each place has `most`
    bool identity; // place i is place i
    bool copies;   // one tap of weight 1
    real unit;     // of bytes: weights are multiples of it; else 0
} taps;

/* ---------------------------------------------------------------- tables: one row at a time, as doubles */

enum { MOST_NEIGHBOURS = 4 }; // without antialias

typedef struct dim_of {
    const wk_interpolate_work *w;
    int64_t in, out;
    double scale; // of in to out, a step of out in in
    double support;
    int64_t most;
    bool rounds; // weights of bytes
} dim_of;

/* Source places are found in real, as PyTorch does; of bytes in double. */
static double rounded(const dim_of *d, double value) { return d->rounds ? value : (double)(real)value; }

static dim_of dim_at(const wk_interpolate_work *w, int dim)
{
    dim_of d = {.w = w, .in = w->in[dim], .out = w->out[dim]};
    d.rounds = w->bytes && (w->mode == WK_INTERPOLATE_LINEAR || w->mode == WK_INTERPOLATE_CUBIC);
    if (w->align_corners)
        d.scale = d.out > 1 ? rounded(&d, (double)(d.in - 1) / (double)(d.out - 1)) : 0;
    else
        d.scale = rounded(&d, w->scale[dim] > 0 ? 1 / w->scale[dim] : (double)d.in / (double)d.out);
    const bool same = d.in == d.out && !w->antialias;
    if (w->mode == WK_INTERPOLATE_NEAREST && (same || d.out == 2 * d.in)) // as PyTorch, but for some of its layouts
        d.scale = (double)d.in / (double)d.out;
    const int64_t neighbours = w->mode == WK_INTERPOLATE_CUBIC ? 4 : w->mode == WK_INTERPOLATE_LINEAR && !same ? 2 : 1;
    d.support = (double)neighbours / 2 * (d.scale > 1 ? d.scale : 1);
    d.most = w->antialias ? 2 * (int64_t)ceil(d.support) + 1 : neighbours;
    return d;
}

/* Keys' cubic, of distance x */
static double cubic(double x, double a)
{
    x = fabs(x);
    return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0;
}

static double triangle(double x) { return fabs(x) < 1 ? 1 - fabs(x) : 0; }

/* the taps of place i; how many */
static int64_t antialiased_taps(const dim_of *d, int64_t i, int32_t *index, double *weight)
{
    const double center = d->scale * ((double)i + 0.5), inverse = d->scale > 1 ? 1 / d->scale : 1;
    int64_t first = (int64_t)(center - d->support + 0.5), end = (int64_t)(center + d->support + 0.5);
    first = first > 0 ? first : 0;
    end = end < d->in ? end : d->in;
    double total = 0;
    for (int64_t k = first; k < end; k++) {
        const double distance = ((double)k - center + 0.5) * inverse;
        index[k - first] = (int32_t)k;
        total += weight[k - first] = d->w->mode == WK_INTERPOLATE_CUBIC ? cubic(distance, -0.5) : triangle(distance);
    }
    for (int64_t k = first; k < end && total != 0; k++)
        weight[k - first] /= total;
    return end - first;
}

static int64_t taps_of(const dim_of *d, int64_t i, int32_t *index, double *weight)
{
    const wk_interpolation mode = d->w->mode;
    const int64_t last = d->in - 1;
    if (d->w->antialias)
        return antialiased_taps(d, i, index, weight);
    if (mode == WK_INTERPOLATE_NEAREST || mode == WK_INTERPOLATE_NEAREST_EXACT) { // in float for every dtype
        const float scale = (float)d->scale, at = mode == WK_INTERPOLATE_NEAREST ? (float)i : (float)i + 0.5f;
        const int64_t place = (int64_t)floorf(at * scale);
        index[0] = (int32_t)(place < last ? place : last);
        weight[0] = 1;
        return 1;
    }
    double at = d->w->align_corners ? rounded(d, d->scale * (double)i)
                                    : rounded(d, rounded(d, d->scale * ((double)i + 0.5)) - 0.5);
    if (mode == WK_INTERPOLATE_LINEAR && d->in == d->out)
        at = (double)i;
    at = mode == WK_INTERPOLATE_LINEAR && at < 0 ? 0 : at;
    const int64_t floored = (int64_t)floor(at), place = floored < last ? floored : last;
    const double beyond = at - (double)place, lambda = beyond < 0 ? 0 : beyond > 1 ? 1 : beyond;
    const int64_t before = mode == WK_INTERPOLATE_CUBIC ? 1 : 0;
    for (int64_t t = 0; t < d->most; t++) {
        const int64_t k = place - before + t;
        index[t] = (int32_t)(k < 0 ? 0 : k > last ? last : k);
        const double distance = (double)(t - before) - lambda;
        weight[t] = mode == WK_INTERPOLATE_CUBIC ? cubic(distance, -0.75) : t == 0 ? rounded(d, 1 - lambda) : lambda;
    }
    return d->most;
}

/* neighbours that are the same edge become one: how many are left */
static int64_t merged(int32_t *index, double *weight, int64_t count)
{
    int64_t left = 0;
    for (int64_t t = 0; t < count; t++)
        if (left > 0 && index[left - 1] == index[t])
            weight[left - 1] += weight[t];
        else {
            index[left] = index[t];
            weight[left++] = weight[t];
        }
    return left;
}

/* of weights up to the largest, which must stay below 2^15 */
static double unit_of_bytes(double largest)
{
    int precision = 0;
    while (precision < 22 && (int)(0.5 + largest * (double)(1 << (precision + 1))) < 1 << 15)
        precision++;
    return 1 / (double)(1 << precision);
}

/* as multiples of the unit */
static double in_units(double weight, double unit)
{
    return (double)(int64_t)(weight / unit + (weight < 0 ? -0.5 : 0.5));
}

/* memory for a table; false after a fault */
static bool make_table(wk_queue *queue, taps *t, int64_t places, int64_t most)
{
    *t = (taps){.places = places, .most = most};
    char *memory = queue->scratch(queue, (size_t)(places * (most + 1)) * sizeof(int32_t) +
                                             (size_t)(places * most) * sizeof(real) + 64);
    t->weight = (real *)memory;
    t->index = memory ? (int32_t *)(t->weight + places * most) : NULL;
    t->count = memory ? t->index + places * most : NULL;
    return memory;
}

/* what each place of out sees */
static bool forward_table(wk_queue *queue, const dim_of *d, taps *t)
{
    const int64_t most = d->most > MOST_NEIGHBOURS ? d->most : MOST_NEIGHBOURS;
    int32_t *index = queue->scratch(queue, (size_t)most * (sizeof(int32_t) + sizeof(double)) + 8);
    if (!index || !make_table(queue, t, d->out, d->most))
        return false;
    double *weight = (double *)(index + (most + 1) / 2 * 2), largest = 0;
    int64_t most_seen = 0;
    t->uniform = t->copies = true;
    t->identity = d->in == d->out;
    for (int pass = d->rounds ? 0 : 1; pass < 2; pass++) { // bytes need the largest weight first
        for (int64_t i = 0; i < d->out; i++) {
            int64_t count = taps_of(d, i, index, weight);
            if (d->rounds)
                count = merged(index, weight, count);
            for (int64_t k = 0; k < count && pass == 0; k++)
                largest = weight[k] > largest ? weight[k] : largest;
            if (pass == 0)
                continue;
            t->count[i] = (int32_t)count;
            most_seen = count > most_seen ? count : most_seen;
            t->copies &= count == 1 && weight[0] == 1;
            for (int64_t k = 0; k < count; k++) {
                t->identity &= weight[k] == (index[k] == i ? 1 : 0) || (weight[k] == 0 && index[k] == i);
                t->index[k * d->out + i] = index[k];
                t->weight[k * d->out + i] = (real)(d->rounds ? in_units(weight[k], t->unit) : weight[k]);
            }
        }
        t->unit = d->rounds ? (real)unit_of_bytes(largest) : 0;
    }
    t->most = most_seen;
    for (int64_t i = 0; i < d->out; i++)
        t->uniform &= t->count[i] == t->most;
    for (int64_t i = 0; d->rounds && i < d->out; i++) // no byte is infinite: a tap of weight 0 is none
        for (int64_t k = t->count[i]; k < t->most; k++) {
            t->index[k * d->out + i] = t->index[i];
            t->weight[k * d->out + i] = 0;
        }
    t->uniform |= d->rounds;
    return true;
}

/* what each place of in is seen by */
static bool transposed_table(wk_queue *queue, const dim_of *d, taps *t)
{
    taps forward;
    int32_t *seen = queue->scratch(queue, (size_t)d->in * sizeof *seen);
    if (!seen || !forward_table(queue, d, &forward))
        return false;
    int64_t most = 0;
    memset(seen, 0, (size_t)d->in * sizeof *seen);
    for (int64_t i = 0; i < d->out; i++)
        for (int64_t k = 0; k < forward.count[i]; k++) {
            const int32_t place = forward.index[k * d->out + i];
            most = ++seen[place] > most ? seen[place] : most;
        }
    if (!make_table(queue, t, d->in, most))
        return false;
    t->identity = forward.identity;
    t->uniform = true;
    for (int64_t i = 0; i < d->in; i++)
        t->uniform &= seen[i] == most;
    t->copies = forward.copies && most == 1 && t->uniform;
    memset(t->count, 0, (size_t)d->in * sizeof *t->count);
    for (int64_t i = 0; i < d->out; i++)
        for (int64_t k = 0; k < forward.count[i]; k++) {
            const int32_t place = forward.index[k * d->out + i];
            const int64_t at = t->count[place]++ * d->in + place;
            t->index[at] = (int32_t)i;
            t->weight[at] = forward.weight[k * d->out + i];
        }
    return true;
}

/* ---------------------------------------------------------------- lines */

/* multiples of the unit to bytes */
static void round_bytes(real *y, real unit, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const real value = FLOOR(y[i] * unit + (real)0.5);
        y[i] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
}

/* y[i] = what place i sees of the line x */
static void along(const taps *t, const real *x, real *y)
{
    const int64_t n = t->places;
    const int32_t *index = t->index;
    const real *weight = t->weight;
    if (t->copies) { // of bytes too: they are whole, and their weights are left out
        for (int64_t i = 0; i < n; i++)
            y[i] = x[index[i]];
        return;
    }
    if (t->uniform && t->most > 1) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++)
            y[i] = weight[i] * x[index[i]] + weight[n + i] * x[index[n + i]];
        for (int64_t k = 2; k < t->most; k++)
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                y[i] += weight[k * n + i] * x[index[k * n + i]];
    } else {
        memset(y, 0, (size_t)n * sizeof *y);
        for (int64_t k = 0; k < t->most; k++, index += n, weight += n)
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                y[i] = k < t->count[i] ? y[i] + weight[i] * x[index[i]] : y[i];
    }
    if (t->unit > 0)
        round_bytes(y, t->unit, n);
}

/* y (n) = what place i sees of the rows x (.., n), which begin at row `first` */
static void across(const taps *t, int64_t i, const real *x, int64_t first, real *y, int64_t n)
{
    const int32_t *index = t->index + i, count = t->count[i];
    const real *weight = t->weight + i;
#define ROW(k) (x + (index[(k)*t->places] - first) * n)
#define WEIGHT(k) weight[(k)*t->places]
    int64_t k = count % 2;
    if (count == 0)
        memset(y, 0, (size_t)n * sizeof *y);
    else if (k == 1) {
        const real *a = ROW(0), wa = WEIGHT(0);
#pragma omp simd
        for (int64_t j = 0; j < n; j++)
            y[j] = wa * a[j];
    } else {
        const real *a = ROW(0), *b = ROW(1), wa = WEIGHT(0), wb = WEIGHT(1);
#pragma omp simd
        for (int64_t j = 0; j < n; j++)
            y[j] = wa * a[j] + wb * b[j];
        k = 2;
    }
    for (; k < count; k += 2) {
        const real *a = ROW(k), *b = ROW(k + 1), wa = WEIGHT(k), wb = WEIGHT(k + 1);
#pragma omp simd
        for (int64_t j = 0; j < n; j++)
            y[j] = y[j] + wa * a[j] + wb * b[j];
    }
#undef ROW
#undef WEIGHT
    if (t->unit > 0)
        round_bytes(y, t->unit, n);
}

/* ---------------------------------------------------------------- bands */

typedef struct plan {
    const wk_interpolate_work *w;
    const int64_t *from, *to; // sizes
    taps taps[3];
    int cut;               // the outermost dim of more than one place
    int64_t band, bands;   // places of to along cut in a band; bands in a plane
    int64_t lines, planes; // room for what lies between: behind width, behind height
    int64_t line;          // room for a line of x, and of a half result
    real *memory;          // each thread's own
} plan;

/* the rows that places begin to end see: first to end */
static void rows_seen(const taps *t, int64_t begin, int64_t end, int64_t *first, int64_t *beyond)
{
    *first = INT32_MAX;
    *beyond = 0;
    for (int64_t k = 0; k < t->most; k++)
        for (int64_t i = begin; i < end; i++)
            if (k < t->count[i]) {
                const int64_t row = t->index[k * t->places + i];
                *first = row < *first ? row : *first;
                *beyond = row >= *beyond ? row + 1 : *beyond;
            }
    *first = *first < *beyond ? *first : *beyond;
}

/* n numbers of x from this element on, where they lie or in a buffer */
static const real *reals_in(const wk_interpolate_work *w, int64_t at, real *buffer, int64_t n)
{
    if (!w->bytes)
        return wk_reals_in((const elem *)w->x + at, buffer, n);
    const uint8_t *x = (const uint8_t *)w->x + at;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        buffer[i] = (real)x[i];
    return buffer;
}

/* where n results for y are put, and, when they are there, into y itself */
static real *reals_out(const wk_interpolate_work *w, int64_t at, real *buffer)
{
    return w->bytes ? buffer : wk_reals_out((elem *)w->y + at, buffer);
}
static void reals_store(const wk_interpolate_work *w, int64_t at, const real *results, int64_t n)
{
    if (!w->bytes) {
        wk_reals_store((elem *)w->y + at, results, n);
        return;
    }
    uint8_t *y = (uint8_t *)w->y + at;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = (uint8_t)(int32_t)results[i];
}

/* lines of x, the first from this element on, along width into y */
static void width_of_lines(const plan *p, int64_t at, int64_t lines, real *line, real *y)
{
    const taps *t = &p->taps[2];
    for (int64_t i = 0; i < lines; i++, at += p->from[2], y += p->to[2]) {
        const real *x = reals_in(p->w, at, line, p->from[2]);
        if (t->identity)
            memcpy(y, x, (size_t)t->places * sizeof *y);
        else
            along(t, x, y);
    }
}

/* an item is a plane that is a line */
static void interpolate_lines(const void *work, int64_t begin, int64_t end)
{
    const plan *p = work;
    const int64_t from = p->from[2], to = p->to[2];
    real *line = p->memory + wk_parallel_thread() * (p->lines + p->line), *room = line + p->line;
    for (int64_t item = begin; item < end; item++) {
        real *result = reals_out(p->w, item * to, room);
        width_of_lines(p, item * from, 1, line, result);
        reals_store(p->w, item * to, result, to);
    }
}

/* an item is a band of a plane */
static void interpolate_bands(const void *work, int64_t begin, int64_t end)
{
    const plan *p = work;
    const int64_t *from = p->from, *to = p->to;
    const bool volume = p->cut == 0;
    const taps *cut = &p->taps[p->cut], *height = &p->taps[1];
    const int64_t row_x = volume ? from[1] * from[2] : from[2], row_y = volume ? to[1] * to[2] : to[2]; // along cut
    real *lines = p->memory + wk_parallel_thread() * (p->lines + p->planes + p->line), *planes = lines + p->lines,
         *line = planes + p->planes;
    for (int64_t item = begin; item < end; item++) {
        const int64_t plane = item / p->bands, first = item % p->bands * p->band;
        const int64_t last = first + p->band < cut->places ? first + p->band : cut->places;
        int64_t row, beyond; // of x
        rows_seen(cut, first, last, &row, &beyond);
        width_of_lines(p, (plane * from[p->cut] + row) * row_x, (beyond - row) * (volume ? from[1] : 1), line, lines);
        const bool between = volume && !height->identity;
        for (int64_t d = 0; between && d < beyond - row; d++)
            for (int64_t h = 0; h < to[1]; h++)
                across(height, h, lines + d * from[1] * to[2], 0, planes + (d * to[1] + h) * to[2], to[2]);
        for (int64_t i = first; i < last; i++) {
            const int64_t at = (plane * to[p->cut] + i) * row_y;
            real *result = reals_out(p->w, at, line);
            across(cut, i, between ? planes : lines, row, result, row_y);
            reals_store(p->w, at, result, row_y);
        }
    }
}

enum { BAND = 1 << 13 }; // elements of the result, about

/* of a plane of more than lines; the most rows of x that one sees */
static int64_t cut_bands(plan *p, int64_t row)
{
    const taps *cut = &p->taps[p->cut];
    const int64_t band = BAND / row > cut->most ? BAND / row : cut->most;
    int64_t rows = 0;
    p->band = band < 1 ? 1 : band < cut->places ? band : cut->places;
    p->bands = (cut->places + p->band - 1) / p->band;
    for (int64_t i = 0, first, beyond; i < p->bands; i++) {
        const int64_t end = (i + 1) * p->band < cut->places ? (i + 1) * p->band : cut->places;
        rows_seen(cut, i * p->band, end, &first, &beyond);
        rows = beyond - first > rows ? beyond - first : rows;
    }
    return rows;
}

WK_KERNEL(interpolate, wk_interpolate_work)
{
    plan p = {.w = w, .from = w->transposed ? w->out : w->in, .to = w->transposed ? w->in : w->out};
    const int64_t size = p.to[0] * p.to[1] * p.to[2];
    if (w->planes * size == 0)
        return;
    for (int dim = 0; dim < 3; dim++) {
        const dim_of d = dim_at(w, dim);
        if (!(w->transposed ? transposed_table : forward_table)(queue, &d, &p.taps[dim]))
            return;
    }
    while (p.cut < 2 && p.from[p.cut] == 1 && p.to[p.cut] == 1)
        p.cut++;
    const bool lines = p.cut == 2;
    const int64_t row = lines ? size : size / p.to[p.cut], rows = lines ? 1 : cut_bands(&p, row);
    p.lines = rows * (p.cut == 0 ? p.from[1] : 1) * p.to[2];
    p.planes = p.cut == 0 ? rows * p.to[1] * p.to[2] : 0;
    p.line = p.from[2] > row ? p.from[2] : row;
    p.memory = queue->scratch(queue, (size_t)(wk_parallel_threads() * (p.lines + p.planes + p.line)) * sizeof(real));
    if (!p.memory)
        return;
    if (lines)
        wk_parallel(interpolate_lines, &p, w->planes, 2 * (size + p.from[2]));
    else
        wk_parallel(interpolate_bands, &p, w->planes * p.bands, 4 * p.band * row);
}
