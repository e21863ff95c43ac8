/* The walk back: every node after all that depend on it, of those that are ready the latest made first.  In loops over
   lists, so a graph may be as deep as memory.

   A walk keeps what it knows of a graph in tables of its own: which nodes and leaves it reaches (steps), which step
   each edge leads to, how many edges a step still waits for, the gradients gathered so far.  Nodes stay as they are but
   for the saved tensors that are let go, so a hook, or a function's backward, may walk the same graph meanwhile.

   A leaf is a step like a node: as soon as its last edge has spoken its hooks run and its gradient goes into its grad.
   So there is never more than the gradients on the way. */
#include "backward.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/profile.h"

typedef struct step {
    wk_node *node;
    wk_tensor *leaf; // where there is no node
    int waiting;     // edges that have not spoken
    int edges;       // where its inputs begin in targets
    int gradients;   // where its results begin in gradients
    int captured;    // the first wanted tensor that is one of its results; NONE
    bool needed;     // a wanted gradient lies behind it
} step;

typedef struct ready {
    uint64_t sequence;
    int step;
} ready;

enum { NONE = -1, FEW = 16 };

/* tables on the stack, for a small graph */
typedef struct few {
    step steps[FEW];
    int slots[4 * FEW], targets[2 * FEW];
} few;

typedef struct walk {
    const wk_walk_back_args *args;
    step *steps; // of the roots first
    int count, capacity;
    int *slots; // 1 + a step, by the address of its node or leaf, open addressing; 0 free; four for each step
    int *targets; // the step that an edge leads to, NONE
    int target_count, target_capacity;
    wk_tensor **gradients; // retained
    int gradient_count;
    ready *heap; // the latest on top
    int heap_count;
    int *next_captured; // of each wanted tensor: the next that is a result of the same step
    step *running;      // whose backward runs
    bool failed;
    struct walk *outer;
    const few *few;
} walk;

static _Thread_local walk *current;

/* ---------------------------------------------------------------- steps */

