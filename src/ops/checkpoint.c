/* Activation checkpointing (torch.utils.checkpoint.checkpoint with use_reentrant=False). */
#include <wick/autograd.h>

#include "autocast.h"
#include "autograd/recompute.h"
#include "core/alloc.h"
#include "core/random.h"

static const char OP[] = "checkpoint";

typedef struct checkpoint {
    wk_recomputation recomputation;
    wk_checkpointed function;
    void *context;
    wk_node *inputs; // which saved them
    wk_autocast_settings autocast;
    bool preserve_rng_state;
    unsigned char random[WK_GENERATOR_STATE_BYTES];
} checkpoint;

static void destroy(wk_object *object)
{
    checkpoint *c = (checkpoint *)object;
    wk_recomputation_clear(&c->recomputation);
    wk_object_release((wk_object *)c->inputs);
    wk_free(c);
}

static wk_tensor *call(const wk_checkpointed *function, void *context, wk_tensors inputs)
{
    wk_tensor **x = inputs.items;
    switch (function->inputs) {
    case 1:
        return function->call.one(context, x[0]);
    case 2:
        return function->call.two(context, x[0], x[1]);
    case 3:
        return function->call.three(context, x[0], x[1], x[2]);
    default:
        return function->call.any(context, inputs);
    }
}

/* the result of a call whose other tensors are let go */
static wk_tensor *call_in_scope(const wk_checkpointed *function, void *context, wk_tensors inputs)
{
    wk_tensor *y = NULL;
    wk_scope
    y = wk_scope_hand_out(call(function, context, inputs));
    return y || wk_failing() ? y : wk_fail(OP, "function: expected a tensor, got NULL");
}

static bool again(wk_recomputation *recomputation)
{
    checkpoint *c = (checkpoint *)recomputation;
    const int count = c->inputs->saves;
    wk_tensor **inputs = wk_alloc((size_t)(count + 1) * sizeof *inputs);
    unsigned char *now = inputs && c->preserve_rng_state ? wk_alloc(sizeof c->random) : NULL;
    bool fine = inputs && (now || !c->preserve_rng_state);
    if (!fine)
        wk_out_of_memory(OP, sizeof c->random);
    const wk_recorder recorder = wk_recording;
    wk_recording = (wk_recorder){0}; // inputs may be computed again themselves
    for (int i = 0; fine && i < count; i++)
        fine = (inputs[i] = wk_saved(c->inputs, i)) || !wk_failing();
    wk_recording = recorder;
    if (fine) {
        wk_generator *generator = wk_generator_or_default(NULL);
        const wk_autocast_settings outside = wk_autocast_get();
        if (now) {
            wk_generator_save(generator, now);
            wk_generator_load(generator, c->random);
        }
        wk_autocast_begin(&c->autocast);
        wk_enable_grad wk_scope
        fine = call(&c->function, c->context, (wk_tensors){count, inputs}) != NULL;
        wk_autocast_end(&outside);
        if (now)
            wk_generator_load(generator, now);
    }
    wk_free(now);
    wk_free(inputs);
    return fine && !wk_failing();
}

wk_tensor *wk_checkpoint_with(wk_checkpoint_args args)
{
    if (!args.function.call.any)
        return wk_fail(OP, "function: expected a function, got NULL");
    if (args.use_reentrant)
        return wk_fail(OP, "use_reentrant: expected false, the one way there is");
    if (args.function.inputs && args.function.inputs != args.inputs.count)
        return wk_fail(OP, "inputs: expected %d, as the function takes, got %lld", args.function.inputs,
                       (long long)args.inputs.count);
    for (int64_t i = 0; i < args.inputs.count; i++)
        WK_OPTIONAL(OP, args.inputs.items[i]);
    if (wk_failing())
        return NULL;
    if (!wk_is_grad_enabled())
        return call_in_scope(&args.function, args.context, args.inputs);
    checkpoint *c = wk_alloc_zeroed(sizeof *c);
    if (!c)
        return wk_out_of_memory(OP, sizeof *c);
    c->recomputation.object = (wk_object){.references = 1, .destroy = destroy};
    c->recomputation.again = again;
    c->function = args.function;
    c->context = args.context;
    c->autocast = wk_autocast_get();
    c->preserve_rng_state = args.preserve_rng_state;
    if (args.preserve_rng_state)
        wk_generator_save(wk_generator_or_default(NULL), c->random);
    c->inputs = wk_node_saving(OP, args.inputs); // into an outer checkpoint, where there is one
    wk_tensor *y = NULL;
    if (c->inputs) {
        const wk_recorder before = wk_recording;
        wk_recording = (wk_recorder){&c->recomputation, false};
        y = call_in_scope(&args.function, args.context, args.inputs);
        wk_recording = before;
    }
    wk_object_release(&c->recomputation.object);
    return y;
}
