/* A convolution of 1 to 3 dims and its gradients: by a library where there is one that is faster, else a matrix product
   per image and group.  The columns of an image are what the kernel sees at each place,

       columns (C / groups * taps, places)         y = weight (O / groups, C / groups * taps) columns + bias
       dcolumns = weight^T dy, added back to dx    dweight = dy columns^T, summed over images

   which stands in where the library has no say (float64) or is slower (few channels, small images).  Images of y and dx
   are each for itself; the sum for dweight goes over a fixed number of slots of images, then over the slots, in order:
   the bits do not depend on the number of threads.  Halves are summed in float and rounded once. */
// compiled for: float half
#include "../convolution.h"
#include "../libraries/convolution_onednn.h"
#include "columns_of_images.h"
#include "gemm.h"

enum { SLOTS = 4, MOST_COLUMNS = 8 << 20 };    // each slot holds a whole weight; elements of columns at a time
enum { ROUNDS = sizeof(elem) < sizeof(real) }; // images are summed in reals of a thread's own, then rounded

typedef struct plan {
    const wk_convolution_work *w;
    int64_t inputs, outputs;  // channels of a group
    int64_t taps;             // rows of the matrix of columns: inputs * sizes of the kernel
    int64_t places;           // and its columns: sizes of out
    int64_t image_x, image_y; // elements of a group's part of an image
    bool is_image;            // a kernel of one tap sees the image as it is
    int cut;                  // columns are made for `band` sizes along this dim at a time
    int64_t band, bands;
    int64_t cost; // of an image
    int64_t slots;
    real *parts;  // (slots, O, taps): of dweight
    char *memory; // each thread's own: columns, then an image
    size_t thread_bytes, columns_bytes;
} plan;

static size_t rounded(int64_t reals) { return ((size_t)reals * sizeof(real) + 63) / 64 * 64; }

/* images have at least one place; false after a fault */
static bool make_plan(plan *p, wk_queue *queue, const wk_convolution_work *w, int64_t slots)
{
    const wk_spatial_shape *s = &w->shape;
    *p = (plan){.w = w, .inputs = s->C / s->groups, .outputs = s->O / s->groups, .slots = slots, .is_image = true};
    p->taps = p->inputs * wk_spatial_size(s->kernel);
    p->places = wk_spatial_size(s->out);
    p->image_x = p->inputs * wk_spatial_size(s->in);
    p->image_y = p->outputs * p->places;
    p->cost = p->outputs * p->taps * p->places / 16 + 1;
    for (int dim = 0; dim < 3; dim++)
        p->is_image &= s->kernel[dim] == 1 && s->stride[dim] == 1 && s->before[dim] == 0 && s->in[dim] == s->out[dim];
    while (p->cut < 2 && s->out[p->cut] == 1)
        p->cut++;
    const int64_t line = p->taps * (p->places / s->out[p->cut]); // elements of columns of one size along cut
    p->band = s->out[p->cut];
    if (!p->is_image && line * p->band > MOST_COLUMNS)
        p->band = line < MOST_COLUMNS ? MOST_COLUMNS / line : 1;
    p->bands = (s->out[p->cut] + p->band - 1) / p->band;
    p->columns_bytes = p->is_image ? 0 : rounded(line * p->band);
    p->thread_bytes = p->columns_bytes;
    if (ROUNDS)
        p->thread_bytes += rounded(p->image_x > p->image_y ? p->image_x : p->image_y);
    const size_t parts = rounded(slots * s->O * p->taps);
    char *memory = queue->scratch(queue, parts + (size_t)wk_parallel_threads() * p->thread_bytes);
    p->parts = (real *)memory;
    p->memory = memory ? memory + parts : NULL;
    return memory;
}

static void *columns_of(const plan *p) { return p->memory + (size_t)wk_parallel_thread() * p->thread_bytes; }

/* where an image is summed: in the tensor itself, or as reals that round_image writes to it */
static real *image_of(const plan *p, void *tensor, int64_t offset)
{
    return ROUNDS ? (real *)((char *)columns_of(p) + p->columns_bytes) : (real *)tensor + offset;
}

static void round_image(const real *image, void *tensor, int64_t offset, int64_t n)
{
    elem *to = (elem *)tensor + offset;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        to[i] = STORE(image[i]);
}

