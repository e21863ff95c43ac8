/* Making nodes, and what a node's backward asks of it. */
#include "backward.h"
#include "recompute.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/print_internal.h"

static _Thread_local bool grad_disabled;
static uint64_t sequence;

bool wk_is_grad_enabled(void) { return !grad_disabled; }
/* inside wk_inference_mode nothing is recorded, whatever is enabled */
void wk_set_grad_enabled(bool mode) { grad_disabled = !mode || wk_inference; }

wk_grad_guard wk_grad_mode_open(bool mode)
{
    wk_grad_guard guard = {.before = !grad_disabled, .open = true};
    wk_set_grad_enabled(mode);
    return guard;
}

void wk_grad_mode_close(wk_grad_guard *guard) { grad_disabled = !guard->before; }

wk_inference_guard wk_inference_mode_open(void)
{
    const wk_inference_guard guard = {.inference = wk_inference, .grad = !grad_disabled, .open = true};
    wk_inference = true;
    grad_disabled = true;
    return guard;
}

void wk_inference_mode_close(wk_inference_guard *guard)
{
    wk_inference = guard->inference;
    grad_disabled = !guard->grad;
}

/* a view of a tensor that was written into takes the new history first */
static bool requires_grad(wk_tensor *x)
{
    if (x->view && x->view->graph_version != x->storage->graph_version)
        wk_grad_fn(x);
    return x->requires_grad;
}

bool wk_needs_grad(const wk_tensor *x) { return !grad_disabled && x && requires_grad((wk_tensor *)(uintptr_t)x); }

bool wk_would_record(wk_tensors inputs)
{
    if (grad_disabled)
        return false;
    for (int64_t i = 0; i < inputs.count; i++)
        if (inputs.items[i] && requires_grad(inputs.items[i]))
            return true;
    return false;
}

static void release_saved(wk_node *node)
{
    for (int i = 0; i < node->saves; i++) {
        wk_release(node->saved[i].tensor);
        node->saved[i].tensor = NULL;
    }
}

static void node_destroy(wk_object *object)
{
    wk_node *node = (wk_node *)object;
    release_saved(node);
    for (int i = 0; i < node->inputs; i++) {
        wk_object_release((wk_object *)node->edges[i].node);
        wk_release(node->edges[i].leaf);
    }
    for (int i = 0; i < node->outputs; i++) {
        wk_object_release(node->output[i].hooks);
    }
    wk_object_release(node->recomputation);
    wk_free(node->recorded_at);
    wk_free(node);
}

/* the memory of x under a header without history, owned by nobody's scope */
static wk_tensor *without_history(wk_tensor *x)
{
    wk_tensor *copy = wk_tensor_header();
    if (!copy)
        return wk_out_of_memory("record", sizeof *copy);
    /* not the whole struct: another thread may be counting a reference in it */
    memcpy(copy, x, offsetof(wk_tensor, requires_grad));
    copy->storage = x->storage;
    copy->offset = x->offset;
    copy->numel = x->numel;
    copy->output_nr = x->output_nr;
    copy->is_parameter = x->is_parameter;
    __atomic_add_fetch(&x->storage->references, 1, __ATOMIC_RELAXED);
    return copy;
}

/* the same with x's history as it is now.  x itself would not do: written in place it may come to follow from the node
   that saved it, and the two would hold each other for good. */
static wk_tensor *with_history(wk_tensor *x)
{
    wk_node *history = wk_grad_fn(x);
    wk_tensor *copy = without_history(x);
    if (!copy)
        return NULL;
    wk_object_retain((wk_object *)history);
    copy->grad_fn = history;
    copy->requires_grad = history != NULL;
    return copy;
}

static bool save(wk_node *node, int i, wk_tensor *x, const wk_record_args *args)
{
    node->saved[i] = (wk_saved_tensor){.output_nr = -1};
    if (!x)
        return true;
    if (x->storage->inference)
        return wk_fail(args->name, "a tensor of shape %s that the gradient needs was made inside wk_inference_mode\n"
                                   "hint: wk_clone it outside, or make it inside wk_no_grad", wk_shape_string(x));
    for (int result = 0; result < args->results_count; result++)
        if (args->results[result] == x)
            node->saved[i].output_nr = result;
    const bool is_leaf = x->requires_grad && !wk_grad_fn(x);
    node->saved[i].tensor = node->saved[i].output_nr >= 0 ? without_history(x)
                            : is_leaf                     ? wk_retain(x)
                                                          : with_history(x);
    node->saved[i].version = wk_writes(x);
    return node->saved[i].tensor;
}

