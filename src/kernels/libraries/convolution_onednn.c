/* Convolutions by oneDNN 2 (its version 3 has another C API, for a file beside this one).

   oneDNN wants layouts of its own: x, weight and y are reordered on the way in and out, a piece of a few images at a
   time, which stays in cache (per image of 64 channels of 28 x 28: 290 us of arithmetic at 200 GFLOPS, 15 us of
   reordering). Primitives are made for one thread, and run in one: a slot is one thread's work (32 such images by 64
   3x3 kernels, forward and backward on one core: PyTorch 44 ms).  The gradient of a weight is summed within a slot
   piece by piece, then over slots, in oneDNN's layout.

   For kernels over few channels (the first layer of a network) oneDNN's gradient of x is slower than a matrix product:
   34 GFLOPS for 3 channels, 8 for 1; and tiny convolutions are over before its primitives are looked up. */
#include "convolution_onednn.h"

#ifdef WICK_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#if defined(WICK_HAVE_ONEDNN) && DNNL_VERSION_MAJOR == 2
#include <omp.h>
#include <string.h>

/* plan->handles; a reorder is NULL where oneDNN's layout is the plain one */
enum { ENGINE, DESCRIPTOR, PRIMITIVE, REORDER_X, REORDER_WEIGHT, REORDER_Y, HANDLES };
enum { X, WEIGHT, Y, ROLES };

typedef struct layouts {
    dnnl_memory_desc_t plain[ROLES];
    const dnnl_memory_desc_t *own[ROLES];
    const dnnl_memory_desc_t *scratchpad;
    dnnl_memory_desc_t bias;
} layouts;

static size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

/* piece: the fewest images that make 4 million multiply-adds; it divides N, and leaves a piece for each slot if it can
 */
static int64_t piece_of(const wk_convolution_shape *s, int64_t slots)
{
    const int64_t products = wk_convolution_products(s) / s->N;
    int64_t piece = 1;
    for (int64_t images = 1; images <= s->N / slots; images++)
        if (s->N % images == 0) {
            piece = images;
            if (images * products >= 4 << 20)
                break;
        }
    return piece;
}

static void plain_layouts(const wk_convolution_shape *s, int64_t piece, dnnl_memory_desc_t *plain,
                          dnnl_memory_desc_t *any)
{
    const dnnl_dims_t x = {piece, s->C, s->H, s->W}, y = {piece, s->O, s->OH, s->OW};
    const dnnl_dims_t weight = {s->O, s->C, s->KH, s->KW};
    const dnnl_dims_t grouped = {s->groups, s->O / s->groups, s->C / s->groups, s->KH, s->KW};
    const bool groups = s->groups > 1;
    dnnl_memory_desc_init_by_tag(&plain[X], 4, x, dnnl_f32, dnnl_nchw);
    dnnl_memory_desc_init_by_tag(&plain[Y], 4, y, dnnl_f32, dnnl_nchw);
    dnnl_memory_desc_init_by_tag(&plain[WEIGHT], groups ? 5 : 4, groups ? grouped : weight, dnnl_f32,
                                 groups ? dnnl_goihw : dnnl_oihw);
    dnnl_memory_desc_init_by_tag(&any[X], 4, x, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&any[Y], 4, y, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&any[WEIGHT], groups ? 5 : 4, groups ? grouped : weight, dnnl_f32,
                                 dnnl_format_tag_any);
}

static bool make_descriptor(wk_convolution_work *work, dnnl_primitive_attr_t attributes)
{
    const wk_convolution_shape *s = &work->shape;
    wk_convolution_plan *plan = work->plan;
    dnnl_memory_desc_t plain[ROLES], any[ROLES], bias;
    plain_layouts(s, plan->piece, plain, any);
    const dnnl_dims_t outputs = {s->O};
    dnnl_memory_desc_init_by_tag(&bias, 1, outputs, dnnl_f32, dnnl_x);
    const dnnl_dims_t stride = {s->stride[0], s->stride[1]}, dilation = {s->dilation[0] - 1, s->dilation[1] - 1};
    const dnnl_dims_t padding = {s->padding[0], s->padding[1]}, end = {s->padding_end[0], s->padding_end[1]};
    const bool has_bias = work->bias && plan->direction == WK_CONVOLUTION_FORWARD;

    dnnl_convolution_desc_t forward, backward;
    dnnl_primitive_desc_t *made = (dnnl_primitive_desc_t *)&plan->handles[DESCRIPTOR], hint = NULL;
    dnnl_engine_t engine = plan->handles[ENGINE];
    if (dnnl_dilated_convolution_forward_desc_init(&forward, dnnl_forward_training, dnnl_convolution_direct, &any[X],
                                                   &any[WEIGHT], has_bias ? &bias : NULL, &any[Y], stride, dilation,
                                                   padding, end) != dnnl_success)
        return false;
    if (plan->direction == WK_CONVOLUTION_FORWARD)
        return dnnl_primitive_desc_create(made, &forward, attributes, engine, NULL) == dnnl_success;
    dnnl_status_t status = dnnl_primitive_desc_create(&hint, &forward, attributes, engine, NULL);
    if (status == dnnl_success && plan->direction == WK_CONVOLUTION_DATA)
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &backward, dnnl_convolution_direct, &any[X], &any[WEIGHT], &any[Y], stride, dilation, padding, end);
    else if (status == dnnl_success)
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &backward, dnnl_convolution_direct, &any[X], &any[WEIGHT], NULL, &any[Y], stride, dilation, padding, end);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(made, &backward, attributes, engine, hint);
    if (hint)
        dnnl_primitive_desc_destroy(hint);
    return status == dnnl_success;
}

