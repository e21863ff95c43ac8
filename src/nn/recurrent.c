/* lstm and gru.  One product gives what the inputs of all steps say, in each layer and direction; each step adds what
   its state says.  Packed sequences, the longest first, are rows of such steps: at each step a prefix of them goes
   on. */
#include <math.h>
#include <stdio.h>

#include <wick/activation.h>
#include <wick/dropout.h>
#include <wick/index.h>
#include <wick/join.h>
#include <wick/matmul.h>
#include <wick/pointwise.h>
#include <wick/view.h>

#include "core/alloc.h"
#include "layer.h"
#include "ops/lstm_cell.h"
#include "packed_sequence.h"

typedef wk_nn_recurrent layer;

/* what a call gives: h and c of all layers and directions */
typedef struct results {
    wk_tensor *y, *h, *c;
} results;

/* sizes[i] sequences have step i of count; NULL: all do, and x is (L, N, ...), else (all rows, ...) */
typedef struct steps {
    int64_t count;
    const int64_t *sizes;
} steps;

static bool is_lstm(const layer *self) { return self->gates == 4; }
static int directions(const layer *self) { return self->bidirectional ? 2 : 1; }
static const char *name_of(const layer *self) { return is_lstm(self) ? "lstm" : "gru"; }

enum { WEIGHT_IH, WEIGHT_HH, BIAS_IH, BIAS_HH };

/* of a layer's direction, `at` counting both; NULL without */
static wk_tensor *parameter(const layer *self, int64_t at, int which)
{
    if (which >= BIAS_IH && !self->bias)
        return NULL;
    return self->base.inside->parameters.items[at * (self->bias ? 4 : 2) + which].tensor;
}

/* ---------------------------------------------------------------- called */

/* r, z = sigmoid of x + y, n = tanh(x_n + r y_n); h becomes n + z (h - n) */
static wk_tensor *gru_step(wk_tensor *x, wk_tensor *y, wk_tensor *h, int64_t H)
{
    wk_tensor *both = wk_sigmoid(wk_add(wk_narrow(x, 1, 0, 2 * H), wk_narrow(y, 1, 0, 2 * H)));
    wk_tensor *r = wk_narrow(both, 1, 0, H), *z = wk_narrow(both, 1, H, H);
    wk_tensor *n = wk_tanh(wk_add(wk_narrow(x, 1, 2 * H, H), wk_mul(r, wk_narrow(y, 1, 2 * H, H))));
    return wk_lerp(n, h, z);
}

/* the state of the n sequences of a step: those that end before it are left in `ended`, those whose end it is, in
   reverse, come from `first` */
static wk_tensor *state_for(int64_t n, wk_tensor *state, wk_tensor *first, wk_tensor **ended)
{
    const int64_t rows = state->shape[0];
    if (n == rows)
        return state;
    if (n > rows)
        return wk_cat((state, wk_narrow(first, 0, rows, n - rows)));
    *ended = wk_narrow(state, 0, n, rows - n);
    return wk_narrow(state, 0, 0, n);
}

/* the state of all where steps took their leave of some: places has the last steps' first, one each or NULL */
static wk_tensor *state_of_all(wk_tensor *state, wk_tensor **places, int64_t count)
{
    int64_t n = 1;
    for (int64_t i = 0; i < count; i++)
        if (places[i])
            places[n++] = places[i];
    places[0] = state;
    return n > 1 ? wk_cat(.tensors = {n, places}) : state;
}

/* states: count places; ended: 2 (count + 1) of NULL */
static results run_steps(const layer *self, wk_tensors x, const steps *over, int64_t at, wk_tensor *h, wk_tensor *c,
                         bool reverse, wk_tensor **states, wk_tensor **ended)
{
    wk_tensor *const h_0 = h, *const c_0 = c;
    wk_tensor *weight_hh = parameter(self, at, WEIGHT_HH), *bias_hh = parameter(self, at, BIAS_HH);
    wk_tensor **ended_c = ended + x.count + 1;
    if (is_lstm(self))
        bias_hh = NULL;
    for (int64_t i = 0; h && c && i < x.count; i++) {
        const int64_t step = reverse ? x.count - 1 - i : i, behind = x.count - i;
        if (over->sizes) {
            h = state_for(over->sizes[step], h, h_0, &ended[behind]);
            c = is_lstm(self) && h ? state_for(over->sizes[step], c, c_0, &ended_c[behind]) : c;
        }
        wk_tensor *from_state = wk_linear(h, weight_hh, bias_hh);
        h = is_lstm(self) ? wk_lstm_cell(x.items[step], from_state, c, &c)
                          : gru_step(x.items[step], from_state, h, self->hidden_size);
        wk_scope_release(from_state);
        states[step] = h;
    }
    results result = {0};
    if (!h || !c)
        return result;
    result.y = over->sizes ? wk_cat(.tensors = {x.count, states}) : wk_stack(.tensors = {x.count, states});
    result.h = reverse ? h : state_of_all(h, ended, x.count + 1);
    result.c = reverse || !is_lstm(self) ? c : state_of_all(c, ended_c, x.count + 1);
    return result;
}

