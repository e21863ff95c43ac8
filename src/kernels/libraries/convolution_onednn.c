/* Convolutions by oneDNN 2 (its version 3 has another C API, for a file beside this one).

   oneDNN wants layouts of its own: x, weight and y are reordered on the way in and out, a piece of a few images at a
   time, which stays in cache (per image of 64 channels of 28 x 28: 290 us of arithmetic at 200 GFLOPS, 15 us of
   reordering).  Primitives are made for one thread, and run in one.  Making one takes 20 us, once oneDNN has compiled
   it and has it in its own cache: none is kept here.  The gradient of a weight is summed within a slot, a share of the
   images, piece by piece, then over slots, in oneDNN's layout.  Where there are fewer than four pieces, their channels
   are cut into parts: of y, or of x where that is written.  What is cut, and how, depends on sizes alone.

   For kernels over few channels (the first layer of a network) oneDNN's gradient of x is slower than a matrix product:
   34 GFLOPS for 3 channels, 8 for 1; and tiny convolutions are over before its primitives are looked up. */
#include "convolution_onednn.h"

#ifdef WICK_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#if defined(WICK_HAVE_ONEDNN) && DNNL_VERSION_MAJOR == 2
#include <string.h>

#include "../cpu/parallel.h"
#include "convolution_primitives.h"
#include "onednn.h"

enum { SLOTS = 8, WEIGHT_SLOTS = 4 };                   // of images; those for a gradient hold a whole weight each
enum { LEAST_PRODUCTS = 4 << 20, LEAST_CHANNELS = 32 }; // of a piece, of a part

typedef struct plan {
    const wk_convolution_work *w;
    const wk_convolution_loops *loops;
    wk_convolution_direction direction;
    size_t size;           // bytes of a number in x, weight, y
    wk_spatial_shape part; // the shape of one piece of one part
    int64_t pieces, parts, slots;
    wk_convolution_primitives made; // for such a part

    const float *bias_floats; // as long as bias; NULL: there is none
    char *weight_floats;      // the whole weight, converted
    char *weights;            // (parts) in oneDNN's layout; of a gradient (1 + slots, parts): the sum comes first
    char *threads;            // each thread's own memory
    size_t thread_bytes;
    bool failed; // atomic
} plan;

static size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

/* The fewest images that make enough multiply-adds; it divides N, and leaves a piece for each slot if it can. */
static int64_t images_of_piece(const wk_spatial_shape *s, int64_t slots)
{
    const int64_t products = wk_convolution_products(s) / s->N;
    int64_t piece = 1;
    for (int64_t images = 1; images <= s->N / slots; images++)
        if (s->N % images == 0) {
            piece = images;
            if (images * products >= LEAST_PRODUCTS)
                break;
        }
    return piece;
}

static int64_t parts_of(const wk_spatial_shape *s, int64_t pieces, int64_t channels)
{
    int64_t parts = 1;
    const int64_t products = wk_convolution_products(s) / pieces;
    while (s->groups == 1 && pieces * parts < 4 && channels % (2 * parts * 16) == 0 &&
           channels / (2 * parts) >= LEAST_CHANNELS && products / (2 * parts) >= LEAST_PRODUCTS)
        parts *= 2;
    return parts;
}

/* where a part of the weight begins, in numbers */
static int64_t part_of_weight(const plan *p, int64_t part)
{
    const wk_spatial_shape *s = &p->part;
    const int64_t channels = p->direction == WK_CONVOLUTION_DATA ? s->C : s->O * (s->C / s->groups);
    return part * channels * wk_spatial_size(s->kernel);
}

static char *plain_weight(const plan *p, int64_t part)
{
    const int64_t first = part_of_weight(p, part);
    return p->made.role[WK_WEIGHT].converted ? p->weight_floats + first * (int64_t)sizeof(float)
                                             : (char *)p->w->weight + first * (int64_t)p->size;
}

/* a piece of x or y, as the tensor has it, as oneDNN reads or writes it in plain layout (the same, or floats of the
   thread's own), and in oneDNN's layout (the same, or memory of the thread's own) */