/* "log_softmax_backward" prints as LogSoftmaxBackward0, a user's function as its name and Backward: as in PyTorch */
static void print_grad_fn(const wk_tensor *x, char *text, size_t size)
{
    const wk_node *node = wk_grad_fn((wk_tensor *)(uintptr_t)x);
    const char *name = node ? node->name : "";
    const size_t length = strlen(name), tail = strlen("_backward");
    if (length <= tail || strcmp(name + length - tail, "_backward") != 0) {
        snprintf(text, size, "%s%s", name, node ? "Backward" : "");
        return;
    }
    size_t used = 0;
    for (const char *c = name; *c && used + 2 < size; c++)
        if (*c != '_')
            text[used++] = c == name || c[-1] == '_' ? (char)toupper((unsigned char)*c) : *c;
    snprintf(text + used, size - used, "0");
}

static void install_print_grad_fn(void) { wk_print_set_grad_fn_name_hook(print_grad_fn); }

static wk_node *node_new(const wk_record_args *args)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; // before there is a grad_fn to print
    pthread_once(&once, install_print_grad_fn);
    const size_t edges = (size_t)args->inputs.count * sizeof(wk_edge);
    const size_t saved = (size_t)args->saved.count * sizeof(wk_saved_tensor);
    const size_t outputs = (size_t)args->results_count * sizeof(wk_output);
    /* the op's own struct lies last, aligned for whatever it holds */
    const size_t kept = (sizeof(wk_node) + edges + saved + outputs + 15) / 16 * 16, bytes = kept + args->kept_bytes;
    wk_node *node = wk_alloc(bytes);
    if (!node)
        return wk_out_of_memory(args->name, bytes);
    memset(node, 0, sizeof *node + edges);
    node->object = (wk_object){.references = 1, .destroy = node_destroy};
    node->name = args->name;
    node->backward = args->backward;
    node->composed = args->composed;
    if (args->kept)
        node->kept = memcpy((char *)node + kept, args->kept, args->kept_bytes);
    node->sequence = __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED);
    node->inputs = (int)args->inputs.count;
    node->outputs = args->results_count;
    node->edges = (wk_edge *)(node + 1);
    node->output = (wk_output *)((char *)node->edges + edges);
    node->saved = (wk_saved_tensor *)((char *)node->output + outputs);
    for (int i = 0; i < node->outputs; i++) {
        const wk_tensor *y = args->results[i];
        wk_output *output = &node->output[i];
        output->ndim = y->ndim;
        memcpy(output->shape, y->shape, sizeof output->shape);
        output->dtype = y->dtype;
        output->device = y->device;
        output->hooks = NULL;
    }
    for (int i = 0; i < node->inputs; i++) {
        wk_tensor *x = args->inputs.items[i];
        if (!x || !requires_grad(x))
            continue;
        node->edges[i].node = wk_grad_fn(x);
        node->edges[i].output_nr = x->output_nr;
        if (node->edges[i].node)
            wk_object_retain((wk_object *)node->edges[i].node);
        else
            node->edges[i].leaf = wk_retain(x);
    }
    for (int i = 0; i < (int)args->saved.count; i++) {
        if (!save(node, i, args->saved.items[i], args)) {
            wk_object_release((wk_object *)node);
            return NULL;
        }
        node->saves = i + 1;
    }
    if (__builtin_expect(wk_recording.recomputation != NULL, 0) && node->saves > 0 && !wk_recomputation_add(node)) {
        wk_object_release((wk_object *)node);
        return NULL;
    }
    if (__builtin_expect(wk_anomaly.on, 0) && !(node->recorded_at = wk_anomaly_place(node->name))) {
        wk_object_release((wk_object *)node);
        return NULL;
    }
    return node;
}

wk_node *wk_node_saving(const char *name, wk_tensors tensors)
{
    return node_new(&(wk_record_args){.name = name, .saved = tensors});
}

bool wk_record_with(const wk_record_args *args)
{
    bool all = true;
    for (int i = 0; i < args->results_count; i++)
        all &= args->results[i] != NULL;
    if (all && wk_detects_anomaly())
        all = wk_anomaly_check_results(args->name, args->results, args->results_count, args->inputs);
    if (!all || !wk_would_record(args->inputs))
        return all;
    wk_node *node = node_new(args);
    if (!node)
        return false;
    for (int i = 0; i < args->results_count; i++) {
        wk_tensor *y = args->results[i];
        if (!wk_dtype_is_floating(y->dtype) && !wk_dtype_is_complex(y->dtype))
            continue; // indices have no gradient
        wk_object_retain((wk_object *)node);
        y->grad_fn = node;
        y->output_nr = i;
        y->requires_grad = true;
    }
    wk_object_release((wk_object *)node);
    return true;
}