/* a direction of a layer: y (L, N, H), and the last h and c */
static results run_direction(const layer *self, wk_tensor *x, const steps *over, int64_t at, wk_tensor *h, wk_tensor *c,
                             bool reverse)
{
    results result = {0};
    wk_tensor *bias_ih = parameter(self, at, BIAS_IH);
    if (is_lstm(self) && bias_ih) // n of a gru needs its own in each step
        bias_ih = wk_add(bias_ih, parameter(self, at, BIAS_HH));
    wk_tensor *from_inputs = wk_linear(x, parameter(self, at, WEIGHT_IH), bias_ih);
    const wk_tensors each = over->sizes
                                ? wk_split_with((wk_split_args){.x = from_inputs, .sizes = {over->count, over->sizes}})
                                : wk_unbind(from_inputs, .dim = 0);
    const size_t bytes = (size_t)(3 * each.count + 2) * sizeof(wk_tensor *);
    wk_tensor **places = each.items ? wk_alloc_zeroed(bytes) : NULL;
    if (places)
        result = run_steps(self, each, over, at, h, c, reverse, places, places + each.count);
    else if (each.items)
        wk_out_of_memory(name_of(self), bytes);
    wk_free(places);
    return result;
}

/* of h_0 or c_0 (layers, N, H) that of one; zeros where it was not given */
static wk_tensor *state_of(wk_tensor *all, int64_t at, wk_tensor *zeros) { return all ? wk_select(all, 0, at) : zeros; }

static results run_layers(layer *self, wk_tensor *x, const steps *over, wk_tensor *h_0, wk_tensor *c_0)
{
    const int64_t count = self->num_layers * directions(self);
    results result = {0}, each[2];
    wk_tensor *zeros = wk_new_zeros(x, (over->sizes ? over->sizes[0] : x->shape[1], self->hidden_size));
    wk_tensor **last = zeros ? wk_alloc(2 * (size_t)count * sizeof *last) : NULL;
    bool fine = last != NULL;
    for (int64_t i = 0; fine && i < self->num_layers; i++) {
        if (i > 0 && self->dropout > 0)
            x = wk_dropout(x, self->dropout, self->base.training);
        for (int k = 0; fine && k < directions(self); k++) {
            const int64_t at = i * directions(self) + k;
            each[k] = run_direction(self, x, over, at, state_of(h_0, at, zeros), state_of(c_0, at, zeros), k == 1);
            last[at] = each[k].h;
            last[count + at] = each[k].c;
            fine = each[k].y != NULL;
        }
        x = !fine ? NULL : self->bidirectional ? wk_cat((each[0].y, each[1].y), .dim = -1) : each[0].y;
        fine = x != NULL;
    }
    if (fine)
        result = (results){x, wk_stack(.tensors = {count, last}),
                           is_lstm(self) ? wk_stack(.tensors = {count, last + count}) : NULL};
    else if (zeros && !last)
        wk_out_of_memory(name_of(self), 2 * (size_t)count * sizeof *last);
    wk_free(last);
    return result;
}

static bool check_state(const layer *self, const char *name, bool one, const wk_tensor *state, int64_t N)
{
    const char *const op = name_of(self);
    WK_OPTIONAL(op, state);
    if (!state)
        return true;
    const int64_t count = self->num_layers * directions(self);
    const bool fits = one ? state->ndim == 2 && state->shape[0] == count && state->shape[1] == self->hidden_size
                          : state->ndim == 3 && state->shape[0] == count && state->shape[1] == N &&
                                state->shape[2] == self->hidden_size;
    return fits || wk_fail(op, "%s: expected (%lld, %s%lld), got %s", name, (long long)count,
                           one ? "" : wk_shape_text(1, &N, (char[WK_SHAPE_TEXT]){0}), (long long)self->hidden_size,
                           wk_shape_string(state));
}

static results run(void *module, wk_tensor *x, wk_tensor *h_0, wk_tensor *c_0)
{
    layer *self = module;
    const bool one = x->ndim == 2, swaps = self->batch_first && !one;
    if (one) {
        x = wk_unsqueeze(x, 1);
        h_0 = h_0 ? wk_unsqueeze(h_0, 1) : NULL;
        c_0 = c_0 ? wk_unsqueeze(c_0, 1) : NULL;
    }
    x = swaps ? wk_transpose(x, 0, 1) : x;
    results result = {0};
    if (x && !wk_failing())
        result = run_layers(self, x, &(steps){x->shape[0], NULL}, h_0, c_0);
    if (one && result.y) {
        result.y = wk_squeeze(result.y, 1);
        result.h = wk_squeeze(result.h, 1);
        result.c = result.c ? wk_squeeze(result.c, 1) : NULL;
    }
    if (swaps && result.y)
        result.y = wk_transpose(result.y, 0, 1);
    return result;
}

