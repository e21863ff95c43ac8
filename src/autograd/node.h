/* Floor 2: where a result came from.

   An op ends with
       return wk_record(y, softmax_backward, WK_INPUTS(x), WK_SAVED(y), WK_KEPT(softmax_kept, .dim = dim));
   which makes a node only where a gradient may be asked for.  Its backward
       static void softmax_backward(wk_node *node, wk_tensor *dy)
   reads wk_saved(node, 0) and
       const softmax_kept *kept = node->kept;
   a plain struct of the op's own, and gives wk_accumulate(node, 0, dx) for input 0, for each input that
   wk_needs(node, i).  wk_accumulate sums dx over the dims that the input was broadcast along, and converts its dtype.

   A backward is made of ops: under create_graph they record in their turn.  Where it calls what has no gradient (a
   kernel of its own), .composed = softmax_in_ops names the function that runs in its place under create_graph; the
   backward itself never asks. */
#ifndef WICK_NODE_H
#define WICK_NODE_H

#include <wick/autograd.h>

#include "core/tensor.h"
#include "from_ops.h"

typedef struct wk_node wk_node;
typedef void wk_backward_function(wk_node *node, wk_tensor *dy);

/* Where the gradient of an input goes: into a node's output, into a leaf, or (neither) nowhere. */
typedef struct wk_edge {
    wk_node *node;
    int output_nr;
    wk_tensor *leaf;
} wk_edge;

typedef struct wk_saved_tensor {
    wk_tensor *tensor;
    uint32_t version;
    int output_nr; // which of the node's own results this is (kept without its history, else it would own itself); -1:
                   // none
} wk_saved_tensor;

/* what the gradient of an output must look like */
typedef struct wk_output {
    int ndim;
    int64_t shape[WK_MAX_DIMS];
    wk_dtype dtype;
    wk_device device;
    void *hooks; // retained
} wk_output;

struct wk_node {
    wk_object object;
    const char *name; // "softmax_backward"
    wk_backward_function *backward, *composed;
    const void *kept; // the op's own struct
    uint64_t sequence; // order of creation: backward runs the latest first
    int inputs, outputs, saves;
    wk_edge *edges;
    wk_saved_tensor *saved;
    wk_output *output;
    struct wk_object *recomputation; // what computes the saved tensors again (recompute.h); NULL: they are there
    int place;                       // of this node in it
    bool freed; // a backward has let the saved tensors go
    char *recorded_at; // under wk_detect_anomaly: where, as text; NULL otherwise
};

typedef struct wk_record_args {
    wk_tensor *const *results;
    int results_count;
    const char *name;
    wk_backward_function *backward;
    wk_backward_function *composed; // runs instead where the backward is itself recorded; NULL: backward does
    wk_tensors inputs, saved;
    const void *kept; // copied into the node; holds nothing that must be freed
    size_t kept_bytes;
} wk_record_args;

#define WK_INPUTS(...) .inputs = WK_TENSORS(__VA_ARGS__)
#define WK_SAVED(...) .saved = WK_TENSORS(__VA_ARGS__)
#define WK_KEPT(type, ...) .kept = &(type){__VA_ARGS__}, .kept_bytes = sizeof(type)

/* Makes y remember; returns y, NULL if y is NULL or after an error.
   The function's name is what users see: softmax_backward prints as grad_fn=<SoftmaxBackward0> and stands in errors.
   .name = "sub_backward" gives another, for a function that several ops share. */
#define wk_record(y, function, ...)                                                                                    \
    wk_record_one((y), &(wk_record_args){.name = #function, .backward = function, __VA_ARGS__})
/* the same for several results; their gradients are wk_gradient(node, i) in the backward; false after an error */
#define wk_record_all(results_, count, function, ...)                                                                  \
    wk_record_with(&(wk_record_args){                                                                                  \
        .results = results_, .results_count = count, .name = #function, .backward = function, __VA_ARGS__})
wk_tensor *wk_record_one(wk_tensor *y, wk_record_args *args);
bool wk_record_with(const wk_record_args *args);

/* whether a result computed from these would remember (grad mode is on, and one requires grad) */
bool wk_would_record(wk_tensors inputs);
bool wk_needs_grad(const wk_tensor *x); // x requires grad, and grad mode is on

/* the value of an expression computed without recording: mask = WK_WITHOUT_GRAD(wk_eq(x, 0)) */
#define WK_WITHOUT_GRAD(expression)                                                                                    \
    __extension__({                                                                                                    \
        const bool wk_mode_before = wk_is_grad_enabled();                                                              \
        wk_set_grad_enabled(false);                                                                                    \
        __auto_type wk_value = (expression);                                                                           \
        wk_set_grad_enabled(wk_mode_before);                                                                           \
        wk_value;                                                                                                      \
    })

/* wk_detect_anomaly (anomaly.c) */
typedef struct wk_anomaly_mode {
    bool on;
    bool quiet; // while a backward runs, whose gradients are looked at instead, and while one looks
} wk_anomaly_mode;
extern _Thread_local wk_anomaly_mode wk_anomaly;
static inline bool wk_detects_anomaly(void) { return __builtin_expect(wk_anomaly.on, 0) && !wk_anomaly.quiet; }
char *wk_anomaly_place(const char *name); // where an op is recorded, for recorded_at
/* the value of an expression whose steps may make NaN or infinity, which do not reach its result */
#define WK_UNWATCHED(expression)                                                                                       \
    __extension__({                                                                                                    \
        const bool wk_quiet_before = wk_anomaly.quiet;                                                                 \
        wk_anomaly.quiet = true;                                                                                       \
        __auto_type wk_unwatched = (expression);                                                                       \
        wk_anomaly.quiet = wk_quiet_before;                                                                            \
        wk_unwatched;                                                                                                  \
    })

/* in a backward, of the node that runs */
bool wk_needs(const wk_node *node, int input);
wk_tensor *wk_saved(wk_node *node, int i);    // NULL after an error: it was changed in place
wk_tensor *wk_gradient(wk_node *node, int i); // of result i; zeros where none came
void wk_accumulate(wk_node *node, int input, wk_tensor *gradient);
/* before x is overwritten with a result of node: where node saved x, it keeps a copy, of x's history; false after an
   error */
bool wk_save_copy_of(wk_node *node, wk_tensor *x);
/* stands for input i where its values are not needed, to record a gradient's own gradient: of like's shape */
wk_tensor *wk_input_stand_in(wk_node *node, int input, wk_tensor *like);

/* A view remembers its base, so that writes into either reach the other's history (ops/inplace.c). */
typedef struct wk_view {
    wk_object object;
    wk_tensor *base;        // retained; never itself a view
    uint32_t graph_version; // of the storage, when the view's grad_fn was made
    bool untracked;         // made under wk_no_grad: not to be written with grad on, since the base would not know
} wk_view;
bool wk_mark_view(wk_tensor *view, wk_tensor *of); // false after an error
void wk_grad_clear(wk_tensor *leaf); // to NULL
wk_node *wk_grad_fn(wk_tensor *x);                 // up to date, unlike the field, where x is a view written into
/* x, written in place, follows from node now; hooks stay with what x was, retain_grad moves on; false after an error */
bool wk_set_grad_fn(wk_tensor *x, wk_node *node, int output_nr);

#endif
