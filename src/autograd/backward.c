/* The walk back: every node after all that depend on it, the latest made first.  In a loop over a heap, so a graph may
   be as deep as memory.

   Gradients gather in the nodes' outputs; those of leaves gather in a table and are added to grad at the end, so that a
   backward that fails touches no grad. */
#include "node.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

void wk_node_release_saved(wk_node *node);

typedef struct leaf_gradient {
    wk_tensor *leaf, *gradient;
} leaf_gradient;

typedef struct nodes {
    wk_node **items;
    int64_t count, capacity;
} nodes;

/* of the backward that this thread runs */
typedef struct walk {
    nodes ready;   // a heap, the latest on top
    nodes visited; // retained
    leaf_gradient *leaves;
    int64_t leaves_count, leaves_capacity;
    int64_t *leaf_slots; // open addressing by the leaf's address; -1 free
    int64_t slots;
    bool failed, create_graph;
    const wk_autograd_grad_args *wanted; // of autograd.grad
    wk_tensor **captured;                // gradients of wanted inputs that are not leaves
    struct walk *outer;
} walk;

static _Thread_local walk *current;
static uint64_t visits;

static bool push(nodes *list, wk_node *node)
{
    if (list->count == list->capacity) {
        int64_t capacity = list->capacity ? 2 * list->capacity : 128;
        wk_node **items = wk_realloc(list->items, (size_t)capacity * sizeof *items);
        if (!items)
            return wk_out_of_memory("backward", (size_t)capacity * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = node;
    return true;
}

static bool heap_push(nodes *heap, wk_node *node)
{
    if (!push(heap, node))
        return false;
    int64_t i = heap->count - 1;
    for (; i > 0 && heap->items[(i - 1) / 2]->sequence < node->sequence; i = (i - 1) / 2)
        heap->items[i] = heap->items[(i - 1) / 2];
    heap->items[i] = node;
    return true;
}

static wk_node *heap_pop(nodes *heap)
{
    wk_node *top = heap->items[0], *last = heap->items[--heap->count];
    int64_t i = 0;
    for (int64_t child; (child = 2 * i + 1) < heap->count; i = child) {
        if (child + 1 < heap->count && heap->items[child + 1]->sequence > heap->items[child]->sequence)
            child++;
        if (heap->items[child]->sequence <= last->sequence)
            break;
        heap->items[i] = heap->items[child];
    }
    if (heap->count > 0)
        heap->items[i] = last;
    return top;
}

/* adds gradient to what is in place, which keeps a reference */
static bool gather(wk_tensor **place, wk_tensor *gradient)
{
    if (!*place) {
        *place = wk_retain(gradient);
        return true;
    }
    wk_tensor *sum = wk_gradient_add(*place, gradient);
    if (!sum)
        return false;
    wk_retain(sum);
    wk_release(*place);
    *place = sum;
    return true;
}

static uint64_t slot_of(const wk_tensor *leaf, int64_t slots)
{
    return ((uint64_t)(uintptr_t)leaf * 0x9E3779B97F4A7C15u >> 20) & (uint64_t)(slots - 1);
}

static bool grow_leaves(walk *w)
{
    const int64_t capacity = w->leaves_capacity ? 2 * w->leaves_capacity : 64, slots = 4 * capacity;
    leaf_gradient *leaves = wk_realloc(w->leaves, (size_t)capacity * sizeof *leaves);
    if (leaves)
        w->leaves = leaves;
    int64_t *table = leaves ? wk_realloc(w->leaf_slots, (size_t)slots * sizeof *table) : NULL;
    if (!table)
        return wk_out_of_memory("backward", (size_t)slots * sizeof *table);
    w->leaf_slots = table;
    w->leaves_capacity = capacity;
    w->slots = slots;
    memset(table, -1, (size_t)slots * sizeof *table);
    for (int64_t i = 0; i < w->leaves_count; i++) {
        uint64_t slot = slot_of(w->leaves[i].leaf, slots);
        while (table[slot] >= 0)
            slot = (slot + 1) & (uint64_t)(slots - 1);
        table[slot] = i;
    }
    return true;
}

static bool gather_leaf(walk *w, wk_tensor *leaf, wk_tensor *gradient)
{
    if (w->leaves_count == w->leaves_capacity && !grow_leaves(w))
        return false;
    uint64_t slot = slot_of(leaf, w->slots);
    for (; w->leaf_slots[slot] >= 0; slot = (slot + 1) & (uint64_t)(w->slots - 1))
        if (w->leaves[w->leaf_slots[slot]].leaf == leaf)
            return gather(&w->leaves[w->leaf_slots[slot]].gradient, gradient);
    w->leaf_slots[slot] = w->leaves_count;
    w->leaves[w->leaves_count++] = (leaf_gradient){wk_retain(leaf), wk_retain(gradient)};
    return true;
}

void wk_accumulate(wk_node *node, int input, wk_tensor *gradient)
{
    const wk_edge *edge = &node->edges[input];
    if (!edge->node && !edge->leaf)
        return;
    if (!gradient) {
        /* an op of the backward failed and said so, or the backward gave none */
        current->failed |= wk_failing();
        return;
    }
    const wk_output *to = edge->node ? &edge->node->output[edge->output_nr] : NULL;
    gradient = to ? wk_gradient_fit(gradient, to->ndim, to->shape, to->dtype)
                  : wk_gradient_fit(gradient, edge->leaf->ndim, edge->leaf->shape, edge->leaf->dtype);
    if (!gradient)
        current->failed = true;
    else if (edge->leaf)
        current->failed |= !gather_leaf(current, edge->leaf, gradient);
    else if (edge->node->visit == node->visit)
        current->failed |= !gather(&edge->node->output[edge->output_nr].gradient, gradient);
}

static int by_sequence(const void *a, const void *b)
{
    const wk_node *x = *(wk_node *const *)a, *y = *(wk_node *const *)b;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static bool leads_to(const wk_edge *edge, const wk_autograd_grad_args *wanted)
{
    if (edge->node && edge->node->needed)
        return true;
    for (int64_t i = 0; i < wanted->inputs.count; i++) {
        const wk_tensor *input = wanted->inputs.items[i];
        if (edge->node ? input->grad_fn == edge->node && input->output_nr == edge->output_nr : edge->leaf == input)
            return true;
    }
    return false;
}

/* autograd.grad runs, and frees, only what lies between outputs and inputs: a node's inputs were made before it */
static void mark_needed(walk *w)
{
    if (w->wanted && w->visited.count > 0)
        qsort(w->visited.items, (size_t)w->visited.count, sizeof *w->visited.items, by_sequence);
    for (int64_t i = 0; i < w->visited.count; i++) {
        wk_node *node = w->visited.items[i];
        node->needed = !w->wanted;
        for (int k = 0; k < node->inputs && !node->needed; k++)
            node->needed = leads_to(&node->edges[k], w->wanted);
    }
}

/* counts, for every node that can be reached, how many nodes feed it */
static bool count_dependencies(walk *w, uint64_t visit)
{
    nodes pending = {0};
    bool fine = true;
    for (int64_t i = 0; fine && i < w->visited.count; i++)
        fine = push(&pending, w->visited.items[i]);
    while (fine && pending.count > 0) {
        wk_node *node = pending.items[--pending.count];
        for (int i = 0; fine && i < node->inputs; i++) {
            wk_node *next = node->edges[i].node;
            if (!next)
                continue;
            if (next->visit != visit) {
                next->visit = visit;
                next->waiting = 0;
                wk_object_retain((wk_object *)next);
                fine = push(&w->visited, next);
                if (!fine) {
                    wk_object_release((wk_object *)next);
                    break;
                }
                fine = push(&pending, next);
            }
            next->waiting++;
        }
    }
    wk_free(pending.items);
    return fine;
}

wk_tensor *wk_run_hooks(wk_hooks *hooks, wk_tensor *gradient)
{
    for (int i = 0; gradient && i < hooks->count; i++) {
        wk_tensor *replaced = hooks->items[i].function(gradient, hooks->items[i].context);
        if (!replaced && wk_failing())
            return NULL;
        if (!replaced)
            continue;
        if (!wk_same_shape(replaced, gradient) || replaced->dtype != gradient->dtype)
            return wk_fail("register_hook", "hook: expected to replace a gradient of shape %s, %s, got %s, %s",
                           wk_shape_string(gradient), wk_dtype_name(gradient->dtype), wk_shape_string(replaced),
                           wk_dtype_name(replaced->dtype));
        gradient = replaced;
    }
    return gradient;
}

static bool run_output_hooks(wk_output *output)
{
    wk_hooks *hooks = output->hooks;
    wk_tensor *gradient = wk_run_hooks(hooks, output->gradient);
    if (!gradient)
        return false;
    wk_retain(gradient);
    wk_release(output->gradient);
    output->gradient = gradient;
    if (hooks->head.retain_grad) {
        wk_tensor *grad = hooks->head.retain_grad->grad;
        if (!gather(&grad, gradient))
            return false;
        hooks->head.retain_grad->grad = grad;
    }
    return true;
}

static void capture(walk *w, wk_node *node)
{
    for (int64_t i = 0; w->wanted && i < w->wanted->inputs.count; i++) {
        wk_tensor *input = w->wanted->inputs.items[i];
        if (input->grad_fn == node && node->output[input->output_nr].gradient)
            w->captured[i] = wk_retain(node->output[input->output_nr].gradient);
    }
}

/* before the backward runs: to it a saved tensor that is gone looks like one that never was */
static wk_tensor *graph_is_freed(const wk_node *node)
{
    return wk_fail(node->name, "backward through the graph a second time: its saved tensors are freed\n"
                               "hint: pass .retain_graph = true to the first wk_backward");
}

static void run_node(walk *w, wk_node *node, bool keep_graph)
{
    bool any = false;
    for (int i = 0; i < node->outputs; i++) {
        if (node->output[i].gradient && node->output[i].hooks)
            w->failed |= !run_output_hooks(&node->output[i]);
        any |= node->output[i].gradient != NULL;
    }
    capture(w, node);
    if (any && node->needed && !w->failed) {
        wk_scope
        {
            wk_tensor *dy = node->freed ? graph_is_freed(node) : wk_gradient(node, 0);
            if (dy)
                (w->create_graph && node->composed ? node->composed : node->backward)(node, dy);
            else
                w->failed = true;
        }
        w->failed |= wk_failing();
    }
    for (int i = 0; i < node->outputs; i++) {
        wk_release(node->output[i].gradient);
        node->output[i].gradient = NULL;
    }
    if (!keep_graph && node->needed)
        wk_node_release_saved(node);
    for (int i = 0; i < node->inputs && !w->failed; i++) {
        wk_node *next = node->edges[i].node;
        if (next && --next->waiting == 0)
            w->failed |= !heap_push(&w->ready, next);
    }
}

/* seeds the gradient of a root */
static bool seed(walk *w, wk_tensor *root, wk_tensor *gradient, uint64_t visit, const char *op)
{
    wk_node *node = wk_grad_fn(root);
    if (!node && !root->requires_grad)
        return wk_fail(op, "x: expected a tensor that requires grad, got one of shape %s without history\n"
                           "hint: wk_requires_grad_ the leaves before computing, and mind wk_no_grad and wk_detach",
                       wk_shape_string(root));
    if (!gradient && root->numel != 1)
        return wk_fail(op, "x: expected one element where no gradient is given, got shape %s\n"
                           "hint: reduce it first (wk_mean, wk_sum), or pass .gradient = ...", wk_shape_string(root));
    if (gradient && !wk_same_shape(gradient, root))
        return wk_fail(op, "gradient: expected x's shape %s, got %s", wk_shape_string(root), wk_shape_string(gradient));
    if (!gradient)
        gradient = wk_gradient_ones_like(root);
    if (!gradient)
        return false;
    if (!node)
        return gather_leaf(w, root, gradient);
    if (node->visit != visit) {
        node->visit = visit;
        node->waiting = 0;
        wk_object_retain((wk_object *)node);
        if (!push(&w->visited, node)) {
            wk_object_release((wk_object *)node);
            return false;
        }
    }
    return gather(&node->output[root->output_nr].gradient, gradient);
}

/* leaf hooks see the whole gradient of this backward */
static bool run_leaf_hooks(walk *w)
{
    for (int64_t i = 0; i < w->leaves_count; i++) {
        leaf_gradient *entry = &w->leaves[i];
        if (!entry->leaf->hooks)
            continue;
        wk_tensor *gradient = wk_run_hooks(entry->leaf->hooks, entry->gradient);
        if (!gradient)
            return false;
        wk_retain(gradient);
        wk_release(entry->gradient);
        entry->gradient = gradient;
    }
    return true;
}

/* the walk itself: leaves' gradients are in w afterwards */
static bool run(walk *w, wk_tensors roots, wk_tensors gradients, bool keep_graph, const char *op)
{
    const uint64_t visit = __atomic_add_fetch(&visits, 1, __ATOMIC_RELAXED);
    w->outer = current;
    current = w;
    bool fine = !wk_failing();
    for (int64_t i = 0; fine && i < roots.count; i++)
        fine = seed(w, roots.items[i], gradients.count > i ? gradients.items[i] : NULL, visit, op);
    fine = fine && count_dependencies(w, visit);
    if (fine)
        mark_needed(w);
    for (int64_t i = 0; fine && i < w->visited.count; i++)
        if (w->visited.items[i]->waiting == 0)
            fine = heap_push(&w->ready, w->visited.items[i]);
    w->failed = !fine;
    wk_grad_guard guard = wk_grad_mode_open(w->create_graph);
    while (!w->failed && w->ready.count > 0)
        run_node(w, heap_pop(&w->ready), keep_graph);
    w->failed = w->failed || !run_leaf_hooks(w);
    wk_grad_mode_close(&guard);
    current = w->outer;
    return !w->failed;
}

static void finish(walk *w)
{
    for (int64_t i = 0; i < w->visited.count; i++) {
        wk_node *node = w->visited.items[i];
        for (int k = 0; k < node->outputs; k++) {
            wk_release(node->output[k].gradient);
            node->output[k].gradient = NULL;
        }
        wk_object_release((wk_object *)node);
    }
    for (int64_t i = 0; i < w->leaves_count; i++) {
        wk_release(w->leaves[i].leaf);
        wk_release(w->leaves[i].gradient);
    }
    wk_free(w->leaves);
    wk_free(w->leaf_slots);
    wk_free(w->visited.items);
    wk_free(w->ready.items);
}

/* What a leaf's grad will be: the sum with what it holds already, or the gradient in memory of its own (a gradient that
   something else holds too, or that is no dense array, is copied). */
static bool own_gradient(leaf_gradient *entry)
{
    wk_tensor *own = entry->gradient;
    if (entry->leaf->grad)
        own = wk_gradient_add(entry->leaf->grad, own);
    else if (own->references > 1 || own->storage->references > 1 || !wk_is_contiguous(own))
        own = wk_gradient_clone(own);
    if (!own)
        return false;
    wk_retain(own);
    wk_release(entry->gradient);
    entry->gradient = own;
    return true;
}

bool wk_backward_with(wk_backward_args args)
{
    if (!args.x)
        return wk_null_input("backward", "x");
    walk w = {.create_graph = args.create_graph};
    bool fine = false;
    wk_scope
    {
        fine = run(&w, (wk_tensors){1, &args.x}, (wk_tensors){args.gradient ? 1 : 0, &args.gradient},
                   args.retain_graph || args.create_graph, "backward");
        wk_grad_guard guard = wk_grad_mode_open(args.create_graph);
        for (int64_t i = 0; fine && i < w.leaves_count; i++)
            fine = own_gradient(&w.leaves[i]);
        wk_grad_mode_close(&guard);
        /* nothing can fail from here on */
        for (int64_t i = 0; fine && i < w.leaves_count; i++) {
            wk_tensor *leaf = w.leaves[i].leaf;
            wk_release(leaf->grad);
            leaf->grad = w.leaves[i].gradient;
            w.leaves[i].gradient = NULL;
        }
    }
    finish(&w);
    return fine;
}

static bool grad_results(walk *w, const wk_autograd_grad_args *args)
{
    for (int64_t i = 0; i < args->inputs.count; i++) {
        wk_tensor *input = args->inputs.items[i], *gradient = w->captured[i];
        for (int64_t k = 0; !gradient && !input->grad_fn && k < w->leaves_count; k++)
            if (w->leaves[k].leaf == input)
                gradient = w->captured[i] = wk_retain(w->leaves[k].gradient);
        if (!gradient && !args->allow_unused)
            return wk_fail("autograd_grad", "inputs: number %lld, of shape %s, was not used in computing outputs\n"
                                            "hint: pass .allow_unused = true to get NULL for it",
                           (long long)i, wk_shape_string(input));
    }
    return true;
}

bool wk_autograd_grad_with(wk_autograd_grad_args args)
{
    const char *op = "autograd_grad";
    if (args.results.count != args.inputs.count)
        return wk_fail(op, "results: expected %lld places, one for each input, got %lld", (long long)args.inputs.count,
                       (long long)args.results.count);
    for (int64_t i = 0; i < args.outputs.count; i++)
        if (!args.outputs.items[i])
            return wk_null_input(op, "outputs");
    for (int64_t i = 0; i < args.inputs.count; i++) {
        if (!args.inputs.items[i])
            return wk_null_input(op, "inputs");
        if (!wk_grad_fn(args.inputs.items[i]) && !args.inputs.items[i]->requires_grad)
            return wk_fail(op, "inputs: number %lld does not require grad", (long long)i);
    }
    wk_tensor **captured = wk_alloc_zeroed((size_t)(args.inputs.count + 1) * sizeof *captured);
    if (!captured)
        return wk_out_of_memory(op, (size_t)args.inputs.count * sizeof *captured);
    walk w = {.create_graph = args.create_graph, .wanted = &args, .captured = captured};
    bool fine = false;
    wk_scope
    {
        fine = run(&w, args.outputs, args.grad_outputs, args.retain_graph || args.create_graph, op) &&
               grad_results(&w, &args);
    }
    for (int64_t i = 0; i < args.inputs.count; i++)
        *args.results.items[i] = fine && captured[i] ? wk_adopt(wk_retain(captured[i])) : NULL;
    for (int64_t i = 0; i < args.inputs.count; i++)
        wk_release(captured[i]);
    finish(&w);
    wk_free(captured);
    return fine;
}