static results run_packed(void *module, const wk_nn_packed_sequence *packed, const int64_t *sizes, wk_tensor *h_0,
                          wk_tensor *c_0)
{
    wk_tensor *const order = packed->sorted_indices, *const back = packed->unsorted_indices;
    if (order && h_0)
        h_0 = wk_index_select(h_0, 1, order);
    if (order && c_0)
        c_0 = wk_index_select(c_0, 1, order);
    results result = {0};
    if (!wk_failing())
        result = run_layers(module, packed->data, &(steps){packed->batch_sizes->numel, sizes}, h_0, c_0);
    if (back && result.y) {
        result.h = wk_index_select(result.h, 1, back);
        result.c = result.c ? wk_index_select(result.c, 1, back) : NULL;
    }
    return result;
}

/* false after an error */
static bool check_states(const layer *self, bool one, wk_tensor *h_0, wk_tensor *c_0, int64_t N)
{
    return check_state(self, "h_0", one, h_0, N) && check_state(self, "c_0", one, c_0, N) &&
           (!is_lstm(self) || !h_0 == !c_0 || wk_fail(name_of(self), "c_0: expected both it and h_0, or neither"));
}

/* false after an error */
static bool check(const layer *self, wk_tensor *x, wk_tensor *h_0, wk_tensor *c_0)
{
    const char *const op = name_of(self);
    WK_REQUIRE(op, x);
    if ((x->ndim != 2 && x->ndim != 3) || x->shape[x->ndim - 1] != self->input_size)
        return wk_fail(op, "x: expected (%s, %lld) or (L, %lld), got %s", self->batch_first ? "N, L" : "L, N",
                       (long long)self->input_size, (long long)self->input_size, wk_shape_string(x));
    const int64_t L = x->shape[x->ndim == 3 && self->batch_first], N = x->ndim == 2 ? 1 : x->shape[!self->batch_first];
    if (L == 0)
        return wk_fail(op, "x: expected a sequence of one step or more, got %s", wk_shape_string(x));
    return check_states(self, x->ndim == 2, h_0, c_0, N);
}

static bool check_packed(const layer *self, wk_tensor *data, wk_tensor *h_0, wk_tensor *c_0, int64_t N)
{
    if (data->ndim != 2 || data->shape[1] != self->input_size)
        return wk_fail(name_of(self), "packed->data: expected (steps of all sequences, %lld), got %s",
                       (long long)self->input_size, wk_shape_string(data));
    return check_states(self, false, h_0, c_0, N);
}

/* y, for the scope outside, as h and c in their places; NULL after an error */
static wk_tensor *keep(const layer *self, results result, wk_tensor **h_n, wk_tensor **c_n)
{
    if (!result.y || !result.h || (is_lstm(self) && !result.c))
        return NULL;
    if (h_n)
        *h_n = wk_keep(result.h);
    if (c_n)
        *c_n = wk_keep(result.c);
    return wk_keep(result.y);
}

static wk_tensor *call(const char *type, wk_nn_lstm_forward_args args)
{
    layer *self = (layer *)wk_module_check_type(type, args.module, type);
    if (args.h_n)
        *args.h_n = NULL;
    if (args.c_n)
        *args.c_n = NULL;
    if (!self || !check(self, args.x, args.h_0, args.c_0))
        return NULL;
    wk_tensor *y = NULL;
    wk_scope
    y = keep(self, wk_call(run, self, args.x, args.h_0, args.c_0), args.h_n, args.c_n);
    return y;
}

static wk_nn_packed_sequence call_packed(const char *type, wk_nn_lstm_forward_packed_args args)
{
    layer *self = (layer *)wk_module_check_type(type, args.module, type);
    wk_nn_packed_sequence y = args.packed, *packed = &args.packed;
    y.data = NULL;
    if (args.h_n)
        *args.h_n = NULL;
    if (args.c_n)
        *args.c_n = NULL;
    wk_scope
    {
        const int64_t *sizes = self ? wk_packed_sizes(type, packed) : NULL;
        if (sizes && check_packed(self, packed->data, args.h_0, args.c_0, sizes[0]))
            y.data = keep(self, wk_call(run_packed, self, packed, sizes, args.h_0, args.c_0), args.h_n, args.c_n);
    }
    return y.data ? y : (wk_nn_packed_sequence){0};
}