typedef struct place {
    char *tensor, *plain;
    void *own;
} place;

static place place_of(const plan *p, int role, int64_t first, char **memory)
{
    const wk_convolution_layout *l = &p->made.role[role];
    place at = {.tensor = (char *)(role == WK_X ? p->w->x : p->w->y) + first * (int64_t)p->size};
    at.plain = at.tensor;
    if (l->converted) {
        at.plain = *memory;
        *memory += rounded((size_t)l->numbers * sizeof(float));
    }
    at.own = at.plain;
    if (l->reorder) {
        at.own = *memory;
        *memory += l->bytes;
    }
    return at;
}

static bool read_in(const plan *p, dnnl_stream_t stream, int role, const place *at)
{
    if (p->made.role[role].converted)
        p->loops->load((float *)at->plain, at->tensor, p->made.role[role].numbers);
    return wk_convolution_reorder(&p->made, stream, role, at->plain, at->own);
}

static bool write_out(const plan *p, dnnl_stream_t stream, int role, const place *at, const float *bias)
{
    if (!wk_convolution_reorder(&p->made, stream, role, at->plain, at->own))
        return false;
    const int64_t size = wk_spatial_size(p->part.in);
    for (int64_t c = 0; role == WK_X && bias && c < p->part.N * p->part.C; c++) { // a gradient of oneDNN's has none
        float *x = (float *)at->plain + c * size;
        const float value = bias[c % p->part.C];
#pragma omp simd
        for (int64_t i = 0; i < size; i++)
            x[i] += value;
    }
    if (p->made.role[role].converted)
        p->loops->store(at->tensor, (const float *)at->plain, p->made.role[role].numbers);
    return true;
}

/* weight: in oneDNN's layout, read or written; gradient: where it is written, another such place of the thread's */
static bool run_piece(const plan *p, dnnl_stream_t stream, int64_t piece, int64_t part, void *weight, float **gradient)
{
    const wk_spatial_shape *s = &p->part, *whole = &p->w->shape;
    const bool of_x = p->direction == WK_CONVOLUTION_DATA;
    const int64_t x = (piece * s->N * whole->C + (of_x ? part * s->C : 0)) * wk_spatial_size(s->in);
    const int64_t y = (piece * s->N * whole->O + (of_x ? 0 : part * s->O)) * wk_spatial_size(s->out);
    const float *bias = p->bias_floats ? p->bias_floats + part * (of_x ? s->C : s->O) : NULL;
    char *memory = p->threads + (size_t)wk_parallel_thread() * p->thread_bytes;
    const place at[WK_ROLES] = {[WK_X] = place_of(p, WK_X, x, &memory), [WK_Y] = place_of(p, WK_Y, y, &memory)};
    void *scratchpad = memory;
    if (gradient) {
        *gradient = (float *)(memory + p->made.scratchpad_bytes);
        weight = weight ? weight : *gradient;
    }
    return (p->made.out == WK_X || read_in(p, stream, WK_X, &at[WK_X])) &&
           (p->made.out == WK_Y || read_in(p, stream, WK_Y, &at[WK_Y])) &&
           wk_convolution_execute(&p->made, stream, (void *const[]){at[WK_X].own, weight, at[WK_Y].own}, bias,
                                  scratchpad) &&
           (p->made.out == WK_WEIGHT || write_out(p, stream, p->made.out, &at[p->made.out], bias));
}

/* ---------------------------------------------------------------- the steps, over items that threads share */

typedef bool step(const plan *p, dnnl_stream_t stream, int64_t item);
typedef struct steps {
    plan *p;
    step *step;
} steps;

typedef struct items {
    const steps *to_do;
    int64_t begin, end;
} items;

static void free_stream(dnnl_stream_t *stream)
{
    if (*stream)
        dnnl_stream_destroy(*stream);
}