wk_tensor *wk_record_one(wk_tensor *y, wk_record_args *args)
{
    args->results = &y;
    args->results_count = 1;
    return wk_record_with(args) ? y : NULL;
}

wk_tensor *wk_saved(wk_node *node, int i)
{
    const wk_saved_tensor *saved = &node->saved[i];
    if (!saved->tensor || (node->recomputation && !wk_recompute(node)))
        return NULL;
    const uint32_t version = wk_writes(saved->tensor);
    if (version != saved->version)
        return wk_fail(node->name,
                       "a tensor of shape %s that the gradient needs was changed in place: it is at version %u, "
                       "expected version %u\nhint: use the form of the op without the trailing _; "
                       "wk_set_detect_anomaly(true) shows which call needs it",
                       wk_shape_string(saved->tensor), version, saved->version);
    if (saved->output_nr < 0 || grad_disabled)
        return saved->tensor;
    /* the op's own result, to be differentiated in its turn */
    wk_tensor *y = wk_tensor_alias(node->name, saved->tensor, saved->tensor->ndim, saved->tensor->shape,
                                   saved->tensor->strides, 0);
    if (!y)
        return NULL;
    wk_object_retain((wk_object *)node);
    y->grad_fn = node;
    y->output_nr = saved->output_nr;
    y->requires_grad = true;
    return y;
}

static bool same_memory(const wk_tensor *a, const wk_tensor *b)
{
    return a->storage == b->storage && a->offset == b->offset && wk_same_shape(a, b) &&
           memcmp(a->strides, b->strides, (size_t)a->ndim * sizeof *a->strides) == 0;
}

bool wk_save_copy_of(wk_node *node, wk_tensor *x)
{
    for (int i = 0; node && i < node->saves; i++) {
        wk_tensor *saved = node->saved[i].tensor;
        if (!saved || !same_memory(saved, x))
            continue;
        wk_tensor *copy = WK_WITHOUT_GRAD(wk_gradient_clone(saved));
        if (!copy)
            return false;
        wk_object_retain((wk_object *)saved->grad_fn);
        copy->grad_fn = saved->grad_fn;
        copy->output_nr = saved->output_nr;
        copy->requires_grad = saved->requires_grad;
        wk_release(saved);
        node->saved[i].tensor = wk_retain(copy);
        node->saved[i].version = wk_writes(copy);
    }
    return true;
}

wk_tensor *wk_input_stand_in(wk_node *node, int input, wk_tensor *like)
{
    const wk_edge *edge = &node->edges[input];
    if (edge->leaf || !edge->node)
        return edge->leaf;
    wk_tensor *stand_in = wk_tensor_alias(node->name, like, like->ndim, like->shape, like->strides, 0);
    if (!stand_in)
        return NULL;
    wk_object_retain((wk_object *)edge->node);
    stand_in->grad_fn = edge->node;
    stand_in->output_nr = edge->output_nr;
    stand_in->requires_grad = true;
    return stand_in;
}

static void view_destroy(wk_object *object)
{
    wk_release(((wk_view *)object)->base);
    wk_free(object);
}

bool wk_mark_view(wk_tensor *view, wk_tensor *of)
{
    if (!view)
        return false;
    if (view->view || !(wk_dtype_is_floating(of->dtype) || wk_dtype_is_complex(of->dtype)))
        return true;
    wk_tensor *base = of->view ? of->view->base : of;
    const bool untracked = grad_disabled || (of->view && of->view->untracked);
    if (untracked && !base->requires_grad)
        return true;
    wk_view *mark = wk_alloc(sizeof *mark);
    if (!mark)
        return wk_out_of_memory("view", sizeof *mark);
    *mark = (wk_view){.object = {.references = 1, .destroy = view_destroy},
                      .base = wk_retain(base),
                      .graph_version = view->storage->graph_version,
                      .untracked = untracked};
    view->view = mark;
    return true;
}

wk_node *wk_grad_fn(wk_tensor *x)
{
    const wk_view *view = x->view;
    if (view && !view->untracked && view->graph_version != x->storage->graph_version && !wk_view_renew(x))
        return NULL;
    return x->grad_fn;
}

void wk_node_release_saved(wk_node *node)
{
    for (int i = 0; i < node->saves; i++)
        node->freed |= node->saved[i].tensor != NULL;
    release_saved(node);
    wk_object_release(node->recomputation);
    node->recomputation = NULL;
}
