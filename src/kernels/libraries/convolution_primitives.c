/* oneDNN's primitives of one convolution, in the C API of its version 2. */
#ifdef WICK_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#if defined(WICK_HAVE_ONEDNN) && DNNL_VERSION_MAJOR == 2
#include "convolution_primitives.h"

#include <string.h>

#include "onednn.h"

static size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }
static bool fine(dnnl_status_t status) { return status == dnnl_success; }

/* oneDNN throws where it has no memory, and wk_onednn_call catches: what is held goes with its block */
#define HELD(type, let_go)                                                                                             \
    static void free_##type(type *held)                                                                                \
    {                                                                                                                  \
        if (*held)                                                                                                     \
            let_go(*held);                                                                                             \
    }
HELD(dnnl_memory_t, dnnl_memory_destroy)
HELD(dnnl_primitive_desc_t, dnnl_primitive_desc_destroy)
HELD(dnnl_primitive_attr_t, dnnl_primitive_attr_destroy)
#define WK_HELD(type) __attribute__((cleanup(free_##type))) type

/* ---------------------------------------------------------------- layouts */

static bool multiplies_bfloat16(void)
{
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

/* plain is dense but for rows of `row` numbers of a weight of which a part is some columns; 0: dense */
static bool make_layout(wk_convolution_layout *l, int ndim, const dnnl_dims_t size, dnnl_data_type_t plain,
                        dnnl_data_type_t own, int64_t row)
{
    dnnl_dims_t strides;
    l->numbers = 1;
    for (int dim = ndim - 1; dim >= 0; dim--) {
        strides[dim] = l->numbers;
        l->numbers *= size[dim];
    }
    if (row)
        strides[0] = row;
    return fine(dnnl_memory_desc_init_by_strides(&l->plain, ndim, size, plain, strides)) &&
           fine(dnnl_memory_desc_init_by_tag(&l->any, ndim, size, own, dnnl_format_tag_any));
}

static bool make_layouts(wk_convolution_primitives *p, wk_dtype dtype, const wk_spatial_shape *s, int64_t weight_row,
                         bool has_bias)
{
    const bool half = dtype != wk_float32, gradient = p->direction == WK_CONVOLUTION_WEIGHT;
    p->number = dtype == wk_bfloat16 && multiplies_bfloat16() ? dnnl_bf16 : dnnl_f32;
    dnnl_data_type_t plain[WK_ROLES], own[WK_ROLES];
    for (int i = 0; i < WK_ROLES; i++) {
        p->role[i].converted = half && p->number == dnnl_f32;
        plain[i] = own[i] = p->number;
    }
    /* of halves, sums are floats until the end */
    if (gradient)
        own[WK_WEIGHT] = dnnl_f32;
    if (half && p->direction == WK_CONVOLUTION_DATA && has_bias) { // which is added to floats
        p->role[WK_X].converted = true;
        plain[WK_X] = own[WK_X] = dnnl_f32;
    }
    const int skip = 3 - s->dims, ndim = s->dims + 2;
    const size_t bytes = (size_t)s->dims * sizeof(int64_t);
    dnnl_dims_t x = {s->N, s->C}, y = {s->N, s->O}, weight = {s->O, s->C};
    int64_t *sizes = &weight[2];
    if (s->groups > 1) {
        memcpy(weight, (int64_t[]){s->groups, s->O / s->groups, s->C / s->groups}, 3 * sizeof(int64_t));
        sizes++;
    }
    memcpy(&x[2], &s->in[skip], bytes);
    memcpy(&y[2], &s->out[skip], bytes);
    memcpy(sizes, &s->kernel[skip], bytes);
    const dnnl_dims_t biases = {p->direction == WK_CONVOLUTION_DATA ? s->C : s->O};
    return make_layout(&p->role[WK_X], ndim, x, plain[WK_X], own[WK_X], 0) &&
           make_layout(&p->role[WK_Y], ndim, y, plain[WK_Y], own[WK_Y], 0) &&
           make_layout(&p->role[WK_WEIGHT], ndim + (s->groups > 1), weight, plain[WK_WEIGHT], own[WK_WEIGHT],
                       weight_row) &&
           fine(dnnl_memory_desc_init_by_tag(&p->bias, 1, biases, dnnl_f32, dnnl_x));
}

static bool make_descriptor(wk_convolution_primitives *p, const wk_spatial_shape *s, bool has_bias,
                            dnnl_primitive_attr_t attributes)
{
    const int skip = 3 - s->dims;
    const bool forward = p->direction == WK_CONVOLUTION_FORWARD;
    dnnl_dims_t stride, dilation, before, after;
    for (int dim = 0; dim < s->dims; dim++) {
        stride[dim] = s->stride[skip + dim];
        dilation[dim] = s->dilation[skip + dim] - 1; // oneDNN counts from 0
        before[dim] = s->before[skip + dim];
        after[dim] = s->after[skip + dim];
    }
    dnnl_memory_desc_t any[WK_ROLES]; // of the forward convolution, which a gradient's implementation wants as a hint
    for (int i = 0; i < WK_ROLES; i++) {
        any[i] = p->role[i].any;
        any[i].data_type = p->number;
    }
    dnnl_convolution_desc_t whole, gradient;
    if (!fine(dnnl_dilated_convolution_forward_desc_init(
            &whole, dnnl_forward_training, dnnl_convolution_direct, &any[WK_X], &any[WK_WEIGHT],
            forward && has_bias ? &p->bias : NULL, &any[WK_Y], stride, dilation, before, after)))
        return false;
    if (forward)
        return fine(dnnl_primitive_desc_create(&p->descriptor, &whole, attributes, p->engine, NULL));
    WK_HELD(dnnl_primitive_desc_t) hint = NULL;
    dnnl_status_t status = dnnl_primitive_desc_create(&hint, &whole, attributes, p->engine, NULL);
    if (fine(status) && p->direction == WK_CONVOLUTION_DATA)
        status = dnnl_dilated_convolution_backward_data_desc_init(&gradient, dnnl_convolution_direct,
                                                                  &p->role[WK_X].any, &p->role[WK_WEIGHT].any,
                                                                  &p->role[WK_Y].any, stride, dilation, before, after);
    else if (fine(status))
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &gradient, dnnl_convolution_direct, &p->role[WK_X].any, &p->role[WK_WEIGHT].any, NULL, &p->role[WK_Y].any,
            stride, dilation, before, after);
    if (fine(status))
        status = dnnl_primitive_desc_create(&p->descriptor, &gradient, attributes, p->engine, hint);
    return fine(status);
}