/* bias of each channel, or 0 */
static void begin_image(real *image, const elem *bias, int64_t channels, int64_t size)
{
    for (int64_t c = 0; c < channels; c++) {
        const real value = bias ? LOAD(bias[c]) : 0;
        for (int64_t i = 0; i < size; i++)
            image[c * size + i] = value;
    }
}

/* ---------------------------------------------------------------- by a library */

static void add(float *to, const float *from, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

#if WK_IS_HALF
static void load(float *to, const void *from, int64_t n)
{
    const elem *halves = from;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        to[i] = LOAD(halves[i]);
}
static void store(void *to, const float *from, int64_t n) { round_image(from, to, 0, n); }
static const wk_convolution_loops LOOPS = {add, load, store};
#else
static const wk_convolution_loops LOOPS = {add, NULL, NULL};
#endif

/* false: it is to be done here */
static bool by_library(wk_queue *queue, const wk_convolution_work *w, wk_convolution_direction direction)
{
    return wk_convolution_onednn(queue, w, direction, WK_DTYPE_ID, &LOOPS);
}

/* ---------------------------------------------------------------- columns */

/* some of an image's places, as a convolution of their own; `first` is the first of them */
typedef struct band {
    wk_spatial_shape shape;
    int64_t first, places;
} band;

static band band_of(const plan *p, int64_t i)
{
    band b = {.shape = p->w->shape};
    const int cut = p->cut;
    const int64_t begin = i * p->band, rest = b.shape.out[cut] - begin;
    b.first = begin * (p->places / b.shape.out[cut]);
    b.shape.out[cut] = rest < p->band ? rest : p->band;
    b.shape.before[cut] -= begin * b.shape.stride[cut];
    b.places = wk_spatial_size(b.shape.out);
    return b;
}

/* columns from x; or, where x is NULL, what they hold added to dx */
static void visit_columns(const wk_spatial_shape *s, int64_t channels, const elem *x, void *columns, real *dx)
{
    const int64_t places = wk_spatial_size(s->out);
    for (int64_t c = 0, row = 0; c < channels; c++)
        for (int64_t kd = 0; kd < s->kernel[0]; kd++) {
            const wk_reach d = wk_reach_of(s, 0, kd);
            for (int64_t kh = 0; kh < s->kernel[1]; kh++) {
                const wk_reach h = wk_reach_of(s, 1, kh);
                for (int64_t kw = 0; kw < s->kernel[2]; kw++, row += places) {
                    const wk_reach w = wk_reach_of(s, 2, kw);
                    if (x)
                        wk_columns_fill(s, c, &d, &h, &w, x, (elem *)columns + row);
                    else
                        wk_columns_add_back(s, c, &d, &h, &w, (const real *)columns + row, dx);
                }
            }
        }
}

/* ---------------------------------------------------------------- convolution: an item is a group of an image */

static void convolve_images(const void *work, int64_t begin, int64_t end)
{
    const plan *p = work;
    const wk_convolution_work *w = p->w;
    for (int64_t image = begin; image < end; image++) {
        const int64_t group = image % w->shape.groups;
        const elem *x = (const elem *)w->x + image * p->image_x;
        const elem *weight = (const elem *)w->weight + group * p->outputs * p->taps;
        const elem *bias = w->bias ? (const elem *)w->bias + group * p->outputs : NULL;
        real *y = image_of(p, w->y, image * p->image_y);
        if (bias)
            begin_image(y, bias, p->outputs, p->places);
        for (int64_t i = 0; i < p->bands; i++) {
            const band b = band_of(p, i);
            const elem *columns = x;
            if (!p->is_image) {
                visit_columns(&b.shape, p->inputs, x, columns_of(p), NULL);
                columns = columns_of(p);
            }
            wk_gemm(p->outputs, b.places, p->taps, 1, weight, p->taps, 1, columns, b.places, 1, bias ? 1 : 0,
                    y + b.first, p->places);
        }
        if (ROUNDS)
            round_image(y, w->y, image * p->image_y, p->image_y);
    }
}

WK_KERNEL(convolution, wk_convolution_work)
{
    const wk_spatial_shape *s = &w->shape;
    plan p;
    if (s->N * s->O * wk_spatial_size(s->out) == 0 || by_library(queue, w, WK_CONVOLUTION_FORWARD) ||
        !make_plan(&p, queue, w, 0))
        return;
    wk_parallel(convolve_images, &p, s->N * s->groups, p.cost);
}

/* ---------------------------------------------------------------- dx: an item is a group of an image */

static void gradients_of_images(const void *work, int64_t begin, int64_t end)
{
    const plan *p = work;
    const wk_convolution_work *w = p->w;
    const int64_t size = wk_spatial_size(w->shape.in);
    for (int64_t image = begin; image < end; image++) {
        const int64_t group = image % w->shape.groups;
        const elem *dy = (const elem *)w->y + image * p->image_y;
        const elem *weight = (const elem *)w->weight + group * p->outputs * p->taps;
        const elem *bias = w->bias ? (const elem *)w->bias + group * p->inputs : NULL;
        real *dx = image_of(p, w->x, image * p->image_x);
        if (bias || !p->is_image)
            begin_image(dx, bias, p->inputs, size);
        for (int64_t i = 0; i < p->bands; i++) {
            const band b = band_of(p, i);
            real *columns = p->is_image ? dx : columns_of(p);
            wk_gemm(p->taps, b.places, p->outputs, 1, weight, 1, p->taps, dy + b.first, p->places, 1,
                    p->is_image && bias ? 1 : 0, columns, b.places);
            if (!p->is_image)
                visit_columns(&b.shape, p->inputs, NULL, columns, dx);
        }
        if (ROUNDS)
            round_image(dx, w->x, image * p->image_x, p->image_x);
    }
}

WK_KERNEL(convolution_data, wk_convolution_work)
{
    const wk_spatial_shape *s = &w->shape;
    plan p;
    if (s->N * s->C * wk_spatial_size(s->in) == 0 || by_library(queue, w, WK_CONVOLUTION_DATA) ||
        !make_plan(&p, queue, w, 0))
        return;
    wk_parallel(gradients_of_images, &p, s->N * s->groups, p.cost);
}

/* ---------------------------------------------------------------- dweight: an item is a group of a slot */

static void gradients_of_slots(const void *work, int64_t begin, int64_t end)
{
    const plan *p = work;
    const wk_convolution_work *w = p->w;
    const wk_spatial_shape *s = &w->shape;
    for (int64_t item = begin; item < end; item++) {
        const int64_t slot = item / s->groups, group = item % s->groups;
        real *part = p->parts + (slot * s->O + group * p->outputs) * p->taps;
        bool first = true;
        for (int64_t n = slot * s->N / p->slots; n < (slot + 1) * s->N / p->slots; n++) {
            const elem *x = (const elem *)w->x + (n * s->groups + group) * p->image_x;
            const elem *dy = (const elem *)w->y + (n * s->groups + group) * p->image_y;
            for (int64_t i = 0; i < p->bands; i++, first = false) {
                const band b = band_of(p, i);
                const elem *columns = x;
                if (!p->is_image) {
                    visit_columns(&b.shape, p->inputs, x, columns_of(p), NULL);
                    columns = columns_of(p);
                }
                wk_gemm(p->outputs, p->taps, b.places, 1, dy + b.first, p->places, 1, columns, 1, b.places,
                        first ? 0 : 1, part, p->taps);
            }
        }
    }
}

/* an item is an element of dweight */
static void sum_parts(const void *work, int64_t begin, int64_t end)
{
    const plan *p = work;
    elem *dweight = p->w->weight;
    const int64_t size = p->w->shape.O * p->taps;
    enum { STRETCH = 256 };
    for (int64_t first = begin; first < end; first += STRETCH) {
        const int64_t n = end - first < STRETCH ? end - first : STRETCH;
        real sum[STRETCH] = {0};
        for (int64_t slot = 0; slot < p->slots; slot++) {
            const real *part = p->parts + slot * size + first;
#pragma omp simd
            for (int64_t i = 0; i < n; i++)
                sum[i] += part[i];
        }
        round_image(sum, dweight, first, n);
    }
}

WK_KERNEL(convolution_weight, wk_convolution_work)
{
    const wk_spatial_shape *s = &w->shape;
    const int64_t size = s->O * (s->C / s->groups) * wk_spatial_size(s->kernel);
    plan p;
    if (s->N * wk_spatial_size(s->out) == 0) { // a sum of nothing
        memset(w->weight, 0, (size_t)size * sizeof(elem));
        return;
    }
    if (size == 0 || by_library(queue, w, WK_CONVOLUTION_WEIGHT) ||
        !make_plan(&p, queue, w, s->N < SLOTS ? s->N : SLOTS))
        return;
    wk_parallel(gradients_of_slots, &p, p.slots * s->groups, p.cost * (s->N / p.slots));
    wk_parallel(sum_parts, &p, size, p.slots);
}