static int *slot_of(const walk *w, const void *key)
{
    const uint64_t last = 4 * (uint64_t)w->capacity - 1;
    uint64_t slot = ((uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u >> 20) & last;
    for (; w->slots[slot]; slot = (slot + 1) & last) {
        const step *s = &w->steps[w->slots[slot] - 1];
        if (s->node == key || s->leaf == key)
            break;
    }
    return &w->slots[slot];
}

/* memory for more than items, which may be the walk's own first */
static void *grown(void *items, const void *first, size_t used, size_t bytes)
{
    if (items != first)
        return wk_realloc(items, bytes);
    void *more = wk_alloc(bytes);
    return more ? memcpy(more, items, used) : NULL;
}

static bool grow_steps(walk *w)
{
    const size_t capacity = 2 * (size_t)w->capacity, slots = 4 * capacity * sizeof *w->slots;
    step *steps = grown(w->steps, w->few->steps, (size_t)w->count * sizeof *steps, capacity * sizeof *steps);
    if (steps)
        w->steps = steps;
    int *table = steps ? grown(w->slots, w->few->slots, 0, slots) : NULL;
    if (!table)
        return wk_out_of_memory(w->args->op, slots);
    w->slots = memset(table, 0, slots);
    w->capacity = (int)capacity;
    for (int i = 0; i < w->count; i++)
        *slot_of(w, w->steps[i].node ? (void *)w->steps[i].node : w->steps[i].leaf) = i + 1;
    return true;
}

/* the step of a node, or of a leaf; NONE after an error */
static int step_of(walk *w, wk_node *node, wk_tensor *leaf)
{
    const void *key = node ? (void *)node : leaf;
    int *slot = slot_of(w, key);
    if (*slot)
        return *slot - 1;
    if (w->count == w->capacity) {
        if (!grow_steps(w))
            return NONE;
        slot = slot_of(w, key);
    }
    w->steps[w->count] =
        (step){.node = node, .leaf = node ? NULL : leaf, .captured = NONE, .needed = !w->args->captured};
    return (*slot = ++w->count) - 1;
}

/* Finds all that the roots come from, and counts the edges that each will hear of. */
static bool find_steps(walk *w)
{
    for (int i = 0; i < w->count; i++) {
        const wk_node *node = w->steps[i].node;
        w->steps[i].edges = w->target_count;
        w->steps[i].gradients = w->gradient_count;
        w->gradient_count += node ? node->outputs : 1;
        const int targets = w->target_count + (node ? node->inputs : 0);
        while (targets > w->target_capacity) {
            const size_t bytes = 2 * (size_t)w->target_capacity * sizeof *w->targets;
            int *more = grown(w->targets, w->few->targets, (size_t)w->target_count * sizeof *more, bytes);
            if (!more)
                return wk_out_of_memory(w->args->op, bytes);
            w->targets = more;
            w->target_capacity *= 2;
        }
        for (int k = 0; node && k < node->inputs; k++) {
            const wk_edge *edge = &node->edges[k];
            int target = NONE;
            if (edge->node || edge->leaf) {
                target = step_of(w, edge->node, edge->leaf);
                if (target == NONE)
                    return false;
                w->steps[target].waiting++;
            }
            w->targets[w->target_count++] = target;
        }
    }
    return true;
}

static bool is_wanted(const step *s) { return s->needed || s->captured != NONE; }

static int by_sequence(const void *a, const void *b)
{
    const ready *x = a, *y = b;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

/* autograd.grad runs, and frees, only what lies between outputs and inputs.  A node's inputs were made before it. */
static void mark_needed(walk *w)
{
    const wk_tensors wanted = w->args->wanted;
    for (int i = (int)wanted.count - 1; i >= 0; i--) {
        wk_tensor *x = wanted.items[i];
        const int found = *slot_of(w, x->grad_fn ? (void *)x->grad_fn : x) - 1;
        if (found == NONE)
            continue;
        w->next_captured[i] = w->steps[found].captured;
        w->steps[found].captured = i;
    }
    int nodes = 0;
    for (int i = 0; i < w->count; i++)
        if (w->steps[i].node)
            w->heap[nodes++] = (ready){w->steps[i].node->sequence, i};
    qsort(w->heap, (size_t)nodes, sizeof *w->heap, by_sequence);
    for (int i = 0; i < nodes; i++) {
        step *s = &w->steps[w->heap[i].step];
        for (int k = 0; k < s->node->inputs && !s->needed; k++) {
            const int target = w->targets[s->edges + k];
            s->needed = target != NONE && is_wanted(&w->steps[target]);
        }
    }
}

/* ---------------------------------------------------------------- the heap of nodes that wait for nothing more */

static void heap_push(walk *w, int index)
{
    const uint64_t sequence = w->steps[index].node->sequence;
    int i = w->heap_count++;
    for (; i > 0 && w->heap[(i - 1) / 2].sequence < sequence; i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = (ready){sequence, index};
}

static int heap_pop(walk *w)
{
    const int top = w->heap[0].step;
    const ready last = w->heap[--w->heap_count];
    int i = 0;
    for (int child; (child = 2 * i + 1) < w->heap_count; i = child) {
        if (child + 1 < w->heap_count && w->heap[child + 1].sequence > w->heap[child].sequence)
            child++;
        if (w->heap[child].sequence <= last.sequence)
            break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = last;
    return top;
}

/* ---------------------------------------------------------------- gradients */

/* adds gradient to what is in place, which keeps a reference */
static bool gather(const walk *w, wk_tensor **place, wk_tensor *gradient)
{
    if (*place && !w->args->create_graph && wk_is_ours(*place))
        return wk_gradient_add_(*place, gradient) != NULL;
    return wk_replace_reference(place, *place ? wk_gradient_add(*place, gradient) : gradient);
}

bool wk_needs(const wk_node *node, int input)
{
    const int target = current->targets[current->running->edges + input];
    (void)node;
    return target != NONE && is_wanted(&current->steps[target]);
}

wk_tensor *wk_gradient(wk_node *node, int i)
{
    wk_tensor *gradient = current->gradients[current->running->gradients + i];
    const wk_output *output = &node->output[i];
    return gradient ? gradient : wk_gradient_zeros(output->ndim, output->shape, output->dtype, output->device);
}

void wk_accumulate(wk_node *node, int input, wk_tensor *gradient)
{
    walk *w = current;
    if (!wk_needs(node, input))
        return;
    if (!gradient) {
        /* an op of the backward failed and said so, or the backward gave none */
        w->failed |= wk_failing();
        return;
    }
    WK_NAMES_ERRORS(node->name);
    const wk_edge *edge = &node->edges[input];
    const step *to = &w->steps[w->targets[w->running->edges + input]];
    const wk_output *output = edge->node ? &edge->node->output[edge->output_nr] : NULL;
    gradient = output ? wk_gradient_fit(gradient, output->ndim, output->shape, output->dtype, output->device)
                      : wk_gradient_fit(gradient, edge->leaf->ndim, edge->leaf->shape, edge->leaf->dtype,
                                        edge->leaf->device);
    if (gradient && wk_anomaly.on &&
        !wk_anomaly_check_gradient(node->name, input, gradient, w->gradients + w->running->gradients, node->outputs))
        gradient = NULL;
    if (!gradient || !gather(w, &w->gradients[to->gradients + (output ? edge->output_nr : 0)], gradient))
        w->failed = true;
}

/* ---------------------------------------------------------------- running */

static void capture(walk *w, const step *s)
{
    for (int i = s->captured; i != NONE; i = w->next_captured[i]) {
        const wk_tensor *x = w->args->wanted.items[i];
        w->args->captured[i] = wk_retain(w->gradients[s->gradients + (s->node ? x->output_nr : 0)]);
    }
}

static void finish_leaf(walk *w, const step *s)
{
    wk_tensor **gradient = &w->gradients[s->gradients], *leaf = s->leaf;
    if (!*gradient)
        return;
    bool fine = true;
    wk_hooks *hooks = __atomic_load_n(&leaf->hooks, __ATOMIC_ACQUIRE);
    if (hooks)
        wk_scope fine = wk_replace_reference(gradient, wk_run_hooks(hooks, *gradient));
    if (fine && w->args->captured)
        capture(w, s);
    else if (fine)
        fine = wk_grad_accumulate(leaf, gradient, w->args->create_graph) &&
               (!hooks || wk_run_post_accumulate_hooks(hooks, leaf));
    w->failed |= !fine;
    wk_release(*gradient);
    *gradient = NULL;
}

/* before the backward runs: to it a saved tensor that is gone looks like one that never was */
static wk_tensor *graph_is_freed(const wk_node *node)
{
    return wk_fail(node->name, "backward through the graph a second time: its saved tensors are freed\n"
                               "hint: pass .retain_graph = true to the first wk_backward");
}

/* a walk that this one runs inside of is in the node's backward, which reads the saved tensors */
static bool runs_outside(const walk *w, const wk_node *node)
{
    for (w = w->outer; w; w = w->outer)
        if (w->running && w->running->node == node)
            return true;
    return false;
}

static void run_backward(walk *w, step *s)
{
    wk_node *node = s->node;
    wk_scope
    {
        w->running = s;
        wk_tensor *dy = node->freed ? graph_is_freed(node) : wk_gradient(node, 0);
        if (dy) {
            const char *note = wk_error_set_note(node->recorded_at);
            wk_profile_begin(node->name);
            WK_UNWATCHED(((w->args->create_graph && node->composed ? node->composed : node->backward)(node, dy), 0));
            wk_profile_end();
            wk_error_set_note(note);
        }
        w->running = NULL;
        w->failed |= !dy || wk_failing();
    }
}

/* hooks of the node's results; whether there is a gradient to go on with */
static bool run_hooks(walk *w, const step *s)
{
    bool any = false;
    for (int i = 0; i < s->node->outputs; i++) {
        wk_tensor **gradient = &w->gradients[s->gradients + i];
        wk_hooks *hooks = __atomic_load_n(&s->node->output[i].hooks, __ATOMIC_ACQUIRE);
        if (*gradient && hooks)
            wk_scope w->failed |= !wk_replace_reference(gradient, wk_run_hooks(hooks, *gradient));
        any |= *gradient != NULL;
    }
    return any && !w->failed;
}

static void run_node(walk *w, step *s)
{
    wk_node *node = s->node;
    if (run_hooks(w, s)) {
        capture(w, s);
        if (s->needed)
            run_backward(w, s);
    }
    for (int i = 0; i < node->outputs; i++) {
        wk_release(w->gradients[s->gradients + i]);
        w->gradients[s->gradients + i] = NULL;
    }
    if ((s->needed && !w->args->keep_graph) || node->freed) {
        if (runs_outside(w, node))
            node->freed = true;
        else
            wk_node_release_saved(node);
    }
    for (int i = 0; i < node->inputs && !w->failed; i++) {
        const int target = w->targets[s->edges + i];
        if (target == NONE || --w->steps[target].waiting > 0)
            continue;
        if (w->steps[target].node)
            heap_push(w, target);
        else
            finish_leaf(w, &w->steps[target]);
    }
}

/* ---------------------------------------------------------------- the walk */

static bool add_root(walk *w, wk_tensor *root, const wk_tensor *gradient)
{
    wk_node *node = wk_grad_fn(root);
    const char *op = w->args->op;
    if (!node && !root->requires_grad)
        return wk_fail(op, "x: expected a tensor that requires grad, got one of shape %s without history\n"
                           "hint: wk_requires_grad_ the leaves before computing, and mind wk_no_grad and wk_detach",
                       wk_shape_string(root));
    if (!gradient && root->numel != 1)
        return wk_fail(op, "x: expected one element where no gradient is given, got shape %s\n"
                           "hint: reduce it first (wk_mean, wk_sum), or pass .gradient = ...", wk_shape_string(root));
    if (gradient && !wk_same_shape(gradient, root))
        return wk_fail(op, "gradient: expected x's shape %s, got %s", wk_shape_string(root), wk_shape_string(gradient));
    return step_of(w, node, root) != NONE;
}

static wk_tensor *gradient_of_root(const wk_walk_back_args *args, int64_t i)
{
    return i < args->gradients.count ? args->gradients.items[i] : NULL;
}

/* puts the gradient of root i in its place */
static bool seed(walk *w, int64_t i)
{
    wk_tensor *root = w->args->roots.items[i], *gradient = gradient_of_root(w->args, i);
    const step *s = &w->steps[*slot_of(w, root->grad_fn ? (void *)root->grad_fn : root) - 1];
    gradient = gradient ? wk_gradient_fit(gradient, root->ndim, root->shape, root->dtype, root->device)
                        : wk_gradient_ones_like(root);
    return gradient && gather(w, &w->gradients[s->gradients + (s->node ? root->output_nr : 0)], gradient);
}

static void run(walk *w, int roots)
{
    if (w->args->captured)
        mark_needed(w);
    for (int64_t i = 0; i < w->args->roots.count && !w->failed; i++)
        wk_scope w->failed = !seed(w, i);
    for (int i = 0; i < roots && !w->failed; i++)
        if (w->steps[i].waiting == 0 && w->steps[i].node)
            heap_push(w, i);
        else if (w->steps[i].waiting == 0)
            finish_leaf(w, &w->steps[i]);
    while (!w->failed && w->heap_count > 0)
        run_node(w, &w->steps[heap_pop(w)]);
    for (int i = 0; i < w->gradient_count; i++)
        wk_release(w->gradients[i]);
}

/* the roots hold what they come from, whatever a hook does to the tensors meanwhile */
static void hold_roots(const walk *w, int roots, bool hold)
{
    for (int i = 0; i < roots; i++) {
        wk_node *node = w->steps[i].node;
        wk_tensor *leaf = w->steps[i].leaf;
        if (hold) {
            wk_object_retain((wk_object *)node);
            wk_retain(leaf);
        } else {
            wk_object_release((wk_object *)node);
            wk_release(leaf);
        }
    }
}

static bool make_tables(walk *w)
{
    const size_t heap = (size_t)w->count * sizeof *w->heap,
                 gradients = (size_t)w->gradient_count * sizeof *w->gradients,
                 bytes = heap + gradients + (size_t)w->args->wanted.count * sizeof *w->next_captured;
    w->heap = wk_alloc(bytes);
    if (!w->heap)
        return wk_out_of_memory(w->args->op, bytes);
    w->gradients = memset((char *)w->heap + heap, 0, gradients);
    w->next_captured = (int *)((char *)w->gradients + gradients);
    return true;
}

bool wk_walk_back(const wk_walk_back_args *args)
{
    few few;
    memset(few.slots, 0, sizeof few.slots);
    walk w = {.args = args, .steps = few.steps, .capacity = FEW, .slots = few.slots, .targets = few.targets,
              .target_capacity = 2 * FEW, .few = &few, .outer = current};
    bool fine = !wk_failing();
    for (int64_t i = 0; fine && i < args->roots.count; i++)
        fine = add_root(&w, args->roots.items[i], gradient_of_root(args, i));
    const int roots = w.count;
    if (fine && find_steps(&w) && make_tables(&w)) {
        hold_roots(&w, roots, true);
        current = &w;
        WK_GRAD_BLOCK(args->create_graph) run(&w, roots);
        current = w.outer;
        hold_roots(&w, roots, false);
        fine = !w.failed;
    } else
        fine = false;
    wk_free(w.heap);
    if (w.steps != few.steps)
        wk_free(w.steps);
    if (w.slots != few.slots)
        wk_free(w.slots);
    if (w.targets != few.targets)
        wk_free(w.targets);
    return fine;
}