static layouts layouts_of(const wk_convolution_work *work)
{
    layouts found;
    dnnl_memory_desc_t any[ROLES];
    plain_layouts(&work->shape, work->plan->piece, found.plain, any);
    dnnl_primitive_desc_t descriptor = work->plan->handles[DESCRIPTOR];
    const wk_convolution_direction direction = work->plan->direction;
    found.own[X] = dnnl_primitive_desc_query_md(
        descriptor, direction == WK_CONVOLUTION_DATA ? dnnl_query_diff_src_md : dnnl_query_src_md, 0);
    found.own[WEIGHT] = dnnl_primitive_desc_query_md(
        descriptor, direction == WK_CONVOLUTION_WEIGHT ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    found.own[Y] = dnnl_primitive_desc_query_md(
        descriptor, direction == WK_CONVOLUTION_FORWARD ? dnnl_query_dst_md : dnnl_query_diff_dst_md, 0);
    found.scratchpad = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
    const dnnl_dims_t outputs = {work->shape.O};
    dnnl_memory_desc_init_by_tag(&found.bias, 1, outputs, dnnl_f32, dnnl_x);
    return found;
}

static int written(wk_convolution_direction direction)
{
    return direction == WK_CONVOLUTION_FORWARD ? Y : direction == WK_CONVOLUTION_DATA ? X : WEIGHT;
}

static bool make_reorder(wk_convolution_plan *plan, const layouts *l, int role)
{
    if (dnnl_memory_desc_equal(&l->plain[role], l->own[role]))
        return true;
    const bool out = role == written(plan->direction);
    dnnl_engine_t engine = plan->handles[ENGINE];
    dnnl_primitive_desc_t descriptor;
    if (dnnl_reorder_primitive_desc_create(&descriptor, out ? l->own[role] : &l->plain[role], engine,
                                           out ? &l->plain[role] : l->own[role], engine, NULL) != dnnl_success)
        return false;
    const dnnl_status_t status =
        dnnl_primitive_create((dnnl_primitive_t *)&plan->handles[REORDER_X + role], descriptor);
    dnnl_primitive_desc_destroy(descriptor);
    return status == dnnl_success;
}

void wk_convolution_onednn_close(wk_convolution_work *work)
{
    wk_convolution_plan *plan = work->plan;
    for (int role = X; role < ROLES; role++)
        if (plan->handles[REORDER_X + role])
            dnnl_primitive_destroy(plan->handles[REORDER_X + role]);
    if (plan->handles[PRIMITIVE])
        dnnl_primitive_destroy(plan->handles[PRIMITIVE]);
    if (plan->handles[DESCRIPTOR])
        dnnl_primitive_desc_destroy(plan->handles[DESCRIPTOR]);
    if (plan->handles[ENGINE])
        dnnl_engine_destroy(plan->handles[ENGINE]);
    memset(plan->handles, 0, sizeof plan->handles);
}

static bool open_single_threaded(wk_convolution_work *work)
{
    wk_convolution_plan *plan = work->plan;
    dnnl_primitive_attr_t attributes = NULL;
    bool made =
        dnnl_engine_create((dnnl_engine_t *)&plan->handles[ENGINE], dnnl_cpu, 0) == dnnl_success &&
        dnnl_primitive_attr_create(&attributes) == dnnl_success &&
        dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user) == dnnl_success &&
        make_descriptor(work, attributes) &&
        dnnl_primitive_create((dnnl_primitive_t *)&plan->handles[PRIMITIVE], plan->handles[DESCRIPTOR]) == dnnl_success;
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    if (!made)
        return false;
    const layouts l = layouts_of(work);
    for (int role = X; role < ROLES; role++)
        made = made && make_reorder(plan, &l, role);
    return made;
}