static bool try_items(void *arguments)
{
    const items *i = arguments;
    const plan *p = i->to_do->p;
    __attribute__((cleanup(free_stream))) dnnl_stream_t stream = NULL;
    bool done = dnnl_stream_create(&stream, p->made.engine, dnnl_stream_default_flags) == dnnl_success;
    for (int64_t item = i->begin; item < i->end; item++)
        done = done && i->to_do->step(p, stream, item);
    return done;
}

static void do_items(const void *work, int64_t begin, int64_t end)
{
    const steps *to_do = work;
    if (!wk_onednn_call(WK_ONEDNN_RUN, try_items, &(items){to_do, begin, end}))
        __atomic_store_n(&to_do->p->failed, true, __ATOMIC_RELAXED);
}

static bool each(plan *p, step *step, int64_t items)
{
    wk_parallel(do_items, (&(steps){p, step}), items, INT64_MAX);
    return !p->failed;
}

static bool load_weight(const plan *p, dnnl_stream_t stream, int64_t item)
{
    (void)stream;
    const int64_t numbers = p->parts * p->made.role[WK_WEIGHT].numbers;
    const int64_t first = numbers * item / p->parts, end = numbers * (item + 1) / p->parts;
    p->loops->load((float *)p->weight_floats + first, (const char *)p->w->weight + first * (int64_t)p->size,
                   end - first);
    return true;
}

static bool reorder_weight(const plan *p, dnnl_stream_t stream, int64_t part)
{
    return wk_convolution_reorder(&p->made, stream, WK_WEIGHT, plain_weight(p, part),
                                  p->weights + (size_t)part * p->made.role[WK_WEIGHT].bytes);
}

static bool part_of_piece(const plan *p, dnnl_stream_t stream, int64_t item)
{
    const int64_t part = item % p->parts;
    const wk_convolution_layout *l = &p->made.role[WK_WEIGHT];
    return run_piece(p, stream, item / p->parts, part,
                     l->reorder ? p->weights + (size_t)part * l->bytes : plain_weight(p, part), NULL);
}

static bool part_of_slot(const plan *p, dnnl_stream_t stream, int64_t item)
{
    const int64_t slot = item / p->parts, part = item % p->parts;
    const wk_convolution_layout *l = &p->made.role[WK_WEIGHT];
    char *sum = p->weights + (size_t)(p->parts + item) * l->bytes;
    const int64_t first = slot * p->pieces / p->slots;
    for (int64_t piece = first; piece < (slot + 1) * p->pieces / p->slots; piece++) {
        float *gradient;
        if (!run_piece(p, stream, piece, part, piece == first ? sum : NULL, &gradient))
            return false;
        if (piece > first)
            p->loops->add((float *)sum, gradient, (int64_t)(l->bytes / sizeof(float)));
    }
    return true;
}

/* the slots' sums of a part, added up, and into the gradient */
static bool sum_of_slots(const plan *p, dnnl_stream_t stream, int64_t part)
{
    const wk_convolution_layout *l = &p->made.role[WK_WEIGHT];
    char *total = p->weights + (size_t)part * l->bytes, *plain = plain_weight(p, part);
    memset(total, 0, l->bytes);
    for (int64_t slot = 0; slot < p->slots; slot++)
        p->loops->add((float *)total, (const float *)(p->weights + (size_t)(p->parts * (1 + slot) + part) * l->bytes),
                      (int64_t)(l->bytes / sizeof(float)));
    if (!l->reorder)
        memcpy(plain, total, (size_t)l->numbers * sizeof(float));
    else if (!wk_convolution_reorder(&p->made, stream, WK_WEIGHT, plain, total))
        return false;
    if (l->converted)
        p->loops->store((char *)p->w->weight + part_of_weight(p, part) * (int64_t)p->size, (const float *)plain,
                        l->numbers);
    return true;
}

static bool run(plan *p)
{
    const wk_convolution_layout *l = &p->made.role[WK_WEIGHT];
    if (p->direction == WK_CONVOLUTION_WEIGHT)
        return each(p, part_of_slot, p->slots * p->parts) && each(p, sum_of_slots, p->parts);
    return (!l->converted || each(p, load_weight, p->parts)) && (!l->reorder || each(p, reorder_weight, p->parts)) &&
           each(p, part_of_piece, p->pieces * p->parts);
}