static bool make_reorder(wk_convolution_primitives *p, int role)
{
    static const dnnl_query_t OWN[][WK_ROLES] = {
        [WK_CONVOLUTION_FORWARD] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
        [WK_CONVOLUTION_DATA] = {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
        [WK_CONVOLUTION_WEIGHT] = {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md}};
    wk_convolution_layout *l = &p->role[role];
    l->own = dnnl_primitive_desc_query_md(p->descriptor, OWN[p->direction][role], 0);
    l->bytes = rounded(dnnl_memory_desc_get_size(l->own));
    if (dnnl_memory_desc_equal(&l->plain, l->own))
        return true;
    const bool out = role == p->out;
    WK_HELD(dnnl_primitive_desc_t) descriptor = NULL;
    if (!fine(dnnl_reorder_primitive_desc_create(&descriptor, out ? l->own : &l->plain, p->engine,
                                                 out ? &l->plain : l->own, p->engine, NULL)))
        return false;
    return fine(dnnl_primitive_create(&l->reorder, descriptor));
}

static bool make_primitives(wk_convolution_primitives *p, const wk_spatial_shape *shape, bool has_bias)
{
    WK_HELD(dnnl_primitive_attr_t) attributes = NULL;
    bool made = fine(dnnl_engine_create(&p->engine, dnnl_cpu, 0)) && fine(dnnl_primitive_attr_create(&attributes)) &&
                fine(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user)) &&
                make_descriptor(p, shape, has_bias, attributes) &&
                fine(dnnl_primitive_create(&p->primitive, p->descriptor));
    for (int role = WK_X; role < WK_ROLES; role++)
        made = made && make_reorder(p, role);
    if (made) {
        p->scratchpad = dnnl_primitive_desc_query_md(p->descriptor, dnnl_query_scratchpad_md, 0);
        p->scratchpad_bytes = rounded(dnnl_memory_desc_get_size(p->scratchpad));
    }
    return made;
}