bool wk_convolution_onednn_open(wk_convolution_work *work)
{
    wk_convolution_plan *plan = work->plan;
    const wk_convolution_shape *s = &work->shape;
    const int64_t products = wk_convolution_products(s), channels = s->C / s->groups;
    const bool few = plan->direction == WK_CONVOLUTION_DATA && channels < 8 && s->groups == 1;
    if (plan->dtype != wk_float32 || few || products < 4 << 20 || products / s->N < 1 << 16)
        return false;
    plan->piece = piece_of(s, work->slots);
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const bool made = open_single_threaded(work);
    omp_set_num_threads(threads);
    if (!made) {
        wk_convolution_onednn_close(work);
        return false;
    }
    plan->by_onednn = true;

    /* shared: the weight in oneDNN's layout, or each slot's part of its gradient; a slot: x, y, scratchpad, and a
       piece's own gradient */
    const layouts l = layouts_of(work);
    const bool weight = plan->direction == WK_CONVOLUTION_WEIGHT;
    plan->part_bytes = (int64_t)rounded(dnnl_memory_desc_get_size(l.own[WEIGHT]));
    plan->shared_bytes = (size_t)(weight ? (work->slots + 1) * plan->part_bytes : plan->part_bytes);
    work->slot_bytes =
        (int64_t)(rounded(dnnl_memory_desc_get_size(l.own[X])) + rounded(dnnl_memory_desc_get_size(l.own[Y])) +
                  rounded(dnnl_memory_desc_get_size(l.scratchpad))) +
        (weight ? plan->part_bytes : 0);
    plan->bytes = plan->shared_bytes + (size_t)(work->slots * work->slot_bytes);
    return true;
}

/* ---------------------------------------------------------------- running */

/* in the calling thread alone: threads of OpenMP's would spin beside those of the pool for milliseconds afterwards */
static bool execute(dnnl_primitive_t primitive, dnnl_stream_t stream, int count, const dnnl_exec_arg_t *arguments)
{
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const bool done = dnnl_primitive_execute(primitive, stream, count, arguments) == dnnl_success;
    omp_set_num_threads(threads);
    return done;
}

/* from `from` in one layout to `to` in the other; oneDNN takes pointers that it does not write through */
static bool reorder(const wk_convolution_plan *plan, dnnl_stream_t stream, const layouts *l, int role,
                    const void *plain, void *own)
{
    const bool out = role == written(plan->direction);
    dnnl_memory_t a = NULL, b = NULL;
    dnnl_engine_t engine = plan->handles[ENGINE];
    const bool done = dnnl_memory_create(&a, &l->plain[role], engine, (void *)plain) == dnnl_success &&
                      dnnl_memory_create(&b, l->own[role], engine, own) == dnnl_success &&
                      execute(plan->handles[REORDER_X + role], stream, 2,
                              (dnnl_exec_arg_t[]){{DNNL_ARG_FROM, out ? b : a}, {DNNL_ARG_TO, out ? a : b}});
    if (a)
        dnnl_memory_destroy(a);
    if (b)
        dnnl_memory_destroy(b);
    return done;
}

static bool convolve(const wk_convolution_work *work, dnnl_stream_t stream, const layouts *l, void *x, void *weight,
                     void *y, void *scratchpad)
{
    const wk_convolution_direction direction = work->plan->direction;
    dnnl_engine_t engine = work->plan->handles[ENGINE];
    const dnnl_memory_desc_t *descriptors[5] = {l->own[X], l->own[WEIGHT], l->own[Y], l->scratchpad, &l->bias};
    void *places[5] = {x, weight, y, scratchpad, (void *)work->bias};
    dnnl_exec_arg_t arguments[5] = {
        {direction == WK_CONVOLUTION_DATA ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, NULL},
        {direction == WK_CONVOLUTION_WEIGHT ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, NULL},
        {direction == WK_CONVOLUTION_FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, NULL},
        {DNNL_ARG_SCRATCHPAD, NULL},
        {DNNL_ARG_BIAS, NULL}};
    const int count = work->bias && direction == WK_CONVOLUTION_FORWARD ? 5 : 4;
    bool done = true;
    for (int i = 0; i < count; i++)
        done = done && dnnl_memory_create(&arguments[i].memory, descriptors[i], engine, places[i]) == dnnl_success;
    done = done && execute(work->plan->handles[PRIMITIVE], stream, count, arguments);
    for (int i = 0; i < count; i++)
        if (arguments[i].memory)
            dnnl_memory_destroy(arguments[i].memory);
    return done;
}