/* false after a fault */
static bool take_memory(plan *p, wk_queue *queue, wk_dtype dtype)
{
    const wk_convolution_layout *l = &p->made.role[WK_WEIGHT];
    const bool gradient = p->direction == WK_CONVOLUTION_WEIGHT;
    const bool has_bias = p->w->bias && !gradient, half = dtype != wk_float32;
    const int64_t biases = p->parts * (p->direction == WK_CONVOLUTION_DATA ? p->part.C : p->part.O);
    const size_t bias_bytes = half && has_bias ? rounded((size_t)biases * sizeof(float)) : 0;
    const size_t float_bytes = l->converted ? rounded((size_t)(p->parts * l->numbers) * sizeof(float)) : 0;
    const size_t copies = (size_t)p->parts * (gradient ? 1 + (size_t)p->slots : l->reorder != NULL);
    p->thread_bytes = p->made.scratchpad_bytes + (gradient ? l->bytes : 0);
    for (int role = WK_X; role <= WK_Y; role += WK_Y - WK_X) {
        const wk_convolution_layout *at = &p->made.role[role];
        p->thread_bytes += at->converted ? rounded((size_t)at->numbers * sizeof(float)) : 0;
        p->thread_bytes += at->reorder ? at->bytes : 0;
    }
    char *memory = queue->scratch(queue, bias_bytes + float_bytes + copies * l->bytes +
                                             (size_t)wk_parallel_threads() * p->thread_bytes);
    if (!memory)
        return false;
    p->weight_floats = memory + bias_bytes;
    p->weights = p->weight_floats + float_bytes;
    p->threads = p->weights + copies * l->bytes;
    if (half && has_bias)
        p->loops->load((float *)memory, p->w->bias, biases);
    p->bias_floats = !has_bias ? NULL : half ? (const float *)memory : p->w->bias;
    return true;
}

bool wk_convolution_onednn(wk_queue *queue, const wk_convolution_work *w, wk_convolution_direction direction,
                           wk_dtype dtype, const wk_convolution_loops *loops)
{
    const wk_spatial_shape *s = &w->shape;
    const int64_t products = wk_convolution_products(s);
    const bool few = direction == WK_CONVOLUTION_DATA && s->groups == 1 && s->C < 8;
    if ((dtype != wk_float32 && dtype != wk_float16 && dtype != wk_bfloat16) || few || products < LEAST_PRODUCTS ||
        products / s->N < 1 << 16)
        return false;
    plan p = {.w = w, .loops = loops, .direction = direction, .size = wk_dtype_size(dtype), .part = *s};
    const int64_t most = direction == WK_CONVOLUTION_WEIGHT ? WEIGHT_SLOTS : SLOTS;
    int64_t *channels = direction == WK_CONVOLUTION_DATA ? &p.part.C : &p.part.O;
    p.slots = s->N < most ? s->N : most;
    p.part.N = images_of_piece(s, p.slots);
    p.pieces = s->N / p.part.N;
    p.parts = parts_of(s, p.pieces, *channels);
    *channels /= p.parts;

    /* of x, a part has some columns of the weight */
    const int64_t row = direction == WK_CONVOLUTION_DATA && s->groups == 1 ? s->C * wk_spatial_size(s->kernel) : 0;
    const bool done = wk_convolution_primitives_make(&p.made, direction, dtype, &p.part, row, w->bias) &&
                      (!take_memory(&p, queue, dtype) || run(&p));
    wk_convolution_primitives_free(&p.made);
    return done;
}

#else
bool wk_convolution_onednn(wk_queue *queue, const wk_convolution_work *work, wk_convolution_direction direction,
                           wk_dtype dtype, const wk_convolution_loops *loops)
{
    (void)queue, (void)work, (void)direction, (void)dtype, (void)loops;
    return false;
}
#endif