typedef struct wish {
    wk_convolution_primitives *p;
    wk_dtype dtype;
    const wk_spatial_shape *shape;
    int64_t weight_row;
    bool has_bias;
} wish;

static bool make(void *arguments)
{
    const wish *w = arguments;
    return make_layouts(w->p, w->dtype, w->shape, w->weight_row, w->has_bias) &&
           make_primitives(w->p, w->shape, w->has_bias);
}

bool wk_convolution_primitives_make(wk_convolution_primitives *p, wk_convolution_direction direction, wk_dtype dtype,
                                    const wk_spatial_shape *shape, int64_t weight_row, bool has_bias)
{
    static const int OUT[] = {
        [WK_CONVOLUTION_FORWARD] = WK_Y, [WK_CONVOLUTION_DATA] = WK_X, [WK_CONVOLUTION_WEIGHT] = WK_WEIGHT};
    *p = (wk_convolution_primitives){.direction = direction, .out = OUT[direction]};
    const int number = dtype == wk_float32 ? 0 : dtype == wk_float16 ? 1 : 2;
    wish w = {p, dtype, shape, weight_row, has_bias};
    return wk_onednn_call(WK_ONEDNN_MAKE + 3 * (int)direction + number, make, &w);
}

void wk_convolution_primitives_free(wk_convolution_primitives *p)
{
    for (int role = WK_X; role < WK_ROLES; role++)
        if (p->role[role].reorder)
            dnnl_primitive_destroy(p->role[role].reorder);
    if (p->primitive)
        dnnl_primitive_destroy(p->primitive);
    if (p->descriptor)
        dnnl_primitive_desc_destroy(p->descriptor);
    if (p->engine)
        dnnl_engine_destroy(p->engine);
}

/* ---------------------------------------------------------------- running */

bool wk_convolution_reorder(const wk_convolution_primitives *p, dnnl_stream_t stream, int role, const void *plain,
                            void *own)
{
    const wk_convolution_layout *l = &p->role[role];
    if (!l->reorder)
        return true;
    const bool out = role == p->out;
    WK_HELD(dnnl_memory_t) a = NULL;
    WK_HELD(dnnl_memory_t) b = NULL;
    /* oneDNN takes pointers that it does not write through */
    return fine(dnnl_memory_create(&a, &l->plain, p->engine, (void *)(uintptr_t)plain)) &&
           fine(dnnl_memory_create(&b, l->own, p->engine, own)) &&
           fine(dnnl_primitive_execute(l->reorder, stream, 2,
                                       (dnnl_exec_arg_t[]){{DNNL_ARG_FROM, out ? b : a}, {DNNL_ARG_TO, out ? a : b}}));
}

typedef struct memories {
    dnnl_memory_t items[5];
} memories;

static void free_memories(memories *held)
{
    for (int i = 0; i < 5; i++)
        free_dnnl_memory_t(&held->items[i]);
}

bool wk_convolution_execute(const wk_convolution_primitives *p, dnnl_stream_t stream, void *const own[WK_ROLES],
                            const float *bias, void *scratchpad)
{
    const bool of_x = p->direction == WK_CONVOLUTION_DATA, of_weight = p->direction == WK_CONVOLUTION_WEIGHT;
    const bool forward = !of_x && !of_weight;
    const struct {
        int argument;
        const dnnl_memory_desc_t *layout;
        void *place;
    } given[] = {{of_x ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, p->role[WK_X].own, own[WK_X]},
                 {of_weight ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, p->role[WK_WEIGHT].own, own[WK_WEIGHT]},
                 {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, p->role[WK_Y].own, own[WK_Y]},
                 {DNNL_ARG_SCRATCHPAD, p->scratchpad, scratchpad},
                 {DNNL_ARG_BIAS, &p->bias, (void *)(uintptr_t)bias}};
    const int count = forward && bias ? 5 : 4;
    WK_HELD(memories) memory = {{NULL}};
    dnnl_exec_arg_t arguments[5] = {{0}};
    for (int i = 0; i < count; i++) {
        if (!fine(dnnl_memory_create(&memory.items[i], given[i].layout, p->engine, given[i].place)))
            return false;
        arguments[i] = (dnnl_exec_arg_t){given[i].argument, memory.items[i]};
    }
    return fine(dnnl_primitive_execute(p->primitive, stream, count, arguments));
}

#endif