wk_tensor *wk_nn_lstm_forward_with(wk_nn_lstm_forward_args args) { return call("lstm", args); }
wk_tensor *wk_nn_gru_forward_with(wk_nn_gru_forward_args args)
{
    return call("gru", (wk_nn_lstm_forward_args){.module = args.module, .x = args.x, .h_0 = args.h_0, .h_n = args.h_n});
}

wk_nn_packed_sequence wk_nn_lstm_forward_packed_with(wk_nn_lstm_forward_packed_args args)
{
    return call_packed("lstm", args);
}
wk_nn_packed_sequence wk_nn_gru_forward_packed_with(wk_nn_gru_forward_packed_args args)
{
    return call_packed("gru", (wk_nn_lstm_forward_packed_args){
                                  .module = args.module, .packed = args.packed, .h_0 = args.h_0, .h_n = args.h_n});
}

static wk_tensor *forward(void *module, wk_tensor *x)
{
    return check(module, x, NULL, NULL) ? run(module, x, NULL, NULL).y : NULL;
}

/* ---------------------------------------------------------------- made */

static void repr(void *module, char *text, size_t size)
{
    const layer *self = module;
    char layers[40] = "", dropout[40] = "";
    if (self->num_layers != 1)
        snprintf(layers, sizeof layers, ", num_layers=%lld", (long long)self->num_layers);
    if (self->dropout != 0)
        snprintf(dropout, sizeof dropout, ", dropout=%g", self->dropout);
    snprintf(text, size, "%lld, %lld%s%s%s%s%s", (long long)self->input_size, (long long)self->hidden_size, layers,
             self->bias ? "" : ", bias=False", self->batch_first ? ", batch_first=True" : "", dropout,
             self->bidirectional ? ", bidirectional=True" : "");
}

static bool add_parameter(layer *self, const char *kind, int64_t at, wk_shape size, const wk_nn_recurrent_args *args)
{
    char name[64];
    const bool reverse = self->bidirectional && at % 2 == 1;
    snprintf(name, sizeof name, "%s_l%lld%s", kind, (long long)(at / directions(self)), reverse ? "_reverse" : "");
    wk_tensor *x = wk_empty_with((wk_factory_args){.size = size, .dtype = args->dtype, .device = args->device});
    return x && wk_module_register_parameter(self, name, x);
}

static bool fill(layer *self, const wk_nn_recurrent_args *args)
{
    const int64_t rows = self->gates * self->hidden_size, count = self->num_layers * directions(self);
    for (int64_t at = 0; at < count; at++) {
        const int64_t inputs = at < directions(self) ? self->input_size : self->hidden_size * directions(self);
        if (!add_parameter(self, "weight_ih", at, WK_SHAPE(rows, inputs), args) ||
            !add_parameter(self, "weight_hh", at, WK_SHAPE(rows, self->hidden_size), args))
            return false;
        if (self->bias && (!add_parameter(self, "bias_ih", at, WK_SHAPE(rows), args) ||
                           !add_parameter(self, "bias_hh", at, WK_SHAPE(rows), args)))
            return false;
    }
    const double bound = 1 / sqrt((double)self->hidden_size);
    const wk_members *parameters = &self->base.inside->parameters;
    for (int64_t i = 0; i < parameters->count; i++)
        if (!wk_nn_init_uniform_(parameters->items[i].tensor, -bound, bound))
            return false;
    return true;
}

static wk_module *make(const char *type, int gates, wk_nn_recurrent_args args)
{
    const char *const op = type + 3;
    if (args.input_size < 1 || args.hidden_size < 1 || args.num_layers < 1)
        return wk_fail(op, "input_size, hidden_size, num_layers: expected 1 or more, got %lld, %lld and %lld",
                       (long long)args.input_size, (long long)args.hidden_size, (long long)args.num_layers);
    if (!(args.dropout >= 0 && args.dropout <= 1))
        return wk_fail(op, "dropout: expected 0 to 1, got %g", args.dropout);
    layer *self = wk_module_new_with(
        (wk_module_args){.size = sizeof *self, .type = type, .forward = forward, .extra_repr = repr});
    if (!self)
        return NULL;
    self->input_size = args.input_size;
    self->hidden_size = args.hidden_size;
    self->num_layers = args.num_layers;
    self->bias = args.bias;
    self->batch_first = args.batch_first;
    self->bidirectional = args.bidirectional;
    self->dropout = args.dropout;
    self->gates = gates;
    bool fine = false;
    wk_scope
    fine = fill(self, &args);
    return wk_layer_ready(self, fine);
}

wk_module *wk_nn_lstm_with(wk_nn_recurrent_args args) { return make("wk_nn_lstm", 4, args); }
wk_module *wk_nn_gru_with(wk_nn_recurrent_args args) { return make("wk_nn_gru", 3, args); }