static bool run_slot(const wk_convolution_work *work, int64_t slot, dnnl_stream_t stream)
{
    const wk_convolution_shape *s = &work->shape;
    const wk_convolution_plan *plan = work->plan;
    const layouts l = layouts_of(work);
    const int out = written(plan->direction);
    char *own[2], *at = work->scratch + plan->shared_bytes + slot * work->slot_bytes; // x, y
    own[0] = at;
    own[1] = own[0] + rounded(dnnl_memory_desc_get_size(l.own[X]));
    char *scratchpad = own[1] + rounded(dnnl_memory_desc_get_size(l.own[Y]));
    char *gradient = scratchpad + rounded(dnnl_memory_desc_get_size(l.scratchpad));
    float *part = (float *)(work->scratch + (slot + 1) * plan->part_bytes);

    const int64_t pieces = s->N / plan->piece, first = slot * pieces / work->slots;
    for (int64_t piece = first; piece < (slot + 1) * pieces / work->slots; piece++) {
        char *x = (char *)work->x + piece * plan->piece * s->C * s->H * s->W * (int64_t)sizeof(float);
        char *y = (char *)work->y + piece * plan->piece * s->O * s->OH * s->OW * (int64_t)sizeof(float);
        char *x_own = plan->handles[REORDER_X] ? own[0] : x, *y_own = plan->handles[REORDER_Y] ? own[1] : y;
        void *weight = work->scratch;
        if (plan->direction == WK_CONVOLUTION_WEIGHT)
            weight = piece == first ? (char *)part : gradient;
        else if (!plan->handles[REORDER_WEIGHT])
            weight = work->weight;
        if ((x_own != x && out != X && !reorder(plan, stream, &l, X, x, x_own)) ||
            (y_own != y && out != Y && !reorder(plan, stream, &l, Y, y, y_own)) ||
            !convolve(work, stream, &l, x_own, weight, y_own, scratchpad) ||
            (x_own != x && out == X && !reorder(plan, stream, &l, X, x, x_own)) ||
            (y_own != y && out == Y && !reorder(plan, stream, &l, Y, y, y_own)))
            return false;
        const int64_t count = plan->part_bytes / (int64_t)sizeof(float);
        if (plan->direction == WK_CONVOLUTION_WEIGHT && piece > first)
            for (int64_t i = 0; i < count; i++)
                part[i] += ((const float *)gradient)[i];
    }
    return true;
}

static void run_slots(const void *work_, int64_t begin, int64_t end)
{
    const wk_convolution_work *work = work_;
    dnnl_stream_t stream = NULL;
    bool done = dnnl_stream_create(&stream, work->plan->handles[ENGINE], dnnl_stream_default_flags) == dnnl_success;
    for (int64_t slot = begin; slot < end; slot++)
        done = done && run_slot(work, slot, stream);
    if (stream)
        dnnl_stream_destroy(stream);
    if (!done)
        __atomic_store_n(&work->plan->failed, true, __ATOMIC_RELAXED);
}

/* the weight into oneDNN's layout before, or its gradient out of it after */
static bool reorder_weight(wk_convolution_work *work, const layouts *l, void *own)
{
    dnnl_stream_t stream = NULL;
    const bool done =
        dnnl_stream_create(&stream, work->plan->handles[ENGINE], dnnl_stream_default_flags) == dnnl_success &&
        reorder(work->plan, stream, l, WEIGHT, work->weight, own);
    if (stream)
        dnnl_stream_destroy(stream);
    return done;
}

bool wk_convolution_onednn_run(const wk_kernels *kernels, wk_convolution_work *work)
{
    wk_convolution_plan *plan = work->plan;
    const layouts l = layouts_of(work);
    const bool weight = plan->direction == WK_CONVOLUTION_WEIGHT;
    if (!weight && plan->handles[REORDER_WEIGHT] && !reorder_weight(work, &l, work->scratch))
        return false;
    wk_parallel(run_slots, work, work->slots, INT64_MAX);
    if (plan->failed)
        return false;
    if (!weight)
        return true;
    const int64_t count = (int64_t)dnnl_memory_desc_get_size(l.own[WEIGHT]) / (int64_t)sizeof(float);
    float *total = (float *)work->scratch, *part = (float *)(work->scratch + plan->part_bytes);
    if (!plan->handles[REORDER_WEIGHT])
        total = work->weight;
    const int64_t stride = plan->part_bytes / (int64_t)sizeof(float); // parts may be padded
    const wk_sum_work sum = {.x = part, .y = total, .n = work->slots, .inner = stride, .chunk = work->slots};
    wk_parallel(kernels->sum, &sum, count, work->slots);
    return !plan->handles[REORDER_WEIGHT] || reorder_weight(work, &l, total);
}

#else
bool wk_convolution_onednn_open(wk_convolution_work *work)
{
    (void)work;
    return false;
}
bool wk_convolution_onednn_run(const wk_kernels *kernels, wk_convolution_work *work)
{
    (void)kernels, (void)work;
    return false;
}
void wk_convolution_onednn_close(wk_convolution_work *work) { (void)work; }
#endif
